"""What a person has done in an experiment's screens, in words that a lesson's tasks are written in.

    "factor 5"               the fifth factor of a derivation was looked at
    "target W[1][1,0]"       that gradient was stepped through
    "train 200"              the training has come that far
    "compare leaky-relu-50"  that experiment was trained beside it

A screen says what it shows (`Did`) where it is shown, not where a key asks for it: what was refused is not done.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Deed(StrEnum):
    """The kinds of things that can be done. Some are done to something by name, some up to a number."""

    SCREEN = "screen"  # by name: stepper, gradients, relu
    FORWARD = "forward"
    LOSS = "loss"
    FACTOR = "factor"  # up to a number, from 1
    TARGET = "target"  # by name
    SAMPLE = "sample"  # by its number
    DIGITS = "digits"  # up to a number
    CHECK = "check"
    SIMPLIFY = "simplify"
    JACOBIAN = "jacobian"
    MATRICES = "matrices"
    DERIVATION = "derivation"
    MAP = "map"
    EXPORT = "export"
    UPDATE = "update"
    UNDO = "undo"
    PREDICT = "predict"  # up to a number of factors
    TRAIN = "train"  # up to a number of steps
    LINEAR_AXIS = "linear-axis"
    VIEW = "view"  # by name
    METRIC = "metric"  # by name
    LAYER = "layer"  # by its number, from 1
    COMPARE = "compare"  # by the other experiment's name
    REMEDY = "remedy"
    OUTCOMES = "outcomes"
    ONE_MATRIX = "one-matrix"  # after so many steps of training
    RESET = "reset"
    TRAVEL = "travel"
    DEAD_UNIT = "dead-unit"
    INIT = "init"  # by name
    SLOPE = "slope"  # the new one
    LEAKY = "leaky"


UP_TO = frozenset({Deed.FACTOR, Deed.DIGITS, Deed.TRAIN, Deed.PREDICT, Deed.ONE_MATRIX})
"""Deeds that count as done from a number on."""


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that was done, and to what or how far."""

    deed: Deed
    what: str | int = ""
