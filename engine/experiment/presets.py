"""The built-in experiments by name, title and sentence: all that a list of them shows, at no cost.

Nothing is checked here, and nothing is imported for it: `engine.experiment.loading` reads them whole.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import NamedTuple

PRESET_NAMES = (
    "tutorial-a",
    "tutorial-a-loss",
    "tutorial-a-loss-weighted",
    "tutorial-a-wine",
    "tutorial-a-weighted",
    "tutorial-b",
    "tutorial-b-wine",
    "xor",
    "residual-fork",
    "batch-norm",
    "vanishing-sigmoid-50",
    "relu-50",
    "leaky-relu-50",
    "exploding-tanh-50",
    "exploding-tanh-50-clip",
    "exploding-tanh-50-adam",
    "exploding-50",
    "exploding-50-clip",
    "exploding-50-adam",
    "vanishing-50-xavier",
    "vanishing-50-he",
    "vanishing-50-orthogonal",
    "vanishing-50-batch-norm",
    "vanishing-50-layer-norm",
    "vanishing-50-residual",
    "dying-relu",
    "dying-relu-leaky",
    "dying-relu-he",
    "leaky-slope-1",
    "step-activation",
)
"""The presets, in the order in which the tutorials need them."""


class Headline(NamedTuple):
    """What a list shows of a preset."""

    name: str
    title: str
    about: str


def text_of(name: str) -> str:
    """The TOML text of a preset; `name` must be one of `PRESET_NAMES`."""
    return resources.files("engine").joinpath("presets", f"{name}.toml").read_text("utf-8")


def headlines() -> list[Headline]:
    """Every preset, in the tutorials' order, by the lines that its file begins with: a TOML parser takes far longer."""
    found = ((name, dict(_LINE.findall(text_of(name).partition("\n[")[0]))) for name in PRESET_NAMES)
    return [Headline(name, lines["title"], lines["about"]) for name, lines in found]


_LINE = re.compile(r'^(title|about) = "([^"\\]*)"$', re.MULTILINE)
