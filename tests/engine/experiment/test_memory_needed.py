"""How much memory an experiment would take, and that asking takes none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import get_args

import msgspec
import numpy as np
import psutil
import pytest

from engine.experiment import memory_needed, validation
from engine.experiment.data_shape import declared_shape
from engine.experiment.expanded_layers import expanded_layers
from engine.experiment.loading import parse_experiment
from engine.experiment.memory_needed import DIAGNOSED_AT_ONCE, MOST_CHECKPOINTS, memory_by_key, memory_limit
from engine.experiment.optimizer_specs import SgdTraining, Train
from engine.experiment.spec import (
    Experiment,
    InlineData,
    LayerSpec,
    NetworkSpec,
    RandomData,
    SquaredErrorLoss,
)
from engine.formula.numbers_in_words import bytes_in_words
from engine.training.optimizers import make_optimizer
from tests.engine.experiment_texts import refusal

HUGE = 10**18
LARGEST = 2**63 - 1


def experiment_text(data: str, layer: str) -> str:
    return f"""
        data = {{ {data} }}
        network = {{ layers = [{{ {layer} }}] }}
        loss = {{ kind = "squared_error" }}
    """


@pytest.mark.parametrize(
    ("data", "layer", "key"),
    [
        ('kind = "xor"', f"units = 1, repeat = {HUGE}", "network.layers[0]"),
        (f'kind = "random", n = 1, features = 1, outputs = {HUGE}', f"units = {HUGE}", "network.layers[0]"),
        (
            f'kind = "random", n = 1, features = 1, outputs = {LARGEST}',
            f"units = {LARGEST}, repeat = {LARGEST}",
            "network.layers[0]",
        ),
        (f'kind = "moons", n = {HUGE}', "units = 1", "data"),
        (f'kind = "wine", n = {HUGE}', "units = 1", "data"),
        (f'kind = "random", n = 1, features = {HUGE}', "units = 1", "data"),
        (f'kind = "blobs", n = {HUGE}, classes = {HUGE}', f"units = {HUGE}", "network.layers[0]"),
    ],
)
def test_what_cannot_fit_in_memory_is_refused_before_anything_is_allocated(data, layer, key):
    error = refusal(experiment_text(data, layer))
    assert error.key == key
    assert "found an experiment that would take" in error.problem
    assert "EB of memory; expected at most" in error.problem


def test_the_message_says_how_much_it_would_take(monkeypatch):
    monkeypatch.setattr(validation, "memory_limit", lambda: 2 * 10**6)
    error = refusal(experiment_text('kind = "random", n = 1000000, features = 5', "units = 1"))
    assert error.key == "data"
    assert error.problem == (
        "found an experiment that would take 368 MB of memory; expected at most 2.0 MB on this machine"
    )


def test_the_closed_form_counts_a_repeated_layer_as_the_layers_it_stands_for():
    hidden = LayerSpec(units=7, norm="batch", repeat=5)
    repeated = Experiment(
        data=InlineData(X=[[1.0, 2.0]] * 3, Y=[[0.0, 1.0]]),
        network=NetworkSpec(layers=[hidden, LayerSpec(units=1)], bias=True),
        loss=SquaredErrorLoss(),
    )
    unrolled = msgspec.structs.replace(
        repeated, network=msgspec.structs.replace(repeated.network, layers=expanded_layers(repeated))
    )
    shape = declared_shape(repeated)
    assert sum(memory_by_key(repeated, shape).values()) == sum(memory_by_key(unrolled, shape).values())


def test_the_closed_form_covers_the_arrays_of_a_layer():
    layer = LayerSpec(units=100)
    experiment = Experiment(
        data=InlineData(X=[[0.0] * 10] * 50, Y=[[0.0] * 10] * 100),
        network=NetworkSpec(layers=[layer]),
        loss=SquaredErrorLoss(),
    )
    needed = memory_by_key(experiment, declared_shape(experiment))["network.layers[0]"]
    # W and its gradient in stepper and training; f and a in the stepper and in a diagnosis, each with a gradient, and
    # in the training.
    arrays = 8 * (4 * 50 * 100 + 5 * 2 * 100 * 10)
    moments = (MOST_CHECKPOINTS + MOST_CHECKPOINTS) * 8 * 50 * 100  # of the training, and updates to undo
    assert arrays + moments < needed < 2 * arrays + moments


@pytest.mark.parametrize("batch", ["full", 10])
def test_a_batch_takes_less_than_all_samples(batch):
    layers = [LayerSpec(units=50), LayerSpec(units=1)]
    experiment = Experiment(
        data=RandomData(n=10_000, features=5),
        network=NetworkSpec(layers=layers),
        loss=SquaredErrorLoss(),
        train=SgdTraining(batch=batch),
    )
    a_sample = 8 * 2 * 50
    needed = memory_by_key(experiment, declared_shape(experiment))["network.layers[0]"]
    kept = 10_000 * (3 if batch == "full" else 2) + DIAGNOSED_AT_ONCE * 2
    assert needed == pytest.approx(kept * a_sample, rel=0.05)


def test_every_optimiser_says_how_much_it_remembers():
    values = np.zeros(6)
    for kind in get_args(Train):
        optimizer = make_optimizer(kind(), values.copy(), values.copy())
        assert len(optimizer.state) == kind.remembers, kind


def test_what_does_not_fit_beside_what_others_have_is_refused(monkeypatch):
    monkeypatch.setattr(validation, "memory_limit", lambda: 300 * 10**6)
    assert (
        "expected at most 300 MB"
        in refusal(experiment_text('kind = "random", n = 1000000, features = 5', "units = 1")).problem
    )


def test_the_limit_of_a_container_counts(tmp_path):
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("400\n")
    assert memory_needed._room_in_container(tmp_path) == 600
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_needed._room_in_container(tmp_path) is None
    assert memory_needed._room_in_container(tmp_path / "absent") is None


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (12, "12 bytes"),
        (1500, "1.5 kB"),
        (99_999, "99.9 kB"),
        (999_999, "999 kB"),
        (3_400_000_000, "3.4 GB"),
        (10**21, "more than 1000 EB"),
        (10**5000, "more than 1000 EB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_sizes_are_said_in_a_few_digits(size, words):
    assert bytes_in_words(size) == words


def test_the_limit_is_what_the_system_has_to_give():
    assert 0 < memory_limit() <= psutil.virtual_memory().total


def test_what_was_closed_and_not_collected_yet_does_not_count(monkeypatch):
    limits = [10**6, 10**12]
    monkeypatch.setattr(validation, "memory_limit", lambda: limits[0])
    monkeypatch.setattr(validation, "gc", SimpleNamespace(collect=lambda: limits.pop(0)))
    text = experiment_text('kind = "random", n = 1000000, features = 5', "units = 1")
    assert parse_experiment(text, "large.toml").data.n == 10**6
    assert limits == [10**12]
