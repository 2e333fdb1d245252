"""The four optimisers: how a gradient becomes a step.

    gradient ──> direction ──>  W ← W - scale · direction

    sgd        direction = g                                                        scale = η
    momentum   direction = m,  m ← 0.9 m + g                                        scale = η
    rmsprop    direction = g / (√v + ε),  v ← 0.99 v + 0.01 g²                      scale = η
    adam       direction = m / (√v + ε√c),  m ← 0.9 m + 0.1 g,                      scale = η√c / (1 - 0.9ᵗ)
               v ← 0.999 v + 0.001 g², c = 1 - 0.999ᵗ in step t

ε is 1e-8. Adam's step is the published η m̂ / (√v̂ + ε) with m̂ = m / (1 - 0.9ᵗ) and v̂ = v / c, multiplied out. Rules
and constants are PyTorch's defaults (for `momentum`, torch.optim.SGD with momentum=0.9, no dampening, no Nesterov).
The gradient itself is never changed: a reader may look at it after the step.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
from typing_extensions import override

from engine.autodiff.graph import BLOCK, Array, in_blocks
from engine.experiment.spec import OptimizerName

MOMENTUM = 0.9
RMSPROP_DECAY = 0.99
ADAM_DECAYS = (0.9, 0.999)
EPSILON = 1e-8


class Optimizer(ABC):
    """Updates `values` from `gradients`, two flat arrays of one size, in place, block by block.

    After `update`, the step just taken was -`scale` · `direction`. `state` lists the arrays that it remembers
    from step to step, and `steps` how many there were: a checkpoint keeps both.
    """

    direction: Array

    def __init__(self, values: Array, gradients: Array) -> None:
        self.scale = 0.0
        self.steps = 0
        self.state: tuple[Array, ...] = ()
        step = np.empty(min(BLOCK, values.size), values.dtype)
        self._values = in_blocks(values)
        self._gradients = in_blocks(gradients)
        self._steps = [step[: block.size] for block in self._values]
        self._clipped = np.empty_like(step)
        self._directed(gradients)

    def _directed(self, direction: Array) -> Array:
        """Makes `direction` the array that steps are taken along."""
        self.direction = direction
        self._directions = in_blocks(direction)
        self._blocks = list(enumerate(zip(self._values, self._directions, self._steps, strict=True)))
        return direction

    def update(self, learning_rate: float, clip: float = 1.0) -> None:
        """One step with the gradients multiplied by `clip`."""
        self.steps += 1
        self.scale = scale = self._prepared(learning_rate, clip)
        for i, (values, direction, step) in self._blocks:
            self._direct(i, clip)
            np.multiply(direction, scale, out=step)
            np.subtract(values, step, out=values)

    def _prepared(self, learning_rate: float, clip: float) -> float:
        """The scale of this step."""
        return learning_rate

    @abstractmethod
    def _direct(self, i: int, clip: float) -> None:
        """Brings `direction` up to date within block i."""

    def _gradient(self, i: int, clip: float) -> Array:
        """The block's gradient, clipped."""
        gradient = self._gradients[i]
        if clip == 1.0:
            return gradient
        clipped = self._clipped[: gradient.size]
        np.multiply(gradient, clip, out=clipped)
        return clipped


class Sgd(Optimizer):
    """Steepest descent."""

    @override
    def _prepared(self, learning_rate: float, clip: float) -> float:
        return learning_rate * clip

    @override
    def _direct(self, i: int, clip: float) -> None:
        """The direction is the gradient."""


class Momentum(Optimizer):
    """Steepest descent that keeps going: Polyak's heavy ball, in the form of Sutskever et al. 2013, section 2."""

    def __init__(self, values: Array, gradients: Array) -> None:
        super().__init__(values, gradients)
        self.state = (self._directed(np.zeros_like(values)),)

    @override
    def _direct(self, i: int, clip: float) -> None:
        m = self._directions[i]
        np.multiply(m, MOMENTUM, out=m)
        np.add(m, self._gradient(i, clip), out=m)


class RmsProp(Optimizer):
    """Each entry's gradient divided by a running root mean square of itself (Hinton 2012, lecture 6e)."""

    def __init__(self, values: Array, gradients: Array) -> None:
        super().__init__(values, gradients)
        self._directed(np.zeros_like(values))
        squares = np.zeros_like(values)
        self._squares = in_blocks(squares)
        self.state = (squares,)

    @override
    def _direct(self, i: int, clip: float) -> None:
        g, v, direction = self._gradient(i, clip), self._squares[i], self._directions[i]
        np.multiply(v, RMSPROP_DECAY, out=v)
        np.multiply(g, g, out=direction)
        np.multiply(direction, 1.0 - RMSPROP_DECAY, out=direction)
        np.add(v, direction, out=v)
        np.sqrt(v, out=direction)
        np.add(direction, EPSILON, out=direction)
        np.divide(g, direction, out=direction)


class Adam(Optimizer):
    """Momentum and a running root mean square, both corrected for having begun at 0 (Kingma & Ba 2015, algorithm 1)."""

    def __init__(self, values: Array, gradients: Array) -> None:
        super().__init__(values, gradients)
        self._directed(np.zeros_like(values))
        means, squares = np.zeros_like(values), np.zeros_like(values)
        self._means, self._squares = in_blocks(means), in_blocks(squares)
        self._epsilon = EPSILON
        self.state = (means, squares)

    @override
    def _prepared(self, learning_rate: float, clip: float) -> float:
        """η√(1-β₂ᵗ)/(1-β₁ᵗ): both corrections in one number, with ε made to match in `_direct`."""
        mean_decay, square_decay = ADAM_DECAYS
        root = math.sqrt(1.0 - square_decay**self.steps)
        self._epsilon = EPSILON * root
        return learning_rate * root / (1.0 - mean_decay**self.steps)

    @override
    def _direct(self, i: int, clip: float) -> None:
        mean_decay, square_decay = ADAM_DECAYS
        g, direction = self._gradient(i, clip), self._directions[i]
        m, v = self._means[i], self._squares[i]
        np.subtract(g, m, out=direction)
        np.multiply(direction, 1.0 - mean_decay, out=direction)
        np.add(m, direction, out=m)
        np.multiply(v, square_decay, out=v)
        np.multiply(g, g, out=direction)
        np.multiply(direction, 1.0 - square_decay, out=direction)
        np.add(v, direction, out=v)
        np.sqrt(v, out=direction)
        np.add(direction, self._epsilon, out=direction)
        np.divide(m, direction, out=direction)


OPTIMIZERS: dict[OptimizerName, type[Optimizer]] = {
    "sgd": Sgd,
    "momentum": Momentum,
    "rmsprop": RmsProp,
    "adam": Adam,
}
"""Every optimiser by its name in the experiment file."""
