"""What gradients are called where an answer may speak of them."""

from __future__ import annotations

from engine.formula.expression import Symbol

GRADIENT = "dE/d"
"""How the name of an earlier result begins: dE/df[2] is the gradient of the loss by f[2]."""


def gradient_name(symbol: Symbol) -> Symbol:
    """The name of the gradient of the loss by a matrix or one of its entries."""
    return Symbol(GRADIENT + symbol.name, symbol.layer, symbol.index)


def is_gradient(symbol: Symbol) -> bool:
    """Whether a symbol names an earlier result."""
    return symbol.name.startswith(GRADIENT)


def differentiated(symbol: Symbol) -> Symbol:
    """The matrix or entry that an earlier result is the gradient by."""
    return Symbol(symbol.name.removeprefix(GRADIENT), symbol.layer, symbol.index)
