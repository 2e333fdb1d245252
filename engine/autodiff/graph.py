"""A static dataflow graph: nodes hold arrays, ops fill them in place, forwards and backwards.

    X ─────┐
           ├─ Linear ── f[1] ── Elementwise ── a[1] ── … ── loss op ── E
    W[1] ──┘
             forward() ───────────────────────────────────────────────>
             <─────────────────────────────────────────────── backward()

A graph is built once, in topological order; its arrays are allocated once; after that `forward()` and
`backward()` only write into them. An op says, side by side, how it computes its value (in numbers and as a
formula), how it sends gradients back, and what its local derivatives are. Everything else in this program
(the derivations, the checks, the charts) is a reading of such a graph.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.autodiff.array_memory import Array as Array
from engine.autodiff.array_memory import ScratchMemory, aligned_zeros
from engine.autodiff.interruption import onlooker
from engine.formula.expression import Entry, Expr, Name, Partial, Symbol, Values

Mask = npt.NDArray[np.bool_]
Columns = slice
"""Which columns (samples) of every node a question is about."""

Kernel = Callable[[], None]
"""One op's turn in a pass."""


class Passes(NamedTuple):
    """The kernels of a forward and of a backward pass, in their order."""

    forward: Sequence[Kernel]
    backward: Sequence[Kernel]


Entries = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
"""Entries of a matrix as index arrays: their rows and their columns."""

EVERY_COLUMN = slice(None)


class Node:
    """One matrix of the computation graph, with its value and its gradient.

    `value` and `grad` (∂ℰ/∂value) have the same shape, (rows, columns); for activations the columns are the
    samples. `per_sample` says that column k belongs to sample k alone. A `scalar` node is written without indices.
    """

    __slots__ = ("consumers", "grad", "needs_gradient", "op", "per_sample", "scalar", "symbol", "value")

    def __init__(
        self,
        symbol: Symbol,
        value: Array,
        *,
        needs_gradient: bool = True,
        per_sample: bool = False,
        scalar: bool = False,
    ) -> None:
        self.symbol = symbol
        self.value = value
        self.grad = value[:0]  # allocated by Graph.finish, when it is known that it is needed
        self.needs_gradient = needs_gradient
        self.per_sample = per_sample
        self.scalar = scalar
        self.op: Op | None = None
        self.consumers: list[tuple[Op, int]] = []

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the node's matrix, (rows, columns)."""
        rows, columns = self.value.shape
        return rows, columns

    def entry(self, index: Entry) -> Symbol:
        """The symbol of one scalar entry of this node."""
        return self.symbol if self.scalar else self.symbol.at(index)

    def __repr__(self) -> str:
        return f"Node({self.symbol.plain()}, {self.shape[0]}×{self.shape[1]})"


class Op(ABC):
    """One operation of the graph: it fills `output` from `inputs`.

    `needs_grad[i]` says whether input i wants a gradient; `accumulates[i]` whether another consumer has already written
    to its gradient in this backward pass, so that this one must add. Both are set by `Graph.finish`.
    `fused` is set by a loss that sends the gradient of this op's input itself, because the product of the
    two separate factors is not stable (sigmoid with cross-entropy). `fuses` says that this op is such a loss.
    """

    inputs: tuple[Node, ...]
    output: Node

    def __init__(self, inputs: Sequence[Node], output: Node) -> None:
        self.inputs = tuple(inputs)
        self.output = output
        self.needs_grad: list[bool] = [False] * len(self.inputs)
        self.accumulates: list[bool] = [False] * len(self.inputs)
        self.fused = False
        self.fuses = False

    @property
    def reads(self) -> tuple[Node, ...]:
        """Nodes besides the inputs that the op computes from, though its output does not change with them."""
        return ()

    @property
    def overwrites(self) -> bool:
        """Whether `forward` may write the output over the input: nothing reads that input again."""
        return False

    @property
    def overwrites_gradient(self) -> bool:
        """Whether `backward` may write the input's gradient over the output's."""
        return False

    @abstractmethod
    def forward(self) -> None:
        """Writes the output's value, in place."""

    @abstractmethod
    def backward(self) -> None:
        """Sends the output's gradient to every input that wants one, in place."""

    @abstractmethod
    def formula(self, entry: Entry) -> Expr:
        """How one entry of the output is computed, as a formula."""

    @abstractmethod
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        """The local derivatives of one entry of input i: each output entry that it reaches, and ∂output/∂entry."""

    def local_at(self, i: int, entry: Entry, output_entry: Entry) -> Expr:
        """The local derivative between an entry of input i and one output entry, as a formula.

        An op that reaches many entries answers without making all of them.
        """
        return next(formula for reached, formula in self.local(i, entry) if reached == output_entry)

    def only_entry(self, i: int, entry: Entry) -> Entry:
        """The output entry that one entry of input i reaches, where it reaches one only (`fan_out` is 1)."""
        return next(iter(self.local(i, entry)))[0]

    @abstractmethod
    def fan_out(self, i: int) -> int:
        """How many output entries one entry of input i reaches: all entries of an input reach equally many."""

    @abstractmethod
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        """For each entry of input i, the strongest path upwards: max over o of log|∂o/∂entry| + beyond[o].

        `beyond` holds the log-magnitude of the strongest path from each output entry to the loss, for the
        given columns; the result has input i's shape, restricted to those columns. This is `backward` with
        (max, +) in place of (+, ×), and what finding the strongest path needs.
        """

    def strongest_entry(self, i: int, entry: Entry, beyond: Array, columns: Columns) -> Entry | None:
        """The output entry that `strongest` has chosen for one entry of input i, the first of equals.

        None where an op has no quicker way than to look at its `local_values`.
        """
        return None

    def local_values(self, i: int, entry: Entry, values: Values) -> tuple[Entries, Array]:
        """The local derivatives that `local` lists, as numbers: output entries (as index arrays) and partials.

        An op with a wide reach overrides this with a few array operations; a test holds the two together.
        """
        entries, formulas = zip(*self.local(i, entry), strict=True)
        rows, columns = np.array(entries).T
        return (rows, columns), np.array([formula.evaluate(values) for formula in formulas])

    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        """The partial derivative between two entries, in a few words: ``weight on the way``."""
        return "local derivative"

    def kinks(self) -> list[tuple[Node, Array]]:
        """Where a piecewise function's slope jumps: the values of an input at which it does, of the input's shape."""
        return []

    def remark(self, i: int, entry: Entry, output_entry: Entry) -> str | None:
        """A sentence where something notable happens between two entries: a ReLU that is off, a zero weight."""
        return None

    def recompute(self, changed: Node) -> None:
        """Computes the output again after one entry of `changed` was set by hand: for central differences."""
        self.forward()

    def prepare(self, scratch: ScratchMemory) -> None:  # noqa: B027 - most ops need nothing prepared
        """Binds views and working arrays, once, after the gradients are allocated."""


@dataclass
class Graph:
    """Nodes and ops in topological order, the loss last.

    `n` is the number of samples; `constants` gives the numbers of symbols that are no node's (n, alpha, beta).
    What is differentiated is one scalar: entry `seed` of the last op's output, which is the loss unless the graph
    was `cut`.
    """

    n: int
    dtype: np.dtype[Any]
    nodes: dict[Symbol, Node] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    constants: dict[str, float] = field(default_factory=dict)
    seed: Entry = (0, 0)
    left_out: frozenset[Symbol] = frozenset()
    known: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What follows from the finished graph's shape alone: whoever has found it out may keep it here, by a name."""

    def leaf(
        self,
        symbol: Symbol,
        value: Array,
        *,
        needs_gradient: bool = True,
        per_sample: bool = False,
        scalar: bool = False,
        grad: Array | None = None,
    ) -> Node:
        """Adds a leaf, a node that nothing computes: data or a parameter.

        Its array is used as it is, not copied; so is `grad`, where given, an array of the same shape for the gradient.
        """
        node = Node(symbol, value, needs_gradient=needs_gradient, per_sample=per_sample, scalar=scalar)
        if grad is not None:
            node.grad = grad
        self._name(node)
        return node

    def result(
        self,
        symbol: Symbol,
        shape: tuple[int, int],
        inputs: Sequence[Node],
        *,
        per_sample: bool = True,
        scalar: bool = False,
    ) -> Node:
        """Makes the node that an op will fill; its array is allocated here."""
        node = Node(
            symbol,
            aligned_zeros(shape, self.dtype),
            needs_gradient=any(one.needs_gradient for one in inputs),
            per_sample=per_sample,
            scalar=scalar,
        )
        self._name(node)
        return node

    def add(self, op: Op) -> Node:
        """Appends an op, all of whose inputs are in the graph; returns its output."""
        self.ops.append(op)
        op.output.op = op
        for i, node in enumerate(op.inputs):
            node.consumers.append((op, i))
        return op.output

    def cut(self, symbol: Symbol) -> Graph:
        """Makes one entry of a computed node what is differentiated, in place of the loss. Call before `finish`.

        Everything that this entry does not depend on is left out, and its names kept in `left_out`.
        """
        last = self.nodes[symbol.matrix]
        needed = {id(last)}
        kept: list[Op] = []
        for op in reversed(self.ops):
            if id(op.output) in needed:
                needed.update(id(node) for node in (*op.inputs, *op.reads))
                kept.append(op)
        if not kept:
            raise ValueError(f"{symbol.plain()} is given, not computed")
        self.ops = kept[::-1]
        self.left_out = frozenset(name for name, node in self.nodes.items() if id(node) not in needed)
        self.nodes = {name: node for name, node in self.nodes.items() if id(node) in needed}
        for node in self.nodes.values():
            node.consumers = [(op, i) for op, i in node.consumers if op in kept]
        for op in kept:  # the loss that sends the gradient past this op may be gone
            op.fused = op.fused and bool(op.output.consumers)
        self.seed = symbol.index or (0, 0)
        return self

    def finish(
        self, *, gradients: bool = True, passing: Collection[Node] = (), together: Sequence[Node] = ()
    ) -> Graph:
        """Allocates gradients, decides who writes and who adds, and binds the kernels. Call once, last.

        The last op's output is the loss. With `gradients=False` the graph can only go forward. The gradients of
        `passing` nodes, none with more than one consumer, share memory: each is there only from its consumer's
        turn in the backward pass to the end of its own op's, which saves memory and the time to reach it.
        So does the value of a passing node with that of the next where the op between them allows it.
        The values of nodes that are `together` come to lie side by side, in one array.
        """
        self._put_together(together)
        self._share_values(passing)
        written: set[int] = set()
        if gradients:
            self._share_gradients(passing)
            for node in self.nodes.values():
                if node.needs_gradient and node.grad.shape != node.value.shape:
                    node.grad = aligned_zeros(node.shape, self.dtype)
            for op in reversed(self.ops):
                if op.fused:
                    written.update(id(node) for node in op.inputs)  # by the loss
                    continue
                for i, node in enumerate(op.inputs):
                    op.needs_grad[i] = node.needs_gradient
                    op.accumulates[i] = id(node) in written
                    if op.needs_grad[i]:
                        written.add(id(node))
        scratch = ScratchMemory(self.dtype)
        for op in self.ops:
            op.prepare(scratch)
        self._forward = self.forward_kernels({})
        self._backward = self.backward_kernels({}) if gradients else []
        self._passes = Passes(self._forward, self._backward)
        return self

    def _put_together(self, nodes: Sequence[Node]) -> None:
        block = aligned_zeros((sum(node.value.size for node in nodes),), self.dtype)
        start = 0
        for node in nodes:
            stop = start + node.value.size
            node.value = block[start:stop].reshape(node.shape)
            start = stop

    def _share_values(self, passing: Collection[Node]) -> None:
        """Has ops compute in place where their only input is passing."""
        shared = {id(node) for node in passing}
        for op in self.ops:
            if op.overwrites and id(op.inputs[0]) in shared:
                op.inputs[0].value = op.output.value

    def _share_gradients(self, passing: Collection[Node]) -> None:
        """Gives passing nodes their gradients in the order of the backward pass, from those no longer needed."""
        shared = {id(node) for node in passing if node.needs_gradient}
        unused: dict[tuple[int, int], list[Array]] = {}
        for op in reversed(self.ops):
            if op.overwrites_gradient and id(op.output) in shared and id(op.inputs[0]) in shared:
                op.inputs[0].grad = op.output.grad
                continue
            for node in op.inputs:
                if id(node) in shared:
                    free = unused.get(node.shape)
                    node.grad = free.pop() if free else aligned_zeros(node.shape, self.dtype)
            if id(op.output) in shared:
                unused.setdefault(op.output.shape, []).append(op.output.grad)

    def forward_kernels(self, after: Mapping[Op, Sequence[Kernel]]) -> list[Kernel]:
        """The kernels of a forward pass in their order, with further ones put in, each directly after an op's."""
        return [kernel for op in self.ops for kernel in (op.forward, *after.get(op, ()))]

    def backward_kernels(self, after: Mapping[Op, Sequence[Kernel]]) -> list[Kernel]:
        """The kernels of a backward pass in their order, with further ones put in, each directly after an op's."""
        kernels: list[Kernel] = []
        for op in reversed(self.ops):
            # A stable loss sends ∂ℰ/∂f even where its own input, Ŷ, wants no gradient.
            if any(op.needs_grad) or op.fuses:
                kernels.append(op.backward)
            kernels.extend(after.get(op, ()))
        return kernels

    @property
    def loss(self) -> Node:
        """The last op's output: the loss, or what stands in its place in a graph that was cut."""
        return self.ops[-1].output

    @property
    def differentiated(self) -> Symbol:
        """The name of the scalar that is differentiated: E, unless the graph was cut."""
        return self.loss.entry(self.seed)

    def forward(self) -> float:
        """Computes every node from the leaves and returns the loss."""
        with np.errstate(all="ignore"):
            _run(self._forward)
        return self.loss.value.item(self.seed)

    def backward(self) -> None:
        """Computes ∂ℰ/∂node for every node that wants it; `forward` must have run."""
        self.loss.grad.fill(0.0)
        self.loss.grad[self.seed] = 1.0
        with np.errstate(all="ignore"):
            _run(self._backward)

    def forward_and_backward(self, passes: Passes | None = None) -> float:
        """A forward and a backward pass in one go, for a training loop that has switched warnings off itself.

        `passes` are the kernels to run in place of the usual ones.
        """
        forward, backward = passes or self._passes
        _run(forward)
        self.loss.grad.fill(1.0)
        _run(backward)
        return self.loss.value.item(0)

    def recompute(self, node: Node) -> float:
        """Runs only the ops after `node` and returns the loss: for central differences at any node."""
        changed, look = {id(node)}, onlooker()
        with np.errstate(all="ignore"):
            for op in self.ops:
                if any(id(one) in changed for one in op.inputs):
                    op.recompute(node)
                    changed.add(id(op.output))
                    if look is not None:
                        look()
        return float(self.loss.value[self.seed])

    def release(self) -> None:
        """Ends the use of a graph that was made for one measurement: its arrays go as soon as nobody reads them.

        Nodes and ops know each other, so that otherwise they stay until Python's collector comes by, which counts
        objects and not bytes.
        """
        for node in self.nodes.values():
            node.op = None
            node.consumers.clear()
        self.ops.clear()
        self._forward, self._backward = [], []
        self._passes = Passes(self._forward, self._backward)

    def value_of(self, symbol: Name) -> float:
        """The number that a name has now: a value, or for ∂ℰ/∂something a gradient.

        Raises KeyError for a name that this graph does not have.
        """
        if isinstance(symbol, Partial):
            if symbol.of != self.differentiated:
                raise KeyError(symbol.plain())
            return float(self.nodes[symbol.by.matrix].grad[symbol.by.index or (0, 0)])
        if symbol.index is None and symbol.layer is None and symbol.name in self.constants:
            return self.constants[symbol.name]
        return float(self.nodes[symbol.matrix].value[symbol.index or (0, 0)])

    def _name(self, node: Node) -> None:
        if node.symbol in self.nodes:
            raise ValueError(f"the graph already has a node named {node.symbol.plain()}")
        self.nodes[node.symbol] = node


def _run(kernels: Sequence[Kernel]) -> None:
    """Calls them in turn; where somebody wants to come in between, lets them."""
    look = onlooker()
    if look is None:
        for kernel in kernels:
            kernel()
        return
    for kernel in kernels:
        kernel()
        look()
