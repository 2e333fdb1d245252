"""Where one is in a backpropagation, and how a keypress moves on: pure functions over immutable places.

forward            loss    backward                          update
f[1] a[1] f[2] …   E       step 1: term 1, term 2; step 2 …  W ← W - η ∂ℰ/∂W
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from engine.derivation.chain_rule import Derivation
from engine.formula.expression import Symbol
from engine.model.network import FIT, PENALTY


class Phase(IntEnum):
    """The four parts of one round of learning."""

    FORWARD = 0
    LOSS = 1
    BACKWARD = 2
    UPDATE = 3


class Detail(IntEnum):
    """What one step is."""

    TERM = 0
    NODE = 1
    LAYER = 2


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A phase, which node of it (forward) or which step (backward), and which of the step's terms.

    `turn` counts the terms of a step in the order in which they are visited: the path's own first.
    """

    phase: Phase
    index: int = 0
    turn: int = 0


FIRST_TERM = Place(Phase.BACKWARD)


class Walk:
    """All places of one derivation, in order, without listing them."""

    def __init__(self, derivation: Derivation, updates: int = 1) -> None:
        """`updates` is how many lines the update has: the velocity, m, v, and so on, and the step itself."""
        self.derivation = derivation
        self.updates = updates
        computed = [op.output.symbol for op in derivation.graph.ops[:-1]]
        self.forward = tuple(symbol for symbol in computed if symbol not in (FIT, PENALTY))

    def size(self, phase: Phase) -> int:
        """How many nodes or steps a phase has."""
        sizes = {
            Phase.FORWARD: len(self.forward),
            Phase.BACKWARD: len(self.derivation),
            Phase.UPDATE: self.updates,
        }
        return sizes.get(phase, 1)

    def turns(self, place: Place) -> int:
        """How many terms the node at a place has."""
        return len(self.derivation[place.index].terms) if place.phase is Phase.BACKWARD else 1

    def term(self, place: Place) -> int:
        """Which of the step's terms a place in the backward phase shows: the path's own first, then the others."""
        chosen = self.derivation[place.index].chosen
        if place.turn == 0:
            return chosen
        return place.turn if place.turn > chosen else place.turn - 1

    def turn_of(self, index: int, term: int) -> int:
        """The turn at which a step's term is visited."""
        chosen = self.derivation[index].chosen
        if term == chosen:
            return 0
        return term if term > chosen else term + 1

    def clamped(self, place: Place) -> Place:
        """The nearest place that exists: after the derivation has changed."""
        index = min(place.index, self.size(place.phase) - 1)
        inside = Place(place.phase, index)
        return Place(place.phase, index, min(place.turn, self.turns(inside) - 1))

    def move(self, place: Place, steps: int, detail: Detail) -> Place:
        """`steps` terms, nodes or layers on (or back); stops at the first and the last place."""
        direction = 1 if steps > 0 else -1
        for _ in range(abs(steps)):
            moved = self._step(place, direction, detail)
            if moved == place:
                break
            place = moved
        return place

    def _step(self, place: Place, direction: int, detail: Detail) -> Place:
        if detail is Detail.TERM:
            turn = place.turn + direction
            if 0 <= turn < self.turns(place):
                return Place(place.phase, place.index, turn)
        if detail is Detail.LAYER:
            return self._next_layer(place, direction)
        there = self._neighbour(place, direction)
        if there is None:
            return place
        if detail is Detail.TERM and direction < 0:
            return Place(there.phase, there.index, self.turns(there) - 1)
        return there

    def _neighbour(self, place: Place, direction: int) -> Place | None:
        """The next node's first term, across phases."""
        index = place.index + direction
        if 0 <= index < self.size(place.phase):
            return Place(place.phase, index)
        phase = place.phase + direction
        if not Phase.FORWARD <= phase <= Phase.UPDATE:
            return None
        other = Phase(phase)
        return Place(other, 0 if direction > 0 else self.size(other) - 1)

    def _next_layer(self, place: Place, direction: int) -> Place:
        here = self.layer(place)
        there = place
        while (following := self._neighbour(there, direction)) is not None:
            there = following
            if there.phase is not place.phase or self.layer(there) != here:
                return there
        return there

    def symbol(self, place: Place) -> Symbol:
        """The node (forward), the scalar (backward), the loss, or the target (update) of a place."""
        match place.phase:
            case Phase.FORWARD:
                return self.forward[place.index]
            case Phase.BACKWARD:
                return self.derivation[place.index].node
            case Phase.LOSS:
                return self.derivation.graph.loss.symbol
        return self.derivation.target

    def layer(self, place: Place) -> int:
        """The layer of a place; the prediction belongs to the last one, the input to layer 0."""
        return layer_of(self.symbol(place), self.layers)

    @property
    def layers(self) -> int:
        """How many layers the network has."""
        return max((symbol.layer or 0 for symbol in self.forward), default=0)

    def next_phase(self, place: Place, steps: int) -> Place:
        """The first place of a later phase, or of an earlier one."""
        phase = Phase(min(max(place.phase + steps, Phase.FORWARD), Phase.UPDATE))
        return Place(phase)

    def first(self) -> Place:
        """The first node of the forward pass."""
        return Place(Phase.FORWARD)

    def last(self) -> Place:
        """The last line of the update: the step itself."""
        return Place(Phase.UPDATE, self.updates - 1)

    def places(self) -> Iterator[Place]:
        """Every place, term by term, from the first to the last."""
        place = self.first()
        while True:
            yield place
            following = self._step(place, 1, Detail.TERM)
            if following == place:
                return
            place = following


def layer_of(symbol: Symbol, layers: int) -> int:
    """A symbol's layer: 0 for the input, the last one for the prediction and the loss."""
    if symbol.layer is not None:
        return symbol.layer
    return 0 if symbol.name == "X" else layers
