"""Where one is in a backpropagation, and how a keypress moves on: pure functions over immutable positions.

forward            loss    backward                          update
f[1] a[1] f[2] …   E       step 1: term 1, term 2; step 2 …  W ← W - η ∂ℰ/∂W
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from engine.derivation.chain_rule import Derivation
from engine.formula.expression import Symbol
from engine.model.network import LOSS, forward_nodes


class Phase(IntEnum):
    """The four parts of one round of learning."""

    FORWARD = 0
    LOSS = 1
    BACKWARD = 2
    UPDATE = 3


class Detail(IntEnum):
    """How far one step of the stepper goes: a term, a node, a layer."""

    TERM = 0
    NODE = 1
    LAYER = 2


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A phase, which node of it (forward) or which step (backward), and which of the step's terms.

    `turn` counts the terms of a step in the order in which they are visited: the path's own first.
    """

    phase: Phase
    index: int = 0
    turn: int = 0


FIRST_TERM = Position(Phase.BACKWARD)


class Traversal:
    """All positions of the stepper in one derivation, in order, without listing them."""

    def __init__(self, derivation: Derivation, updates: int = 1) -> None:
        """`updates` is how many lines the update has: the velocity, m, v, and so on, and the step itself.

        With none, as of an expression, which does not learn, the backward phase is the last.
        """
        self.derivation = derivation
        self.updates = updates
        self.last_phase = Phase.UPDATE if updates else Phase.BACKWARD
        self.forward = forward_nodes(derivation.graph)
        self.first_phase = Phase.FORWARD if self.forward else Phase.LOSS

    @property
    def has_loss(self) -> bool:
        """Whether what is differentiated is a loss, and not another number."""
        return self.derivation.of == LOSS

    def size(self, phase: Phase) -> int:
        """How many nodes or steps a phase has."""
        sizes = {
            Phase.FORWARD: len(self.forward),
            Phase.BACKWARD: len(self.derivation),
            Phase.UPDATE: self.updates,
        }
        return sizes.get(phase, 1)

    def turns(self, position: Position) -> int:
        """How many terms the node at a position has."""
        return len(self.derivation[position.index].terms) if position.phase is Phase.BACKWARD else 1

    def term(self, position: Position) -> int:
        """Which of the step's terms a position in the backward phase shows: the path's own first, then the others."""
        chosen = self.derivation[position.index].chosen
        if position.turn == 0:
            return chosen
        return position.turn if position.turn > chosen else position.turn - 1

    def clamped(self, position: Position) -> Position:
        """The nearest position that exists: after the derivation has changed."""
        if position.phase < self.first_phase:
            return self.first()
        if position.phase > self.last_phase:
            return self.last()
        index = min(position.index, self.size(position.phase) - 1)
        inside = Position(position.phase, index)
        return Position(position.phase, index, min(position.turn, self.turns(inside) - 1))

    def move(self, position: Position, steps: int, detail: Detail) -> Position:
        """`steps` terms, nodes or layers on (or back); stops at the first and the last position."""
        direction = 1 if steps > 0 else -1
        for _ in range(abs(steps)):
            moved = self._step(position, direction, detail)
            if moved == position:
                break
            position = moved
        return position

    def _step(self, position: Position, direction: int, detail: Detail) -> Position:
        if detail is Detail.TERM:
            turn = position.turn + direction
            if 0 <= turn < self.turns(position):
                return Position(position.phase, position.index, turn)
        if detail is Detail.LAYER:
            return self._next_layer(position, direction)
        there = self._neighbour(position, direction)
        if there is None:
            return position
        if detail is Detail.TERM and direction < 0:
            return Position(there.phase, there.index, self.turns(there) - 1)
        return there

    def _neighbour(self, position: Position, direction: int) -> Position | None:
        """The next node's first term, across phases."""
        index = position.index + direction
        if 0 <= index < self.size(position.phase):
            return Position(position.phase, index)
        phase = position.phase + direction
        if not self.first_phase <= phase <= self.last_phase:
            return None
        other = Phase(phase)
        return Position(other, 0 if direction > 0 else self.size(other) - 1)

    def _next_layer(self, position: Position, direction: int) -> Position:
        here = self.layer(position)
        there = position
        while (following := self._neighbour(there, direction)) is not None:
            there = following
            if there.phase is not position.phase or self.layer(there) != here:
                return there
        return there

    def symbol(self, position: Position) -> Symbol:
        """The node (forward), the scalar (backward), the loss, or the target (update) of a position."""
        match position.phase:
            case Phase.FORWARD:
                return self.forward[position.index]
            case Phase.BACKWARD:
                return self.derivation[position.index].node
            case Phase.LOSS:
                return self.derivation.graph.loss.symbol
        return self.derivation.target

    def layer(self, position: Position) -> int:
        """The layer of a position; the prediction belongs to the last one, the input to layer 0."""
        return layer_of(self.symbol(position), self.layers)

    @property
    def layers(self) -> int:
        """How many layers the network has."""
        return max((symbol.layer or 0 for symbol in self.forward), default=0)

    def next_phase(self, position: Position, steps: int) -> Position:
        """The first position of a later phase, or of an earlier one."""
        phase = Phase(min(max(position.phase + steps, self.first_phase), self.last_phase))
        return Position(phase)

    def first(self) -> Position:
        """The first node of the forward pass; or, where nothing comes before it, what is differentiated."""
        return Position(self.first_phase)

    def last(self) -> Position:
        """The last line of the update: the step itself; or the end of the backward pass."""
        return Position(self.last_phase, self.size(self.last_phase) - 1)


def layer_of(symbol: Symbol, layers: int) -> int:
    """A symbol's layer: 0 for the input, the last one for the prediction and the loss."""
    if symbol.layer is not None:
        return symbol.layer
    return 0 if symbol.name == "X" else layers
