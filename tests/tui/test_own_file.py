"""An experiment's own file: edited in an editor, read again when it changes, and never lost to a mistake in it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from engine.experiment.presets import preset_text
from engine.formula.parser import parse_symbol
from tests.tui.driver import press, screen_text, stepper, until
from tui.app import BptuiApp
from tui.session.opening import open_session
from tui.shell import external_editor
from tui.shell.prompt import Prompt
from tui.shell.save_prompt import free_name, save_problem


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of one's own, in the working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.toml"
    path.write_text(preset_text("tutorial-b"), encoding="utf-8")
    return path


def app_with(name: str, monkeypatch: pytest.MonkeyPatch) -> BptuiApp:
    """The app without a terminal that it could lend to an editor."""
    app = BptuiApp(open_session(name), personal=False)

    @contextmanager
    def suspend():  # type: ignore[no-untyped-def]
        yield

    monkeypatch.setattr(app, "suspend", suspend)
    return app


def written_by_editor(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def rate(app: BptuiApp) -> float:
    return app.opened.session.learning_rate  # type: ignore[union-attr]


def notes(app: BptuiApp) -> str:
    return " ".join(note.message for note in app._notifications)


async def at(pilot: Pilot[None], *keys: str) -> None:
    await pilot.pause()
    for key in keys:
        await press(pilot, key)


async def test_the_editor_s_text_is_loaded_at_the_same_place(mine: Path, monkeypatch: pytest.MonkeyPatch):
    app = app_with(str(mine), monkeypatch)
    monkeypatch.setattr(
        "tui.shell.external_editor.run_editor",
        lambda path: written_by_editor(path, "learning_rate = 0.1", "learning_rate = 0.25"),
    )
    async with app.run_test() as pilot:
        await at(pilot, "right", "right")
        before = stepper(app).position
        await press(pilot, "E")
        await until(pilot, lambda: rate(app) == 0.25)
        await until(pilot, lambda: stepper(app).is_current)
        assert stepper(app).position == before


async def test_a_mistake_is_one_line_and_the_old_network_and_the_text_stay(
    mine: Path, monkeypatch: pytest.MonkeyPatch
):
    app = app_with(str(mine), monkeypatch)
    monkeypatch.setattr(
        "tui.shell.external_editor.run_editor", lambda path: written_by_editor(path, "units = 2", "unitz = 2")
    )
    async with app.run_test() as pilot:
        await at(pilot)
        session = app.opened.session
        await press(pilot, "E")
        await until(pilot, lambda: "unitz: unknown key" in notes(app))
        assert app.opened.session is session
        assert stepper(app).is_current
        assert "unitz" in mine.read_text(encoding="utf-8")


async def test_a_preset_s_text_becomes_a_file_first(mine: Path, monkeypatch: pytest.MonkeyPatch):
    app = app_with("xor", monkeypatch)
    seen: list[str] = []
    monkeypatch.setattr(
        "tui.shell.external_editor.run_editor", lambda path: seen.append(path.read_text("utf-8"))
    )
    async with app.run_test() as pilot:
        await at(pilot, "E")
        await until(pilot, lambda: isinstance(app.screen, Prompt) and app.screen.query(Input))
        assert app.screen.query_one(Input).value == "xor.toml"
        await press(pilot, "enter")
        await until(pilot, lambda: seen)
        await until(pilot, lambda: app.opened.session is not None and app.opened.session.name == "xor.toml")
    assert seen == [preset_text("xor")]
    assert (mine.parent / "xor.toml").read_text("utf-8") == seen[0]


async def test_a_file_that_changes_is_offered_and_read_only_when_asked(
    mine: Path, monkeypatch: pytest.MonkeyPatch
):
    app = app_with(str(mine), monkeypatch)
    async with app.run_test(size=(120, 40)) as pilot:
        await at(pilot)
        session = app.opened.session
        written_by_editor(mine, "-0.4", "-0.75")
        app._files.look()
        await until(pilot, lambda: "changed on disk" in screen_text(app).split("\n")[0])
        assert app.opened.session is session
        await press(pilot, "ctrl+l")
        await until(pilot, lambda: app.opened.session is not session and app.opened.session is not None)
        assert app.opened.session.graph.value_of(parse_symbol("W[1][0,1]")) == -0.75
        await until(pilot, lambda: "changed on disk" not in screen_text(app).split("\n")[0])


async def test_edits_are_not_thrown_away_by_one_key(mine: Path, monkeypatch: pytest.MonkeyPatch):
    app = app_with(str(mine), monkeypatch)
    async with app.run_test() as pilot:
        await at(pilot)
        app.opened.session.edit([(parse_symbol("W[1][0,0]"), 9.0)])
        session = app.opened.session
        await press(pilot, "ctrl+l")
        await until(pilot, lambda: "once more" in notes(app))
        assert app.opened.session is session
        await press(pilot, "ctrl+l")
        await until(pilot, lambda: app.opened.session is not session)


@pytest.mark.parametrize(
    ("visual", "plain", "command"),
    [("code -w", "nano", ["code", "-w"]), ("", "nano", ["nano"]), ("", "", [external_editor.USUAL])],
)
def test_the_editor_is_visual_then_editor_then_the_usual_one(
    visual: str, plain: str, command: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VISUAL", visual)
    monkeypatch.setenv("EDITOR", plain)
    assert external_editor.editor_command() == command


def test_an_editor_that_is_not_there_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VISUAL", str(tmp_path / "no-such-editor"))
    problem = external_editor.run_editor(tmp_path / "x.toml")
    assert problem is not None
    assert "cannot be started" in problem
    assert "\n" not in problem


def test_a_name_that_is_free_is_offered_and_nothing_is_overwritten(mine: Path):
    assert free_name("mine", ".toml") == "mine-2.toml"
    assert save_problem("mine.toml", "x") == "mine.toml exists already; choose another name"
    assert save_problem(str(mine.parent / "nowhere" / "x"), "x") is not None
    assert mine.read_text("utf-8") == preset_text("tutorial-b")
