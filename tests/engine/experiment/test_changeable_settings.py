"""Settings that are changed by typing: the same words as in a file, and the same refusals."""

from __future__ import annotations

import pytest

from engine.experiment.changeable_settings import settings_of, with_setting
from engine.experiment.errors import ExperimentError
from engine.experiment.loading import PRESET_NAMES, load_experiment, parse_experiment
from engine.experiment.toml_writing import experiment_toml


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_a_setting_that_is_typed_as_it_is_shown_changes_nothing(name):
    experiment = load_experiment(name)
    for setting in settings_of(experiment):
        again = with_setting(experiment, setting.key, setting.value, name)
        assert settings_of(again) == settings_of(experiment)


@pytest.mark.parametrize(
    ("key", "typed", "line"),
    [
        ("train.learning_rate", "1/2", "learning_rate = 0.5"),
        ("train.optimizer", "adam", 'optimizer = "adam"'),
        ("train.clip_norm", "1.5", "clip_norm = 1.5"),
        ("loss.alpha", "10", "alpha = 10.0"),
        ("network.layers[0].activation", "tanh", 'activation = "tanh"'),
    ],
)
def test_a_change_is_the_same_as_in_the_file(key, typed, line):
    changed = with_setting(load_experiment("tutorial-b"), key, typed, "x")
    text = experiment_toml(changed)
    assert line in text
    assert parse_experiment(text, "x") == changed


def test_settings_that_only_the_old_choice_has_fall_away():
    experiment = load_experiment("tutorial-b")
    adam = with_setting(experiment, "train.optimizer", "adam", "x")
    adam = with_setting(adam, "train.betas", "[0.5, 0.9]", "x")
    assert "train.betas" not in {
        one.key for one in settings_of(with_setting(adam, "train.optimizer", "sgd", "x"))
    }
    leaky = with_setting(experiment, "network.layers[0].activation", "leaky_relu", "x")
    leaky = with_setting(leaky, "network.layers[0].slope", "0.2", "x")
    assert with_setting(leaky, "network.layers[0].activation", "relu", "x") == experiment


@pytest.mark.parametrize(
    ("key", "typed", "problem"),
    [
        ("train.learning_rate", "-1", "train.learning_rate: found -1.0; expected a number of 0 or more"),
        ("train.optimizer", "adm", 'train.optimizer: found "adm"; expected'),
        ("loss.alpha", "nan", "loss.alpha: found nan; expected a finite number"),
        ("loss.kind", "cross_entropy", 'layers[1].activation: found "sigmoid"; expected "softmax"'),
        ("network.layers[0].activation", "softmax", "softmax in the output layer only"),
        ("train.steps", "many", 'train.steps: found "many"; expected a whole number'),
        ("train.steps", "1\n2", "train.steps: found"),
    ],
)
def test_a_wrong_one_is_refused_in_the_words_of_a_file(key, typed, problem):
    with pytest.raises(ExperimentError) as caught:
        with_setting(load_experiment("tutorial-b"), key, typed, "mine.toml")
    assert str(caught.value).startswith("mine.toml: ")
    assert problem in str(caught.value)
