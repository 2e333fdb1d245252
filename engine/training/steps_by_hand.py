"""Training one step at a time, to look at: an experiment's own optimiser on the network and graph that are looked at.

    before ── gradient ── velocity, or m and v ── after          and back again

It is the optimiser that training uses, one for each parameter, so that parameters stay where readers see them. What
it remembers can be read by name after a step, and is taken back with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from engine.autodiff.graph import Array, Graph
from engine.experiment.optimizer_specs import TrainSpec
from engine.formula.expression import Name, Symbol
from engine.model.network import Network, trainable
from engine.training.optimizers import Optimizer, clip_factor, make_optimizer
from engine.training.update_rule import (
    CLIP,
    ETA,
    EvaluatedLine,
    RuleLine,
    UpdateRuleSettings,
    evaluated_lines,
    settings_of,
)


@dataclass(frozen=True, slots=True)
class Change:
    """One scalar before and after an update."""

    symbol: Symbol
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Update:
    """One update: its effect on the loss, and on the scalars that were watched.

    `predicted` is what the loss changes by to first order. How far the real change is from that says how curved the
    loss is there, or that η is too large.
    """

    learning_rate: float
    loss: Change
    predicted: float
    watched: tuple[Change, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """Parameters and optimiser states at one time: what `restore` goes back to."""

    steps: int
    parameters: dict[Symbol, Array]
    states: dict[Symbol, tuple[Array, ...]]

    @property
    def nbytes(self) -> int:
        """The bytes that the kept parameters and states take."""
        states = sum(array.nbytes for arrays in self.states.values() for array in arrays)
        return states + sum(value.nbytes for value in self.parameters.values())


class StepsByHand:
    """The optimiser of an experiment, on a network and a graph that has gone forward and backward."""

    def __init__(self, network: Network, graph: Graph, train: TrainSpec) -> None:
        self.settings: UpdateRuleSettings = settings_of(train)
        self.clip_norm = train.clip_norm
        self.steps = 0
        self._network, self._graph = network, graph
        self._optimizers: dict[Symbol, Optimizer] = {
            name: make_optimizer(
                train, network.parameters[name].reshape(-1), graph.nodes[name].grad.reshape(-1)
            )
            for name in trainable(network)
        }

    @property
    def clip_factor(self) -> float:
        """The factor of gradient clipping in the next step."""
        if self.clip_norm is None:
            return 1.0
        squares = [float(np.square(self._graph.nodes[name].grad).sum()) for name in self._optimizers]
        return clip_factor(math.sqrt(sum(squares)), self.clip_norm)

    def step(self, learning_rate: float, watch: Collection[Symbol] = ()) -> Update:
        """Makes one optimiser step for every trainable parameter, in place, and runs the graph again.

        `predicted` is what the loss changes by to first order: the gradient times the step, summed up.
        """
        graph = self._graph
        loss_before = graph.value_of(graph.loss.symbol)
        before = {symbol: graph.value_of(symbol) for symbol in watch}
        clip, predicted = self.clip_factor, 0.0
        with np.errstate(all="ignore"):  # what overflows is shown, not warned of
            for name, optimizer in self._optimizers.items():
                old = self._network.parameters[name].copy()
                optimizer.update(learning_rate, clip)
                moved = self._network.parameters[name] - old
                predicted += float((graph.nodes[name].grad * moved).sum())
        self.steps += 1
        graph.forward()
        graph.backward()
        watched = tuple(Change(symbol, value, graph.value_of(symbol)) for symbol, value in before.items())
        loss = Change(graph.loss.symbol, loss_before, graph.value_of(graph.loss.symbol))
        return Update(learning_rate, loss, predicted, watched)

    def memory(self) -> Memory:
        """A copy of the parameters and optimiser states as they are now, to go back to."""
        return Memory(
            self.steps,
            {name: value.copy() for name, value in self._network.parameters.items()},
            {
                name: tuple(array.copy() for array in optimizer.state)
                for name, optimizer in self._optimizers.items()
            },
        )

    def restore(self, memory: Memory) -> None:
        """Goes back to kept parameters and states, and runs the graph with them."""
        self.steps = memory.steps
        for name, value in memory.parameters.items():
            self._network.parameters[name][...] = value
        for name, optimizer in self._optimizers.items():
            optimizer.steps = memory.steps
            for array, kept in zip(optimizer.state, memory.states[name], strict=True):
                array[...] = kept
        self._graph.forward()
        self._graph.backward()

    def rule(self, parameter: Symbol) -> list[RuleLine]:
        """The formulas of the next optimiser step for one entry of a trainable parameter, line by line."""
        return self.settings.rule(parameter, self.steps + 1, clipped=self.clip_factor != 1.0)

    def evaluated(self, parameter: Symbol, learning_rate: float) -> list[EvaluatedLine]:
        """The formulas of the next optimiser step with numbers: what it will do to this entry."""
        return list(evaluated_lines(self.rule(parameter), self._values_before(parameter, learning_rate)))

    def values(self, parameter: Symbol, learning_rate: float) -> Callable[[Name], float]:
        """The number of every name in the formulas of the next step, and of everything in the graph."""
        before = self._values_before(parameter, learning_rate)
        if parameter.matrix not in self._optimizers:
            return before
        found = {one.line.symbol: one.value for one in self.evaluated(parameter, learning_rate)}
        return lambda name: found[name] if isinstance(name, Symbol) and name in found else before(name)

    def _values_before(self, parameter: Symbol, learning_rate: float) -> Callable[[Name], float]:
        numbers = {**self.settings.constants(), ETA: learning_rate, CLIP: self.clip_factor}
        if parameter.matrix in self._optimizers:
            numbers |= self._states_before(parameter)
        graph = self._graph
        return lambda name: (
            numbers[name] if isinstance(name, Symbol) and name in numbers else graph.value_of(name)
        )

    def _states_before(self, parameter: Symbol) -> dict[Symbol, float]:
        """The states that the next step begins with, by their letters: m₂ in step 3."""
        optimizer = self._optimizers[parameter.matrix]
        shape = self._network.parameters[parameter.matrix].shape
        place = np.ravel_multi_index(parameter.index or (0, 0), shape)
        letters = (
            [line.symbol for line in self.settings.rule(parameter, self.steps) if line.kept]
            if self.steps
            else []
        )
        return {
            letter: float(array[place])
            for letter, array in zip(letters, optimizer.state, strict=bool(letters))
            if letter is not None
        }
