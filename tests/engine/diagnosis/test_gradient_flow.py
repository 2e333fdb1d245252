"""The gradient's way down: who is to blame, on records made to show it; every number is that record's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.diagnosis.diagnosis import Diagnosis, judge_record
from engine.diagnosis.finding import Kind
from engine.diagnosis.gradient_flow import (
    FAR_APART,
    GradientFlow,
    decades_per_layer,
    first_to_last,
)
from engine.diagnosis.mean_field import MeanField, MeanFieldProfile
from engine.experiment.layer_info import LayerInfo, layer_infos
from engine.experiment.spec import LayerSpec, SquaredErrorLoss
from engine.metrics.step_record import StepRecord
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


def told(depth: int, activations=(), units=(), norms=(), residuals=()) -> tuple[LayerInfo, ...]:
    """Layers of which so much is known."""
    columns = (one or (None,) * depth for one in (activations, units, norms, residuals))
    return tuple(
        LayerInfo(f"W[{number}]", *known) for number, known in enumerate(zip(*columns, strict=True), start=1)
    )


def judged(one: StepRecord, activations=(), units=(), norms=(), residuals=()) -> Diagnosis:
    """What one record says, where nothing else is known."""
    return judge_record(one, told(len(one.grad_l2), activations, units, norms, residuals))


def only(one: StepRecord, *arguments: object, **more: object):
    """The one finding."""
    (finding,) = judged(one, *arguments, **more).findings
    return finding


def test_vanishing_because_of_the_activation():
    found = only(chain([0.98] * 9, [0.21] * 9), ["sigmoid"] * 10)
    assert found.kind is Kind.VANISHING
    assert found.layers == (1, 2, 3, 4)
    assert found.evidence["weights_ratio"] == pytest.approx((0.98 * 0.21) ** 9)
    assert found.evidence["decades_per_layer"] == pytest.approx(math.log10(0.98 * 0.21))
    assert found.evidence["activation_per_layer"] == pytest.approx(0.21)
    assert found.text == (
        "The gradient of W[1] is 6.6e-07 times that of W[10]. "
        "Going down a layer multiplies δ by 0.206 on average: the sigmoid by 0.21, the weights by 0.98. "
        "The sigmoid is to blame: both shrink δ, the weights less."
    )


def test_a_gradient_that_cancels_out_does_not_hide_that_delta_vanishes():
    gradients = [1e-7, *[1e-6] * 8, 0.0]
    found = judged(chain([0.98] * 9, [0.21] * 9, grad_l2=np.array(gradients)), ["sigmoid"] * 10)
    assert found.kinds == (Kind.NO_GRADIENT, Kind.VANISHING)
    nothing, vanishing = found.findings
    assert nothing.layers == (10,)
    assert nothing.text.endswith("δ arrives there, but what the samples add to the gradient cancels out.")
    assert vanishing.text.startswith("δ[1] is 6.6e-07 times δ[10].")


def test_vanishing_because_of_the_weights():
    found = only(chain([0.1] * 9, [1.0] * 9), ["tanh"] * 9 + ["sigmoid"])
    assert found.kind is Kind.VANISHING
    assert found.text.endswith("The weights are to blame: the tanh alone would leave δ as it is.")


def test_exploding_because_of_the_weights():
    found = only(chain([4.2] * 19, [0.7] * 19), ["ReLU"] * 19 + ["sigmoid"])
    assert found.kind is Kind.EXPLODING
    assert "multiplies δ by 2.94 on average: the weights by 4.2, the ReLU by 0.7." in found.text
    assert found.text.endswith("The weights are to blame: the ReLU alone would shrink δ.")
    assert found.change is None  # how the weights were drawn is not known


def test_what_only_delta_shows():
    """ReLU with small weights: the activations shrink upwards as δ does downwards, and ∂ℰ/∂W stays level."""
    found = only(chain([0.5] * 29, [0.7] * 29, grad_l2=[1.0] * 30))
    assert found.kind is Kind.VANISHING
    assert found.evidence["weights_ratio"] == 1.0
    assert found.evidence["delta_ratio"] == pytest.approx(0.35**29)
    assert found.text.startswith(
        "δ[1] is 6.0e-14 times δ[30]; the gradients of W hide it (that of W[1] is 1 times"
    )


def test_the_norm_is_a_factor_of_its_own():
    """δ is neither a product of two factors nor due to one of them alone where a norm multiplies it too."""
    delta = [10.0 ** (0.5 * layer) for layer in range(11)]
    one = chain([2.0] * 10, [0.01] * 10, delta_l2=delta, grad_l2=delta)
    known = {"norms": ["batch"] * 11, "residuals": [False] * 11}
    found = only(one, ["sigmoid with batch norm"] * 11, **known)
    assert found.text.endswith(
        "Going down a layer multiplies δ by 0.316 on average: "
        "the sigmoid by 0.01, the weights by 2, the norm by 15.8. "
        "The sigmoid is to blame: the weights and the norm enlarge it."
    )
    means = GradientFlow(one, told(11, ["sigmoid"] * 11, **known)).budget.means
    assert math.prod(means.values()) == pytest.approx(10**-0.5)
    assert "the norm or shortcut by 15.8" in only(one).text


def test_a_norm_can_be_to_blame():
    delta = [10.0 ** (-0.5 * layer) for layer in range(11)]
    one = chain([1.0] * 10, [0.5] * 10, delta_l2=delta, grad_l2=delta)
    found = only(one, norms=["batch"] * 11, residuals=[True] * 11)
    assert found.kind is Kind.EXPLODING
    assert found.text.endswith("The shortcut and norm is to blame: the activation shrinks it.")
    assert found.remedy is None


def test_no_factor_is_blamed_where_delta_does_not_vanish():
    """W[1]'s gradient is small because X is, with δ larger below: no factor of δ shrinks it."""
    found = only(chain([1.2] * 9, [0.9] * 9, grad_l2=[1e-6, *[1.0] * 9]))
    assert found.text.endswith(
        "δ[1] is 2 times δ[10]: δ does not shrink on its way down; "
        "what it is multiplied with, a[l-1] or X, shrinks."
    )
    assert found.remedy is None
    found = only(chain([0.9] * 9, [0.9] * 9, grad_l2=[1e6, *[1.0] * 9]))
    assert found.text.endswith(
        "δ does not grow on its way down; what it is multiplied with, a[l-1] or X, grows."
    )


def test_a_delta_that_does_little_of_it_is_not_blamed_for_the_rest():
    found = only(chain([0.9] * 9, [1.0] * 9, grad_l2=[1e-6, *[1.0] * 9]))
    assert found.text.endswith(
        "δ[1] is 0.387 times δ[10]: most of it is due to what δ is multiplied with, a[l-1] or X."
    )


def test_balanced_is_said_and_is_no_finding():
    found = judged(chain([1.4] * 4, [0.7] * 4))
    assert found.findings == ()
    assert found.gradients == "Gradients: balanced. The gradient of W[1] is 0.922 times that of W[5]."
    assert "not known" in found.nothing_found
    assert judged(record(layers=1)).gradients == ""


def test_the_slope_stands_beside_its_prediction():
    profile = MeanFieldProfile(MeanField(2.0, 0.0, 1.0, 1.0), (1.0,) * 3, (0.0,) * 3, (0.2, 0.1, 0.0))
    flow = GradientFlow(chain([1.4] * 4, [0.7] * 4))
    assert flow.slope_told(profile) == (
        "The gradient's L2 norm changes by −0.009 decades a layer towards the input; "
        "mean-field theory predicts +0.100 for these random weights."
    )
    assert "+0.000 decades" in GradientFlow(record()).slope_told()
    assert GradientFlow(record(layers=1)).slope_told() == ""


def test_diverged_says_where_first():
    found = judged(
        record(7, grad_l2=[NAN, INF, 1.0], nonfinite=12, problem="f[2] of layer 2 became infinite")
    )
    assert found.kinds == (Kind.DIVERGED,)
    assert found.findings[0].text == "f[2] of layer 2 became infinite."
    assert found.gradients == ""


def test_a_step_function_stops_every_gradient_below_it():
    stopped = chain([1.0] * 3, [NAN, 0.0, 0.5], delta_l2=[0.0, 0.0, 0.5, 1.0], grad_l2=[0.0, 0.0, 2.0, 1.0])
    found = only(stopped, ["relu", "step", "relu", "sigmoid"])
    assert found.kind is Kind.NO_GRADIENT
    assert found.layers == (1, 2)
    assert found.text == (
        "The gradient of layers 1 to 2 is exactly 0: no update changes it. "
        "The step of layer 2 multiplies δ by exactly 0."
    )


def test_weights_that_are_zero_stop_it_too():
    stopped = chain([1.0, 0.0], [NAN, NAN], delta_l2=[0.0, 0.0, 1.0], grad_l2=[0.0, 0.0, 1.0])
    assert only(stopped).text.endswith("The weights W[3] multiply δ by exactly 0.")


def test_a_loss_that_sends_nothing():
    found = only(nothing_sent(loss=0.0), ["tanh", "tanh", "linear"])
    assert found.text == (
        "Every layer's gradient is exactly 0: no update changes anything. "
        "The loss sends none: δ of the last layer is 0."
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
    assert words in only(nothing_sent(loss=loss, saturated=[NAN, NAN, saturated]), activations).text


def test_an_output_relu_that_is_off_is_named_in_a_real_network():
    trainer = given_network(
        [[[1.0]], [[-1.0]]], ["linear", "relu"], [[1.0, 2.0]], [[1.0, 1.0]], SquaredErrorLoss()
    )
    found = judge_record(trainer.step(), layer_infos(trainer.network.layers)).of(Kind.NO_GRADIENT)
    assert "The ReLU of the output layer is off for every sample" in found.text


def test_a_layer_that_is_all_off():
    off = chain(
        [1.0, 1.0], [1.0, 0.0], delta_l2=[0, 0, 1.0], grad_l2=[0.0] * 3, zero_fraction=[0.5, 1.0, 0.0]
    )
    assert only(off, ["ReLU", "ReLU", "sigmoid"]).text.endswith(
        "All activations of layer 2 are 0, for every sample."
    )


def test_a_layer_that_is_mostly_dead_is_serious_and_a_few_are_mentioned():
    words, units = ("ReLU", "ReLU", "sigmoid"), (16, 16, 1)
    mostly = only(record(dead=[1, 12, 0], dead_step=0), words, units)
    assert (mostly.kind, mostly.layers) == (Kind.DEAD_UNITS, (2,))
    assert mostly.evidence["dead[2]"] == 12
    assert only(record(dead=[1, 9, 0], dead_step=0), words, units).layers == (1, 2)
    assert (
        judged(record(dead=[1, 13, 0], dead_step=0), words).findings == ()
    )  # without the widths, 13 says nothing
    assert judged(record(dead=[1, 13, 0], dead_step=0), ("tanh",) * 3, units).findings == ()  # no tanh dies


def test_a_gradient_too_small_for_the_number_format_says_so():
    tiny = chain([1.0, 1.0], [0.0, 0.2], delta_l2=[0.0, 1e-45, 5e-45], grad_l2=[0.0, 1e-44, 1e-42])
    found = only(tiny)
    assert (found.kind, found.layers) == (Kind.NO_GRADIENT, (1,))
    assert "δ is 1.0e-45 at layer 2, and below it too small for the number format." in found.text


# ── the numbers ─────────────────────────────────────────────────────────────────────────────────────


@given(st.floats(-5, 5), st.floats(-20, 20), st.integers(2, 60))
def test_the_slope_of_an_exact_line_is_found_whatever_lies_beside_it(slope, offset, layers):
    magnitudes = 10.0 ** np.clip(offset - slope * np.arange(layers), -300, 300)
    assume(np.ptp(np.log10(magnitudes)) >= abs(slope) * (layers - 1) * 0.999)  # not clipped
    assert decades_per_layer(magnitudes) == pytest.approx(slope, abs=1e-9)
    odd = np.concatenate([magnitudes, [0.0, NAN, INF]])
    assert decades_per_layer(odd) == pytest.approx(slope, abs=1e-9)
    assert math.isnan(decades_per_layer(np.array([1.0, 0.0, NAN])))


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20), st.randoms())
def test_the_mean_factors_multiply_back_to_the_measured_ratio(weights, random):
    activation = [random.uniform(0.01, 1.0) for _ in weights]
    one = chain(weights, activation)
    budget = GradientFlow(one).budget
    assert budget.means.keys() == {"weights", "activation"}
    total = math.prod(budget.means.values()) ** len(budget.gaps)
    assert total == pytest.approx(first_to_last(one.delta_l2), rel=1e-10)


def test_ratios_of_odd_numbers():
    assert math.isnan(first_to_last(np.array([0.0, 0.0])))
    assert first_to_last(np.array([1.0, 0.0])) == INF
    assert math.isnan(first_to_last(np.array([INF, 1.0])))
    assert FAR_APART < first_to_last(np.array([1.0, 5e-324])) < INF
    assert 0 < first_to_last(np.array([5e-324, 1e300])) < 1 / FAR_APART


@given(records(layers=4))
def test_every_record_can_be_judged_and_every_finding_is_told_in_sentences(one):
    found = judged(one, ["ReLU"] * 4, [4] * 4)
    assert all(finding.text.endswith(".") for finding in found.findings)
    if found.gradients:
        assert 1 / FAR_APART <= first_to_last(np.asarray(one.grad_l2)) <= FAR_APART


def test_layers_are_called_by_what_their_gain_includes():
    layers = [
        LayerSpec(units=4, activation="relu"),
        LayerSpec(units=4, activation="sigmoid", norm="batch"),
        LayerSpec(units=4, activation="tanh", residual=True),
        LayerSpec(units=4, activation="leaky_relu", norm="layer", residual=True),
    ]
    infos = layer_infos(layers)
    assert [info.words for info in infos] == [
        "ReLU",
        "sigmoid with batch norm",
        "tanh with shortcut",
        "leaky ReLU with layer norm and shortcut",
    ]
    assert [info.activation for info in infos] == ["ReLU", "sigmoid", "tanh", "leaky ReLU"]
    assert [info.traits.name for info in infos] == ["relu", "sigmoid", "tanh", "leaky_relu"]
    assert [info.bare for info in infos] == [True, False, False, False]
