"""A trainer's records say what an independent program says; settings, clipping, freezing and time travel are exact."""

import copy
import dataclasses
import math
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.experiment.datasets import load_data
from engine.experiment.loading import PRESET_NAMES, load_experiment, parse_experiment
from engine.experiment.spec import SquaredErrorLoss
from engine.formula.expression import Symbol
from engine.metrics.step_record import NEVER, StepRecord
from engine.model.network import Network, layer_names
from engine.training.trainer import Trainer
from tests.engine.networks import Case, Oracle, oracle
from tests.engine.short_runs import copy_of, experiment, given_network, layer, parameters

PER_LAYER = (
    "grad_max",
    "grad_mean",
    "grad_l2",
    "update_ratio",
    "zero_fraction",
    "quiet",
    "saturated",
    "delta_l2",
    "weight_gain",
    "activation_gain",
)

NETWORKS = {
    "plain": experiment([layer(5, "relu"), layer(4, "tanh"), layer(1, "sigmoid")], network="bias = true"),
    "deep sigmoid": experiment([layer(4, "sigmoid", "repeat = 8"), layer(1, "sigmoid")]),
    "residual": experiment(
        [layer(4, "tanh"), layer(4, "relu", "residual = true\nrepeat = 3"), layer(1, "sigmoid")]
    ),
    "batch norm": experiment(
        [layer(4, "relu", 'norm = "batch"\nrepeat = 2'), layer(1, "sigmoid", 'norm = "batch"')]
    ),
    "layer norm, residual": experiment(
        [
            layer(4, "gelu"),
            layer(4, "silu", 'norm = "layer"\nresidual = true\nrepeat = 2'),
            layer(3, "softmax"),
        ],
        data='kind = "random"\nn = 12\nfeatures = 3\noutputs = 3',
        loss='kind = "cross_entropy"',
    ),
    "squared error": experiment(
        [layer(4, "leaky_relu", "slope = 0.2"), layer(4, "softplus"), layer(2, "linear")],
        data='kind = "random"\nn = 12\nfeatures = 3\noutputs = 2',
        loss='kind = "squared_error"',
        network="bias = true",
    ),
    "residual output": experiment(
        [layer(2, "elu"), layer(2, "selu", "residual = true")],
        data='kind = "random"\nn = 12\nfeatures = 3\noutputs = 2',
        loss='kind = "squared_error"',
    ),
    "mini-batches": experiment([layer(6, "relu"), layer(1, "sigmoid")], train="batch = 5"),
}
every_network = pytest.mark.parametrize("name", NETWORKS)


# ── what a record says, computed another way ────────────────────────────────────────────────────────


def norm(array: np.ndarray) -> float:
    return math.sqrt(math.fsum((array.astype(float).ravel() ** 2).tolist()))


def expected_record(case: Case, found: Oracle, after: Network) -> dict[str, list[float]]:
    """The per-layer numbers of a record by their definitions, from the oracle's values and gradients."""
    network, depth = case.network, len(case.network.layers)
    expected: dict[str, list[float]] = {name: [] for name in PER_LAYER}
    for number, spec in enumerate(network.layers, start=1):
        gradient = found.gradients[f"W[{number}]"]
        before, now = (
            one.parameters[name]
            for one in (network, after)
            for name in one.parameters
            if name.plain() == f"W[{number}]"
        )
        output = "Y_hat" if number == depth else f"a[{number}]"
        activations = found.values[f"g[{number}]" if spec.residual else output]
        expected["grad_max"].append(abs(gradient).max())
        expected["grad_mean"].append(abs(gradient).mean())
        expected["grad_l2"].append(norm(gradient))
        expected["update_ratio"].append(norm(now - before) / norm(before))
        expected["zero_fraction"].append((activations == 0).mean())
        expected["quiet"].append((activations == 0).all(axis=1).sum())
        slopes = {"sigmoid": 4 * activations * (1 - activations), "tanh": 1 - activations**2}.get(
            spec.activation
        )
        expected["saturated"].append(math.nan if slopes is None else (slopes < 0.01).mean())
        expected["delta_l2"].append(norm(found.gradients[f"f[{number}]"]))
        if number == depth:
            continue
        W_above = found.values[f"W[{number + 1}]"]
        delta_above = found.gradients[f"f[{number + 1}]"]
        arriving = W_above @ delta_above
        expected["weight_gain"].append(norm(arriving) / norm(delta_above))
        if network.layers[number].residual:
            arriving = arriving + shortcut_gradient(found, number + 1, depth, case)
        passed = found.gradients[f"f[{number}]" if spec.norm is None else f"h[{number}]"]
        expected["activation_gain"].append(norm(passed) / norm(arriving))
    return expected


def shortcut_gradient(found: Oracle, number: int, depth: int, case: Case) -> np.ndarray:
    """∂ℰ/∂a[l], which layer l's shortcut passes on as it is."""
    if number < depth:
        return found.gradients[f"a[{number}]"]
    assert isinstance(case.network.loss, SquaredErrorLoss)
    return (found.values["Y_hat"] - case.Y) / case.Y.shape[1]


@every_network
def test_every_number_of_a_record_is_what_an_independent_program_finds(name: str):
    made = NETWORKS[name]
    trainer = Trainer(made)
    for step in range(3):
        before = copy_of(trainer.network)
        record = trainer.step()
        batch = trainer._graphs[trainer._current].nodes
        X, Y = (node.value.copy() for node in list(batch.values())[1::-1])
        case = Case(before, X, Y)
        found = oracle(case)
        assert record.step == step
        assert record.loss == pytest.approx(found.loss, rel=1e-12)
        for field, numbers in expected_record(case, found, trainer.network).items():
            np.testing.assert_allclose(getattr(record, field), numbers, rtol=1e-9, atol=1e-15, err_msg=field)
        assert record.problem is None
        assert record.nonfinite == 0
        assert record.clipped == 1.0


def test_the_arrays_of_a_record_are_read_only_and_of_one_entry_a_layer():
    trainer = Trainer(NETWORKS["plain"])
    record = next(trainer)
    depth = len(layer_names(trainer.network))
    for field in (*PER_LAYER, "dead"):
        array = getattr(record, field)
        assert array.shape == ((depth - 1,) if field.endswith("_gain") else (depth,))
        assert array.dtype == (np.int64 if field in ("quiet", "dead") else np.float64)
        assert not array.flags.writeable
    assert layer_names(trainer.network) == ("W[1]", "W[2]", "W[3]")


def test_records_do_not_change_while_training_goes_on():
    trainer = Trainer(NETWORKS["plain"])
    first = next(trainer)
    kept = {field: getattr(first, field).copy() for field in PER_LAYER}
    list(islice(trainer, 20))
    for field, array in kept.items():
        np.testing.assert_array_equal(getattr(first, field), array)


def test_a_record_reads_the_same_whenever_it_is_read_first():
    early, late = Trainer(NETWORKS["plain"]), Trainer(NETWORKS["plain"])
    for trainer in (early, late):
        trainer.clip_norm = 0.05
    first, unread = next(early), next(late)
    read = {field: getattr(first, field) for field in (*PER_LAYER, "accuracy", "recall")}
    list(islice(late, 20))
    late.network.parameters.clear()
    for field, value in read.items():
        np.testing.assert_array_equal(getattr(unread, field), value)


def test_a_record_that_nobody_has_read_can_be_copied_and_sent():
    one, other = (next(Trainer(NETWORKS["plain"])) for _ in range(2))
    for copied in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        for field in dataclasses.fields(StepRecord):
            if field.name != "seconds":
                np.testing.assert_array_equal(getattr(copied, field.name), getattr(other, field.name))
    assert "update_ratio=array" in repr(next(Trainer(NETWORKS["plain"])))


def test_a_record_has_no_other_attributes_and_none_can_be_set():
    record = next(Trainer(NETWORKS["plain"]))
    with pytest.raises(AttributeError, match="no attribute 'grad_l3'"):
        record.grad_l3  # noqa: B018
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.grad_l2 = np.zeros(3)


def test_several_threads_may_read_one_record_first():
    trainer = Trainer(NETWORKS["deep sigmoid"])
    for record in islice(trainer, 50):
        barrier = threading.Barrier(4)

        def read(record: StepRecord = record, barrier: threading.Barrier = barrier) -> float:
            barrier.wait()
            return float(record.update_ratio.sum()) + record.recall[0]

        with ThreadPoolExecutor(4) as pool:
            assert len({future.result() for future in [pool.submit(read) for _ in range(4)]}) == 1


@pytest.mark.parametrize("scale", [1.0, 1e-160, 0.0])
def test_norms_are_right_where_their_squares_would_vanish(scale: float):
    made = experiment(
        [layer(6, "tanh", "repeat = 4"), layer(4, "sigmoid")],
        data='kind = "random"\nn = 20\nfeatures = 6\noutputs = 4',
    )
    trainer = Trainer(made)
    trainer.network.parameters[Symbol("W", 5)][...] *= scale
    graph = trainer.network.graph(trainer.data.X, trainer.data.Y)
    graph.forward()
    graph.backward()
    record = next(trainer)
    for number in range(1, 6):
        gradient = graph.nodes[Symbol("W", number)].grad
        assert record.grad_max[number - 1] == pytest.approx(np.abs(gradient).max(), rel=1e-12, abs=0)
        assert record.grad_l2[number - 1] == pytest.approx(math.hypot(*gradient.flat), rel=1e-12, abs=0)


def test_a_network_of_one_layer_has_no_gaps():
    record = next(Trainer(load_experiment("tutorial-a")))
    assert record.weight_gain.shape == record.activation_gain.shape == (0,)


@pytest.mark.parametrize("name", ["sgd", "momentum", "rmsprop", "adam"])
def test_a_step_in_float32_is_near_the_one_in_float64(name: str):
    def final(dtype: str) -> StepRecord:
        made = experiment(
            [layer(6, "tanh"), layer(1, "sigmoid")], train=f'optimizer = "{name}"\nsteps = 20', dtype=dtype
        )
        return list(Trainer(made))[-1]

    single, double = final("float32"), final("float64")
    assert single.loss == pytest.approx(double.loss, rel=1e-4)
    np.testing.assert_allclose(single.grad_l2, double.grad_l2, rtol=2e-3)


# ── the run ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", PRESET_NAMES[:10])
def test_every_small_preset_learns(name: str):
    trainer = Trainer(load_experiment(name))
    records = list(islice(trainer, 100))
    assert records[-1].loss < records[0].loss
    assert [record.step for record in records] == list(range(len(records)))
    assert all(a.seconds <= b.seconds for a, b in pairwise(records))


def test_it_ends_after_its_steps_and_goes_on_when_there_are_more():
    trainer = Trainer(experiment([layer(1, "sigmoid")], train="steps = 7"))
    assert len(list(trainer)) == 7
    assert list(trainer) == []
    trainer.limit = 9
    assert [record.step for record in trainer] == [7, 8]
    trainer.limit = None
    assert next(trainer).step == 9


def test_the_same_experiment_gives_the_same_numbers():
    made = NETWORKS["mini-batches"]
    first, second = Trainer(made), Trainer(made)
    for a, b in zip(islice(first, 10), islice(second, 10), strict=True):
        assert a.loss == b.loss
        np.testing.assert_array_equal(a.grad_l2, b.grad_l2)


@every_network
def test_not_measuring_changes_nothing(name: str):
    measured, bare, mixed = (Trainer(NETWORKS[name]) for _ in range(3))
    for step in range(9):
        assert measured.step() is not None
        assert bare.step(measure=False) is None
        mixed.step(measure=step % 3 == 0)
    for other in (bare, mixed):
        for mine, theirs in zip(
            measured.network.parameters.values(), other.network.parameters.values(), strict=True
        ):
            np.testing.assert_array_equal(mine, theirs)
    assert mixed.steps_done == 9


# ── mini-batches ────────────────────────────────────────────────────────────────────────────────────


def batches_of(trainer: Trainer, steps: int) -> list[np.ndarray]:
    seen = []
    for _ in range(steps):
        trainer.step(measure=False)
        nodes = {symbol.plain(): node for symbol, node in trainer._graphs[trainer._current].nodes.items()}
        seen.append(np.vstack([nodes["X"].value, nodes["Y"].value]))
    return seen


def columns(matrix: np.ndarray) -> set[tuple[float, ...]]:
    return {tuple(column) for column in matrix.T.tolist()}


def test_one_pass_sees_every_sample_once_remainder_and_labels_included():
    made = NETWORKS["mini-batches"]
    data = load_data(made)
    everything = columns(np.vstack([data.X, data.Y]))
    seen = batches_of(Trainer(made), 6)
    assert [batch.shape[1] for batch in seen] == [5, 5, 2, 5, 5, 2]
    for one_pass in (seen[:3], seen[3:]):
        assert columns(np.hstack(one_pass)) == everything
    assert any((a != b).any() for a, b in zip(seen[:3], seen[3:], strict=True)), "shuffled anew"


def test_the_order_depends_on_the_seed_alone():
    def order(seed: int, optimizer: str) -> list[np.ndarray]:
        made = experiment(
            [layer(2, "relu"), layer(1, "sigmoid")],
            data='kind = "moons"\nn = 12',
            train=f'batch = 5\noptimizer = "{optimizer}"',
            seed=seed,
        )
        return batches_of(
            Trainer(made, load_data(experiment([layer(1, "sigmoid")], data='kind = "moons"\nn = 12'))), 3
        )

    assert all((a == b).all() for a, b in zip(order(0, "sgd"), order(0, "adam"), strict=True))
    assert any((a != b).any() for a, b in zip(order(0, "sgd"), order(1, "sgd"), strict=True))


def test_a_batch_as_large_as_the_data_is_the_full_batch():
    made = [experiment([layer(1, "sigmoid")], train=f"batch = {size}") for size in ("12", '"full"')]
    every_sample, full = ([record.loss for record in islice(Trainer(one), 5)] for one in made)
    assert every_sample == full


# ── clipping, freezing, live settings ───────────────────────────────────────────────────────────────


@given(limit=st.floats(1e-4, 10.0))
@settings(max_examples=20)
def test_clipping_scales_all_gradients_together_as_clip_grad_norm_does(limit: float):
    made = NETWORKS["plain"]
    free, clipped = Trainer(made), Trainer(made)
    clipped.clip_norm = limit
    before = parameters(free.network)
    record, plain = clipped.step(), free.step()
    steps = {name: value - before[name] for name, value in parameters(free.network).items()}
    total = math.sqrt(sum((step**2).sum() for step in steps.values())) / plain.learning_rate
    factor = min(1.0, limit / (total + 1e-6))
    assert record.clipped == pytest.approx(factor, rel=1e-12)
    np.testing.assert_array_equal(record.grad_l2, plain.grad_l2)  # measured before clipping
    for name, value in parameters(clipped.network).items():
        np.testing.assert_allclose(value, before[name] + factor * steps[name], rtol=1e-9, atol=1e-12)


def test_gradients_too_large_to_square_are_clipped_all_the_same():
    weights = [[[1e200]], [[1e-100]]]  # Ŷ is 1e100, and so ∂ℰ/∂W[2] is 1e300
    trainer = given_network(weights, ["linear"] * 2, [[1.0]], [[0.0]], SquaredErrorLoss(), clip_norm=1.0)
    record = trainer.step()
    assert record.problem is None
    assert record.grad_l2.tolist() == pytest.approx([1.0, 1e300])
    assert record.clipped == pytest.approx(1e-300)


def test_frozen_parameters_stay_and_do_not_count_for_clipping():
    made = experiment(
        [layer(5, "tanh", 'frozen = ["W"]'), layer(4, "tanh", 'frozen = ["b"]'), layer(1, "sigmoid")],
        network="bias = true",
        train='optimizer = "adam"\nclip_norm = 0.01',
    )
    trainer = Trainer(made)
    before = parameters(trainer.network)
    record = trainer.step()
    after = parameters(trainer.network)
    assert {name for name in before if (before[name] == after[name]).all()} == {"W[1]", "b[2]"}
    assert record.update_ratio[0] == 0.0
    assert record.grad_l2[0] > 0.0, "its gradient is measured none the less"
    found = oracle(Case(Trainer(made).network, trainer.data.X, trainer.data.Y))
    trained = [found.gradients[name] for name in before if name not in ("W[1]", "b[2]")]
    total = math.sqrt(sum((gradient**2).sum() for gradient in trained))
    assert record.clipped == pytest.approx(min(1.0, 0.01 / (total + 1e-6)))


def test_learning_rate_and_clip_change_between_steps():
    trainer = Trainer(NETWORKS["plain"])
    trainer.step()
    before = parameters(trainer.network)
    trainer.learning_rate = 0.0
    assert trainer.step().learning_rate == 0.0
    assert all((value == before[name]).all() for name, value in parameters(trainer.network).items())
    trainer.learning_rate, trainer.clip_norm = 0.5, 1e-3
    record = trainer.step()
    assert record.learning_rate == 0.5
    assert record.clipped < 1.0
    trainer.clip_norm = None
    assert trainer.step().clipped == 1.0


@pytest.mark.parametrize("batch", ['"full"', "5"])
def test_the_slope_changes_between_steps_and_readers_see_it(batch: str):
    made = experiment(
        [layer(4, "leaky_relu", "slope = 0.3"), layer(4, "leaky_relu"), layer(1, "sigmoid")],
        train=f"batch = {batch}",
    )
    trainer = Trainer(made)
    assert trainer.slope == 0.3
    trainer.step()
    trainer.slope = 0.0
    assert [spec.slope for spec in trainer.network.layers] == [0.0, 0.0, None]
    assert trainer.step().zero_fraction[0] > 0.2
    trainer.slope = 1.0
    assert trainer.step().zero_fraction[0] == 0.0


def test_a_setting_that_makes_no_sense_is_refused():
    trainer = Trainer(NETWORKS["plain"])
    for value in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="learning rate"):
            trainer.learning_rate = value
    for value in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="clip_norm"):
            trainer.clip_norm = value
    assert trainer.slope is None
    with pytest.raises(ValueError, match="leaky_relu"):
        trainer.slope = 0.1


# ── time travel ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
@pytest.mark.parametrize("batch", ['"full"', "5"])
def test_a_checkpoint_gives_the_same_steps_again(optimizer: str, batch: str):
    made = experiment(
        [layer(6, "leaky_relu"), layer(1, "sigmoid")],
        train=f'optimizer = "{optimizer}"\nbatch = {batch}\nlearning_rate = 0.05',
    )
    trainer = Trainer(made)
    for _ in range(4):  # inside a pass over the data
        trainer.step()
    kept = trainer.checkpoint()
    first = [trainer.step() for _ in range(9)]
    trainer.learning_rate, trainer.slope = 1.0, 0.5
    for _ in range(3):
        trainer.step()
    trainer.restore(kept)
    again = [trainer.step() for _ in range(9)]
    fresh = Trainer(made)
    fresh.restore(kept)
    elsewhere = [fresh.step() for _ in range(9)]
    for a, b, c in zip(first, again, elsewhere, strict=True):
        assert a.step == b.step == c.step
        assert a.loss == b.loss == c.loss
        for field in PER_LAYER:
            np.testing.assert_array_equal(getattr(a, field), getattr(b, field))
            np.testing.assert_array_equal(getattr(a, field), getattr(c, field))


def test_restoring_may_keep_the_settings():
    trainer = Trainer(NETWORKS["plain"])
    kept = trainer.checkpoint()
    trainer.learning_rate = 0.7
    trainer.restore(kept, settings=False)
    assert trainer.learning_rate == 0.7
    trainer.restore(kept)
    assert trainer.learning_rate == NETWORKS["plain"].train.learning_rate


# ── numbers that are none ───────────────────────────────────────────────────────────────────────────


def exploding() -> Trainer:
    made = experiment(
        [layer(4, "linear", "repeat = 3"), layer(1, "linear")],
        loss='kind = "squared_error"',
        train="learning_rate = 100.0\nsteps = 10000",
    )
    return Trainer(made)


@pytest.mark.parametrize("measured", [True, False])
def test_a_run_that_explodes_ends_in_good_order(measured: bool):
    trainer = exploding()
    record = None
    for _ in range(1000):
        record = trainer.step(measured)
        if record is not None and record.problem:
            break
    assert record is not None
    assert record.nonfinite > 0
    assert record.problem is not None
    assert f"Step {record.step}" in record.problem
    assert "layer" in record.problem
    assert trainer.problem == record.problem
    assert trainer.step() is record, "nothing happens any more"
    with pytest.raises(StopIteration):
        next(trainer)


def test_iterating_gives_the_record_of_the_problem_last():
    trainer = exploding()
    records = list(trainer)
    assert 1 < len(records) < 1000
    assert records[-1].problem
    assert all(record.problem is None for record in records[:-1])


def test_the_problem_names_the_first_place_on_the_way_forward():
    trainer = given_network(
        [[[1e200]], [[1e200]], [[1.0]]], ["linear"] * 3, [[1.0]], [[0.0]], SquaredErrorLoss()
    )
    (record,) = list(trainer)
    assert record.problem.startswith("Step 0: f[2] of layer 2 became infinite on the way forward")
    assert "finite, the largest magnitude there is 1e+200" in record.problem


def test_the_problem_names_the_first_place_on_the_way_back():
    weights = [[[1e-150]], [[1e250]]]
    trainer = given_network(weights, ["linear"] * 2, [[1.0]], [[0.0]], SquaredErrorLoss())
    (record,) = list(trainer)
    assert math.isfinite(record.loss)
    assert record.problem.startswith("Step 0: ∂E/∂a[1] of layer 1 became infinite on the way back")


def test_an_update_that_overflows_is_called_by_its_name():
    trainer = given_network([[[1.0]]], ["linear"], [[1e10]], [[0.0]], SquaredErrorLoss(), learning_rate=1.0)
    trainer.learning_rate = 1e300
    *_, record = trainer
    assert (
        record.problem
        == "Step 1: W[1] of layer 1 is not finite since the update before: infinite. The step was too large."
    )


def test_the_parameters_stay_finite_and_the_run_can_go_back():
    trainer = exploding()
    kept = trainer.checkpoint()
    list(trainer)
    trainer.restore(kept)
    trainer.learning_rate = 1e-3
    assert trainer.problem is None
    assert next(trainer).problem is None


def test_dead_units_are_unknown_before_the_first_look():
    trainer = Trainer(NETWORKS["plain"])
    assert trainer.unit_activity().dead_step == NEVER


@pytest.mark.parametrize("norm", ["", 'norm = "layer"'])
def test_every_further_layer_costs_at_most_the_same_number_of_calls(norm: str):
    def calls(depth: int) -> tuple[int, int]:
        made = experiment([layer(4, "relu", f"repeat = {depth}\n{norm}"), layer(1, "sigmoid")])
        trainer = Trainer(made)
        return len(trainer._graphs[0].ops), sum(map(len, trainer._monitors[0].passes))

    one, two, many = (np.array(calls(depth)) for depth in (1, 2, 100))
    operations, kernels = many - one
    per_layer, at_most = two - one
    assert operations == 99 * per_layer
    assert kernels <= 99 * at_most  # equal layers are measured together


def test_there_is_no_accuracy_where_predictions_are_not_finite():
    overflowing = parse_experiment(
        """
        data = {kind = "inline", X = [[1e200, 2.0]], Y = [[0, 0]]}
        loss = {kind = "bce"}
        [network]
        layers = [{units = 2, W = [[1e200, 1e200]]}, {units = 1, W = [[1.0], [-1.0]], activation = "sigmoid"}]
        """,
        "text",
    )
    (record,) = Trainer(overflowing)
    assert record.problem is not None
    assert record.accuracy is None, "NaN > ½ is false, and so every sample would count as a right 0"
    assert all(map(math.isnan, record.recall))
