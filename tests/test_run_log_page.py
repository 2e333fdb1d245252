"""docs/run-log.md: its example is read, and it names every field and every key of the header there is."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from engine.metrics.step_record import MEASURES
from engine.runs.run_log import RunLogHeader, read_run_log

PAGE = (Path(__file__).parents[1] / "docs" / "run-log.md").read_text("utf-8")


def test_the_example_is_a_run_log_without_damage(tmp_path):
    lines = re.findall(r"^    (\{.*\})$", PAGE, re.MULTILINE)
    path = tmp_path / "run.jsonl"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    read = read_run_log(path)
    assert read.damaged == []
    assert [record.step for record in read.records] == [0, 10, 20]
    assert [record.nonfinite for record in read.records] == [0, 0, 2]


def test_a_step_that_does_not_grow_is_skipped_and_told_with_both_steps(tmp_path):
    header, line, *_ = re.findall(r"^    (\{.*\})$", PAGE, re.MULTILINE)
    path = tmp_path / "run.jsonl"
    again = [line.replace('"step":0', f'"step":{step}') for step in (7, 7, 3, 8)]
    path.write_text("\n".join([header, *again]) + "\n", "utf-8")
    read = read_run_log(path)
    assert [record.step for record in read.records] == [7, 8]
    assert [(one.line, one.reason) for one in read.damaged] == [
        (3, "step 7 comes after step 7, and steps grow from line to line"),
        (4, "step 3 comes after step 7, and steps grow from line to line"),
    ]


def test_every_field_and_every_key_of_the_header_is_documented():
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert set(MEASURES) <= named
    assert {field.name for field in dataclasses.fields(RunLogHeader)} <= named
