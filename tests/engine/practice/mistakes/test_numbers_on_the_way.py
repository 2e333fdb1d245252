"""A number that the derivation shows elsewhere is told for what it is, and is not called a mystery."""

from __future__ import annotations

import pytest

from engine.derivation.chain_rule import explain
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.targets import resolve_target
from engine.experiment.loading import load_experiment
from engine.formula.parser import parse_symbol
from engine.practice.mistakes.numbers_on_the_way import numbers_on_the_way
from engine.practice.prediction import Prediction

B = EvaluatedExperiment.of(load_experiment("tutorial-b"))
DERIVATION = explain(B.graph, resolve_target(B.graph, parse_symbol("W[1][1,1]")))
PREDICTION = Prediction.of(B, DERIVATION)


@pytest.mark.parametrize(
    ("place", "typed", "said"),
    [
        (0, "0.6549", "this is ℰ itself, and no derivative"),
        (1, "-0.4805", "this is the product so far, ∂ℰ/∂f⁽²⁾₀₀: the factor alone is asked for"),
        (2, "0.54", "this is a⁽¹⁾₁₀ itself, and no derivative"),
        (2, "0.2496", "this is ∂Ŷ₀₀/∂f⁽²⁾₀₀, another factor than the one that is asked for"),
        (2, "0.8", "the sign is wrong"),
        (3, "0", "the mask is the wrong way round: look at the sign of f⁽¹⁾₁₀"),
    ],
)
def test_what_was_given_in_place_of_the_factor_is_said(place, typed, said):
    verdict = PREDICTION.judge(place, typed)
    assert verdict.verdict == "wrong"
    assert [one.text for one in verdict.mistakes] == [said]


@pytest.mark.parametrize("place", range(len(DERIVATION)))
def test_every_number_is_what_it_is_said_to_be(place):
    graph = B.graph
    held = {float(graph.value_of(symbol)) for symbol in DERIVATION.path if symbol != graph.loss.symbol}
    held |= {float(graph.loss.value[0, 0])} | {step.running for step in DERIVATION}
    held |= {step.term.local for step in DERIVATION} | {1.0 - step.term.local for step in DERIVATION}
    numbers = list(numbers_on_the_way(DERIVATION, place))
    assert len(numbers) >= len(DERIVATION)
    assert {number for number, _ in numbers} <= held


@pytest.mark.parametrize(
    "typed",
    ["-1.925*0.2496*-0.8*1*0.5", "-0.4805*(-0.8)*0.5", "-0.4805*-0.8*0.5", "0.3844/2", "0.19"],
)
def test_the_product_of_the_screen_s_own_numbers_is_right(typed):
    """0.8 and 0.5 are what they say; of −1.925 and 0.2496 four digits are known."""
    assert PREDICTION.judge(len(DERIVATION), typed).verdict == "right"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("-0.4805*0.8*0.5", "the sign is wrong"),
        ("-1.925*0.2496*0.6*1*0.5", "this is ∂ℰ/∂W⁽¹⁾₁₀, not ∂ℰ/∂W⁽¹⁾₁₁"),
        ("-0.4805*(-0.8)", "perhaps the factor X₁₀ is missing"),
    ],
)
def test_a_wrong_product_of_numbers_is_named(typed, said):
    assert PREDICTION.judge(len(DERIVATION), typed).mistakes[0].text == said
