"""Ctrl+S saves a screen and the numbers behind it, Y copies the command that leads there, the palette finds things."""

from __future__ import annotations

import csv
import io
import shlex
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from engine.experiment.loading import load_experiment
from engine.experiment.presets import text_of
from engine.formula.parser import parse, parse_symbol
from tests.tui.driver import app_on, press, screen_text, stepper, until
from tui.app import BptuiApp
from tui.cli.main import cli
from tui.lessons.lesson_screen import LessonScreen
from tui.session.network_session import NetworkSession
from tui.session.opening import open_session
from tui.session.training_snapshot import Wanted
from tui.shell.csv_table import csv_text
from tui.shell.equivalent_command import command_line
from tui.shell.prompt import Prompt
from tui.shell.save_dialog import SaveDialog
from tui.stepper.predict_screen import PredictScreen
from tui.training.gradients_screen import GradientsScreen
from tui.training.units_screen import UnitsScreen


def app_with(name: str) -> BptuiApp:
    return BptuiApp(open_session(name), personal=False)


async def save(pilot: Pilot[None], label: str) -> Path:
    """Saves what is named so in the list, under the name that is offered."""
    app = pilot.app
    await press(pilot, "ctrl+s")
    await until(pilot, lambda: isinstance(app.screen, SaveDialog) and app.screen.query(OptionList))
    options = app.screen.query_one(OptionList)
    labels = [str(options.get_option_at_index(place).prompt) for place in range(options.option_count)]
    options.highlighted = next(place for place, one in enumerate(labels) if label in one)
    await press(pilot, "enter")
    await until(pilot, lambda: isinstance(app.screen, Prompt) and app.screen.query(Input))
    name = app.screen.query_one(Input).value
    await press(pilot, "enter")
    await until(pilot, lambda: Path(name).exists())
    await until(pilot, lambda: not isinstance(app.screen, (Prompt, SaveDialog)))
    return Path(name)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


async def test_the_screen_is_saved_as_it_is():
    app = app_with("tutorial-b")
    async with app.run_test() as pilot:
        await until(pilot, lambda: "0.6549" in screen_text(app))
        seen = [line.rstrip() for line in screen_text(app).rstrip().split("\n")]
        text = await save(pilot, "as text")
        assert text.name == "tutorial-b-stepper.txt"
        assert text.read_text("utf-8").rstrip("\n").split("\n") == seen
        picture = await save(pilot, "SVG")
        assert ElementTree.fromstring(picture.read_text("utf-8")).tag.endswith("svg")
        assert (await save(pilot, "as text")).name == "tutorial-b-stepper-2.txt"


async def test_the_terms_are_saved_with_all_digits():
    app = app_with("residual-fork")
    async with app.run_test() as pilot:
        await pilot.pause()
        rows = table(await save(pilot, "csv"))
        derivation = stepper(app).derivation
        assert len(rows) == sum(len(step.terms) for step in derivation)
        for row in rows:
            assert float(row["local"]) * float(row["upstream"]) == pytest.approx(float(row["contribution"]))
            assert parse(row["formula"]).evaluate(stepper(app).session.value_of) == pytest.approx(
                float(row["local"])
            )


async def test_the_matrices_are_saved_entry_by_entry():
    app = app_with("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        await press(pilot, "x")
        rows = table(await save(pilot, "csv"))
        graph = app.opened.session.graph
        assert len(rows) == sum(node.value.size for node in graph.nodes.values())
        (one,) = [row for row in rows if (row["matrix"], row["row"], row["column"]) == ("W[1]", "1", "1")]
        assert float(one["value"]) == graph.value_of(parse_symbol("W[1][1,1]"))
        assert float(one["gradient"]) == graph.nodes[parse_symbol("W[1]")].grad[1, 1]


async def test_a_chart_s_numbers_are_those_of_its_run():
    app = app_with("relu-50")
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, GradientsScreen))
        session = app.opened.session
        assert isinstance(session, NetworkSession)
        session.training.one_step(3)
        now = table(await save(pilot, "csv"))
        metric = app.screen.metric.field  # type: ignore[attr-defined]
        column = session.training.snapshot(Wanted(metric)).first.column
        assert [float(row[metric]) for row in now] == list(column.now)
        for _ in range(2):  # to the history
            await press(pilot, "v")
        steps = {row["step"] for row in table(await save(pilot, "csv"))}
        assert len(steps) == 3


async def test_units_are_saved_one_by_one():
    app = app_with("dying-relu")
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, UnitsScreen))
        app.opened.session.training.one_step(2)  # type: ignore[union-attr]
        rows = table(await save(pilot, "csv"))
        assert len(rows) == sum(
            len(rates) for rates in app.opened.session.training.first.trainer.unit_activity().firing_rate
        )  # type: ignore[union-attr]


async def test_an_edited_experiment_is_saved_as_its_file():
    app = app_with("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        app.opened.session.edit([(parse_symbol("W[1][0,0]"), 0.75)])
        path = await save(pilot, "TOML")
        assert load_experiment(path).network.layers[0].W[0][0] == 0.75


@pytest.mark.parametrize("experiment", [None, "tutorial-b"])
async def test_no_dialog_is_saved_and_the_list_can_be(experiment: str | None):
    app = app_on(experiment)
    async with app.run_test() as pilot:
        await pilot.pause()
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, SaveDialog))
        await press(pilot, "ctrl+s")
        await press(pilot, "escape")
        await until(pilot, lambda: not isinstance(app.screen, SaveDialog))


@pytest.mark.parametrize(
    ("experiment", "keys", "column", "rows"),
    [
        ("tutorial-a-loss", ("J",), "derivative", 4),
        ("tutorial-b", ("enter",), "contribution", 5),
        ("tutorial-b", ("X",), "formula", None),
        ("tutorial-b", ("M",), "gradient", 19),
        ("micrograd", ("M",), "gradient", 26),
        ("tutorial-b", ("N",), "key", None),
        ("leaky-slope-1", ("D",), "value", None),
        ("tutorial-a-wine", ("g", "O"), "samples", None),
        (None, (), "title", None),
        (None, ("T",), "item", 15),
    ],
)
async def test_every_page_with_numbers_or_names_is_saved_as_csv(
    experiment: str | None, keys: tuple[str, ...], column: str, rows: int | None
):
    app = BptuiApp(open_session(experiment), personal=False) if experiment else app_on()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        first = app.screen
        for key in keys:
            before = app.screen
            await press(pilot, key)
            await until(pilot, lambda before=before: app.screen is not before)
        assert not keys or app.screen is not first
        found = table(await save(pilot, "csv"))
        assert found
        assert column in found[0]
        assert rows is None or len(found) == rows


async def test_what_is_to_be_predicted_is_not_in_the_table():
    app = app_with("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        await press(pilot, "p")
        await until(pilot, lambda: isinstance(app.screen, PredictScreen))
        await press(pilot, "f6")
        found = table(await save(pilot, "csv"))
        assert [bool(row["value"]) for row in found] == [True] + 5 * [False]


async def test_the_budget_and_the_units_chart_have_their_own_numbers():
    app = app_with("relu-50")
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, GradientsScreen))
        app.opened.session.training.one_step()  # type: ignore[union-attr]
        await press(pilot, "b")
        assert {"weight_gain", "activation_gain"} <= table(await save(pilot, "csv"))[0].keys()
        await press(pilot, "u")
        await until(pilot, lambda: isinstance(app.screen, UnitsScreen))
        assert "zero_fraction" in table(await save(pilot, "chart's"))[0]


@pytest.mark.parametrize(
    ("keys", "command"),
    [
        (("enter",), 'bptui explain tutorial-b --wrt "W[1][1,1]"'),
        (("x",), "bptui grads tutorial-b --shapes"),
        (("J",), 'bptui explain tutorial-b --wrt "W[1][1,1]" --jacobian'),
        (("question_mark",), 'bptui open tutorial-b --wrt "W[1][1,1]" --step 1 --screen stepper'),
    ],
)
async def test_a_page_s_command_prints_it(keys: tuple[str, ...], command: str):
    app = app_with("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        before = app.screen
        await press(pilot, *keys)
        await until(pilot, lambda: app.screen is not before)
        await press(pilot, "Y")
        await until(pilot, lambda: app.clipboard)
    assert shlex.split(app.clipboard) == shlex.split(command)


# ── the command line ────────────────────────────────────────────────────────────────────────────────


def opened_by(command: str, monkeypatch: pytest.MonkeyPatch) -> BptuiApp:
    """The app that a copied command opens."""
    opened: list[dict[str, Any]] = []
    monkeypatch.setattr("tui.cli.commands.open.need_terminal", lambda: None)
    monkeypatch.setattr("tui.app.run", lambda name, **rest: opened.append({"name": name, **rest}) or 0)
    result = CliRunner().invoke(cli, shlex.split(command)[1:])
    assert result.exit_code == 0, (command, result.output)
    (asked,) = opened
    return BptuiApp(open_session(asked["name"], asked["view"], asked["trained"]), personal=False)


def is_at_rest(screen: object) -> bool:
    """Whether nothing is still being found out about what is shown."""
    if not isinstance(screen, GradientsScreen):
        return True
    runs = screen.training.snapshot().runs
    found = [run.diagnosis for run in runs]
    return (
        not screen.findings.thinking
        and not any(run.undiagnosed for run in runs)
        and not any(one is not None and one.untried for one in found)
    )


async def copied(pilot: Pilot[None]) -> tuple[str, str]:
    """What is on the screen, and the command that leads there."""
    app = pilot.app
    await until(pilot, lambda: is_at_rest(app.screen))
    app.clear_notifications()
    await until(pilot, lambda: not app._notifications)
    seen = screen_text(app)  # type: ignore[arg-type]
    await press(pilot, "Y")
    await until(pilot, lambda: app.clipboard)
    return seen, app.clipboard


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("tutorial-a-wine", ("3", "semicolon", "right")),
        ("tutorial-b", ("home", "right", "right")),
        ("tutorial-b", ("shift+tab",)),
        ("tutorial-b", ("end",)),
        ("residual-fork", ("right", "right", "right")),
        ("micrograd", ("right",) * 8),
        ("micrograd", ("home", "down")),
        ("relu-50", ("m", "m", "v", "v", "right", "right")),
        ("relu-50", ("A", "m")),
        ("vanishing-sigmoid-50", ("full_stop", "c", "b", "right")),
        ("relu-50", ("full_stop", "full_stop", "s")),
        ("dying-relu", ("full_stop", "full_stop", "down", "right")),
        ("dying-relu", ("full_stop", "full_stop", "full_stop", "a", "left_parenthesis")),
    ],
)
async def test_the_command_that_is_copied_leads_to_exactly_this_view(
    name: str, keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    async with app_with(name).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await press(pilot, *keys)
        seen, command = await copied(pilot)
    app = opened_by(command, monkeypatch)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: screen_text(app) == seen)


@pytest.mark.parametrize(
    ("name", "target"), [("tutorial-b", "dY_hat[0,0]/dW[1][1,1]"), ("micrograd", "dd1/da")]
)
async def test_another_output_s_command_opens_it(name: str, target: str, monkeypatch: pytest.MonkeyPatch):
    app = app_with(name)
    async with app.run_test() as pilot:
        await pilot.pause()
        stepper(app).go_to(target)
        await press(pilot, "right")
        seen, command = await copied(pilot)
    assert "--of" in shlex.split(command)
    again = opened_by(command, monkeypatch)
    async with again.run_test() as pilot:
        await until(pilot, lambda: screen_text(again) == seen)


async def test_a_command_names_the_entry_as_the_experiment_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Also where its letters are those of something else here: a for the pre-activation, z for the activation."""
    letters = '\n[notation]\npreactivation = "a"\nactivation = "z"\n'
    (tmp_path / "own.toml").write_text(text_of("tutorial-b") + letters, "utf-8")
    app = app_with("own.toml")
    async with app.run_test() as pilot:
        await pilot.pause()
        stepper(app).targets.explain(parse_symbol("a[1][1,0]"))
        _, command = await copied(pilot)
    assert "z[1][1,0]" in shlex.split(command)
    again = opened_by(command, monkeypatch)
    async with again.run_test() as pilot:
        await pilot.pause()
        assert stepper(again).derivation.target == parse_symbol("a[1][1,0]")


async def test_a_branch_and_the_shown_digits_are_in_the_command(monkeypatch):
    app = app_with("residual-fork")
    async with app.run_test() as pilot:
        await pilot.pause()
        for _ in range(len(stepper(app).derivation)):
            await press(pilot, "down")
            if stepper(app).traversal.turns(stepper(app).position) > 1:
                await press(pilot, "b", "f")
                break
        path = stepper(app).derivation.path
        _, command = await copied(pilot)
    assert "--follow" in command
    assert "--digits 6" in command
    again = opened_by(command, monkeypatch)
    async with again.run_test() as pilot:
        await pilot.pause()
        assert stepper(again).derivation.path == path
        assert stepper(again).digits == 6


async def test_what_no_command_leads_to_is_said():
    app = app_with("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        assert stepper(app).not_in_command() is None
        await press(pilot, "w")
        assert "learned by hand is not in it" in stepper(app).not_in_command()
    app = app_with("residual-fork")
    async with app.run_test() as pilot:
        await pilot.pause()
        for _ in range(len(stepper(app).derivation)):
            await press(pilot, "down")
            if stepper(app).traversal.turns(stepper(app).position) > 1:
                await press(pilot, "b")
                break
        assert stepper(app).not_in_command() is None  # --follow says it
    app = app_with("relu-50")
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, GradientsScreen))
        assert app.screen.not_in_command() is None
        await press(pilot, "plus")
        assert "What keys have changed is not in it" in app.screen.not_in_command()


def test_names_with_blanks_are_quoted():
    assert shlex.split(command_line(["open", "my lab.toml"])) == ["bptui", "open", "my lab.toml"]


def test_what_is_not_finite_is_left_empty_in_a_table():
    assert csv_text([["a", "b"], [float("nan"), 0.1], [None, 'say "x"']]) == 'a,b\n,0.1\n,"say ""x"""\n'


# ── the palette ─────────────────────────────────────────────────────────────────────────────────────


async def found(pilot: Pilot[None], typed: str) -> None:
    """Types into the palette, and takes the first thing that is found."""
    await press(pilot, "ctrl+p")
    await until(pilot, lambda: pilot.app.screen.query(Input))
    pilot.app.screen.query_one(Input).value = typed
    await until(pilot, lambda: typed.split()[-1] in screen_text(pilot.app).split("\n", 4)[-1])  # type: ignore[arg-type]
    await press(pilot, "enter")


async def test_the_palette_goes_to_an_entry():
    app = app_with("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        await found(pilot, "go to W[2][1,0]")
        await until(pilot, lambda: stepper(app).derivation.target == parse_symbol("W[2][1,0]"))


async def test_the_palette_opens_an_experiment_over_another():
    app = app_with("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        await found(pilot, "open micrograd")
        await until(pilot, lambda: app.opened.session is not None and app.opened.session.name == "micrograd")


async def test_the_palette_opens_a_lesson():
    app = app_on()
    async with app.run_test() as pilot:
        await pilot.pause()
        await found(pilot, "lesson B1")
        await until(pilot, lambda: isinstance(app.screen, LessonScreen))
        assert app.screen.lesson.item == "B1"  # type: ignore[attr-defined]
