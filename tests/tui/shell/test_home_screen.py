"""The list of experiments: what stands beside it where there is room."""

from __future__ import annotations

import os
import re
import sys

import pytest

from tests.tui.driver import LARGE, app_on, press, screen_text, until
from tui.shell.home_screen import LONGEST_FILE, OPEN_FILE, file_told


async def test_on_a_very_wide_screen_the_marked_experiment_s_file_stands_beside_the_list():
    app = app_on()
    async with app.run_test(size=(200, 60)) as pilot:
        await until(pilot, lambda: "What its file says" in screen_text(app))
        assert 'title = "One neuron, one sample"' in screen_text(app)
        await press(pilot, "down")
        await until(pilot, lambda: 'title = "Two predictions, and the loss by hand"' in screen_text(app))
        assert 'kind = "bce"' in screen_text(app)
        await pilot.resize_terminal(*LARGE)
        await until(pilot, lambda: "What its file says" not in screen_text(app))


def test_of_a_preset_an_expression_and_a_file_the_text_is_told(tmp_path):
    assert 'kind = "moons"' in file_told("relu-50")
    assert re.search("^title = ", file_told("micrograd"), re.MULTILINE)
    mine = tmp_path / "mine.toml"
    mine.write_text('title = "mine \x1b]52;c;x\x07"\nseed = 1\n', "utf-8")
    assert file_told(str(mine)).splitlines() == ['title = "mine \\x1b]52;c;x\\x07"', "seed = 1"]


def test_of_what_is_no_short_file_nothing_is_read(tmp_path):
    long = tmp_path / "long.toml"
    long.write_text("#" * (LONGEST_FILE + 1), "utf-8")
    assert file_told(str(long)) == ""
    assert file_told(str(tmp_path)) == ""
    assert file_told(str(tmp_path / "gone.toml")) == ""
    assert file_told(OPEN_FILE) == ""
    assert file_told("\0") == ""


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes of this kind")
def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert file_told(str(tmp_path / "pipe")) == ""
