"""Experiment files for the tests to change, and what every refusal of one must look like."""

from __future__ import annotations

import pytest

from engine.experiment.errors import ExperimentError
from engine.experiment.loading import parse_experiment
from engine.formula.untrusted_text import is_plain

EXAMPLE = """
title = "One hidden layer"
seed = 0
dtype = "float64"

[data]
kind = "inline"
X = [[1.0], [0.5], [-1.2]]
Y = [[1]]
ones_row = false

[network]
bias = false
[[network.layers]]
units = 2
activation = "relu"
W = [[0.1,-0.4],[0.3,0.2],[-0.5,0.7]]
[[network.layers]]
units = 1
activation = "sigmoid"
[network.init]
scheme = "he"
gain = 1.0

[loss]
kind = "bce"
alpha = 1.0
beta = 1.0

[train]
optimizer = "sgd"
learning_rate = 0.1
batch = "full"
steps = 200
"""

TWO_SAMPLES = EXAMPLE.replace("X = [[1.0], [0.5], [-1.2]]", "X = [[1, 2], [3, 4], [5, 6]]").replace(
    "Y = [[1]]", "Y = [[1, 0]]"
)

SMALLEST = """
[data]
kind = "xor"
[[network.layers]]
units = 1
activation = "sigmoid"
[loss]
kind = "bce"
"""


def changed(old: str, new: str, text: str = EXAMPLE) -> str:
    """`text` with its one occurrence of `old` replaced: a test must not pass because nothing changed."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the text"
    return text.replace(old, new)


def without_weights(text: str) -> str:
    """`text` with the first layer left to the initialiser."""
    return changed("W = [[0.1,-0.4],[0.3,0.2],[-0.5,0.7]]\n", "", text)


def refusal(text: str) -> ExperimentError:
    """The error that `text` is refused with."""
    with pytest.raises(ExperimentError) as caught:
        parse_experiment(text, "lab.toml")
    assert_one_line(caught.value, "lab.toml")
    return caught.value


def assert_one_line(error: ExperimentError, source: str) -> None:
    """A refusal is one line of plain text that begins with the file it is about and ends with the problem."""
    assert error.source == source
    assert error.problem
    assert str(error).startswith(f"{source}: ")
    assert str(error).endswith(error.problem)
    assert error.key in str(error)
    assert is_plain(str(error))
    assert len(str(error).splitlines()) == 1
