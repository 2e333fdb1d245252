"""Makes exercises by level: from one factor at one neuron to a deep net's weight, a fork, batch norm, softmax.

    level 1  one factor            ∂f[1][0,0]/∂W[1][2,0], one neuron
    level 2  one neuron            ∂ℰ/∂W[1][i,0], one sample or several
    level 3  one hidden layer      ∂ℰ/∂W[1][i,j], ∂ℰ/∂W[2], other activations and losses
    level 4  deep                  three or four layers, class weights, whole matrices
    level 5  everything            a residual fork, batch norm, softmax

The same seed gives the same exercises. Every one of them is a question of an assignment, with its network written out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

LEVELS = range(1, 6)
LARGEST_COUNT = 500
Table = dict[str, Any]


def exercises(seed: int, level: int, count: int) -> str:
    """Generates an assignment file with `count` exercises of a level.

    Raises ValueError for a level that is not there.
    """
    if level not in LEVELS:
        raise ValueError(f"found level {level}; expected 1 to 5")
    if not 1 <= count <= LARGEST_COUNT:
        raise ValueError(f"found {count} exercises; expected 1 to {LARGEST_COUNT}")
    questions = [question(seed, level, number) for number in range(count)]
    lines = [f'title = "Exercises, level {level}, seed {seed}"', ""]
    for one in questions:
        lines += ["[[question]]", *(f"{key} = {_toml(value)}" for key, value in one.items()), ""]
    return "\n".join(lines)


def question(seed: int, level: int, number: int) -> Table:
    """Generates one exercise."""
    rng = np.random.default_rng([seed, level, number])
    made = _MAKERS[level](rng)
    return {"id": f"s{seed}-l{level}-{number + 1}", "points": float(level), **made, "partial": 0.5}


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case dict():
            return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(_toml(one) for one in value) + "]"
    return repr(value)


# ── networks ────────────────────────────────────────────────────────────────────────────────────────


def _numbers(rng: np.random.Generator, rows: int, columns: int) -> list[list[float]]:
    """Magnitudes that are easy on paper, no two alike in a row."""
    values = (
        rng.permutation(np.arange(2, 20))[: rows * columns]
        if rows * columns <= 18
        else rng.integers(2, 20, rows * columns)
    )
    signs = np.where(rng.random(rows * columns) < 0.4, -1, 1)
    return [[float(one) / 10 for one in row] for row in (values * signs).reshape(rows, columns)]


def _layer(rng: np.random.Generator, fan_in: int, units: int, activation: str, **more: Any) -> Table:
    return {"units": units, "activation": activation, "W": _numbers(rng, fan_in, units), **more}


def _data(rng: np.random.Generator, features: int, n: int, labels: list[list[float]]) -> Table:
    X = _numbers(rng, features, n)
    X[0] = [1.0] * n
    return {"kind": "inline", "X": X, "Y": labels}


def _binary(rng: np.random.Generator, n: int) -> list[list[float]]:
    return [[float(one) for one in rng.integers(0, 2, n)]]


def _experiment(title: str, data: Table, layers: list[Table], loss: Table) -> Table:
    return {"title": title, "data": data, "network": {"layers": layers}, "loss": loss}


def _pick(rng: np.random.Generator, *options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def _weight(rng: np.random.Generator, layer: int, rows: int, columns: int) -> str:
    return f"W[{layer}][{int(rng.integers(rows))},{int(rng.integers(columns))}]"


# ── levels ──────────────────────────────────────────────────────────────────────────────────────────


def _one_factor(rng: np.random.Generator) -> Table:
    row = int(rng.integers(1, 3))
    data = _data(rng, 3, 1, _binary(rng, 1))
    factor, hint = _pick(
        rng,
        (f"f[1][0,0] / W[1][{row},0]", "f is a sum of products W times X; which of them has this W?"),
        (f"f[1][0,0] / X[{row},0]", "f is a sum of products W times X; which of them has this X?"),
        ("Y_hat[0,0] / f[1][0,0]", "the sigmoid's slope is made of its value"),
        ("E / Y_hat[0,0]", "the derivative of log x is 1/x"),
        ("E / f[1][0,0]", "two factors, of which much cancels"),
    )
    above, below = factor.split(" / ")
    return {
        "text": f"One factor: the derivative of {above} by {below}",
        "experiment": _experiment("One neuron", data, [_layer(rng, 3, 1, "sigmoid")], {"kind": "bce"}),
        "factor": factor,
        "hint": [hint],
    }


def _one_neuron(rng: np.random.Generator) -> Table:
    n = int(_pick(rng, 1, 2, 3))
    activation, loss = _pick(
        rng,
        ("sigmoid", {"kind": "bce"}),
        ("linear", {"kind": "squared_error"}),
        ("tanh", {"kind": "squared_error"}),
    )
    labels = _binary(rng, n) if loss["kind"] == "bce" else _numbers(rng, 1, n)
    wrt = _pick(rng, f"W[1][{int(rng.integers(1, 3))},0]", f"f[1][0,{int(rng.integers(n))}]")
    return {
        "text": f"One neuron, {n} sample{'s' if n > 1 else ''}: the gradient by {wrt}",
        "experiment": _experiment(
            "One neuron", _data(rng, 3, n, labels), [_layer(rng, 3, 1, activation)], loss
        ),
        "wrt": wrt,
        "hint": ["begin at the loss and go down factor by factor", "a weight's last factor is its input"],
    }


def _hidden_layer(rng: np.random.Generator) -> Table:
    activation = _pick(rng, "relu", "sigmoid", "tanh", "leaky_relu")
    loss, output = _pick(rng, ({"kind": "bce"}, "sigmoid"), ({"kind": "squared_error"}, "linear"))
    labels = _binary(rng, 1) if loss["kind"] == "bce" else _numbers(rng, 1, 1)
    layers = [_layer(rng, 3, 2, activation), _layer(rng, 2, 1, output)]
    wrt = _pick(
        rng, _weight(rng, 1, 3, 2), _weight(rng, 1, 3, 2), _weight(rng, 2, 2, 1), "a[1][1,0]", "f[1][0,0]"
    )
    return {
        "text": f"One hidden layer of {activation}: the gradient by {wrt}",
        "experiment": _experiment("One hidden layer", _data(rng, 3, 1, labels), layers, loss),
        "wrt": wrt,
        "hint": [
            "which unit does it feed, and where does that lead?",
            "the weight above is one of the factors",
        ],
    }


def _deep(rng: np.random.Generator) -> Table:
    depth = int(_pick(rng, 2, 3))
    activation = _pick(rng, "relu", "tanh", "sigmoid")
    loss: Table = _pick(rng, {"kind": "bce"}, {"kind": "bce", "alpha": 3.0, "beta": 0.5})
    n = int(_pick(rng, 1, 2))
    layers = [_layer(rng, 3, 2, activation)]
    layers += [_layer(rng, 2, 2, activation) for _ in range(depth - 1)]
    layers.append(_layer(rng, 2, 1, "sigmoid"))
    wrt = _pick(rng, f"W[{depth + 1}]", f"f[{depth}]", _weight(rng, depth, 2, 2), f"W[{depth}]")
    return {
        "text": f"{depth + 1} layers, n = {n}: the gradient by {wrt}",
        "experiment": _experiment("A deep network", _data(rng, 3, n, _binary(rng, n)), layers, loss),
        "wrt": wrt,
        "given": [f"f[{depth + 1}]"] if rng.random() < 0.3 else [],
        "hint": [
            "write δ = ∂ℰ/∂f of the layer above first",
            "W sends δ down, the activation's slope multiplies it",
        ],
    }


def _everything(rng: np.random.Generator) -> Table:
    kind = _pick(rng, "fork", "norm", "softmax")
    if kind == "fork":
        layers = [
            _layer(rng, 3, 2, "tanh"),
            _layer(rng, 2, 2, _pick(rng, "relu", "tanh"), residual=True),
            _layer(rng, 2, 1, "linear"),
        ]
        data, loss = _data(rng, 3, 1, _numbers(rng, 1, 1)), {"kind": "squared_error"}
        wrt = _pick(rng, "a[1][0,0]", "f[2][1,0]", _weight(rng, 2, 2, 2), "a[1]")
        title = "A residual fork"
    elif kind == "norm":
        layers = [_layer(rng, 3, 2, "tanh", norm="batch"), _layer(rng, 2, 1, "sigmoid")]
        data, loss = _data(rng, 3, 3, [[1.0, 0.0, 1.0]]), {"kind": "bce"}
        wrt = _pick(rng, "h[1][0,1]", "h[1]", _weight(rng, 2, 2, 1))
        title = "Batch norm"
    else:
        layers = [_layer(rng, 3, 2, "relu"), _layer(rng, 2, 3, "softmax")]
        hot = int(rng.integers(3))
        labels = [[float(row == hot)] for row in range(3)]
        data, loss = _data(rng, 3, 1, labels), {"kind": "cross_entropy"}
        wrt = _pick(rng, "f[2][1,0]", _weight(rng, 2, 2, 3), "W[2]", "a[1][0,0]", _weight(rng, 1, 3, 2))
        title = "Softmax"
    return {
        "text": f"{title}: the gradient by {wrt}",
        "experiment": _experiment(title, data, layers, loss),
        "wrt": wrt,
        "hint": ["how many ways lead from there to the loss?", "the gradient is the sum over all of them"],
    }


_MAKERS: dict[int, Callable[[np.random.Generator], Table]] = {
    1: _one_factor,
    2: _one_neuron,
    3: _hidden_layer,
    4: _deep,
    5: _everything,
}
