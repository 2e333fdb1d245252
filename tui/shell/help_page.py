"""The help page: every key from its one definition, what the words mean, and how the notation is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from textwrap import wrap

from textual.content import Content

from engine.formula.ascii_text import ascii_text
from engine.formula.course_notation import CANONICAL, CourseNames
from tui.shell.key_command import KeyCommand
from tui.shell.key_names import readable_keys
from tui.shell.keys import ALL_COMMANDS
from tui.shell.stacked_content import stacked
from tui.shell.user_settings import keys_path

QUANTITIES = (
    (
        "X, W, b, f, a, Ŷ, Y, ℰ",
        "input, weights, bias, weighted sum (pre-activation), activation, prediction, labels, loss",
    ),
    ("W⁽¹⁾₂₀", "row 2, column 0 of the weights of layer 1: from unit 2 below to unit 0; typed W[1][2,0]"),
    ("W⁽¹⁾→0", "in the network: the column of weights into unit 0 of layer 1"),
    ("f⁽¹⁾₂₀", "unit 2 of layer 1, at sample 0: of sums and activations, columns are samples"),
    ("∂ℰ/∂W⁽¹⁾₂₀", "how much the loss changes when that weight does: its gradient"),
    ("η", "the learning rate: W ← W − η ∂ℰ/∂W"),
    ("gradient magnitude", "largest or mean |∂ℰ/∂W⁽ˡ⁾|, or its L2 norm; the total is √Σ L2²"),
)
"""How the notation is read: in the letters of the experiment that is open."""

GLOSSARY = (
    ("row of ones", "a first input that is always 1, so that its weight acts as a bias"),
    (
        "g, h, mean, std",
        "with a residual: the activation before the shortcut; with a norm: standardised sums, and by what",
    ),
    ("= and ≈", "≈ stands before a rounded number; computing uses all digits, and f shows more of them"),
    ("columns", "data points are columns: X is (features, n), one column for each sample"),
    (
        "factor",
        "a local derivative, of one scalar by the scalar just before it; a path's factors are multiplied",
    ),
    (
        "term",
        "what one consumer contributes to a gradient; where a scalar feeds several others, its terms add up",
    ),
    ("running product", "the local derivatives along the path, multiplied from the loss down to here"),
    ("n", "the number of samples; every loss here is divided by it"),
    ("α, β", "weights of the Y = 1 and the Y = 0 term of binary cross-entropy"),
    (
        "zero_fraction",
        "share of a layer's activations that are exactly 0 in this batch; for ReLU about one half at first",
    ),
    ("quiet", "units that are 0 for every sample of this batch; deep healthy nets have some"),
    ("dead", "units that are 0 for every sample of the whole data set"),
    ("decades per layer", "slope of log₁₀ L2 against the layer"),
    (
        "gradient check",
        "|a−n| / max(|a|,|n|), backward's a against the central difference n; 1e-7 is good, 1e-2 wrong",
    ),
    ("saturated", "a sigmoid or tanh whose slope is below one hundredth of its largest"),
)


KEYS = 20
"""Columns of the keys, and of the words that are explained."""


def help_content(
    keymap: Mapping[str, str],
    ascii_only: bool,
    width: int,
    shown: Sequence[KeyCommand] = (),
    names: CourseNames = CANONICAL,
) -> Content:
    """The help page: keys and glossary for a width, beginning with the commands of the screen that is `shown`.

    Keys that the user has changed are there as they are now, quantities by the `names` of what is open.
    """
    here = {command.group for command in shown}

    def order(command: KeyCommand) -> tuple[bool, int]:
        return command.group not in here, _group_order(command)

    said = ascii_text if ascii_only else str
    parts: list[Content | str] = [
        Content.styled(
            "A number typed before a move repeats it: 5 and the right arrow go five terms on.", "bold"
        ),
        "The mouse works as well: click a phase, a factor, a row, a unit, or a key below.",
        "",
    ]
    for group, commands in groupby(sorted(ALL_COMMANDS, key=order), key=lambda command: command.group):
        parts.append(Content.styled(group, "bold $primary"))
        for command in commands:
            keys = readable_keys(keymap.get(command.id, command.keys), ascii_only)
            parts += _entry(keys, "bold $accent", said(f"{names.said(command.help)} ({command.id})"), width)
        parts.append("")
    parts += [
        Content.styled("Keys of your own", "bold $primary"),
        f'  {said(str(keys_path()))} holds lines such as   next = "l"   with the ids in brackets above.',
        "",
        Content.styled("What the words mean", "bold $primary"),
    ]
    for word, meaning in QUANTITIES:
        parts += _entry(said(names.said(word)), "bold $value", said(names.said(meaning)), width)
    for word, meaning in GLOSSARY:
        parts += _entry(said(word), "bold $value", said(meaning), width)
    return stacked(parts)


def _entry(word: str, style: str, meaning: str, width: int) -> list[Content | str]:
    """A word and its meaning, the meaning wrapped beside it, or below where the word is long."""
    lines = wrap(meaning, max(width - KEYS - 3, 20)) or [""]
    beside = "" if len(word) > KEYS else lines.pop(0)
    first = Content.assemble((f"  {word:<{KEYS}} ", style), beside)
    return [first, *(" " * (KEYS + 3) + line for line in lines)]


def _group_order(command: KeyCommand) -> int:
    order: list[str] = []
    for one in ALL_COMMANDS:
        if one.group not in order:
            order.append(one.group)
    return order.index(command.group)
