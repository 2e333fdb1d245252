"""A whole matrix's gradient: its formula, as Python with NumPy reads it, is the gradient; so is every worked entry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.autodiff.graph import Graph
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.targets import TargetError
from engine.derivation.whole_matrix import LONGEST, whole_matrix
from engine.experiment.loading import load_experiment
from engine.formula.expression import Partial, Symbol
from tests.engine.networks import Case, cases
from tests.engine.plain_form import names_of


class _By:
    """What ``dE/df[1]`` divides by: a matrix whose gradient is known."""

    def __init__(self, gradient: np.ndarray) -> None:
        self.gradient = gradient

    def __rtruediv__(self, _: object) -> np.ndarray:
        return self.gradient


def numpy_value(text: str, graph: Graph) -> Any:
    """What Python's own eval makes of a matrix formula, names without an index being NumPy matrices."""
    names = names_of(graph)
    names |= {"sum": np.sum, "indicator": lambda condition: np.asarray(condition, float), "abs": np.abs}
    names |= {"relu": lambda x: np.maximum(x, 0), "maximum": np.maximum, "minimum": np.minimum}
    names["erf"] = np.vectorize(__import__("math").erf, otypes=[float])
    for symbol, node in graph.nodes.items():
        by = _By(node.grad)
        if symbol.layer is None:
            names[f"d{symbol.name}"] = 1.0 if symbol == Symbol("E") else by
        else:
            names.setdefault(f"d{symbol.name}", {})[symbol.layer] = by
    with np.errstate(all="ignore"):
        return eval(text, {"__builtins__": {}}, names)


@given(cases(max_depth=4, max_width=3, max_n=3), st.data())
def test_the_formula_is_the_gradient(case: Case, data: st.DataObject) -> None:
    graph = case.graph()
    node = data.draw(st.sampled_from([n for n in graph.nodes.values() if n.needs_gradient and not n.scalar]))
    whole = whole_matrix(graph, node.symbol)
    assert whole.agrees
    assert whole.value is node.grad
    found = np.asarray(numpy_value(whole.formula.plain(), graph)).reshape(node.shape)
    np.testing.assert_allclose(found, node.grad, rtol=1e-7, atol=1e-9 * (1 + abs(node.grad).max()))
    assert all(line.agrees for line in whole.lines)
    assert whole.shapes[f"dE/d{node.symbol.plain()}"] == node.shape


@given(cases(max_depth=3, max_width=3, max_n=3), st.data())
def test_every_worked_entry_is_the_entry(case: Case, data: st.DataObject) -> None:
    graph = case.graph()
    node = data.draw(st.sampled_from([graph.nodes[name] for name in case.network.parameters]))
    whole = whole_matrix(graph, node.symbol)
    for row in range(node.shape[0]):
        entry = whole.entry((row, 0))
        assert entry.value == pytest.approx(node.grad[row, 0], rel=1e-9, abs=1e-12)
        assert entry.substituted.evaluate({}) == entry.value


def test_tutorial_a2_and_b() -> None:
    """A2: X (Ŷ − Y)ᵀ; B: the mask of the ReLU stands between."""
    assert formula("tutorial-a", "W", 1) == "X @ (Y_hat - Y).T"
    assert formula("tutorial-a-wine", "W", 1) == "X @ ((Y_hat - Y)/n).T"
    assert formula("tutorial-b", "W", 1) == "X @ (W[2] @ (Y_hat - Y) * indicator(f[1] > 0)).T"
    assert formula("tutorial-b", "W", 2) == "a[1] @ (Y_hat - Y).T"
    assert formula("xor", "b", 1) == "sum(W[2] @ ((Y_hat - Y)/n) * (1 - tanh(f[1])**2), axis=1)"


def formula(preset: str, name: str, layer: int) -> str:
    graph = EvaluatedExperiment.of(load_experiment(preset)).graph
    return whole_matrix(graph, Symbol(name, layer)).formula.plain()


@pytest.mark.parametrize("preset", ["vanishing-sigmoid-50", "residual-fork", "batch-norm"])
def test_what_leads_too_far_is_called_by_its_name(preset: str) -> None:
    text = formula(preset, "W", 1)
    assert "dE/d" in text
    assert len(text) <= LONGEST + 40


def test_another_output_is_differentiated_by_a_matrix_too() -> None:
    one = EvaluatedExperiment.of(load_experiment("tutorial-b")).differentiating(Symbol("Y_hat", None, (0, 0)))
    whole = whole_matrix(one.graph, Symbol("W", 1))
    assert whole.agrees
    assert all(isinstance(line.result, Partial) and line.result.of == whole.of for line in whole.lines)
    assert one.check_matrix(Symbol("W", 1)).passed


def test_an_entry_is_no_matrix() -> None:
    graph = EvaluatedExperiment.of(load_experiment("tutorial-b")).graph
    with pytest.raises(TargetError, match=r"^W\[1\]\[0,0\] is one number, not a matrix$"):
        whole_matrix(graph, Symbol("W", 1, (0, 0)))
