"""Compares gradients that somebody computed elsewhere with ours: array by array, and says what is wrong.

    dW1 in grads.npz   ──>   W[1]: 3.0000 times ours: the factor 1/n is missing
                             b[1]: agrees

Nothing of theirs is executed: the file holds numbers only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.autodiff.graph import Graph, Node
from engine.experiment.spec import Experiment
from engine.formula.expression import Symbol
from engine.model.network import PREDICTION
from engine.practice.bug_hunt.slip_table import places_for
from engine.practice.bug_hunt.slipping_backward_pass import SlippingBackwardPass
from engine.practice.judging.gradients_file import Numbers
from engine.practice.mistakes.constant_factors import PathConstants, constant_mistakes
from engine.practice.mistakes.updated_too_early import UPDATED_TOO_EARLY, gradients_updated_too_early

TOLERANCE = 1e-6
TOLERANCE_FLOAT32 = 1e-4
"""How far an array may be off, relative to its largest entry."""
MOST_SLIPS = 300
SAME_RATIO = 1e-4
"""Within so much a factor is that of a convention."""


@dataclass(frozen=True)
class ArrayComparison:
    """The comparison of one array with ours: whether it agrees, the largest relative error, and what is said of it."""

    name: str
    theirs: str
    agrees: bool
    relative_error: float | None
    said: tuple[str, ...] = ()
    ratio: float | None = None
    """How many times ours it is, to six digits, where it is nothing but that."""

    def record(self) -> dict[str, Any]:
        """The comparison as a JSON object."""
        return {
            "name": self.name,
            "theirs": self.theirs,
            "agrees": self.agrees,
            "relative_error": self.relative_error,
            "text": "; ".join(self.said),
        }


_NAME = re.compile(
    r"(?:(?:grad|dE/d|dL/d|d)_?)?(?P<name>[A-Za-z]+?)_?(?:\[(?P<bracket>[0-9]+)\]|(?P<layer>[0-9]+))?(?:[._]grad)?"
)
_OF_MODULE = re.compile(r"(?P<stem>.*)\.(?P<kind>weight|bias)(?:\.grad)?")
"""As PyTorch names the parameters of a module, and perhaps their gradients."""


def matching_node(graph: Graph, name: str) -> Node | None:
    """The node that an array's name means: W[1], dW[1], W1, dW1, dE/dW[1]."""
    match = _NAME.fullmatch(name.strip())
    plain = {node.symbol.plain(): node for node in graph.nodes.values()}
    if name in plain:
        return plain[name]
    if match is None:
        return None
    layer = match["bracket"] or match["layer"]
    number = None if layer is None else int(layer)
    same = (
        Symbol(spelled, number) for spelled in (match["name"], match["name"].upper(), match["name"].lower())
    )
    return next((graph.nodes[symbol] for symbol in same if symbol in graph.nodes), None)


def named_by_order(graph: Graph, names: Iterable[str]) -> dict[str, str]:
    """The matrices W[1], b[1], … that PyTorch's names of a module's parameters mean, by their order.

    fc1.weight, fc1.bias, fc2.weight  ──>  W[1], b[1], W[2]
    """
    found = {name: match for name in names if (match := _OF_MODULE.fullmatch(name)) is not None}
    stems = list(dict.fromkeys(match["stem"] for match in found.values()))
    if len(stems) != sum(symbol.name == "W" for symbol in graph.nodes):
        return {}
    letters = {"weight": "W", "bias": "b"}
    return {
        name: f"{letters[match['kind']]}[{stems.index(match['stem']) + 1}]" for name, match in found.items()
    }


def compare_gradients(
    graph: Graph,
    given: Mapping[str, Numbers],
    tolerance: float | None = None,
    *,
    in_rows: bool = False,
    learning_rate: float | None = None,
) -> list[ArrayComparison]:
    """Compares gradients from elsewhere with those of `graph`, which has gone forward and backward.

    `in_rows` says that the experiment's samples are rows: then those of X, f, a and Ŷ are rows in theirs as well. With
    the `learning_rate` it is seen where weights were updated too early.
    """
    slips = _ComparedSlips(graph, learning_rate)
    found = []
    for theirs, array in given.items():
        node = matching_node(graph, theirs)
        if node is not None and node.needs_gradient and node is not graph.loss:
            turned = in_rows and node.per_sample and array.ndim == 2
            single = np.float32 in (graph.dtype, array.dtype)
            usual = TOLERANCE_FLOAT32 if single else TOLERANCE
            numbers = np.asarray(array.T if turned else array, np.float64)
            found.append(_compare(node, theirs, numbers, usual if tolerance is None else tolerance, slips))
    return found


def _compare(
    node: Node, theirs: str, array: Numbers, tolerance: float, slips: _ComparedSlips
) -> ArrayComparison:
    name, ours = node.symbol.plain(), np.asarray(node.grad, np.float64)
    shape_said: tuple[str, ...] = ()
    if array.shape != ours.shape:
        reshaped = _reshaped(array, ours.shape)
        shape = "×".join(map(str, array.shape)) or "that of one number"
        shapes = f"its shape is {shape}, ours is {ours.shape[0]}×{ours.shape[1]}"
        if reshaped is None:
            return ArrayComparison(name, theirs, False, None, (shapes,))
        if array.ndim == 2 and min(array.shape) > 1:
            error = _error(reshaped, ours)
            said = f"{shapes}: it is transposed" + (", and otherwise agrees" if error <= tolerance else "")
            more = () if error <= tolerance else slips.name(node, reshaped, ours, tolerance)
            return ArrayComparison(name, theirs, False, error, (said, *more))
        if array.ndim == 2:
            shape_said = (f"{shapes}: it is transposed",)
        array = reshaped
    error = _error(array, ours)
    if error <= tolerance:
        return ArrayComparison(name, theirs, True, error, shape_said)
    named = (*slips.name(node, array, ours, tolerance), *shape_said)
    return ArrayComparison(name, theirs, False, error, named, _ratio(array, ours, tolerance))


def _ratio(array: Numbers, ours: Numbers, tolerance: float) -> float | None:
    """How many times ours an array is, to six digits; None where it is not a multiple."""
    if not np.isfinite(array).all() or not ours.any():
        return None
    place = np.unravel_index(int(np.abs(ours).argmax()), ours.shape)
    ratio = float(array[place] / ours[place])
    return float(f"{ratio:.6g}") if ratio and _error(array, ratio * ours) <= tolerance else None


def _reshaped(array: Numbers, shape: tuple[int, int]) -> Numbers | None:
    """A vector as a row or column, a transposed matrix turned; None where the number of entries differs."""
    if array.ndim == 2 and array.shape == shape[::-1]:
        return np.asarray(array.T)
    if array.ndim != 2 and array.size == shape[0] * shape[1] and 1 in shape:
        return array.reshape(shape)
    return None


def _error(array: Numbers, ours: Numbers) -> float:
    """The largest difference, relative to the largest entry of the two."""
    if not np.isfinite(array).all():
        return float("inf")
    size = max(float(np.abs(ours).max(initial=0.0)), float(np.abs(array).max(initial=0.0)))
    return float(np.abs(array - ours).max(initial=0.0)) / size if size else 0.0


def shared_reason(found: Sequence[ArrayComparison], experiment: Experiment, graph: Graph) -> str | None:
    """The one reason for all that is wrong: another convention of the loss, or of the weights."""
    wrong = [one for one in found if not one.agrees]
    matrices = [one for one in wrong if one.name.startswith("W[")]
    if (
        wrong == matrices
        and matrices
        and all(any("transposed" in text for text in one.said) for one in matrices)
    ):
        other = "in_out" if experiment.network.weights == "out_in" else "out_in"
        return f'every W that differs is transposed: [network] weights = "{other}" has W that way round'
    ratios = {one.ratio for one in found}
    ratio = ratios.pop() if len(ratios) == 1 and len(found) > 1 and len(wrong) == len(found) else None
    if ratio is None:
        return None
    loss, same = experiment.loss, f"all of yours are {ratio:.5g} times ours"
    half = getattr(loss, "half", None)
    outputs = graph.nodes[PREDICTION].shape[0] if PREDICTION in graph.nodes else 1
    for factor, key in (
        (2.0, "half = false" if half else None),
        (0.5, "half = true" if half is False else None),
        (float(graph.n), 'samples = "sum"' if loss.samples == "mean" else None),
        (1.0 / graph.n, 'samples = "mean"' if loss.samples == "sum" else None),
        (1.0 / outputs, 'outputs = "mean"' if loss.outputs == "sum" and outputs > 1 else None),
        (float(outputs), 'outputs = "sum"' if loss.outputs == "mean" and outputs > 1 else None),
        (
            2.0 / outputs,
            'half = false, outputs = "mean"' if half and loss.outputs == "sum" and outputs > 1 else None,
        ),
        (2.0 * graph.n, 'half = false, samples = "sum"' if half and loss.samples == "mean" else None),
    ):
        if key is not None and factor != 1.0 and abs(ratio - factor) <= SAME_RATIO * factor:
            return f"{same}: is yours another convention of the loss? [loss] {key} has it"
    return None


class _ComparedSlips:
    """The gradients that common slips of a backward pass would give, made when they are first asked for."""

    def __init__(self, graph: Graph, learning_rate: float | None) -> None:
        self.graph, self.learning_rate = graph, learning_rate
        self.constants = PathConstants({**graph.constants, "2": 2.0})
        self._known: list[tuple[str, SlippingBackwardPass]] | None = None

    def name(self, node: Node, array: Numbers, ours: Numbers, tolerance: float) -> tuple[str, ...]:
        """What is wrong with an array, in sentences; several where it cannot be told."""
        if not np.isfinite(array).all():
            return ("it holds numbers that are not finite",)
        if not ours.any():
            return ("ours is 0 everywhere",)
        if not array.any():
            return ("it is 0 everywhere, ours is not",)
        if scaled := self._scaled(array, ours, tolerance):
            return scaled
        if array.shape[0] == array.shape[1] and _error(np.asarray(array.T), ours) <= tolerance:
            return ("it is transposed, and otherwise agrees",)
        found = [text for text, done in self.known() if _error(array, np.asarray(done.of(node))) <= tolerance]
        if found:
            return tuple(dict.fromkeys(found))[:4]
        if self.learning_rate is not None:
            early = gradients_updated_too_early(self.graph, self.learning_rate)[node.symbol]
            if _error(array, np.asarray(early, np.float64)) <= tolerance:
                return (UPDATED_TOO_EARLY,)
        return ("it is none of the usual mistakes",)

    def _scaled(self, array: Numbers, ours: Numbers, tolerance: float) -> tuple[str, ...]:
        place = np.unravel_index(int(np.abs(ours).argmax()), ours.shape)
        ratio = float(array[place] / ours[place])
        if ratio == 0.0 or _error(array, ratio * ours) > tolerance:
            return ()
        rounded = round(abs(ratio), 6)
        exact = rounded if abs(rounded - abs(ratio)) < tolerance * abs(ratio) * 10 else abs(ratio)
        said = [
            ", and ".join(one.text for one in mistakes)
            for mistakes in constant_mistakes(exact, self.constants)
        ]
        sign = "the sign is wrong" if ratio < 0 else ""
        start = f"yours is {ratio:.5g} times ours"
        return tuple(
            f"{start}: {', and '.join(part for part in (one, sign) if part)}".rstrip(": ")
            for one in said or [""]
        )

    def known(self) -> list[tuple[str, SlippingBackwardPass]]:
        """The passes in which one op slips, with what is wrong in each."""
        if self._known is None:
            planted = [slip for _, slip in zip(range(MOST_SLIPS), places_for(self.graph), strict=False)]
            self._known = [(slip.mistake.text, SlippingBackwardPass(self.graph, (slip,))) for slip in planted]
        return self._known
