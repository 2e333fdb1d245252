"""Names the mistakes of answers that have no single path: a whole matrix, or a sum over very many ways.

The answer is compared, at a few random networks, with what a backward pass gives in which one op slips, or two; with
that times n, 2, α, β or −1; and with the gradients of other matrices.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from engine.autodiff.graph import Array, Graph
from engine.formula.expression import Symbol
from engine.formula.layout import one_line
from engine.practice.bug_hunt.slip_table import PlantedSlip, places_for
from engine.practice.bug_hunt.slipping_backward_pass import SlippingBackwardPass
from engine.practice.mistakes.constant_factors import PathConstants, constant_mistakes
from engine.practice.mistakes.naming_on_paths import SIGN, NamedOnPath
from engine.practice.question.comparison import CLOSE
from engine.practice.question.graph_values import graph_values
from engine.practice.reading.answer_reader import Answer
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.reading.gradient_names import gradient_name
from engine.practice.verdict import Mistake

if TYPE_CHECKING:
    from engine.practice.question.asked_question import AskedQuestion

NETWORKS = 6
"""At so many random networks a candidate must agree; every entry of every one counts."""
MOST_SINGLE, MOST_PAIRS = 400, 700
PATIENCE = 0.25
"""Seconds of processor time that the search may take: a deep network has more candidates than anybody waits for."""


@dataclass(frozen=True)
class Candidate:
    """A candidate for a mistaken gradient: the slips of the backward pass that make it."""

    slips: tuple[PlantedSlip, ...]

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes of the candidate; the same slip in several layers is said once for each."""
        return tuple(dict.fromkeys(slip.mistake for slip in self.slips))


def name_by_backward_slips(
    question: AskedQuestion, answer: Answer, constants: PathConstants
) -> NamedOnPath | None:
    """Names the mistakes of an answer that one or two slips of a backward pass make."""
    if question.target.sample is not None:
        return None
    rounds = _BackwardSlipRounds(question, answer)
    if all(_close(value, truth) for value, truth in zip(rounds.values, rounds.truths, strict=True)):
        return None  # it is wrong, but not at these networks: they do not show where
    named = rounds.scaled(constants) or rounds.of_another(constants)
    if named is not None:
        return named
    slips = [slip for slip in places_for(question.graph) if rounds.reaches(slip)][:MOST_SINGLE]
    slips = rounds.mattering(slips)
    for candidates in (_singles(slips), _pairs(slips)):
        found = list(rounds.agreeing(candidates, constants))
        if found:
            return NamedOnPath(tuple(dict.fromkeys(found)))
    return None


def _singles(slips: Sequence[PlantedSlip]) -> list[Candidate]:
    """One slip at one op, or the same one at every op that it fits."""
    alone = [Candidate((slip,)) for slip in slips]
    kinds = {slip.slip.name: [one for one in slips if one.slip.name == slip.slip.name] for slip in slips}
    return alone + [Candidate(tuple(same)) for same in kinds.values() if len(same) > 1]


def _pairs(slips: Sequence[PlantedSlip]) -> list[Candidate]:
    pairs = [
        Candidate(pair)
        for pair in combinations(slips, 2)
        if (pair[0].op, pair[0].i) != (pair[1].op, pair[1].i)
    ]
    return pairs[:MOST_PAIRS]


class _BackwardSlipRounds:
    """The answer and the truth at a few networks, and the leaves to make these networks again."""

    def __init__(self, question: AskedQuestion, answer: Answer) -> None:
        self.question, self.answer = question, answer
        self.deadline = time.thread_time() + PATIENCE
        self.maker = question.maker_again()
        self.graph: Graph = self.maker.graph
        target = question.target
        self.node = self.graph.nodes[target.wrt.matrix]
        self.index = target.wrt.index
        self.start = target.end(self.graph)
        self.entry = (0, 0) if target.of is None or target.of.index is None else target.of.index
        # Nothing below the target has a part in its gradient.
        self.above = {
            op for op in self.graph.ops if op.output is self.start or target.is_above(self.graph, op.output)
        }
        # A slipping pass reads these, and what they were computed from; of a deep network that is little.
        read = dict.fromkeys(node for op in self.above for node in (*op.inputs, *op.reads, op.output))
        below = (node for one in read if one.op is not None for node in one.op.inputs)
        self.read = list(dict.fromkeys([*read, *below]))
        self.at: int | None = None
        """The network whose values are in the graph."""
        self.honest: dict[int, SlippingBackwardPass] = {}
        """The backward passes without a slip, by the number of their network."""
        self.leaves: list[list[Array]] = []
        self.values: list[Array] = []
        self.truths: list[Array] = []
        self.others: list[dict[Symbol, Array]] = []
        for number in range(NETWORKS):
            self.maker.draw("soft", number, ones=True)
            # At every other network a ReLU is off: a forgotten mask shows nowhere else.
            switches = self.maker.switches if number % 2 else []
            self.maker.fill(switches[number // 2 % len(switches)] if switches else None)
            self.graph.backward()
            self._keep()

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return time.thread_time() > self.deadline

    def _keep(self) -> None:
        self.leaves.append([node.value.copy() for node in self.read])
        names = graph_values(self.graph, gradients=True)
        truth = np.array(self.question.target.reader(self.graph)())
        value = np.array(np.broadcast_to(evaluate(self.answer.expr, names)[0], truth.shape))
        self.truths.append(truth)
        self.values.append(value)
        self.others.append(
            {
                node.symbol: node.grad.copy()
                for node in self.graph.nodes.values()
                if node.grad.shape == truth.shape and node is not self.graph.loss
            }
        )

    def _again(self, number: int) -> None:
        if number != self.at:
            for node, value in zip(self.read, self.leaves[number], strict=True):
                node.value[...] = value
        self.at = number

    def result(self, candidate: tuple[PlantedSlip, ...], number: int) -> Array:
        """The gradient that a slipping pass gives at one of the networks."""
        self._again(number)
        if number not in self.honest:
            self.honest[number] = self._pass(())
        found = self._pass(candidate, self.honest[number]).of(self.node)
        return found if self.index is None else found[self.index].reshape(1, 1)

    def _pass(
        self, slips: tuple[PlantedSlip, ...], honest: SlippingBackwardPass | None = None
    ) -> SlippingBackwardPass:
        return SlippingBackwardPass(self.graph, slips, self.start, self.entry, self.above, self.node, honest)

    def reaches(self, slip: PlantedSlip) -> bool:
        """Whether what a slip sends is on the way to the gradient that is asked for: not to another leaf."""
        node = slip.op.inputs[slip.i]
        return slip.op in self.above and (node.op is not None or node is self.node)

    def mattering(self, slips: Sequence[PlantedSlip]) -> list[PlantedSlip]:
        """Those that change the gradient that is asked for, as far as there is time to see it."""
        found: set[int] = set()
        for number in (0, 1, 3, 5):  # network by network: going to another means to bring back all its values
            for place, slip in enumerate(slips):
                if place in found or self.late:
                    continue
                if not _close(self.result((slip,), number), self.truths[number]):
                    found.add(place)
        return [slip for place, slip in enumerate(slips) if place in found]

    def ratio(self, results: Sequence[Array], values: Sequence[Array]) -> float | None:
        """The constant by which the answer differs from a candidate at every network, or None."""
        constant: float | None = None
        for result, value in zip(results, values, strict=True):
            if not np.isfinite(value).all():
                return None
            largest = np.unravel_index(int(np.abs(result).argmax()), result.shape)
            if result[largest] == 0.0:
                if value.any():
                    return None
                continue
            here = float(value[largest] / result[largest])
            constant = here if constant is None else constant
            if abs(here - constant) > CLOSE * abs(constant) or not _close(value, constant * result):
                return None
        return constant

    def scaled(self, constants: PathConstants) -> NamedOnPath | None:
        """The truth times a constant, or its transpose."""
        for transposed in (False, True):
            truths = [truth.T if transposed else truth for truth in self.truths]
            if transposed and (truths[0].shape != self.truths[0].shape or truths[0].size == 1):
                continue
            found = self._constants(self.ratio(truths, self.values), constants)
            if found and (transposed or found != [()]):
                name = self.question.target.plain()
                turned = Mistake(
                    "transposed",
                    self.answer.expr.plain(),
                    f"({self.answer.expr.plain()}).T",
                    f"it is the transpose of {name}",
                )
                return NamedOnPath(tuple((*((turned,) if transposed else ()), *one) for one in found))
        return None

    @staticmethod
    def _constants(ratio: float | None, constants: PathConstants) -> list[tuple[Mistake, ...]]:
        """A constant factor as mistakes; [] where it is none."""
        if ratio is None or ratio == 0.0:
            return []
        sign = (SIGN,) if ratio < 0 else ()
        return [(*scale, *sign) for scale in constant_mistakes(abs(ratio), constants)]

    def of_another(self, constants: PathConstants) -> NamedOnPath | None:
        """The gradient of another matrix of the same shape, or a multiple of it."""
        if self.index is not None:
            return None
        for symbol in self.others[0]:
            if symbol == self.node.symbol:
                continue
            results = [other[symbol] for other in self.others]
            if not results[0].any():
                continue
            found = self._constants(self.ratio(results, self.values), constants)
            if found:
                mine, wanted = gradient_name(symbol).plain(), gradient_name(self.node.symbol).plain()
                text = (
                    f"this is ∂ℰ/∂{one_line(symbol)}, one factor away from ∂ℰ/∂{one_line(self.node.symbol)}"
                )
                return NamedOnPath(tuple((Mistake("swapped", mine, wanted, text), *scale) for scale in found))
        return None

    def agreeing(
        self, candidates: Sequence[Candidate], constants: PathConstants
    ) -> Iterator[tuple[Mistake, ...]]:
        """The mistakes of every candidate that is the answer, up to a constant factor that has a name."""
        exact: list[tuple[Mistake, ...]] = []
        for candidate in candidates:
            if self.late:
                return
            ratio = self.ratio([self.result(candidate.slips, 0)], self.values[:1])
            if ratio is None:
                continue
            ratio = self.ratio(
                [self.result(candidate.slips, number) for number in range(NETWORKS)], self.values
            )
            for scale in self._constants(ratio, constants):
                if scale:
                    exact.append((*candidate.mistakes, *scale))
                else:
                    yield candidate.mistakes
                    return
        yield from exact[:1]


def _close(one: Array, other: Array) -> bool:
    return bool(
        np.abs(one - other).max(initial=0.0) <= CLOSE * max(float(np.abs(other).max(initial=0.0)), 1e-300)
    )
