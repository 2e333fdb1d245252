"""Central differences at one entry of a graph: the entry is moved, everything after it recomputed.

    ℰ(w-h) ───── ℰ(w) ───── ℰ(w+h)        (ℰ(w+h) - ℰ(w-h)) / 2h, and again with h/2: extrapolated to h = 0 (Richardson)

What rounding and the loss's own curvature leave uncertain is known for each, as is whether a kink lies between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import Array, Graph, Node
from engine.autodiff.interruption import uninterruptible
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.loss import loss_op
from engine.autodiff.ops.softmax import Softmax
from engine.derivation.entry_ref import EntryRef

STEP = 1e-4
"""h relative to max(1, |w|): balances the extrapolated error, about h⁴, with rounding, about 1e-16/h."""

SMALLEST_STEP = 1e-8

COSTLY = 10**5
"""With more numbers than this in a graph, passes are saved: two losses are enough where they show what was found."""

ULPS = 32.0 * float(np.finfo(np.float64).eps)
"""The rounding error of a difference of two losses, relative to the loss: a few units in the last place."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A central difference, and how far from the true slope rounding and curvature may have put it."""

    value: float
    uncertainty: float


def extrapolated(losses: tuple[float, float, float, float], step: float, noise: float) -> Slope:
    """The slope extrapolated (Richardson) from ℰ at -h, h, -h/2 and h/2.

    The uncertainty adds to the noise what halving the step has changed.
    """
    left, right, near_left, near_right = losses
    coarse, fine = (right - left) / (2.0 * step), (near_right - near_left) / step
    return Slope((4.0 * fine - coarse) / 3.0, noise + abs(fine - coarse))


def rounding_of(loss: float, step: float) -> float:
    """The rounding error of a central difference with this step where ℰ is about `loss`."""
    return ULPS * max(abs(loss), 1e-300) / step


def kinked_nodes(graph: Graph) -> list[tuple[Node, Array]]:
    """Every node that a piecewise function is applied to, with the places of its kinks, entry by entry."""
    return [kinked for op in graph.ops for kinked in op.kinks()]


class CentralDifference:
    """Moves entries of one node, one at a time, and measures the loss. Call `restore` at the end."""

    def __init__(self, graph: Graph, node: Node) -> None:
        """`graph` has gone forward and backward; it must not be changed by others until `restore`."""
        self.graph, self.node = graph, node
        # Where Ŷ is moved ℰ comes from Ŷ, not as before from the logits.
        self._compared = loss_op(graph) or graph.ops[-1]
        moves_prediction = node is self._compared.inputs[0]
        with uninterruptible():  # `restore` is not yet anybody's to call
            self.centre = graph.recompute(node) if moves_prediction else float(graph.loss.value[graph.seed])
        self._kinked = kinked_nodes(graph)
        self._pieces = self._present_pieces()
        self._present: list[npt.NDArray[np.bool_]] | None = self._pieces
        self._offset = 0.0
        """By how much the entry is moved at present; `_present` are the pieces there, where they were looked at."""
        self.costly = sum(one.value.size for one in graph.nodes.values()) > COSTLY
        self.ref = EntryRef(node, (0, 0))
        self.value = self.ref.value
        self._seen: dict[float, tuple[float, bool]] = {}

    def choose(self, ref: EntryRef) -> None:
        """Chooses another entry of the node to move; the one before goes back."""
        self.node.value[self.ref.entry] = self.value
        self.ref, self.value = ref, ref.value
        self._seen.clear()
        self._offset, self._present = math.nan, None

    def loss_at(self, offset: float) -> float:
        """The loss ℰ with the chosen entry moved by `offset`."""
        return self._at(offset)[0]

    def changes_piece(self, offset: float) -> bool:
        """Whether any piecewise function is on another piece at this offset than at the entry itself."""
        return self._at(offset)[1]

    def _at(self, offset: float) -> tuple[float, bool]:
        if offset not in self._seen:
            self._seen[offset] = self._move(offset), self._on_other_pieces()
        return self._seen[offset]

    def _move(self, offset: float) -> float:
        self.node.value[self.ref.entry] = self.value + offset
        self._offset, self._present = offset, None
        return self.graph.recompute(self.node)

    def restore(self) -> None:
        """Puts the moved entry, and everything computed from it, back."""
        self._move(0.0)
        with np.errstate(
            all="ignore"
        ):  # where Ŷ was moved, ℰ came from Ŷ and not, as before, from the logits
            for op in self.graph.ops[self.graph.ops.index(self._compared) :]:
                op.forward()

    def crosses_kink(self, step: float) -> bool:
        """Whether any piecewise function is on another piece at -step or +step than at the entry itself."""
        return self.changes_piece(-step) or self.changes_piece(step)

    def smaller_step(self, step: float) -> float:
        """A smaller step for a difference across a kink: half of that at which the first piece changes.

        What a pre-activation has moved by is taken to be in proportion to the step.
        """
        offset = -step if self.changes_piece(-step) else step
        if self._offset != offset:
            self._move(offset)
        present = self._present_pieces() if self._present is None else self._present
        beyond = [
            (node, kink, np.nonzero(there != piece))
            for (node, kink), there, piece in zip(self._kinked, present, self._pieces, strict=True)
        ]
        moved = [
            (node, kink[where], where, node.value[where]) for node, kink, where in beyond if where[0].size
        ]
        self._move(0.0)
        nearest = 0.1
        for node, kink, where, after in moved:
            before = node.value[where]
            with np.errstate(all="ignore"):
                nearest = min(
                    nearest, float(np.min((kink - before) / (after - before), initial=nearest)) / 2.0
                )
        return max(step * nearest, SMALLEST_STEP) if nearest > 0.0 else SMALLEST_STEP

    def _on_other_pieces(self) -> bool:
        self._present = self._present_pieces()
        return any(not np.array_equal(new, old) for new, old in zip(self._present, self._pieces, strict=True))

    def _present_pieces(self) -> list[npt.NDArray[np.bool_]]:
        return [node.value > kink for node, kink in self._kinked]

    def central(self, step: float) -> Slope:
        """The central difference with one step; of its uncertainty only the rounding is known."""
        slope = (self.loss_at(step) - self.loss_at(-step)) / (2.0 * step)
        return Slope(slope, rounding_of(self.centre, step))

    def extrapolated(self, step: float) -> Slope:
        """The central difference with step and step/2, extrapolated to step 0."""
        half = step / 2.0
        losses = (self.loss_at(-step), self.loss_at(step), self.loss_at(-half), self.loss_at(half))
        return extrapolated(losses, step, rounding_of(self.centre, step))

    def one_sided(self, offset: float) -> float:
        """The slope just left of the entry (a negative offset) or just right of it."""
        return (self.loss_at(offset) - self.centre) / offset

    def measured_rounding(self, step: float) -> float:
        """The rounding error of the difference as it is found: a norm, or a loss of rounded numbers, amplifies it.

        Fourth differences of ℰ over offsets much smaller than the step hold nothing but rounding. NaN where ℰ has
        overflowed: then nothing is below the noise.
        """
        losses = [self.loss_at(step / 100.0 * place) for place in range(-6, 7)]
        if not np.isfinite(losses).all():
            return math.nan
        return 2.0 * float(np.abs(np.diff(losses, 4)).max()) / step


JIGGLE = 4.0 * float(np.finfo(np.float64).eps)
JIGGLES = 8
"""How far, relative to their size, and how often numbers are moved to measure rounding errors."""


class BackwardRounding:
    """The rounding errors of backward itself, measured node by node when they are asked for.

    What the gradient makes of parameters, and of what the activation functions return, moved in their last digits: the
    slope 1 - a² of a saturated tanh holds few digits more than a itself has lost. The samples stay, and a unit is moved
    alike in all of them: equal samples, where a norm is at its worst, would no longer be equal.
    """

    def __init__(self, graph: Graph) -> None:
        """`graph` has gone forward and backward."""
        self.graph = graph
        self._spread: dict[int, Array] = {}

    def of(self, ref: EntryRef) -> float:
        """The rounding error of an entry's gradient: how far it spreads when numbers move in their last digits.

        The graph is left as it was.
        """
        key = id(ref.node)
        if key not in self._spread:
            self._spread[key] = self._measured(ref.node)
        return 4.0 * float(self._spread[key][ref.entry])

    def _measured(self, node: Node) -> Array:
        graph = self.graph
        nodes = graph.nodes.values()
        leaves = [(one, one.value.copy()) for one in nodes if one.op is None and not one.per_sample]
        gradients = [(one, one.grad.copy()) for one in nodes]
        kinked = kinked_nodes(graph)
        pieces = [one.value > kink for one, kink in kinked]
        generator = np.random.default_rng(0)
        lowest, highest = np.full(node.shape, math.inf), np.full(node.shape, -math.inf)
        try:
            for _ in range(JIGGLES):
                for one, value in leaves:
                    one.value[...] = value * (1.0 + JIGGLE * generator.standard_normal(value.shape))
                self._forward(generator)
                graph.backward()
                if all(
                    np.array_equal(one.value > kink, piece)
                    for (one, kink), piece in zip(kinked, pieces, strict=True)
                ):
                    np.fmin(lowest, node.grad, out=lowest)
                    np.fmax(highest, node.grad, out=highest)
        finally:  # also where somebody has ended it
            for one, value in leaves:
                np.copyto(one.value, value)
            graph.forward()
            for one, gradient in gradients:
                np.copyto(one.grad, gradient)
        with np.errstate(invalid="ignore"):
            spread: Array = np.maximum(highest - lowest, 0.0)
        return spread

    def _forward(self, generator: np.random.Generator) -> None:
        with np.errstate(all="ignore"):
            for op in self.graph.ops:
                op.forward()
                if isinstance(op, Elementwise | Softmax):
                    rows = op.output.shape[0]
                    op.output.value *= 1.0 + JIGGLE / 4.0 * generator.standard_normal((rows, 1))
