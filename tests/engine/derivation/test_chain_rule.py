"""Derivations: every formula is held against the number beside it, and every sum against backward."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.autodiff.graph import Array, Graph, Node
from engine.derivation.chain_rule import ChainRuleStep, Derivation, explain
from engine.derivation.targets import TargetError, find_target
from engine.experiment.spec import BceLoss, CrossEntropyLoss, LayerSpec, SquaredErrorLoss
from engine.formula.expression import Partial, Symbol
from engine.model.network import Network
from tests.engine.networks import Case, cases, is_unsaturated
from tests.engine.plain_form import names_of, python_value


def differentiable(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes.values() if node.needs_gradient and node is not graph.loss]


def drawn_target(data: st.DataObject, graph: Graph) -> Symbol:
    node = data.draw(st.sampled_from(differentiable(graph)))
    rows, columns = node.shape
    return node.symbol.at((data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))))


def close(found: float, expected: float, scale: float = 1.0) -> bool:
    """To 1e-12, relatively or, for numbers below `scale`, absolutely."""
    return abs(found - expected) <= 1e-12 * max(abs(expected), scale)


def check_formulas(step: ChainRuleStep, names: dict) -> None:
    for term in step.terms:
        assert close(python_value(term.formula.plain(), names), term.local), term
        assert close(python_value(term.substituted.plain(), names), term.local), term
        assert not list(term.substituted.symbols())
        assert term.symbol == Partial(term.via, step.node)
        assert term.contribution == term.local * term.upstream


def gradient_of(graph: Graph, symbol: Symbol) -> float:
    return float(graph.nodes[symbol.matrix].grad[symbol.index or (0, 0)])


def value_of(graph: Graph, symbol: Symbol) -> float:
    return float(graph.nodes[symbol.matrix].value[symbol.index or (0, 0)])


def check_derivation(derivation: Derivation, graph: Graph) -> None:
    """Everything that a derivation says, where no probability has rounded."""
    names = names_of(graph)
    steps = list(derivation)
    assert steps[-1].node == derivation.target
    assert derivation.path == (Symbol("E"), *(step.node for step in steps))
    before, product = Symbol("E"), 1.0
    for step in steps:
        check_formulas(step, names)
        assert step.value == value_of(graph, step.node)
        assert step.gradient == gradient_of(graph, step.node)
        size = math.fsum(abs(term.contribution) for term in step.terms)
        total = math.fsum(term.contribution for term in step.terms)
        assert abs(total - step.gradient) <= 1e-10 * size + 1e-300
        for term in step.terms:
            assert term.upstream == gradient_of(graph, term.via)
        assert step.term.via == before, "the path goes through the chosen term"
        product *= step.term.local
        assert step.running == pytest.approx(product, rel=1e-12, abs=1e-300)
        for line in step.simplification:
            value = python_value(line.plain(), names)
            assert abs(value - step.gradient) <= 1e-10 * size + 1e-13
        before = step.node


@given(case=cases(), data=st.data())
def test_every_formula_is_the_number_beside_it(case: Case, data: st.DataObject):
    graph = case.graph()
    assume(is_unsaturated(graph))
    target = drawn_target(data, graph)
    derivation = explain(graph, target)
    check_derivation(derivation, graph)
    assert derivation.value == gradient_of(graph, target)
    assert derivation.n == case.X.shape[1]


@settings(max_examples=25)
@given(case=cases(max_depth=4, max_width=4, max_n=4), data=st.data())
def test_float32_formulas_are_the_numbers_beside_them(case: Case, data: st.DataObject):
    graph = case.in_float32().graph()
    assume(is_unsaturated(graph))
    names = names_of(graph)
    for step in explain(graph, drawn_target(data, graph)):
        check_formulas(step, names)


@given(case=cases(max_depth=4), data=st.data())
def test_the_samples_add_up_to_the_gradient(case: Case, data: st.DataObject):
    graph = case.graph()
    assume(is_unsaturated(graph))
    target = drawn_target(data, graph)
    derivation = explain(graph, target)
    shares = derivation.samples
    summands = [share.value for share in shares]
    if derivation.shared is not None:
        summands.append(derivation.shared.value)
    size = math.fsum(map(abs, summands))
    assert abs(math.fsum(summands) - derivation.value) <= 1e-10 * size + 1e-300
    samples = [share.sample for share in shares]
    if graph.nodes[target.matrix].per_sample:
        assert samples == [target.index[1]]
    elif graph.nodes[target.matrix].scalar:
        assert samples == [0]
    else:
        assert samples == list(range(graph.n))
    assert abs(derivation.sample_value) == max(abs(share.value) for share in shares)
    for sample in samples:
        one = explain(graph, target, sample)
        assert one.sample == sample
        assert one.value == derivation.value
        assert one.sample_value == next(share.value for share in shares if share.sample == sample)
        assert columns_of(one, graph) <= {sample} or couples_samples(case)


def couples_samples(case: Case) -> bool:
    return any(layer.norm == "batch" for layer in case.network.layers)


def columns_of(derivation: Derivation, graph: Graph) -> set[int]:
    return {step.node.index[1] for step in derivation if graph.nodes[step.node.matrix].per_sample}


@given(case=cases(max_depth=3, max_width=3, max_n=3), data=st.data())
def test_a_samples_share_is_its_gradient_alone(case: Case, data: st.DataObject):
    """Where samples do not meet, the share is 1/n of the gradient of a batch of that sample only, penalty aside."""
    assume(not couples_samples(case))
    graph = case.graph()
    assume(is_unsaturated(graph))
    node = data.draw(
        st.sampled_from([node for node in differentiable(graph) if not (node.per_sample or node.scalar)])
    )
    target = node.symbol.at((node.shape[0] - 1, node.shape[1] - 1))
    derivation = explain(graph, target)
    shared = 0.0 if derivation.shared is None else derivation.shared.value
    assert math.fsum([shared, *(share.value for share in derivation.samples)]) == pytest.approx(
        derivation.value, rel=1e-9, abs=1e-13
    )
    n = graph.n if case.network.loss.samples == "mean" else 1
    for share in derivation.samples:
        own = slice(share.sample, share.sample + 1)
        alone = case.network.graph(case.X[:, own].copy(), case.Y[:, own].copy())
        alone.forward()
        alone.backward()
        assert share.value == pytest.approx((gradient_of(alone, target) - shared) / n, rel=1e-9, abs=1e-13)


@settings(max_examples=40)
@given(case=cases(max_depth=4, max_width=3, max_n=3), data=st.data())
def test_following_a_branch_gives_a_derivation_through_it(case: Case, data: st.DataObject):
    graph = case.graph()
    assume(is_unsaturated(graph))
    derivation = explain(graph, drawn_target(data, graph))
    for index, step in enumerate(derivation):
        for place, term in enumerate(step.terms):
            other = derivation.follow(index, place)
            check_derivation(other, graph)
            assert other.target == derivation.target
            # The new path goes through the term, and from there to the target as before.
            steps = list(other)
            below = len(derivation) - index
            assert [s.node for s in steps[-below:]] == [s.node for s in list(derivation)[index:]]
            taken = steps[-below]
            assert taken.chosen == place
            assert taken.term.via == term.via
            if place == step.chosen:
                assert other.sample == derivation.sample
            if not graph.nodes[derivation.target.matrix].per_sample and not couples_samples(case):
                assert columns_of(other, graph) <= {other.sample}


@pytest.mark.parametrize("start", [0, 1, 2])
@pytest.mark.parametrize("sample", [0, 1, 2])
@pytest.mark.parametrize("name", ["W", "b"])
def test_following_another_term_at_the_target_chooses_another_sample(start: int, sample: int, name: str):
    rng = np.random.default_rng(9)
    graph = build(
        [LayerSpec(units=3, activation="tanh"), LayerSpec(units=3, activation="tanh"), LayerSpec(units=2)],
        SquaredErrorLoss(),
        X=rng.standard_normal((2, 3)),
        Y=rng.standard_normal((2, 3)),
        W1=rng.standard_normal((2, 3)),
        b1=rng.standard_normal((3, 1)),
        W2=rng.standard_normal((3, 3)),
        W3=rng.standard_normal((3, 2)),
    )
    target = Symbol(name, 1, (1, 0))
    derivation = explain(graph, target, start)
    other = derivation.follow(len(derivation) - 1, sample)
    assert other.sample == sample
    assert other.path == explain(graph, target, sample).path
    assert other.top_paths() == explain(graph, target, sample).top_paths()
    check_derivation(other, graph)


def test_steps_are_read_like_a_sequence():
    derivation = explain(one_neuron(f=0.6, y=1.0), Symbol("W", 1, (0, 0)))
    assert len(derivation) == 3
    assert derivation[-1].node == Symbol("W", 1, (0, 0))
    assert [step.node for step in derivation[0:1]] == [derivation[0].node]
    assert [step.node.plain() for step in derivation] == ["Y_hat[0,0]", "f[1][0,0]", "W[1][0,0]"]
    with pytest.raises(IndexError):
        derivation[3]


# ── saturation ──────────────────────────────────────────────────────────────────────────────────────


def build(layers: list[LayerSpec], loss, X, Y, **parameters) -> Graph:
    """A graph after both passes; parameters as W1=…, b1=…"""
    arrays = {
        Symbol(name[0], int(name[1:])): np.array(value, np.float64) for name, value in parameters.items()
    }
    graph = Network(layers, arrays, loss).graph(np.array(X, np.float64), np.array(Y, np.float64))
    graph.forward()
    graph.backward()
    return graph


def one_neuron(f: float, y: float, alpha: float | None = None, beta: float | None = None) -> Graph:
    """Two inputs of 1 and -2 with weights that make the pre-activation f."""
    return build(
        [LayerSpec(units=1, activation="sigmoid")],
        BceLoss(alpha=alpha, beta=beta),
        X=[[1.0], [-2.0]],
        Y=[[y]],
        W1=[[f], [0.0]],
    )


def exact_sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


@pytest.mark.parametrize("f", [-800.0, -40.0, -30.0, 30.0, 40.0, 800.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize(("alpha", "beta"), [(None, None), (10.0, 0.5)])
def test_saturated_bce_is_finite_and_right(f: float, y: float, alpha: float | None, beta: float | None):
    graph = one_neuron(f, y, alpha, beta)
    weight = (alpha or 1.0) if y else (beta or 1.0)
    # -log σ(f) = log(1+e⁻ᶠ) and -log(1-σ(f)) = log(1+eᶠ)
    away = -f if y else f
    expected = weight * (away if away > 700 else math.log1p(math.exp(away)))
    assert graph.loss.value[0, 0] == pytest.approx(expected, rel=1e-15, abs=1e-300)
    gradient = -weight * exact_sigmoid(-f) if y else weight * exact_sigmoid(f)
    found = graph.nodes[Symbol("f", 1)].grad[0, 0]
    assert found == pytest.approx(gradient, rel=1e-15, abs=1e-300)
    np.testing.assert_array_equal(graph.nodes[Symbol("W", 1)].grad, [[found], [-2.0 * found]])
    check_saturated(graph, Symbol("W", 1, (1, 0)))
    if abs(f) >= 40 and (f < 0) == bool(y):
        assert found != 0.0


def check_saturated(graph: Graph, target: Symbol) -> None:
    """The steps of a saturated network: consistent wherever the two factors can be multiplied, explained elsewhere."""
    derivation = explain(graph, target)
    rounded = np.isin(graph.nodes[Symbol("Y_hat")].value, (0.0, 1.0))
    for step in derivation:
        if step.node.name == "Y_hat":
            assert (step.term.remark is not None) == rounded[step.node.index]
            if step.term.remark:
                assert "has rounded to exactly" in step.term.remark
                assert "∂ℰ/∂f stays right" in step.term.remark
            continue
        assert math.isfinite(step.running)
        assert math.isfinite(step.gradient)
        lines = step.simplification[1:]  # all but the one with the separate factors
        for line in lines[:-1]:  # where 1 - Ŷ is written as such it has lost digits
            assert line.evaluate(graph.value_of) == pytest.approx(step.gradient, rel=1e-13, abs=1e-14)
        if lines:
            assert lines[-1].evaluate(graph.value_of) == pytest.approx(step.gradient, rel=1e-13, abs=1e-300)
    # One path, one sample: the running product is the gradient itself.
    if derivation.path_count == 1:
        for step in derivation[1:]:
            assert step.running == pytest.approx(step.gradient, rel=1e-13, abs=1e-16)
    saturated = next(step for step in derivation if step.node.name == "f")
    if abs(saturated.value) > 6 and graph.ops[-2].output.shape[0] == 1:
        assert "saturated" in saturated.term.remark


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("f", [40.0, 800.0])
def test_saturated_cross_entropy_is_finite_and_right(f: float, label: int, swap: bool):
    logits = np.array([[-f], [f]] if swap else [[f], [-f]])
    winner = int(swap)
    labels = np.eye(2)[:, [label]]
    graph = build(
        [LayerSpec(units=2, activation="softmax")],
        CrossEntropyLoss(),
        X=[[1.0], [-2.0]],
        Y=labels,
        W1=np.vstack([logits.T, np.zeros((1, 2))]),
    )
    small = math.exp(-2 * f) if f < 300 else 0.0
    expected = 2 * f if label != winner else small
    assert graph.loss.value[0, 0] == pytest.approx(expected, rel=1e-15, abs=1e-16)
    gradient = (np.eye(2)[:, [winner]] - labels) if label != winner else np.zeros((2, 1))
    np.testing.assert_allclose(graph.nodes[Symbol("f", 1)].grad, gradient, rtol=1e-15, atol=1e-16)
    for unit in (0, 1):
        target = Symbol("W", 1, (1, unit))
        assert gradient_of(graph, target) == pytest.approx(-2.0 * gradient[unit, 0], rel=1e-15, abs=1e-16)
        check_saturated(graph, target)
        derivation = explain(graph, target)
        # With a one-hot label a single path carries the whole gradient, and it is the one that is shown.
        assert derivation[-1].running == pytest.approx(derivation.value, rel=1e-13, abs=1e-16)
        tops = derivation.top_paths()
        if abs(derivation.value) > 1e-10:
            assert tops[0].value == pytest.approx(derivation.value, rel=1e-13)
            assert tops[0].share == pytest.approx(1.0, rel=1e-13)
            assert tops[0].nodes == derivation.path
        assert all(math.isfinite(top.value) for top in tops)


def test_saturated_in_a_deep_network():
    graph = build(
        [LayerSpec(units=2, activation="relu"), LayerSpec(units=1, activation="sigmoid")],
        BceLoss(),
        X=[[1.0, 1.0], [2.0, -1.0]],
        Y=[[1.0, 0.0]],
        W1=[[100.0, 50.0], [10.0, 20.0]],
        W2=[[-4.0], [-10.0]],
    )
    f = graph.nodes[Symbol("f", 2)].value
    assert (f < -600).all()
    np.testing.assert_array_equal(
        graph.nodes[Symbol("f", 2)].grad, [[-0.5, graph.nodes[Symbol("Y_hat")].value[0, 1] / 2]]
    )
    derivation = explain(graph, Symbol("W", 1, (1, 0)))
    assert derivation.sample == 0
    assert [step.running for step in derivation[1:]] == [-0.5, 2.0, 2.0, 4.0]
    assert derivation.value == 4.0
    (top,) = derivation.top_paths()
    assert (top.value, top.share) == (4.0, 1.0)


# ── remarks ─────────────────────────────────────────────────────────────────────────────────────────


def hidden_relu(first: Array | list, second: Array | list, n: int = 1) -> Graph:
    return build(
        [LayerSpec(units=2, activation="relu"), LayerSpec(units=1, activation="sigmoid")],
        BceLoss(),
        X=np.ones((1, n)),
        Y=np.ones((1, n)),
        W1=first,
        W2=second,
    )


def remarks(derivation: Derivation) -> dict[str, str]:
    return {step.node.plain(): step.term.remark for step in derivation if step.term.remark}


def test_a_relu_that_is_off_passes_nothing_and_says_so():
    graph = hidden_relu([[-1.0, 2.0]], [[0.5], [0.5]])
    derivation = explain(graph, Symbol("W", 1, (0, 0)))
    assert derivation.value == 0.0
    assert derivation.top_paths() == []
    assert derivation.path_count == 1
    assert "ReLU is off" in remarks(derivation)["f[1][0,0]"]
    assert derivation[-1].running == 0.0
    assert "f[1][0,1]" not in remarks(explain(graph, Symbol("W", 1, (0, 1))))


def test_relu_at_exactly_zero_has_derivative_0_and_says_so():
    graph = hidden_relu([[0.0, 2.0]], [[0.5], [0.5]])
    derivation = explain(graph, Symbol("W", 1, (0, 0)))
    assert derivation.value == 0.0
    step = next(step for step in derivation if step.node == Symbol("f", 1, (0, 0)))
    assert step.term.local == 0.0
    assert step.term.remark == "f is exactly 0: the derivative of ReLU there is taken as 0"


def test_zero_weights_and_zero_inputs_say_so():
    graph = hidden_relu([[1.0, 2.0]], [[0.0], [0.5]])
    derivation = explain(graph, Symbol("W", 1, (0, 0)))
    assert remarks(derivation) == {"a[1][0,0]": "zero weight: nothing passes back through it"}
    assert derivation.value == 0.0
    off = hidden_relu([[-1.0, 2.0]], [[0.3], [0.5]])
    assert remarks(explain(off, Symbol("W", 2, (0, 0)))) == {
        "W[2][0,0]": "zero input: this weight gets no gradient from this sample"
    }


def test_a_network_of_zeros_has_a_derivation_for_everything():
    graph = hidden_relu(np.zeros((1, 2)), np.zeros((2, 1)), n=3)
    for node in differentiable(graph):
        derivation = explain(graph, node.symbol.at((0, 0)))
        check_derivation(derivation, graph)


@pytest.mark.parametrize("n", [1, 1100])
@pytest.mark.parametrize("norm", [None, "batch", "layer"])
def test_one_sample_and_very_many(n: int, norm: str | None):
    rng = np.random.default_rng(7)
    graph = build(
        [LayerSpec(units=3, activation="tanh", norm=norm), LayerSpec(units=1, activation="sigmoid")],
        BceLoss(),
        X=rng.standard_normal((2, n)),
        Y=rng.integers(0, 2, (1, n)),
        W1=rng.standard_normal((2, 3)),
        W2=rng.standard_normal((3, 1)),
    )
    target = Symbol("W", 1, (1, 1))
    derivation = explain(graph, target)
    names = names_of(graph)
    for step in derivation:
        for term in (step.terms[0], step.term, step.terms[-1]):
            assert close(python_value(term.formula.plain(), names), term.local)
    assert len(derivation.samples) == n
    size = sum(abs(share.value) for share in derivation.samples)
    assert abs(math.fsum(share.value for share in derivation.samples) - derivation.value) <= 1e-12 * size
    assert sum(share.paths for share in derivation.samples) == n * (
        1 if norm is None else per_sample_paths(norm, n)
    )
    # Where n is 1 it is left out of the formulas.
    assert ("n" in {symbol.name for symbol in derivation[0].term.formula.symbols()}) == (n > 1)


def per_sample_paths(norm: str, n: int) -> int:
    """From f through h itself, through the mean to every h it centres, and through the std likewise."""
    return 1 + 2 * (n if norm == "batch" else 3)


def test_a_constant_row_in_batch_norm_stays_finite_and_says_so():
    graph = build(
        [LayerSpec(units=1, activation="linear", norm="batch"), LayerSpec(units=1)],
        SquaredErrorLoss(),
        X=[[2.0, 2.0, 2.0]],
        Y=[[1.0, 0.0, 3.0]],
        W1=[[0.5]],
        W2=[[2.0]],
    )
    derivation = explain(graph, Symbol("W", 1, (0, 0)))
    assert derivation.value == pytest.approx(0.0, abs=1e-10)
    assert "almost no spread" in remarks(derivation)[f"f[1][0,{derivation.sample}]"]


# ── targets that are not there ──────────────────────────────────────────────────────────────────────

BATCH_OF_TWO = {
    "X": [[1.0, 2.0], [0.5, -1.0]],
    "Y": [[1.0, 0.0]],
    "W1": [[0.1, 0.2], [0.3, 0.4]],
    "W2": [[0.5], [0.6]],
}


@pytest.fixture
def small() -> Graph:
    layers = [LayerSpec(units=2, activation="relu"), LayerSpec(units=1, activation="sigmoid")]
    return build(layers, BceLoss(), **BATCH_OF_TWO)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Symbol("W", 7, (0, 0)), "there is no W[7] in this network; did you mean W[2]? It has "),
        (Symbol("Yhat", None, (0, 0)), "there is no Yhat in this network; did you mean Y_hat? It has "),
        (Symbol("zzz"), "there is no zzz in this network. It has X, W[1], f[1], a[1], W[2], f[2], Y_hat."),
        (Symbol("W", 1), "W[1] is 2×2: say which entry, such as W[1][0,0]"),
        (Symbol("W", 2, (2, 0)), "W[2][2,0] is outside W[2], which is 2×1: rows 0 to 1, columns 0 to 0"),
        (Symbol("W", 2, (0, 1)), "W[2][0,1] is outside W[2], which is 2×1: rows 0 to 1, columns 0 to 0"),
        (Symbol("X", None, (-1, 0)), "X[-1,0] is outside X, which is 2×2: rows 0 to 1, columns 0 to 1"),
        (Symbol("E"), "E is the loss itself; choose what to differentiate it by, such as W[1][0,0]"),
        (Symbol("Y", None, (0, 0)), "Y is given and has no gradient here; choose one of X, W[1], f[1],"),
    ],
)
def test_a_target_that_has_no_gradient_is_refused_in_one_line(small: Graph, target: Symbol, expected: str):
    with pytest.raises(TargetError) as caught:
        explain(small, target)
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("sample", [-1, 2])
def test_a_sample_that_is_not_there_is_refused(small: Graph, sample: int):
    with pytest.raises(TargetError, match=f"^sample {sample} is not there: this batch has samples 0 to 1$"):
        explain(small, Symbol("W", 1, (0, 0)), sample)


def test_a_value_of_another_sample_is_refused(small: Graph):
    with pytest.raises(TargetError, match=r"^f\[1\]\[0,1\] belongs to sample 1, not to sample 0$"):
        explain(small, Symbol("f", 1, (0, 1)), 0)


def test_a_list_of_many_names_is_abridged():
    layers = [LayerSpec(units=1, activation="tanh")] * 20
    weights = {f"W{number}": [[0.5]] for number in range(1, 21)}
    graph = build(layers, SquaredErrorLoss(), X=[[1.0]], Y=[[1.0]], **weights)
    with pytest.raises(TargetError) as caught:
        find_target(graph, Symbol("zzz"))
    assert len(str(caught.value)) < 200
    assert "…" in str(caught.value)
