"""Judges an answer: reads it, compares it with the truth at random networks, and has its mistakes named.

text ──read──> formula ──64 networks──> right, with remarks
                                    └─> wrong, with a counterexample and its mistakes
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.formula.expression import Symbol
from engine.practice.judging.remarks_on_right_answers import remarks_on_right_answer
from engine.practice.judging.unnamed_mistake import unnamed_mistake
from engine.practice.judging.wrong_shape import wrong_shape
from engine.practice.mistakes.another_derivative import another_derivative
from engine.practice.mistakes.answers_to_another_question import for_one_label
from engine.practice.mistakes.name_mistakes import name_mistakes
from engine.practice.mistakes.naming_by_repair import mended
from engine.practice.question.asked_question import ENOUGH, AskedAttempt, AskedQuestion
from engine.practice.question.asked_target import AskedTarget
from engine.practice.question.comparison import compare
from engine.practice.question.random_networks import TooLargeError
from engine.practice.reading.answer_reader import Answer
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.reading.unreadable import UnreadableError
from engine.practice.verdict import Counterexample, Mistake, Verdict

UNCLEAR = "cannot tell: there are too few networks at which this gradient has a value other than 0"
HERE_ONLY = "it is right for the numbers of this experiment, and wrong for others"


class Judge:
    """Judges answers to one question about one experiment."""

    def __init__(
        self,
        evaluated: EvaluatedExperiment,
        target: AskedTarget,
        given: Collection[Symbol] | None = (),
        seed: int = 0,
    ) -> None:
        """`given` are earlier results that may be used. Raises TargetError for a target that is not there."""
        self.question = AskedQuestion(evaluated, target, given, seed)

    def judge(self, text: str) -> Verdict:
        """The verdict on a typed answer; never raises for what a learner can type."""
        return self._judged(text).said_in(self.question.evaluated.names)

    def follows(self, before: str, after: str) -> tuple[bool, Mistake | None]:
        """Whether two lines are equal at every network, and if not, the one change that makes them so.

        Raises UnreadableError and TooLargeError.
        """
        one, other = self.question.read(before), self.question.read(after)
        question = self.question
        question.evidence(one, question.labels)
        evidence = question.evidence(other, question.labels)
        value = np.broadcast_to(evaluate(one.expr, evidence.names), evidence.truth.shape)
        earlier = replace(evidence, truth=value)
        answer = evaluate(other.expr, evidence.names)
        if answer.shape[1:] == value.shape[1:] and compare(answer, value).agrees:
            return True, None
        return False, mended(self.question, other, earlier)

    def _judged(self, text: str) -> Verdict:
        try:
            answer = self.question.read(text)
            return self.judge_answer(answer)
        except UnreadableError as error:
            return Verdict("unreadable", problem=error.problem, column=error.column)
        except TooLargeError as error:
            return Verdict("unclear", remarks=(str(error),))

    def judge_answer(self, answer: Answer) -> Verdict:
        """The verdict on a formula that was understood. Raises UnreadableError and TooLargeError."""
        verdict = Verdict("right", answer.expr.plain(), answer.expr, factors=self.question.factors)
        attempt = self.question.attempt(answer)
        if attempt is None:
            return wrong_shape(self.question, answer, verdict)
        compared = attempt.compared
        if not compared.agrees:
            return self._wrong(answer, verdict, attempt)
        if not compared.nonzero.any():
            if not compared.counts.sum() >= ENOUGH:
                return replace(verdict, verdict="unclear", remarks=(UNCLEAR,), factors=None)
            return replace(verdict, remarks=(self.question.why_zero(),), right_factors=verdict.factors)
        if not attempt.shows_enough:
            return replace(verdict, verdict="unclear", remarks=(UNCLEAR,), factors=None)
        remarks = tuple(remarks_on_right_answer(self.question, answer, attempt.evidence))
        return replace(verdict, remarks=remarks, right_factors=verdict.factors)

    def _wrong(self, answer: Answer, verdict: Verdict, attempt: AskedAttempt) -> Verdict:
        """A wrong answer: the first network that shows it, and the mistakes."""
        question, evidence, compared = self.question, attempt.evidence, attempt.compared
        value = np.broadcast_to(attempt.value, evidence.truth.shape)
        worst = int(np.flatnonzero(compared.counts & ~compared.right)[0])
        counterexample = Counterexample(_shown(value[worst]), _shown(evidence.truth[worst]))
        named = name_mistakes(question, answer)
        here = [HERE_ONLY] if question.is_right_here(answer) else []
        remarks: list[str] = []
        mistakes: tuple[Mistake, ...]
        if named is None:
            mistakes = (unnamed_mistake(question, answer, attempt, here),)
        elif here and len(named.mistakes) > 1 and question.own_truth.any():
            # so many slips do not come to the right number
            label = for_one_label(question, answer.expr, evidence)
            mistakes = (label or unnamed_mistake(question, answer, attempt, here),)
        else:
            mistakes = named.mistakes
            remarks += here if question.own_truth.any() else []  # 0 for 0 says little of what was meant
        if (another := another_derivative(question, answer)) is not None:
            if named is None or named.ambiguous:
                mistakes = (another,)
            else:
                remarks.append(another.text)
        right = None
        if verdict.factors is not None and self.question.paths is not None:
            right = max(verdict.factors - (verdict.factors if named is None else named.lost), 0)
        return replace(
            verdict,
            verdict="wrong",
            mistakes=mistakes,
            remarks=tuple(remarks),
            right_factors=right,
            counterexample=counterexample,
        )


def _shown(value: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float | list[list[float]]:
    return float(value[0, 0]) if value.shape == (1, 1) else [[float(one) for one in row] for row in value]
