"""The derivative of another number than the loss: the backward pass begins there, and everything follows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.autodiff.graph import Graph
from engine.derivation.chain_rule import explain
from engine.derivation.edges import edges_from
from engine.derivation.entry_ref import EntryRef
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.gradcheck_in_float64 import check_target
from engine.derivation.paths import PathCounts
from engine.derivation.targets import TargetError
from engine.experiment.loading import load_experiment
from engine.formula.expression import Symbol
from tests.engine.networks import Case, cases
from tests.engine.plain_form import names_of, python_value

SMOOTH = ("linear", "sigmoid", "tanh", "softplus", "silu")


def drawn_output(data: st.DataObject, graph: Graph) -> Symbol:
    node = data.draw(st.sampled_from([op.output for op in graph.ops[:-1]]))
    rows, columns = node.shape
    return node.symbol.at((data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))))


def cut(case: Case, output: Symbol) -> Graph:
    return case.graph(of=output)


@given(cases(max_depth=3, max_width=3, max_n=3, activations=SMOOTH), st.data())
def test_every_gradient_agrees_with_central_differences(case: Case, data: st.DataObject) -> None:
    graph = cut(case, drawn_output(data, case.graph()))
    node = data.draw(
        st.sampled_from([n for n in graph.nodes.values() if n is not graph.loss and n.needs_gradient])
    )
    entry = tuple(data.draw(st.integers(0, size - 1)) for size in node.shape)
    check = check_target(case.network, graph, node.symbol.at(entry))
    assume(check.verdict != "suspicious")  # batch norm over nearly equal numbers
    assert check.passed, check


def paths_one_by_one(ref: EntryRef, graph: Graph) -> list[float]:
    """The product along every path, by walking them all."""
    if ref.node is graph.loss:
        return [1.0] if ref.entry == graph.seed else []
    found = []
    for edge in edges_from(ref):
        local = edge.formula.evaluate(graph.value_of)
        found += [local * beyond for beyond in paths_one_by_one(edge.above, graph)]
    return found


@given(cases(max_depth=2, max_width=3, max_n=2), st.data())
def test_paths_are_counted_and_the_strongest_are_found(case: Case, data: st.DataObject) -> None:
    graph = cut(case, drawn_output(data, case.graph()))
    node = data.draw(
        st.sampled_from([n for n in graph.nodes.values() if n is not graph.loss and n.needs_gradient])
    )
    entry = (data.draw(st.integers(0, node.shape[0] - 1)), data.draw(st.integers(0, node.shape[1] - 1)))
    products = paths_one_by_one(EntryRef(node, entry), graph)
    assume(len(products) < 500)
    if not products:
        with pytest.raises(TargetError, match="does not depend on"):
            explain(graph, node.symbol.at(entry))
        return
    derivation = explain(graph, node.symbol.at(entry))
    assert sum(share.paths for share in derivation.samples) == len(products)
    assert sum(share.value for share in derivation.samples) == pytest.approx(
        derivation.value, rel=1e-9, abs=1e-12
    )
    assert derivation.value == pytest.approx(sum(products), rel=1e-9, abs=1e-12)
    assert derivation.path[0] == graph.differentiated
    assert derivation[-1].running in [pytest.approx(product, rel=1e-9, abs=1e-300) for product in products]
    names = names_of(graph)
    for step in derivation:
        assert step.gradient == pytest.approx(
            sum(term.contribution for term in step.terms), rel=1e-9, abs=1e-12
        )
        for term in step.terms:
            assert python_value(term.formula.plain(), names) == pytest.approx(
                term.local, rel=1e-9, abs=1e-300
            )


@given(cases(max_depth=2, max_width=3, max_n=2), st.data())
def test_other_entries_of_what_is_differentiated_have_no_path(case: Case, data: st.DataObject) -> None:
    graph = cut(case, drawn_output(data, case.graph()))
    counts = PathCounts(graph)
    rows, columns = graph.loss.shape
    for entry in ((row, column) for row in range(rows) for column in range(columns)):
        assert counts.at(graph.loss, entry) == (entry == graph.seed)


def worked(name: str, output: str) -> EvaluatedExperiment:
    from engine.formula.parser import parse_symbol

    return EvaluatedExperiment.of(load_experiment(name)).differentiating(parse_symbol(output))


def test_tutorial_b_by_hand() -> None:
    """∂Ŷ/∂W[1]_11 = σ′(f[2]) W[2]_10 · 1 · X_10: the chain of B1 without the loss's own factor."""
    one = worked("tutorial-b", "Y_hat[0,0]")
    derivation = explain(one.graph, Symbol("W", 1, (1, 1)))
    prediction = one.graph.value_of(Symbol("Y_hat", None, (0, 0)))
    assert derivation.value == pytest.approx(prediction * (1 - prediction) * -0.8 * 0.5, rel=1e-14)
    assert [step.node.plain() for step in derivation] == ["f[2][0,0]", "a[1][1,0]", "f[1][1,0]", "W[1][1,1]"]


def test_one_sample_s_output_depends_on_that_sample_alone() -> None:
    one = worked("tutorial-a-wine", "Y_hat[0,5]")
    derivation = explain(one.graph, Symbol("W", 1, (1, 0)))
    assert [share.sample for share in derivation.samples] == [5]
    with pytest.raises(TargetError, match=r"^Y_hat\[0,5\] belongs to sample 5, not to sample 2$"):
        explain(one.graph, Symbol("W", 1, (1, 0)), 2)


def test_batch_norm_lets_every_sample_take_part() -> None:
    one = worked("batch-norm", "Y_hat[0,1]")
    assert len(explain(one.graph, Symbol("W", 1, (1, 1))).samples) == one.graph.n


def test_what_comes_after_is_no_target() -> None:
    one = worked("tutorial-b", "f[1][0,0]")
    for target, message in (
        (Symbol("W", 2, (0, 0)), "f[1][0,0] does not depend on W[2]"),
        (Symbol("W", 1, (0, 1)), "f[1][0,0] does not depend on W[1][0,1]"),
        (Symbol("f", 1, (1, 0)), "f[1] holds what is differentiated; choose what to differentiate it by"),
    ):
        with pytest.raises(TargetError) as caught:
            explain(one.graph, target)
        assert str(caught.value).startswith(message)


def test_a_fused_loss_no_longer_sends_past_the_output() -> None:
    one = worked("tutorial-b", "Y_hat[0,0]")
    np.testing.assert_array_equal(one.graph.nodes[Symbol("Y_hat")].grad, [[1.0]])
    assert one.graph.left_out == {Symbol("Y"), Symbol("E")}
