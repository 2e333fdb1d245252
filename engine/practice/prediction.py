"""A derivation whose factors are asked one after the other, and at the end the whole gradient.

    ∂ℰ/∂Ŷ₀₀ = ?   ∂Ŷ₀₀/∂f⁽²⁾₀₀ = ?   …   ∂ℰ/∂W⁽¹⁾₁₁ = ?

An answer may be a formula or a number; each question keeps whether it was answered, and at which try, or given up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from engine.autodiff.graph import Graph
from engine.derivation.chain_rule import Derivation
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.expression import Expr, Partial
from engine.model.expression_graph import TypedExpression
from engine.practice.judging.expression_judge import ExpressionJudge
from engine.practice.judging.judge import Judge
from engine.practice.judging.number_answers import judge_number
from engine.practice.mistakes.numbers_on_the_way import numbers_on_the_way
from engine.practice.question.asked_target import AskedTarget
from engine.practice.question.path_factors import paths_of
from engine.practice.reading.typed_number import is_number
from engine.practice.verdict import Verdict


class PredictionJudge(Protocol):
    """A judge of the formulas that answer one question."""

    def judge(self, text: str) -> Verdict:
        """The verdict on what was typed."""


@dataclass
class PredictionQuestion:
    """One question of a prediction: its name, its answer, and how it went."""

    name: Partial
    formula: Expr | None
    value: float
    target: AskedTarget
    tries: int = 0
    answered: bool = False
    given_up: bool = False

    @property
    def done(self) -> bool:
        """Whether it has been answered or given up."""
        return self.answered or self.given_up


@dataclass
class Prediction:
    """The questions of one derivation, factor by factor from the loss to the target, and the whole gradient last.

    `graph` has the present numbers, `names` what its quantities are called; `judge_of` makes a question's judge.
    """

    graph: Graph
    names: CourseNames
    derivation: Derivation
    questions: list[PredictionQuestion]
    judge_of: Callable[[PredictionQuestion], PredictionJudge]
    place: int = 0
    _judges: dict[int, PredictionJudge] = field(default_factory=dict)

    @classmethod
    def of(cls, evaluated: EvaluatedExperiment, derivation: Derivation) -> Prediction:
        """The questions about a derivation of the experiment's graph."""

        def judge(asked: PredictionQuestion) -> Judge:
            # What has been found already, the factors above, may be used by name as earlier results.
            return Judge(evaluated, asked.target, () if asked.formula is not None else None)

        return cls(evaluated.graph, evaluated.names, derivation, questions_of(derivation), judge)

    @classmethod
    def of_expression(cls, expression: TypedExpression, derivation: Derivation) -> Prediction:
        """The questions about a derivation of a typed expression's graph."""

        def judge(asked: PredictionQuestion) -> ExpressionJudge:
            return ExpressionJudge(expression, derivation.of, asked.target)

        return cls(derivation.graph, CANONICAL, derivation, questions_of(derivation), judge)

    @property
    def current(self) -> PredictionQuestion | None:
        """The question that is asked, or None at the end."""
        return self.questions[self.place] if self.place < len(self.questions) else None

    @property
    def right(self) -> int:
        """How many questions were answered rightly."""
        return sum(asked.answered for asked in self.questions)

    @property
    def at_once(self) -> int:
        """How many questions were answered at the first try."""
        return sum(asked.answered and asked.tries == 1 for asked in self.questions)

    def answer(self, text: str) -> Verdict:
        """Judges an answer to the current question; a right one goes on. What cannot be read is no try."""
        asked = self.current
        if asked is None:
            return Verdict("unclear", remarks=("there is nothing left to answer",))
        verdict = self.judge(self.place, text)
        if verdict.verdict in ("right", "wrong"):
            asked.tries += 1
        if verdict.verdict == "right":
            asked.answered = True
            self.place += 1
        return verdict

    def give_up(self) -> None:
        """Shows the answer of the current question and goes on."""
        if (asked := self.current) is not None:
            asked.given_up = True
            self.place += 1

    def judge(self, place: int, text: str) -> Verdict:
        """Judges an answer to one question: a number to its digits, a formula at random networks."""
        asked = self.questions[place]
        if is_number(text):
            whole = place == len(self.derivation)
            further = () if whole else numbers_on_the_way(self.derivation, place)
            found = judge_number(text, asked.value, None, self.graph, asked.target, further=further)
            return found.said_in(self.names)
        if place not in self._judges:
            self._judges[place] = self.judge_of(asked)
        return self._judges[place].judge(text)

    def solution(self, asked: PredictionQuestion) -> Expr | None:
        """The formula that is right, where it is one product."""
        if asked.formula is not None:
            return asked.formula
        from engine.practice.question.path_factors import product_of_path

        paths = paths_of(self.graph, asked.target)
        return product_of_path(paths[0]) if paths is not None and len(paths) == 1 else None


def questions_of(derivation: Derivation) -> list[PredictionQuestion]:
    """The questions of a derivation: one a factor, and where there are several the whole gradient last."""
    questions = []
    for step in derivation:
        term = step.term
        above = None if term.via == derivation.of else term.via
        target = AskedTarget(step.node, above, None, term.formula)
        questions.append(PredictionQuestion(term.symbol, term.formula, term.local, target))
    if len(questions) > 1:
        name = Partial(derivation.of, derivation.target)
        questions.append(PredictionQuestion(name, None, derivation.value, AskedTarget(derivation.target)))
    return questions
