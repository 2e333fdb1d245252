"""A formula that is right for another question is told which one; slopes of other functions are told by themselves."""

from __future__ import annotations

import msgspec
import pytest

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.loading import load_experiment
from engine.experiment.spec import Experiment
from engine.practice.judging.judge import Judge
from engine.practice.question.asked_target import AskedTarget

B = EvaluatedExperiment.of(load_experiment("tutorial-b"))


def two_layers(hidden: str) -> EvaluatedExperiment:
    """Two inputs, two hidden units, a linear output and a squared error."""
    tables = {
        "data": {"kind": "inline", "X": [[1.0], [0.5]], "Y": [[0.3]]},
        "network": {
            "layers": [
                {"units": 2, "activation": hidden, "W": [[0.3, 0.2], [-0.1, 0.4]]},
                {"units": 1, "activation": "linear", "W": [[0.5], [-0.3]]},
            ]
        },
        "loss": {"kind": "squared_error"},
    }
    return EvaluatedExperiment.of(msgspec.convert(tables, Experiment))


def said(evaluated: EvaluatedExperiment, wrt: str, answer: str) -> tuple[list[str], tuple[str, ...]]:
    """The mistakes' words, and the remarks."""
    verdict = Judge(evaluated, AskedTarget.parse(wrt)).judge(answer)
    assert verdict.verdict == "wrong"
    return [one.text for one in verdict.mistakes], verdict.remarks


def test_the_error_in_place_of_the_loss_s_derivative_is_said_to_be_that_by_the_sum():
    mistakes, remarks = said(B, "Y_hat[0,0]", "Y_hat - Y")
    assert mistakes == ["Ŷ₀₀ − Y₀₀ stands where −αY₀₀/Ŷ₀₀ + β(1−Y₀₀)/(1−Ŷ₀₀) belongs"]
    assert remarks == ("what stands there is ∂ℰ/∂f⁽²⁾₀₀, and ∂ℰ/∂Ŷ₀₀ is asked for",)


def test_the_gradient_of_another_unit_s_weight_is_told_as_that():
    answer = "(Y_hat-Y)*W[2][1,0]*(1-a[1][1,0]^2)*X[0,0]"
    mistakes, _ = said(two_layers("tanh"), "W[1][0,0]", answer)
    assert mistakes == ["what stands there is ∂ℰ/∂W⁽¹⁾₀₁, and ∂ℰ/∂W⁽¹⁾₀₀ is asked for"]


def test_what_only_happens_to_have_another_derivative_s_number_is_not_called_so():
    """At the experiment's own numbers it is ∂ℰ/∂W[1][1,1], at others it is not."""
    value = float(
        B.graph.nodes[AskedTarget.parse("W[1][1,1]").wrt.matrix].grad[1, 1]
        / B.graph.nodes[AskedTarget.parse("X[1,0]").wrt.matrix].value[1, 0]
    )
    mistakes, remarks = said(B, "W[1][0,1]", f"{value!r}*X[1,0]")
    assert not any("what stands there" in text for text in (*mistakes, *remarks))


def test_right_for_the_experiment_s_label_alone_is_said_beside_the_mistake():
    mistakes, remarks = said(B, "Y_hat[0,0]", "-Y/Y_hat")
    assert mistakes == ["the term β(1−Y₀₀)/(1−Ŷ₀₀) is missing from −αY₀₀/Ŷ₀₀ + β(1−Y₀₀)/(1−Ŷ₀₀)"]
    assert remarks == ("it is right for the numbers of this experiment, and wrong for others",)


@pytest.mark.parametrize(
    ("hidden", "slope", "text"),
    [
        ("tanh", "a[1][0,0]*(1-a[1][0,0])", "a⁽¹⁾₀₀(1−a⁽¹⁾₀₀) stands where 1 − tanh(f⁽¹⁾₀₀)² belongs"),
        ("sigmoid", "(1-a[1][0,0]^2)", "1 − (a⁽¹⁾₀₀)² stands where σ(f⁽¹⁾₀₀)(1−σ(f⁽¹⁾₀₀)) belongs"),
        ("relu", "1{f[1][0,0]>0}*Y_hat*(1-Y_hat)", "the factor Ŷ₀₀(1−Ŷ₀₀) does not belong here"),
    ],
)
def test_the_slope_of_another_function_is_one_mistake(hidden, slope, text):
    mistakes, _ = said(two_layers(hidden), "W[1][1,0]", f"(Y_hat-Y)*W[2][0,0]*{slope}*X[1,0]")
    assert mistakes == [text]
