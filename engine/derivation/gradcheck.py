"""Gradient check: backward against central differences, entry by entry.

    ∂ℰ/∂w ≈ (ℰ(w+h) - ℰ(w-h)) / 2h        relative error |a - n| / max(|a|, |n|)

The difference is taken twice, with h and h/2, and extrapolated (Richardson), which leaves an error of order h⁴.
Two things limit it, and both are told apart from a wrong gradient: rounding (ℰ has about 16 digits, so no
difference can resolve a gradient below the noise of ℰ/h) and kinks (where a ReLU or another piecewise function
changes its piece between w-h and w+h, the slope has no single value).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.autodiff.graph import Graph, Node
from engine.autodiff.ops.elementwise import Elementwise
from engine.derivation.paths import EntryRef
from engine.model.network import Network

GOOD = 1e-7
ACCEPTABLE_ACROSS_KINK = 1e-4
WRONG = 1e-2
"""Thresholds of the relative error (Stanford CS231n, "Gradient checks")."""

STEP = 1e-4
"""h relative to max(1, |w|): balances the extrapolated error, about h⁴, with rounding, about 1e-16/h."""

SMALLEST_STEP = 1e-8
JIGGLE = 4.0 * float(np.finfo(np.float64).eps)
JIGGLES = 8
"""How far, relative to their size, and how often inputs are moved to measure rounding errors."""

ENTRIES_PER_PARAMETER = 200
"""Larger parameters are checked at this many randomly chosen entries."""

Verdict = Literal["good", "acceptable", "kink", "below noise", "undecided", "suspicious", "wrong"]


@dataclass(frozen=True, slots=True)
class EntryCheck:
    """One entry: backward's gradient (`analytic`) beside the central difference (`numeric`).

    `noise` is the size of the rounding error in `numeric`: differences below it say nothing.
    """

    ref: EntryRef
    analytic: float
    numeric: float
    relative_error: float
    noise: float
    verdict: Verdict

    @property
    def passed(self) -> bool:
        """Whether the check found nothing wrong; it may have found nothing at all."""
        return self.agrees or self.verdict in ("below noise", "undecided")

    @property
    def agrees(self) -> bool:
        """Whether backward and the difference are the same number, as far as the difference can tell."""
        return self.verdict in ("good", "acceptable", "kink")


@dataclass(frozen=True, slots=True)
class ParameterCheck:
    """One parameter: how many of its entries were checked, and how the worst of them did.

    Every checked entry is one of `agreeing`, `below_noise`, `undecided` and `failed`.
    """

    name: str
    entries: int
    worst: EntryCheck
    agreeing: int
    below_noise: int
    undecided: int
    failed: int

    @property
    def checked(self) -> int:
        """How many entries were checked."""
        return self.agreeing + self.below_noise + self.undecided + self.failed

    @property
    def passed(self) -> bool:
        """Whether every checked entry passed."""
        return self.failed == 0


def relative_error(analytic: float, numeric: float) -> float:
    """|a - n| / max(|a|, |n|), and 0 where both are 0. NaN where either is not finite."""
    largest = max(abs(analytic), abs(numeric))
    if not math.isfinite(largest):
        return math.nan
    return abs(analytic - numeric) / largest if largest else 0.0


def check_network(
    network: Network, inputs: object, labels: object, seed: int = 0
) -> Iterator[ParameterCheck]:
    """Checks every parameter of a network in float64, one at a time, on the given samples."""
    exact = network.astype("float64")
    graph = exact.graph(np.array(inputs, np.float64), np.array(labels, np.float64))
    graph.forward()
    graph.backward()
    generator = np.random.default_rng(seed)
    for name in exact.parameters:
        yield check_parameter(graph, graph.nodes[name], generator)


def check_parameter(graph: Graph, node: Node, generator: np.random.Generator) -> ParameterCheck:
    """Checks one node's entries: all of them, or ENTRIES_PER_PARAMETER chosen at random."""
    size = node.value.size
    if size > ENTRIES_PER_PARAMETER:
        places: Iterable[int] = sorted(generator.choice(size, ENTRIES_PER_PARAMETER, replace=False).tolist())
    else:
        places = range(size)
    columns = node.shape[1]
    checks = [check_entry(graph, EntryRef(node, divmod(place, columns))) for place in places]
    worst = max(checks, key=_badness)
    return ParameterCheck(
        name=node.symbol.plain(),
        entries=size,
        worst=worst,
        agreeing=sum(check.agrees for check in checks),
        below_noise=sum(check.verdict == "below noise" for check in checks),
        undecided=sum(check.verdict == "undecided" for check in checks),
        failed=sum(not check.passed for check in checks),
    )


def _badness(check: EntryCheck) -> tuple[bool, float]:
    error = math.inf if math.isnan(check.relative_error) else check.relative_error
    return not check.passed, -1.0 if check.verdict == "below noise" else error


def check_entry(graph: Graph, ref: EntryRef) -> EntryCheck:
    """Checks one entry of any node: a parameter, an input, or a value computed on the way.

    `graph` must be float64 and have gone forward and backward; it is left as it was.
    """
    difference = _Difference(graph, ref)
    step = STEP * max(1.0, abs(ref.value))
    while difference.crosses_kink(step) and step > SMALLEST_STEP:
        step /= 10.0
    found = _compare(difference, step)
    for smaller in (step / 10.0, step / 100.0):
        # The loss may curve within a step, as where batch norm divides by almost no spread.
        if not found.passed and (again := _compare(difference, smaller)).verdict in ("good", "acceptable"):
            found = again
    if not found.passed and not difference.crosses_kink(step):
        noise = difference.measured_noise(step)
        if abs(found.analytic - found.numeric) <= noise:
            found = replace(found, noise=noise, verdict="below noise")
    difference.restore()
    return found


def _compare(difference: _Difference, step: float) -> EntryCheck:
    """Backward's gradient beside the difference with one step."""
    ref, analytic, noise = difference.ref, difference.ref.gradient, difference.noise(step)
    if not difference.crosses_kink(step):
        numeric = difference.extrapolated(step)
        error = relative_error(analytic, numeric)
        return EntryCheck(ref, analytic, numeric, error, noise, _verdict(analytic, numeric, error, noise))
    same_piece = [offset for offset in (-step, step) if not difference.changes_piece(offset)]
    slopes = [difference.one_sided(offset) for offset in same_piece or (-step, step)]
    numeric = min(slopes, key=lambda slope: abs(slope - analytic))
    error = relative_error(analytic, numeric)
    verdict = _verdict_at_kink(analytic, numeric, error, noise, decides=bool(same_piece))
    return EntryCheck(ref, analytic, numeric, error, noise, verdict)


def _verdict_at_kink(
    analytic: float, numeric: float, error: float, noise: float, *, decides: bool
) -> Verdict:
    """A one-sided difference is only first-order accurate, so it is held to less than a central one.

    Where both sides leave the piece whose derivative was taken, neither `decides`: they know nothing of that piece.
    """
    if error <= WRONG:
        return "kink"
    if abs(analytic - numeric) <= noise:
        return "below noise"
    return "wrong" if decides or math.isnan(error) else "undecided"


def _verdict(analytic: float, numeric: float, error: float, noise: float) -> Verdict:
    if math.isnan(error):
        return "wrong"
    if error <= GOOD:
        return "good"
    if abs(analytic - numeric) <= noise:
        return "below noise"
    if error <= ACCEPTABLE_ACROSS_KINK:
        return "acceptable"
    return "wrong" if error > WRONG else "suspicious"


class _Difference:
    """Moves one entry and measures the loss; everything after the entry's node is recomputed."""

    def __init__(self, graph: Graph, ref: EntryRef) -> None:
        self.graph, self.ref = graph, ref
        self.value = ref.value
        self.centre = graph.recompute(ref.node)
        self.kinked = [
            (op.inputs[0], kink)
            for op in graph.ops
            if isinstance(op, Elementwise)
            for kink in op.function.kinks
        ]
        self.pieces = self._pieces()

    def loss_at(self, offset: float) -> float:
        """ℰ with the entry moved by `offset`."""
        self.ref.node.value[self.ref.entry] = self.value + offset
        return self.graph.recompute(self.ref.node)

    def restore(self) -> None:
        """Puts the entry, and everything after it, back."""
        self.loss_at(0.0)
        with np.errstate(all="ignore"):
            self.graph.ops[
                -1
            ].forward()  # where Ŷ was moved, ℰ came from Ŷ and not, as before, from the logits

    def crosses_kink(self, step: float) -> bool:
        """Whether any piecewise function is on another piece at -step or +step than at the entry itself."""
        return self.changes_piece(-step) or self.changes_piece(step)

    def changes_piece(self, offset: float) -> bool:
        """Whether any piecewise function is on another piece at this offset than at the entry itself."""
        self.loss_at(offset)
        return self._on_other_pieces()

    def _on_other_pieces(self) -> bool:
        return any(not np.array_equal(new, old) for new, old in zip(self._pieces(), self.pieces, strict=True))

    def _pieces(self) -> list[np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
        return [node.value > kink for node, kink in self.kinked]

    def extrapolated(self, step: float) -> float:
        """The central difference with step and step/2, extrapolated to step 0."""
        coarse, fine = self._central(step), self._central(step / 2.0)
        return (4.0 * fine - coarse) / 3.0

    def _central(self, step: float) -> float:
        return (self.loss_at(step) - self.loss_at(-step)) / (2.0 * step)

    def one_sided(self, offset: float) -> float:
        """The slope just left of the entry (a negative offset) or just right of it."""
        return (self.loss_at(offset) - self.centre) / offset

    def noise(self, step: float) -> float:
        """The rounding error of a difference: a few units in the last place of ℰ, over the step."""
        return 32.0 * float(np.finfo(np.float64).eps) * max(abs(self.centre), 1e-300) / step

    def measured_noise(self, step: float) -> float:
        """The rounding errors of the difference and of backward, measured: a norm amplifies both on its way.

        Fourth differences of ℰ over offsets much smaller than the step hold nothing but rounding. NaN where ℰ has
        overflowed: then nothing is below the noise.
        """
        losses = [self.loss_at(step / 100.0 * place) for place in range(-6, 7)]
        self.restore()
        if not np.isfinite(losses).all():
            return math.nan
        return 2.0 * float(np.abs(np.diff(losses, 4)).max()) / step + self._noise_of_backward()

    def _noise_of_backward(self) -> float:
        """What the gradient makes of parameters that are jiggled in their last digits.

        The samples stay: equal samples, where a norm is at its worst, would no longer be equal.
        """
        nodes = self.graph.nodes.values()
        leaves = [(node, node.value.copy()) for node in nodes if node.op is None and not node.per_sample]
        gradients = [(node, node.grad.copy()) for node in nodes]
        generator = np.random.default_rng(0)
        slopes = []
        for _ in range(JIGGLES):
            for node, value in leaves:
                node.value[...] = value * (1.0 + JIGGLE * generator.standard_normal(value.shape))
            self.graph.forward()
            self.graph.backward()
            if not self._on_other_pieces():
                slopes.append(self.ref.gradient)
        for node, value in leaves:
            np.copyto(node.value, value)
        self.graph.forward()
        for node, gradient in gradients:
            np.copyto(node.grad, gradient)
        with np.errstate(invalid="ignore"):
            return 4.0 * float(np.ptp(slopes)) if slopes else 0.0
