"""What counts as an answer of use, and why a plateau holds two samples at the wrong answer."""

from __future__ import annotations

import dataclasses
import re

import msgspec
import numpy as np
import pytest

from engine.diagnosis.finding import Kind
from engine.diagnosis.useful_prediction import tells_apart
from engine.experiment.spec import Experiment
from tests.engine.diagnosis.diagnosed import of_case, run


def own(
    said: list[float], labels: list[float], loss: dict[str, object], value: float, accuracy: float | None
):
    """One linear or sigmoid unit that is taken to have given these predictions."""
    activation = "sigmoid" if loss["kind"] == "bce" else "linear"
    tables = {
        "data": {"kind": "inline", "X": [list(range(len(labels)))], "Y": [labels]},
        "network": {"layers": [{"units": 1, "activation": activation, "W": [[2.0]]}]},
        "loss": loss,
        "train": {"optimizer": "sgd", "steps": 1, "learning_rate": 0.0},
    }
    found = run(msgspec.convert(tables, Experiment)).case.own
    record = dataclasses.replace(found.whole.record, loss=value, accuracy=accuracy)
    whole = dataclasses.replace(found.whole, prediction=np.array([said]), record=record)
    return dataclasses.replace(found, whole=whole)


def test_an_answer_that_beats_its_own_mean_is_of_use():
    """Half the mean square around the mean, 0.125, is what the same answer for all would cost."""
    labels = [0.0, 0.0, 1.0, 1.0]
    assert tells_apart(own([0.0, 0.0, 1.0, 1.0], labels, {"kind": "squared_error"}, 0.0, None))
    assert tells_apart(own([0.4, 0.4, 0.6, 0.6], labels, {"kind": "squared_error"}, 0.08, None))
    assert not tells_apart(own([1.0, 0.0, 0.0, 1.0], labels, {"kind": "squared_error"}, 0.25, None))
    assert not tells_apart(own([0.5, 0.5, 0.5, 0.5], labels, {"kind": "squared_error"}, 0.125, None))


def test_the_penalty_on_large_weights_is_no_part_of_the_answer():
    """ℰ is 0.08 + (λ/2)·2² with λ = 0.1."""
    loss = {"kind": "squared_error", "l2": 0.1}
    assert tells_apart(own([0.4, 0.4, 0.6, 0.6], [0.0, 0.0, 1.0, 1.0], loss, 0.08 + 0.2, None))


@pytest.mark.parametrize(("accuracy", "of_use"), [(0.75, True), (0.7, False), (0.5, False)])
def test_half_of_the_commonest_class_s_errors_are_of_use_however_large_the_loss(accuracy, of_use):
    """Adam in `exploding-50-adam`: far too sure of itself where it is wrong, and mostly right."""
    labels = [0.0, 0.0, 1.0, 1.0]
    assert tells_apart(own([0.0, 1.0, 1.0, 1.0], labels, {"kind": "bce"}, 1200.0, accuracy)) is of_use


def test_what_one_class_alone_says_is_no_use():
    assert not tells_apart(own([0.5] * 3, [0.0] * 3, {"kind": "bce"}, 1200.0, 1.0))


def test_xor_s_plateau_is_explained_by_two_samples_that_look_alike():
    """Worked out anew: both hidden units are nearly 0 for (1, 0) and (1, 1), and their gradients cancel."""
    found = of_case("xor-plateau")
    finding = found.diagnosis.of(Kind.PLATEAU)
    X, Y = np.asarray(found.trainer.data.X), np.asarray(found.trainer.data.Y)
    W1, b1, W2, b2 = (np.asarray(one) for one in found.case.own.present.values())
    hidden = 1 / (1 + np.exp(-(W1.T @ X + b1)))
    said = 1 / (1 + np.exp(-(W2.T @ hidden + b2)))
    error = np.abs(said - Y)[0]
    assert sorted(np.argsort(-error)[:2]) == [2, 3]
    assert (finding.evidence["alike"], finding.evidence["alike_too"]) == (2, 3)
    assert finding.evidence["alike_apart"] == pytest.approx(np.abs(hidden[:, 2] - hidden[:, 3]).max())
    delta2 = ((said - Y) * said * (1 - said) / 4)[0]
    assert delta2[2] < 0 < delta2[3]
    assert abs(delta2[2] + delta2[3]) < 0.01 * abs(delta2[2])
    assert finding.evidence["pull"] == pytest.approx(min(-delta2[2], delta2[3]))
    slopes = (hidden * (1 - hidden))[:, [2, 3]]
    assert finding.evidence["slope"] == pytest.approx(slopes.max())
    assert finding.evidence["largest_slope"] == 0.25
    assert re.search(
        r"^Layer 1 says nearly the same of samples 2 and 3 \(labels 1 and 0; no activation", finding.text
    )
    assert "layer 1 is saturated for both (slopes of at most 3.8e-04, where 0.25 is possible)" in finding.text
    assert finding.remedy is not None
    assert finding.change is None


def test_no_reason_is_given_where_the_hidden_layer_tells_the_samples_apart():
    for name in ("circles-without-a-bend", "labels-that-contradict", "all-frozen"):
        finding = of_case(name).diagnosis.of(Kind.PLATEAU)
        assert "alike" not in finding.evidence
        assert finding.remedy is None
