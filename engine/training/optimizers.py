"""The optimisers: how a gradient becomes a step.

    gradient ──> direction ──>  W ← W - scale · direction

    sgd        direction = g                                                        scale = η
    momentum   direction = m,  m ← μ m + g;  with Nesterov g + μ m                   scale = η
    rmsprop    direction = g / (√v + ε),  v ← α v + (1-α) g²                        scale = η
    adam       direction = m / (√v + ε√c),  m ← β₁ m + (1-β₁) g,                    scale = η√c / (1 - β₁ᵗ)
               v ← β₂ v + (1-β₂) g², c = 1 - β₂ᵗ in step t
    adamw      as adam, and λ W times η besides

g is the gradient, clipped, with λ W added where there is a weight decay λ (but for adamw). Adam's step is the published
η m̂ / (√v̂ + ε) with m̂ = m / (1 - β₁ᵗ) and v̂ = v / c, multiplied out. Rules and constants are PyTorch's (for `momentum`,
torch.optim.SGD with momentum=0.9, no dampening). The gradient itself is never changed: a reader may look at it after
the step.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from typing_extensions import override

from engine.autodiff.array_memory import BLOCK, in_blocks
from engine.autodiff.formula_kernels import kernel
from engine.autodiff.graph import Array
from engine.experiment.optimizer_specs import (
    OPTIMIZER_SPECS,
    AdamTraining,
    AdamwTraining,
    Letters,
    MomentumTraining,
    OptimizerWithRule,
    RmspropTraining,
    SgdTraining,
    TrainSpec,
)
from engine.formula.expression import Expr, Symbol

CLIP_EPSILON = 1e-6
"""Added to the norm that clip_norm is divided by, as in PyTorch's clip_grad_norm_."""


def clip_factor(norm: float, clip_norm: float) -> float:
    """The factor of gradient clipping, by which a gradient of L2 norm `norm` is brought to `clip_norm` at most."""
    return min(1.0, clip_norm / (norm + CLIP_EPSILON))


class Optimizer(ABC):
    """Updates `values` from `gradients`, two flat arrays of one size, in place, block by block.

    After `update`, the step just taken was -`scale` · `direction`. `state` lists the arrays that it remembers
    from step to step, and `steps` how many there were: a checkpoint keeps both.
    """

    direction: Array

    def __init__(self, values: Array, gradients: Array, settings: TrainSpec) -> None:
        """Begins with nothing remembered; of `settings` only the optimiser's own are used."""
        self._decay = float(getattr(settings, "weight_decay", 0.0))
        self.scale = 0.0
        self.steps = 0
        self.state: tuple[Array, ...] = ()
        step = np.empty(min(BLOCK, values.size), values.dtype)
        self._values = in_blocks(values)
        self._gradients = in_blocks(gradients)
        self._steps = [step[: block.size] for block in self._values]
        self._clipped, self._decayed = np.empty_like(step), np.empty_like(step)
        self._directed(gradients)

    def _directed(self, direction: Array) -> Array:
        """Makes `direction` the array that steps are taken along."""
        self.direction = direction
        self._directions = in_blocks(direction)
        self._blocks = list(enumerate(zip(self._values, self._directions, self._steps, strict=True)))
        return direction

    def update(self, learning_rate: float, clip: float = 1.0) -> None:
        """Updates the parameters by one step with the gradients multiplied by `clip`."""
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
        """The block's gradient, clipped, with the weight decay added."""
        gradient = self._gradients[i]
        if clip != 1.0:
            clipped = self._clipped[: gradient.size]
            gradient = np.multiply(gradient, clip, out=clipped)
        if self._decay:
            decayed = self._decayed[: gradient.size]
            np.multiply(self._values[i], self._decay, out=decayed)
            gradient = np.add(decayed, gradient, out=decayed)
        return gradient


class Sgd(Optimizer):
    """Plain gradient descent. Without weight decay the direction is the gradient itself."""

    def __init__(self, values: Array, gradients: Array, settings: SgdTraining) -> None:
        super().__init__(values, gradients, settings)
        if self._decay:
            self._directed(np.zeros_like(values))

    @override
    def _prepared(self, learning_rate: float, clip: float) -> float:
        return learning_rate if self._decay else learning_rate * clip

    @override
    def _direct(self, i: int, clip: float) -> None:
        if self._decay:
            np.copyto(self._directions[i], self._gradient(i, clip))


class Momentum(Optimizer):
    """Gradient descent with momentum: Polyak's heavy ball, in the form of Sutskever et al. 2013, section 2."""

    def __init__(self, values: Array, gradients: Array, settings: MomentumTraining) -> None:
        super().__init__(values, gradients, settings)
        self._momentum, self._nesterov = settings.momentum, settings.nesterov
        velocity = np.zeros_like(values)
        self._velocities = in_blocks(velocity)
        self._directed(np.zeros_like(values) if self._nesterov else velocity)
        self.state = (velocity,)

    @override
    def _direct(self, i: int, clip: float) -> None:
        velocity, gradient = self._velocities[i], self._gradient(i, clip)
        np.multiply(velocity, self._momentum, out=velocity)
        np.add(velocity, gradient, out=velocity)
        if self._nesterov:
            direction = self._directions[i]
            np.multiply(velocity, self._momentum, out=direction)
            np.add(direction, gradient, out=direction)


class RmsProp(Optimizer):
    """RMSprop: each entry's gradient divided by a running root mean square of itself (Hinton 2012, lecture 6e)."""

    def __init__(self, values: Array, gradients: Array, settings: RmspropTraining) -> None:
        super().__init__(values, gradients, settings)
        self._smoothing, self._epsilon = settings.alpha, settings.eps
        self._directed(np.zeros_like(values))
        squares = np.zeros_like(values)
        self._squares = in_blocks(squares)
        self.state = (squares,)

    @override
    def _direct(self, i: int, clip: float) -> None:
        g, v, direction = self._gradient(i, clip), self._squares[i], self._directions[i]
        np.multiply(v, self._smoothing, out=v)
        np.multiply(g, g, out=direction)
        np.multiply(direction, 1.0 - self._smoothing, out=direction)
        np.add(v, direction, out=v)
        np.sqrt(v, out=direction)
        np.add(direction, self._epsilon, out=direction)
        np.divide(g, direction, out=direction)


class Adam(Optimizer):
    """Adam: momentum and a running root mean square, both bias-corrected (Kingma & Ba 2015, algorithm 1)."""

    def __init__(self, values: Array, gradients: Array, settings: AdamTraining | AdamwTraining) -> None:
        super().__init__(values, gradients, settings)
        self._betas, self._eps = settings.betas, settings.eps
        self._directed(np.zeros_like(values))
        means, squares = np.zeros_like(values), np.zeros_like(values)
        self._means, self._squares = in_blocks(means), in_blocks(squares)
        self._epsilon = self._eps
        self.state = (means, squares)

    @override
    def _prepared(self, learning_rate: float, clip: float) -> float:
        """η√(1-β₂ᵗ)/(1-β₁ᵗ): both corrections in one number, with ε made to match in `_direct`."""
        mean_decay, square_decay = self._betas
        root = math.sqrt(1.0 - square_decay**self.steps)
        self._epsilon = self._eps * root
        return learning_rate * root / (1.0 - mean_decay**self.steps)

    @override
    def _direct(self, i: int, clip: float) -> None:
        mean_decay, square_decay = self._betas
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


class AdamW(Adam):
    """AdamW: Adam whose weight decay is a step of its own, towards 0, and no part of the gradient."""

    def __init__(self, values: Array, gradients: Array, settings: AdamwTraining) -> None:
        super().__init__(values, gradients, settings)
        self._own_decay, self._decay = self._decay, 0.0
        self._decay_in_direction = 0.0

    @override
    def _prepared(self, learning_rate: float, clip: float) -> float:
        scale = super()._prepared(learning_rate, clip)
        self._decay_in_direction = self._own_decay * learning_rate / scale if scale else 0.0
        return scale

    @override
    def _direct(self, i: int, clip: float) -> None:
        """Adds λW, so weighed that η times it is what the weights lose."""
        super()._direct(i, clip)
        direction = self._directions[i]
        decay = self._decayed[: direction.size]
        np.multiply(self._values[i], self._decay_in_direction, out=decay)
        np.add(direction, decay, out=direction)


class FormulaOptimizer(Optimizer):
    """An optimiser that is described by its rule alone: its kernels are made of the formulas."""

    def __init__(self, values: Array, gradients: Array, settings: OptimizerWithRule) -> None:
        super().__init__(values, gradients, settings)  # type: ignore[arg-type]  # a TrainSpec as well
        self._directed(np.zeros_like(values))
        letters = Letters(lambda name: Symbol(f"{name}_before"), lambda name: Symbol(f"{name}_after"), _STEP)
        lines, direction = settings.rule(_GRADIENT, letters)
        self._lines = [(line.name, line.kept, _Compiled(line.formula)) for line in lines]
        self._along = _Compiled(direction)
        arrays = {line.name: np.zeros_like(values) for line in lines if line.kept}
        self._kept = {name: in_blocks(array) for name, array in arrays.items()}
        self.state = tuple(arrays.values())

    @override
    def _direct(self, i: int, clip: float) -> None:
        known: dict[Symbol, Any] = {_GRADIENT: self._gradient(i, clip), _STEP: float(self.steps)}
        known |= {Symbol(f"{name}_before"): blocks[i] for name, blocks in self._kept.items()}
        for name, _, formula in self._lines:
            known[Symbol(f"{name}_after")] = formula(known)
        np.copyto(self._directions[i], self._along(known))
        for name, kept, _ in self._lines:  # only now: every line has read what was before
            if kept:
                np.copyto(self._kept[name][i], known[Symbol(f"{name}_after")])


_GRADIENT, _STEP = Symbol("gradient"), Symbol("step")


class _Compiled:
    """A formula of the gradient and the states, as a function of what is known of them."""

    def __init__(self, formula: Expr) -> None:
        self._names = list(dict.fromkeys([_GRADIENT, *formula.symbols()]))
        self._kernel = kernel(formula, *self._names)

    def __call__(self, known: Mapping[Symbol, Any]) -> Any:
        return self._kernel(*(known[name] for name in self._names))


OPTIMIZERS: dict[type[TrainSpec], Callable[[Array, Array, Any], Optimizer]] = {
    SgdTraining: Sgd,
    MomentumTraining: Momentum,
    RmspropTraining: RmsProp,
    AdamTraining: Adam,
    AdamwTraining: AdamW,
}
"""Every optimiser with kernels of its own by its settings, from which it is made."""


def make_optimizer(train: TrainSpec, values: Array, gradients: Array) -> Optimizer:
    """The optimiser of an experiment, for two flat arrays of one size. Raises TypeError for settings of none."""
    make = OPTIMIZERS.get(type(train), FormulaOptimizer if isinstance(train, OptimizerWithRule) else None)
    if make is None:
        raise TypeError(f"no optimiser goes by {type(train).__name__}")
    return make(values, gradients, train)


def register_optimizer(
    spec: type[TrainSpec], optimizer: Callable[[Array, Array, Any], Optimizer] | None = None
) -> None:
    """Adds an optimiser for this process: experiment files may name it from now on.

    Its specification says the rule, which the stepper shows, and which the kernels are made of where no `optimizer` has
    any. Raises TypeError where it does not.
    """
    if not hasattr(spec, "rule"):
        raise TypeError(f"{spec.__name__} does not say its rule")
    OPTIMIZER_SPECS[str(spec.__struct_config__.tag)] = spec
    if optimizer is not None:
        OPTIMIZERS[spec] = optimizer
