"""The factors of each layer multiply back to the measured ratio, and their logarithms add up to the whole decay."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from engine.diagnosis.factor_budget import UNKNOWN, FactorBudget, factor_budget
from engine.experiment.layer_info import LayerInfo, layer_infos
from engine.experiment.spec import SquaredErrorLoss
from engine.metrics.step_record import StepRecord
from engine.model.network import Network
from engine.training.trainer import Trainer
from tests.engine.networks import Case, cases, oracle
from tests.engine.short_runs import copy_of, experiment, given_network, layer
from tests.engine.step_records import records


def of_layers(record: StepRecord, network: Network) -> FactorBudget:
    return factor_budget(record, layer_infos(network.layers))


def budget_of(trainer: Trainer):
    network = copy_of(trainer.network)
    record = trainer.step()
    return of_layers(record, network), oracle(Case(network, trainer.data.X, trainer.data.Y))


def test_a_plain_network_has_two_factors_a_layer():
    trainer = Trainer(experiment([layer(6, "sigmoid", "repeat = 10"), layer(1, "sigmoid")]))
    budget, found = budget_of(trainer)
    assert len(budget.gaps) == 10
    assert budget.dead_below == 0
    for gap in budget.gaps:
        below, above = (found.gradients[f"f[{number}]"] for number in (gap.layer, gap.layer + 1))
        arriving = found.values[f"W[{gap.layer + 1}]"] @ above
        a = found.values[f"a[{gap.layer}]"]
        assert gap.ratio == pytest.approx(np.linalg.norm(below) / np.linalg.norm(above), rel=1e-10)
        assert gap.weights == pytest.approx(np.linalg.norm(arriving) / np.linalg.norm(above), rel=1e-10)
        gain = np.linalg.norm(arriving * a * (1 - a)) / np.linalg.norm(arriving)
        assert gap.activation == pytest.approx(gain, rel=1e-10)
        assert gap.weights * gap.activation == pytest.approx(gap.ratio, rel=1e-10)
        assert gap.activation <= 0.25
        assert gap.other == pytest.approx(1.0, rel=1e-10)
        assert gap.other_name == ""
    assert budget.parts.keys() == {"weights", "activation"}
    assert math.fsum(budget.parts.values()) == pytest.approx(budget.decades, abs=1e-10)
    first, last = (np.linalg.norm(found.gradients[f"f[{number}]"]) for number in (1, 11))
    assert budget.decades == pytest.approx(math.log10(first / last), abs=1e-10)


@given(case=cases(max_depth=5, norms=(None,)))
@settings(max_examples=40)
def test_for_any_network_without_norm_or_shortcut_weights_and_activation_are_all(case: Case):
    layers = case.network.layers
    if any(spec.residual for spec in layers):
        return
    trainer = trainer_of(case)
    network = copy_of(trainer.network)
    for gap in of_layers(trainer.step(), network).gaps:
        assert gap.weights * gap.activation == pytest.approx(gap.ratio, rel=1e-10)


def trainer_of(case: Case) -> Trainer:
    """A trainer for a network that hypothesis has drawn."""
    from engine.experiment.datasets import DataSet
    from engine.experiment.spec import Experiment, InlineData, NetworkSpec

    made = Experiment(
        data=InlineData(X=case.X.tolist(), Y=case.Y.tolist()),
        network=NetworkSpec(layers=list(case.network.layers)),
        loss=case.network.loss,
    )
    return Trainer(made, DataSet(case.X, case.Y, (), ()), case.network)


def test_shortcut_and_norm_are_factors_of_their_own():
    made = experiment(
        [
            layer(5, "tanh", 'norm = "batch"'),
            layer(5, "relu", "residual = true\nrepeat = 2"),
            layer(5, "tanh", 'norm = "layer"\nresidual = true'),
            layer(1, "sigmoid"),
        ]
    )
    budget, found = budget_of(Trainer(made))
    assert [gap.other_name for gap in budget.gaps] == ["shortcut and norm", "shortcut", "shortcut", "norm"]
    for gap in budget.gaps:
        assert math.prod(factor for _, factor in gap.parts()) == pytest.approx(gap.ratio, rel=1e-10)
    assert math.fsum(budget.parts.values()) == pytest.approx(budget.decades, abs=1e-10)
    # Of layer 4 the norm alone: ‖∂ℰ/∂f‖/‖∂ℰ/∂h‖.
    norm = np.linalg.norm(found.gradients["f[4]"]) / np.linalg.norm(found.gradients["h[4]"])
    assert budget.gaps[3].other == pytest.approx(norm, rel=1e-10)
    # From layer 3 to 2 the shortcut alone: ‖∂ℰ/∂a[2]‖/‖W[3] δ[3]‖.
    arriving = found.values["W[3]"] @ found.gradients["f[3]"]
    shortcut = np.linalg.norm(found.gradients["a[2]"]) / np.linalg.norm(arriving)
    assert budget.gaps[1].other == pytest.approx(shortcut, rel=1e-10)


def test_it_says_what_is_to_blame():
    sigmoid = Trainer(experiment([layer(32, "sigmoid", "repeat = 20"), layer(1, "sigmoid")]))
    budget = of_layers(sigmoid.step(), sigmoid.network)
    assert budget.decades < -8
    assert budget.dominant == "activation"
    exploding = Trainer(
        experiment(
            [layer(32, "tanh", "repeat = 20"), layer(1, "sigmoid")], network="init = {scheme = 'normal'}"
        )
    )
    budget = of_layers(exploding.step(), exploding.network)
    assert budget.decades > 2
    assert budget.dominant == "weights"


def test_decay_beyond_the_range_of_a_product_is_still_a_sum():
    weights = [[[1e-90]]] * 6
    trainer = given_network(weights, ["linear"] * 6, [[1.0]], [[1.0]], SquaredErrorLoss())
    budget = of_layers(trainer.step(), trainer.network)
    assert budget.dead_below == 2, "δ[2] is smaller than any number"
    assert budget.decades == pytest.approx(-270)
    assert budget.parts["weights"] == pytest.approx(-270)


def test_below_a_dead_layer_there_is_nothing_to_take_apart():
    weights = [[[1.0]], [[-1.0]], [[1.0]], [[1.0]]]
    trainer = given_network(
        weights, ["linear", "relu", "linear", "linear"], [[1.0]], [[1.0]], SquaredErrorLoss()
    )
    budget = of_layers(trainer.step(), trainer.network)
    assert budget.dead_below == 2
    assert [gap.layer for gap in budget.gaps] == [3]


def test_a_shortcut_around_weights_of_zero_carries_everything():
    made = experiment([layer(3, "linear"), layer(3, "linear", "residual = true"), layer(1, "sigmoid")])
    trainer = Trainer(made)
    for name, weights in trainer.network.parameters.items():
        if name.layer == 2:
            weights[...] = 0.0
    (gap, _) = of_layers(trainer.step(), trainer.network).gaps
    assert gap.weights == 1.0
    assert gap.other == pytest.approx(gap.ratio)


def test_one_layer_has_no_gaps():
    trainer = given_network([[[1.0]]], ["linear"], [[1.0]], [[0.0]], SquaredErrorLoss())
    budget = of_layers(trainer.step(), trainer.network)
    assert budget.gaps == ()
    assert budget.decades == 0.0
    assert budget.parts == {}
    assert budget.dominant is None


def test_the_mean_factors_multiply_to_the_mean_ratio():
    trainer = Trainer(experiment([layer(5, "tanh", 'norm = "batch"\nrepeat = 4'), layer(1, "sigmoid")]))
    budget = of_layers(trainer.step(), trainer.network)
    assert budget.means.keys() == {"weights", "activation", "norm"}
    assert math.prod(budget.means.values()) == pytest.approx(budget.mean_ratio, rel=1e-10)
    assert budget.mean_ratio**4 == pytest.approx(10**budget.decades, rel=1e-10)


def test_where_the_layers_are_not_known_the_rest_still_has_a_share():
    plain = Trainer(experiment([layer(5, "tanh", "repeat = 4"), layer(1, "sigmoid")]))
    assert factor_budget(plain.step()).parts.keys() == {"weights", "activation"}
    normed = Trainer(experiment([layer(5, "tanh", 'norm = "layer"\nrepeat = 4'), layer(1, "sigmoid")]))
    budget = factor_budget(normed.step())
    assert budget.parts.keys() == {"weights", "activation", UNKNOWN}
    assert math.fsum(budget.parts.values()) == pytest.approx(budget.decades, abs=1e-10)


@given(records(layers=4))
def test_whatever_another_program_wrote_the_parts_add_up(record):
    normed, plain = LayerInfo("W[1]", norm="batch", residual=False), LayerInfo("W", norm="", residual=False)
    for known in ((), (normed, replace(plain, residual=True), plain, plain)):
        budget = factor_budget(record, known)
        assert len(budget.gaps) == (4 - budget.dead_below - 1 if budget.dead_below < 4 else 0)
        if budget.gaps and not known:
            assert math.fsum(budget.parts.values()) == pytest.approx(budget.decades, abs=1e-2)
