"""The conventions of a course: against PyTorch, worked numbers, and the other way of writing the same."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from engine.derivation.chain_rule import explain
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.diagnosis.mean_field import MeanFieldProfile, predict
from engine.experiment.loading import parse_experiment
from engine.export.derivation_document import written_text
from engine.export.json_records import explain_record
from engine.formula.expression import Symbol
from tests.engine.experiment_texts import refusal


def evaluated(text: str) -> EvaluatedExperiment:
    return EvaluatedExperiment.of(parse_experiment(text, "test"), "test")


TANH = """
[data]
kind = "inline"
X = [[0.5], [-0.2]]
Y = [[1.0]]
[network]
{weights}
[[network.layers]]
units = 2
activation = "tanh"
W = {W1}
b = [0.1, -0.2]
[[network.layers]]
units = 1
activation = "tanh"
W = {W2}
b = [0.2]
[loss]
kind = "squared_error"
half = false
"""
IN_OUT = {"weights": "", "W1": "[[0.3, 0.2], [-0.1, 0.4]]", "W2": "[[0.5], [-0.3]]"}
OUT_IN = {"weights": 'weights = "out_in"', "W1": "[[0.3, -0.1], [0.2, 0.4]]", "W2": "[[0.5, -0.3]]"}


def test_the_published_tanh_network_without_the_half():
    gradients = {
        symbol.plain(): node.grad for symbol, node in evaluated(TANH.format(**IN_OUT)).graph.nodes.items()
    }
    assert gradients["W[2]"].ravel() == pytest.approx([-0.2886, 0.1950], abs=5e-5)
    assert gradients["b[2]"].item() == pytest.approx(-1.0948, abs=5e-5)


def test_weights_written_out_in_are_the_same_network_turned():
    one, other = (evaluated(TANH.format(**written)).graph for written in (IN_OUT, OUT_IN))
    for symbol, node in one.nodes.items():
        twin = other.nodes[symbol]
        turned = symbol.name == "W"
        np.testing.assert_array_equal(twin.value.T if turned else twin.value, node.value)
        if node.needs_gradient:
            np.testing.assert_allclose(twin.grad.T if turned else twin.grad, node.grad, rtol=1e-15)
    assert other.nodes[Symbol("W", 1)].op is None
    formula = other.nodes[Symbol("f", 1)].op.formula((1, 0)).plain()
    assert formula == "W[1][1,0]*X[0,0] + W[1][1,1]*X[1,0] + b[1][1,0]"


def test_a_square_matrix_is_read_as_the_default_and_drawn_weights_are_the_same_numbers():
    text = """
[data]
kind = "xor"
[network]
{}
[[network.layers]]
units = 1
activation = "sigmoid"
[loss]
kind = "bce"
"""
    plain, turned = (evaluated(text.format(more)) for more in ("", 'weights = "out_in"'))
    np.testing.assert_array_equal(
        plain.network.parameters[Symbol("W", 1)].T, turned.network.parameters[Symbol("W", 1)]
    )


def test_weights_of_the_wrong_orientation_are_refused_with_what_was_expected():
    problem = refusal(TANH.format(**OUT_IN | {"W2": "[[0.5], [-0.3]]"}))
    assert problem.key == "network.layers[1].W"
    assert "found 2 rows; expected 1, one for each unit of this layer" in problem.problem
    assert 'weights = "in_out" in [network] has it the way it stands here' in problem.problem


# ── losses, against PyTorch ─────────────────────────────────────────────────────────────────────────


LOSSES = [
    *(
        ("squared_error", {"half": half}, outputs, samples)
        for half, outputs, samples in itertools.product((True, False), ("sum", "mean"), ("mean", "sum"))
    ),
    *(
        (kind, more, outputs, samples)
        for kind, more in (("absolute_error", {}), ("huber", {"delta": 0.4}))
        for outputs, samples in itertools.product(("sum", "mean"), ("mean", "sum"))
    ),
]


def tensors(torch: Any, graph: Any) -> dict[str, Any]:
    return {
        symbol.plain(): torch.tensor(node.value.copy(), requires_grad=True)
        for symbol, node in graph.nodes.items()
        if node.op is None
    }


def network_text(loss: str, output: str, more: str = "", n: int = 4, outputs: int = 3) -> str:
    return f"""
seed = 3
[data]
kind = "random"
n = {n}
features = 2
outputs = {outputs}
[network]
bias = true
[[network.layers]]
units = 3
activation = "tanh"
{more}
[[network.layers]]
units = {outputs}
activation = "{output}"
[network.init]
scheme = "pytorch"
[loss]
{loss}
"""


def settings_text(kind: str, more: dict[str, Any], outputs: str, samples: str) -> str:
    lines = [f'kind = "{kind}"', f'outputs = "{outputs}"', f'samples = "{samples}"']
    return "\n".join([*lines, *(f"{key} = {str(value).lower()}" for key, value in more.items())])


@pytest.mark.parametrize(("kind", "more", "outputs", "samples"), LOSSES)
@pytest.mark.parametrize("output", ["tanh", "softmax"])
def test_every_way_to_sum_is_pytorch_s(
    kind: str, more: dict[str, Any], outputs: str, samples: str, output: str
):
    torch = pytest.importorskip("torch", reason="PyTorch is an extra: an independent loss")
    one = evaluated(network_text(settings_text(kind, more, outputs, samples), output))
    given = tensors(torch, one.graph)
    activations = {"tanh": torch.tanh, "softmax": lambda x: torch.softmax(x, dim=0)}
    hidden = torch.tanh(given["W[1]"].T @ given["X"] + given["b[1]"])
    prediction = activations[output](given["W[2]"].T @ hidden + given["b[2]"])
    entries = {
        "squared_error": lambda: (
            torch.nn.functional.mse_loss(prediction, given["Y"], reduction="none")
            * (0.5 if more.get("half", True) else 1.0)
        ),
        "absolute_error": lambda: torch.nn.functional.l1_loss(prediction, given["Y"], reduction="none"),
        "huber": lambda: torch.nn.functional.huber_loss(prediction, given["Y"], reduction="none", delta=0.4),
    }[kind]()
    of_samples = entries.mean(dim=0) if outputs == "mean" else entries.sum(dim=0)
    loss = of_samples.mean() if samples == "mean" else of_samples.sum()
    loss.backward()
    assert one.graph.loss.value.item() == pytest.approx(loss.item(), rel=1e-12)
    for name in ("W[1]", "b[1]", "W[2]", "b[2]", "X"):
        found = {symbol.plain(): node.grad for symbol, node in one.graph.nodes.items()}[name]
        np.testing.assert_allclose(found, given[name].grad.numpy(), rtol=1e-10, atol=1e-14)


def test_half_false_with_the_mean_over_outputs_is_mseloss():
    torch = pytest.importorskip("torch", reason="PyTorch is an extra: an independent loss")
    text = settings_text("squared_error", {"half": False}, "mean", "mean")
    one = evaluated(network_text(text, "linear", outputs=5))
    prediction, labels = (one.graph.nodes[Symbol(name)].value for name in ("Y_hat", "Y"))
    expected = torch.nn.MSELoss()(torch.tensor(prediction.T), torch.tensor(labels.T)).item()
    assert one.graph.loss.value.item() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_bce_of_several_outputs_is_pytorch_s(output: str):
    torch = pytest.importorskip("torch", reason="PyTorch is an extra: an independent loss")
    one = evaluated(network_text('kind = "bce"\noutputs = "mean"', output))
    given = tensors(torch, one.graph)
    hidden = torch.tanh(given["W[1]"].T @ given["X"] + given["b[1]"])
    scores = given["W[2]"].T @ hidden + given["b[2]"]
    prediction = torch.sigmoid(scores) if output == "sigmoid" else torch.softmax(scores, dim=0)
    loss = torch.nn.BCELoss()(prediction, given["Y"])
    loss.backward()
    assert one.graph.loss.value.item() == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(
        one.graph.nodes[Symbol("W", 1)].grad, given["W[1]"].grad.numpy(), rtol=1e-10, atol=1e-15
    )


def test_cross_entropy_refuses_the_mean_over_outputs_and_half_is_squared_error_s_alone():
    problem = refusal(network_text('kind = "cross_entropy"\noutputs = "mean"', "softmax"))
    assert (problem.key, problem.problem[:12]) == ("loss.outputs", 'found "mean"')
    problem = refusal(network_text('kind = "huber"\nhalf = false', "linear"))
    assert problem.key == "loss.half"
    assert problem.problem.startswith("unknown key")


# ── the penalty ─────────────────────────────────────────────────────────────────────────────────────


def test_l2_is_one_more_term_of_every_weight_of_no_sample():
    l2 = 0.3
    plain, with_penalty = (
        evaluated(network_text(f'kind = "squared_error"{more}', "tanh")) for more in ("", f"\nl2 = {l2}")
    )
    values = with_penalty.graph.value_of
    weights = [with_penalty.network.parameters[Symbol("W", number)] for number in (1, 2)]
    penalty = l2 / 2 * sum(float((weight**2).sum()) for weight in weights)
    assert values(Symbol("penalty")) == pytest.approx(penalty, rel=1e-14)
    assert values(Symbol("fit")) == pytest.approx(plain.graph.loss.value.item(), rel=1e-14)
    assert values(Symbol("E")) == pytest.approx(values(Symbol("fit")) + penalty, rel=1e-14)
    for name in with_penalty.network.parameters:
        pull = l2 * with_penalty.network.parameters[name] if name.name == "W" else 0.0
        expected = plain.graph.nodes[name].grad + pull
        np.testing.assert_allclose(with_penalty.graph.nodes[name].grad, expected, rtol=1e-12)
    target = Symbol("W", 1, (1, 2))
    derivation = explain(with_penalty.graph, target)
    record = explain_record(derivation, with_penalty.check(target))
    assert record["shared"] == {"value": pytest.approx(l2 * weights[0][1, 2], rel=1e-14), "paths": 1}
    total = record["shared"]["value"] + math.fsum(share["value"] for share in record["samples"])
    assert record["value"] == pytest.approx(total, rel=1e-12)
    last = record["steps"][-1]
    assert [term["via"] for term in last["terms"]][-1] == "penalty"
    assert last["terms"][-1]["formula"] == "0.3*W[1][1,2]"
    assert record["check"]["verdict"] == "good"
    text = written_text(derivation, "Penalty")
    assert "the penalty" in text
    assert "of no sample" in text


# ── norms and initialisation ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize("frozen", ["[]", '["scale", "b"]'])
def test_affine_norms_are_pytorch_s(norm: str, frozen: str):
    torch = pytest.importorskip("torch", reason="PyTorch is an extra: independent norms")
    more = f'norm = "{norm}"\naffine = true\nnorm_eps = 0.01\nfrozen = {frozen}'
    one = evaluated(network_text('kind = "squared_error"', "tanh", more))
    scale, shift = (one.network.parameters[Symbol(name, 1)] for name in ("scale", "shift"))
    assert (scale == 1).all()
    assert (shift == 0).all()
    rng = np.random.default_rng(0)
    scale[...], shift[...] = rng.standard_normal(scale.shape), rng.standard_normal(shift.shape)
    one.graph.forward()
    one.graph.backward()
    given = tensors(torch, one.graph)
    f = (given["W[1]"].T @ given["X"] + given["b[1]"]).T
    scale_, shift_ = given["scale[1]"].flatten(), given["shift[1]"].flatten()
    if norm == "batch":
        u = torch.nn.functional.batch_norm(f, None, None, scale_, shift_, training=True, eps=0.01)
    else:
        u = torch.nn.functional.layer_norm(f, (3,), scale_, shift_, eps=0.01)
    prediction = torch.tanh(given["W[2]"].T @ torch.tanh(u.T) + given["b[2]"])
    loss = 0.5 * ((prediction - given["Y"]) ** 2).sum(dim=0).mean()
    loss.backward()
    assert one.graph.loss.value.item() == pytest.approx(loss.item(), rel=1e-12)
    for name in (Symbol("scale", 1), Symbol("shift", 1), Symbol("W", 1), Symbol("W", 2)):
        np.testing.assert_allclose(
            one.graph.nodes[name].grad, given[name.plain()].grad.numpy(), rtol=1e-9, atol=1e-14
        )


def test_batch_norm_of_one_two_three():
    text = """
[data]
kind = "inline"
X = [[1.0, 2.0, 3.0]]
Y = [[0.0, 0.0, 0.0]]
[network]
[[network.layers]]
units = 1
norm = "batch"
norm_eps = {eps}
norm_variance = "{variance}"
W = [[1.0]]
[loss]
kind = "squared_error"
"""
    h = evaluated(text.format(eps="1e-30", variance="biased")).graph.nodes[Symbol("h", 1)].value
    assert h.ravel() == pytest.approx([-1.2247, 0.0, 1.2247], abs=5e-5)
    h = evaluated(text.format(eps="0", variance="unbiased")).graph.nodes[Symbol("h", 1)].value
    assert h.ravel() == pytest.approx([-1.0, 0.0, 1.0], rel=1e-14)


def test_pytorch_s_initialisation_is_uniform_within_the_root_of_fan_in():
    text = network_text('kind = "squared_error"', "tanh").replace(
        "units = 3\nactivation", "units = 400\nactivation", 1
    )
    network = evaluated(text).network
    for name, fan_in in ((Symbol("W", 1), 2), (Symbol("b", 1), 2), (Symbol("W", 2), 400)):
        bound, values = 1 / math.sqrt(fan_in), network.parameters[name]
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.97 * bound
        assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)
    zeros = evaluated(text.replace('scheme = "pytorch"', 'scheme = "pytorch"\nbias = "zeros"')).network
    assert not zeros.parameters[Symbol("b", 1)].any()
    np.testing.assert_array_equal(zeros.parameters[Symbol("W", 1)], network.parameters[Symbol("W", 1)])


def test_twenty_sigmoid_layers_with_pytorch_s_initialisation_lose_five_sixths_of_a_decade_a_layer():
    """½ log10(3 · 16) = 0.841 with σ′ = 1/4 everywhere; 0.850 with σ′ at the f that really come about."""
    text = """
[data]
kind = "random"
n = 8
features = 64
[network]
bias = true
[[network.layers]]
units = 64
activation = "sigmoid"
repeat = 20
[[network.layers]]
units = 1
activation = "sigmoid"
[network.init]
scheme = "pytorch"
[loss]
kind = "bce"
"""
    predicted = predict(parse_experiment(text, "test"), 64)
    assert isinstance(predicted, MeanFieldProfile)
    assert predicted.limit.bias_variance == pytest.approx(1 / 192)
    slopes = np.diff(predicted.delta)
    assert slopes[5:15] == pytest.approx(0.850, abs=0.001)
    assert 0.5 * math.log10(48) == pytest.approx(0.841, abs=0.001)
    assert (slopes > 0.5 * math.log10(48)).all()


@pytest.mark.parametrize(("width", "measured"), [(64, 0.845), (16, 0.868)])
def test_twenty_sigmoid_layers_lose_as_many_decades_as_were_measured(width: int, measured: float):
    """The slope of log10 ‖∂ℰ/∂W‖ over the layers, the mean of thirty networks; they scatter by 0.02 to 0.03."""
    layers = f'[[network.layers]]\nunits = {width}\nactivation = "sigmoid"\nrepeat = 20\n'
    rest = '[[network.layers]]\nunits = 1\nactivation = "sigmoid"\n[network.init]\nscheme = "pytorch"\n'
    numbers = range(2, 20)
    slopes = []
    for seed in range(30):
        text = f'seed = {seed}\n[data]\nkind = "random"\nn = 8\nfeatures = {width}\n[network]\nbias = true\n'
        graph = evaluated(f'{text}{layers}{rest}[loss]\nkind = "bce"\n').graph
        norms = [np.log10(np.linalg.norm(graph.nodes[Symbol("W", number)].grad)) for number in numbers]
        slopes.append(np.polyfit(numbers, norms, 1)[0])
    assert np.mean(slopes) == pytest.approx(measured, abs=0.02)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[network]", '[network]\nweights = "out_in"'),
        ("[loss]", "[loss]\nhalf = false"),
        ("[loss]", '[loss]\noutputs = "mean"\nsamples = "sum"'),
        ("[loss]", '[notation]\npreactivation = "z"\n[loss]'),
    ],
)
def test_a_convention_adds_no_work_to_a_step(old: str, new: str):
    """The same operations, and as many array calls; how long they take, benchmarks.conventions measures."""
    text = network_text('kind = "squared_error"', "linear")
    graphs = [evaluated(one).graph for one in (text, text.replace(old, new, 1))]
    assert text != text.replace(old, new, 1)
    plain, other = ([type(op) for op in graph.ops] for graph in graphs)
    assert plain == other
    for kernels in ("forward_kernels", "backward_kernels"):
        counts = [len(getattr(graph, kernels)({})) for graph in graphs]
        assert counts[0] == counts[1]


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("loss", "more", "train", "key", "problem"),
    [
        ("\nl2 = -1.0", "", "", "loss.l2", "found -1.0; expected a number of 0 or more"),
        ('\noutputs = "max"', "", "", "loss.outputs", 'found "max"; expected "mean" or "sum"'),
        ("", "affine = true", "", "network.layers[0].affine", "found true without a norm"),
        ("", 'frozen = ["scale"]', "", "network.layers[0].frozen", 'found "scale"'),
        ("", 'norm = "batch"\nnorm_eps = -1.0', "", "network.layers[0].norm_eps", "found -1.0"),
        (
            "",
            "",
            "momentum = 0.9",
            "train.momentum",
            'found momentum for the optimizer "sgd"; expected it with "momentum" only',
        ),
        (
            "",
            "",
            'optimizer = "momentum"\nmomentum = 1.5',
            "train.momentum",
            "found 1.5; expected a number from 0 to below 1",
        ),
        ("", "", 'optimizer = "adam"\nbetas = [0.9, 1.0]', "train.betas[1]", "found 1.0"),
        ("", "", 'optimizer = "adam"\nbetas = [0.9]', "train.betas", "found 1 value"),
        ("", "", 'optimizer = "adamm"', "train.optimizer", 'did you mean "adam"?'),
        ("", "", 'order = "sorted"', "train.order", 'found "sorted"; expected "given" or "shuffled"'),
        ("", "", 'optimizer = "rmsprop"\neps = -1.0', "train.eps", "found -1.0"),
    ],
)
def test_bad_settings_are_refused_in_one_line(loss: str, more: str, train: str, key: str, problem: str):
    text = network_text(f'kind = "squared_error"{loss}', "tanh", more) + f"[train]\n{train}\n"
    error = refusal(text)
    assert error.key == key
    assert problem in error.problem
