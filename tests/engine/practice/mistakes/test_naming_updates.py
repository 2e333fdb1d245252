"""A parameter after a step of gradient descent: judged by its step, however small beside the parameter."""

from __future__ import annotations

import numpy as np
import pytest

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.targets import TargetError
from engine.experiment.loading import load_experiment
from engine.practice.judging.judge import Judge
from engine.practice.judging.trained_numbers import trained
from engine.practice.question.asked_target import parse_asked_target


def judge_of(name: str, wrt: str, given: list[str] | None = None, **changed: str) -> Judge:
    experiment = load_experiment(name)
    evaluated = EvaluatedExperiment.of(experiment, name)
    return Judge(evaluated, parse_asked_target(wrt, **changed).updated(experiment), given=given)


NEURON = judge_of("tutorial-a-loss", "W[1]")


def test_the_truth_is_what_the_trainer_makes_of_the_weights():
    for name in ("tutorial-a", "tutorial-b"):
        evaluated = EvaluatedExperiment.of(load_experiment(name), name)
        target = parse_asked_target("W[1]").updated(evaluated.experiment)
        graph = target.graph(evaluated.network, evaluated.data.X, evaluated.data.Y)
        graph.forward()
        graph.backward()
        after = trained(evaluated, 1).network.parameters[target.wrt]
        np.testing.assert_allclose(target.reader(graph)(), after, rtol=1e-14)
        assert evaluated.network.parameters[target.wrt] is not after


@pytest.mark.parametrize(
    "right",
    [
        "W[1] - eta * X @ (Y_hat - Y).T / n",
        "W + η/n * X @ (Y - Y_hat).T",
        r"W^{[1]} - \eta \frac{1}{n} X (\hat{Y} - Y)^T",
        "W - eta * dE/dW[1]",
        "W - eta * X @ dE/df[1].T",
    ],
)
def test_any_equivalent_form_is_right(right):
    verdict = NEURON.judge(right)
    assert (verdict.verdict, verdict.factors) == ("right", None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("W + eta * X @ (Y_hat - Y).T / n", "the step goes uphill"),
        ("W - X @ (Y_hat - Y).T / n", "the factor η is missing"),
        ("W + X @ (Y_hat - Y).T / n", "the factor η is missing; the step goes uphill"),
        ("X @ (Y_hat - Y).T / n", "this is the gradient ∂ℰ/∂W⁽¹⁾"),
        ("-eta * X @ (Y_hat - Y).T / n", "this is the step alone: W⁽¹⁾ itself is missing"),
        ("W", "this is W⁽¹⁾ before the step"),
        ("eta*(W - X @ (Y_hat - Y).T / n)", "η is the factor of ∂ℰ/∂W⁽¹⁾ alone"),
        ("W - X @ (Y_hat - Y).T / n / eta", "not the gradient divided by η"),
        ("W - eta * X @ (Y_hat - Y).T", "the factor 1/n is missing"),
        ("W - eta * X @ Y_hat.T / n", "Ŷ stands where Ŷ − Y belongs"),
        ("W - eta**2 * X @ (Y_hat - Y).T / n", "the factor η does not belong here"),
    ],
)
def test_the_mistake_of_the_step_or_of_its_gradient_is_named(wrong, said):
    verdict = NEURON.judge(wrong)
    assert verdict.verdict == "wrong"
    assert said in "; ".join(one.text for one in verdict.mistakes)


def test_a_number_for_eta_is_right_here_and_remarked():
    verdict = NEURON.judge(f"W - {NEURON.question.target.rate} * X @ (Y_hat - Y).T / n")
    assert verdict.verdict == "right"
    assert any("right because η =" in remark for remark in verdict.remarks)


def test_a_step_that_is_lost_beside_its_weight_is_never_right():
    """Layer 1 of fifty sigmoids: W − 10⁻²⁷ is W in floating point."""
    assert judge_of("vanishing-sigmoid-50", "W[1][0,0]").judge("W[1][0,0]").verdict == "unclear"


def test_a_leaf_of_the_data_is_no_parameter_and_a_factor_has_no_step():
    with pytest.raises(TargetError, match="no parameter"):
        judge_of("tutorial-a", "X")
    with pytest.raises(TargetError, match="loss over all samples"):
        judge_of("tutorial-a", "W[1]", of="Y_hat[0,0]")


def test_a_gradient_is_asked_for_without_eta():
    evaluated = EvaluatedExperiment.of(load_experiment("tutorial-a"), "tutorial-a")
    verdict = Judge(evaluated, parse_asked_target("W[1]")).judge("eta*X*(Y_hat - Y)")
    assert verdict.verdict == "unreadable"
    assert "η belongs to the update" in str(verdict.problem)
