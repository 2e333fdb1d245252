"""What a typed target means in a graph: entries, whole matrices, digits at the end of a name, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from engine.autodiff.graph import Graph
from engine.derivation.targets import TargetError, find_output, find_target, resolve_target
from engine.experiment.spec import BceLoss, LayerSpec
from engine.formula.expression import Symbol
from engine.formula.parser import parse_symbol
from engine.model.network import Network
from tests.engine.networks import Case


@pytest.fixture
def graph() -> Graph:
    """3 → 2 → 1 with biases, two samples; W[1] is 3×2, W[2] is 2×1."""
    layers = [LayerSpec(units=2, activation="tanh"), LayerSpec(units=1, activation="sigmoid")]
    shapes = {("W", 1): (3, 2), ("b", 1): (2, 1), ("W", 2): (2, 1), ("b", 2): (1, 1)}
    parameters = {Symbol(name, layer): np.full(shape, 0.5) for (name, layer), shape in shapes.items()}
    return Case(Network(layers, parameters, BceLoss()), np.ones((3, 2)), np.ones((1, 2))).graph()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("W[1][1,1]", "W[1][1,1]"),
        ("W11", "W[1][1,1]"),  # W[2] has no column 1
        ("w21", "W[1][2,1]"),
        ("W110", "W[1][1,0]"),
        ("W210", "W[2][1,0]"),
        ("b200", "b[2][0,0]"),
        ("X21", "X[2,1]"),
        ("W1", "W[1]"),
        ("w2", "W[2]"),
        ("W1[2,0]", "W[1][2,0]"),
        ("W[2]", "W[2]"),
        ("x", "X"),
        ("W^{[1]}_{21}", "W[1][2,1]"),
        ("W[1][2][1]", "W[1][2,1]"),
    ],
)
def test_what_is_typed_means_one_thing(graph: Graph, typed: str, meant: str) -> None:
    assert resolve_target(graph, parse_symbol(typed)).plain() == meant


def test_what_may_mean_two_things_is_asked_back(graph: Graph) -> None:
    with pytest.raises(TargetError, match=r"^W00 may be W\[1\]\[0,0\] or W\[2\]\[0,0\]: say which$"):
        resolve_target(graph, Symbol("W00"))


@pytest.mark.parametrize("typed", ["W99", "W011", "q1", "W3"])
def test_digits_that_fit_nowhere_are_an_unknown_name(graph: Graph, typed: str) -> None:
    with pytest.raises(TargetError, match=f"^there is no {typed} in this network"):
        resolve_target(graph, Symbol(typed))


def test_an_entry_is_asked_for_where_one_number_is_needed(graph: Graph) -> None:
    with pytest.raises(TargetError, match=r"^W\[1\] is 3×2: say which entry, such as W\[1\]\[0,0\]$"):
        find_target(graph, Symbol("W", 1))


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        ("Y_hat[0,7]", r"^Y_hat\[0,7\] is outside Y_hat, which is 1×2$"),
        ("Y_hat", r"^Y_hat is 1×2: say which entry to differentiate, such as Y_hat\[0,0\]$"),
        (
            "W[1][0,0]",
            r"^cannot differentiate W\[1\]\[0,0\]: it is given, not computed; choose one of f\[1\]",
        ),
        ("q[1][0,0]", r"^cannot differentiate q\[1\]\[0,0\]: there is no such matrix in this network"),
    ],
)
def test_what_cannot_be_differentiated_is_refused_in_one_line(
    graph: Graph, output: str, problem: str
) -> None:
    with pytest.raises(TargetError, match=problem):
        find_output(graph, parse_symbol(output))


def test_the_loss_may_be_named_as_what_is_differentiated(graph: Graph) -> None:
    assert find_output(graph, Symbol("E")) == Symbol("E")
