"""Records as rows of numbers: the same numbers whether the records were read before or not, one by one or together."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from engine.experiment.loading import load_experiment
from engine.metrics.classification_score import Score
from engine.metrics.pass_table import PassTable, PassTableReader, UnreadPass
from engine.metrics.step_record import StepRecord
from engine.runs.history import TOGETHER, History
from engine.runs.record_rows import RecordColumns, numeric_fields
from engine.training.trainer import Trainer

PRESETS = (
    "xor",
    "exploding-50",
    "dying-relu",
    "vanishing-50-residual",
    "vanishing-50-batch-norm",
    "exploding-50-clip",
)
STEPS = TOGETHER + 7


def records(name: str, *, read: bool, batch: int | None = None) -> list[StepRecord]:
    experiment = load_experiment(name)
    if batch is not None:
        experiment = msgspec.structs.replace(
            experiment, train=msgspec.structs.replace(experiment.train, batch=batch)
        )
    trainer = Trainer(experiment)
    made: list[StepRecord] = []
    while len(made) < STEPS and trainer.problem is None:
        record = trainer.step()
        assert record is not None
        if read:
            assert record.grad_l2 is not None  # reading one field makes all of them
        made.append(record)
    return made


@pytest.mark.parametrize("name", PRESETS)
def test_rows_of_unread_records_hold_what_reading_them_gives(name):
    read, unread = records(name, read=True), records(name, read=False)
    columns = RecordColumns(read[0])
    rows = columns.rows_of(unread)
    assert rows.shape == (len(read), columns.count)
    # They were not read one by one; that of a step which broke is, to leave out what it cannot know.
    assert all(record.rest is not None for record in unread if record.problem is None)
    for record, row in zip(read, rows, strict=True):
        for field in set(columns.places) - {"seconds"}:
            value = getattr(record, field)
            expected = np.atleast_1d(np.nan if value is None else np.asarray(value, np.float64))
            np.testing.assert_array_equal(row[columns.places[field]], expected, field)


def test_records_of_different_batches_and_read_ones_may_be_mixed():
    name = "dying-relu"
    read, unread = (records(name, read=read, batch=64) for read in (True, False))
    mixed = [one if place % 3 else other for place, (one, other) in enumerate(zip(read, unread, strict=True))]
    columns = RecordColumns(read[0])
    seconds = columns.places["seconds"]
    rows, expected = columns.rows_of(mixed), columns.rows_of(read)
    np.testing.assert_array_equal(np.delete(rows, seconds, axis=1), np.delete(expected, seconds, axis=1))


def test_a_row_becomes_the_record_again():
    record = records("xor", read=True)[-1]
    columns = RecordColumns(record)
    (row,) = columns.rows_of([record])
    again = columns.record_of(row, record.problem)
    for field in (*numeric_fields(), "problem"):
        np.testing.assert_array_equal(getattr(again, field), getattr(record, field), field)
        assert type(getattr(again, field)) is type(getattr(record, field))


@pytest.mark.parametrize("steps", [1, TOGETHER - 1, TOGETHER, TOGETHER + 1])
def test_a_history_that_is_looked_at_now_and_then_is_the_one_that_is_looked_at_always(steps):
    made = records("xor", read=True)[:steps]
    always, seldom = History(16), History(16)
    for record in made:
        always.append(record)
        assert len(always) > 0  # a look: what waits is taken in
        seldom.append(record)
    for field in numeric_fields():
        one, other = always.column(field), seldom.column(field)
        for part in ("step", "value", "low", "high"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))
    assert always.stride == seldom.stride


def test_a_step_that_broke_is_read_without_a_warning():
    """Warnings are errors in these tests; in the app they would be written over the screen."""
    table = PassTable(3)
    table.rows.grad_l2[:] = (np.inf, np.nan, 1e200)
    table.rows.weight_l2[:] = (0.0, 1.0, 1e-200)
    table.rows.delta_l2[:] = (np.inf, 0.0, np.inf)
    table.rows.product_l2[:] = (0.0, np.inf, 1.0)
    reader = PassTableReader(3, True, True, lambda several: [Score(None, ())] * len(several))
    unread = UnreadPass(reader, table.copied(), 0.0, [[0, 0, 0]], ())
    one, both = reader.fields_of(unread), reader.columns_of([unread, unread])
    assert np.isnan(one["update_ratio"][0])
    for name in ("update_ratio", "weight_gain", "activation_gain"):
        np.testing.assert_array_equal(both[name], [one[name]] * 2)
