"""Logs of other programs with numbers, names and nesting that none of those programs writes: read, or one line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from engine.runs.log_format_registry import open_log
from engine.runs.other_logs.tagged_scalars import LARGEST_STEP, natural_key
from engine.runs.run_log_lines import RunLogError

COMMAND = "\x1b]52;c;QQ==\x07\u202e\x9b31m"
DEEP = "[" * 100_000


def steps_of(path: Path) -> list[int]:
    source = open_log(path)
    try:
        return [record.step for news in (source.poll(), source.finish()) for record in news.records]
    finally:
        source.close()


def csv(path: Path) -> Path:
    rows = [f"epoch,{COMMAND},loss,step", "0,1,2,0", "x,nan,1,inf", f"1,1,1,{'9' * 100_000}", "1,1,1,-5"]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def trainer_state(path: Path) -> Path:
    entries = [
        {"loss": 1.0, "step": 1, COMMAND: "x"},
        {"loss": 10**400, "step": 2},
        {"loss": "nan", "step": COMMAND},
        {"loss": 1.0, "step": 10**30},
        [],
        None,
    ]
    path.write_text(json.dumps({"log_history": entries}), "utf-8")
    return path


def database(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_name TEXT, step, metrics TEXT)")
    rows = [
        (0, '{"loss": 1.0}'),
        (10**18, '{"loss": 2.0}'),
        (-5, '{"loss": 2.0}'),
        (1, DEEP),
        (2, '{"loss": 1e999}'),
    ]
    rows += [
        (float("inf"), '{"loss": 1.0}'),
        (COMMAND, '{"loss": 1.0}'),
        (3, json.dumps({COMMAND: 1.0, "loss": 3.0})),
    ]
    connection.executemany(
        "INSERT INTO metrics (run_name, step, metrics) VALUES (?, ?, ?)", [(COMMAND, *row) for row in rows]
    )
    connection.commit()
    connection.close()
    return path


@pytest.mark.parametrize(
    ("make", "name"), [(csv, "metrics.csv"), (trainer_state, "trainer_state.json"), (database, "trackio.db")]
)
def test_numbers_that_no_step_is_and_names_with_commands_are_read_past(make, name, tmp_path):
    steps = steps_of(make(tmp_path / name))
    assert steps
    assert all(0 <= step <= LARGEST_STEP for step in steps)


@pytest.mark.parametrize("text", [DEEP, '{"log_history": ' + DEEP, "{}", '{"log_history": 5}', "\udcff"])
def test_a_trainer_state_of_another_kind_is_one_line(text, tmp_path):
    path = tmp_path / "trainer_state.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RunLogError):
        steps_of(path)


def test_a_number_of_thousands_of_digits_in_a_name_is_a_word():
    names = ["layers.10.weight", f"layers.{'9' * 5000}.weight", "layers.2.weight"]
    assert sorted(names, key=natural_key)[:2] == ["layers.2.weight", "layers.10.weight"]
