"""What Tab completes in a dialogue that asks for an experiment."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from tests.tui.driver import LARGE, press, until
from tui.app import BptuiApp
from tui.shell.file_suggester import FileSuggester, file_like
from tui.shell.prompt import Prompt


def laid_out(folder: Path) -> Path:
    (folder / "lab").mkdir()
    (folder / "lab" / "xor-mine.toml").touch()
    (folder / "lab" / "xor-notes.md").touch()
    (folder / ".hidden.toml").touch()
    (folder / "later.toml").touch()
    return folder


def test_files_of_experiments_and_folders_are_completed(tmp_path, monkeypatch):
    monkeypatch.chdir(laid_out(tmp_path))
    assert file_like("la") == "later.toml"  # a file before a folder
    assert file_like("lab") == "lab/"
    assert file_like("lab/x") == "lab/xor-mine.toml"
    assert file_like(f"{tmp_path}/lab/") == f"{tmp_path}/lab/xor-mine.toml"
    assert file_like(".h") == ".hidden.toml"
    assert file_like("nothing") is None
    assert file_like("no/folder/x") is None
    assert file_like("zero\0byte/x") is None


async def test_names_of_presets_come_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "xor-mine.toml").touch()
    suggester = FileSuggester(["xor"])
    assert await suggester.get_suggestion("x") == "xor"
    assert await suggester.get_suggestion("xor-") == "xor-mine.toml"
    assert await suggester.get_suggestion("") is None


async def test_tab_completes_in_the_dialogue_that_opens_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(laid_out(tmp_path))
    app = BptuiApp(None, personal=False)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        await press(pilot, "o")
        await until(pilot, lambda: isinstance(app.screen, Prompt))
        await press(pilot, "l", "a", "b", "slash")
        box = app.screen.query_one(Input)
        await until(pilot, lambda: box._suggestion == "lab/xor-mine.toml")
        await press(pilot, "tab")
        assert box.value == "lab/xor-mine.toml"
