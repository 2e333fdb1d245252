"""A mistake made into its sentence."""

from __future__ import annotations

from engine.formula.expression import Expr
from engine.formula.layout import one_line
from engine.formula.notation import Style
from engine.practice.verdict import Mistake, MistakeKind


def mistake(kind: MistakeKind, what: Expr, instead: Expr | None = None, equal: str = "") -> Mistake:
    """Makes a mistake with its sentence."""
    match kind:
        case "missing":
            text = f"the factor {shown(what)} is missing"
        case "extra":
            text = f"the factor {shown(what)} does not belong here"
        case "swapped":
            assert instead is not None
            text = f"{shown(what)} stands where {shown(instead)} belongs"
        case _:
            text = shown(what)
    return Mistake(kind, what.plain(), None if instead is None else instead.plain(), text + equal)


def stands(what: Expr, instead: Expr) -> Mistake:
    """The mistake of one thing that stands in the place of another."""
    return mistake("swapped", what, instead)


def shown(expr: Expr) -> str:
    """A formula as it stands in the sentence of a mistake, on one line."""
    return one_line(expr, Style(max_terms=4))
