"""What the term panel says in the backward pass: one local derivative of the chain rule, and how the product ends."""

from __future__ import annotations

from functools import partial

from engine.derivation.chain_rule import Derivation
from engine.derivation.terms import Term
from engine.export.factor_words import factor_words
from engine.formula.capitalised import capitalised
from engine.formula.expression import Partial, Product
from engine.formula.layout import one_line
from engine.formula.notation import Style
from tui.stepper.description import Description, Note
from tui.stepper.equation import Equation, equals
from tui.stepper.running_product import is_product_of
from tui.stepper.traversal import Position, Traversal

MANY_TERMS = 8
"""From more terms than this on, a hint says how to skip them."""


def describe_backward(traversal: Traversal, position: Position, style: Style) -> Description:
    """One term of the chain rule."""
    step = traversal.derivation[position.index]
    term = step.terms[traversal.term(position)]
    equation = _local(term)
    notes: list[Note] = []
    if term.remark:
        notes.append(("remark", style.names.said(term.remark, ascii=style.ascii)))
    if position.turn == 0 and traversal.turns(position) > MANY_TERMS:
        notes.append(
            (
                "faint",
                f"{traversal.turns(position)} terms add up here: → goes through them, ↓ to the next node.",
            )
        )
    if position.turn:
        notes.append(("plain", "Another term of the sum; the chain above leads through it. b stays on it."))
    if step.simplification and position.turn == 0:
        last = step.simplification[-1]
        value = equals(last.evaluate(traversal.derivation.graph.value_of), style)
        gradient = one_line(Partial(traversal.derivation.of, step.node), style)
        notes.append(
            ("plain", f"Multiplied out: {gradient} = {one_line(last, style)} {value}   (X: line by line)")
        )
    heading = f"{capitalised(factor_words(traversal.derivation.graph, term))}: {one_line(term.symbol, style)}"
    if position.turn:
        return Description(heading, (equation,), tuple(notes), backward=True)
    return Description(
        heading,
        (equation,),
        tuple(notes),
        backward=True,
        before=[partial(_factor_at, traversal.derivation, place) for place in range(position.index)],
        together=_multiplied(traversal.derivation)
        if 0 < position.index == len(traversal.derivation) - 1
        else None,
    )


def _factor_at(derivation: Derivation, place: int) -> Equation:
    return _local(derivation[place].term)


def _local(term: Term) -> Equation:
    """A local derivative: its symbol, its formula, the numbers in it and its value."""
    return Equation(term.symbol, term.formula, term.substituted, term.local)


def _multiplied(derivation: Derivation) -> Equation | None:
    """The path's factors as one product, in which no partial derivative is left; None where rounding spoils it."""
    terms, product = [step.term for step in derivation], derivation[-1].running
    if not is_product_of(product, [term.local for term in terms]):
        return None
    formula = Product(tuple(term.formula for term in terms))
    return Equation(None, formula, Product(tuple(term.substituted for term in terms)), product)
