"""Judges an answer: reads it, compares it with the truth at random networks, and has its mistakes named.

text ──read──> formula ──64 networks──> right, with remarks
                                    └─> wrong, with a counterexample and its mistakes
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import msgspec
import numpy as np

from engine.autodiff.graph import Graph
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.spec import BceLoss, CrossEntropyLoss, LayerSpec
from engine.formula.expression import Function, Symbol
from engine.formula.layout import one_line
from engine.model.network import Network
from engine.practice.mistakes.another_derivative import another_derivative
from engine.practice.mistakes.factors_between_numbers import names_of
from engine.practice.mistakes.formula_edits import places_of
from engine.practice.mistakes.naming_by_candidates import name_by_candidates
from engine.practice.mistakes.naming_by_repair import (
    for_one_label,
    mended,
    name_by_repair,
    name_missing_half_of_the_loss,
    near_matrices,
)
from engine.practice.mistakes.naming_on_paths import (
    NamedOnPath,
    PathConstants,
    atoms_of,
    name_on_path,
    name_on_paths,
    symbols_of,
)
from engine.practice.mistakes.naming_updates import name_update
from engine.practice.question.asked_target import ETA, AskedTarget
from engine.practice.question.path_factors import Path, paths_of
from engine.practice.question.random_networks import NetworkEvidence, NetworkMaker, TooLargeError
from engine.practice.reading.answer_reader import Answer, read_answer
from engine.practice.reading.batched_evaluation import Stack, evaluate
from engine.practice.reading.names_in_scope import Scope, gradient_name, is_gradient, shape_text
from engine.practice.reading.unreadable import UnreadableError
from engine.practice.verdict import Counterexample, Mistake, Verdict

CLOSE = 1e-9
"""An answer is right where it differs from the truth by at most this share of it."""
LARGEST_TRIED = 50_000
"""In networks of more numbers than this it is not tried out what the gradient depends on."""
MANY_PATHS = 4
"""Of more ways than these the one small change is looked for first."""
LARGEST_KEPT = 20_000
"""So many numbers of one network are kept beside those that an answer names."""
SMALLEST_STEP = 1e-6
"""A step that is a smaller share of its parameter than this is lost in the rounding of their difference."""
ENOUGH = 32
"""At so many networks the truth must be something else than 0."""


@dataclass(frozen=True)
class Comparison:
    """An answer beside the truth: which networks count, at which of them it is right, and where the truth is not 0."""

    counts: np.ndarray[tuple[int], np.dtype[np.bool_]]
    right: np.ndarray[tuple[int], np.dtype[np.bool_]]
    nonzero: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @property
    def agrees(self) -> bool:
        """Whether the answer is right wherever it counts."""
        return bool(self.right[self.counts].all())


def compare(answer: Stack, truth: Stack) -> Comparison:
    """An answer (networks or 1, rows, columns) against the truth (networks, rows, columns).

    Where both are undefined there is no evidence; an answer that is undefined where the truth is not is wrong.
    """
    answer = np.broadcast_to(answer, truth.shape)
    defined = np.isfinite(truth).all(axis=(1, 2))
    with np.errstate(all="ignore"):
        error = np.abs(answer - truth).max(axis=(1, 2))
        size = np.abs(truth).max(axis=(1, 2))
        right = error <= CLOSE * size
    both_undefined = ~defined & ~np.isfinite(answer).all(axis=(1, 2))
    return Comparison(
        np.asarray(~both_undefined), np.asarray(right & defined), np.asarray(defined & (size > 0))
    )


class Judge:
    """Judges answers to one question about one experiment; what it has found out about the question is kept.

    `given` are earlier results that may be used. Raises TargetError for a target that is not there.
    """

    def __init__(
        self,
        worked: EvaluatedExperiment,
        target: AskedTarget,
        given: Collection[Symbol] | None = (),
        seed: int = 0,
    ) -> None:
        self.worked, self.target, self.seed = worked, target, seed
        self.maker = NetworkMaker(worked, target, seed)
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
        """The formula that was typed, in the experiment's own letters or the canonical ones. Raises UnreadableError."""
        names = self.worked.names
        try:
            return read_answer(names.typed(text), self.scope)
        except UnreadableError as error:
            column = None if error.column is None else names.column(text.strip(), error.column)
            raise UnreadableError(error.problem, text, column) from None

    def judge(self, text: str) -> Verdict:
        """The verdict on what was typed; never raises for what a learner can type."""
        return self._judged(text).said_in(self.worked.names)

    def follows(self, before: str, after: str) -> tuple[bool, Mistake | None]:
        """Whether two lines are equal at every network, and if not, the one change that makes them so.

        Raises UnreadableError and TooLargeError.
        """
        one, other = self.read(before), self.read(after)
        labels = "soft" if self.soft_labels else "hard"
        self.evidence(one, labels)
        evidence = self.evidence(other, labels)
        value = np.broadcast_to(evaluate(one.expr, evidence.names), evidence.truth.shape)
        earlier = replace(evidence, truth=value)
        answer = evaluate(other.expr, evidence.names)
        if answer.shape[1:] == value.shape[1:] and compare(answer, value).agrees:
            return True, None
        return False, mended(self, other, earlier)

    def _judged(self, text: str) -> Verdict:
        try:
            answer = self.read(text)
            return self.judge_answer(answer)
        except UnreadableError as error:
            return Verdict("unreadable", problem=error.problem, column=error.column)
        except TooLargeError as error:
            return Verdict("unclear", remarks=(str(error),))

    def judge_answer(self, answer: Answer) -> Verdict:
        """The verdict on a formula that was understood. Raises UnreadableError and TooLargeError."""
        verdict = Verdict("right", answer.expr.plain(), answer.expr, factors=self.factors)
        if not self.fits(answer):
            return self.misshapen(answer, verdict)
        evidence = self.evidence(answer, "soft" if self.soft_labels else "hard")
        value = evaluate(answer.expr, evidence.names)
        compared = self.compared(value, evidence)
        if not compared.agrees:
            return self.wrong(answer, verdict, evidence, value, compared)
        if not compared.nonzero.any():
            if not compared.counts.sum() >= ENOUGH:
                return replace(verdict, verdict="unclear", remarks=(UNCLEAR,), factors=None)
            return replace(verdict, remarks=(self.why_zero(),), right_factors=verdict.factors)
        if compared.nonzero.sum() < ENOUGH:
            return replace(verdict, verdict="unclear", remarks=(UNCLEAR,), factors=None)
        return replace(verdict, remarks=tuple(self.remarks(answer, evidence)), right_factors=verdict.factors)

    def is_right(self, answer: Answer) -> bool:
        """Whether a formula that was understood is right, without a word about why it is not."""
        if not self.fits(answer):
            return False
        evidence = self.evidence(answer, "soft" if self.soft_labels else "hard")
        compared = self.compared(evaluate(answer.expr, evidence.names), evidence)
        return compared.agrees and bool(compared.nonzero.sum() >= ENOUGH)

    def compared(self, value: Stack, evidence: NetworkEvidence) -> Comparison:
        """An answer against the truth; of an update the steps are compared, beside which the parameter may be large."""
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

    def about(self, target: AskedTarget) -> Judge:
        """Who judges answers to another question about the same experiment, with the same earlier results."""
        return Judge(self.worked, target, self.scope.given, self.seed)

    # ── the question ────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def soft_labels(self) -> bool:
        """Whether the experiment's own labels are neither 0 nor 1, for a loss that takes such."""
        loss = self.worked.network.loss
        return (
            isinstance(loss, BceLoss | CrossEntropyLoss) and not np.isin(self.worked.data.Y, (0.0, 1.0)).all()
        )

    @cached_property
    def paths(self) -> list[Path] | None:
        """The ways from the target to the loss; None for matrices and updates, and where there are too many."""
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

    def evidence(self, answer: Answer, labels: str, *, ones: bool = True) -> NetworkEvidence:
        """Values of what the answer names, and of what is near it, and the truth. Kept: the networks are the same."""
        named = {symbol.matrix for symbol in answer.expr.symbols()}
        if self.target.update:
            named.add(self.target.wrt.matrix)
        known = self._evidence.get((labels, ones))
        if known is None or not named <= known.names.keys():
            wanted = (
                named | self.nearby | ({*known.names} & {*self.scope.shapes} if known is not None else set())
            )
            known = self.maker_again().evidence("soft" if labels == "soft" else "hard", wanted, ones=ones)
            self._evidence[labels, ones] = known
        return known

    @cached_property
    def nearby(self) -> set[Symbol]:
        """The matrices of the target's layer and those beside it, with earlier results, where they are no burden."""
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
        """The same networks from the beginning."""
        self.maker.restart()
        return self.maker

    # ── right, with remarks ─────────────────────────────────────────────────────────────────────────

    def remarks(self, answer: Answer, evidence: NetworkEvidence) -> Iterator[str]:
        """Why a right answer is right only here, and what it would be in general."""
        loss = self.worked.network.loss
        names_labels = any(symbol.name == "Y" for symbol in answer.expr.symbols())
        takes_soft = isinstance(loss, BceLoss | CrossEntropyLoss) and self.target.of is None
        if takes_soft and names_labels and not self.soft_labels:
            soft = self.evidence(answer, "soft")
            if not self.compared(evaluate(answer.expr, soft.names), soft).agrees:
                yield "right because labels are 0 or 1 (then Y(1 − Y) = 0)"
        if self.maker.ones.size:
            other = self.evidence(answer, "hard", ones=False)
            if not self.compared(evaluate(answer.expr, other.names), other).agrees:
                rows = ", ".join(f"X[{row},k]" for row in self.maker.ones.tolist())
                yield f"right because {rows} is 1 in every sample here: in general it is a factor"
        if self.graph.n == 1 and self.target.of is None and self.divides_by_n:
            value = evaluate(answer.expr, evidence.constant("n", 3.0).names)
            start = self.before_step(evidence) if self.target.update else 0.0
            # An earlier result has its 1/n already.
            times = 1.0 if any(is_gradient(symbol) for symbol in answer.expr.symbols()) else 3.0
            if not compare((value - start) * times, evidence.truth - start).agrees:
                given = "the earlier result is divided by n already"
                mean = "with n samples it is divided by n, and summed over them for a weight"
                yield f"right because n = 1: {given if times == 1.0 else mean}"
        if self.target.update:
            value = evaluate(answer.expr, evidence.constant(ETA.name, 2.0 * (self.target.rate or 0.0)).names)
            start = self.before_step(evidence)
            if not compare(value - start, 2.0 * (evidence.truth - start)).agrees:
                yield f"right because η = {self.target.rate:g} here: in general it is a factor"
        yield from self.variant_remarks(answer)

    @property
    def divides_by_n(self) -> bool:
        """Whether the loss is a mean over the samples and nothing else."""
        loss = self.worked.network.loss
        return getattr(loss, "samples", "mean") == "mean" and not getattr(loss, "l2", 0.0)

    def variant_remarks(self, answer: Answer) -> Iterator[str]:
        """Whether the answer holds for other class weights and other slopes."""
        for network, text in _variants(self.worked.network):
            data = self.worked.data
            other = EvaluatedExperiment(self.worked.experiment, data, network, network.graph(data.X, data.Y))
            maker = NetworkMaker(other, self.target, self.seed)
            named = {symbol.matrix for symbol in (*answer.expr.symbols(), self.target.wrt)}
            evidence = maker.evidence("soft" if self.soft_labels else "hard", named)
            if not self.compared(evaluate(answer.expr, evidence.names), evidence).agrees:
                yield text

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

    # ── wrong, with mistakes ────────────────────────────────────────────────────────────────────────

    def misshapen(self, answer: Answer, verdict: Verdict) -> Verdict:
        """A formula of another shape than what is asked for."""
        found, wanted = shape_text(answer.shape), shape_text(self.shape if self.target.is_matrix else None)
        text = f"it is {found}, and {self.target.plain()} is {wanted}"
        factors = None if verdict.factors is None else 0
        if (
            answer.shape is not None
            and tuple(answer.shape) == tuple(self.shape[::-1])
            and self.target.is_matrix
        ):
            evidence = self.evidence(answer, "soft" if self.soft_labels else "hard")
            value = np.swapaxes(evaluate(answer.expr, evidence.names), 1, 2)
            if compare(value, evidence.truth).agrees:
                text += ": it is the transpose of the right one"
            mistake = Mistake("transposed", answer.expr.plain(), f"({answer.expr.plain()}).T", text)
        else:
            right = self.what_is_right_in(answer)
            text, factors = text + right, None if right else factors  # its factors are right, all together
            mistake = Mistake("reduction", answer.expr.plain(), None, text)
        return replace(
            verdict,
            verdict="wrong",
            mistakes=(mistake,),
            right_factors=factors,
        )

    def what_is_right_in(self, answer: Answer) -> str:
        """Where a matrix holds the entry that is asked for, or becomes right when it is summed over the samples."""
        if answer.shape is None:
            return ""
        evidence = self.evidence(answer, "soft" if self.soft_labels else "hard")
        value = evaluate(answer.expr, evidence.names)
        if (index := self.target.wrt.index) is not None:
            row, column = index
            inside = row < value.shape[1] and column < value.shape[2]
            if inside and compare(value[:, row : row + 1, column : column + 1], evidence.truth).agrees:
                return f": its entry [{row},{column}] is the right one"
        elif self.shape == (value.shape[1], 1):
            summed = compare(value.sum(axis=2, keepdims=True), evidence.truth)
            return ": the sum over the samples is missing, sum(…, axis=1)" if summed.agrees else ""
        return ""

    def wrong(
        self, answer: Answer, verdict: Verdict, evidence: NetworkEvidence, value: Stack, compared: Comparison
    ) -> Verdict:
        """A wrong answer: the first network that shows it, and the mistakes."""
        value = np.broadcast_to(value, evidence.truth.shape)
        worst = int(np.flatnonzero(compared.counts & ~compared.right)[0])
        counterexample = Counterexample(_shown(value[worst]), _shown(evidence.truth[worst]))
        named = self.name(answer)
        remarks: list[str] = []
        if named is not None:
            mistakes = named.mistakes
            remarks += self.own_network(answer, even_if_zero=False)
            if remarks and len(mistakes) > 1:  # so many slips do not come to the right number
                label = for_one_label(self, answer.expr, evidence)
                mistakes, remarks = (label or self.unknown(answer, evidence, value, compared),), []
        else:
            mistakes = (self.unknown(answer, evidence, value, compared),)
        if (another := another_derivative(self, answer)) is not None:
            if named is None or named.ambiguous:
                mistakes = (another,)
            else:
                remarks.append(another.text)
        right = None
        if verdict.factors is not None and self.paths is not None:
            right = max(verdict.factors - (verdict.factors if named is None else named.lost), 0)
        return replace(
            verdict,
            verdict="wrong",
            mistakes=mistakes,
            remarks=tuple(remarks),
            right_factors=right,
            counterexample=counterexample,
        )

    def name(self, answer: Answer) -> NamedOnPath | None:
        """The mistakes, where they can be named."""
        if self.target.update:
            return name_update(self, answer)
        constants = PathConstants({**self.graph.constants, "2": 2.0}, self.n_too_many(answer))
        named = [symbol for symbol in dict.fromkeys(answer.expr.symbols()) if symbol.index is not None]
        if half := name_missing_half_of_the_loss(self, answer):
            return NamedOnPath((half,))
        mistake: Mistake | None = None
        if (
            self.paths is not None and len(self.paths) > MANY_PATHS
        ):  # to mend it is quicker than to take it apart
            mistake = name_by_repair(self, answer)
            if mistake is not None:
                return NamedOnPath(((mistake,),))
        if self.paths is not None and self.paths:
            evidence = self.naming_evidence(answer)
            value = np.broadcast_to(evaluate(answer.expr, evidence.names), evidence.truth.shape)
            single = len(self.paths) == 1
            found = (
                name_on_path(self.paths[0], value, evidence, constants, named)
                if single
                else name_on_paths(self.paths, value, evidence, constants, named)
            )
            if found is not None:
                return found
        found = name_by_candidates(self, answer, constants)
        if found is None:
            mistake = name_by_repair(self, answer)
        return NamedOnPath(((mistake,),)) if mistake is not None else found

    def naming_evidence(self, answer: Answer) -> NetworkEvidence:
        """Networks for the regression: soft labels, and at least twice as many as there are columns."""
        assert self.paths is not None
        named = {symbol.matrix for symbol in answer.expr.symbols()}
        columns = len(dict.fromkeys(atom for path in self.paths for atom in atoms_of(path)))
        for path in self.paths:
            named |= symbols_of(path)
        columns += len(set(answer.expr.symbols()))
        # Whoever writes an input that is always 1 has a reason: then it is told apart from others.
        ones = not any(
            symbol.name == "X" and (symbol.index is None or symbol.index[0] in self.maker.ones)
            for symbol in answer.expr.symbols()
        )
        return self.maker_again().evidence("soft", named, count=2 * columns + 24, ones=ones)

    def n_too_many(self, answer: Answer) -> int | None:
        """How many n the answer has too many as a factor, found by changing n alone; None where that says nothing."""
        if self.graph.n == 1 or self.target.of is not None or not self.divides_by_n:
            return None
        named = {symbol.matrix for symbol in answer.expr.symbols()}
        evidence = self.maker_again().evidence("soft", named, count=8, off=False)
        once = evaluate(answer.expr, evidence.names)
        more = evaluate(answer.expr, evidence.constant("n", 2.0 * self.graph.n).names)
        usable = np.isfinite(once) & np.isfinite(more) & (once != 0.0)
        if not usable.any():
            return None
        with np.errstate(all="ignore"):
            powers = np.log2(np.abs(np.broadcast_to(more, once.shape)[usable] / once[usable]))
        power = float(np.rint(powers[0]))
        return int(power) + 1 if np.abs(powers - power).max() < CLOSE else None

    def unknown(
        self, answer: Answer, evidence: NetworkEvidence, value: Stack, compared: Comparison
    ) -> Mistake:
        """What holds of an answer whose mistake has no name."""
        says = []
        undefined = (
            compared.counts
            & ~np.isfinite(value).all(axis=(1, 2))
            & np.isfinite(evidence.truth).all(axis=(1, 2))
        )
        if undefined.any():
            says.append("it has no value at some networks at which the gradient has one")
        both = compared.nonzero & ~undefined
        if not compared.nonzero.any():
            text = f"the gradient is 0 here: {self.why_zero().removeprefix('0 is right: ')}"
            return Mistake("unknown", answer.expr.plain(), "0", text)
        if not value.any():
            return Mistake("unknown", answer.expr.plain(), None, "it is 0, and the gradient is not")
        if not any(True for _ in answer.expr.symbols()):
            says = ["it is a number, and a formula is asked for, in the names of the network"]
            return Mistake(
                "unknown", answer.expr.plain(), None, "; ".join([*says, *self.own_network(answer)])
            )
        same_sign = np.sign(value[both]) == np.sign(evidence.truth[both])
        if both.any() and same_sign.all():
            says.append("its sign is right everywhere")
        elif both.any() and not same_sign.any():
            says.append("its sign is wrong everywhere")
        elif both.any():
            says.append("its sign is right at some networks and wrong at others")
        says += right_parts(value, evidence.truth, compared.counts)
        says += self.own_network(answer)
        says += self.dependence(answer)
        if any(isinstance(part, Function) and part.name == "log" for part, _ in places_of(answer.expr)):
            says.append("a logarithm is not differentiated: the derivative of log x is 1/x")
        text = "; ".join(["it is none of the usual mistakes", *says])
        return Mistake("unknown", answer.expr.plain(), None, text)

    def own_network(self, answer: Answer, *, even_if_zero: bool = True) -> list[str]:
        """Whether the answer is right at the experiment's own numbers; 0 for 0 says little of what was meant."""
        graph = self.target.graph(self.worked.network, self.worked.data.X, self.worked.data.Y)
        graph.forward()
        graph.backward()
        value = evaluate(answer.expr, names_of(graph, gradients=True))
        truth = np.asarray(self.target.reader(graph)()[None], np.float64)
        if compare(value, truth).agrees and (even_if_zero or truth.any()):
            return ["it is right for the numbers of this experiment, and wrong for others"]
        return []

    def dependence(self, answer: Answer) -> list[str]:
        """Which leaves the truth depends on and the answer does not, or the other way round."""
        if sum(node.value.size for node in self.graph.nodes.values()) > LARGEST_TRIED:
            return []
        wanted = self.depends_on()
        found = self.leaves_of(answer)
        if any(is_gradient(symbol) for symbol in answer.expr.symbols()):
            found |= wanted  # an earlier result depends on all that lies above
        missing, extra = sorted(wanted - found), sorted(found - wanted)
        says = []
        if missing:
            says.append(f"the gradient depends on {', '.join(missing[:4])}, and the answer does not")
        if extra:
            says.append(f"the answer depends on {', '.join(extra[:4])}, and the gradient does not")
        return says

    def depends_on(self) -> set[str]:
        """The leaves that the truth changes with, found by changing them."""
        return self.maker_again().dependence()

    def leaves_of(self, answer: Answer) -> set[str]:
        """The leaves that an answer changes with: those it names, and those that what it names is computed from."""
        found: set[str] = set()
        waiting = [
            self.graph.nodes[symbol.matrix]
            for symbol in answer.expr.symbols()
            if symbol.matrix in self.graph.nodes
        ]
        while waiting:
            node = waiting.pop()
            if node.op is None:
                found.add(node.symbol.plain())
            else:
                waiting += node.op.inputs
        return found


UNCLEAR = "cannot tell: there are too few networks at which this gradient has a value other than 0"


def right_parts(value: Stack, truth: Stack, counts: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[str]:
    """Which rows or columns of a wrong matrix are right at every network."""
    with np.errstate(all="ignore"):
        right = (np.abs(value - truth) <= CLOSE * np.abs(truth).max(axis=(1, 2), keepdims=True))[counts].all(
            axis=0
        )
    for name, rows in (("row", right.all(axis=1)), ("column", right.all(axis=0))):
        places = [str(place) for place in np.flatnonzero(rows)[:4]]
        if len(rows) > 1 and places:
            one = len(places) == 1
            return [f"its {name}{'' if one else 's'} {', '.join(places)} {'is' if one else 'are'} right"]
    return []


def earlier_results(graph: Graph, target: AskedTarget) -> list[Symbol]:
    """The matrices between target and loss: their gradients are earlier results; for an update its own is one."""
    own = [target.wrt.matrix] if target.update else []
    return own + [
        node.symbol
        for node in graph.nodes.values()
        if node.needs_gradient and target.is_above(graph, node) and node is not graph.loss
    ]


def _shown(value: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float | list[list[float]]:
    return float(value[0, 0]) if value.shape == (1, 1) else [[float(one) for one in row] for row in value]


def _variants(network: Network) -> Iterator[tuple[Network, str]]:
    """The same network with class weights that differ, and with a slope that is not 1."""
    loss = network.loss
    if isinstance(loss, BceLoss) and (loss.alpha is not None or loss.beta is not None):
        alpha, beta = (1.0 if one is None else one for one in (loss.alpha, loss.beta))
        other = msgspec.structs.replace(loss, alpha=2.5, beta=0.7)
        if alpha == beta:
            text = f"right because α = β{' = 1' if alpha == 1 else ''}"
            yield (
                replace(network, loss=other),
                f"{text}: in general α multiplies the term of Y, and β that of 1 − Y",
            )
        elif 1.0 in (alpha, beta):
            name = "α" if alpha == 1.0 else "β"
            yield (
                replace(network, loss=other),
                f"right because {name} = 1: in general it is a factor of its term",
            )
    if any(layer.activation == "leaky_relu" and layer.slope == 1.0 for layer in network.layers):
        layers: list[LayerSpec] = [
            msgspec.structs.replace(layer, slope=0.3)
            if layer.activation == "leaky_relu" and layer.slope == 1.0
            else layer
            for layer in network.layers
        ]
        yield (
            replace(network, layers=layers),
            "right because the slope is 1: in general 1{f > 0} + slope·1{f ≤ 0} is a factor",
        )
