"""Steps looked at one by one: published tables, PyTorch over ten steps, and formulas that are what the step does."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

from engine.experiment.datasets import load_data
from engine.experiment.loading import load_experiment, parse_experiment
from engine.experiment.optimizer_specs import OPTIMIZER_SPECS
from engine.experiment.spec import Experiment
from engine.formula.expression import Symbol
from engine.model.network import Network
from engine.training.parameter_steps import parameter_steps
from engine.training.steps_by_hand import StepsByHand
from engine.training.trainer import Trainer
from engine.training.update_rule import RULES, settings_of

W = Symbol("W", 1)


def one_weight(weight: float, train: str, loss: str = "") -> Experiment:
    """E = ½w² (with x = 1 and y = 0), or what `loss` makes of it."""
    return parse_experiment(
        f"""
        [data]
        kind = "inline"
        X = [[1.0]]
        Y = [[0.0]]
        [network]
        layers = [{{ units = 1, W = [[{weight}]] }}]
        [loss]
        kind = "squared_error"
        {loss}
        [train]
        {train}
        """,
        "one weight",
    )


def weights(experiment: Experiment, count: int) -> list[float]:
    done = list(parameter_steps(experiment, count))
    return [done[0].parameters[W].before.item(), *(step.parameters[W].after.item() for step in done)]


def test_adam_as_published() -> None:
    """Adam, η = 0.1, on E = ½w² from w = 4."""
    found = weights(one_weight(4.0, 'optimizer = "adam"\nlearning_rate = 0.1'), 2)
    assert found == pytest.approx([4, 3.9, 3.80007], abs=1e-5)


def test_momentum_as_published() -> None:
    """Momentum 0.1 on E = w², η = 0.8, from w = 10: 10, −6, 2, −0.4."""
    train = 'optimizer = "momentum"\nmomentum = 0.1\nlearning_rate = 0.8'
    assert weights(one_weight(10.0, train, "half = false"), 3) == pytest.approx([10, -6, 2, -0.4])


def test_adam_by_hand() -> None:
    first = next(parameter_steps(one_weight(4.0, 'optimizer = "adam"\nlearning_rate = 0.1'), 1)).parameters[W]
    assert {key: value.item() for key, value in first.state.items()} == pytest.approx(
        {"m": 0.4, "v": 0.016, "m_hat": 4.0, "v_hat": 16.0}, rel=1e-12
    )
    assert list(first.state) == ["m", "v", "m_hat", "v_hat"]


def test_the_loss_goes_on_where_the_last_step_left_it() -> None:
    done = list(parameter_steps(load_experiment("xor"), 3))
    assert [step.step for step in done] == [1, 2, 3]
    for before, after in pairwise(done):
        assert after.loss_before == before.loss_after
        np.testing.assert_array_equal(after.prediction_before, before.prediction_after)
        for name, parameter in after.parameters.items():
            np.testing.assert_array_equal(parameter.before, before.parameters[name].after)


def test_they_are_the_steps_of_training() -> None:
    """With mini-batches, where the gradient is that of the batch and the loss that of all samples."""
    experiment = load_experiment("tutorial-b-wine")
    trainer = Trainer(experiment)
    for step in parameter_steps(experiment, 4):
        trainer.step()
        for name, parameter in step.parameters.items():
            np.testing.assert_array_equal(parameter.after, trainer.network.parameters[name])


def test_a_frozen_parameter_has_no_state() -> None:
    experiment = parse_experiment(
        """
        [data]
        kind = "xor"
        [network]
        bias = true
        layers = [{ units = 1, activation = "sigmoid", frozen = ["W"] }]
        [loss]
        kind = "bce"
        [train]
        optimizer = "adam"
        """,
        "frozen",
    )
    first = next(parameter_steps(experiment, 1)).parameters
    assert first[W].state == {}
    np.testing.assert_array_equal(first[W].before, first[W].after)
    assert set(first[Symbol("b", 1)].state) == {"m", "v", "m_hat", "v_hat"}


def test_a_step_that_is_not_finite_says_so_and_is_the_last() -> None:
    done = list(parameter_steps(one_weight(1e200, 'optimizer = "sgd"\nlearning_rate = 1e200'), 5))
    assert done[-1].problem is not None
    assert len(done) < 5


SETTINGS = {
    "sgd": 'optimizer = "sgd"\nlearning_rate = 0.3',
    "sgd, clipped": 'optimizer = "sgd"\nlearning_rate = 0.3\nclip_norm = 0.05',
    "momentum": 'optimizer = "momentum"\nlearning_rate = 0.05',
    "momentum, clipped": 'optimizer = "momentum"\nlearning_rate = 0.05\nclip_norm = 0.05',
    "rmsprop": 'optimizer = "rmsprop"\nlearning_rate = 0.01',
    "adam": 'optimizer = "adam"\nlearning_rate = 0.05',
    "momentum, Nesterov": (
        'optimizer = "momentum"\nlearning_rate = 0.05\nmomentum = 0.7\nnesterov = true\nweight_decay = 0.02'
    ),
    "rmsprop, other settings": (
        'optimizer = "rmsprop"\nlearning_rate = 0.01\nalpha = 0.9\neps = 1e-3\nweight_decay = 0.1'
    ),
    "adam, other settings": (
        'optimizer = "adam"\nlearning_rate = 0.05\nbetas = [0.8, 0.95]\neps = 1e-3\nweight_decay = 0.1'
    ),
    "adamw": 'optimizer = "adamw"\nlearning_rate = 0.05\nweight_decay = 0.2\nclip_norm = 0.3',
    "adam, clipped": 'optimizer = "adam"\nlearning_rate = 0.05\nclip_norm = 0.01',
}


def xor_trained_with(train: str) -> Experiment:
    return parse_experiment(
        f"""
        [data]
        kind = "xor"
        [network]
        bias = true
        layers = [{{ units = 3, activation = "tanh" }}, {{ units = 1, activation = "sigmoid" }}]
        [loss]
        kind = "bce"
        [train]
        {train}
        """,
        "xor",
    )


@pytest.mark.parametrize("train", SETTINGS.values(), ids=SETTINGS)
def test_the_formulas_are_what_the_step_does(train: str) -> None:
    experiment = xor_trained_with(train)
    data = load_data(experiment)
    network = Network.initialised(experiment, len(data.X))
    graph = network.graph(data.X, data.Y)
    graph.forward()
    graph.backward()
    by_hand = StepsByHand(network, graph, experiment.train)
    trained = Trainer(experiment, data)
    for _ in range(4):
        foretold = {
            name.at((row, column)): by_hand.evaluated(name.at((row, column)), experiment.train.learning_rate)
            for name, value in network.parameters.items()
            for row in range(value.shape[0])
            for column in range(value.shape[1])
        }
        by_hand.step(experiment.train.learning_rate)
        trained.step(measure=False)
        for symbol, lines in foretold.items():
            assert lines[-1].line.key == "after"
            assert lines[-1].value == pytest.approx(graph.value_of(symbol), rel=1e-12, abs=1e-15)
            for line in lines:
                assert line.substituted.evaluate({}) == line.value
        for name, value in network.parameters.items():
            np.testing.assert_allclose(value, trained.network.parameters[name], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("train", SETTINGS.values(), ids=SETTINGS)
def test_undone_and_done_again_it_is_the_same_step(train: str) -> None:
    experiment = xor_trained_with(train)
    data = load_data(experiment)
    network = Network.initialised(experiment, len(data.X))
    graph = network.graph(data.X, data.Y)
    graph.forward()
    graph.backward()
    by_hand = StepsByHand(network, graph, experiment.train)
    by_hand.step(0.1)
    memory = by_hand.memory()
    update = by_hand.step(0.1)
    after = {name: value.copy() for name, value in network.parameters.items()}
    by_hand.restore(memory)
    assert graph.value_of(Symbol("E")) == update.loss.before
    by_hand.step(0.1)
    for name, value in network.parameters.items():
        np.testing.assert_array_equal(value, after[name])


def test_every_optimiser_has_its_rule() -> None:
    assert set(RULES) == set(OPTIMIZER_SPECS)


@pytest.mark.parametrize("train", SETTINGS.values(), ids=SETTINGS)
def test_ten_steps_are_pytorch_s(train: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is an extra")
    experiment = xor_trained_with(train)
    data = load_data(experiment)
    network = Network.initialised(experiment, len(data.X))
    theirs = {
        name: torch.tensor(value.copy(), requires_grad=True) for name, value in network.parameters.items()
    }
    optimizer = torch_optimizer(torch, experiment, list(theirs.values()))
    X, Y = torch.tensor(data.X.copy()), torch.tensor(data.Y.copy())
    for step in islice(parameter_steps(experiment, 10), 10):
        optimizer.zero_grad()
        hidden = torch.tanh(theirs[W].T @ X + theirs[Symbol("b", 1)])
        logits = theirs[Symbol("W", 2)].T @ hidden + theirs[Symbol("b", 2)]
        torch.nn.functional.binary_cross_entropy_with_logits(logits, Y).backward()
        if experiment.train.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(theirs.values(), experiment.train.clip_norm)
        optimizer.step()
        for name, parameter in step.parameters.items():
            np.testing.assert_allclose(parameter.after, theirs[name].detach().numpy(), rtol=1e-9, atol=1e-12)
            state = optimizer.state[theirs[name]]
            for key, theirs_key in (("velocity", "momentum_buffer"), ("m", "exp_avg")):
                if key in parameter.state:
                    np.testing.assert_allclose(parameter.state[key], state[theirs_key].numpy(), rtol=1e-9)


def torch_optimizer(torch, experiment: Experiment, parameters: list):
    """PyTorch's own optimiser with the experiment's settings."""
    settings, rate = settings_of(experiment.train), experiment.train.learning_rate
    decay = settings.weight_decay
    match settings.optimizer:
        case "sgd" | "momentum":
            return torch.optim.SGD(
                parameters, rate, settings.momentum, nesterov=settings.nesterov, weight_decay=decay
            )
        case "rmsprop":
            return torch.optim.RMSprop(
                parameters, rate, settings.smoothing, eps=settings.eps, weight_decay=decay
            )
        case "adam" | "adamw":
            kind = torch.optim.AdamW if settings.decoupled else torch.optim.Adam
            return kind(parameters, rate, settings.betas, settings.eps, weight_decay=decay)
    raise NotImplementedError(settings.optimizer)
