"""The losses of the experiment file: their settings, and what each takes.

    kind             predictions      labels             settings of its own
    bce              between 0 and 1  from 0 to 1        alpha, beta
    cross_entropy    sum to 1         sum to 1
    squared_error    any              any                half
    absolute_error   any              any
    huber            any              any                delta

All have `outputs`, `samples` and `l2`. `engine.autodiff.ops.loss_registry` says which op computes each. One to be added
is a class here and a name in `Loss`, with its `term` and its `slope` as formulas (`LossWithTerm`): that is enough.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol, TypeAlias, get_args, runtime_checkable

from engine.experiment.activation_traits import OPEN_UNIT, REALS, Interval
from engine.experiment.spec_base import TaggedSpec
from engine.formula.expression import Expr

Reduction: TypeAlias = Literal["sum", "mean"]


@runtime_checkable
class LossWithTerm(Protocol):
    """A loss that says itself, in formulas, what it computes: then nothing else need be written for it."""

    def term(self, prediction: Expr, label: Expr) -> Expr:
        """The loss's term for one output of one sample, before the sum is divided."""

    def slope(self, prediction: Expr, label: Expr) -> Expr:
        """The derivative of the loss's term by the prediction."""


class LossSpec(TaggedSpec, frozen=True, kw_only=True):
    """The settings of every loss: how outputs and samples are put together, and an L2 penalty."""

    words: ClassVar[str] = "loss"
    """Its name in a sentence."""
    predictions: ClassVar[Interval] = REALS
    """Which predictions it takes."""
    labels: ClassVar[Interval] = REALS
    """Which labels it takes."""
    label_words: ClassVar[str] = "a finite number"
    """The same in words."""
    takes_distributions: ClassVar[bool] = False
    """Whether the predictions, and the labels, of each sample have to sum to 1."""
    classifies_by: ClassVar[Literal["half", "largest"] | None] = None
    """How a prediction says a class: each output above ½ says yes, or the largest is the class; None: it says none."""

    outputs: Reduction = "sum"  # over the outputs of a sample
    samples: Reduction = "mean"
    l2: float = 0.0  # adds (l2/2) Σ‖W‖², biases left out


class BceLoss(LossSpec, tag="bce", frozen=True, kw_only=True):
    """The binary cross-entropy; a weight of None is 1 and is left out of formulas."""

    words: ClassVar[str] = "binary cross-entropy"
    predictions: ClassVar[Interval] = OPEN_UNIT
    labels: ClassVar[Interval] = Interval(0.0, 1.0, (True, True))
    label_words: ClassVar[str] = "a label from 0 to 1"
    classifies_by: ClassVar[Literal["half", "largest"] | None] = "half"

    alpha: float | None = None  # weight of the Y=1 term
    beta: float | None = None  # weight of the Y=0 term


class SquaredErrorLoss(LossSpec, tag="squared_error", frozen=True, kw_only=True):
    """The squared error: half of it, summed over outputs, averaged over samples, unless its settings say otherwise."""

    words: ClassVar[str] = "squared error"

    half: bool = True


class CrossEntropyLoss(LossSpec, tag="cross_entropy", frozen=True, kw_only=True):
    """The cross-entropy of a softmax output."""

    words: ClassVar[str] = "cross-entropy"
    predictions: ClassVar[Interval] = OPEN_UNIT
    labels: ClassVar[Interval] = Interval(0.0, float("inf"), (True, False))
    label_words: ClassVar[str] = "a probability of 0 or more"
    takes_distributions: ClassVar[bool] = True
    classifies_by: ClassVar[Literal["half", "largest"] | None] = "largest"


class AbsoluteErrorLoss(LossSpec, tag="absolute_error", frozen=True, kw_only=True):
    """The absolute error |Ŷ - Y|."""

    words: ClassVar[str] = "absolute error"


class HuberLoss(LossSpec, tag="huber", frozen=True, kw_only=True):
    """The Huber loss: half the squared error up to a distance of `delta`, beyond it growing like the absolute error
    (Huber 1964).
    """

    words: ClassVar[str] = "Huber loss"

    delta: float = 1.0


Loss: TypeAlias = BceLoss | SquaredErrorLoss | CrossEntropyLoss | AbsoluteErrorLoss | HuberLoss

LOSS_SPECS: dict[str, type[LossSpec]] = {str(spec.__struct_config__.tag): spec for spec in get_args(Loss)}
"""Every loss by its kind in the experiment file."""
