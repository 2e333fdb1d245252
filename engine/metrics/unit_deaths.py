"""Dead units: those that are 0 for every sample of the whole data set, and the step at which each died.

    every sample ──> f ──> a      fired = any(a ≠ 0) for each unit          dead = not fired
    (forward only, a portion of the samples at a time; over as soon as every unit has fired)

One sample with f ≤ 0 is no dead unit, and neither is a unit that is quiet in one batch: the whole data set decides.
With full batches a step's own forward pass has seen it all; with mini-batches it takes a pass of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
import numpy.typing as npt

from engine.autodiff.graph import Array
from engine.metrics.step_record import NEVER, Counts, read_only_counts
from engine.model.network import Network, X, activation_output

Mask = npt.NDArray[np.bool_]

PORTION = 1024
"""Samples that are looked at in one go."""

KEPT_EVENTS = 10_000
"""How many deaths and recoveries are remembered, the latest ones."""

EVENTS_IN_A_STATE = 200
"""How many of them a checkpoint remembers: there may be 64 of those, and units that die and recover in every step."""


@dataclass(frozen=True, slots=True)
class UnitEvent:
    """A unit (zero-based) of a layer (from 1) was found dead, or alive again, in the check at `step`."""

    step: int
    layer: int
    unit: int
    died: bool

    def __str__(self) -> str:
        return (
            f"step {self.step}: unit {self.unit} of layer {self.layer} {'died' if self.died else 'recovered'}"
        )


@dataclass(frozen=True, slots=True)
class UnitDeathsState:
    """The state of the dead units that a checkpoint keeps: masks, since when, and the events so far."""

    step: int
    fired: bytes
    died_at: Counts
    events: tuple[UnitEvent, ...]


class UnitDeaths:
    """Keeps, for each unit, whether it was dead in the last check and since when; reports every change.

    `counts` (layers,) is how many were dead in the check at `step`; both are NEVER before the first.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        self.step = NEVER
        self.counts = read_only_counts([NEVER] * len(widths))
        self.events: deque[UnitEvent] = deque(maxlen=KEPT_EVENTS)
        edges = np.cumsum([0, *widths]).tolist()
        self._places = [slice(start, stop) for start, stop in pairwise(edges)]
        self._died_at = np.full(edges[-1], NEVER, np.int64)
        self._fired = np.ones(edges[-1], np.bool_)
        self._packed = self._fired.tobytes()

    def by_layer(self, of_every_unit: Mask) -> list[Mask]:
        """An array with an entry for every unit of the network as one view a layer."""
        return [of_every_unit[place] for place in self._places]

    def record(self, step: int, fired: Mask) -> None:
        """Takes in a check of all units at `step`, and reports who died or recovered."""
        packed = fired.tobytes()
        if packed != self._packed:
            self._changed(step, fired)
            self._packed = packed
        elif self.step == NEVER:
            self.counts = read_only_counts([0] * len(self._places))
        self.step = step

    def _changed(self, step: int, fired: Mask) -> None:
        for number, place in enumerate(self._places, start=1):
            before, now = self._fired[place], fired[place]
            for unit in np.flatnonzero(before != now).tolist():
                died = not now[unit]
                self._died_at[place][unit] = step if died else NEVER
                self.events.append(UnitEvent(step, number, unit, died))
        np.copyto(self._fired, fired)
        self.counts = self._count()

    def masks(self) -> tuple[Mask, ...]:
        """The units that were dead in the last check, a mask (units,) for each layer."""
        return tuple(~view for view in self.by_layer(self._fired))

    def died_at(self) -> tuple[Counts, ...]:
        """The step of the check that found each unit dead, layer by layer; NEVER for the living."""
        return tuple(self._died_at[place].copy() for place in self._places)

    def state(self) -> UnitDeathsState:
        """The present state, for a checkpoint."""
        return UnitDeathsState(self.step, self._packed, self._died_at.copy(), events_until(self.events))

    def restore(self, state: UnitDeathsState) -> None:
        """Goes back to the state of a checkpoint, or on to it."""
        self.step, self._packed = state.step, state.fired
        self._fired[...] = np.frombuffer(state.fired, np.bool_)
        self._died_at[...] = state.died_at
        self.events = deque(state.events, maxlen=KEPT_EVENTS)
        self.counts = read_only_counts([NEVER] * len(self._places)) if self.step == NEVER else self._count()

    def _count(self) -> Counts:
        return read_only_counts([int(np.count_nonzero(~view)) for view in self.by_layer(self._fired)])


def events_until(events: Sequence[UnitEvent]) -> tuple[UnitEvent, ...]:
    """The deaths and recoveries of units up to a step, from a checkpoint's list."""
    return tuple(islice(events, max(len(events) - EVENTS_IN_A_STATE, 0), None))


class UnitDeathSearch:
    """Runs a network forward over all samples, sharing its parameters, to see which units ever fire."""

    def __init__(self, network: Network, inputs: Array, outputs: int, places: UnitDeaths) -> None:
        features, n = inputs.shape
        coupled = any(layer.norm == "batch" for layer in network.layers)
        portion = n if coupled else min(n, PORTION)  # a batch norm is over all samples or it is another
        self._inputs = inputs
        # The last portion may overlap the one before it: a unit that fires twice has fired.
        self._starts = [*range(0, n - portion, portion), n - portion]
        self.graph = network.graph(
            np.empty((features, portion), network.dtype),
            np.zeros((outputs, portion), network.dtype),
            training=True,
            gradients=False,
        )
        self._buffer = self.graph.nodes[X].value
        numbers = range(1, len(network.layers) + 1)
        self._activations = [activation_output(self.graph, network, number).value for number in numbers]
        self._masks = [np.empty(values.shape, np.bool_) for values in self._activations]
        self._fired = np.empty(sum(len(values) for values in self._activations), np.bool_)
        self._ever_fired = np.empty_like(self._fired)
        self._fired_by_layer = places.by_layer(self._fired)

    def fired(self) -> Mask:
        """Whether each unit of the network fires for any sample of the whole data set, layer by layer.

        The array is overwritten by the next call.
        """
        self._ever_fired.fill(False)
        for start in self._starts:
            np.copyto(self._buffer, self._inputs[:, start : start + self._buffer.shape[1]])
            self.graph.forward()
            for values, mask, fired in zip(self._activations, self._masks, self._fired_by_layer, strict=True):
                np.not_equal(values, 0.0, out=mask)
                np.logical_or.reduce(mask, axis=1, out=fired)
            np.logical_or(self._ever_fired, self._fired, out=self._ever_fired)
            if self._ever_fired.all():
                break
        return self._ever_fired
