"""A network as PyTorch's users write it, key for key, against PyTorch itself: its layers, losses, rows and penalty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.loading import parse_experiment
from engine.formula.expression import Symbol

torch: Any = pytest.importorskip("torch", reason="PyTorch is an extra: an independent implementation")


def rows(array: np.ndarray) -> str:
    return str(array.tolist())


def text_of(
    X: np.ndarray, Y: np.ndarray, model: Any, activations: tuple[str, str], loss: str, l2: float = 0.0
) -> str:
    """The experiment file of a two-layer torch.nn.Sequential, whose weights are (units, fan_in)."""
    layers = "".join(
        f'[[network.layers]]\nunits = {linear.out_features}\nactivation = "{activation}"\n'
        f"W = {rows(linear.weight.detach().numpy())}\nb = {rows(linear.bias.detach().numpy())}\n"
        for linear, activation in zip((model[0], model[2]), activations, strict=True)
    )
    return (
        f'[data]\nkind = "inline"\nlayout = "rows"\nX = {rows(X)}\nY = {rows(Y)}\n'
        f'[network]\nweights = "out_in"\n{layers}[loss]\n{loss}\nl2 = {l2}\n'
    )


def model_of(features: int, hidden: int, outputs: int, seed: int) -> Any:
    torch.manual_seed(seed)
    made = torch.nn.Sequential(
        torch.nn.Linear(features, hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, outputs)
    )
    return made.double()


def compare(text: str, model: Any, loss: Any) -> None:
    """Loss and gradients, array for array as PyTorch has them: nothing is turned."""
    loss.backward()
    one = EvaluatedExperiment.of(parse_experiment(text, "test"))
    assert one.graph.loss.value.item() == pytest.approx(loss.item(), rel=1e-12)
    for number, linear in ((1, model[0]), (2, model[2])):
        found = {name: one.graph.nodes[Symbol(name, number)].grad for name in ("W", "b")}
        np.testing.assert_allclose(found["W"], linear.weight.grad.numpy(), rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(found["b"].ravel(), linear.bias.grad.numpy(), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_mse_loss_over_a_hundred_outputs_of_rows(seed: int):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((6, 3)), rng.standard_normal((6, 100))
    model = model_of(3, 4, 100, seed)
    loss = torch.nn.MSELoss()(model(torch.tensor(X)), torch.tensor(Y))
    settings = 'kind = "squared_error"\nhalf = false\noutputs = "mean"'
    compare(text_of(X, Y, model, ("tanh", "linear"), settings), model, loss)


@pytest.mark.parametrize("samples", ["mean", "sum"])
@pytest.mark.parametrize("seed", range(3))
def test_cross_entropy_over_rows(seed: int, samples: str):
    rng = np.random.default_rng(seed)
    X, classes = rng.standard_normal((7, 2)), rng.integers(0, 3, 7)
    model = model_of(2, 5, 3, seed)
    loss = torch.nn.CrossEntropyLoss(reduction=samples)(model(torch.tensor(X)), torch.tensor(classes))
    settings = f'kind = "cross_entropy"\nsamples = "{samples}"'
    compare(text_of(X, np.eye(3)[classes], model, ("tanh", "softmax"), settings), model, loss)


@pytest.mark.parametrize("seed", range(3))
def test_bce_of_rows_with_several_labels(seed: int):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((5, 2)), rng.integers(0, 2, (5, 3)).astype(float)
    model = model_of(2, 3, 3, seed)
    loss = torch.nn.BCEWithLogitsLoss()(model(torch.tensor(X)), torch.tensor(Y))
    settings = 'kind = "bce"\noutputs = "mean"'
    compare(text_of(X, Y, model, ("tanh", "sigmoid"), settings), model, loss)


def test_the_penalty_is_half_the_sum_of_squared_weights():
    rng = np.random.default_rng(1)
    X, Y = rng.standard_normal((5, 2)), rng.standard_normal((5, 2))
    model = model_of(2, 3, 2, 1)
    fit = 0.5 * ((model(torch.tensor(X)) - torch.tensor(Y)) ** 2).sum(dim=1).mean()
    penalty = 0.3 / 2 * sum((linear.weight**2).sum() for linear in (model[0], model[2]))
    text = text_of(X, Y, model, ("tanh", "linear"), 'kind = "squared_error"', 0.3)
    compare(text, model, fit + penalty)


def test_the_tanh_exercise_of_two_units_on_random_numbers():
    """(y − ŷ)² of a 2-2-1 network of tanh, for one sample after the other."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X, Y = rng.standard_normal((1, 2)), rng.choice([-1.0, 1.0], (1, 1))
        model = model_of(2, 2, 1, seed)
        loss = ((torch.tensor(Y) - torch.tanh(model(torch.tensor(X)))) ** 2).sum()
        compare(text_of(X, Y, model, ("tanh", "tanh"), 'kind = "squared_error"\nhalf = false'), model, loss)
