"""One question about one experiment: the derivative asked for, and whether a formula is right at random networks.

    text ──read──> formula ──attempt──> its value and the truth at 64 networks, compared

What has been found out about the question is kept: the networks, the paths from the target to the loss.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.autodiff.graph import Graph
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.spec import BceLoss, CrossEntropyLoss
from engine.formula.expression import Symbol
from engine.formula.layout import one_line
from engine.practice.question.asked_target import AskedTarget
from engine.practice.question.comparison import Comparison, compare
from engine.practice.question.graph_values import graph_values
from engine.practice.question.nearby_matrices import near_matrices
from engine.practice.question.path_factors import Path, paths_of
from engine.practice.question.random_networks import Labels, NetworkEvidence, NetworkMaker
from engine.practice.reading.answer_reader import Answer, read_answer
from engine.practice.reading.batched_evaluation import Stack, evaluate
from engine.practice.reading.gradient_names import gradient_name
from engine.practice.reading.names_in_scope import Scope
from engine.practice.reading.unreadable import UnreadableError

LARGEST_KEPT = 20_000
"""So many numbers of one network are kept beside those that an answer names."""
SMALLEST_STEP = 1e-6
"""A step that is a smaller share of its parameter than this is lost in the rounding of their difference."""
ENOUGH = 32
"""At so many networks the truth must be something else than 0."""


@dataclass(frozen=True)
class AskedAttempt:
    """An answer of the right shape: its value and the truth at the networks, and how they compare."""

    evidence: NetworkEvidence
    value: Stack
    compared: Comparison

    @property
    def shows_enough(self) -> bool:
        """Whether the truth is something else than 0 at enough networks to call an agreement no accident."""
        return bool(self.compared.nonzero.sum() >= ENOUGH)


class AskedQuestion:
    """One target in one experiment, the names that an answer may use, and the networks it is tried at.

    `given` are earlier results that may be used; None for all between target and loss. Raises TargetError for a
    target that is not there.
    """

    def __init__(
        self,
        evaluated: EvaluatedExperiment,
        target: AskedTarget,
        given: Collection[Symbol] | None = (),
        seed: int = 0,
    ) -> None:
        self.evaluated, self.target, self.seed = evaluated, target, seed
        self.maker = NetworkMaker(evaluated, target, seed)
        graph = self.maker.graph
        if given is None:
            given = earlier_results(graph, target)
        self.scope = Scope.of(graph, given if target.of is None else (), target.slope(graph))
        rows, columns = target.shape(graph)
        known = self.scope.shapes[target.wrt.matrix] if target.is_matrix else None
        self.shape = known if known is not None else (rows, columns)
        self._evidence: dict[tuple[str, bool], NetworkEvidence] = {}

    @property
    def graph(self) -> Graph:
        """The graph that the random networks are made in."""
        return self.maker.graph

    def read(self, text: str) -> Answer:
        """Reads a typed formula, in the experiment's own letters or the canonical ones. Raises UnreadableError."""
        names = self.evaluated.names
        try:
            return read_answer(names.typed(text), self.scope)
        except UnreadableError as error:
            column = None if error.column is None else names.column(text.strip(), error.column)
            raise UnreadableError(error.problem, text, column) from None

    def attempt(self, answer: Answer) -> AskedAttempt | None:
        """An answer's value beside the truth; None if its shape is another. Raises UnreadableError, TooLargeError."""
        if not self.fits(answer):
            return None
        evidence = self.evidence(answer, self.labels)
        value = evaluate(answer.expr, evidence.names)
        return AskedAttempt(evidence, value, self.compared(value, evidence))

    def is_right(self, answer: Answer) -> bool:
        """Whether a formula is right, without a word about why it is not. Raises UnreadableError, TooLargeError."""
        attempt = self.attempt(answer)
        return attempt is not None and attempt.compared.agrees and attempt.shows_enough

    def is_right_here(self, answer: Answer) -> bool:
        """Whether a formula of the right shape has the truth's value at the experiment's own numbers."""
        value = evaluate(answer.expr, graph_values(self.own_graph, gradients=True))
        return compare(value, self.own_truth).agrees

    @cached_property
    def own_graph(self) -> Graph:
        """The graph of the target at the experiment's own numbers, after a forward and a backward pass."""
        graph = self.target.graph(self.evaluated.network, self.evaluated.data.X, self.evaluated.data.Y)
        graph.forward()
        graph.backward()
        return graph

    @property
    def own_truth(self) -> Stack:
        """The right answer at the experiment's own numbers, (1, rows, columns)."""
        return np.asarray(self.target.reader(self.own_graph)()[None], np.float64)

    def compared(self, value: Stack, evidence: NetworkEvidence) -> Comparison:
        """Compares an answer with the truth; of an update the steps are compared."""
        if not self.target.update:
            return compare(value, evidence.truth)
        start = self.before_step(evidence)
        truth = evidence.truth - start
        found = compare(value - start, truth)
        felt = np.abs(truth).max(axis=(1, 2)) > SMALLEST_STEP * np.abs(start).max(axis=(1, 2))
        return replace(found, counts=found.counts & felt, nonzero=found.nonzero & felt)

    def before_step(self, evidence: NetworkEvidence) -> Stack:
        """The parameter whose update is asked for, as it was."""
        symbol = self.target.wrt
        return evaluate(symbol, evidence.names)

    def about(self, target: AskedTarget) -> AskedQuestion:
        """Another question about the same experiment, with the same earlier results."""
        return AskedQuestion(self.evaluated, target, self.scope.given, self.seed)

    @cached_property
    def soft_labels(self) -> bool:
        """Whether the experiment's own labels are neither 0 nor 1, for a loss that takes such."""
        loss = self.evaluated.network.loss
        return (
            isinstance(loss, BceLoss | CrossEntropyLoss)
            and not np.isin(self.evaluated.data.Y, (0.0, 1.0)).all()
        )

    @property
    def labels(self) -> Labels:
        """The kind of labels that the random networks get: soft where the experiment's own are."""
        return "soft" if self.soft_labels else "hard"

    @cached_property
    def paths(self) -> list[Path] | None:
        """The paths from the target to the loss; None for matrices and updates, and where there are too many."""
        if self.target.update:
            return None
        return paths_of(self.graph, self.target)

    @cached_property
    def factors(self) -> int | None:
        """How many factors the answer has, as the tutorials count them."""
        if self.paths is None or len(self.paths) != 1:
            return None
        return sum(factor.counts for factor in self.paths[0])

    def fits(self, answer: Answer) -> bool:
        """Whether a formula has the target's shape; a single number may be written as a 1×1 matrix."""
        if answer.shape is None:
            return tuple(self.shape) == (1, 1)
        return tuple(answer.shape) == tuple(self.shape)

    def evidence(self, answer: Answer, labels: Labels, *, ones: bool = True) -> NetworkEvidence:
        """Values at random networks of what an answer names and of what is near it, and the truth.

        Kept: the networks are the same.
        """
        named = {symbol.matrix for symbol in answer.expr.symbols()}
        if self.target.update:
            named.add(self.target.wrt.matrix)
        known = self._evidence.get((labels, ones))
        if known is None or not named <= known.names.keys():
            wanted = (
                named | self.nearby | ({*known.names} & {*self.scope.shapes} if known is not None else set())
            )
            known = self.maker_again().evidence(labels, wanted, ones=ones)
            self._evidence[labels, ones] = known
        return known

    @cached_property
    def nearby(self) -> set[Symbol]:
        """The matrices of the target's layer and of its neighbours, with earlier results."""
        found = [
            self.graph.nodes[symbol]
            for symbol in near_matrices(self.graph, [self.target.wrt])
            if symbol in self.graph.nodes
        ]
        if sum(node.value.size for node in found) > LARGEST_KEPT:
            return set()
        near = {node.symbol for node in found}
        return near | {gradient_name(symbol) for symbol in self.scope.given & near}

    def maker_again(self) -> NetworkMaker:
        """The maker of random networks, begun anew: the same networks come again."""
        self.maker.restart()
        return self.maker

    @property
    def divides_by_n(self) -> bool:
        """Whether the loss is a mean over the samples and nothing else."""
        loss = self.evaluated.network.loss
        return getattr(loss, "samples", "mean") == "mean" and not getattr(loss, "l2", 0.0)

    def why_zero(self) -> str:
        """The reason for a truth that is 0 at every network."""
        steps = [
            op.inputs[0].symbol
            for op in self.graph.ops
            if getattr(getattr(op, "function", None), "name", "") == "step"
            and self.target.is_above(self.graph, op.output)
        ]
        if steps:
            return f"0 is right: the step function after {one_line(steps[0])} has slope 0 wherever it has one"
        samples = [
            one.index[1]
            if one is not None and one.index is not None and self.graph.nodes[one.matrix].per_sample
            else None
            for one in (self.target.wrt, self.target.of)
        ]
        if None not in samples and samples[0] != samples[1]:
            wrt, of = (one_line(one) for one in (self.target.wrt, self.target.of) if one is not None)
            return (
                f"0 is right: {wrt} belongs to sample {samples[0]} and {of} to sample {samples[1]}, "
                "and each sample goes through the network by itself"
            )
        return "0 is right: it does not depend on it here"


def earlier_results(graph: Graph, target: AskedTarget) -> list[Symbol]:
    """The earlier results that a question may build on: the gradients of the matrices between target and loss."""
    own = [target.wrt.matrix] if target.update else []
    return own + [
        node.symbol
        for node in graph.nodes.values()
        if node.needs_gradient and target.is_above(graph, node) and node is not graph.loss
    ]
