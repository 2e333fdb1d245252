"""What is asked for: the derivative of the loss, or of another entry, by an entry or by a whole matrix.

    ∂ℰ/∂W[1][1,1]      ∂ℰ/∂W[1], all of it      ∂ℰ/∂W[1] by sample 3 alone      ∂f[2][0,0]/∂a[1][1,0], one factor
    W[1] − η ∂ℰ/∂W[1], what a step of gradient descent makes of a parameter

Its truth is read from a backward pass; for another output than the loss that pass is seeded there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.autodiff.graph import Array, Graph, Node, Op
from engine.autodiff.ops.elementwise import Elementwise
from engine.derivation.targets import TargetError, find_target
from engine.experiment.optimizer_specs import SgdTraining
from engine.experiment.spec import Experiment, SquaredErrorLoss
from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.expression import Expr, Symbol
from engine.formula.parser import ParseError, parse_symbol
from engine.model.network import Network, X, Y

ETA = Symbol("eta")
"""The learning rate η, which a formula may name where an update is asked for."""


@dataclass(frozen=True, slots=True)
class AskedTarget:
    """The derivative ∂of/∂wrt that is asked for.

    `local` is the formula of one edge of the graph, where that alone is asked for and not every way between the two.
    With `update` the parameter is asked for as it is after one step of gradient descent, wrt − η ∂ℰ/∂wrt; `rate` is
    η, which may then be named.
    """

    wrt: Symbol
    of: Symbol | None = None
    sample: int | None = None
    local: Expr | None = None
    rate: float | None = None
    update: bool = False

    @classmethod
    def parse(
        cls, wrt: str, of: str | None = None, sample: int | None = None, names: CourseNames = CANONICAL
    ) -> AskedTarget:
        """Parses a typed target; ``f[2][0,0] / a[1][1,0]`` is one factor. Raises ParseError."""
        above, slash, below = wrt.partition(" / ")
        if slash and of is None:
            of, wrt = above.strip().removeprefix("∂").strip(), below.strip().removeprefix("∂").strip()
        of_symbol = None if of is None else parse_symbol(of, names)
        if of_symbol == Symbol("E"):
            of_symbol = None
        return cls(parse_symbol(wrt, names), of_symbol, sample)

    @property
    def is_matrix(self) -> bool:
        """Whether a whole matrix is asked for."""
        return self.wrt.index is None

    def updated(self, experiment: Experiment) -> AskedTarget:
        """The target of the updated parameter, after a step, in place of its gradient.

        Raises TargetError where no plain step is made.
        """
        train = experiment.train
        if self.of is not None or self.sample is not None:
            raise TargetError(
                "an update takes the gradient of the loss over all samples: without of, factor, sample"
            )
        if not isinstance(train, SgdTraining) or train.weight_decay or train.clip_norm is not None:
            raise TargetError("an update W − η ∂ℰ/∂W is that of sgd without weight_decay and clip_norm")
        return replace(self, rate=train.learning_rate, update=True)

    @property
    def gradient(self) -> AskedTarget:
        """The gradient that an update takes its step with; η may still be named."""
        return replace(self, update=False)

    def plain(self) -> str:
        """``∂E/∂W[1][1,1]``, or ``W[1] after one step``."""
        if self.update:
            return f"{self.wrt.plain()} after one step"
        return f"∂{'E' if self.of is None else self.of.plain()}/∂{self.wrt.plain()}"

    # ── the network it is about ─────────────────────────────────────────────────────────────────────

    def graph(self, network: Network, inputs: Array, labels: Array) -> Graph:
        """A graph in which this derivative can be found: for another output than ℰ no loss takes a short cut."""
        if self.of is None:
            graph = network.graph(inputs, labels)
            if self.rate is not None:
                graph.constants[ETA.name] = self.rate
            return graph
        plain = replace(network, loss=SquaredErrorLoss())
        return plain.graph(inputs, labels)

    def check(self, graph: Graph) -> None:
        """Checks that there is such a derivative in this network; raises TargetError."""
        node = graph.nodes.get(self.wrt.matrix)
        entry = self.wrt if self.wrt.index is not None or node is None or node.scalar else self.wrt.at((0, 0))
        node = find_target(graph, entry).node
        if self.sample is not None and not 0 <= self.sample < graph.n:
            raise TargetError(f"sample {self.sample} is not there: this batch has samples 0 to {graph.n - 1}")
        if (
            self.sample is not None
            and node.per_sample
            and self.wrt.index is not None
            and self.wrt.index[1] != self.sample
        ):
            raise TargetError(
                f"{self.wrt.plain()} belongs to sample {self.wrt.index[1]}, not to sample {self.sample}"
            )
        if self.update and node.symbol not in trained_leaves(graph):
            raise TargetError(f"{self.wrt.plain()} is no parameter: a step changes W and b only")
        if self.of is None:
            return
        if self.of.index is None and not (
            self.of.matrix in graph.nodes and graph.nodes[self.of.matrix].scalar
        ):
            raise TargetError(
                f"{self.of.plain()} is a matrix: say which entry is differentiated, such as {self.of.plain()}[0,0]"
            )
        above = find_target(graph, self.of).node
        if above is node or not _reaches(node, above):
            raise TargetError(f"{self.of.plain()} does not depend on {self.wrt.plain()}")

    def shape(self, graph: Graph) -> tuple[int, int]:
        """The shape (rows, columns) of what is asked for."""
        return graph.nodes[self.wrt.matrix].shape if self.is_matrix else (1, 1)

    def reader(self, graph: Graph) -> Callable[[], Array]:
        """A function that reads the derivative, (rows, columns), after a forward and a backward pass of the graph."""
        node = graph.nodes[self.wrt.matrix]
        index = self.wrt.index

        def cut(gradient: Array) -> Array:
            return gradient if index is None else gradient[index[0] : index[0] + 1, index[1] : index[1] + 1]

        if self.update:
            rate = self.rate or 0.0
            return lambda: cut(node.value) - rate * cut(node.grad)
        if (local := self.local) is not None:
            return lambda: np.array([[local.evaluate(graph.value_of)]])
        if (of := self.of) is not None:
            ops = _way_back(graph, of, node)
            return lambda: cut(_seeded(graph, of, node, ops))
        if self.sample is not None and not node.per_sample:
            return lambda: cut(_share(node, self.sample))
        return lambda: cut(node.grad)

    def slope(self, graph: Graph) -> str | None:
        """The activation whose slope is just what is asked for, of what it is applied to; None for anything else."""
        op = None if self.of is None or self.of.matrix not in graph.nodes else graph.nodes[self.of.matrix].op
        if not isinstance(op, Elementwise) or op.inputs[0].symbol != self.wrt.matrix:
            return None
        return op.function.name

    def end(self, graph: Graph) -> Node:
        """The node that is differentiated."""
        return graph.loss if self.of is None else graph.nodes[self.of.matrix]

    def is_above(self, graph: Graph, node: Node) -> bool:
        """Whether a node lies on a way from the target to what is differentiated."""
        start, end = graph.nodes[self.wrt.matrix], self.end(graph)
        return node is not start and _reaches(start, node) and (node is end or _reaches(node, end))

    def sample_of(self, n: int, rng: np.random.Generator) -> int:
        """The sample whose ways are to be open: the one that is asked about, or any."""
        for symbol in (self.wrt, self.of):
            if (
                symbol is not None
                and symbol.index is not None
                and symbol.name in ("X", "Y_hat", "f", "a", "g", "h")
            ):
                return min(symbol.index[1], n - 1)
        return self.sample if self.sample is not None else int(rng.integers(n))

    def feeds(self, activation: Node) -> bool:
        """Whether a layer's activation is what the weight that is asked for is multiplied by."""
        return any(
            op.inputs[0].symbol == self.wrt.matrix and op.inputs[0] is not activation
            for op, _ in activation.consumers
        )

    def unit_of(self, activation: Node, out_in: bool = False) -> int | None:
        """The one unit of a layer that every way from the target goes through, or None where there are several."""
        symbol = self.wrt
        if symbol.index is None or symbol.layer is None:
            return None
        if self.feeds(activation):
            row = symbol.index[1 if out_in else 0]
            return row if row < activation.shape[0] else None
        if symbol.layer != activation.symbol.layer:
            return None
        if symbol.name == "W":
            units = activation.shape[0]
            unit = symbol.index[0 if out_in else 1]
            return unit if unit < units else None
        return symbol.index[0] if symbol.name in ("f", "b", "g", "a") else None


def parse_asked_target(
    wrt: str, of: str | None = None, sample: int | None = None, names: CourseNames = CANONICAL
) -> AskedTarget:
    """Parses a typed target; what is wrong with it is told by a TargetError."""
    try:
        return AskedTarget.parse(wrt, of, sample, names)
    except ParseError as error:
        raise TargetError(f'"{wrt}": {error}') from None


def trained_leaves(graph: Graph) -> set[Symbol]:
    """The leaves that a step of training changes: all but the data."""
    return {node.symbol for node in graph.nodes.values() if node.op is None} - {X, Y}


def _reaches(start: Node, end: Node) -> bool:
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        node = waiting.pop()
        for op, _ in node.consumers:
            if op.output is end:
                return True
            if id(op.output) not in seen:
                seen.add(id(op.output))
                waiting.append(op.output)
    return False


def _way_back(graph: Graph, of: Symbol, node: Node) -> list[Op]:
    """The ops between an entry that is differentiated and a node, from the entry down."""
    above = graph.nodes[of.matrix]
    start = next(place for place, op in enumerate(graph.ops) if op.output is above)
    return [
        op
        for op in reversed(graph.ops[: start + 1])
        if any(op.needs_grad) and (op.output is above or _reaches(node, op.output))
    ]


def _seeded(graph: Graph, of: Symbol, node: Node, ops: Sequence[Op]) -> Array:
    """∂of/∂node: a backward pass that begins at another entry than the loss."""
    for one in graph.nodes.values():
        one.grad.fill(0.0)
    graph.nodes[of.matrix].grad[of.index or (0, 0)] = 1.0
    with np.errstate(all="ignore"):
        for op in ops:
            op.backward()
    return node.grad


def _share(node: Node, sample: int | None) -> Array:
    """What one sample adds to a parameter's gradient: its consumers send again, with the others' columns at 0."""
    total = np.zeros_like(node.grad)
    for op, _ in node.consumers:
        if not op.output.per_sample:
            continue
        arriving = op.output.grad
        kept = arriving.copy()
        arriving[:, [column for column in range(arriving.shape[1]) if column != sample]] = 0.0
        node.grad.fill(0.0)
        with np.errstate(all="ignore"):
            op.backward()
        total += node.grad
        arriving[...] = kept
    return total
