"""What was measured in one training step: an immutable record that screens, logs and histories only read.

    layer            1       2      …      L
    grad_l2      [ 1e-9 ,  4e-9  ,  …  , 0.03 ]      one entry a layer, layer 1 first, the output layer last
    weight_gain  [     0.9   ,   …   , 1.1    ]      one entry a gap: from layer l+1 down to layer l

The words are those of the glossary in the help: everything is of this step's batch and of the weights before
the step's update, but for `update_ratio`, which is of the update itself.

Each field carries its own description (`Measure`): what it has an entry for, and what it is where nothing was
measured. Histories, the lines of run logs and their readers are made of these: a new metric is one entry here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

NEVER = -1
"""What `dead` and `dead_step` are before dead units were looked for."""


class Extent(Enum):
    """The extent of a field of StepRecord: a number a step, a layer, a gap between layers, or a class."""

    STEP = "step"
    LAYER = "layer"
    GAP = "gap between two layers"
    CLASS = "class"


@dataclass(frozen=True, slots=True)
class Measure:
    """The description of one field of StepRecord.

    extent      what it has an entry for; a field of the step is a single value
    kind        the type of an entry: int, float, or str for a sentence
    absent      an entry where nothing was measured
    magnitude   whether it is a gradient's magnitude, layer by layer: a line of a run log needs one of these
    since       the minor version of the run log's schema that brought it
    """

    extent: Extent
    kind: type
    absent: float | int | None
    magnitude: bool = False
    since: int = 0


class _Absent:
    """Stands for a field that was not given; such a field is not in the record's dictionary."""


_ABSENT = _Absent()


def _measured(
    extent: Extent,
    kind: type = float,
    absent: float | int | None = math.nan,
    *,
    magnitude: bool = False,
    since: int = 0,
) -> Any:
    """A field of StepRecord with its description. A factory, since a class attribute would hide what is unread."""
    measure = Measure(extent, kind, absent, magnitude, since)
    return field(default_factory=lambda: _ABSENT, metadata={"measure": measure})


@dataclass(frozen=True, eq=False)  # without slots: a field that nobody has read yet is not there
class StepRecord:
    """The measurements of one training step: loss, accuracy, and per layer gradients, activations and dead units.

    Arrays are read-only, of shape (L,) or, for the two gains, (L-1,).

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
    quiet_window      units that were 0 for every sample of the last batches; how many, a run log's header says
    test_loss         the loss of the held-out samples with the parameters of `test_step`, without a penalty on weights
    test_accuracy     share of the held-out samples that was classified rightly then; None where nothing is classified
    test_step         the step before whose update that was measured; NEVER before the first time

    "The layer's activations" are the outputs of its activation function: g[l] where a shortcut is added to it.
    """

    step: int
    loss: float = _measured(Extent.STEP)
    learning_rate: float = _measured(Extent.STEP)
    seconds: float = _measured(Extent.STEP)
    accuracy: float | None = _measured(Extent.STEP, absent=None)
    recall: tuple[float, ...] = _measured(Extent.CLASS)
    grad_max: Floats = _measured(Extent.LAYER, magnitude=True)
    grad_mean: Floats = _measured(Extent.LAYER, magnitude=True)
    grad_l2: Floats = _measured(Extent.LAYER, magnitude=True)
    update_ratio: Floats = _measured(Extent.LAYER)
    zero_fraction: Floats = _measured(Extent.LAYER)
    quiet: Counts = _measured(Extent.LAYER, int, NEVER)
    dead: Counts = _measured(Extent.LAYER, int, NEVER)
    dead_step: int = _measured(Extent.STEP, int, NEVER)
    saturated: Floats = _measured(Extent.LAYER)
    delta_l2: Floats = _measured(Extent.LAYER, magnitude=True)
    weight_gain: Floats = _measured(Extent.GAP)
    activation_gain: Floats = _measured(Extent.GAP)
    clipped: float = _measured(Extent.STEP, absent=1.0)
    nonfinite: int = _measured(Extent.STEP, int, 0)
    problem: str | None = _measured(Extent.STEP, str, None)
    quiet_window: Counts = _measured(Extent.LAYER, int, NEVER, since=1)
    test_loss: float = _measured(Extent.STEP, since=1)
    test_accuracy: float | None = _measured(Extent.STEP, absent=None, since=1)
    test_step: int = _measured(Extent.STEP, int, NEVER, since=1)

    def __post_init__(self) -> None:
        """Leaves out what was not given: it is told apart from what was measured by not being there."""
        fields = self.__dict__
        for name in [name for name, value in fields.items() if value is _ABSENT]:
            del fields[name]

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields that were measured. Every other field reads as its measure's `absent`."""
        self._read_rest()
        return frozenset(self.__dict__)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> StepRecord:
        """A record of the values given by name, those of `engine.metrics.added_metrics` among them."""
        record = cls(**{name: value for name, value in values.items() if name in _FIELDS})
        record.__dict__.update({name: value for name, value in values.items() if name not in _FIELDS})
        return record

    @classmethod
    def unread(cls, known: dict[str, Any], rest: Callable[[], dict[str, Any]]) -> StepRecord:
        """A record whose fields `rest` are made only when the first of them is read.

        `known` becomes the record's own. What `rest` makes the others of must never change.
        """
        record = object.__new__(cls)
        known[_REST] = rest
        object.__setattr__(record, "__dict__", known)
        return record

    @property
    def rest(self) -> Callable[[], dict[str, Any]] | None:
        """The function that makes the fields that nobody has read yet; None where all of them are there."""
        rest: Callable[[], dict[str, Any]] | None = self.__dict__.get(_REST)
        return rest

    if not TYPE_CHECKING:  # or a misspelt field would pass for one that is still to be made

        def __getattr__(self, name: str) -> Any:
            """Makes the rest of the fields where one is not there: Python asks here only then."""
            fields = self.__dict__
            self._read_rest()
            if name in fields:
                return fields[name]
            if name in MEASURES:
                return self._absent(MEASURES[name])
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def unclassified(self) -> StepRecord:
        """The record where predictions are not finite: they say no class, so no share of them is right."""
        self._read_rest()
        fields = {name: value for name, value in self.__dict__.items() if name != _REST}
        return self.of({**fields, "accuracy": None, "recall": tuple(math.nan for _ in self.recall)})

    def _read_rest(self) -> None:
        fields = self.__dict__
        rest = fields.get(_REST)
        if rest is not None:
            fields.update(rest())  # two threads at once make the same fields twice
            fields.pop(_REST, None)

    def _absent(self, measure: Measure) -> Any:
        """What a field that was not measured reads as, with as many entries as there are layers."""
        if measure.extent is Extent.STEP:
            return measure.absent
        if measure.extent is Extent.CLASS:
            return ()
        layers = next(
            (
                len(self.__dict__[name])
                for name, one in MEASURES.items()
                if one.extent is Extent.LAYER and name in self.__dict__
            ),
            0,
        )
        return _nothing(measure, layers if measure.extent is Extent.LAYER else max(layers - 1, 0))

    def __getstate__(self) -> dict[str, Any]:
        """Every field, read: what a copy or a pickle is made of."""
        self._read_rest()
        return dict(self.__dict__)


MEASURES: dict[str, Measure] = {
    field.name: field.metadata["measure"] for field in dataclasses.fields(StepRecord) if field.name != "step"
}
"""Every field but `step`, by its name."""

_FIELDS = frozenset(field.name for field in dataclasses.fields(StepRecord))

MAGNITUDES = tuple(name for name, measure in MEASURES.items() if measure.magnitude)
"""The fields that say how large a layer's gradient is."""


@lru_cache(maxsize=256)
def _nothing(measure: Measure, entries: int) -> npt.NDArray[Any]:
    array = np.full(entries, measure.absent, np.int64 if measure.kind is int else np.float64)
    array.setflags(write=False)
    return array


_REST = "_rest"
"""The entry of a record's dictionary that makes the fields that are not there yet."""


def read_only_counts(numbers: Sequence[int]) -> Counts:
    """Counts a layer as a read-only array, as a record holds them."""
    counts = np.array(numbers, np.int64)
    counts.setflags(write=False)
    return counts


def whole_gradient(record: StepRecord) -> float:
    """The norm of the whole gradient in a log's line, as far as its layers' are finite."""
    magnitude = np.asarray(first_magnitude(record), np.float64)
    return float(np.linalg.norm(magnitude[np.isfinite(magnitude)]))


def logged_loss(record: StepRecord | None) -> float | None:
    """The loss of a record, where it is logged and finite."""
    if record is None or "loss" not in record.fields or not math.isfinite(record.loss):
        return None
    return record.loss


def first_magnitude(record: StepRecord) -> Sequence[float]:
    """(layers,): the first of the gradient's magnitudes that the log holds."""
    name = next((name for name in MAGNITUDES if name in record.fields), "grad_l2")
    magnitude: Sequence[float] = getattr(record, name)
    return magnitude
