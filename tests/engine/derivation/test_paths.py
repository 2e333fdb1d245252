"""Paths from an entry to the loss, against enumerating every one of them."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.autodiff.graph import EVERY_COLUMN, Graph, Node
from engine.derivation.chain_rule import explain
from engine.derivation.paths import path_counts
from engine.experiment.spec import BceLoss, CrossEntropyLoss, LayerSpec, SquaredErrorLoss
from engine.formula.expression import Entry, Symbol
from engine.model.network import Network
from tests.engine.networks import Case, cases, is_unsaturated, is_well_conditioned

Path = tuple[tuple[str, ...], float]
"""The scalars from the loss to the target, and the product of the derivatives."""

MOST_PATHS = 2000


class Enumeration:
    """Every path to the loss, one by one."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._known: dict[tuple[int, Entry], list[Path]] = {}

    def paths(self, node: Node, entry: Entry) -> list[Path]:
        if node is self.graph.loss:
            return [(("E",), 1.0)]
        key = id(node), entry
        if key not in self._known:
            self._known[key] = list(self.through(node, entry, range(self.graph.n)))
        return self._known[key]

    def through(self, node: Node, entry: Entry, samples: range) -> Iterator[Path]:
        """The paths whose first step from `node` leads into one of these samples."""
        of_samples = any(op.output.per_sample for op, _ in node.consumers)
        for op, i in node.consumers:
            if of_samples and not (node.per_sample or op.output.per_sample):
                continue  # the penalty, which is of no sample
            for above, formula in op.local(i, entry):
                if node.per_sample or not op.output.per_sample or above[1] in samples:
                    partial = formula.evaluate(self.graph.value_of)
                    for nodes, value in self.paths(op.output, above):
                        yield (*nodes, node.entry(entry).plain()), value * partial


def any_target(data: st.DataObject, graph: Graph) -> tuple[Node, Entry]:
    nodes = [node for node in graph.nodes.values() if node.needs_gradient and node is not graph.loss]
    node = data.draw(st.sampled_from(nodes))
    return node, (data.draw(st.integers(0, node.shape[0] - 1)), data.draw(st.integers(0, node.shape[1] - 1)))


def as_paths(tops) -> list[Path]:
    return [(tuple(symbol.plain() for symbol in top.nodes), top.value) for top in tops]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@settings(max_examples=100)
@given(case=cases(max_depth=3, max_width=3, max_n=3), data=st.data())
def test_counts_and_strongest_paths_are_those_of_enumeration(dtype: str, case: Case, data: st.DataObject):
    graph = (case if dtype == "float64" else case.in_float32()).graph()
    # A float32 sweep orders paths that differ in the seventh digit as it likes.
    precision = 1e-9 if dtype == "float64" else 1e-4
    if dtype == "float32":
        assume(is_well_conditioned(case, margin=0.0, least_slope=5e-3, least_spread=0.05))
    node, entry = any_target(data, graph)
    assume(path_counts(graph)[id(node)] <= MOST_PATHS)
    assume(is_unsaturated(graph))
    every = Enumeration(graph)
    derivation = explain(graph, node.entry(entry))
    for share in derivation.samples:
        one = explain(graph, node.entry(entry), share.sample)
        expected = sorted(
            every.through(node, entry, range(share.sample, share.sample + 1)), key=lambda path: -abs(path[1])
        )
        value_of_path = dict(expected)
        assert len(value_of_path) == len(expected)
        assert one.path_count == share.paths == len(expected)
        assert math.fsum(value_of_path.values()) == pytest.approx(
            one.sample_value, rel=1e-9, abs=precision * sum(map(abs, value_of_path.values())) + 1e-300
        )

        # The path that is shown is the strongest there is.
        shown = tuple(symbol.plain() for symbol in one.path)
        assert value_of_path[shown] == pytest.approx(one[-1].running, rel=1e-12)
        assert abs(value_of_path[shown]) == pytest.approx(abs(expected[0][1]), rel=precision)

        # The five strongest, none twice, each with its own product, strongest first.
        tops = as_paths(one.top_paths(5))
        assert len({nodes for nodes, _ in tops}) == len(tops)
        for (nodes, value), (_, best) in zip(tops, expected, strict=False):
            assert value == pytest.approx(value_of_path[nodes], rel=1e-12)
            assert abs(value) == pytest.approx(abs(best), rel=precision)
        assert len(tops) == min(5, sum(value != 0.0 for value in value_of_path.values()))
        for top in one.top_paths(5):
            if one.sample_value:
                assert top.share == pytest.approx(top.value / one.sample_value, rel=1e-15)


@settings(max_examples=30)
@given(case=cases(max_depth=3, max_width=2, max_n=2), k=st.integers(1, 40))
def test_asking_for_more_paths_only_adds_weaker_ones(case: Case, k: int):
    graph = case.graph()
    derivation = explain(graph, Symbol("W", 1, (0, 0)))
    fewer, more = as_paths(derivation.top_paths(k)), as_paths(derivation.top_paths(k + 3))
    assert more[: len(fewer)] == fewer
    assert len(fewer) <= k


def deep(depth: int, width: int, n: int, residual: bool = False) -> Graph:
    rng = np.random.default_rng(11)
    layers = [LayerSpec(units=width, activation="tanh", residual=residual)] * depth + [LayerSpec(units=1)]
    parameters = {
        Symbol("W", number): rng.standard_normal((width, width)) / math.sqrt(width)
        for number in range(1, depth + 1)
    }
    parameters[Symbol("W", depth + 1)] = rng.standard_normal((width, 1))
    graph = Network(layers, parameters, SquaredErrorLoss()).graph(
        rng.standard_normal((width, n)), rng.standard_normal((1, n))
    )
    graph.forward()
    graph.backward()
    return graph


def test_paths_of_a_deep_network_are_counted_without_being_walked():
    derivation = explain(deep(depth=50, width=64, n=2), Symbol("W", 1, (0, 0)))
    assert derivation.path_count == 64**49  # one way into each unit of each of the 49 layers above
    assert [share.paths for share in derivation.samples] == [64**49, 64**49]
    assert len(derivation) == 103  # Ŷ, then f and a of each hidden layer and f of the last, then W


def test_every_residual_block_multiplies_the_paths():
    # At each unit of a block a path passes through every unit of the block above, or past it: 1 + width ways.
    derivation = explain(deep(depth=6, width=3, n=1, residual=True), Symbol("W", 1, (0, 0)))
    assert derivation.path_count == 4**5


def test_saturated_softmax_of_soft_labels_still_finds_the_strongest_path():
    """Ŷ has rounded to (1, 0, 0): of the three ways from f₀ the one by the largest label is the strongest."""
    parameters = {Symbol("W", 1): np.array([[900.0, -100.0, -200.0]])}
    graph = Network([LayerSpec(units=3, activation="softmax")], parameters, CrossEntropyLoss()).graph(
        np.array([[1.0]]), np.array([[0.2], [0.5], [0.3]])
    )
    graph.forward()
    graph.backward()
    derivation = explain(graph, Symbol("f", 1, (0, 0)))
    assert derivation.value == pytest.approx(0.8)
    assert [symbol.plain() for symbol in derivation.path] == ["E", "Y_hat[1,0]", "f[1][0,0]"]
    assert derivation[-1].running == pytest.approx(0.5)
    assert [top.value for top in derivation.top_paths()] == pytest.approx([0.5, 0.3])
    weight = explain(graph, Symbol("W", 1, (0, 1)))
    assert weight.value == pytest.approx(-0.5)
    assert [top.value for top in weight.top_paths()] == pytest.approx([-0.5])
    assert weight[-1].running == pytest.approx(-0.5)


def test_equally_strong_paths_are_found_one_by_one():
    """Equal weights everywhere: 3·3 paths of one strength, of which five are listed, each once."""
    layers = [
        LayerSpec(units=3),
        LayerSpec(units=3),
        LayerSpec(units=3),
        LayerSpec(units=1, activation="sigmoid"),
    ]
    widths = [1, 3, 3, 3, 1]
    parameters = {
        Symbol("W", number): np.full((widths[number - 1], widths[number]), 0.5) for number in range(1, 5)
    }
    graph = Network(layers, parameters, BceLoss()).graph(np.ones((1, 1)), np.ones((1, 1)))
    graph.forward()
    graph.backward()
    tops = explain(graph, Symbol("W", 1, (0, 1))).top_paths(100)
    assert len({top.nodes for top in tops}) == len(tops) == 9
    assert [top.share for top in tops] == pytest.approx([1 / 9] * 9)


@given(case=cases(max_n=3))
def test_ops_that_know_a_quicker_way_choose_the_same_entry(case: Case):
    graph = case.graph()
    rng = np.random.default_rng(0)
    for op in graph.ops:
        for i, node in enumerate(op.inputs):
            entry = (int(rng.integers(node.shape[0])), int(rng.integers(node.shape[1])))
            if op.fan_out(i) == 1:
                assert op.only_entry(i, entry) == next(reached for reached, _ in op.local(i, entry))
            beyond = rng.standard_normal(op.output.shape)
            found = op.strongest_entry(i, entry, beyond, EVERY_COLUMN)
            if found is not None:
                (rows, columns), values = op.local_values(i, entry, graph.value_of)
                with np.errstate(all="ignore"):
                    totals = np.fmax(np.log(np.abs(values)) + beyond[rows, columns], -np.inf)
                place = int(totals.argmax())
                assert found == (rows[place], columns[place])
