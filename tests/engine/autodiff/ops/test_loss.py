"""The losses: stable forms, the numbers beyond rounding, and what cannot be asked of them."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.autodiff.ops.cross_entropy import BinaryCrossEntropy, CrossEntropy
from engine.experiment.spec import CrossEntropyLoss, LayerSpec
from engine.formula.expression import Symbol
from engine.formula.numeric_functions import sigmoid
from engine.model.network import Network
from tests.engine.autodiff.ops.op_cases import CASES, WEIGHTS

BY_NAME = {case.name: case for case in CASES}


def build(name: str, rows: int = 1, n: int = 1, seed: int = 0):
    return BY_NAME[name].build(np.random.default_rng(seed), rows, n)


@pytest.mark.parametrize(("alpha", "beta"), WEIGHTS)
@settings(max_examples=12)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 4))
def test_the_stable_form_of_bce_adds_up_to_the_loss(alpha: float, beta: float, seed: int, n: int):
    graph, loss = build(f"bce alpha={alpha} beta={beta} of logits", 2, n, seed)
    assert isinstance(loss, BinaryCrossEntropy)
    terms = [loss.stable_term((i, k)).evaluate(graph.value_of) for i in range(2) for k in range(n)]
    assert math.fsum(terms) / n == pytest.approx(loss.output.value[0, 0], rel=1e-13)


@pytest.mark.parametrize("f", [-800.0, -40.0, 0.0, 40.0, 800.0])
@pytest.mark.parametrize("y", [0.0, 1.0, 0.3])
def test_the_stable_form_of_bce_is_right_far_out(f: float, y: float):
    graph, loss = build("bce alpha=2.0 beta=0.3 of logits")
    logits, label = loss.logits, loss.inputs[1]
    logits.value[...], label.value[...] = f, y
    graph.forward()
    graph.backward()

    def softplus(x: float) -> float:
        return x if x > 700 else math.log1p(math.exp(x))

    expected = 2.0 * y * softplus(-f) + 0.3 * (1 - y) * softplus(f)
    assert loss.output.value[0, 0] == pytest.approx(expected, rel=1e-14, abs=1e-16)
    assert loss.stable_term((0, 0)).evaluate(graph.value_of) == pytest.approx(expected, rel=1e-14, abs=1e-16)
    sigma = 1 / (1 + math.exp(-f)) if f > -700 else 0.0
    gradient = -2.0 * y * (1 - sigma) + 0.3 * (1 - y) * sigma
    assert logits.grad[0, 0] == pytest.approx(gradient, rel=1e-14, abs=1e-16)
    assert loss.fused_product((0, 0), (0, 0)) == pytest.approx(gradient, rel=1e-14, abs=1e-16)


def test_bce_of_numbers_without_logits_has_no_stable_form():
    _, loss = build("bce alpha=None beta=None")
    with pytest.raises(ValueError, match="no logits"):
        loss.stable_term((0, 0))


def test_cross_entropy_of_probabilities_is_the_prediction_minus_the_label_in_the_end():
    _, loss = build("cross_entropy, mean of samples, of logits", 3, 2)
    assert loss.simplification((1, 1))[-1].plain() == "(Y_hat[1,1] - Y[1,1])/n"


def test_squared_error_has_nothing_to_fuse():
    _, loss = build("squared_error half=True, sum of outputs, mean of samples")
    assert loss.simplification((0, 0)) == []
    with pytest.raises(ValueError, match="no stable form"):
        loss.fused_product((0, 0), (0, 0))


def test_n_is_left_out_of_the_formulas_of_one_sample():
    _, one = build("squared_error half=True, sum of outputs, mean of samples", n=1)
    _, two = build("squared_error half=True, sum of outputs, mean of samples", n=2)
    assert one.by_prediction((0, 0)).plain() == "p[0,0] - Y[0,0]"
    assert two.by_prediction((0, 0)).plain() == "(p[0,0] - Y[0,0])/n"


def test_weights_stand_in_the_formula_only_where_they_were_given():
    _, plain = build("bce alpha=None beta=None")
    _, weighted = build("bce alpha=10.0 beta=None")
    assert plain.by_prediction((0, 0)).plain() == "-Y[0,0]/p[0,0] + (1 - Y[0,0])/(1 - p[0,0])"
    assert {symbol.name for symbol in weighted.by_prediction((0, 0)).symbols()} == {"alpha", "beta", "Y", "p"}
    assert len(plain.simplification((0, 0))) == 3
    assert len(weighted.simplification((0, 0))) == 2, "with weights the gradient is not Ŷ - Y"


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_rounded_prediction_is_remarked(value: float):
    _, loss = build("bce alpha=None beta=None of logits")
    assert loss.remark(0, (0, 0), (0, 0)) is None
    loss.inputs[0].value[...] = value
    assert f"rounded to exactly {value:g}" in loss.remark(0, (0, 0), (0, 0))


def test_cross_entropy_subtracts_the_maximum():
    graph, loss = build("cross_entropy, mean of samples, of logits", 3, 1)
    assert isinstance(loss, CrossEntropy)
    loss.logits.value[:, 0] = [1000.0, 1001.0, 999.0]
    loss.inputs[1].value[:, 0] = [0.0, 0.0, 1.0]
    graph.forward()
    expected = math.log(math.exp(1) + math.exp(2) + math.exp(0))
    assert loss.output.value[0, 0] == pytest.approx(expected, rel=1e-13)


def test_cross_entropy_of_labels_that_were_rounded():
    """Labels that sum to 1 only nearly: the lines still equal the gradient, which is Ŷ ΣY - Y."""
    graph, loss = build("cross_entropy, mean of samples, of logits", 3, 1)
    loss.inputs[1].value[:, 0] = [0.3333333, 0.3333333, 0.3333333]
    graph.forward()
    graph.backward()
    for j in range(3):
        assert len(loss.simplification((j, 0))) == 3
        for line in loss.simplification((j, 0)):
            assert line.evaluate(graph.value_of) == pytest.approx(loss.logits.grad[j, 0], rel=1e-12)


def test_the_stable_form_of_cross_entropy_can_be_walked_whatever_the_number_of_outputs():
    outputs, generator = 1200, np.random.default_rng(0)
    logits = 50.0 * generator.standard_normal((outputs, 1))
    label = np.zeros((outputs, 1))
    label[7] = 1.0
    layers = [LayerSpec(units=outputs, activation="softmax")]
    network = Network(layers, {Symbol("W", 1): logits.T.copy()}, CrossEntropyLoss())
    graph = network.graph(np.array([[1.0]]), label)
    graph.forward()
    loss = graph.loss.op
    assert isinstance(loss, CrossEntropy)
    term = loss.stable_term((7, 0))
    assert term.evaluate(graph.value_of) == pytest.approx(float(graph.loss.value[0, 0]), rel=1e-12)
    assert "maximum" in term.plain()


@pytest.mark.parametrize("f", [33.0, 40.0, 200.0])
def test_the_gradient_of_a_saturated_bce_keeps_its_digits(f: float):
    """∂ℰ/∂f = -σ(-f): Ŷ - Y, both 1, would be 0."""
    graph, loss = build("bce alpha=None beta=None of logits")
    loss.logits.value[...], loss.inputs[1].value[...] = f, 1.0
    graph.forward()
    graph.backward()
    assert loss.logits.grad[0, 0] == pytest.approx(-math.exp(-f), rel=1e-12, abs=0.0)
    last = loss.simplification((0, 0))[-1]
    assert last.evaluate(graph.value_of) == pytest.approx(loss.logits.grad[0, 0], rel=1e-12, abs=0.0)
    assert len(loss.simplification_reasons((0, 0))) == len(loss.simplification((0, 0)))


@given(st.lists(st.floats(-700.0, 700.0), min_size=1, max_size=5), st.sampled_from([0.0, 1.0]))
def test_the_gradient_of_bce_keeps_its_digits_on_both_sides_of_where_it_turns_to_f(
    logits: list[float], y: float
):
    """∂ℰ/∂f = (σ(f) - Y) / n, to all but eight of the bits that a float has; one f of a batch decides for all."""
    graph, loss = build("bce alpha=None beta=None of logits", 1, len(logits))
    loss.logits.value[...], loss.inputs[1].value[...] = [logits], y
    graph.forward()
    graph.backward()
    exact = [(1 - 2 * y) * sigmoid((1 - 2 * y) * f) / len(logits) for f in logits]
    assert loss.logits.grad[0] == pytest.approx(exact, rel=2.0**-44, abs=0.0)


@given(
    st.lists(st.lists(st.floats(-50.0, 50.0), min_size=3, max_size=3), min_size=1, max_size=4),
    st.integers(0, 2),
)
def test_cross_entropy_keeps_its_digits_on_both_sides_of_where_it_counts_the_others(columns, right: int):
    """ℰ = log Σ eᶠ⁻ʳ, ∂ℰ/∂f = Ŷ - Y, in exact fractions of whole powers of e; one column decides for all."""
    n = len(columns)
    graph, loss = build("cross_entropy, mean of samples, of logits", 3, n)
    loss.logits.value[...], loss.inputs[1].value[...] = np.transpose(columns), np.eye(3)[:, [right] * n]
    graph.forward()
    graph.backward()
    for k, logits in enumerate(columns):
        powers = [Fraction(math.exp(f - logits[right])) for f in logits]
        whole, others = sum(powers), sum(powers) - 1
        for j in range(3):
            exact = -others / whole if j == right else powers[j] / whole
            assert loss.logits.grad[j, k] * n == pytest.approx(float(exact), rel=1e-12, abs=1e-300)
    losses = [
        math.log1p(sum(math.exp(f - one[right]) for j, f in enumerate(one) if j != right)) for one in columns
    ]
    assert float(loss.output.value[0, 0]) == pytest.approx(sum(losses) / n, rel=1e-12, abs=1e-300)


def test_going_back_twice_gives_the_same_gradients():
    graph, loss = build("cross_entropy, mean of samples, of logits", 3, 2)
    graph.forward()
    graph.backward()
    once = loss.logits.grad.copy()
    graph.backward()
    assert np.array_equal(loss.logits.grad, once)


@pytest.mark.parametrize("f", [33.0, 40.0, 200.0])
def test_the_loss_and_gradient_of_a_saturated_softmax_keep_their_digits(f: float):
    """ℰ = log(1 + 2e⁻ᶠ), ∂ℰ/∂f of the right class -2e⁻ᶠ and of each other e⁻ᶠ."""
    graph, loss = build("cross_entropy, mean of samples, of logits", 3, 1)
    loss.logits.value[:, 0], loss.inputs[1].value[:, 0] = [0.0, f, 0.0], [0.0, 1.0, 0.0]
    graph.forward()
    graph.backward()
    small = math.exp(-f)
    assert loss.output.value[0, 0] == pytest.approx(2 * small, rel=1e-12, abs=0.0)
    assert loss.logits.grad[:, 0] == pytest.approx([small, -2 * small, small], rel=1e-12, abs=0.0)
    for j in range(3):
        lines = loss.simplification((j, 0))
        assert lines[-1].evaluate(graph.value_of) == pytest.approx(loss.logits.grad[j, 0], rel=1e-12, abs=0.0)
        assert len(loss.simplification_reasons((j, 0))) == len(lines)


def test_two_equally_large_outputs_of_a_softmax_are_others_to_each_other():
    graph, loss = build("cross_entropy, mean of samples, of logits", 3, 1)
    loss.logits.value[:, 0], loss.inputs[1].value[:, 0] = [5.0, 5.0, 5.0], [0.0, 1.0, 0.0]
    graph.forward()
    graph.backward()
    assert loss.output.value[0, 0] == pytest.approx(math.log(3), rel=1e-14)
    assert loss.logits.grad[:, 0] == pytest.approx([1 / 3, -2 / 3, 1 / 3], rel=1e-14)
