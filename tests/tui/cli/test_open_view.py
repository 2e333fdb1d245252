"""Deep links: `open` with a target, a sample, a step or a screen, or with an item of the tutorials."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

import tui.app
import tui.cli.commands.open as opening
from engine.formula.expression import Symbol
from tests.tui.driver import press, stepper
from tui.app import BptuiApp
from tui.cli.main import cli
from tui.session.network_session import NetworkSession


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, Any]]:
    """What the app would have been opened with."""
    calls: list[tuple[str | None, Any]] = []

    def run(name: str | None = None, *, view: Any = None, trained: Any = None) -> int:
        calls.append((name, view))
        return 0

    monkeypatch.setattr(opening, "need_terminal", lambda: None)
    monkeypatch.setattr(tui.app, "run", run)
    return calls


def test_what_is_asked_for_is_handed_on(opened: list[tuple[str | None, Any]]) -> None:
    arguments = ["open", "xor", "--wrt", "W[1][1,1]", "--sample", "2", "--step", "3", "--screen", "stepper"]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    assert opened == [("xor", {"target": "W[1][1,1]", "sample": 2, "step": 3, "screen": "stepper"})]


def test_an_item_of_the_tutorials_opens_its_experiment(opened: list[tuple[str | None, Any]]) -> None:
    assert CliRunner().invoke(cli, ["open", "b1"]).exit_code == 0
    assert opened == [("tutorial-b", {"screen": "stepper"})]


async def test_the_stepper_opens_there() -> None:
    session = NetworkSession.open("xor", {"target": "W[1][1,1]", "sample": 2, "step": 3})
    app = BptuiApp(session, personal=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot)
        assert stepper(app).derivation.target == Symbol("W", 1, (1, 1))
        assert stepper(app).derivation.sample == 2
        assert stepper(app).position.index == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["xor", "--of", "Y_hat"], "view.of"),
        (["xor", "--of", "Y_hat[0,9]"], "view.of"),
        (["xor", "--phase", "loss", "--step", "2"], "view.step: found 2; expected at most 1, the loss"),
        (["xor", "--phase", "forward", "--step", "9"], "expected at most 4, the nodes of the forward pass"),
        (["micrograd", "--train", "3"], "an expression does not learn"),
        (["xor", "--compare", "nothing"], "nothing"),
        (["--metric", "max"], "all options of open are for an EXPERIMENT"),
    ],
)
def test_what_is_not_there_is_refused_before_the_app(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "need_terminal", lambda: None)
    monkeypatch.setattr(tui.app.BptuiApp, "run", lambda self: pytest.fail("the app was opened"))
    result = CliRunner().invoke(cli, ["open", *arguments])
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
