"""Takes apart names that are written in one breath: a layer's number, an index, a d for a gradient.

    W2_10   ->   W, layer 2, index 10          x_1   ->   x, index 1
    delta2  ->   delta, layer 2                dW1   ->   the gradient by W, layer 1

Only for what is no name of the network as it stands; which of it makes sense there is for the reader to say.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_JOINED = re.compile(
    r"(?P<base> [A-Za-z]+? (?:_hat)? ) (?P<digits> [0-9]{1,4} )? (?: _ (?P<index> [0-9a-z]{1,2} ) )?",
    re.VERBOSE,
)


class JoinedName(NamedTuple):
    """The parts of such a name: `digits` stand right behind the letters, `place` behind an underscore."""

    base: str
    digits: str
    place: str


def taken_apart(name: str) -> JoinedName | None:
    """A name that has digits or an index in one word with it, taken apart; or None."""
    match = _JOINED.fullmatch(name)
    if match is None or (match["digits"] is None and match["index"] is None):
        return None
    return JoinedName(match["base"], match["digits"] or "", match["index"] or "")


ELSEWHERE = {
    "z": ("f", "the weighted sum"),
    "net": ("f", "the weighted sum"),
    "h": ("a", "a layer's activation"),
    "p": ("Y_hat", "the prediction"),
    "o": ("Y_hat", "the prediction"),
    "out": ("Y_hat", "the prediction"),
    "pred": ("Y_hat", "the prediction"),
    "s": ("Y_hat", "the prediction"),
    "t": ("Y", "the label"),
    "target": ("Y", "the label"),
    "label": ("Y", "the label"),
    "m": ("n", "the number of samples"),
    "N": ("n", "the number of samples"),
    "theta": ("W", "a matrix of weights"),
    "lr": ("eta", "the learning rate"),
    "epsilon": ("eta", "the learning rate"),
    "lambda": ("eta", "the learning rate"),
}
"""What other courses call the quantities: their letter, ours, and what it is."""

CONDITIONS = frozenset(("if", "else", "where", "I", "H", "step", "heaviside", "Heaviside", "sign", "sgn"))
"""How a condition is written elsewhere; here it is 1{f > 0}."""

ACTIVATIONS = frozenset(("g", "phi", "act", "activation"))
"""What an activation is called where its name does not matter."""
