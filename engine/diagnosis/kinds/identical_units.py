"""identical-units: hidden units of one layer that compute the same, get the same gradient, and so stay one unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from engine.autodiff.graph import Array
from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs, OwnRun
from engine.diagnosis.finding import Change, Finding, Kind
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.sentence_parts import layers_in_words, short
from engine.diagnosis.usual_initialization import usual_scheme
from engine.formula.expression import Symbol
from engine.model.initializers import STANDARD_DEVIATIONS

SAME = 1e-6
"""Relative: weights closer than this are equal."""

NEARLY = 0.05
"""Of the layer's largest activation: if no two units ever differ by more, they nearly are one."""


def find(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds units that compute the same: equal weights in and out and equal biases, or nearly equal activations."""
    own = case.own
    assert own is not None
    exact = {number: count for number, count in _exact(own) if count}
    if exact:
        layers = tuple(exact)
        count = sum(exact.values())
        text = (
            f"In {layers_in_words(layers)}, {count} hidden {'unit has' if count == 1 else 'units have'} the same "
            "weights in and out as another: they get the same gradient, step for step, and stay one unit."
        )
        evidence: dict[str, float | int | None] = {"exact": 1, "units": count}
    else:
        layers = tuple(_nearly(own))
        if not layers:
            return None
        apart = max(float(own.whole.apart[one - 1] / own.whole.largest[one - 1]) for one in layers)
        units = sum(own.layers.layers[one - 1].units for one in layers)
        text = (
            f"The {units} units of {layers_in_words(layers)} are nearly one: for no sample do two of them differ by "
            f"more than {short(100 * apart)} % of the largest activation, so their gradients are nearly equal, too."
        )
        evidence = {"exact": 0, "units": units, "apart": apart, "apart_percent": 100 * apart}
    change = _spread_out(own)
    remedy = "Begin with weights that differ more from unit to unit."
    return Finding(
        Kind.IDENTICAL_UNITS, case.step, evidence, text, layers=layers, remedy=remedy, change=change
    )


def _exact(own: OwnRun) -> Iterator[tuple[int, int]]:
    """For each hidden layer, how many units are a copy of another one before them."""
    for number, layer in enumerate(own.layers.layers[:-1], start=1):
        if layer.residual or own.layers.layers[number].residual:
            continue  # what the shortcut adds differs from unit to unit
        incoming, outgoing = (own.present[Symbol("W", one)] for one in (number, number + 1))
        if own.experiment.network.weights == "out_in":
            incoming, outgoing = incoming.T, outgoing.T
        bias = own.present.get(Symbol("b", number))
        columns = [incoming, outgoing.T, *([bias.T] if bias is not None else [])]
        yield number, _copies([np.asarray(one, np.float64) for one in columns])


def _copies(parts: Sequence[Array]) -> int:
    """How many columns are, in every part, equal to one before them. Only neighbours in a sorted order are compared."""
    whole = np.vstack(parts)
    order = np.lexsort(whole)
    copies = 0
    for one, other in pairwise(order):
        copies += all(
            np.linalg.norm(part[:, one] - part[:, other])
            <= SAME * max(np.linalg.norm(part[:, one]), np.linalg.norm(part[:, other]))
            for part in parts
        )
    return copies


def _nearly(own: OwnRun) -> Iterator[int]:
    """Hidden layers no two units of which ever differ by much; none of them is 0 throughout."""
    for number, layer in enumerate(own.layers.layers[:-1], start=1):
        largest, apart = own.whole.largest[number - 1], own.whole.apart[number - 1]
        alive = bool(own.whole.fired[number - 1].all())
        if layer.units > 1 and alive and apart <= NEARLY * largest:
            yield number


def _spread_out(own: OwnRun) -> Change | None:
    """The usual standard deviation, where the file draws the weights from a far smaller one."""
    network = own.experiment.network
    init = network.init
    if any(layer.W is not None for layer in network.layers):
        return None
    if init.scheme == "zeros":
        return {"network.init.scheme": usual_scheme(own)}
    if init.std is None:
        return None
    scheme = usual_scheme(own)
    fan_in = len(own.data.X)
    wanted = float(STANDARD_DEVIATIONS[scheme](fan_in, own.layers.layers[0].units))
    return {"network.init.std": wanted} if init.std < wanted / 2 else None


RULE = Rule(Kind.IDENTICAL_UNITS, frozenset({Needs.OWN}), find)
