"""A backward pass in plain NumPy, op by op, in which one op may be made to slip.

    for op in reversed(graph.ops):
        for every input:   gradient of the input += what the op sends     <── here a slip may be planted

It computes what `Graph.backward` computes, without its short cuts (loss and output slope are two ops here), so that
every op's own share can be looked at, checked by itself, and spoiled. What belongs to one op only, its
vector-Jacobian product, stands in `sent_by_op`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import singledispatch
from typing import Protocol

import numpy as np

from engine.autodiff.graph import Array, Graph, Node, Op
from engine.autodiff.ops.linear import WEIGHT, Linear
from engine.autodiff.ops.loss import Loss
from engine.autodiff.ops.softmax import Softmax
from engine.derivation.matrix_form import contribution
from engine.formula.expression import Entry


class SlippingOp(Protocol):
    """A slip at one op: what that op sends instead, and whether it overwrites what others have sent."""

    @property
    def op(self) -> Op:
        """The op that slips."""

    @property
    def i(self) -> int:
        """The input whose gradient it sends wrongly."""

    @property
    def overwrites(self) -> bool:
        """Whether it sets the gradient where it should add to it."""

    def send(self, arriving: Array) -> Array:
        """The gradient that the slipping op sends, given that of its output."""


class SlippingBackwardPass:
    """One pass over a graph that has gone forward: the gradient of every node, and what each op sent where.

    `start` and `entry` say where it begins: at the loss, or at an entry of another node; `only` which ops it goes
    through (None: all of them); `leaf` the one leaf whose gradient is wanted (None: of all). `honest` is a pass like
    this one without a slip: up to the first slip there is nothing else to compute.
    """

    def __init__(
        self,
        graph: Graph,
        planted: tuple[SlippingOp, ...] = (),
        start: Node | None = None,
        entry: Entry = (0, 0),
        only: Collection[Op] | None = None,
        leaf: Node | None = None,
        honest: SlippingBackwardPass | None = None,
    ) -> None:
        self.graph, self.planted, self.leaf = graph, planted, leaf
        self._before: dict[int, dict[int, Array]] = {}
        """Of a pass without a slip, by the id of an op: all gradients when the pass came to it."""
        self.gradients: dict[int, Array] = {}
        self.added: dict[tuple[int, int], Array] = {}
        start = graph.loss if start is None else start
        seed = np.zeros_like(start.value)
        seed[entry] = 1.0
        self.gradients[id(start)] = seed
        backwards = graph.ops[::-1]
        if honest is not None:
            first = min((backwards.index(one.op) for one in planted), default=len(backwards))
            backwards = backwards[first:]
            if backwards:
                self.gradients = dict(honest._before[id(backwards[0])])
            else:
                self.gradients = honest.gradients
        with np.errstate(all="ignore"):
            for op in backwards:
                if not planted:
                    self._before[id(op)] = dict(self.gradients)
                if id(op.output) in self.gradients and (only is None or op in only):
                    self._op(op)

    def _op(self, op: Op) -> None:
        arriving = self.gradients[id(op.output)]
        for i, node in enumerate(op.inputs):
            if not wants_gradient(node) or (
                self.leaf is not None and node.op is None and node is not self.leaf
            ):
                continue
            slip = next((one for one in self.planted if one.op is op and one.i == i), None)
            send = sent_by_op(op, i, arriving) if slip is None else slip.send(arriving)
            before = self.gradients.get(id(node))
            after = (
                np.array(send) if before is None or (slip is not None and slip.overwrites) else before + send
            )
            self.gradients[id(node)] = after
            self.added[id(op), i] = after if before is None else after - before

    def of(self, node: Node) -> Array:
        """The gradient of a node in the pass; zeros where nothing reached it."""
        found = self.gradients.get(id(node))
        return np.zeros_like(node.value) if found is None else found


def wants_gradient(node: Node) -> bool:
    """Whether the pass goes on to a node: all but the labels."""
    return node.op is not None or node.needs_gradient


@singledispatch
def sent_by_op(op: Op, i: int, arriving: Array) -> Array:
    """The gradient that an op sends to its input i when `arriving` is the gradient of its output: Jᵀ·arriving."""
    kept = op.output.grad
    try:
        op.output.grad = arriving
        return np.asarray(contribution(op, i))
    finally:
        op.output.grad = kept


@sent_by_op.register
def _(op: Softmax, i: int, arriving: Array) -> Array:
    y = op.output.value
    return np.asarray(y * (arriving - (arriving * y).sum(axis=0)))


@sent_by_op.register
def _(op: Loss, i: int, arriving: Array) -> Array:
    out = np.zeros_like(op.inputs[0].value)
    op.prediction_gradient(out)
    return np.asarray(out * arriving[0, 0])


STEP = 1e-5
"""How far an input is moved for a central difference of one op."""
TOLERANCE = 1e-5
"""How far a share may be from its central difference, of the largest share, before the op is called wrong."""


def op_is_right(done: SlippingBackwardPass, op: Op) -> bool:
    """The gradient check of one op alone: what it sent, against central differences of what it computes.

    It takes the gradient that arrived as it is, right or wrong, so that an op is not blamed for another's slip.
    """
    if id(op.output) not in done.gradients:
        return True
    arriving = done.gradients[id(op.output)]
    for i, node in enumerate(op.inputs):
        if (id(op), i) not in done.added:
            continue
        numeric = op_central_differences(op, node, arriving)
        mine = done.added[id(op), i]
        size = max(float(np.abs(numeric).max(initial=0.0)), float(np.abs(mine).max(initial=0.0)))
        if float(np.abs(mine - numeric).max(initial=0.0)) > TOLERANCE * size + 1e-12:
            return False
    return True


def op_central_differences(op: Op, node: Node, arriving: Array) -> Array:
    """The gradient of Σ arriving · output by a node, by central differences, with everything else held still."""
    found = np.zeros_like(node.value)
    with np.errstate(all="ignore"):
        for place in np.ndindex(*node.shape):
            kept = node.value[place]
            ends = []
            for offset in (STEP, -STEP):
                node.value[place] = kept + offset
                op.recompute(node)
                ends.append(float((op.output.value * arriving).sum()))
            node.value[place] = kept
            found[place] = (ends[0] - ends[1]) / (2.0 * STEP)
        op.forward()
    return found


def has_square_weight(op: Op) -> bool:
    """Whether an op is a layer whose W is square."""
    return isinstance(op, Linear) and op.inputs[WEIGHT].shape[0] == op.inputs[WEIGHT].shape[1]


Send = Callable[[Op, int, Array], Array]
"""What an op sends to an input, from the gradient of its output."""
