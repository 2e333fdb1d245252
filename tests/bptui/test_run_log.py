"""`bptui.RunLog`, for any framework: what a line says, and what becomes of it when there is no room."""

from __future__ import annotations

import errno
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bptui

ROOT = Path(__file__).parents[2]


def test_a_line_is_strict_json_with_nine_digits_and_null_for_what_is_not_finite(tmp_path):
    with bptui.RunLog(tmp_path / "run.jsonl", layers=["w1", "w2"], title="by hand") as log:
        log.step(0, loss=1 / 3, grad_l2=np.array([math.nan, 2.0]), clipped=1.0)
        log.step(5, loss=-math.inf, grad_l2=[1e-300, 123456789.123456789], clipped=0.5)
    header, first, second = map(json.loads, (tmp_path / "run.jsonl").read_text().splitlines())
    assert header["format"] == "bptui run log"
    assert header["schema"] == "1.1"
    assert header["layers"] == ["w1", "w2"]
    assert {"loss", "grad_l2"} <= set(header["fields"])
    assert header["title"] == "by hand"
    assert first == {"step": 0, "loss": 0.333333333, "grad_l2": [None, 2.0], "nulls": 1}
    assert second == {"step": 5, "loss": None, "grad_l2": [1e-300, 123456789.0], "clipped": 0.5, "nulls": 1}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"loss": 1.0}, "needs one of grad_l2"),
        ({"grad_l2": [1.0]}, "grad_l2 has 1 entries, not 2"),
        ({"grad_l2": [1.0, 2.0], "colour": 3}, "colour is no field"),
    ],
)
def test_values_that_do_not_fit_are_refused(tmp_path, values, words):
    with (
        bptui.RunLog(tmp_path / "run.jsonl", layers=["w1", "w2"]) as log,
        pytest.raises(ValueError, match=words),
    ):
        log.step(0, **values)
    assert not (tmp_path / "run.jsonl").exists()


def test_a_field_that_comes_later_is_refused(tmp_path):
    with bptui.RunLog(tmp_path / "run.jsonl", layers=["w1"]) as log:
        log.step(0, grad_l2=[1.0])
        with pytest.raises(ValueError, match="not among the fields of the first step"):
            log.step(1, grad_l2=[1.0], loss=0.5)


@pytest.mark.parametrize("step", [7, 6, 0])
def test_a_step_that_does_not_grow_is_refused_with_both_numbers_and_the_log_goes_on(tmp_path, step):
    with bptui.RunLog(tmp_path / "run.jsonl", layers=["w1"]) as log:
        log.step(7, grad_l2=[1.0])
        with pytest.raises(ValueError, match=f"step {step} comes after step 7: steps count updates"):
            log.step(step, grad_l2=[2.0])
        log.step(8, grad_l2=[3.0])
    _, *lines = map(json.loads, (tmp_path / "run.jsonl").read_text().splitlines())
    assert [line["step"] for line in lines] == [7, 8]


def test_a_full_disk_costs_lines_and_one_warning(tmp_path, monkeypatch, capsys):
    real, room = os.write, 600

    def limited(descriptor: int, block: bytes) -> int:
        nonlocal room
        taken = min(len(block), room)
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        room -= taken
        return real(descriptor, bytes(block[:taken]))

    path = tmp_path / "run.jsonl"
    monkeypatch.setattr(os, "write", limited)
    with bptui.RunLog(path, layers=["w1"]) as log:
        for step in range(40):
            log.step(step, grad_l2=[1.0])
        lost = log.lost
        room = 10_000
        log.step(40, grad_l2=[1.0])
    lines = path.read_bytes().split(b"\n")
    steps = [json.loads(line)["step"] for line in lines[1:-1]]
    assert lines[-1] == b""
    assert steps == [*range(40 - lost), 40]
    (warning,) = capsys.readouterr().err.splitlines()
    assert "No space left on device" in warning


def test_a_place_that_cannot_be_written_to_is_told_once(tmp_path, capsys):
    with bptui.RunLog(tmp_path / "none" / "run.jsonl", layers=["w1"]) as log:
        log.step(0, grad_l2=[1.0])
        log.step(1, grad_l2=[1.0])
        assert log.lost == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


ENDLESS = """
import itertools, sys
import bptui
log = bptui.RunLog(sys.argv[1], layers=["w1"])
for step in itertools.count():
    log.step(step, grad_l2=[1.0])
    if step == 500:
        print("running", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no SIGKILL")
def test_kill_minus_9_leaves_whole_lines(tmp_path):
    path = tmp_path / "run.jsonl"
    command = [sys.executable, "-c", ENDLESS, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    *lines, rest = path.read_bytes().split(b"\n")
    steps = [json.loads(line)["step"] for line in lines[1:]]
    assert rest == b""
    assert len(steps) > 500
    assert steps == list(range(len(steps)))
