"""Random networks of an experiment's shape, at which an answer is compared with the truth.

    experiment ──> shape, loss, α, β, slopes, n ──┐
    seed ────────> W, b, X, Y of either sign ─────┴─> 64 networks, each gone forward and backward

One graph is built and filled anew for each network. Every layer's weights are scaled down until no |f| exceeds 6.
Whether the ReLUs between target and loss are on or off is not left to chance: the sign of a unit's incoming weights
is flipped, for a path through fifty ReLUs is active with a probability of 2⁻⁵⁰.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from engine.autodiff.graph import Array, Graph, Node, Op
from engine.autodiff.ops.elementwise import Elementwise
from engine.autodiff.ops.linear import WEIGHT, Linear
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.spec import BceLoss, CrossEntropyLoss
from engine.formula.expression import Symbol
from engine.model.network import X, Y
from engine.practice.question.asked_target import AskedTarget
from engine.practice.reading.batched_evaluation import Stack
from engine.practice.reading.gradient_names import differentiated, gradient_name, is_gradient

NETWORKS = 64
"""How many networks an answer is compared at, where at most `OFF` have a ReLU switched off."""
OFF = 32
SMALLEST, LARGEST = 0.2, 2.0
"""Between which magnitudes W, b, X and the labels of a squared error are drawn."""
LARGEST_SUM = 6.0
"""|f| is at most this, so that no sigmoid rounds to 0 or 1."""
LARGEST_STACK = 40_000_000
"""How many numbers the values of all networks may be together."""
TRIES = 4
"""How often a unit's incoming weights are flipped: with layer norm a flip moves the others' mean as well."""

Labels = Literal["hard", "soft"]


class TooLargeError(ValueError):
    """The network is too large to be compared at many others."""


@dataclass(frozen=True)
class NetworkEvidence:
    """The evidence for a formula: values and truth at many random networks.

    `names` has every matrix by its symbol, the constants, and earlier results; `truth` is (networks, rows, columns);
    `relu_off` says where a ReLU between target and loss was switched off.
    """

    names: Mapping[Symbol, Stack]
    truth: Stack
    relu_off: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @property
    def count(self) -> int:
        """How many networks there are."""
        return int(self.truth.shape[0])

    def constant(self, name: str, value: float) -> NetworkEvidence:
        """The evidence with another number for a constant, which the truth does not follow."""
        names = {**self.names, Symbol(name): np.full((1, 1, 1), value)}
        return NetworkEvidence(names, self.truth, self.relu_off)


class NetworkMaker:
    """Fills one graph with random numbers, network after network."""

    def __init__(self, evaluated: EvaluatedExperiment, target: AskedTarget, seed: int = 0) -> None:
        self.evaluated, self.target, self.seed = evaluated, target, seed
        self.restart()
        original = evaluated.network
        parameters: dict[Symbol, Array] = {
            name: np.array(value, np.float64) for name, value in original.parameters.items()
        }
        self.network = replace(original, parameters=parameters, dtype=np.dtype("float64"))
        samples = (np.array(one, np.float64) for one in (evaluated.data.X, evaluated.data.Y))
        self.graph = target.graph(self.network, *samples)
        target.check(self.graph)
        self.truth_of: Callable[[], Array] = target.reader(self.graph)
        self.backward_ops = self._ops_of_the_way_back()
        self.X, self.Y = self.graph.nodes[X], self.graph.nodes[Y]
        self.ones = np.flatnonzero((evaluated.data.X == 1.0).all(axis=1))
        self.blocks = _blocks(self.graph)
        self.switches = [
            block
            for block in self.blocks
            if block.activation is not None
            and block.switches
            and (
                target.is_above(self.graph, block.activation.output) or target.feeds(block.activation.output)
            )
        ]

    @cached_property
    def _units(self) -> dict[int, int | None]:
        """By the id of a block whose units are switched: the one that every way goes through, or None."""
        return {
            id(block): self.target.unit_of(block.activation.output, block.linear.out_in)
            for block in self.switches
            if block.activation is not None
        }

    def _ops_of_the_way_back(self) -> list[Op]:
        """The ops between the loss and the target: nothing below the target has to know its gradient."""
        graph, target = self.graph, self.target
        return [
            op
            for op in reversed(graph.ops)
            if op is graph.ops[-1] or (any(op.needs_grad) and target.is_above(graph, op.output))
        ]

    def backward(self) -> None:
        """Goes back from the loss as far as the target."""
        self.graph.loss.grad.fill(1.0)
        with np.errstate(all="ignore"):
            for op in self.backward_ops:
                op.backward()

    def restart(self) -> None:
        """Begins again with the same numbers."""
        self.rng = np.random.default_rng([self.seed, 2011])

    def dependence(self) -> set[str]:
        """The leaves that the truth depends on, each tried at a few networks."""
        found = set()
        leaves = [node for node in self.graph.nodes.values() if node.op is None]
        for number in range(4):
            self.draw("soft", number, ones=True)
            self.fill(None)
            self.graph.backward()
            truth = np.array(self.truth_of())
            for node in leaves:
                kept = node.value.copy()
                node.value *= 1.0 + 0.01 * self.rng.random(node.shape)
                self.graph.forward()
                self.graph.backward()
                if np.abs(self.truth_of() - truth).max() > 1e-12 * np.abs(truth).max():
                    found.add(node.symbol.plain())
                node.value[...] = kept
        return found

    def evidence(
        self,
        labels: Labels,
        named: Collection[Symbol] | None = None,
        *,
        count: int | None = None,
        off: bool = True,
        ones: bool = True,
    ) -> NetworkEvidence:
        """Draws many networks: values of the `named` matrices and earlier results, and the truth.

        Raises TooLargeError.
        """
        off_count = 0
        if self.switches and off:
            off_count = OFF if len(self.switches) <= OFF else len(self.switches)
        total = (NETWORKS - (OFF if off_count else 0) if count is None else count) + off_count
        nodes = [
            node
            for node in self.graph.nodes.values()
            if node is not self.graph.loss and (named is None or node.symbol in named)
        ]
        given = [differentiated(symbol) for symbol in named or () if is_gradient(symbol)]
        if total * sum(node.value.size for node in nodes) > LARGEST_STACK:
            raise TooLargeError("this network is too large to be compared at many random ones")
        names: dict[Symbol, list[Array]] = {node.symbol: [] for node in nodes}
        gradients: dict[Symbol, list[Array]] = {symbol: [] for symbol in given}
        truths, switched = [], []
        for number in range(total):
            off_place = number - (total - off_count)
            self.draw(labels, number, ones)
            self.fill(self.switches[off_place % len(self.switches)] if off_place >= 0 else None)
            if self.target.of is None or given:
                self.backward()
            for node in nodes:
                names[node.symbol].append(node.value.copy())
            for symbol, found in gradients.items():
                found.append(self.graph.nodes[symbol].grad.copy())
            truths.append(np.array(self.truth_of()))
            switched.append(off_place >= 0)
        stacked: dict[Symbol, Stack] = {symbol: np.stack(found) for symbol, found in names.items()}
        stacked |= {gradient_name(symbol): np.stack(found) for symbol, found in gradients.items()}
        stacked |= {Symbol(name): np.full((1, 1, 1), value) for name, value in self.graph.constants.items()}
        stacked[Symbol("ones")] = np.ones((1, self.graph.n, 1))
        return NetworkEvidence(stacked, np.stack(truths), np.array(switched))

    # ── drawing ─────────────────────────────────────────────────────────────────────────────────────

    def draw(self, labels: Labels, number: int, ones: bool) -> None:
        """Draws new numbers for every leaf, of either sign and of magnitudes that no symmetry can hide in."""
        for node in self.graph.nodes.values():
            if node.op is None and node is not self.Y:
                node.value[...] = self.numbers(node.shape)
        if ones:
            self.X.value[self.ones] = 1.0
        self.draw_labels(labels, number)

    def numbers(self, shape: tuple[int, int]) -> Array:
        """Random magnitudes with random signs."""
        drawn: Array = self.rng.random(shape)
        drawn -= 0.5
        signs = np.copysign(SMALLEST, drawn)
        drawn *= 2.0 * (LARGEST - SMALLEST)
        drawn += signs
        return drawn

    def draw_labels(self, labels: Labels, number: int) -> None:
        """Labels that the loss takes: 0 or 1, one-hot, between them, or any number."""
        target, loss = self.Y.value, self.network.loss
        outputs, n = target.shape
        match loss:
            case BceLoss():
                drawn = self.rng.uniform(0.1, 0.9, target.shape)
                hard = self.rng.integers(0, 2, target.shape)
                hard[:, number % n] = (number // n) % 2  # both labels come, however few samples there are
                target[...] = hard if labels == "hard" else drawn
            case CrossEntropyLoss():
                drawn = self.rng.uniform(0.2, 1.0, target.shape)
                target[...] = drawn / drawn.sum(axis=0)
                if labels == "hard":
                    target[...] = 0.0
                    target[self.rng.integers(0, outputs, n), np.arange(n)] = 1.0
            case _:
                target[...] = self.numbers(target.shape)

    # ── the forward pass, layer by layer ────────────────────────────────────────────────────────────

    def fill(self, off: _RandomBlock | None) -> None:
        """Runs the graph forward with the drawn numbers, scales every layer, and switches ReLUs on or off."""
        sample = self.target.sample_of(self.graph.n, self.rng)
        switches = {id(block) for block in self.switches}
        with np.errstate(all="ignore"):
            for block in self.blocks:
                block.forward()
                largest = float(np.abs(block.linear.output.value).max())
                if largest > LARGEST_SUM:
                    block.scale(LARGEST_SUM / largest)
                if id(block) not in switches or block.activation is None:
                    block.rest()
                    if block.all_off(sample):  # then nothing would get here
                        block.flip([0])
                        block.rest()
                    continue
                wanted = self._units[id(block)]
                units = [wanted] if wanted is not None else self.some_units(block, off is block)
                block.rest()
                for _ in range(TRIES):
                    on = block.activation.inputs[0].value[:, sample] > 0
                    wrong = [
                        unit
                        for unit, is_on in zip(units, on[units].tolist(), strict=True)
                        if is_on == (off is block)
                    ]
                    if not wrong:
                        break
                    block.flip(wrong)
                    block.rest()
            self.graph.ops[-1].forward()

    def some_units(self, block: _RandomBlock, off: bool) -> list[int]:
        """Units of a layer that several ways go through: at least one is to be on, or some are to be off."""
        units = block.linear.output.shape[0]
        if units == 1:
            return [0]
        few = 1 if units < 3 else units // 2
        return [int(unit) for unit in self.rng.choice(units, few if off else max(few, 1), replace=False)]


@dataclass(frozen=True, eq=False)
class _RandomBlock:
    """The ops of one layer: the weighted sum, perhaps a norm, the activation, and what follows before the next sum."""

    linear: Linear
    others: tuple[Op, ...]
    activation: Op | None
    """The op that applies an activation function entry by entry, where there is one."""

    @property
    def switches(self) -> bool:
        """Whether its activation passes nothing on one side: a ReLU."""
        return isinstance(self.activation, Elementwise) and self.activation.function.name == "relu"

    def all_off(self, sample: int) -> bool:
        """Whether it has ReLUs and all of them are off."""
        if self.activation is None or not self.switches:
            return False
        return not (self.activation.inputs[0].value[:, sample] > 0).any()

    def forward(self) -> None:
        """The weighted sum."""
        self.linear.forward()

    def rest(self) -> None:
        """All that follows the weighted sum."""
        for op in self.others:
            op.forward()

    def leaves(self) -> list[Node]:
        """What the weighted sum is made with, besides the activations."""
        return [node for place, node in enumerate(self.linear.inputs) if place != 1]

    def scale(self, factor: float) -> None:
        """Multiplies W and b, and with them f."""
        for node in self.leaves():
            node.value *= factor
        self.linear.output.value *= factor

    @cached_property
    def shifts(self) -> list[Node]:
        """Where a norm has a shift of its own, that has to change its sign with the weights."""
        return [
            node
            for op in self.others
            for node in op.inputs
            if node.symbol.name == "shift" and node.op is None
        ]

    def flip(self, units: Sequence[int]) -> None:
        """Changes the sign of some units' incoming weights and bias."""
        f = self.linear.output
        for node in self.shifts:
            node.value[units] *= -1.0
        for node in self.leaves():
            by_column = (
                node is self.linear.inputs[WEIGHT] and node.shape[1] == f.shape[0] and not self.linear.out_in
            )
            if by_column:
                node.value[:, units] *= -1.0
            else:
                node.value[units] *= -1.0
        f.value[units] *= -1.0


def _blocks(graph: Graph) -> list[_RandomBlock]:
    """The graph's ops, layer by layer, without the loss."""
    ops = graph.ops[:-1]
    starts = [place for place, op in enumerate(ops) if isinstance(op, Linear)]
    blocks = []
    for start, stop in zip(starts, [*starts[1:], len(ops)], strict=True):
        linear = ops[start]
        assert isinstance(linear, Linear)
        others = tuple(ops[start + 1 : stop])
        activation = next((op for op in others if isinstance(op, Elementwise)), None)
        blocks.append(_RandomBlock(linear, others, activation))
    return blocks
