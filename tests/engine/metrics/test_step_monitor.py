"""The monitor on networks made so that everybody can count: zeros, quiet and dead units, saturation, scores."""

import gc
import math
import sys
import weakref
from itertools import islice

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.autodiff.graph import Array
from engine.experiment.datasets import DataSet, load_data
from engine.experiment.loading import load_experiment
from engine.experiment.spec import BceLoss, CrossEntropyLoss, Loss, SquaredErrorLoss
from engine.formula.expression import Symbol
from engine.metrics.classification_score import FEW_SAMPLES, Score, scorer
from engine.metrics.equal_layer_norms import norms_of_equal_layers, norms_of_one_layer
from engine.metrics.l2_norms import FEW, magnitudes_of, norm_for
from engine.metrics.layer_groups import groups_of, rows_of
from engine.metrics.step_record import NEVER
from engine.metrics.unit_deaths import PORTION
from engine.model.network import Network
from engine.training.trainer import Trainer
from tests.engine.short_runs import experiment, given_network, layer

BCE = BceLoss()


# ── zeros, quiet units, dead units ──────────────────────────────────────────────────────────────────


def test_zeros_quiet_and_dead_units_counted_by_hand():
    # Three ReLUs of one input: on for positive samples, on for negative ones, never on.
    trainer = given_network(
        [[[1.0, -1.0, 0.0]], [[1.0], [1.0], [1.0]]],
        ["relu", "sigmoid"],
        [[1.0, 2.0, 3.0, -1.0]],
        [[1, 0, 1, 0]],
        BCE,
    )
    record = trainer.step()
    assert record.zero_fraction.tolist() == [(1 + 3 + 4) / 12, 0.0]
    assert record.quiet.tolist() == [1, 0]
    assert record.dead.tolist() == [1, 0]
    assert record.dead_step == 0
    activity = trainer.unit_activity()
    assert activity.firing_rate[0].tolist() == [0.75, 0.25, 0.0]
    assert activity.dead[0].tolist() == [False, False, True]
    assert activity.died_at[0].tolist() == [NEVER, NEVER, 0]
    assert [str(event) for event in activity.events] == ["step 0: unit 2 of layer 1 died"]


@pytest.mark.parametrize(
    ("activation", "sums", "rate"),
    [
        ("sigmoid", [0.0, 3.0, 20.0, -20.0], 0.5),
        ("tanh", [0.0, 9.0, -9.0, 9.0], 0.25),
        ("softplus", [-20.0, 1.0, 50.0, 2.0], 1.0),  # it is never called saturated
        ("linear", [-20.0, 1.0, 50.0, 2.0], 1.0),
    ],
)
def test_in_a_tail_a_unit_does_not_fire(activation: str, sums: list[float], rate: float):
    trainer = given_network(
        [[[1.0]], [[1.0]]], [activation, "sigmoid"], np.array([sums]), np.ones((1, 4)), BCE
    )
    record = trainer.step()
    assert trainer.unit_activity().firing_rate[0].tolist() == [rate]
    assert record.quiet[0] == record.dead[0] == 0
    assert math.isnan(record.saturated[0]) or record.saturated[0] == 1 - rate


def test_one_sample_that_is_off_is_no_dead_unit():
    X = np.full((1, 100), -1.0)
    X[0, 57] = 1.0
    trainer = given_network([[[1.0]], [[1.0]]], ["relu", "sigmoid"], X, np.ones((1, 100)), BCE)
    record = trainer.step()
    assert record.zero_fraction[0] == 0.99
    assert record.quiet[0] == record.dead[0] == 0


def test_a_unit_that_is_quiet_in_a_batch_is_not_dead():
    X = np.array([[1.0] + 7 * [-1.0]])
    trainer = given_network([[[1.0]], [[0.0]]], ["relu", "sigmoid"], X, np.ones((1, 8)), BCE, batch=2)
    records = [trainer.step() for _ in range(4)]
    assert sorted(record.quiet[0] for record in records) == [0, 1, 1, 1]
    assert all(record.dead[0] == 0 for record in records)


@pytest.mark.parametrize("size", [1, 3, FEW, FEW + 1, 200])
@pytest.mark.parametrize("n", [1, 2, 9])
def test_counts_agree_with_numpy_for_few_numbers_and_for_many(size: int, n: int):
    rng = np.random.default_rng(size + n)
    weights = [rng.standard_normal((2, size)), rng.standard_normal((size, 1))]
    X = rng.standard_normal((2, n))
    trainer = given_network([W.tolist() for W in weights], ["relu", "sigmoid"], X, np.ones((1, n)), BCE)
    record = trainer.step()
    activations = np.maximum(weights[0].T @ X, 0.0)
    assert record.zero_fraction[0] == (activations == 0).mean()
    assert record.quiet[0] == record.dead[0] == (activations == 0).all(axis=1).sum()
    rates = trainer.unit_activity().firing_rate
    np.testing.assert_array_equal(rates[0], (activations != 0).mean(axis=1))


def test_deaths_and_recoveries_are_reported_with_their_step():
    # The bias alone decides whether the unit is on; it is moved by hand between the steps.
    made = experiment(
        [layer(2, "relu", "W = [[0.0, 0.0]]\nb = [1.0, 1.0]"), layer(1, "sigmoid", "W = [[0.0], [0.0]]")],
        data='kind = "inline"\nX = [[1.0, 2.0]]\nY = [[0, 1]]',
    )
    trainer = Trainer(made)
    bias = trainer.network.parameters[Symbol("b", 1)]
    for step, value in enumerate((1.0, -1.0, -1.0, 1.0, -1.0)):
        bias[1] = value
        record = trainer.step()
        assert record.dead.tolist() == [int(value < 0), 0], step
    activity = trainer.unit_activity()
    assert [(event.step, event.layer, event.unit, event.died) for event in activity.events] == [
        (1, 1, 1, True),
        (3, 1, 1, False),
        (4, 1, 1, True),
    ]
    assert activity.died_at[0].tolist() == [NEVER, 4]


def test_going_back_in_time_forgets_later_deaths():
    made = experiment(
        [layer(1, "relu", "W = [[1.0]]"), layer(1, "sigmoid", "W = [[0.0]]")],
        data='kind = "inline"\nX = [[1.0]]\nY = [[0]]',
    )
    trainer = Trainer(made)
    trainer.step()
    kept = trainer.checkpoint()
    trainer.network.parameters[Symbol("W", 1)][...] = -1.0
    assert trainer.step().dead.tolist() == [1, 0]
    trainer.restore(kept)
    assert trainer.unit_activity().events == ()
    assert trainer.step().dead.tolist() == [0, 0]


@pytest.mark.parametrize("norm", ["", 'norm = "batch"'])
def test_with_mini_batches_the_whole_data_set_is_looked_at_as_often_as_is_affordable(norm: str):
    n = PORTION + 300  # in two portions, the second overlapping the first
    made = experiment(
        [layer(12, "relu", f"repeat = 3\n{norm}"), layer(1, "sigmoid")],
        data=f'kind = "random"\nn = {n}\nfeatures = 2',
        train="batch = 331\nlearning_rate = 0.5",
        seed=1,
    )
    trainer = Trainer(made)
    assert trainer.dead_check_period == math.ceil(n / 331 * 0.5 / 0.05)
    for step in range(trainer.dead_check_period + 2):
        dead = dead_units(trainer.network, trainer.data)
        record = trainer.step()
        due = 0 if step < trainer.dead_check_period else trainer.dead_check_period
        assert record.dead_step == due
        if step == due:
            assert record.dead.tolist() == dead


def dead_units(network: Network, data: DataSet) -> list[int]:
    """Counted from a graph of the whole data set."""
    graph = network.graph(data.X, data.Y)
    graph.forward()
    names = [f"a[{number}]" for number in range(1, len(network.layers))] + ["Y_hat"]
    values = {symbol.plain(): node.value for symbol, node in graph.nodes.items()}
    return [int((values[name] == 0).all(axis=1).sum()) for name in names]


def test_the_units_of_a_residual_block_are_those_of_its_activation_function():
    trainer = given_network(
        [[[1.0, 1.0]], [[-1.0, 1.0], [0.0, 0.0]], [[1.0], [1.0]]],
        ["relu", "relu", "sigmoid"],
        [[1.0, 2.0]],
        [[0, 1]],
        BCE,
    )
    made = trainer.experiment
    first, second, last = made.network.layers
    second = msgspec.structs.replace(second, residual=True)
    network = msgspec.structs.replace(made.network, layers=[first, second, last])
    record = Trainer(msgspec.structs.replace(made, network=network), trainer.data).step()
    assert record.quiet.tolist() == [0, 1, 0]
    assert record.dead.tolist() == [0, 1, 0]


@pytest.mark.parametrize("width", [2, 3])
@pytest.mark.parametrize("depth", [4, 12])
def test_deep_narrow_relu_networks_are_born_dead_as_often_as_theory_says(width: int, depth: int):
    """For one input and symmetric weights a layer is dead when all its f ≤ 0 (Lu et al. 2020, theorem 3.3)."""
    nets, born_dead = 400, 0
    made = experiment(
        [layer(width, "relu", f"repeat = {depth}"), layer(1, "sigmoid")],
        data=f'kind = "inline"\nX = {[[1.0]] * width}\nY = [[1]]',
    )
    data = load_data(made)
    rng = np.random.default_rng(width * depth)
    for _ in range(nets):
        network = Network.initialised(made, width)
        for weights in network.parameters.values():
            weights[...] = rng.standard_normal(weights.shape)
        record = Trainer(made, data, network).step()
        born_dead += bool((record.dead == width).any())
    expected = 1 - (1 - 2.0**-width) ** depth
    deviation = math.sqrt(expected * (1 - expected) / nets)
    assert abs(born_dead / nets - expected) < 4 * deviation


# ── saturation ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("activation", "slope"),
    [("sigmoid", lambda f: np.exp(-f) / (1 + np.exp(-f)) ** 2 * 4), ("tanh", lambda f: 1 / np.cosh(f) ** 2)],
)
@pytest.mark.parametrize("n", [5, 400])
def test_saturated_is_a_derivative_below_a_hundredth_of_its_largest(activation: str, slope: object, n: int):
    X = np.linspace(-8, 8, n)[None, :]
    trainer = given_network([[[1.0]], [[1.0]]], [activation, "sigmoid"], X, np.ones((1, n)), BCE)
    record = trainer.step()
    assert record.saturated[0] == (slope(X) < 0.01).mean()  # type: ignore[operator]
    assert 0 < record.saturated[0] < 1


def test_a_sigmoid_that_rounds_to_zero_is_counted_as_zero():
    X = np.array([[-800.0, -800.0, 800.0, 0.0] * 10])
    record = given_network([[[1.0]], [[1.0]]], ["sigmoid", "sigmoid"], X, np.ones((1, 40)), BCE).step()
    assert record.zero_fraction[0] == 0.5
    assert record.saturated[0] == 0.75


def test_layers_that_cannot_saturate_say_so():
    record = given_network(
        [[[1.0]], [[1.0]]], ["relu", "linear"], [[1.0]], [[1.0]], SquaredErrorLoss()
    ).step()
    assert np.isnan(record.saturated).all()


# ── accuracy and recall ─────────────────────────────────────────────────────────────────────────────


def test_accuracy_and_the_recall_of_each_class():
    # Ŷ > ½ where the input is above 0. Class 1: one of three is found. Class 0: one of two.
    X, Y = [[1.0, -1.0, -2.0, 3.0, -3.0]], [[1, 1, 1, 0, 0]]
    record = given_network([[[1.0]]], ["sigmoid"], X, Y, BCE).step()
    assert record.accuracy == 2 / 5
    assert record.recall == (1 / 2, 1 / 3)


def test_the_recall_of_a_class_that_is_not_there_is_nan():
    record = given_network([[[1.0]]], ["sigmoid"], [[1.0, -1.0]], [[1, 1]], BCE).step()
    assert math.isnan(record.recall[0])
    assert record.recall[1] == 0.5


def test_exactly_one_half_says_zero():
    record = given_network([[[0.0]]], ["sigmoid"], [[1.0]], [[0]], BCE).step()
    assert record.accuracy == 1.0


def test_several_labels_a_sample_are_right_or_wrong_one_by_one():
    X, Y = [[1.0, -1.0]], [[1, 1], [0, 1]]
    record = given_network([[[1.0, 1.0]]], ["sigmoid"], X, Y, BCE).step()
    assert record.accuracy == 1 / 4
    assert record.recall == ()


def score_of(loss: Loss, prediction: np.ndarray, label: np.ndarray) -> Score:
    made = scorer(loss, prediction, label)
    (score,) = made.scores_of([made.compare()])
    return score


few_or_many = st.integers(1, 30) | st.integers(FEW_SAMPLES + 1, FEW_SAMPLES + 30)


@given(outputs=st.integers(2, 5), n=few_or_many, seed=st.integers(0, 2**32 - 1))
def test_the_largest_output_of_a_column_is_the_class(outputs: int, n: int, seed: int):
    rng = np.random.default_rng(seed)
    prediction, label = rng.random((outputs, n)), np.eye(outputs)[:, rng.integers(0, outputs, n)]
    said, is_class = prediction.argmax(0), label.argmax(0)
    score = score_of(CrossEntropyLoss(), prediction, label)
    assert score.accuracy == (said == is_class).mean()
    if outputs > 2:
        assert score.recall == ()
    else:
        for number, recall in enumerate(score.recall):
            mine = said[is_class == number] == number
            assert recall == mine.mean() if mine.size else math.isnan(recall)


@given(n=few_or_many, share=st.sampled_from([0.0, 0.1, 0.5, 1.0]), seed=st.integers(0, 2**32 - 1))
def test_one_output_says_1_above_one_half(n: int, share: float, seed: int):
    rng = np.random.default_rng(seed)
    prediction, label = rng.random((1, n)), (rng.random((1, n)) < share).astype(np.float64)
    right = (prediction > 0.5) == (label == 1.0)
    score = score_of(BceLoss(), prediction, label)
    assert score.accuracy == right.mean()
    for number, recall in enumerate(score.recall):
        mine = right[label == number]
        assert recall == mine.mean() if mine.size else math.isnan(recall)


def test_what_is_kept_of_a_step_does_not_grow_with_the_samples():
    n = 100_000
    made = scorer(BceLoss(), np.full((1, n), 0.7), np.ones((1, n)))
    assert sum(map(sys.getsizeof, made.compare())) < 1000


def test_an_unread_record_does_not_keep_its_trainer_alive():
    trainer = Trainer(load_experiment("dying-relu"))
    record, network = trainer.step(), weakref.ref(trainer.network)
    del trainer
    gc.collect()
    assert record.rest is not None
    assert network() is None
    assert 0.0 <= record.accuracy <= 1.0


def test_equal_outputs_are_the_first_class():
    label = np.eye(3)
    assert score_of(CrossEntropyLoss(), np.full((3, 3), 1 / 3), label).accuracy == 1 / 3
    assert score_of(CrossEntropyLoss(), np.full((2, 2), 1 / 2), np.eye(2)).recall == (1.0, 0.0)


def test_squared_error_classifies_nothing():
    record = given_network([[[1.0]]], ["linear"], [[1.0]], [[1.0]], SquaredErrorLoss()).step()
    assert record.accuracy is None
    assert record.recall == ()


def test_labels_follow_the_batch():
    made = experiment(
        [layer(1, "sigmoid")],
        data='kind = "blobs"\nn = 11\nnoise = 0.1',
        train="batch = 4\nlearning_rate = 5.0",
    )
    trainer = Trainer(made)
    records = list(islice(trainer, 60))
    assert all(record.accuracy == 1.0 for record in records[-6:])


# ── norms ───────────────────────────────────────────────────────────────────────────────────────────

SIZES = st.sampled_from((1, FEW, FEW + 1, 500, 40_000))


@given(size=SIZES, exponent=st.integers(-300, 300), dtype=st.sampled_from(("float64", "float32")))
def test_a_norm_neither_overflows_nor_vanishes(size: int, exponent: int, dtype: str):
    if dtype == "float32":
        exponent //= 9
    numbers = np.random.default_rng(0).standard_normal(size)
    vector = (numbers * 10.0**exponent).astype(dtype)
    exact = np.sqrt((numbers**2).sum()) * 10.0**exponent
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    norm = norm_for(vector.dtype, size)
    with np.errstate(all="ignore"):  # as everywhere in a training step
        assert norm(vector) == pytest.approx(exact, rel=tolerance, abs=0)
        largest, mean, l2 = magnitudes_of(vector, norm, np.empty_like(vector), np.ones_like(vector))()
    assert largest == np.abs(vector).max()
    assert mean == pytest.approx(np.abs(vector.astype(float)).mean(), rel=tolerance, abs=0)
    assert l2 == pytest.approx(exact, rel=tolerance, abs=0)


@given(size=SIZES, place=st.floats(0, 0.999), bad=st.sampled_from((math.nan, math.inf, -math.inf)))
def test_one_bad_entry_is_never_lost(size: int, place: float, bad: float):
    vector = np.ones(size)
    vector[int(place * size)] = bad
    norm = norm_for(vector.dtype, size)
    with np.errstate(all="ignore"):
        every = (norm(vector), *magnitudes_of(vector, norm, np.empty(size), np.ones(size))())
    for found in every:
        assert math.isnan(found) if math.isnan(bad) else found == math.inf


@pytest.mark.parametrize("size", [2, 3, FEW, FEW + 1, 100])
@pytest.mark.parametrize("nan_first", [True, False])
def test_nan_beside_infinity_is_nan_however_few_there_are(size: int, nan_first: bool):
    vector = np.ones(size)
    vector[[0, -1]] = (math.nan, math.inf) if nan_first else (math.inf, math.nan)
    norm = norm_for(vector.dtype, size)
    with np.errstate(all="ignore"):
        assert math.isnan(norm(vector))
        measured = magnitudes_of(vector, norm, np.empty(size), np.ones(size))()
    assert all(math.isnan(one) for one in measured)


def test_the_norm_of_nothing_but_zeros_is_zero():
    for size in (1, 100):
        vector: Array = np.zeros(size)
        norm = norm_for(vector.dtype, size)
        assert norm(vector) == 0.0
        assert magnitudes_of(vector, norm, np.empty(size), np.ones(size))() == (0.0, 0.0, 0.0)


@given(
    layers=st.integers(1, 5),
    size=st.sampled_from((1, FEW, FEW + 1, 300)),
    exponents=st.lists(st.sampled_from((-290, -160, 0, 160, 290, None)), min_size=10, max_size=10),
)
def test_equal_layers_are_measured_together_as_they_are_one_by_one(
    layers: int, size: int, exponents: list[int | None]
):
    rng = np.random.default_rng(layers + size)
    factors = np.array([0.0 if one is None else 10.0**one for one in exponents[: 2 * layers]])[:, None]
    gradients, weights = np.split(rng.standard_normal((2 * layers, size)) * factors, 2)
    found = np.empty((4, layers))
    largest, mean, l2, weight_l2 = found
    norm = norm_for(found.dtype, size)
    scratch, ones = np.empty(layers * size), np.ones(layers * size)
    with np.errstate(all="ignore"):
        places = (largest, mean, l2, weight_l2)
        if layers == 1:
            norms_of_one_layer(gradients[0], weights[0], places, norm, scratch, ones)()
        else:
            for _, measure in norms_of_equal_layers(gradients, weights, places, norm, scratch, ones):
                measure()
        one_by_one = [magnitudes_of(row, norm, np.empty(size), np.ones(size))() for row in gradients]
        np.testing.assert_allclose(found[:3].T, one_by_one, rtol=1e-12)
        np.testing.assert_allclose(weight_l2, [norm(row) for row in weights], rtol=1e-12)


def test_layers_are_grouped_by_shape_kind_and_place():
    flat = np.arange(22.0)
    arrays = [
        flat[start:stop].reshape(2, -1) for start, stop in ((0, 4), (4, 8), (8, 12), (14, 18), (18, 20))
    ]
    assert groups_of(arrays) == [(0, 2), (3, 3), (4, 4)]
    assert groups_of(arrays, ["relu", "tanh", "tanh", "tanh", "tanh"]) == [(0, 0), (1, 2), (3, 3), (4, 4)]
    rows = rows_of(arrays[1:3])
    assert np.shares_memory(rows, flat)
    np.testing.assert_array_equal(rows, [[4, 5, 6, 7], [8, 9, 10, 11]])


def test_vanishing_gradients_are_still_numbers_in_float32():
    made = experiment([layer(4, "sigmoid", "repeat = 30"), layer(1, "sigmoid")], dtype="float32")
    record = Trainer(made).step()
    reference = Trainer(experiment([layer(4, "sigmoid", "repeat = 30"), layer(1, "sigmoid")])).step()
    assert record.grad_l2[0] > 0
    np.testing.assert_allclose(record.grad_l2, reference.grad_l2, rtol=1e-2)
