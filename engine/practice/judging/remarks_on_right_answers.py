"""What is said of a right answer: why it is right only here, and what it would be in general.

right because labels are 0 or 1       right because n = 1       right because the slope is 1
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.spec import BceLoss, CrossEntropyLoss, LayerSpec
from engine.model.network import Network
from engine.practice.question.asked_question import AskedQuestion
from engine.practice.question.asked_target import ETA
from engine.practice.question.comparison import compare
from engine.practice.question.random_networks import NetworkEvidence, NetworkMaker
from engine.practice.reading.answer_reader import Answer
from engine.practice.reading.batched_evaluation import evaluate
from engine.practice.reading.gradient_names import is_gradient


def remarks_on_right_answer(
    question: AskedQuestion, answer: Answer, evidence: NetworkEvidence
) -> Iterator[str]:
    """Remarks on a right answer: why it is right only here, and what it would be in general."""
    loss = question.evaluated.network.loss
    names_labels = any(symbol.name == "Y" for symbol in answer.expr.symbols())
    takes_soft = isinstance(loss, BceLoss | CrossEntropyLoss) and question.target.of is None
    if takes_soft and names_labels and not question.soft_labels:
        soft = question.evidence(answer, "soft")
        if not question.compared(evaluate(answer.expr, soft.names), soft).agrees:
            yield "right because labels are 0 or 1 (then Y(1 − Y) = 0)"
    if question.maker.ones.size:
        other = question.evidence(answer, "hard", ones=False)
        if not question.compared(evaluate(answer.expr, other.names), other).agrees:
            rows = ", ".join(f"X[{row},k]" for row in question.maker.ones.tolist())
            yield f"right because {rows} is 1 in every sample here: in general it is a factor"
    if question.graph.n == 1 and question.target.of is None and question.divides_by_n:
        value = evaluate(answer.expr, evidence.constant("n", 3.0).names)
        start = question.before_step(evidence) if question.target.update else 0.0
        # An earlier result has its 1/n already.
        times = 1.0 if any(is_gradient(symbol) for symbol in answer.expr.symbols()) else 3.0
        if not compare((value - start) * times, evidence.truth - start).agrees:
            given = "the earlier result is divided by n already"
            mean = "with n samples it is divided by n, and summed over them for a weight"
            yield f"right because n = 1: {given if times == 1.0 else mean}"
    if question.target.update:
        value = evaluate(answer.expr, evidence.constant(ETA.name, 2.0 * (question.target.rate or 0.0)).names)
        start = question.before_step(evidence)
        if not compare(value - start, 2.0 * (evidence.truth - start)).agrees:
            yield f"right because η = {question.target.rate:g} here: in general it is a factor"
    yield from _variant_remarks(question, answer)


def _variant_remarks(question: AskedQuestion, answer: Answer) -> Iterator[str]:
    """Whether the answer holds for other class weights and other slopes."""
    for network, text in _variants(question.evaluated.network):
        data = question.evaluated.data
        other = EvaluatedExperiment(
            question.evaluated.experiment, data, network, network.graph(data.X, data.Y)
        )
        maker = NetworkMaker(other, question.target, question.seed)
        named = {symbol.matrix for symbol in (*answer.expr.symbols(), question.target.wrt)}
        evidence = maker.evidence(question.labels, named)
        if not question.compared(evaluate(answer.expr, evidence.names), evidence).agrees:
            yield text


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
