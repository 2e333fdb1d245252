"""Find the bug: a backward pass in which one op slips; which one?

    every value and gradient of the spoiled pass  +  a gradient check of every op  ──>  the op that is wrong

The seed chooses the op and the slip. A hunt is only made where the check can see it: the spoiled op's own share
differs from its central difference, and no other op's does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.autodiff.graph import Array, Graph, Node
from engine.derivation.entry_ref import EntryRef
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.gradcheck import check_entry
from engine.derivation.targets import TargetError
from engine.formula.expression import Symbol
from engine.formula.layout import one_line
from engine.practice.bug_hunt.slip_table import PlantedSlip, places_for
from engine.practice.bug_hunt.slipping_backward_pass import (
    SlippingBackwardPass,
    op_central_differences,
    wants_gradient,
)

LARGEST = 400
"""Entries of a node that a hunt may have: a learner is to look at every array."""


@dataclass(frozen=True, eq=False)
class SentGradient:
    """The gradient that one op sends to one of its inputs: the arrays before and after, in the spoiled pass."""

    op_output: Symbol
    to: Symbol
    arriving: Array
    sent: Array
    numeric: Array
    agrees: bool

    @property
    def title(self) -> str:
        """The sent gradient as a title: ``∂ℰ/∂f⁽²⁾ → ∂ℰ/∂W⁽²⁾``."""
        return f"∂ℰ/∂{one_line(self.op_output)} → ∂ℰ/∂{one_line(self.to)}"


@dataclass(frozen=True, eq=False)
class BugHunt:
    """A bug hunt: one backward pass of one experiment with a bug planted in it."""

    graph: Graph
    bug: PlantedSlip
    seed: int

    @classmethod
    def planted(cls, evaluated: EvaluatedExperiment, seed: int) -> BugHunt:
        """Plants a bug by a seed. Raises TargetError where the network is too large, or nothing can go wrong in it."""
        graph = evaluated.graph
        if max(node.value.size for node in graph.nodes.values()) > LARGEST:
            raise TargetError("this network is too large for a bug hunt: every array has to be looked at")
        bugs = list(visible_bugs(graph))
        if not bugs:
            raise TargetError("in this network no slip would be seen")
        rng = np.random.default_rng(seed)
        # First the kind, then the place: kinds that fit many ops are not to be the rule.
        kinds = sorted({bug.slip.name for bug in bugs})
        kind = kinds[int(rng.integers(len(kinds)))]
        fitting = [bug for bug in bugs if bug.slip.name == kind]
        return cls(graph, fitting[int(rng.integers(len(fitting)))], seed)

    @cached_property
    def spoiled(self) -> SlippingBackwardPass:
        """The backward pass with the slip in it."""
        return SlippingBackwardPass(self.graph, (self.bug,))

    @property
    def marked(self) -> Symbol:
        """The gradient that is sent wrongly."""
        return self.bug.op.inputs[self.bug.i].symbol

    def is_marked(self, symbol: Symbol) -> bool:
        """Whether this is the gradient that is sent wrongly."""
        return symbol == self.marked

    @property
    def told(self) -> str:
        """The planted bug in a sentence."""
        return f"the bug is in ∂ℰ/∂{one_line(self.marked)}: {self.bug.mistake.text}"

    def gradient(self, node: Node) -> Array:
        """A node's gradient in the spoiled pass."""
        return self.spoiled.of(node)

    @property
    def wrong_parameters(self) -> list[Symbol]:
        """The parameters whose whole gradient is wrong: those below the bug, which an ordinary gradient check names."""
        return [
            node.symbol
            for node in self.parameters
            if not agree(self.gradient(node), self.central[node.symbol])
        ]

    @property
    def parameters(self) -> list[Node]:
        """The parameters of the graph: every leaf that training changes."""
        return [
            node
            for node in self.graph.nodes.values()
            if node.op is None and node.needs_gradient and not node.per_sample
        ]

    @cached_property
    def central(self) -> dict[Symbol, Array]:
        """The central differences of the loss by every parameter, (rows, columns)."""
        found: dict[Symbol, Array] = {}
        for node in self.parameters:
            slopes = np.empty(node.shape)
            for index in np.ndindex(*node.shape):
                slopes[index] = check_entry(self.graph, EntryRef(node, (index[0], index[1]))).numeric
            found[node.symbol] = slopes
        return found

    def steps(self) -> Iterator[SentGradient]:
        """The gradients that every op sends, from the loss down, with the central difference beside each."""
        for op in reversed(self.graph.ops):
            if id(op.output) not in self.spoiled.gradients:
                continue
            arriving = self.spoiled.gradients[id(op.output)]
            for i, node in enumerate(op.inputs):
                if not wants_gradient(node):
                    continue
                mine, numeric = self.spoiled.added[id(op), i], op_central_differences(op, node, arriving)
                yield SentGradient(
                    op.output.symbol, node.symbol, arriving, mine, numeric, agree(mine, numeric)
                )


def agree(gradient: Array, numeric: Array) -> bool:
    """Whether a gradient is what central differences say, as far as they can tell."""
    size = max(float(np.abs(numeric).max()), float(np.abs(gradient).max()), 1e-12)
    return bool(np.abs(gradient - numeric).max() <= 1e-5 * size)


def visible_bugs(graph: Graph) -> Iterator[PlantedSlip]:
    """Every slip that shows at the graph's present numbers: what its op sends is not what it should."""
    right = SlippingBackwardPass(graph)
    for bug in places_for(graph):
        if id(bug.op.output) not in right.gradients or not right.gradients[id(bug.op.output)].any():
            continue
        spoiled = SlippingBackwardPass(graph, (bug,))
        mine, wanted = spoiled.added[id(bug.op), bug.i], right.added[id(bug.op), bug.i]
        if not np.isfinite(mine).all():
            continue
        if np.abs(mine - wanted).max() > 1e-3 * max(float(np.abs(wanted).max()), 1e-9):
            yield bug
