"""The chain rule, taken apart: the gradient of the loss with respect to any scalar entry of any node.

    E ── Y_hat[0,0] ── f[2][0,0] ── a[1][1,0] ── f[1][1,0] ── W[1][1,1]
         step 1        step 2       step 3       step 4       step 5 (the target)

A derivation is a list of steps from the loss to the target along one path. Each step is one scalar with its
total gradient, and that gradient as a sum of terms, one for each consumer: ∂ℰ/∂v = Σ ∂ℰ/∂o · ∂o/∂v. Where there
are several terms the path goes through one of them, and the reader may follow another. Steps are made when
they are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import EVERY_COLUMN, Graph
from engine.autodiff.ops.loss import loss_op
from engine.derivation.edges import Edge
from engine.derivation.entry_ref import EntryRef
from engine.derivation.paths import StrongestPaths, running_products
from engine.derivation.sample_shares import (
    SampleShare,
    SampleShares,
    SharedTerm,
    sample_of,
    sample_shares,
    shared_term,
)
from engine.derivation.targets import TargetError, find_target
from engine.derivation.terms import Term, TermEdges, Terms
from engine.formula.expression import Expr, Symbol


@dataclass(frozen=True, slots=True)
class ChainRuleStep:
    """One step of a derivation: a scalar on the way from the loss to the target, and the terms of its gradient.

    `gradient` is its total ∂ℰ/∂node, the sum of all `terms`. The path goes through `terms[chosen]`; `running`
    is the product of the local derivatives along the path up to here. `simplification` holds formulas equal to
    the gradient, line by line, where there is a well-known simplification.
    """

    node: Symbol
    value: float
    gradient: float
    terms: Sequence[Term]
    chosen: int
    running: float
    simplification: tuple[Expr, ...] = ()

    @property
    def contributions(self) -> npt.NDArray[np.float64]:
        """The contribution of every term of the step; a weight has one for each sample."""
        if isinstance(self.terms, Terms):
            return self.terms.contributions
        return np.array([term.contribution for term in self.terms])

    @property
    def term(self) -> Term:
        """The term of the step that the path goes through."""
        return self.terms[self.chosen]


@dataclass(frozen=True, slots=True)
class TopPath:
    """One of the strongest paths: its scalars from the loss to the target, the product of its local
    derivatives, and its share of the sample's gradient (None where that is 0)."""

    nodes: tuple[Symbol, ...]
    value: float
    share: float | None


def explain(graph: Graph, target: Symbol, sample: int | None = None) -> Derivation:
    """The derivation of ∂ℰ/∂target after a forward and a backward pass of `graph`.

    `sample` picks the sample whose steps are shown where the target belongs to several (a weight, a bias); by
    default it is the one that contributes most. Raises TargetError for a target or a sample that is not there.
    """
    ref = find_target(graph, target)
    shares = sample_shares(graph, ref)
    if not shares:
        raise TargetError(f"{graph.differentiated.plain()} does not depend on {ref.symbol.plain()}")
    if sample is None:
        return Derivation(graph, ref, shares.largest, shares=shares)
    if not 0 <= sample < graph.n:
        raise TargetError(f"sample {sample} is not there: this batch has samples 0 to {graph.n - 1}")
    if shares.of(sample) is None:
        belonging = ref.symbol if ref.node.per_sample else graph.differentiated
        raise TargetError(f"{belonging.plain()} belongs to sample {shares[0].sample}, not to sample {sample}")
    return Derivation(graph, ref, sample, shares=shares)


class Derivation(Sequence[ChainRuleStep]):
    """The derivation of ∂ℰ/∂target along one path, as a sequence of steps from the loss to the target.

    Made by `explain`. It reads the values and gradients of the graph's last forward and backward pass, so make a
    new one after the next. `sample` is the one whose path is shown, where the target belongs to all of them.
    """

    def __init__(
        self,
        graph: Graph,
        target: EntryRef,
        sample: int,
        first: Edge | None = None,
        *,
        shares: SampleShares,
    ) -> None:
        self.graph = graph
        self.samples = shares
        """What each sample adds to the gradient."""
        self.sample = sample
        self._target = target
        self._strongest = StrongestPaths(graph, target.node, sample)
        self._counts = self._strongest.counts
        if first is None:
            own = EVERY_COLUMN if target.node.per_sample else slice(sample, sample + 1)
            first = self._strongest.strongest_edge(target, own)
        self._set_path(self._strongest.from_ref(target, first))

    def _set_path(self, upwards: list[Edge]) -> None:
        self._edges = upwards[::-1]  # from the loss to the target, as steps are read
        self._steps: dict[int, ChainRuleStep] = {}
        self._products: list[float] = []
        self._more_products = running_products(self.graph, self._edges)

    # ── the target and its batch ────────────────────────────────────────────────────────────────────

    @property
    def of(self) -> Symbol:
        """The scalar that is differentiated: the loss, unless the graph was cut."""
        return self.graph.differentiated

    @property
    def target(self) -> Symbol:
        """The entry that the derivation differentiates by."""
        return self._target.symbol

    @property
    def value(self) -> float:
        """The gradient ∂ℰ/∂target: the sum over all samples."""
        return self._target.gradient

    @property
    def n(self) -> int:
        """The number of samples."""
        return self.graph.n

    @cached_property
    def shared(self) -> SharedTerm | None:
        """The part of the gradient that belongs to no sample (the penalty's), if there is one."""
        return shared_term(self.graph, self._target)

    @property
    def sample_value(self) -> float:
        """The shown sample's share of the gradient."""
        return self._share.value

    def _edges_from(self, ref: EntryRef) -> TermEdges:
        """The edges from which some path leads on: all of them, where a loss is differentiated."""
        return TermEdges(self.graph, ref, self._counts)

    # ── the steps ───────────────────────────────────────────────────────────────────────────────────

    def __len__(self) -> int:
        return len(self._edges)

    @overload
    def __getitem__(self, index: int) -> ChainRuleStep: ...
    @overload
    def __getitem__(self, index: slice) -> list[ChainRuleStep]: ...
    def __getitem__(self, index: int | slice) -> ChainRuleStep | list[ChainRuleStep]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        if index not in self._steps:
            self._steps[index] = self._step(index)
        return self._steps[index]

    @property
    def path(self) -> tuple[Symbol, ...]:
        """The scalars along the path, the loss first and the target last."""
        return (self.of, *(edge.below.symbol for edge in self._edges))

    def edge(self, index: int) -> Edge:
        """The edge that the path takes at a step."""
        return self._edges[index]

    def _step(self, index: int) -> ChainRuleStep:
        taken = self._edges[index]
        ref = taken.below
        edges = self._edges_from(ref)
        running = self._running(index)
        lines: tuple[Expr, ...] = ()
        if taken.op.fused and (loss := loss_op(self.graph)) is not None:
            lines = tuple(loss.simplification(ref.entry))
        return ChainRuleStep(
            ref.symbol, ref.value, ref.gradient, Terms(edges), edges.place_of(taken), running, lines
        )

    def _running(self, index: int) -> float:
        while len(self._products) <= index:
            self._products.append(next(self._more_products))
        return self._products[index]

    def follow(self, index: int, term: int) -> Derivation:
        """The same derivation along another branch: through `terms[term]` at step `index`.

        The path from there to the target stays; from the branch to the loss it takes the strongest way. At the
        target itself this chooses another sample, where the target belongs to several.
        """
        ref = self._edges[index].below
        edge = self._edges_from(ref)[term]
        at_target = index == len(self) - 1
        sample = sample_of(self._target, edge.above.node, edge.above.entry[1]) if at_target else self.sample
        first = edge if at_target else self._edges[-1]
        sample = self.sample if sample is None else sample
        other = Derivation(self.graph, self._target, sample, first, shares=self.samples)
        other._set_path(self._edges[:index:-1] + other._strongest.from_ref(ref, edge))
        return other

    # ── all paths ───────────────────────────────────────────────────────────────────────────────────

    @property
    def path_count(self) -> int:
        """How many paths lead from the target to the loss through the shown sample."""
        return self._share.paths

    @property
    def _share(self) -> SampleShare:
        share = self.samples.of(self.sample)
        assert share is not None
        return share

    def top_paths(self, k: int = 5) -> list[TopPath]:
        """The `k` strongest paths of the shown sample, exactly, strongest first; none where every path is 0."""
        found = []
        for edges in self._strongest.best(self._edges_from(self._target).into_sample(self.sample), k):
            *_, value = running_products(self.graph, reversed(edges))
            nodes = (self.of, *(edge.below.symbol for edge in reversed(edges)))
            found.append(TopPath(nodes, value, value / self.sample_value if self.sample_value else None))
        return found
