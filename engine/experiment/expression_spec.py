"""A typed expression in place of a network: what such a file says.

title = "CS231n's first circuit"
[expression]
formula = "(x+y)*z"
[expression.values]
x = -2
y = 5
z = -4
"""

from __future__ import annotations

import math
import re
import tomllib

import msgspec

from engine.experiment.errors import ExperimentError, mismatch, suggestion, value_in_words
from engine.experiment.presets import EXPRESSION_PRESETS, expression_text_of
from engine.experiment.spec import Spec

TABLE = "expression"
NOT_A_NETWORK = (
    "this is an expression, not a network, and this command needs a network; "
    "grads, explain, check, open and export take expressions"
)


class ExpressionTable(Spec, frozen=True, kw_only=True):
    """The [expression] table of a file: the formula, and the numbers of the names that it does not compute."""

    formula: str
    values: dict[str, float] = msgspec.field(default_factory=dict)


class ExpressionExperiment(Spec, frozen=True, kw_only=True):
    """The experiment file of a typed expression."""

    expression: ExpressionTable
    title: str = ""
    about: str = ""


def is_expression(document: object) -> bool:
    """Whether a TOML document describes an expression and no network."""
    return isinstance(document, dict) and TABLE in document and "network" not in document


def expression_preset(name: str) -> ExpressionExperiment | None:
    """The preset of that name; None where there is none."""
    if name not in EXPRESSION_PRESETS:
        return None
    text = expression_text_of(name)
    return convert_expression(tomllib.loads(text), name)


_AT = re.compile(r"(.*?)(?: - at `\$\.?([^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)


def convert_expression(document: object, source: str) -> ExpressionExperiment:
    """The typed struct of a TOML document. Raises ExperimentError naming the key."""
    try:
        experiment = msgspec.convert(document, ExpressionExperiment)
    except msgspec.ValidationError as error:
        match = _AT.fullmatch(str(error))
        what, key = (str(error), "") if match is None else (match[1], match[2] or "")
        if unknown := _UNKNOWN.fullmatch(what):
            known = ["formula", "values"] if key == TABLE else ["title", "about", TABLE]
            hint = suggestion(unknown[1], known) or f"; expected {', '.join(known)}"
            raise ExperimentError(source, f"{key}.{unknown[1]}".strip("."), f"unknown key{hint}") from None
        raise ExperimentError(source, key.replace("[...]", ""), what[:1].lower() + what[1:]) from None
    for name, value in experiment.expression.values.items():
        if not math.isfinite(value):
            found = mismatch(value_in_words(value), "a finite number")
            raise ExperimentError(source, f"{TABLE}.values.{name}", found)
    return experiment
