"""Weights from a file: found by name or by order, turned where asked for, refused in one line where they do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.errors import ExperimentError
from engine.experiment.loading import parse_experiment
from engine.experiment.spec import Experiment
from engine.formula.expression import Symbol

W1 = np.array([[0.3, 0.2], [-0.1, 0.4], [0.7, 1 / 3]])
W2 = np.array([[0.5], [-0.3]])
B1, B2 = np.array([0.1, -0.2]), np.array([0.2])


def load(folder: Path, keys: str, layers: str = "") -> Experiment:
    text = f"""
[data]
kind = "inline"
X = [[0.5, 1.0], [-0.2, 0.1], [1.0, 2.0]]
Y = [[1.0, 0.0]]
{layers or "[[network.layers]]" + chr(10) + "units = 2" + chr(10) + 'activation = "tanh"'}
[[network.layers]]
units = 1
[network.init]
scheme = "file"
{keys}
[loss]
kind = "squared_error"
"""
    return parse_experiment(text, "lab.toml", folder)


def parameters(experiment: Experiment) -> dict[str, list[list[float]]]:
    network = EvaluatedExperiment.of(experiment).network
    return {symbol.plain(): value.tolist() for symbol, value in network.parameters.items()}


def in_out() -> dict[str, np.ndarray]:
    return {"W[1]": W1, "b[1]": B1[:, None], "W[2]": W2, "b[2]": B2[:, None]}


def test_bptuis_own_names_are_tried_first(tmp_path):
    np.savez(tmp_path / "m.npz", other=np.ones((9, 9)), **in_out())
    found = parameters(load(tmp_path, 'path = "m.npz"'))
    assert found == {"W[1]": W1.tolist(), "b[1]": [[0.1], [-0.2]], "W[2]": W2.tolist(), "b[2]": [[0.2]]}


@pytest.mark.parametrize("names", ["", 'names = ["fc1", "fc2"]'])
def test_a_pytorch_file_is_read_by_order_or_by_name_and_turned(tmp_path, names):
    numpy_writer = pytest.importorskip("safetensors.numpy", reason="needs safetensors, of the extra `test`")
    arrays = {"fc1.weight": W1.T.copy(), "fc1.bias": B1, "fc2.weight": W2.T.copy(), "fc2.bias": B2}
    numpy_writer.save_file(arrays, tmp_path / "m.safetensors")
    found = parameters(load(tmp_path, f'path = "m.safetensors"\nlayout = "out_in"\n{names}'))
    assert found["W[1]"] == W1.tolist()
    assert found["b[1]"] == [[0.1], [-0.2]]
    assert found["W[2]"] == W2.tolist()


def test_matrices_without_biases_are_taken_by_name_and_leave_layers_without(tmp_path):
    np.savez(tmp_path / "m.npz", second=W2, first=W1)
    found = parameters(load(tmp_path, 'path = "m.npz"\nnames = ["first", "second"]'))
    assert found == {"W[1]": W1.tolist(), "W[2]": W2.tolist()}


def test_a_layer_that_gives_its_own_weights_keeps_them(tmp_path):
    np.savez(tmp_path / "m.npz", **in_out())
    own = "[[network.layers]]\nunits = 2\nW = [[1, 2], [3, 4], [5, 6]]"
    assert parameters(load(tmp_path, 'path = "m.npz"', own))["W[1]"] == [[1, 2], [3, 4], [5, 6]]


def test_the_same_gradients_as_pytorchs_own_model(tmp_path):
    torch = pytest.importorskip("torch", reason="needs PyTorch, of the extra `torch`")
    writer = pytest.importorskip("safetensors.torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1)).double()
    writer.save_file(model.state_dict(), tmp_path / "m.safetensors")
    evaluated = EvaluatedExperiment.of(load(tmp_path, 'path = "m.safetensors"\nlayout = "out_in"'))
    X = torch.tensor(evaluated.data.X.T.copy())
    loss = 0.5 * ((model(X) - torch.tensor(evaluated.data.Y.T.copy())) ** 2).sum() / 2
    loss.backward()
    graph = evaluated.graph
    for layer, module in ((1, model[0]), (2, model[2])):
        np.testing.assert_allclose(
            graph.nodes[Symbol("W", layer)].grad.T, module.weight.grad.numpy(), rtol=1e-12
        )
        np.testing.assert_allclose(
            graph.nodes[Symbol("b", layer)].grad[:, 0], module.bias.grad.numpy(), rtol=1e-12
        )


@pytest.mark.parametrize(
    ("arrays", "keys", "told"),
    [
        (
            {},
            'path = "m.txt"',
            'lab.toml: network.init.path: found "m.txt"; expected a file named .npz or .safetensors',
        ),
        ({}, "", "lab.toml: network.init.path: missing; expected the path of a .npz or .safetensors file"),
        ({}, 'path = "none.npz"', "none.npz: no such file"),
        (
            {"a": W1, "b": W2},
            'path = "m.npz"\nnames = ["a"]',
            "lab.toml: network.init.names: found 1 name; expected 2, one for each layer",
        ),
        (
            {"a": W1, "bb": W2},
            'path = "m.npz"\nnames = ["a", "bc"]',
            'lab.toml: network.init.names[1]: found "bc"; expected an array of numbers in m.npz (it has "a" or "bb")',
        ),
        ({"a": W1}, 'path = "m.npz"', "m.npz: found 1 matrix; expected 2, one for each layer"),
        (
            {"a": W1.T, "b": W2},
            'path = "m.npz"',
            'm.npz: a: found 2 by 3; expected 3 by 2 for layer 1 (network.init.layout = "out_in" turns it)',
        ),
        (
            {"a": W1, "b": np.ones((5, 1))},
            'path = "m.npz"',
            "m.npz: b: found 5 by 1; expected 2 by 1 for layer 2",
        ),
        (
            {"a": W1 * np.nan, "b": W2},
            'path = "m.npz"',
            "m.npz: a: found numbers that are not finite; expected finite",
        ),
        (
            {"W[1]": W1, "W[2]": W2, "b[1]": np.ones(3)},
            'path = "m.npz"',
            "m.npz: b[1]: found 3 values; expected 2, one for each unit of layer 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(tmp_path, arrays, keys, told):
    if arrays:
        np.savez(tmp_path / "m.npz", **arrays)
    with pytest.raises(ExperimentError) as caught:
        load(tmp_path, keys)
    assert told in str(caught.value)


def test_its_keys_belong_to_the_scheme_file_only():
    text = (
        '[data]\nkind = "xor"\n[[network.layers]]\nunits = 1\nactivation = "sigmoid"\n[loss]\nkind = "bce"\n'
    )
    with pytest.raises(
        ExperimentError, match=r'network\.init\.names: found names for the scheme "he"; expected it with'
    ):
        parse_experiment(f'{text}[network.init]\nnames = ["a"]\n', "x")
