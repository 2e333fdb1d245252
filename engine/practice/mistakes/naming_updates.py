"""Names the mistakes of an updated parameter, W − η ∂ℰ/∂W: first those of the step, then those of its gradient.

W + η ∂ℰ/∂W           the step goes uphill
∂ℰ/∂W                 this is the gradient, and not what the step makes of W
W − η X @ (Y − Ŷ).T   (W − answer)/η is a gradient with a mistake, which is named as such
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from engine.formula.expression import Symbol
from engine.practice.mistakes.mistake import shown
from engine.practice.mistakes.naming_by_repair import name_by_repair
from engine.practice.mistakes.naming_on_paths import NamedOnPath
from engine.practice.question.asked_target import ETA
from engine.practice.question.comparison import CLOSE
from engine.practice.reading.answer_reader import Answer
from engine.practice.reading.batched_evaluation import Stack, evaluate
from engine.practice.verdict import Mistake

if TYPE_CHECKING:
    from engine.practice.question.asked_question import AskedQuestion


def name_update(
    question: AskedQuestion,
    answer: Answer,
    name_gradient: Callable[[AskedQuestion, Answer], NamedOnPath | None],
) -> NamedOnPath | None:
    """Names the mistakes of an answer to what a step makes of a parameter, or None."""
    evidence = question.evidence(answer, question.labels)
    value = np.broadcast_to(evaluate(answer.expr, evidence.names), evidence.truth.shape)
    start = question.before_step(evidence)
    rate = question.target.rate or 0.0
    gradient = (start - evidence.truth) / rate
    for there, mistakes in mistaken_steps(question.target.wrt, start, gradient, rate):
        if _close(value, there):
            return NamedOnPath((mistakes,))
    repaired = name_by_repair(question, answer)
    if repaired is not None and repaired.kind in ("sign", "missing", "extra"):
        return NamedOnPath(((repaired,),))
    gradient_answer = Answer((question.target.wrt - answer.expr) / ETA, answer.shape)
    named = name_gradient(question.about(question.target.gradient), gradient_answer)
    if named is not None:
        return named
    return NamedOnPath(((repaired,),)) if repaired is not None else None


def mistaken_steps(
    wrt: Symbol, start: Stack, gradient: Stack, rate: float
) -> Iterator[tuple[Stack, tuple[Mistake, ...]]]:
    """The results of update steps that are made wrongly, and which mistakes they come of."""
    name = shown(wrt)
    eta = Mistake("missing", ETA.plain(), None, "the factor η is missing")
    uphill = Mistake(
        "sign", "+", "-", f"the step goes uphill: the update is {name} − η ∂ℰ/∂{name}, with minus"
    )
    alone = Mistake("missing", wrt.plain(), None, f"this is the step alone: {name} itself is missing")
    step = rate * gradient
    yield gradient, (_instead(wrt, f"this is the gradient ∂ℰ/∂{name}: the update is {name} − η ∂ℰ/∂{name}"),)
    yield -gradient, (alone, eta)
    yield -step, (alone,)
    yield step, (alone, uphill)
    yield start, (_instead(wrt, f"this is {name} before the step"),)
    yield start + step, (uphill,)
    yield start - gradient, (eta,)
    yield start + gradient, (eta, uphill)
    for product in (rate * (start - gradient), rate * start - gradient):
        text = f"η is the factor of ∂ℰ/∂{name} alone, and not of {name}"
        yield product, (Mistake("swapped", ETA.plain(), None, text),)
    for product in ((start - rate) * gradient, start * step, start - rate):
        if product.shape == start.shape:
            text = f"the update is {name} − η ∂ℰ/∂{name}: η times the gradient is taken off {name}"
            yield product, (Mistake("swapped", ETA.plain(), None, text),)
    text = "the step is η times the gradient, and not the gradient divided by η"
    yield start - gradient / rate, (Mistake("swapped", f"1/{ETA.plain()}", ETA.plain(), text),)


def _instead(wrt: Symbol, text: str) -> Mistake:
    return Mistake("swapped", wrt.plain(), None, text)


def _close(one: Stack, other: Stack) -> bool:
    if not np.isfinite(one).all():
        return False
    return bool((np.abs(one - other) <= CLOSE * np.abs(other).max(axis=(1, 2), keepdims=True)).all())
