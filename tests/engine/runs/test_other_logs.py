"""Logs of other programs: each was written by the library itself (tests/fixtures/write_logs.py)."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from engine.metrics.step_record import StepRecord
from engine.runs.layer_selection import SelectedLayers, matching
from engine.runs.log_format_registry import newest_run, open_log
from engine.runs.log_source import LogSource
from engine.runs.other_logs.tensorboard_events import masked_crc
from engine.runs.run_log_lines import RunLogError

LOGS = Path(__file__).parents[2] / "fixtures" / "logs"
EXPECTED = json.loads((LOGS / "expected.json").read_text("utf-8"))
LAYERS = ("0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias")

WHOLE = [
    ("plain.jsonl", r"^norms/(?P<layer>.+)"),
    ("plain.csv", r"^(?P<layer>\d\..+)"),
    ("tensorboard/scalars", None),
    ("tensorboard/histograms", None),
    ("tensorboard/add_scalars", None),
    ("lightning", None),
]


def everything(log: LogSource) -> list[StepRecord]:
    """All records, polled until there is no more."""
    news = log.poll()
    records = news.records
    while news.more:
        news = log.poll()
        records += news.records
    records += log.finish().records
    log.close()
    return records


@pytest.mark.parametrize(("name", "names"), WHOLE, ids=[name for name, _ in WHOLE])
def test_layers_losses_and_norms_are_those_that_the_library_was_given(name, names):
    log = open_log(LOGS / name, names)
    records = everything(log)
    assert log.header is not None
    assert log.header.layers == LAYERS
    assert [record.step for record in records] == [one["step"] for one in EXPECTED]
    # Text keeps every digit; event files have float32.
    for record, one in zip(records, EXPECTED, strict=True):
        assert record.loss == pytest.approx(one["loss"], rel=1e-6)
        assert record.grad_l2 == pytest.approx([one["norms"][layer] for layer in LAYERS], rel=1e-6)
        assert record.nonfinite == 0
        assert "delta_l2" not in record.fields


def test_a_learning_rate_is_found():
    assert everything(open_log(LOGS / "tensorboard" / "scalars"))[0].learning_rate == pytest.approx(0.05)


def test_lightnings_columns_are_sorted_so_the_order_is_not_the_computations():
    log = open_log(LOGS / "lightning" / "metrics.csv")
    everything(log)
    assert log.header.ordered is False


def test_hugging_face_knows_one_norm_for_all():
    log = open_log(LOGS / "hugging_face")
    records = everything(log)
    assert log.header.layers == ("(all)",)
    assert [record.step for record in records] == [1, 2, 3, 4, 5, 6]
    assert [record.loss for record in records] == pytest.approx([one["loss"] for one in EXPECTED], rel=1e-3)
    total = [sum(norm**2 for norm in one["norms"].values()) ** 0.5 for one in EXPECTED]
    assert [record.grad_l2[0] for record in records] == pytest.approx(total, rel=1e-2)


def test_trackio_gives_its_newest_run_with_nan_told_apart():
    log = open_log(LOGS / "trackio")
    records = everything(log)
    assert log.header.title == "newest"
    assert log.header.layers == LAYERS
    assert [record.loss for record in records[:-1]] == pytest.approx([one["loss"] for one in EXPECTED[:-1]])
    assert np.isnan(records[-1].loss)
    assert [record.nonfinite for record in records] == [0, 0, 0, 0, 0, 1]


# ── following ───────────────────────────────────────────────────────────────────────────────────────


def steps(records: list[StepRecord]) -> list[int]:
    return [record.step for record in records]


def test_a_growing_file_gives_each_step_once_it_is_whole(tmp_path):
    path = tmp_path / "run.jsonl"
    lines = (LOGS / "plain.jsonl").read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1] + lines[2][:20])
    log = open_log(path, r"^norms/(?P<layer>.+)")
    assert steps(log.poll().records) == [0]
    assert steps(log.poll().records) == [1]  # nothing came after it
    with path.open("ab") as file:
        file.write(lines[2][20:] + lines[3])
    assert steps(log.poll().records) == [2]
    assert steps(log.finish().records) == [3]


def test_a_file_that_is_replaced_by_another_run_begins_anew(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text('{"step": 0, "loss": 1.0, "grad/a": 1.0}\n{"step": 1, "loss": 0.5, "grad/a": 1.0}\n')
    log = open_log(path)
    log.poll()
    assert steps(log.poll().records) == [1]
    path.write_text('{"step": 0, "loss": 9.0, "grad/b": 2.0}\n')
    log.poll()
    news = log.poll()
    assert log.header.layers == ("b",)
    assert [record.loss for record in news.records] == [9.0]


def test_a_step_that_comes_again_takes_the_place_of_the_first_and_is_told(tmp_path):
    path = tmp_path / "run.jsonl"
    lines = [{"step": step, "loss": epoch + step, "grad/a": 1.0} for epoch in (0, 10) for step in range(2)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    news = open_log(path).poll()
    assert [(one.line, one.reason) for one in news.damaged] == [
        (3, "step 0 has been there already; its loss takes the place of the earlier one"),
        (4, "step 1 has been there already; its loss takes the place of the earlier one"),
    ]


def test_a_layer_that_appears_later_begins_anew_with_it(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("".join(f'{{"step": {k}, "grad/a": 1.0}}\n' for k in range(3)))
    log = open_log(path)
    assert steps(log.poll().records) == [0, 1]
    with path.open("a") as file:
        file.write('{"step": 3, "grad/a": 1.0, "grad/b": 2.0}\n')
    news = log.poll()
    assert news.restarted
    assert steps(news.records) == [0, 1, 2]
    assert log.header.layers == ("a", "b")


def test_event_files_that_grow_and_follow_each_other_are_followed(tmp_path):
    (source,) = (LOGS / "tensorboard" / "scalars").iterdir()
    data = source.read_bytes()
    first = tmp_path / source.name
    first.write_bytes(data[:1000])
    log = open_log(tmp_path)
    found = steps(log.poll().records)
    first.write_bytes(data)
    found += steps(log.poll().records) + steps(log.finish().records)
    assert found == [0, 1, 2, 3, 4, 5]


def test_a_damaged_length_ends_the_file_and_is_told(tmp_path):
    (source,) = (LOGS / "tensorboard" / "scalars").iterdir()
    data = bytearray(source.read_bytes())
    data[1000:1008] = b"\xff" * 8
    (tmp_path / source.name).write_bytes(data)
    log = open_log(tmp_path)
    news = log.poll()
    (damage,) = news.damaged
    assert "is damaged" in damage.reason or "no event" in damage.reason
    assert 0 < len(news.records + log.finish().records) < 6


def test_the_crc_is_castagnolis():
    assert masked_crc(b"123456789") == (((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def test_a_newer_checkpoint_continues_the_trainer_state(tmp_path):
    state = json.loads((LOGS / "hugging_face" / "checkpoint-6" / "trainer_state.json").read_text())
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({**state, "log_history": state["log_history"][:3]}))
    log = open_log(path)
    assert steps(log.poll().records) == [1, 2, 3]
    assert log.poll().records == []
    path.write_text("{")
    assert log.poll().records == []
    path.write_text(json.dumps(state))
    assert steps(log.poll().records) == [4, 5, 6]


def test_a_run_that_begins_in_the_same_database_takes_its_place(tmp_path):
    path = tmp_path / "project.db"
    shutil.copy(LOGS / "trackio" / "fixture.db", path)
    log = open_log(path)
    log.poll()
    with sqlite3.connect(path) as database:
        database.execute(
            "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES ('x', '', 'third', 0, ?)",
            ('{"train/loss": 4.0, "gradients/only": 1.0}',),
        )
    log.poll()
    news = log.poll()
    assert log.header.title == "third"
    assert [record.loss for record in news.records] == [4.0]


# ── which it is ─────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_finds_its_newest_run(tmp_path):
    for name in ("tensorboard", "lightning", "trackio", "hugging_face"):
        shutil.copytree(LOGS / name, tmp_path / name)
    for age, path in enumerate(sorted(tmp_path.rglob("*"))):
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    newest = tmp_path / "lightning" / "metrics.csv"
    os.utime(newest, (2_000_000, 2_000_000))
    assert newest_run(tmp_path) == newest
    below = tmp_path / "tensorboard" / "add_scalars" / "gradients_0.bias"
    for event in below.iterdir():
        os.utime(event, (3_000_000, 3_000_000))
    assert newest_run(tmp_path) == tmp_path / "tensorboard" / "add_scalars"


def test_an_empty_folder_is_refused_in_one_line(tmp_path):
    with pytest.raises(RunLogError, match="no run log, TensorBoard events"):
        open_log(tmp_path)


@pytest.mark.parametrize(
    ("names", "words"), [("(", "no regular expression"), (r"norms/(.+)", r"no group \(\?P<layer>")]
)
def test_names_that_are_no_expression_or_have_no_group_are_refused(names, words):
    with pytest.raises(RunLogError, match=words):
        open_log(LOGS / "plain.jsonl", names)


def test_a_log_without_any_gradient_or_loss_says_what_it_has(tmp_path):
    path = tmp_path / "run.csv"
    path.write_text("step,speed,heat\n0,1,2\n1,3,4\n")
    log = open_log(path)
    log.poll()
    with pytest.raises(RunLogError, match=r"it has speed, heat.*--names"):
        log.finish()


def test_a_line_that_cannot_be_read_is_told_with_its_number(tmp_path):
    path = tmp_path / "run.csv"
    path.write_text("step,loss,grad/a\n0,1,2\n1,3\n2,4,5\n")
    log = open_log(path)
    news = log.poll()
    assert [(one.line, one.reason) for one in news.damaged] == [(3, "has 2 cells, not 3 as the header")]


def test_json_with_nan_as_python_writes_it_is_read(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text('{"step": 0, "loss": NaN, "grad/a": Infinity}\n{"step": 1, "loss": 1, "grad/a": "NaN"}\n')
    records = everything(open_log(path))
    assert [record.nonfinite for record in records] == [2, 1]


# ── some of the layers ──────────────────────────────────────────────────────────────────────────────


def test_layers_are_chosen_by_an_expression():
    log = SelectedLayers(open_log(LOGS / "tensorboard" / "scalars"), r"weight$")
    records = everything(log)
    assert log.header.layers == ("0.weight", "2.weight", "4.weight")
    assert records[0].grad_l2 == pytest.approx([EXPECTED[0]["norms"][layer] for layer in log.header.layers])


@pytest.mark.parametrize(
    "wanted", [r"weight$", "WEIGHT", r"^[02]\.w", "2.", "0.weight", "weight|(", "[24", ""]
)
def test_what_is_asked_for_on_the_command_line_and_on_the_screen_is_the_same(wanted):
    everywhere = open_log(LOGS / "tensorboard" / "scalars")
    everywhere.poll()
    names = everywhere.header.layers
    log = SelectedLayers(open_log(LOGS / "tensorboard" / "scalars"), wanted)
    places = matching(names, wanted)
    if places:
        everything(log)
        assert log.header.layers == tuple(names[place] for place in places)
    else:
        with pytest.raises(RunLogError, match="fits none"):
            log.poll()


@pytest.mark.parametrize(
    ("layers", "words"), [("(", "no regular expression"), ("attention", "fits none of the layers")]
)
def test_an_expression_that_fits_nothing_is_refused(layers, words):
    with pytest.raises(RunLogError, match=words):
        SelectedLayers(open_log(LOGS / "tensorboard" / "scalars"), layers).poll()


def test_frozen_layers_are_not_seen(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text(
        '{"format":"bptui run log","schema":"1.1","layers":["emb","w"],"fields":["grad_l2"],"frozen":["emb"]}\n'
        '{"step":0,"grad_l2":[null,2]}\n'
    )
    log = SelectedLayers(open_log(path))
    (record,) = everything(log)
    assert log.header.layers == ("w",)
    assert list(record.grad_l2) == [2.0]
    assert record.nonfinite == 0
