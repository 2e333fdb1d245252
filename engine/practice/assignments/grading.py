"""Grades answer files: one result for each question of an assignment and each file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.autodiff.graph import Graph
from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.loss import loss_op
from engine.derivation.chain_rule import explain
from engine.experiment.errors import ExperimentError
from engine.formula.expression import Symbol
from engine.formula.layout import one_line
from engine.formula.parser import ParseError, parse_symbol
from engine.model.network import LOSS, PREDICTION
from engine.practice.assignments.answers_file import load_answers
from engine.practice.assignments.assignment import Assignment, AssignmentQuestion
from engine.practice.bug_hunt.bug_hunt import BugHunt
from engine.practice.judging.number_answers import judge_number
from engine.practice.judging.shape_answers import judge_shape
from engine.practice.question.asked_target import AskedTarget
from engine.practice.verdict import Mistake, Verdict

MOST_FACTORS = 12
"""Of a longer path no factor is taken for the whole."""
NOT_ANSWERED = Verdict("unreadable", problem="not answered")


@dataclass(frozen=True)
class Result:
    """The result of one answer to one question: the verdict and the points."""

    question: str
    text: str
    answer: str
    verdict: Verdict
    points: float
    max_points: float
    file: str = ""


@dataclass(frozen=True)
class GradedFile:
    """The results of one answer file, or what is wrong with it."""

    file: str
    results: tuple[Result, ...]
    problem: str | None = None
    readable: bool = True

    @property
    def points(self) -> float:
        """The points that the file got."""
        return sum(result.points for result in self.results)

    @property
    def max_points(self) -> float:
        """The points that the file could get."""
        return sum(result.max_points for result in self.results)


def judge_question(question: AssignmentQuestion, text: str) -> Verdict:
    """Judges one answer to a question of an assignment."""
    match question.spec.kind:
        case "formula":
            return question.judge.judge(text)
        case "number":
            if (own := question.own_number) is not None:
                found = judge_number(
                    text, own.value, question.spec.tolerance, None, None, further=own.familiar()
                )
                return found.said_in(question.experiment.names)
            target = question.target if question.has_target else None
            graph = question.evaluated.graph if target is None or target.of is None else None
            named = None
            if target is None:
                named = question.spec.of and parse_symbol(question.spec.of, question.experiment.names)
            tolerance, further = question.spec.tolerance, _further(question, target)
            found = judge_number(text, question.number, tolerance, graph, target, named or LOSS, further)
            return found.said_in(question.experiment.names)
        case "shape":
            return judge_shape(text, question.node, question.evaluated.graph).said_in(
                question.experiment.names
            )
        case "bug":
            return judge_bug(question, text)


def _further(question: AssignmentQuestion, target: AskedTarget | None) -> Iterator[tuple[float, Mistake]]:
    """What a parameter is after a step, where its gradient is asked for, and each factor of the path by itself."""
    graph = question.evaluated.graph
    if target is not None:
        yield from _beside_a_kink(graph, target)
    if target is None or target.of is not None or target.sample is not None or target.wrt.index is None:
        return
    node, train = graph.nodes[target.wrt.matrix], question.experiment.train
    name = one_line(target.wrt)
    if node.op is None and train.optimizer == "sgd":
        after = float(node.value[target.wrt.index]) - train.learning_rate * question.number
        text = f"this is {name} after a step: its gradient is asked for"
        yield after, Mistake("extra", target.wrt.plain(), None, text)
    if target.wrt.matrix != PREDICTION:
        yield from _slope_once_more(graph, question.number)
    steps = explain(graph, target.wrt)
    if len(steps) <= MOST_FACTORS:
        for step in steps:
            text = f"this is one factor alone, {one_line(step.term.symbol)}"
            yield step.term.local, Mistake("missing", "", None, text)


def _beside_a_kink(graph: Graph, target: AskedTarget) -> Iterator[tuple[float, Mistake]]:
    """The slope of an activation on the other side of its kink, where what it is applied to is exactly there."""
    op = graph.nodes[target.of.matrix].op if target.of is not None and target.slope(graph) else None
    if not isinstance(op, Elementwise) or target.wrt.index is None:
        return
    place = float(op.inputs[0].value[target.wrt.index])
    if place not in op.function.kinks:
        return
    name = one_line(target.wrt)
    sides = []
    for side, step in (("right", 1e-9), ("left", -1e-9)):
        x = np.array([[place + step]])
        value, slope = np.empty_like(x), np.empty_like(x)
        op.function.value(x, value)
        op.function.derivative(x, value, slope)
        sides.append(float(slope[0, 0]))
        text = f"this is the slope {side} of {place:g}, and {name} is exactly {place:g}"
        yield sides[-1], Mistake("swapped", f"{sides[-1]:g}", None, text)
    text = f"this is the mean of both slopes beside {place:g}: one of the two is taken"
    yield sum(sides) / 2, Mistake("swapped", f"{sum(sides) / 2:g}", None, text)


def _slope_once_more(graph: Graph, truth: float) -> Iterator[tuple[float, Mistake]]:
    """The sigmoid's slope as a factor more, where Ŷ − Y has it already."""
    loss = loss_op(graph)
    if not isinstance(loss, BinaryCrossEntropy) or loss.inputs[0].value.size != 1:
        return
    prediction = float(loss.inputs[0].value[0, 0])
    text = "Ŷ(1 − Ŷ) is a factor too many: ∂ℰ/∂f = Ŷ − Y has it in it"
    for sign, also in ((1.0, ""), (-1.0, ", and the sign is wrong")):
        value = sign * truth * prediction * (1.0 - prediction)
        yield value, Mistake("extra", "Y_hat*(1 - Y_hat)", None, text + also)


def judge_bug(question: AssignmentQuestion, text: str) -> Verdict:
    """Judges where a planted bug was found: the name of the gradient that is sent wrongly."""
    hunt = BugHunt.planted(question.evaluated, question.spec.seed)
    try:
        marked = parse_symbol(text, question.experiment.names)
    except ParseError as error:
        return Verdict("unreadable", problem=error.problem, column=error.column)
    if marked.matrix not in question.evaluated.graph.nodes:
        return Verdict("unreadable", problem=f"there is no {text.strip()} in this network", column=1)
    plain = Symbol(marked.name, marked.layer).plain()
    if hunt.is_marked(marked.matrix):
        return Verdict("right", plain, marked.matrix, remarks=(hunt.told,))
    wrong = Mistake("unknown", plain, None, f"the gradient of {plain} is sent as it should be")
    return Verdict("wrong", plain, marked.matrix, mistakes=(wrong,))


def points_of(question: AssignmentQuestion, verdict: Verdict) -> float:
    """The points that a verdict is worth: all, none, or the share of right factors where the question says so."""
    spec = question.spec
    if verdict.verdict == "right":
        return spec.points
    return spec.points * float(spec.partial) * verdict.share


def grade(assignment: Assignment, answers: Mapping[str, str], file: str = "") -> GradedFile:
    """Grades one set of answers. An id that is no question is told as the file's problem."""
    results = []
    for question in assignment.questions:
        text = answers.get(question.id, "").strip()
        verdict = judge_question(question, text) if text else NOT_ANSWERED
        results.append(
            Result(
                question.id,
                question.spec.text,
                text,
                verdict,
                points_of(question, verdict),
                question.spec.points,
                file,
            )
        )
    unknown = [name for name in answers if assignment.question(name) is None]
    problem = f"{file}: {unknown[0]}: there is no question of this id" if unknown else None
    return GradedFile(file, tuple(results), problem)


def grade_files(assignment: Assignment, files: Iterable[Path]) -> Iterator[GradedFile]:
    """Grades answer files; a file that cannot be read fails alone."""
    for path in files:
        try:
            answers = load_answers(path, str(path))
        except ExperimentError as error:
            blank = tuple(
                Result(
                    question.id,
                    question.spec.text,
                    "",
                    Verdict("unreadable", problem=str(error)),
                    0.0,
                    question.spec.points,
                    str(path),
                )
                for question in assignment.questions
            )
            yield GradedFile(str(path), blank, str(error), readable=False)
        else:
            yield grade(assignment, answers, str(path))


def most_mistaken(files: Sequence[GradedFile], most: int = 5) -> list[str]:
    """The mistakes that were made most, with how often."""
    counted: dict[tuple[str, str], int] = {}
    for file in files:
        for result in file.results:
            for mistake in result.verdict.mistakes:
                key = (result.question, mistake.text)
                counted[key] = counted.get(key, 0) + 1
    if not counted:
        return []
    ordered = sorted(counted.items(), key=lambda item: -item[1])[:most]
    return ["", "Made most:", *(f"  {number}×  {question}: {text}" for (question, text), number in ordered)]
