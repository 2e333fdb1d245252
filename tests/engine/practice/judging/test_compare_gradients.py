"""A homework's arrays beside ours: whatever they are called, and what explains all that differs at once."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.loading import parse_experiment
from engine.practice.judging.compare_gradients import compare_gradients, named_by_order, shared_reason

TEXT = """
[data]
kind = "inline"
layout = "rows"
X = [[0.5, -0.2], [1.0, 0.3], [-0.7, 0.9], [0.1, 0.2]]
Y = [[1.0, 0.0, 1.0], [0.0, 1.0, 0.5], [1.0, 1.0, 0.0], [0.5, 0.2, 0.1]]
[network]
bias = true
[[network.layers]]
units = 2
activation = "tanh"
[[network.layers]]
units = 3
activation = "sigmoid"
[loss]
kind = "squared_error"
"""
Arrays = dict[str, Any]


def evaluated(**loss: Any) -> EvaluatedExperiment:
    experiment = parse_experiment(TEXT, "x")
    return EvaluatedExperiment.of(
        msgspec.structs.replace(experiment, loss=msgspec.structs.replace(experiment.loss, **loss))
    )


def gradients(of: EvaluatedExperiment) -> Arrays:
    return {f"d{name.plain()}": of.graph.nodes[name].grad.copy() for name in of.parameters}


def reason(ours: EvaluatedExperiment, theirs: Arrays) -> str | None:
    return shared_reason(compare_gradients(ours.graph, theirs), ours.experiment, ours.graph)


@pytest.mark.parametrize(
    ("loss", "key"),
    [
        ({"half": False}, "half = false"),
        ({"samples": "sum"}, 'samples = "sum"'),
        ({"outputs": "mean"}, 'outputs = "mean"'),
        ({"half": False, "outputs": "mean"}, 'half = false, outputs = "mean"'),
        ({"half": False, "samples": "sum"}, 'half = false, samples = "sum"'),
    ],
)
def test_another_convention_of_the_loss_is_named_by_its_keys(loss: Arrays, key: str):
    ours, theirs = evaluated(), evaluated(**loss)
    assert f"[loss] {key} has it" in (reason(ours, gradients(theirs)) or "")
    if len(loss) == 1:  # and the way back
        assert "[loss] " in (reason(theirs, gradients(ours)) or "")


def test_one_array_that_is_off_is_no_convention():
    ours = evaluated()
    theirs = gradients(ours)
    theirs["dW[1]"] *= 4
    assert reason(ours, theirs) is None
    assert reason(ours, gradients(ours)) is None


def test_weights_the_other_way_round_are_told_once():
    ours = evaluated()
    theirs = {name: np.array(array.T if "W" in name else array) for name, array in gradients(ours).items()}
    assert 'weights = "out_in"' in (reason(ours, theirs) or "")


def test_a_column_where_a_row_belongs_is_said():
    ours = EvaluatedExperiment.of(
        parse_experiment(
            TEXT.replace("units = 3", "units = 1").replace(
                "Y = [[1.0, 0.0, 1.0], [0.0, 1.0, 0.5], [1.0, 1.0, 0.0], [0.5, 0.2, 0.1]]",
                "Y = [[1], [0], [1], [0]]",
            ),
            "x",
        )
    )
    (found,) = compare_gradients(ours.graph, {"dW2": gradients(ours)["dW[2]"].T})
    assert found.agrees
    assert found.said == ("its shape is 1×2, ours is 2×1: it is transposed",)


def test_a_module_s_names_count_its_layers():
    ours = evaluated()
    names = named_by_order(ours.graph, ["fc1.weight", "fc1.bias.grad", "out.weight"])
    assert names == {"fc1.weight": "W[1]", "fc1.bias.grad": "b[1]", "out.weight": "W[2]"}
    assert named_by_order(ours.graph, ["fc1.weight"]) == {}  # which layer would that be?


@pytest.mark.parametrize(
    "name", ["W[1]", "dW[1]", "W1", "dW1", "w1", "dw_1", "grad_W1", "W1_grad", "W1.grad"]
)
def test_many_names_mean_the_same_array(name: str):
    ours = evaluated()
    (found,) = compare_gradients(ours.graph, {name: gradients(ours)["dW[1]"]})
    assert found.name == "W[1]"
    assert found.agrees


def test_single_precision_is_allowed_for():
    ours = evaluated()
    array = gradients(ours)["dW[1]"] * (1 + 3e-5)
    assert not compare_gradients(ours.graph, {"W1": array})[0].agrees
    assert compare_gradients(ours.graph, {"W1": array.astype(np.float32)})[0].agrees


def test_weights_that_were_updated_too_early_are_found_and_the_graph_is_left_as_it_was():
    ours = evaluated()
    before = gradients(ours)
    weights = ours.network.parameters
    upper = next(value for name, value in weights.items() if name.plain() == "W[2]")
    kept = upper.copy()
    upper -= 0.5 * before["dW[2]"]
    ours.graph.backward()
    early = ours.graph.nodes[next(name for name in weights if name.plain() == "W[1]")].grad.copy()
    upper[...] = kept
    ours.graph.backward()
    (found,) = compare_gradients(ours.graph, {"dW1": early}, learning_rate=0.5)
    assert "after their update" in found.said[0]
    for name, array in gradients(ours).items():
        np.testing.assert_array_equal(array, before[name])
