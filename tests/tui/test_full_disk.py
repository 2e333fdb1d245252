"""On a full disk nothing is left behind, what was there stays as it was, and one line says what happened.

The disk is full when the file is flushed to it, as on network disks and with quotas; or already when it is made.
"""

import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from textual.widgets import Input, OptionList

from tests.tui.driver import SMALL, app_on, eventually
from tui.cli.main import cli
from tui.shell.atomic_file import create_file, replace_file
from tui.shell.prompt import Prompt
from tui.stepper.export_dialog import ExportDialog
from tui.stepper.stepper_screen import StepperScreen

NO_ROOM = "No space left on device"


def refuse(*_: object, **__: object) -> int:
    raise OSError(errno.ENOSPC, NO_ROOM)


@pytest.fixture(params=["fsync", "open"])
def disk(request, monkeypatch, tmp_path):
    """A folder on a disk that is full once `fill()` was called, until `empty()` is."""
    place = tmp_path / "disk"
    place.mkdir()
    monkeypatch.chdir(place)
    patched = pytest.MonkeyPatch()

    class Disk:
        folder = place

        def fill(self) -> None:
            patched.setattr(f"tui.shell.atomic_file.os.{request.param}", refuse)

        def empty(self) -> None:
            patched.undo()

    yield Disk()
    patched.undo()


@pytest.mark.parametrize("write", [create_file, replace_file])
def test_no_file_is_left_behind(disk, write):
    disk.fill()
    with pytest.raises(OSError, match=NO_ROOM):
        write(disk.folder / "derivation.txt", "words")
    disk.empty()
    assert os.listdir(disk.folder) == []


def test_what_is_to_be_replaced_stays(disk):
    kept = disk.folder / "recent.json"
    kept.write_text("precious", "utf-8")
    disk.fill()
    with pytest.raises(OSError, match=NO_ROOM):
        replace_file(kept, "words")
    disk.empty()
    assert os.listdir(disk.folder) == ["recent.json"]
    assert kept.read_text("utf-8") == "precious"


async def test_the_export_dialog_says_so_and_saves_once_there_is_room(disk):
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await eventually(lambda: isinstance(app.screen, StepperScreen) and app.screen.query("#title"))
        await pilot.press("y")
        await eventually(lambda: isinstance(app.screen, ExportDialog) and app.screen.query(OptionList))
        options = app.screen.query_one(OptionList)
        options.highlighted = next(
            place
            for place in range(options.option_count)
            if str(options.get_option_at_index(place).prompt).startswith("Save as Markdown")
        )
        await pilot.press("enter")
        await eventually(lambda: isinstance(app.screen, Prompt) and app.screen.query(Input))
        name = app.screen.query_one(Input).value
        disk.fill()
        await pilot.press("enter")
        await eventually(lambda: NO_ROOM in str(app.screen.query_one("#problem").render()))
        disk.empty()
        assert os.listdir(disk.folder) == []
        await pilot.press("enter")
        await eventually(lambda: isinstance(app.screen, StepperScreen))
        assert "W" in Path(name).read_text("utf-8")
        assert os.listdir(disk.folder) == [name]


def test_a_new_experiment_is_refused_in_one_line(disk):
    disk.fill()
    done = CliRunner().invoke(cli, ["new", "mine.toml"])
    disk.empty()
    assert done.exit_code != 0
    assert NO_ROOM in done.output
    assert "Traceback" not in done.output
    assert os.listdir(disk.folder) == []
