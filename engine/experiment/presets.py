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


EXPRESSION_PRESETS = (
    "circuit-sum-product",
    "circuit-max",
    "circuit-neuron",
    "cosine-exponential-chain",
    "micrograd",
)
"""The expressions that come with bptui, from one fork to many."""


def is_preset(name: str) -> bool:
    """Whether a name is that of a preset, a network or an expression that comes with bptui."""
    return name in PRESET_NAMES or name in EXPRESSION_PRESETS


class Headline(NamedTuple):
    """A preset's name, title and what it is about, as a list shows it."""

    name: str
    title: str
    about: str


def text_of(name: str) -> str:
    """The TOML text of a network preset."""
    return resources.files("engine").joinpath("presets", f"{name}.toml").read_text("utf-8")


def expression_text_of(name: str) -> str:
    """The TOML text of an expression preset."""
    return resources.files("engine.experiment").joinpath("expressions", f"{name}.toml").read_text("utf-8")


def preset_text(name: str) -> str:
    """The TOML text of a preset; raises ExperimentError for a name that is none."""
    from engine.experiment.errors import ExperimentError, suggestion

    if name in EXPRESSION_PRESETS:
        return expression_text_of(name)
    if name not in PRESET_NAMES:
        near = suggestion(name, PRESET_NAMES) or f"; expected a preset's name, such as {PRESET_NAMES[0]}"
        raise ExperimentError(name, "", f"no preset of that name{near}")
    return text_of(name)


def headlines() -> list[Headline]:
    """The headlines of all presets in the tutorials' order, then the expressions.

    A TOML parser takes far longer.
    """
    texts = [(name, text_of(name)) for name in PRESET_NAMES]
    texts += [(name, expression_text_of(name)) for name in EXPRESSION_PRESETS]
    found = ((name, dict(_LINE.findall(text.partition("\n[")[0]))) for name, text in texts)
    return [Headline(name, lines["title"], lines["about"]) for name, lines in found]


_LINE = re.compile(r'^(title|about) = "([^"\\]*)"$', re.MULTILINE)
