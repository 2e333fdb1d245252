"""Each preset on training shows what its title says, for more seeds than the one in its file."""

from __future__ import annotations

import difflib
import math
from importlib import resources

import msgspec
import numpy as np
import pytest

from engine.autodiff.graph import Graph
from engine.diagnosis.diagnosis import judge_record
from engine.diagnosis.finding import Kind
from engine.diagnosis.gradient_flow import GradientFlow, first_to_last
from engine.experiment.layer_info import layer_infos
from engine.experiment.loading import PRESET_NAMES, load_experiment
from engine.experiment.spec import Experiment, Init, NetworkSpec
from engine.formula.expression import Symbol
from engine.metrics.step_record import StepRecord
from engine.model.network import Network
from engine.training.trainer import Trainer

SEEDS = (0, 1, 2)
NAIVE = Init(scheme="normal", std=0.1)

CURES = (
    "vanishing-50-xavier",
    "vanishing-50-he",
    "vanishing-50-orthogonal",
    "vanishing-50-batch-norm",
    "vanishing-50-layer-norm",
    "vanishing-50-residual",
)


def preset(name: str, seed: int = 0) -> Experiment:
    return msgspec.structs.replace(load_experiment(name), seed=seed)


def with_network(experiment: Experiment, network: NetworkSpec) -> Experiment:
    return msgspec.structs.replace(experiment, network=network)


def changed_layers(experiment: Experiment, **changes: object) -> Experiment:
    """The experiment with every hidden layer changed."""
    *hidden, output = experiment.network.layers
    layers = [*(msgspec.structs.replace(layer, **changes) for layer in hidden), output]
    return with_network(experiment, msgspec.structs.replace(experiment.network, layers=layers))


def with_init(experiment: Experiment, init: Init) -> Experiment:
    return with_network(experiment, msgspec.structs.replace(experiment.network, init=init))


def run(experiment: Experiment, steps: int) -> tuple[Trainer, list[StepRecord]]:
    """The first steps of a run, or all there are when it ends earlier."""
    trainer = Trainer(experiment)
    trainer.limit = steps
    return trainer, list(trainer)


def step_0(experiment: Experiment) -> StepRecord:
    return run(experiment, 1)[1][0]


def text(name: str) -> list[str]:
    return resources.files("engine").joinpath("presets", f"{name}.toml").read_text("utf-8").splitlines()


def differences(one: str, other: str) -> list[str]:
    """The lines without titles and comments in which two presets differ."""
    lines = [[line.split("#")[0].rstrip() for line in text(name)[2:]] for name in (one, other)]
    return [line for line in difflib.ndiff(*lines) if line[0] in "+-" and line[2:]]


# ── vanishing (C1, C2) ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", SEEDS)
def test_fifty_sigmoids_leave_nothing_of_the_gradient(seed):
    experiment = preset("vanishing-sigmoid-50", seed)
    _, records = run(experiment, 60)
    assert first_to_last(records[0].grad_l2) < 1e-20
    assert first_to_last(records[0].grad_max) < 1e-20
    assert records[-1].loss > 0.69  # no better than always saying ½
    flow = GradientFlow(records[0], layer_infos(Trainer(experiment).network.layers))
    assert (flow.vanishes, flow.budget.dominant) == (True, "activation")
    assert flow.budget.means["activation"] < 0.25 < 1 < flow.budget.means["weights"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["relu-50", "leaky-relu-50"])
def test_one_word_brings_the_gradient_to_the_first_layer(name, seed):
    _, records = run(preset(name, seed), 100)
    assert 1e-3 < first_to_last(records[0].grad_l2) < 1e3
    assert 1e-3 < first_to_last(records[0].delta_l2) < 1e3
    assert GradientFlow(records[0]).balanced
    assert min(record.loss for record in records) < 0.66 < records[0].loss


def test_it_is_one_word():
    assert differences("vanishing-sigmoid-50", "relu-50") == [
        '- activation = "sigmoid"',
        '+ activation = "relu"',
    ]
    assert len(differences("relu-50", "leaky-relu-50")) == 2


def without_cure(name: str, seed: int) -> Experiment:
    """The preset with its cure taken away."""
    experiment = preset(name, seed)
    match name:
        case "vanishing-50-batch-norm" | "vanishing-50-layer-norm":
            return changed_layers(experiment, norm=None)
        case "vanishing-50-residual":
            return changed_layers(experiment, residual=False)
    return with_init(experiment, NAIVE)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", CURES)
def test_each_cure_is_what_keeps_the_gradient_alive(name, seed):
    record, sick = step_0(preset(name, seed)), step_0(without_cure(name, seed))
    assert 1e-3 < first_to_last(record.grad_l2) < 1e3
    assert 1e-3 < first_to_last(record.delta_l2) < 1e4
    assert GradientFlow(record).balanced
    assert first_to_last(sick.delta_l2) < 1e-10
    assert GradientFlow(sick).vanishes


@pytest.mark.parametrize(("name", "steps"), list(zip(CURES, (60, 100, 30, 40, 60, 20), strict=True)))
def test_each_cure_lets_the_loss_fall(name, steps):
    _, records = run(preset(name), steps)
    assert min(record.loss for record in records) < 0.6
    _, sick = run(without_cure(name, 0), 10)
    assert sick[-1].loss > 0.68


def test_batch_norm_is_one_line_more_than_the_sigmoid_network():
    assert differences("vanishing-sigmoid-50", "vanishing-50-batch-norm") == ['+ norm = "batch"']


def test_he_without_its_factor_two_loses_half_a_layers_gradient_each():
    record = step_0(with_init(preset("vanishing-50-he"), Init(scheme="lecun")))
    assert 1e-9 < first_to_last(record.delta_l2) < 1e-6


# ── exploding (C3) ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gradient_explodes_and_the_run_ends_with_a_reason(seed):
    trainer, records = run(preset("exploding-50", seed), 300)
    assert first_to_last(records[0].delta_l2) > 1e6
    assert records[0].grad_l2.min() > 1e4
    assert len(records) <= 5
    assert trainer.problem is not None
    flow = GradientFlow(records[0])
    assert (flow.explodes, flow.budget.dominant) == (True, "weights")
    assert records[-1].problem == trainer.problem


@pytest.mark.parametrize("seed", SEEDS)
def test_clipping_keeps_everything_finite_and_the_loss_falls(seed):
    trainer, records = run(preset("exploding-50-clip", seed), 50)
    assert trainer.problem is None
    assert len(records) == 50
    assert records[0].clipped < 1e-4
    assert min(record.loss for record in records) < records[0].loss / 100
    assert records[-1].loss < records[0].loss / 20
    assert GradientFlow(records[0]).explodes  # the gradients themselves are as before


def test_clipping_is_one_line():
    assert differences("exploding-50", "exploding-50-clip") == ["+ clip_norm = 1.0"]


@pytest.mark.parametrize("seed", SEEDS)
def test_adam_takes_steps_of_the_learning_rate_however_large_the_gradient(seed):
    experiment = preset("exploding-50-adam", seed)
    trainer = Trainer(experiment)
    before = {name: value.copy() for name, value in trainer.network.parameters.items()}
    record = trainer.step()
    assert record.grad_max.min() > 1e4
    for name, value in trainer.network.parameters.items():
        assert np.abs(value - before[name]).max() <= 1.001 * experiment.train.learning_rate
    trainer, records = run(experiment, 100)
    assert trainer.problem is None
    assert min(record.loss for record in records) < records[0].loss / 100


def test_adam_is_another_optimiser_and_its_learning_rate():
    assert sorted(differences("exploding-50", "exploding-50-adam")) == [
        "+ learning_rate = 0.0001",
        '+ optimizer = "adam"',
        "- learning_rate = 0.1",
    ]


# ── dying ReLU (D1, D2) ─────────────────────────────────────────────────────────────────────────────


def units_off(trainer: Trainer, graph: Graph) -> int:
    """Hidden units whose f is not above zero for any sample of the data set: for ReLU, the dead ones."""
    graph.forward()
    hidden = range(1, len(trainer.network.layers))
    return sum(int((graph.nodes[Symbol("f", number)].value <= 0).all(axis=1).sum()) for number in hidden)


@pytest.mark.parametrize("seed", range(6))
def test_units_die_while_training_and_the_steps_are_known(seed):
    trainer, records = run(preset("dying-relu", seed), 200)
    born, dead = int(records[0].dead[:-1].sum()), int(records[-1].dead[:-1].sum())
    assert born <= 8
    assert dead >= born + 8
    assert dead >= 15  # of 48
    activity = trainer.unit_activity()
    deaths = [event for event in activity.events if event.died and event.step > 0]
    assert len(deaths) >= dead - born
    assert all(0 < event.step < 200 for event in deaths)
    for layer, died_at in enumerate(activity.died_at[:-1]):
        assert (died_at >= 0).sum() == records[-1].dead[layer]


def test_with_a_leak_most_of_them_recover():
    most, left, left_of_relu = 0, 0, 0
    for seed in range(6):
        trainer = Trainer(preset("dying-relu-leaky", seed))
        graph = trainer.network.graph(trainer.data.X, trainer.data.Y, gradients=False)
        off = []
        for _ in range(200):
            trainer.step()
            off.append(units_off(trainer, graph))
        assert trainer.problem is None
        assert max(off) >= 20
        most, left = most + max(off), left + off[-1]
        _, relu = run(preset("dying-relu", seed), 200)
        left_of_relu += int(relu[-1].dead[:-1].sum())
    assert left < most / 2
    assert left < left_of_relu * 0.7


@pytest.mark.parametrize("seed", range(6))
def test_he_initialisation_avoids_it(seed):
    _, records = run(preset("dying-relu-he", seed), 200)
    assert records[-1].dead[:-1].sum() <= 15
    assert records[-1].loss < 0.01


def test_the_three_differ_in_one_thing():
    assert differences("dying-relu", "dying-relu-he") == ['- scheme = "normal"', '+ scheme = "he"']
    changes = differences("dying-relu", "dying-relu-leaky")
    assert changes == ['- activation = "relu"', '+ activation = "leaky_relu"', "+ slope = 0.3"]


# ── slope 1 (D3) and the step function (B3) ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", SEEDS)
def test_with_slope_1_the_network_is_one_matrix(seed):
    experiment = preset("leaky-slope-1", seed)
    trainer, records = run(experiment, 500)
    network, data = trainer.network, trainer.data
    graph = network.graph(data.X, data.Y, gradients=False)
    graph.forward()
    product = np.linalg.multi_dot([network.parameters[Symbol("W", number)] for number in range(1, 5)])
    assert product.shape == (3, 1)
    one_layer = 1 / (1 + np.exp(-(product.T @ data.X)))
    np.testing.assert_allclose(graph.nodes[Symbol("Y_hat")].value, one_layer, rtol=1e-12)
    assert records[-1].loss == pytest.approx(math.log(2), abs=0.01)  # no line separates the circles
    _, curved = run(changed_layers(experiment, slope=0.1), 500)
    assert curved[-1].loss < 0.2


@pytest.mark.parametrize("seed", SEEDS)
def test_below_a_step_function_nothing_learns(seed):
    experiment = preset("step-activation", seed)
    trainer, records = run(experiment, 300)
    for record in records:
        assert record.grad_max[:2].tolist() == [0.0, 0.0]
        assert record.grad_l2[2:].min() > 0
    fresh = Network.initialised(experiment, len(trainer.data.X))
    for number in (1, 2):
        for kind in "Wb":
            name = Symbol(kind, number)
            np.testing.assert_array_equal(trainer.network.parameters[name], fresh.parameters[name])
    assert records[-1].loss < 0.6 * records[0].loss
    found = judge_record(records[0], layer_infos(fresh.layers)).of(Kind.NO_GRADIENT)
    assert found is not None
    assert found.layers == (1, 2)


# ── all of them ─────────────────────────────────────────────────────────────────────────────────────


def test_the_training_presets_come_after_the_tutorials_in_the_tutorials_order():
    start = PRESET_NAMES.index("vanishing-sigmoid-50")
    assert PRESET_NAMES[start:] == (
        "vanishing-sigmoid-50",
        "relu-50",
        "leaky-relu-50",
        "exploding-tanh-50",
        "exploding-tanh-50-clip",
        "exploding-tanh-50-adam",
        "exploding-50",
        "exploding-50-clip",
        "exploding-50-adam",
        *CURES,
        "dying-relu",
        "dying-relu-leaky",
        "dying-relu-he",
        "leaky-slope-1",
        "step-activation",
    )
