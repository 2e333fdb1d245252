"""What an experiment says that it opens with."""

from __future__ import annotations

import pytest

from engine.experiment.loading import load_experiment, parse_experiment
from engine.experiment.spec import View
from tests.engine.experiment_texts import SMALLEST, refusal


def test_presets_say_what_they_open_with():
    assert load_experiment("tutorial-b").view == View(target="W[1][1,1]")
    assert load_experiment("dying-relu").view == View(screen="relu")
    assert load_experiment("leaky-slope-1").view == View(screen="gradients")
    assert load_experiment("xor").view == View()


def test_a_view_is_read_as_written():
    text = (
        f'{SMALLEST}\n[view]\nscreen = "stepper"\ntarget = "W[1][0,0]"\nsample = 0\nstep = 2\nmetric = "l2"\n'
    )
    view = View(screen="stepper", target="W[1][0,0]", sample=0, step=2, metric="l2")
    assert parse_experiment(text, "a").view == view


@pytest.mark.parametrize(
    ("line", "key", "problem"),
    [
        ('screen = "home"', "view.screen", 'found "home"; expected "gradients", "relu" or "stepper"'),
        ('target = "W[["', "view.target", 'found "W[["; expected the name of an entry, such as W[1][0,0]'),
        ("sample = -1", "view.sample", "found -1; expected a whole number of 0 or more"),
        ("sample = 7", "view.sample", "found 7; expected at most 3, counted from 0"),
        ("step = 0", "view.step", "found 0; expected a whole number of 1 or more"),
        ('metric = "medium"', "view.metric", 'found "medium"; expected "delta", "l2", "max" or "mean"'),
        ('targt = "W[1][0,0]"', "view.targt", 'unknown key; did you mean "target"?'),
    ],
)
def test_what_cannot_be_shown_is_refused(line: str, key: str, problem: str):
    error = refusal(f"{SMALLEST}\n[view]\n{line}\n")
    assert (error.key, error.problem) == (key, problem)
