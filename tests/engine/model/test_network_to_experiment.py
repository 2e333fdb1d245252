"""What is written into a file: it reads back to the same experiment, with the same gradients to the last bit."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.loading import PRESET_NAMES, load_experiment, parse_experiment
from engine.experiment.toml_writing import experiment_toml
from engine.model.network_to_experiment import as_given


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_a_preset_is_written_and_read_back_as_it_was(name):
    experiment = load_experiment(name)
    assert parse_experiment(experiment_toml(experiment), name) == experiment


TITLES = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=30)


@settings(max_examples=30)
@given(title=TITLES, seed=st.integers(0, 2**31), X=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=4))
def test_titles_and_numbers_come_back_as_they_were(title, seed, X):
    text = (
        f'seed = {seed}\n[data]\nkind = "inline"\nX = [{X!r}]\nY = [{X!r}]\n[[network.layers]]\nunits = 1\n'
    )
    experiment = parse_experiment(text + '[loss]\nkind = "squared_error"\n', "x")
    experiment = msgspec.structs.replace(experiment, title=title)
    assert parse_experiment(experiment_toml(experiment), "x") == experiment


@pytest.mark.parametrize("with_data", [False, True])
@pytest.mark.parametrize("name", ["tutorial-b", "tutorial-a-wine", "xor", "batch-norm", "residual-fork"])
def test_a_network_is_written_with_its_weights_and_gives_the_same_gradients_to_the_last_bit(name, with_data):
    before = EvaluatedExperiment.of(load_experiment(name), name)
    for number, value in enumerate(before.network.parameters.values()):
        value += 0.1 * number / 3.0
    before.graph.forward()
    before.graph.backward()
    given = as_given(before.experiment, before.network, before.data if with_data else None)
    after = EvaluatedExperiment.of(parse_experiment(experiment_toml(given), name), name)
    assert after.graph.nodes.keys() == before.graph.nodes.keys()
    for symbol, node in before.graph.nodes.items():
        np.testing.assert_array_equal(after.graph.nodes[symbol].value, node.value)
        np.testing.assert_array_equal(after.graph.nodes[symbol].grad, node.grad)


def test_rows_of_data_are_written_as_rows():
    text = (
        '[data]\nkind = "inline"\nlayout = "rows"\nones_row = true\nX = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]\n'
        'Y = [[1.0], [2.0], [3.0]]\n\n[[network.layers]]\nunits = 1\n\n[loss]\nkind = "squared_error"\n'
    )
    evaluated = EvaluatedExperiment.of(parse_experiment(text, "x"))
    written = experiment_toml(as_given(evaluated.experiment, evaluated.network, evaluated.data))
    assert "X = [\n  [1.0, 2.0],\n  [3.0, 4.0],\n  [5.0, 6.0],\n]" in written
    assert parse_experiment(written, "x").data == evaluated.experiment.data


@pytest.mark.parametrize("kind", ["moons", "wine"])
@settings(max_examples=8, deadline=None)
@given(n=st.integers(4, 40), share=st.floats(0.01, 0.7), seed=st.integers(0, 99), ones_row=st.booleans())
def test_the_same_samples_are_held_out_of_a_file_with_written_data(kind, n, share, seed, ones_row):
    text = (
        f'seed = {seed}\n[data]\nkind = "{kind}"\nn = {n}\ntest_share = {share!r}\nones_row = {str(ones_row).lower()}\n'
        'standardize = true\n[[network.layers]]\nunits = 1\nactivation = "sigmoid"\n[loss]\nkind = "bce"\n'
    )
    before = EvaluatedExperiment.of(parse_experiment(text, "x"))
    written = as_given(before.experiment, before.network, before.data)
    after = EvaluatedExperiment.of(parse_experiment(experiment_toml(written), "x"))
    assert before.data.held_out is not None
    assert after.data.held_out is not None
    for mine, others in ((before.data, after.data), (before.data.held_out, after.data.held_out)):
        np.testing.assert_array_equal(mine.X, others.X)
        np.testing.assert_array_equal(mine.Y, others.Y)
    for symbol, node in before.graph.nodes.items():
        np.testing.assert_array_equal(after.graph.nodes[symbol].grad, node.grad)
