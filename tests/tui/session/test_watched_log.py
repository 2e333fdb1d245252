"""A run log as something to watch: growing, replaced, damaged, late, or another program's."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from engine.runs import followed_run
from engine.runs.run_log import RunLogError
from tests.engine.step_records import record
from tests.tui.cli.test_commands import complaint, run, start
from tests.tui.driver import LARGE, SMALL, press, screen_text
from tests.tui.trainings import SMALL_NET, reached, wait_for, writer, written
from tui.app import BptuiApp
from tui.session.training_snapshot import RunSnapshot, State
from tui.session.watched_log import WatchedLog
from tui.shell.home_screen import HomeScreen
from tui.training.gradients_screen import GradientsScreen


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def now(watched: WatchedLog) -> RunSnapshot:
    """The run as it is after a look at the file."""
    return watched.snapshot().first


def losses(watched: WatchedLog) -> list[float]:
    watched.pulse()
    history = watched.run.history
    return [history.record(index).loss for index in range(len(history))]


def records(count: int, first: int = 0):
    return [record(step, loss=1.0 / (step + 1)) for step in range(first, first + count)]


# ── the file ────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_grows_is_followed_record_by_record(path):
    with writer(
        path, title="Somebody's run", activations=("relu", "relu", "sigmoid"), units=(6, 6, 1)
    ) as log:
        watched = WatchedLog(path)
        assert now(watched).record is None
        assert watched.state is State.PAUSED
        for step in range(5):
            written(log, *records(1, step))
            shown = now(watched)
            assert shown.steps_done == step + 1
            assert shown.record.loss == 1.0 / (step + 1)
            assert watched.state is State.RUNNING
        assert shown.title == "Somebody's run"
        assert shown.layers == ("W[1]", "W[2]", "W[3]")
        assert tuple(layer.units for layer in shown.described) == (6, 6, 1)
        assert shown.limit is None
        assert shown.learning_rate == 0.1
        assert shown.activity is None
    watched.close()
    watched.close()


def test_a_file_that_stands_still_is_said_to_be_paused(path, monkeypatch):
    with writer(path) as log:
        written(log, *records(3))
    watched = WatchedLog(path)
    assert watched.state is State.RUNNING
    monkeypatch.setattr(followed_run, "QUIET_SECONDS", 0.0)
    assert watched.state is State.PAUSED


def test_neither_the_file_nor_its_header_need_be_there_yet(path):
    watched = WatchedLog(path)
    shown = now(watched)
    assert "Waiting for the first line" in shown.about
    assert (shown.layers, shown.record, shown.steps_done) == ((), None, 0)
    with writer(path) as log:
        assert now(watched).layers == ("W[1]", "W[2]", "W[3]")
        written(log, *records(2))
        assert now(watched).steps_done == 2


def test_another_run_in_the_same_place_begins_anew_with_its_own_layers(path):
    with writer(path, layers=3, title="first") as log:
        written(log, *records(4))
    watched = WatchedLog(path)
    assert len(losses(watched)) == 4
    path.unlink()
    with writer(path, layers=2, title="second") as log:
        written(log, record(0, layers=2, loss=9.0))
        shown = now(watched)
        assert shown.layers == ("W[1]", "W[2]")
        assert shown.title == "second"
        assert losses(watched) == [9.0]


def test_damaged_lines_are_counted_and_the_rest_is_shown(path):
    with writer(path) as log:
        written(log, *records(2))
    with path.open("ab") as file:
        file.write(b'{"step": 2, "loss"\n\x00\xff\xfe\n')
    with path.open("ab") as file, writer(path.with_name("other.jsonl")) as log:
        written(log, *records(2, 2))
        file.write(b"".join(path.with_name("other.jsonl").read_bytes().splitlines(keepends=True)[1:]))
    watched = WatchedLog(path)
    assert now(watched).steps_done == 4
    assert watched.run.damaged == 2


def test_fields_of_another_program_are_ignored_and_missing_numbers_are_nan(path):
    with writer(path) as log:
        written(log, *records(1))
    line = json.loads(path.read_bytes().splitlines()[1])
    line |= {"step": 1, "loss": None, "their_own": {"momentum": [1, 2]}, "grad_l2": [None, 1e-3, 0.0]}
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
    watched = WatchedLog(path)
    last = now(watched).record
    assert np.isnan(last.loss)
    assert np.isnan(last.grad_l2[0])
    assert last.grad_l2[2] == 0.0


def test_steps_that_go_back_are_not_shown_twice(path):
    with writer(path) as log:
        written(log, *records(3), *records(2), *records(1, 3))
    assert len(losses(WatchedLog(path))) == 4


@pytest.mark.parametrize(
    "text", ["{}\n", "hello\n", '{"format": "bptui run log", "schema": "99.0", "layers": []}\n']
)
def test_a_file_that_is_no_run_log_is_refused_at_once(path, text):
    path.write_text(text)
    with pytest.raises(RunLogError, match=r"run\.jsonl: "):
        WatchedLog(path)


def test_a_file_replaced_by_no_run_log_stops_with_the_reason_and_keeps_what_was_seen(path):
    with writer(path) as log:
        written(log, *records(3))
    watched = WatchedLog(path)
    assert now(watched).steps_done == 3
    path.unlink()
    path.write_text("hello\n")
    for _ in range(3):
        shown = now(watched)
    assert watched.state is State.BROKEN
    assert "not a run log" in shown.problem
    assert "not a run log" in shown.title


def test_a_run_that_broke_says_so(path):
    with writer(path) as log:
        written(log, record(0, problem="step 0: the loss became infinite", nonfinite=1))
    watched = WatchedLog(path)
    assert now(watched).problem == "step 0: the loss became infinite"
    assert watched.state is State.BROKEN


# ── the screens ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_the_screens_show_it_and_politely_refuse_to_control_it(path, size):
    with writer(path, title="Somebody's run") as log:
        app = BptuiApp(watched=WatchedLog(path))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            assert isinstance(app.screen, GradientsScreen)
            await press(pilot, "right", "left", "end", "home", "v", "b", "b", "m")
            written(log, *records(3))
            await reached(pilot, lambda: "step 3" in screen_text(app))
            assert "Somebody's run" in screen_text(app)
            for key in (
                "space",
                "full_stop",
                "plus",
                "less_than_sign",
                "r",
                "R",
                "C",
                "enter",
                "left_square_bracket",
            ):
                app.clear_notifications()
                await press(pilot, key)
                await reached(pilot, lambda: len(app._notifications) == 1)
                (note,) = app._notifications
                assert note.message.startswith("Another program trains this")
            await press(pilot, "u")
            assert "A run log has no single units." in screen_text(app)
            await press(pilot, "n", "L", "i", "down", "right_curly_bracket", "g")
            written(log, *records(1, 3))
            await reached(pilot, lambda: "step 4" in screen_text(app))
            await press(pilot, "escape")
            assert isinstance(app.screen, HomeScreen)
    assert app.crash is None


async def test_the_screens_survive_the_file_becoming_something_else(path):
    with writer(path) as log:
        written(log, *records(3))
    app = BptuiApp(watched=WatchedLog(path))
    async with app.run_test(size=LARGE) as pilot:
        await reached(pilot, lambda: "step 3" in screen_text(app))
        path.unlink()
        path.write_text("hello\n")
        await reached(pilot, lambda: "not a run log" in screen_text(app))
        await press(pilot, "v", "v", "u", "g")
    assert app.crash is None


async def test_a_training_of_bptui_in_another_process_is_watched_while_it_runs(tmp_path, path):
    (tmp_path / "lab.toml").write_text(SMALL_NET, "utf-8")
    process = start(
        *("train", str(tmp_path / "lab.toml"), "--steps", "100000000", "--log", str(path)),
        PYTHONDONTWRITEBYTECODE="1",
    )
    try:
        wait_for(path.exists)
        app = BptuiApp(watched=WatchedLog(path))
        async with app.run_test(size=SMALL) as pilot:
            seen = []
            for _ in range(3):
                done = seen[-1] if seen else 0
                await reached(pilot, lambda done=done: app.opened.watched.run.steps_done > done)
                seen.append(app.opened.watched.run.steps_done)
            await reached(pilot, lambda: "running" in screen_text(app))
            assert "A small network" in screen_text(app)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 130
    watched = WatchedLog(path)
    steps = path.read_bytes().count(b"\n") - 1
    wait_for(lambda: now(watched).steps_done == steps)
    assert now(watched).record.step == steps - 1


def test_the_command_needs_a_terminal_and_a_log(path):
    assert "the app needs a terminal" in complaint(run("watch", str(path)))
    assert "Missing argument 'LOG'" in complaint(run("watch"))


def test_a_file_that_is_no_run_log_is_one_line_and_status_2(path, monkeypatch):
    monkeypatch.setattr("tui.cli.commands.watch.need_terminal", lambda: None)
    path.write_text("hello\n")
    assert "not a run log: line 1 is no header" in complaint(run("watch", str(path)))
