"""What was measured in one training step: an immutable record that screens, logs and histories only read.

    layer            1       2      …      L
    grad_l2      [ 1e-9 ,  4e-9  ,  …  , 0.03 ]      one entry a layer, layer 1 first, the output layer last
    weight_gain  [     0.9   ,   …   , 1.1    ]      one entry a gap: from layer l+1 down to layer l

The words are those of the glossary in the help: everything is of this step's batch and of the weights before
the step's update, but for `update_ratio`, which is of the update itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engine.formula.expression import Symbol
from engine.model.network import Network

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

NEVER = -1
"""What `dead` and `dead_step` are before dead units were looked for."""


@dataclass(frozen=True, eq=False)  # without slots: a field that nobody has read yet is not there
class StepRecord:
    """One step of training. Arrays are read-only, of shape (L,) or, for the two gains, (L-1,).

    A training step that nobody looks at should not pay for being looked at: see `unread`.

    step              counts from 0: the record of step 0 is of the network as it was initialised
    loss              ℰ of this batch, before the update
    learning_rate     η of this step's update
    seconds           training time since the trainer was made, to the end of this step
    accuracy          share of this batch's samples that are classified rightly (of their labels, where bce has
                      several outputs); None for squared_error
    recall            share of each class that is found, class 0 first, NaN for a class that the batch does not
                      hold; empty unless there are two classes
    grad_max          max |∂ℰ/∂W[l]|, before clipping, like the next two
    grad_mean         mean |∂ℰ/∂W[l]|
    grad_l2           L2 norm of ∂ℰ/∂W[l]
    update_ratio      ‖ΔW[l]‖ / ‖W[l]‖; NaN where both are 0
    zero_fraction     share of the layer's activations that are exactly 0
    quiet             units that are 0 for every sample of the batch
    dead              units that were 0 for every sample of the whole data set at `dead_step`; NEVER before
                      the first check
    dead_step         the step of the last check of the whole data set; NEVER before the first
    saturated         share of a sigmoid's or tanh's entries whose derivative is below one hundredth of its
                      largest value; NaN for other layers
    delta_l2          ‖δ[l]‖ with δ[l] = ∂ℰ/∂f[l], (units, n)
    weight_gain       ‖W[l+1] δ[l+1]‖ / ‖δ[l+1]‖
    activation_gain   ‖v ⊙ g'‖ / ‖v‖, with v what arrives at layer l's activation. v is W[l+1] δ[l+1] unless a
                      shortcut adds to it, and v ⊙ g' is δ[l] unless a norm follows: see engine.diagnosis.factor_budget
    clipped           the factor by which clip_norm multiplied every gradient; 1.0 when it did not
    nonfinite         how many entries of loss, gradients and parameters are NaN or infinite
    problem           where the first non-finite number came from, in a sentence; None while all is well

    "The layer's activations" are the outputs of its activation function: g[l] where a shortcut is added to it.
    """

    step: int
    loss: float
    learning_rate: float
    seconds: float
    accuracy: float | None
    recall: tuple[float, ...]
    grad_max: Floats
    grad_mean: Floats
    grad_l2: Floats
    update_ratio: Floats
    zero_fraction: Floats
    quiet: Counts
    dead: Counts
    dead_step: int
    saturated: Floats
    delta_l2: Floats
    weight_gain: Floats
    activation_gain: Floats
    clipped: float
    nonfinite: int
    problem: str | None

    @classmethod
    def unread(cls, known: dict[str, Any], rest: Callable[[], dict[str, Any]]) -> StepRecord:
        """A record of the fields `known` and of those that `rest` makes, once, when the first of them is read.

        `known` becomes the record's own. What `rest` makes the others of must never change.
        """
        record = object.__new__(cls)
        known[_REST] = rest
        object.__setattr__(record, "__dict__", known)
        return record

    @property
    def rest(self) -> Callable[[], dict[str, Any]] | None:
        """What makes the fields that nobody has read yet; None where all of them are there."""
        rest: Callable[[], dict[str, Any]] | None = self.__dict__.get(_REST)
        return rest

    if not TYPE_CHECKING:  # or a misspelt field would pass for one that is still to be made

        def __getattr__(self, name: str) -> Any:
            """Makes the rest of the fields where one is not there: Python asks here only then."""
            fields = self.__dict__
            rest = fields.get(_REST)
            if rest is not None:
                fields.update(rest())  # two threads at once make the same fields twice
                fields.pop(_REST, None)
            if name in fields:
                return fields[name]
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        """Every field, read: what a copy or a pickle is made of."""
        return {name: getattr(self, name) for name in type(self).__dataclass_fields__}


_REST = "_rest"
"""The entry of a record's dictionary that makes the fields that are not there yet."""


def read_only_counts(numbers: Sequence[int]) -> Counts:
    """One count a layer, as a record holds them."""
    counts = np.array(numbers, np.int64)
    counts.setflags(write=False)
    return counts


def layer_names(network: Network) -> tuple[str, ...]:
    """The layers by their weights' names, ("W[1]", "W[2]", …), in the order of a record's arrays."""
    return tuple(Symbol("W", number).plain() for number in range(1, len(network.layers) + 1))
