"""Answers that are right, but not for what is asked: the function itself, the updated parameter, one label only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy
from engine.autodiff.ops.loss import loss_op
from engine.formula.expression import Expr, Negative, Number, Partial, Product, Quotient, Sum, Symbol, bare
from engine.model.network import PREDICTION, Y
from engine.practice.mistakes.formula_edits import unsigned
from engine.practice.mistakes.mistake import shown
from engine.practice.mistakes.naming_on_paths import SIGN
from engine.practice.question.comparison import CLOSE
from engine.practice.question.path_factors import output_error
from engine.practice.question.random_networks import NetworkEvidence
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.reading.unreadable import UnreadableError
from engine.practice.verdict import Mistake

if TYPE_CHECKING:
    from engine.practice.question.asked_question import AskedQuestion
    from engine.practice.reading.answer_reader import Answer
from engine.practice.mistakes.formula_repairs import MOST_ENTRIES


def name_missing_half_of_the_loss(question: AskedQuestion, answer: Answer) -> tuple[Mistake, ...]:
    """The mistake where one of the loss's two terms is missing: that of Y, or that of 1 − Y."""
    if question.paths is None or len(question.paths) != 1:
        return ()
    loss, path = loss_op(question.graph), question.paths[0]
    if not isinstance(loss, BinaryCrossEntropy):
        return ()
    evidence = question.evidence(answer, "soft")
    try:
        value = evaluate(answer.expr, evidence.names)
        for factor in path:
            if not {Y, PREDICTION} <= {symbol.matrix for symbol in factor.formula.symbols()}:
                continue  # the slope of a leaky ReLU or of tanh is a sum as well
            for left, gone in _halves(factor.formula):
                rest = Product((left, *(one.formula for one in path if one is not factor)))
                there = evaluate(rest, evidence.names)
                text = f"the term {shown(unsigned(gone))} is missing from {shown(factor.formula)}"
                missing = Mistake("path", gone.plain(), None, text)
                if np.allclose(value, there, rtol=CLOSE, atol=0):
                    return (missing,)
                if np.allclose(value, -there, rtol=CLOSE, atol=0):
                    return (missing, SIGN)
    except (KeyError, ValueError, UnreadableError):
        return ()
    return ()


def _halves(formula: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Each term of a sum of two, and the one that is then gone; Ŷ − Y as −Y(1 − Ŷ) + (1 − Y)Ŷ."""
    whole = bare(formula)
    under: Expr = Number(1.0)
    if isinstance(whole, Quotient):
        under, whole = whole.denominator, bare(whole.numerator)
    if not isinstance(whole, Sum) or len(whole.terms) != 2:
        return
    first, second = map(bare, whole.terms)
    label = unsigned(second)
    if isinstance(first, Symbol) and first.matrix == PREDICTION and isinstance(label, Symbol):
        first, second = Negative(label * (1 - first)), (1 - label) * first
    for left, gone in ((first, second), (second, first)):
        yield Quotient(left, under), gone


def undifferentiated(question: AskedQuestion, expr: Expr, evidence: NetworkEvidence) -> Mistake | None:
    """The mistake of an answer that is the function itself, and not its derivative."""
    of, loss = question.target.of, question.graph.ops[-1]
    whole: Expr = loss.formula((0, 0)) if of is None else of
    if of is None and question.graph.n * loss.inputs[0].shape[0] > MOST_ENTRIES:
        return None
    try:
        value, there = evaluate(expr, evidence.names), evaluate(whole, evidence.names)
        same = np.allclose(value, there, rtol=CLOSE, atol=0)
        if not same and of is None and value[0].size > 1:  # ℰ, sample by sample
            same = np.allclose(value.sum(axis=(1, 2), keepdims=True), there, rtol=CLOSE, atol=0)
    except (KeyError, ValueError, UnreadableError):
        return None
    if not same:
        return None
    name = shown(question.graph.loss.symbol if of is None else of)
    return Mistake("unknown", expr.plain(), None, f"this is {name} itself, and not its derivative")


def updated_parameter(question: AskedQuestion, expr: Expr, evidence: NetworkEvidence) -> Mistake | None:
    """The mistake of an answer that is the parameter after a step, where its gradient is asked for."""
    target = question.target
    if target.update or target.of is not None or target.wrt not in set(expr.symbols()):
        return None
    try:
        step = evaluate(target.wrt, evidence.names) - evaluate(expr, evidence.names)
    except (KeyError, ValueError, UnreadableError):
        return None
    if step.shape != evidence.truth.shape or not np.isfinite(step).all():
        return None
    with np.errstate(all="ignore"):
        ratio = np.abs(step).max() / np.abs(evidence.truth).max()
    if not ratio or not np.allclose(
        step, ratio * evidence.truth, rtol=CLOSE, atol=CLOSE * np.abs(step).max()
    ):
        return None
    name = shown(target.wrt)
    text = f"this is {name} after a step: the gradient ∂ℰ/∂{name} alone is asked for"
    return Mistake("extra", target.wrt.plain(), None, text)


def of_another_output(question: AskedQuestion, expr: Expr, evidence: NetworkEvidence) -> Mistake | None:
    """The mistake of an answer that is a whole gradient, where one factor is asked for; or the other way round."""
    target = question.target
    if target.of is None and target.wrt.matrix == PREDICTION:
        slope = target.wrt * (1 - target.wrt)
        try:
            if np.allclose(
                evaluate(expr, evidence.names), evaluate(slope, evidence.names), rtol=CLOSE, atol=0
            ):
                text = f"this is the slope of the sigmoid, and not {shown(Partial(Symbol('E'), target.wrt))}"
                return Mistake("swapped", slope.plain(), target.plain(), text)
        except (KeyError, ValueError, UnreadableError):
            return None
    if target.of is None or target.wrt.index is None:
        return None
    for index in dict.fromkeys(one.index for one in expr.symbols() if one.matrix == PREDICTION):
        prediction, label = (Symbol(one.name, None, index) for one in (PREDICTION, Y))
        error = output_error(loss_op(question.evaluated.graph), prediction, label)
        for whole in (error, error / Symbol("n")):
            try:
                value, there = evaluate(expr, evidence.names), evaluate(whole, evidence.names)
            except (KeyError, ValueError, UnreadableError):
                continue
            if np.allclose(value, there, rtol=CLOSE, atol=0):
                deepest = max(symbol.layer or 0 for symbol in question.graph.nodes)
                other = shown(Symbol("f", deepest, index))
                text = f"this is ∂ℰ/∂{other}: asked for is the one factor {shown(Partial(target.of, target.wrt))}"
                return Mistake("swapped", f"dE/d{Symbol('f', deepest, index).plain()}", target.plain(), text)
    return None


def for_one_label(question: AskedQuestion, expr: Expr, evidence: NetworkEvidence) -> Mistake | None:
    """The mistake of an answer that is right for one of the two labels only: −1/Ŷ, which is right where Y = 1."""
    labels = evidence.names.get(Y)
    if labels is None or labels[0].size != 1 or not isinstance(loss_op(question.graph), BinaryCrossEntropy):
        return None
    try:
        value = np.broadcast_to(evaluate(expr, evidence.names), evidence.truth.shape)
    except (KeyError, ValueError, UnreadableError):
        return None
    with np.errstate(all="ignore"):
        error = np.abs(value - evidence.truth).max(axis=(1, 2))
        right = error <= CLOSE * np.abs(evidence.truth).max(axis=(1, 2))
    for label, other in ((1.0, 0.0), (0.0, 1.0)):
        here = labels[:, 0, 0] == label
        if here.any() and right[here].all() and evidence.truth[here].any():
            text = f"this is right where Y = {label:g}, and not where Y = {other:g}: Y has to stand in it"
            return Mistake("missing", Y.plain(), None, text)
    return None
