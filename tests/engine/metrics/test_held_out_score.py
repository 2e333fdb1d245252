"""Held-out samples: their loss and accuracy against plain NumPy, in records, logs and checkpoints."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.diagnosis.whole_data import measure_all
from engine.experiment.datasets import load_data
from engine.experiment.loading import parse_experiment
from engine.experiment.spec import Experiment
from engine.formula.expression import Symbol
from engine.metrics.held_out_score import HeldOut
from engine.metrics.step_record import NEVER
from engine.model.network import Network
from engine.runs.run_log import RunLogHeader, RunLogWriter, read_run_log
from engine.runs.run_log_lines import FIELDS_1_0, OF_HELD_OUT
from engine.training.trainer import Trainer

EXPERIMENT = """
[data]
kind = "moons"
n = 50
test_share = 0.2
[network]
bias = true
layers = [{units = 4, activation = "tanh"}, {units = 1, activation = "sigmoid"}]
[loss]
kind = "bce"
l2 = 0.5
[train]
batch = 7
"""


def experiment(**changes: str) -> Experiment:
    text = EXPERIMENT
    for old, new in changes.items():
        text = text.replace(old, new)
    return parse_experiment(text, "test")


def test_loss_and_accuracy_are_those_of_the_formulas_without_the_penalty():
    one = experiment()
    data = load_data(one)
    assert data.held_out is not None
    network = Network.initialised(one, len(data.X))
    score = HeldOut(network, data.held_out).measure()
    prediction, labels = network.predict(data.held_out.X), data.held_out.Y
    fit = -np.mean(labels * np.log(prediction) + (1 - labels) * np.log(1 - prediction))
    assert score.loss == pytest.approx(fit, rel=1e-12)
    assert score.accuracy == np.mean((prediction > 0.5) == (labels > 0.5))


@pytest.mark.parametrize(
    ("kind", "output", "outputs"),
    [("squared_error", "linear", 1), ("cross_entropy", "softmax", 2), ("cross_entropy", "softmax", 3),
     ("bce", "sigmoid", 3)],
)  # fmt: skip
def test_the_accuracy_is_that_of_training_whatever_the_loss(kind: str, output: str, outputs: int):
    text = (
        f'[data]\nkind = "random"\nn = 40\nfeatures = 3\noutputs = {outputs}\ntest_share = 0.5\n'
        f'[[network.layers]]\nunits = {outputs}\nactivation = "{output}"\n[loss]\nkind = "{kind}"\n'
    )
    one = parse_experiment(text, "test")
    data = load_data(one)
    assert data.held_out is not None
    network = Network.initialised(one, len(data.X))
    turned = dataclasses.replace(data, X=data.held_out.X, Y=data.held_out.Y, held_out=None)
    learned = measure_all(network, turned).record
    score = HeldOut(network, data.held_out).measure()
    assert score.accuracy == learned.accuracy
    assert score.loss == pytest.approx(learned.loss, rel=1e-12)


def test_a_batch_norm_takes_the_held_out_samples_own_statistics():
    one = experiment(**{'activation = "tanh"}': 'activation = "tanh", norm = "batch"}'})
    data = load_data(one)
    assert data.held_out is not None
    network = Network.initialised(one, len(data.X))
    f = network.parameters  # W[1] by its name
    names = {name.plain(): value for name, value in f.items()}
    sums = names["W[1]"].T @ data.held_out.X + names["b[1]"]
    normed = (sums - sums.mean(axis=1, keepdims=True)) / np.sqrt(sums.var(axis=1, keepdims=True) + 1e-5)
    logits = names["W[2]"].T @ np.tanh(normed) + names["b[2]"]
    labels = data.held_out.Y
    fit = np.mean(np.logaddexp(0, logits) - labels * logits)
    assert HeldOut(network, data.held_out).measure().loss == pytest.approx(fit, rel=1e-9)


def test_records_hold_the_last_measurement_and_when_it_was_made():
    trainer = Trainer(experiment())
    records = [trainer.step() for _ in range(2 * trainer.held_out_period + 1)]
    steps = [record.test_step for record in records if record is not None]
    assert steps[0] == 0
    assert sorted(set(steps)) == [0, trainer.held_out_period, 2 * trainer.held_out_period]
    measured = records[0]
    assert measured is not None
    again = measure_all(Network.initialised(trainer.experiment, len(trainer.data.X)), trainer.data)
    assert again.held_out is not None
    assert measured.test_loss == pytest.approx(again.held_out.loss, rel=1e-12)
    assert measured.test_accuracy == again.held_out.accuracy


def test_without_held_out_samples_there_is_nothing_of_them():
    one = experiment()
    one = msgspec.structs.replace(one, data=msgspec.structs.replace(one.data, test_share=0.0))
    record = Trainer(one).step()
    assert record is not None
    assert not set(OF_HELD_OUT) & record.fields
    assert (record.test_step, record.test_accuracy) == (NEVER, None)
    assert np.isnan(record.test_loss)


def test_going_back_goes_back_to_the_same_numbers():
    trainer = Trainer(experiment())
    for _ in range(trainer.held_out_period + 3):
        trainer.step()
    kept = trainer.checkpoint()
    first = [trainer.step() for _ in range(trainer.held_out_period)]
    trainer.restore(kept)
    second = [trainer.step() for _ in range(trainer.held_out_period)]
    for one, other in zip(first, second, strict=True):
        assert one is not None
        assert other is not None
        assert (one.test_loss, one.test_step) == (other.test_loss, other.test_step)


def test_a_run_log_keeps_them(tmp_path: Path):
    trainer = Trainer(experiment())
    header = RunLogHeader(layers=("W[1]", "W[2]"), fields=(*FIELDS_1_0, *OF_HELD_OUT))
    with RunLogWriter(tmp_path / "run.jsonl", header) as log:
        for _ in range(3):
            record = trainer.step()
            assert record is not None
            log.append(record)
    read = read_run_log(tmp_path / "run.jsonl")
    assert not read.damaged
    assert [one.test_loss for one in read.records] == pytest.approx([trainer.last.test_loss] * 3, rel=1e-8)
    assert [one.test_accuracy for one in read.records] == pytest.approx(
        [trainer.last.test_accuracy] * 3, rel=1e-8
    )
    assert [one.test_step for one in read.records] == [0, 0, 0]


def test_what_overflowed_is_of_no_class():
    one = experiment(
        **{'activation = "sigmoid"': 'activation = "linear"', 'kind = "bce"': 'kind = "squared_error"'}
    )
    data = load_data(one)
    assert data.held_out is not None
    network = Network.initialised(one, len(data.X))
    for value in network.parameters.values():
        value[...] = np.nan
    with np.errstate(all="ignore"):
        score = HeldOut(network, data.held_out).measure()
    assert np.isnan(score.loss)
    assert score.accuracy is None


def test_a_sum_over_more_samples_than_a_portion_is_their_sum():
    text = (
        '[data]\nkind = "moons"\nn = 5000\n[[network.layers]]\nunits = 1\nactivation = "sigmoid"\n'
        '[loss]\nkind = "bce"\nsamples = "sum"\n'
    )
    one = parse_experiment(text, "test")
    data = load_data(one)
    network = Network.initialised(one, len(data.X))
    graph = network.graph(data.X, data.Y)
    graph.forward()
    graph.backward()
    found = measure_all(network, data)
    assert found.loss == pytest.approx(graph.loss.value.item(), rel=1e-12)
    assert found.record.grad_max[0] == pytest.approx(
        np.abs(graph.nodes[Symbol("W", 1)].grad).max(), rel=1e-12
    )
