"""dead-units: ReLU or step units that are off for every sample of the whole data set; no other activation dies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs, OwnRun
from engine.diagnosis.finding import Finding, Kind
from engine.diagnosis.finding_rule import Rule
from engine.diagnosis.sentence_parts import layers_in_words, listed

MOSTLY = 0.75
"""From this share of a layer on it is serious. In a deep healthy ReLU network the samples grow alike, and the share of
units that are off for all of them tends to ½, but not beyond."""

MOST_TOLD = 4


def counts(case: DiagnosedRun) -> dict[int, tuple[int, int]]:
    """How many units of each layer that can die are dead, and of how many."""
    assert case.dead is not None
    return {
        number: (max(dead, 0), layer.units)
        for number, (dead, layer) in enumerate(zip(case.dead, case.layers, strict=True), start=1)
        if layer.units is not None and layer.traits is not None and layer.traits.can_die
    }


def find_many(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds layers of which three quarters of the units or more are dead."""
    return _finding(case, {n: both for n, both in counts(case).items() if both[0] >= MOSTLY * both[1]})


def find_few(case: DiagnosedRun, before: Sequence[Finding]) -> Finding | None:
    """Finds layers of which fewer units are dead: a remark at the end, unless it was said before."""
    if any(one.kind is Kind.DEAD_UNITS for one in before):
        return None
    return _finding(case, {n: both for n, both in counts(case).items() if both[0]}, called="Some units dead")


def _finding(case: DiagnosedRun, layers: dict[int, tuple[int, int]], called: str = "") -> Finding | None:
    if not layers:
        return None
    every = counts(case)
    step = case.step if case.dead_step is None else case.dead_step
    dead, units = (sum(column) for column in zip(*every.values(), strict=True))
    evidence: dict[str, float | int | None] = {"dead": dead, "units": units, "step": step}
    for number, (count, width) in every.items():
        evidence[f"dead[{number}]"], evidence[f"units[{number}]"] = count, width
    told = [f"{count} of {width} in layer {number}" for number, (count, width) in layers.items()]
    if len(told) > MOST_TOLD:
        told = [f"in {layers_in_words(tuple(layers))}"]
    through = " through it; the other units carry it" if called else ""
    text = (
        f"{dead} of {units} {'unit' if units == 1 else 'units'} {'is' if dead == 1 else 'are'} off for every sample "
        f"({listed(told)}): what is off has slope 0, and no gradient passes{through}."
    )
    remedy = None
    if case.own is not None:
        born = _born_dead(case.own, every)
        evidence["dead_first"] = born
        if case.step:
            text += f" With the initial weights {born} were."
        remedy = _remedy(case.own, dead, born, serious=not called)
    return Finding(Kind.DEAD_UNITS, step, evidence, text, layers=tuple(layers), remedy=remedy, called=called)


def _born_dead(own: OwnRun, mortal: dict[int, tuple[int, int]]) -> int:
    """How many of them were off with the initial weights."""
    if own.whole.record.step == 0:
        return sum(count for count, _ in mortal.values())
    return sum(int(np.count_nonzero(~own.first_fired[number - 1])) for number in mortal)


def _remedy(own: OwnRun, dead: int, born: int, *, serious: bool) -> str | None:
    """What established the cause: dead from the beginning, or killed by updates."""
    if any(layer.activation == "step" for layer in own.layers.layers):
        return "A step function passes no gradient at all: any activation with a slope does."
    leaky = "leaky_relu, which has a slope where it is off"
    if born <= dead / 2:
        return (
            f"Updates have pushed {'it' if dead == 1 else 'them'} there: a smaller learning rate, or {leaky}."
        )
    if not serious:
        return None  # a healthy deep network begins so
    weights = own.experiment.network
    drawn = any(layer.W is None for layer in weights.layers) and weights.init.scheme != "he"
    hes = " (He's)" if drawn else ""
    return f"Most were so from the beginning: other initial weights and biases{hes}, or {leaky}."


SERIOUS = Rule(Kind.DEAD_UNITS, frozenset({Needs.COUNTS}), find_many)
MENTIONED = Rule(Kind.DEAD_UNITS, frozenset({Needs.COUNTS}), find_few)
