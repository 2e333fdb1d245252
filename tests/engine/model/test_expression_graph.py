"""Typed expressions as graphs: published circuits, SymPy as a second opinion, and what is refused."""

from __future__ import annotations

import math

import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.derivation.chain_rule import explain
from engine.derivation.evaluated_expression import EvaluatedExpression
from engine.experiment.errors import ExperimentError
from engine.experiment.expression_spec import ExpressionExperiment, ExpressionTable
from engine.experiment.loading import load_any, load_experiment
from engine.experiment.presets import EXPRESSION_PRESETS
from engine.export.expression_tables import written_expression
from engine.formula.expression import Symbol
from engine.model.expression_graph import MOST_OPERATIONS, TypedExpression


def evaluated(formula: str, **values: float) -> EvaluatedExpression:
    table = ExpressionTable(formula=formula, values=values)
    return EvaluatedExpression.of(ExpressionExperiment(expression=table), "typed")


def preset(name: str) -> EvaluatedExpression:
    loaded = load_any(name)
    assert isinstance(loaded, ExpressionExperiment)
    return EvaluatedExpression.of(loaded, name)


def test_cs231n_sum_and_product() -> None:
    one = preset("circuit-sum-product")
    assert one.value == -12
    assert one.gradients() == {"x": -4, "y": -4, "z": 3}
    assert one.values() == {"x": -2, "y": 5, "z": -4, "q1": 3, "q2": -12}


def test_cs231n_maximum() -> None:
    one = preset("circuit-max")
    assert one.value == -20
    assert one.gradients() == {"x": -8, "y": 6, "z": 2, "w": 0}


def test_cs231n_neuron() -> None:
    one = preset("circuit-neuron")
    assert one.value == pytest.approx(0.731058578630005, rel=1e-14)
    slope = 0.196611933241482
    inputs = {"w0": -1, "x0": 2, "w1": -2, "x1": -3, "w2": 1}
    assert one.gradients() == pytest.approx({name: slope * by for name, by in inputs.items()}, rel=1e-13)


def test_understanding_deep_learning_notebook_7_1() -> None:
    one = preset("cosine-exponential-chain")
    assert one.values()["f3"] == pytest.approx(2.372, abs=5e-4)
    assert one.value == pytest.approx(0.139, abs=5e-4)
    published = {
        "beta0": 2.281, "beta1": -17.060, "beta2": -1.683, "beta3": 0.745,
        "omega0": 5.246, "omega1": -16.079, "omega2": -8.530, "omega3": 0.489,
    }  # fmt: skip
    found = one.gradients()
    assert {name: found[name] for name in published} == pytest.approx(published, abs=5e-4)


def test_micrograd_s_readme() -> None:
    one = preset("micrograd")
    assert one.value == pytest.approx(24.7041, abs=5e-5)
    assert one.gradients() == pytest.approx({"a": 138.8338, "b": 645.5773}, abs=5e-5)


@pytest.mark.parametrize("name", EXPRESSION_PRESETS)
def test_every_gradient_of_every_preset_is_checked_and_explained(name: str) -> None:
    one = preset(name)
    assert all(check.passed for check in one.check_parameters())
    for symbol in one.parameters:
        derivation = explain(one.graph, symbol)
        assert derivation.value == pytest.approx(one.gradients()[symbol.plain()], rel=1e-12)
        for step in derivation:
            assert step.gradient == pytest.approx(sum(term.contribution for term in step.terms), rel=1e-12)
            for term in step.terms:
                assert term.substituted.evaluate({}) == term.local


def test_a_shared_part_is_one_node_and_a_fork() -> None:
    one = evaluated("(x + y)*(x + y)", x=1.0, y=2.0)
    assert [op.output.symbol.plain() for op in one.graph.ops] == ["q1", "q2"]
    derivation = explain(one.graph, Symbol("x"))
    assert derivation.path_count == 2
    assert derivation.value == 6


def test_lines_with_names_and_semicolons() -> None:
    one = evaluated("h = sin(x); f = h*y + h", x=0.5, y=2.0)
    assert one.graph.differentiated == Symbol("f")
    assert one.values()["h"] == pytest.approx(math.sin(0.5))
    assert evaluated("h = x\n f = h*h", x=3.0).gradients() == {"x": 6.0}
    assert evaluated("unused = x*y\n f = y*2", x=3.0, y=1.0).gradients() == {"x": 0.0, "y": 2.0}


def test_names_are_case_sensitive_and_clash_with_nothing() -> None:
    one = evaluated("x*X + q1*2", x=2.0, X=3.0, q1=1.0)
    assert one.gradients() == {"x": 3.0, "X": 2.0, "q1": 2.0}
    assert explain(one.graph, Symbol("x")).value == 3.0


def test_minus_max_and_min() -> None:
    assert evaluated("-x**2", x=3.0).value == -9
    assert evaluated("-max(x, min(y, 2))", x=1.0, y=5.0).gradients() == {"x": 0.0, "y": 0.0}
    assert evaluated("x - -3*y", x=1.0, y=2.0).value == 7


leaf = st.sampled_from(["x", "y", "z", "2", "0.5", "3"])


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(
        lambda t: f"({t[0]} {t[1]} {t[2]})"
    )
    calls = st.tuples(st.sampled_from(["sin", "cos", "exp", "tanh"]), inner).map(lambda t: f"{t[0]}({t[1]})")
    return pairs | calls | inner.map(lambda text: f"(-{text})") | inner.map(lambda text: f"({text})**2")


@given(st.recursive(leaf, _joined, max_leaves=8))
def test_sympy_finds_the_same_value_and_gradients(formula: str) -> None:
    known = {"x": 0.7, "y": -1.3, "z": 0.4}
    names = {name: value for name, value in known.items() if name in formula.replace("exp", "")}
    assume(names and formula not in names)
    one = evaluated(formula, **names)
    tree = sympy.sympify(formula)
    expected = complex(tree.evalf(30, subs=names)).real
    assume(math.isfinite(one.value) and abs(one.value) < 1e6 and abs(expected) > 1e-9)
    assert one.value == pytest.approx(expected, rel=1e-9)
    for name, gradient in one.gradients().items():
        slope = complex(sympy.diff(tree, sympy.Symbol(name)).evalf(30, subs=names)).real
        assume(abs(slope) < 1e9)
        assert gradient == pytest.approx(slope, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize(
    ("formula", "values", "problem"),
    [
        ("", {}, "expression.formula: found nothing"),
        ("x +", {"x": 1}, "expression.formula: column 4: expected a number"),
        ("h = x;\nh = x*2", {"x": 1}, "line 2, h has a value already; each name is given one once"),
        ("x*y", {"x": 1}, "expression.values: missing the number of y"),
        ("x*2", {"x": 1, "y": 2}, "expression.values.y: is no name that the formula uses"),
        ("f = g*2; g = x", {"x": 1}, "g is used before it is computed"),
        ("W[1][0,0]*2", {}, "W[1][0,0]: a name in an expression has no index"),
        ("__import__('os')", {}, "column 1"),
        ("x.real", {"x": 1}, "column 2"),
        ("x", {"x": 1}, "the last line computes nothing"),
        ("2", {}, "the last line computes nothing"),
        ("2 + 3", {}, "the last line computes nothing"),
        ("indicator(x >= 1)*x", {"x": 1}, "expected > or <"),
        ("x*" * 6000 + "x", {"x": 1}, "expected at most 10000"),
        ("(" * 500 + "x" + ")" * 500, {"x": 1}, "nesting"),
        ("foo(x)", {"x": 1}, "unknown function"),
        ("lambda*2", {}, "reserved word"),
    ],
)
def test_what_is_no_expression_is_refused_in_one_line(
    formula: str, values: dict[str, float], problem: str
) -> None:
    with pytest.raises(ExperimentError) as caught:
        TypedExpression(formula, values, "typed").graph()
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_number_of_operations_is_bounded() -> None:
    formula = "+".join(f"x*{k}.5" for k in range(MOST_OPERATIONS // 2 + 100))
    assert len(formula) < 10_000 or formula  # what bounds it first does not matter
    with pytest.raises(ExperimentError):
        TypedExpression(formula, {"x": 1.0}, "typed").graph()


def test_a_network_s_command_says_that_it_takes_no_expression() -> None:
    with pytest.raises(ExperimentError, match=r"this is an expression, not a network"):
        load_experiment("micrograd")


@pytest.mark.parametrize(
    ("formula", "value", "gradients"),
    [
        ("x**(1/2)", 2.0, {"x": 0.25}),
        ("x*2**3", 32.0, {"x": 8.0}),
        ("2*3*x", 24.0, {"x": 6.0}),
        ("x*sqrt(4)", 8.0, {"x": 2.0}),
        ("x**(1-1)", 1.0, {"x": 0.0}),
        ("c = 1/2; d = 1/2; y = x**c + d", 2.5, {"x": 0.25, "c": 2 * math.log(4), "d": 1.0}),
    ],
)
def test_what_a_formula_works_out_of_numbers_alone_is_a_number_of_it(formula, value, gradients):
    one = evaluated(formula, x=4.0)
    assert one.value == pytest.approx(value)
    for name, gradient in gradients.items():
        node = one.graph.nodes[Symbol(name)]
        assert node.grad[0, 0] == pytest.approx(gradient)
    assert written_expression(one)
    assert one.check(Symbol("x")).relative_error < 1e-6
