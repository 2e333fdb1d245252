"""How a network is trained: the settings that all optimisers share, and those of each.

    optimizer    settings of its own                            defaults
    sgd          weight_decay                                   0
    momentum     momentum, nesterov, weight_decay               0.9, false, 0
    rmsprop      alpha, eps, weight_decay                       0.99, 1e-8, 0
    adam         betas, eps, weight_decay                       [0.9, 0.999], 1e-8, 0
    adamw        betas, eps, weight_decay (decoupled)           [0.9, 0.999], 1e-8, 0.01

Names, meanings and defaults are PyTorch's, but for the learning rate, which is the experiment's. A weight decay is
added to the gradient, after clipping; adamw's shrinks the weights by itself (Loshchilov & Hutter 2019).
`engine.training.optimizers` says how each makes a step. One to be added is a class here and a name in `Train`, with its
`rule` as formulas (`OptimizerWithRule`): that is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, NamedTuple, Protocol, TypeAlias, get_args, runtime_checkable

from engine.experiment.spec_base import Spec
from engine.formula.expression import Expr

Order: TypeAlias = Literal["shuffled", "given"]


class StateLine(NamedTuple):
    """One quantity that an optimiser's step works out, in words and as a formula."""

    name: str
    words: str
    formula: Expr
    kept: bool = True


class Letters(NamedTuple):
    """The letters that an optimiser's formulas are made of besides the gradient."""

    before: Callable[[str], Expr]
    after: Callable[[str], Expr]
    step: Expr


@runtime_checkable
class OptimizerWithRule(Protocol):
    """An optimiser that says in formulas how it makes a step: then nothing else need be written for it."""

    def rule(self, gradient: Expr, letters: Letters) -> tuple[Sequence[StateLine], Expr]:
        """The formulas of an optimiser's step: quantities in the order of computing, and the direction.

        The gradient is clipped, and has a `weight_decay` added already.
        """


class TrainSpec(Spec, frozen=True, kw_only=True, tag_field="optimizer"):
    """The [train] settings of every optimiser.

    `remembers` counts the arrays, as large as the parameters, that it keeps.
    """

    remembers: ClassVar[int] = 0

    learning_rate: float = 0.1
    batch: Literal["full"] | int = "full"
    steps: int = 200
    clip_norm: float | None = None
    order: Order = "shuffled"  # of mini-batches: "given" takes the samples as they stand in the data

    @property
    def optimizer(self) -> str:
        """The optimiser's name, as the file writes it."""
        return str(self.__struct_config__.tag)

    @classmethod
    def settings(cls) -> list[str]:
        """The names of this optimiser's own settings."""
        return [name for name in cls.__struct_fields__ if name not in TrainSpec.__struct_fields__]


class SgdTraining(TrainSpec, tag="sgd", frozen=True, kw_only=True):
    """The settings of plain gradient descent."""

    weight_decay: float = 0.0


class MomentumTraining(TrainSpec, tag="momentum", frozen=True, kw_only=True):
    """The settings of gradient descent with momentum."""

    remembers: ClassVar[int] = 1
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0


class RmspropTraining(TrainSpec, tag="rmsprop", frozen=True, kw_only=True):
    """The settings of RMSprop."""

    remembers: ClassVar[int] = 1
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0


class AdamTraining(TrainSpec, tag="adam", frozen=True, kw_only=True):
    """The settings of Adam."""

    remembers: ClassVar[int] = 2
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0


class AdamwTraining(TrainSpec, tag="adamw", frozen=True, kw_only=True):
    """The settings of AdamW: Adam with a weight decay that is no part of the gradient."""

    remembers: ClassVar[int] = 2
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.01


Train: TypeAlias = SgdTraining | MomentumTraining | RmspropTraining | AdamTraining | AdamwTraining

OPTIMIZER_SPECS: dict[str, type[TrainSpec]] = {
    str(spec.__struct_config__.tag): spec for spec in get_args(Train)
}
"""Every optimiser by its name in the experiment file."""

DEFAULT_OPTIMIZER = "sgd"
