"""The verdict: each kind on a record made to show it, and every number in its sentences from that record."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.diagnosis.mean_field import MeanField, PredictedProfile
from engine.diagnosis.verdict import (
    FAR_APART,
    Kind,
    decades_per_layer,
    first_to_last,
    judge,
    layer_words,
)
from engine.experiment.spec import LayerSpec, SquaredErrorLoss
from tests.engine.short_runs import given_network
from tests.engine.step_records import record, records

NAN, INF = math.nan, math.inf


def chain(weight_gain: list[float], activation_gain: list[float], last: float = 1.0, **changes: object):
    """A record whose δ follows from its gains; ∂ℰ/∂W has δ's norm."""
    delta = [last]
    for weights, activation in zip(reversed(weight_gain), reversed(activation_gain), strict=True):
        delta.append(delta[-1] * weights * activation)
    delta.reverse()
    values = {
        "weight_gain": weight_gain,
        "activation_gain": activation_gain,
        "delta_l2": delta,
        "grad_l2": delta,
    }
    return record(0, len(delta), **{**values, **changes})


def test_vanishing_because_of_the_activation():
    verdict = judge(chain([0.98] * 9, [0.21] * 9), ["sigmoid"] * 10)
    assert verdict.kind is Kind.VANISHING
    assert verdict.dominant == "activation"
    assert verdict.ratio == pytest.approx((0.98 * 0.21) ** 9)
    assert verdict.decades_per_layer == pytest.approx(math.log10(0.98 * 0.21))
    assert verdict.sentences == (
        "The gradient of W[1] is 6.6e-07 times that of W[10].",
        "Going down a layer multiplies δ by 0.206 on average: the sigmoid by 0.21, the weights by 0.98.",
        "The sigmoid is to blame: both shrink δ, the weights less.",
        "The gradient's L2 norm changes by −0.687 decades a layer towards the input.",
    )


def test_a_gradient_that_cancels_out_does_not_hide_that_delta_vanishes():
    gradients = [1e-7, *[1e-6] * 8, 0.0]
    verdict = judge(chain([0.98] * 9, [0.21] * 9, grad_l2=np.array(gradients)), ["sigmoid"] * 10)
    assert (verdict.kind, verdict.dominant) == (Kind.VANISHING, "activation")
    assert verdict.sentences[:3] == (
        "δ[1] is 6.6e-07 times δ[10].",
        "The gradient of layer 10 is exactly 0.",
        "δ arrives there, but what the samples add to the gradient cancels out.",
    )
    healthy = judge(chain([1.0] * 9, [1.0] * 9, grad_l2=np.array([*[1.0] * 9, 0.0])), ["tanh"] * 10)
    assert healthy.kind is Kind.NO_GRADIENT


def test_vanishing_because_of_the_weights():
    verdict = judge(chain([0.1] * 9, [1.0] * 9), ["tanh"] * 9 + ["sigmoid"])
    assert (verdict.kind, verdict.dominant) == (Kind.VANISHING, "weights")
    assert "The weights are to blame: the tanh alone would leave δ as it is." in verdict.sentences


def test_exploding_because_of_the_weights():
    verdict = judge(chain([4.2] * 19, [0.7] * 19), ["ReLU"] * 19 + ["sigmoid"])
    assert (verdict.kind, verdict.dominant) == (Kind.EXPLODING, "weights")
    assert (
        "Going down a layer multiplies δ by 2.94 on average: the weights by 4.2, the ReLU by 0.7."
        in verdict.sentences
    )
    assert "The weights are to blame: the ReLU alone would shrink δ." in verdict.sentences


def test_what_only_delta_shows():
    """ReLU with small weights: the activations shrink upwards as δ does downwards, and ∂ℰ/∂W stays level."""
    verdict = judge(chain([0.5] * 29, [0.7] * 29, grad_l2=[1.0] * 30))
    assert (verdict.kind, verdict.dominant) == (Kind.VANISHING, "weights")
    assert verdict.ratio == 1.0
    assert verdict.delta_ratio == pytest.approx(0.35**29)
    assert verdict.sentences[0] == "δ[1] is 6.0e-14 times δ[30]."
    assert "hide it (that of W[1] is 1 times that of W[30])" in verdict.sentences[1]


def test_the_norm_is_a_factor_of_its_own():
    """δ is neither a product of two factors nor due to one of them alone where a norm multiplies it too."""
    delta = [10.0 ** (0.5 * layer) for layer in range(11)]
    one = chain([2.0] * 10, [0.01] * 10, delta_l2=delta, grad_l2=delta)
    verdict = judge(one, ["sigmoid with batch norm"] * 11, norms=["batch"] * 11, residuals=[False] * 11)
    assert (verdict.kind, verdict.dominant) == (Kind.VANISHING, "activation")
    assert verdict.sentences[1:3] == (
        "Going down a layer multiplies δ by 0.316 on average: "
        "the sigmoid by 0.01, the weights by 2, the norm by 15.8.",
        "The sigmoid is to blame: the weights and the norm enlarge it.",
    )
    assert math.prod(verdict.budget.means.values()) == pytest.approx(10**-0.5)
    unknown = judge(one)
    assert "the norm or shortcut by 15.8" in unknown.sentences[1]


def test_a_norm_can_be_to_blame():
    delta = [10.0 ** (-0.5 * layer) for layer in range(11)]
    one = chain([1.0] * 10, [0.5] * 10, delta_l2=delta, grad_l2=delta)
    verdict = judge(one, norms=["batch"] * 11, residuals=[True] * 11)
    assert (verdict.kind, verdict.dominant) == (Kind.EXPLODING, "shortcut and norm")
    assert "The shortcut and norm is to blame: the activation shrinks it." in verdict.sentences


def test_no_factor_is_blamed_where_delta_does_not_vanish():
    """W[1]'s gradient is small because X is, with δ larger below: no factor of δ shrinks it."""
    verdict = judge(chain([1.2] * 9, [0.9] * 9, grad_l2=[1e-6, *[1.0] * 9]))
    assert (verdict.kind, verdict.dominant) == (Kind.VANISHING, None)
    assert verdict.sentences[1] == (
        "δ[1] is 2 times δ[10]: δ does not shrink on its way down; "
        "what it is multiplied with, a[l-1] or X, shrinks."
    )
    verdict = judge(chain([0.9] * 9, [0.9] * 9, grad_l2=[1e6, *[1.0] * 9]))
    assert (verdict.kind, verdict.dominant) == (Kind.EXPLODING, None)
    assert verdict.sentences[1].endswith(
        "δ does not grow on its way down; what it is multiplied with, a[l-1] or X, grows."
    )


def test_a_delta_that_does_little_of_it_is_not_blamed_for_the_rest():
    verdict = judge(chain([0.9] * 9, [1.0] * 9, grad_l2=[1e-6, *[1.0] * 9]))
    assert (verdict.kind, verdict.dominant) == (Kind.VANISHING, None)
    assert verdict.sentences[1] == (
        "δ[1] is 0.387 times δ[10]: most of it is due to what δ is multiplied with, a[l-1] or X."
    )


def test_healthy_and_its_prediction():
    profile = PredictedProfile(MeanField(2.0, 0.0, 1.0, 1.0), (1.0,) * 3, (0.0,) * 3, (0.2, 0.1, 0.0))
    verdict = judge(chain([1.4] * 4, [0.7] * 4), prediction=profile)
    assert (verdict.kind, verdict.dominant) == (Kind.HEALTHY, None)
    assert verdict.sentences[-1] == (
        "The gradient's L2 norm changes by −0.009 decades a layer towards the input; "
        "mean-field theory predicts +0.100 for these random weights."
    )
    assert "+0.000 decades" in judge(record()).sentences[-1]


def test_diverged_says_where_first():
    verdict = judge(
        record(7, grad_l2=[NAN, INF, 1.0], nonfinite=12, problem="f[2] of layer 2 became infinite")
    )
    assert verdict.kind is Kind.DIVERGED
    assert verdict.nonfinite_layers == (1, 2)
    assert math.isnan(verdict.ratio)
    assert verdict.sentences == (
        "f[2] of layer 2 became infinite.",
        "The gradients of layers 1 to 2 are not finite.",
        "12 numbers are NaN or infinite.",
    )
    assert judge(record(loss=INF)).sentences == ("The loss is not a finite number.",)


def test_a_step_function_stops_every_gradient_below_it():
    stopped = chain([1.0] * 3, [NAN, 0.0, 0.5], delta_l2=[0.0, 0.0, 0.5, 1.0], grad_l2=[0.0, 0.0, 2.0, 1.0])
    verdict = judge(stopped, ["relu", "step", "relu", "sigmoid"])
    assert verdict.kind is Kind.NO_GRADIENT
    assert verdict.zero_layers == (1, 2)
    assert verdict.sentences == (
        "The gradient of layers 1 to 2 is exactly 0.",
        "The step of layer 2 multiplies δ by exactly 0.",
    )


def test_weights_that_are_zero_stop_it_too():
    stopped = chain([1.0, 0.0], [NAN, NAN], delta_l2=[0.0, 0.0, 1.0], grad_l2=[0.0, 0.0, 1.0])
    assert "The weights W[3] multiply δ by exactly 0." in judge(stopped).sentences


def test_a_loss_that_sends_nothing():
    verdict = judge(nothing_sent(loss=0.0))
    assert verdict.kind is Kind.NO_GRADIENT
    assert verdict.sentences == (
        "Every layer's gradient is exactly 0.",
        "The loss sends none: δ of the last layer is 0.",
    )


def nothing_sent(**changes: object):
    return chain([NAN] * 2, [NAN] * 2, last=0.0, delta_l2=[0.0] * 3, grad_l2=[0.0] * 3, **changes)


@pytest.mark.parametrize(
    ("output", "loss", "saturated", "words"),
    [
        ("ReLU", 0.5, NAN, "The ReLU of the output layer multiplies what the loss sends by exactly 0."),
        ("step", 0.5, NAN, "The step of the output layer multiplies what the loss sends by exactly 0."),
        ("sigmoid", 0.5, 1.0, "The sigmoid of the output layer multiplies"),
        ("sigmoid", 1e-7, 1.0, "The loss sends none"),
        ("sigmoid", 0.693, 0.0, "The loss sends none"),
        ("softmax", 0.5, NAN, "The loss sends none"),
        (None, 0.5, NAN, "the loss sends none, or the output activation lets none through"),
    ],
)
def test_an_output_that_lets_nothing_through_is_named(output, loss, saturated, words):
    activations = ["ReLU", "ReLU", output] if output else []
    sentence = judge(nothing_sent(loss=loss, saturated=[NAN, NAN, saturated]), activations).sentences[1]
    assert words in sentence


def test_an_output_relu_that_is_off_is_named_in_a_real_network():
    trainer = given_network(
        [[[1.0]], [[-1.0]]], ["linear", "relu"], [[1.0, 2.0]], [[1.0, 1.0]], SquaredErrorLoss()
    )
    verdict = judge(trainer.step(), layer_words(trainer.network.layers))
    assert verdict.sentences[1].startswith("The ReLU of the output layer multiplies")


def test_a_layer_that_is_all_off():
    off = chain(
        [1.0, 1.0], [1.0, 0.0], delta_l2=[0, 0, 1.0], grad_l2=[0.0] * 3, zero_fraction=[0.5, 1.0, 0.0]
    )
    verdict = judge(off, ["relu", "relu", "sigmoid"])
    assert verdict.kind is Kind.DEAD
    assert verdict.sentences[1] == "All activations of layer 2 are 0, for every sample of the batch."


def test_a_layer_that_is_mostly_dead():
    mostly = record(dead=[1, 13, 0], dead_step=0)
    verdict = judge(mostly, units=(16, 16, 1))
    assert verdict.kind is Kind.DEAD
    assert verdict.sentences[0] == "In layer 2, 13 of 16 units are 0 for every sample of the data set."
    assert judge(record(dead=[1, 9, 0], dead_step=0), units=(16, 16, 1)).kind is Kind.HEALTHY
    assert judge(mostly).kind is Kind.HEALTHY  # without the widths, 13 says nothing


def test_a_gradient_too_small_for_the_number_format_has_vanished():
    tiny = chain([1.0, 1.0], [0.0, 0.2], delta_l2=[0.0, 1e-45, 5e-45], grad_l2=[0.0, 1e-44, 1e-42])
    verdict = judge(tiny)
    assert (verdict.kind, verdict.zero_layers) == (Kind.VANISHING, (1,))
    assert "δ is 1.0e-45 at layer 2, and below it too small for the number format." in verdict.sentences


def test_one_layer_has_none_to_compare_with():
    assert judge(record(layers=1)).sentences == (
        "There is only one layer, so there is no other to compare it with.",
    )


# ── the numbers ─────────────────────────────────────────────────────────────────────────────────────


@given(st.floats(-5, 5), st.floats(-20, 20), st.integers(2, 60))
def test_the_slope_of_an_exact_line_is_found_whatever_lies_beside_it(slope, offset, layers):
    magnitudes = 10.0 ** np.clip(offset - slope * np.arange(layers), -300, 300)
    if np.ptp(np.log10(magnitudes)) < abs(slope) * (layers - 1) * 0.999:
        return  # clipped
    assert decades_per_layer(magnitudes) == pytest.approx(slope, abs=1e-9)
    odd = np.concatenate([magnitudes, [0.0, NAN, INF]])
    assert decades_per_layer(odd) == pytest.approx(slope, abs=1e-9)
    assert math.isnan(decades_per_layer(np.array([1.0, 0.0, NAN])))


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20), st.randoms())
def test_the_mean_factors_multiply_back_to_the_measured_ratio(weights, random):
    activation = [random.uniform(0.01, 1.0) for _ in weights]
    one = chain(weights, activation)
    budget = judge(one).budget
    assert budget.means.keys() == {"weights", "activation"}
    total = math.prod(budget.means.values()) ** len(budget.gaps)
    assert total == pytest.approx(first_to_last(one.delta_l2), rel=1e-10)


def test_ratios_of_odd_numbers():
    assert math.isnan(first_to_last(np.array([0.0, 0.0])))
    assert first_to_last(np.array([1.0, 0.0])) == INF
    assert math.isnan(first_to_last(np.array([INF, 1.0])))


@given(records(layers=4))
def test_every_record_gets_a_verdict_with_a_reason(one):
    verdict = judge(one, ["relu"] * 4, [4] * 4)
    assert verdict.sentences
    assert all(sentence.endswith(".") for sentence in verdict.sentences)
    if verdict.kind is Kind.HEALTHY:
        assert not 0 < verdict.ratio < 1 / FAR_APART


def test_layers_are_called_by_what_their_gain_includes():
    layers = [
        LayerSpec(units=4, activation="relu"),
        LayerSpec(units=4, activation="sigmoid", norm="batch"),
        LayerSpec(units=4, activation="tanh", residual=True),
        LayerSpec(units=4, activation="leaky_relu", norm="layer", residual=True),
    ]
    assert layer_words(layers) == (
        "ReLU",
        "sigmoid with batch norm",
        "tanh with shortcut",
        "leaky ReLU with layer norm and shortcut",
    )
