"""Gradient check: backward against central differences, entry by entry.

    ∂ℰ/∂w ≈ (ℰ(w+h) - ℰ(w-h)) / 2h        relative error |a - n| / max(|a|, |n|)

Two things limit what a difference can tell, and both are told apart from a wrong gradient: rounding (ℰ has about 16
digits, so no difference can resolve a gradient below the noise of ℰ/h; and backward has rounding errors of its own)
and kinks (where a ReLU or another piecewise function changes its piece between w-h and w+h, the slope has no single
value: then the slopes on the left and on the right are told). What is not finite agrees with nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.autodiff.graph import Graph, Node
from engine.derivation.central_differences import (
    SMALLEST_STEP,
    STEP,
    BackwardRounding,
    CentralDifference,
    Slope,
    extrapolated,
    rounding_of,
)
from engine.derivation.entry_ref import EntryRef
from engine.derivation.stacked_differences import StackedDifferences
from engine.formula.expression import Symbol
from engine.model.network import Network

GOOD = 1e-7
ACCEPTABLE = 1e-4
WRONG = 1e-2
"""Thresholds of the relative error (Stanford CS231n, "Gradient checks")."""

ALL_CHECKED, SAMPLED = 2000, 1000
"""A network of more entries than the first is sampled, unless all are asked for: about so many entries in all."""

ENTRIES_PER_PARAMETER = 200
"""At most so many of one parameter are then checked, chosen at random."""

LOSSES_AN_ENTRY = 4

Verdict = Literal[
    "good", "acceptable", "kink", "below noise", "undecided", "suspicious", "wrong", "not finite"
]

Told = Callable[[int], object]
"""Is told how many further entries have been checked."""


@dataclass(frozen=True, slots=True)
class EntryCheck:
    """The gradient check of one entry: backward's gradient (`analytic`) beside the central difference (`numeric`).

    `noise` is how far rounding (and, of the difference, curvature) may have put the two apart: less says nothing.
    At a kink `left` and `right` are the slopes on its two sides, and `numeric` lies between them.
    """

    ref: EntryRef
    analytic: float
    numeric: float
    relative_error: float
    noise: float
    verdict: Verdict
    left: float | None = None
    right: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the check found nothing wrong; it may have found nothing at all."""
        return self.agrees or self.verdict in ("kink", "below noise", "undecided")

    @property
    def agrees(self) -> bool:
        """Whether backward and the central difference are the same number, as far as the difference can tell."""
        return self.verdict in ("good", "acceptable")


@dataclass(frozen=True, slots=True)
class ParameterCheck:
    """The gradient check of one parameter: how many of its entries were checked, and how the worst of them did.

    Every checked entry is one of `agreeing`, `at_kink`, `below_noise`, `undecided` and `failed`.
    """

    name: str
    entries: int
    worst: EntryCheck
    agreeing: int
    below_noise: int
    undecided: int
    failed: int
    at_kink: int = 0

    @property
    def checked(self) -> int:
        """How many entries of the parameter were checked."""
        return self.agreeing + self.at_kink + self.below_noise + self.undecided + self.failed

    @property
    def passed(self) -> bool:
        """Whether every checked entry passed."""
        return self.failed == 0


def relative_error(analytic: float, numeric: float) -> float:
    """The relative error |a - n| / max(|a|, |n|), and 0 where both are 0. NaN where either is not finite."""
    if not (math.isfinite(analytic) and math.isfinite(numeric)):  # max(0.0, nan) would be 0.0
        return math.nan
    largest = max(abs(analytic), abs(numeric))
    return abs(analytic - numeric) / largest if largest else 0.0


def entries_to_check(parameters: Mapping[Symbol, int], *, every: bool = False) -> dict[Symbol, int]:
    """How many entries of each parameter `check_network` takes, from how many each has.

    All of them where there are no more than ALL_CHECKED or `every` is asked for; otherwise of each parameter an equal
    share of SAMPLED, no more than ENTRIES_PER_PARAMETER and no fewer than 1.
    """
    if every or sum(parameters.values()) <= ALL_CHECKED:
        return dict(parameters)
    share = min(max(SAMPLED // len(parameters), 1), ENTRIES_PER_PARAMETER)
    return {name: min(size, share) for name, size in parameters.items()}


def check_network(
    network: Network,
    inputs: object,
    labels: object,
    seed: int = 0,
    *,
    every: bool = False,
    told: Told | None = None,
) -> Iterator[ParameterCheck]:
    """Checks the parameters of a network in float64, one after the other, on the given samples.

    Which entries, says `entries_to_check`; where not all, they are drawn by `seed`. `told` hears of each checked.
    """
    exact = network.astype("float64")
    graph = exact.graph(np.array(inputs, np.float64), np.array(labels, np.float64))
    graph.forward()
    graph.backward()
    return check_graph(exact, graph, list(exact.parameters), seed, every=every, told=told)


def check_graph(
    network: Network,
    graph: Graph,
    parameters: Sequence[Symbol],
    seed: int = 0,
    *,
    every: bool = False,
    told: Told | None = None,
) -> Iterator[ParameterCheck]:
    """The gradient check of some parameters on a graph of their network, which has gone forward and backward.

    Both are float64, and as they were when each parameter is done.
    """
    generator = np.random.default_rng(seed)
    chosen = entries_to_check({name: graph.nodes[name].value.size for name in parameters}, every=every)
    copies = StackedDifferences.room_for(graph)
    stack = StackedDifferences(network, graph, copies) if copies >= LOSSES_AN_ENTRY else None
    for name, count in chosen.items():
        yield _check_some(graph, graph.nodes[name], count, generator, stack, told)


def check_parameter(graph: Graph, node: Node, generator: np.random.Generator) -> ParameterCheck:
    """Checks one node's entries: all of them, or ENTRIES_PER_PARAMETER chosen at random."""
    return _check_some(graph, node, min(node.value.size, ENTRIES_PER_PARAMETER), generator)


def _check_some(
    graph: Graph,
    node: Node,
    count: int,
    generator: np.random.Generator,
    stack: StackedDifferences | None = None,
    told: Told | None = None,
) -> ParameterCheck:
    size = node.value.size
    places: Iterable[int] = range(size)
    if count < size:
        places = sorted(generator.choice(size, count, replace=False).tolist())
    refs = [EntryRef(node, divmod(place, node.shape[1])) for place in places]
    if stack is not None and stack.can_move(node):
        checks = _check_stacked(graph, refs, stack, told)
    else:
        checks = _check_one_by_one(graph, [(ref, first_difference_step(ref)) for ref in refs], told)
    return ParameterCheck(
        name=node.symbol.plain(),
        entries=size,
        worst=max(checks, key=_badness),
        agreeing=sum(check.agrees for check in checks),
        at_kink=_count(checks, "kink"),
        below_noise=_count(checks, "below noise"),
        undecided=_count(checks, "undecided"),
        failed=sum(not check.passed for check in checks),
    )


def _count(checks: Collection[EntryCheck], verdict: Verdict) -> int:
    return sum(check.verdict == verdict for check in checks)


def _told(check: EntryCheck, told: Told | None) -> EntryCheck:
    if told is not None:
        told(1)
    return check


def _badness(check: EntryCheck) -> tuple[bool, float]:
    error = math.inf if math.isnan(check.relative_error) else check.relative_error
    return not check.passed, -1.0 if check.verdict == "below noise" else error


# ── one entry ───────────────────────────────────────────────────────────────────────────────────────


def check_entry(
    graph: Graph, ref: EntryRef, rounding: BackwardRounding | None = None, step: float | None = None
) -> EntryCheck:
    """Checks one entry of any node: a parameter, an input, or a value computed on the way.

    `graph` must be float64 and have gone forward and backward; it is left as it was. `rounding`, of this graph, is
    asked where rounding may be all that is wrong. No step larger than `step` is tried.
    """
    difference = CentralDifference(graph, ref.node)
    try:
        return _checked(
            difference, ref, rounding or BackwardRounding(graph), step or first_difference_step(ref)
        )
    finally:  # also where somebody has ended it
        difference.restore()


def first_difference_step(ref: EntryRef) -> float:
    """The step that a central difference begins with."""
    return STEP * max(1.0, abs(ref.value))


def _checked(
    difference: CentralDifference, ref: EntryRef, rounding: BackwardRounding, step: float
) -> EntryCheck:
    difference.choose(ref)
    while (crosses := difference.crosses_kink(step)) and step > SMALLEST_STEP:
        step = difference.smaller_step(step)
    if crosses:
        return _check_at_kink(difference, step)
    if difference.costly and (found := _compared(ref, difference.central(step))).passed:
        return found
    found = _compared(ref, difference.extrapolated(step))
    for smaller in (step / 10.0, step / 100.0):
        if found.passed or found.verdict == "not finite":
            return found
        # The loss may curve within a step, as where batch norm divides by almost no spread.
        again = _compared(ref, difference.extrapolated(smaller))
        if again.noise < found.noise:
            found, step = again, smaller
    if found.passed:
        return found
    noise = found.noise + difference.measured_rounding(step)
    difference.restore()
    return _compared(ref, Slope(found.numeric, noise + rounding.of(ref)))


def _compared(ref: EntryRef, slope: Slope) -> EntryCheck:
    """Backward's gradient beside a difference."""
    analytic, numeric, noise = ref.gradient, slope.value, slope.uncertainty
    error = relative_error(analytic, numeric)
    return EntryCheck(ref, analytic, numeric, error, noise, _verdict(analytic, numeric, error, noise))


def _verdict(analytic: float, numeric: float, error: float, noise: float) -> Verdict:
    if math.isnan(error):
        return "not finite"
    if error <= GOOD:
        return "good"
    if abs(analytic - numeric) <= noise:
        return "acceptable" if error <= ACCEPTABLE else "below noise"
    return "wrong" if error > WRONG else "suspicious"


def _check_at_kink(difference: CentralDifference, step: float) -> EntryCheck:
    """A one-sided difference is only first-order accurate, so it is held to less than a central one.

    Where both sides leave the piece whose derivative was taken, neither decides: they know nothing of that piece.
    """
    ref, noise = difference.ref, rounding_of(difference.centre, step)
    analytic, numeric = ref.gradient, difference.central(step).value
    left, right = difference.one_sided(-step), difference.one_sided(step)
    deciding = [
        slope for offset, slope in ((-step, left), (step, right)) if not difference.changes_piece(offset)
    ]
    nearest = min(deciding or (left, right), key=lambda slope: abs(slope - analytic))
    error = relative_error(analytic, nearest)
    verdict: Verdict = "wrong" if deciding else "undecided"
    if math.isnan(error) or not math.isfinite(numeric):
        verdict = "not finite"
    elif error <= WRONG:
        verdict = "kink"
    elif abs(analytic - nearest) <= noise:
        verdict = "below noise"
    shown = relative_error(analytic, numeric)
    return EntryCheck(ref, analytic, numeric, shown, noise, verdict, left, right)


def _check_one_by_one(
    graph: Graph, refs: Sequence[tuple[EntryRef, float]], told: Told | None
) -> list[EntryCheck]:
    """Entries of one node, each with the step to begin with."""
    difference, rounding = CentralDifference(graph, refs[0][0].node), BackwardRounding(graph)
    checks = [_told(_checked(difference, ref, rounding, step), told) for ref, step in refs]
    difference.restore()
    return checks


# ── many entries in one pass ────────────────────────────────────────────────────────────────────────


def _check_stacked(
    graph: Graph, refs: Collection[EntryRef], stack: StackedDifferences, told: Told | None
) -> list[EntryCheck]:
    """Four losses an entry, many entries in one pass; those that this does not show to be right go one by one."""
    found: dict[EntryRef, EntryCheck] = {}
    hard: list[tuple[EntryRef, float]] = []
    waiting = [(ref, first_difference_step(ref)) for ref in refs]
    loss = float(graph.loss.value[graph.seed])
    node = next(iter(refs)).node
    at_once = stack.copies // LOSSES_AN_ENTRY
    while waiting:
        now, waiting = waiting[:at_once], waiting[at_once:]
        moves = [(ref.entry, share * step) for ref, step in now for share in (-1.0, 1.0, -0.5, 0.5)]
        losses, crosses = stack.losses(node, moves)
        for place, (ref, step) in enumerate(now):
            mine = slice(LOSSES_AN_ENTRY * place, LOSSES_AN_ENTRY * (place + 1))
            if crosses[mine].any():
                if step > SMALLEST_STEP:
                    waiting.append((ref, step / 10.0))
                else:
                    hard.append((ref, step))
                continue
            left, right, near_left, near_right = losses[mine].tolist()
            slope = extrapolated((left, right, near_left, near_right), step, rounding_of(loss, step))
            check = _compared(ref, slope)
            if check.passed:
                found[ref] = _told(check, told)
            else:
                hard.append((ref, step))
    stack.settle(node)
    if hard:
        found.update(zip((ref for ref, _ in hard), _check_one_by_one(graph, hard, told), strict=True))
    return [found[ref] for ref in refs]
