"""A log while it is being looked at: long ones from samples first, and whether anybody still writes it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from engine.runs import followed_run
from engine.runs.followed_run import FollowedRun
from engine.runs.run_log import RunLogHeader, RunLogWriter
from engine.runs.run_log_lines import RunLogError
from tests.engine.step_records import record

FIELDS = ("loss", "grad_l2", "nonfinite")


def write(path: Path, count: int, first: int = 0) -> None:
    with RunLogWriter(path, RunLogHeader(("w1", "w2", "w3"), fields=FIELDS)) as log:
        for step in range(first, first + count):
            log.append(record(step, loss=1.0 / (step + 1)))


def wait_until_read(run: FollowedRun) -> None:
    deadline = time.monotonic() + 60
    while run.reading and time.monotonic() < deadline:
        run.poll()
        time.sleep(0.01)
    assert not run.reading


def test_a_long_log_is_sampled_first_and_every_line_follows(tmp_path, monkeypatch):
    monkeypatch.setattr(followed_run, "SAMPLED_BYTES", 1000)
    path = tmp_path / "run.jsonl"
    write(path, 5000)
    run = FollowedRun(path)
    assert run.reading
    assert 100 < len(run.history) <= followed_run.SAMPLES + 1
    assert run.history.first.step == 0
    assert run.record.step == 4999
    assert (np.diff(run.history.column("loss").step) > 0).all()
    wait_until_read(run)
    assert run.history.steps_seen == 5000
    with path.open("ab") as file:
        file.write(b'{"step":5000,"loss":0.1,"grad_l2":[1,2,3]}\n')
    run.poll()
    assert run.record.step == 5000
    run.close()


def test_layers_are_chosen_also_in_samples(tmp_path, monkeypatch):
    monkeypatch.setattr(followed_run, "SAMPLED_BYTES", 1000)
    path = tmp_path / "run.jsonl"
    write(path, 500)
    run = FollowedRun(path, layers="w[13]")
    assert run.header.layers == ("w1", "w3")
    assert run.record.grad_l2.shape == (2,)
    wait_until_read(run)
    assert run.record.grad_l2.shape == (2,)


def test_unreadable_lines_are_counted_and_kept_for_the_list(tmp_path):
    path = tmp_path / "run.jsonl"
    write(path, 3)
    with path.open("ab") as file:
        file.write(b'{"step":3}\n{"step":4,"grad_l2":[1]}\n')
    run = FollowedRun(path)
    run.poll()
    assert run.damaged_count == 2
    assert [damage.line for damage in run.damaged] == [5, 6]
    assert run.damaged[1].reason == "grad_l2 has 1 entries, not 3"


def test_who_writes_it_is_told_by_how_long_it_has_been_silent(tmp_path, monkeypatch):
    path = tmp_path / "run.jsonl"
    run = FollowedRun(path)
    run.poll()
    assert run.writer == "waiting"
    write(path, 3)
    run.poll()
    assert run.writer == "running"
    for seconds, words in ((40, "silent for 40 s"), (200, "silent for 3 min"), (1000, "ended")):
        moment = time.time() - seconds
        os.utime(path, (moment, moment))
        late = FollowedRun(path)
        late.poll()
        assert late.writer == words


def test_another_run_in_its_place_begins_anew(tmp_path):
    path = tmp_path / "run.jsonl"
    write(path, 5)
    run = FollowedRun(path)
    run.poll()
    path.unlink()
    write(path, 2, first=0)
    run.poll()
    run.poll()
    assert run.restarts == 1
    assert run.history.steps_seen == 2


def test_what_is_no_log_is_refused(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("hello\n")
    with pytest.raises(RunLogError, match="not a run log"):
        FollowedRun(path).poll()
