"""What a gradient is asked for: the entry, or the whole matrix, of a graph that a typed name means.

w[1][1,1]  ──>  W[1][1,1]          W11  ──>  W[1][1,1], where no other matrix has such an entry
W[1]       ──>  the whole matrix   W7   ──>  there is no W[7] in this network; did you mean W[2]?
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from engine.autodiff.graph import Graph, Node
from engine.derivation.entry_ref import EntryRef
from engine.formula.expression import Symbol
from engine.model.expression_graph import is_constant
from engine.model.network import LOSS

MOST_NAMES = 12
"""Of more names than this the first and the last ones are listed."""


class TargetError(ValueError):
    """Raised where there is no gradient to explain for what was asked; the message is one clear line."""


def find_target(graph: Graph, target: Symbol) -> EntryRef:
    """The entry of the graph that a symbol names.

    Raises TargetError for an unknown name (naming the nearest), a missing or out-of-range index, and for the
    labels and the loss, which have no gradient to explain.
    """
    symbol = resolve_target(graph, target)
    node = graph.nodes[symbol.matrix]
    if symbol.index is not None or node.scalar:
        return EntryRef(node, symbol.index or (0, 0))
    rows, columns = node.shape
    name = symbol.plain()
    raise TargetError(f"{name} is {rows}×{columns}: say which entry, such as {name}[0,0]")


def resolve_target(graph: Graph, target: Symbol) -> Symbol:
    """The symbol, of an entry or of a whole matrix with a gradient, that a typed one means in this graph.

    Raises TargetError as `find_target` does, but not for a whole matrix.
    """
    target = _known(graph, target)
    name = target.matrix.plain()
    if target.matrix in graph.left_out:
        raise TargetError(f"{graph.differentiated.plain()} does not depend on {name}")
    node = graph.nodes.get(target.matrix)
    if node is None:
        names = [node.symbol.plain() for node in _differentiable(graph)]
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.3)
        hint = f"; did you mean {nearest[0]}?" if nearest else "."
        raise TargetError(f"there is no {name} in this network{hint} It has {', '.join(_abridged(names))}.")
    if node is graph.loss:
        itself = "E is the loss itself" if node.symbol == LOSS else f"{name} holds what is differentiated"
        raise TargetError(
            f"{itself}; choose what to differentiate it by, such as {_example(_differentiable(graph))}"
        )
    if not node.needs_gradient:
        names = [node.symbol.plain() for node in _differentiable(graph)]
        raise TargetError(
            f"{name} is given and has no gradient here; choose one of {', '.join(_abridged(names))}"
        )
    if target.index is None:
        return target
    _check_inside(target, node)
    return target


def _check_inside(entry: Symbol, node: Node) -> None:
    """Raises TargetError for an entry whose index is outside its matrix."""
    (rows, columns), (row, column) = node.shape, entry.index or (0, 0)
    if not (0 <= row < rows and 0 <= column < columns):
        raise TargetError(
            f"{entry.plain()} is outside {node.symbol.plain()}, which is {rows}×{columns}: "
            f"rows 0 to {rows - 1}, columns 0 to {columns - 1}"
        )


def _differentiable(graph: Graph) -> list[Node]:
    """What has a gradient to explain."""
    return [node for node in graph.nodes.values() if node.needs_gradient and node is not graph.loss]


def find_output(graph: Graph, output: Symbol) -> Symbol:
    """The entry of a computed node that is to be differentiated in place of the loss.

    Raises TargetError for an unknown name, a whole matrix, and for what is given and not computed.
    """
    symbol = _known(graph, output)
    computed = [node for node in graph.nodes.values() if node.op is not None]
    node = graph.nodes.get(symbol.matrix)
    if node is None or node.op is None:
        names = ", ".join(_abridged([one.symbol.plain() for one in computed]))
        why = "there is no such matrix in this network" if node is None else "it is given, not computed"
        raise TargetError(f"cannot differentiate {output.plain()}: {why}; choose one of {names}")
    if node.scalar:
        return node.symbol
    if symbol.index is None:
        rows, columns = node.shape
        name = symbol.plain()
        raise TargetError(
            f"{name} is {rows}×{columns}: say which entry to differentiate, such as {name}[0,0]"
        )
    row, column = symbol.index
    if not (0 <= row < node.shape[0] and 0 <= column < node.shape[1]):
        raise TargetError(
            f"{symbol.plain()} is outside {symbol.matrix.plain()}, which is {node.shape[0]}×{node.shape[1]}"
        )
    return symbol


def find_given(graph: Graph, entry: Symbol) -> Symbol:
    """The entry of a given matrix, the labels included, that a symbol names: one that can be set by hand.

    Raises TargetError for an unknown name, for what is computed, and for a missing or out-of-range index.
    """
    symbol = _known(graph, entry)
    node = graph.nodes.get(symbol.matrix)
    if node is None or node.op is not None or node.symbol not in given_matrices(graph):
        names = ", ".join(_abridged([name.plain() for name in given_matrices(graph)]))
        why = "there is no such matrix here" if node is None else "it is computed, not given"
        raise TargetError(f"cannot set {entry.plain()}: {why}; choose one of {names}")
    if node.scalar:
        return node.symbol
    rows, columns = node.shape
    name = node.symbol.plain()
    if symbol.index is None:
        raise TargetError(f"{name} is {rows}×{columns}: say which entry to set, such as {name}[0,0]")
    _check_inside(symbol, node)
    return symbol


def given_matrices(graph: Graph) -> list[Symbol]:
    """The matrices that nothing computes, in the order of the graph, but for the numbers of a formula itself."""
    return [name for name, node in graph.nodes.items() if node.op is None and not is_constant(node)]


def _known(graph: Graph, target: Symbol) -> Symbol:
    """The same name as the graph writes it: in another case, or with its digits in their places."""
    known = {*graph.nodes, *graph.left_out}
    if target.matrix in known:
        return target
    written = [
        one for one in known if one.layer == target.layer and one.name.casefold() == target.name.casefold()
    ]
    if len(written) == 1:
        return Symbol(written[0].name, written[0].layer, target.index)
    found = sorted(set(_readings(graph, target)), key=Symbol.plain)
    if len(found) > 1:
        listed = ", ".join(one.plain() for one in found[:-1])
        raise TargetError(f"{target.plain()} may be {listed} or {found[-1].plain()}: say which")
    return found[0] if found else target


def _readings(graph: Graph, target: Symbol) -> Iterator[Symbol]:
    """What a name with digits at its end may mean: W1 a layer's matrix; W11 an entry; W111 a layer's entry."""
    match = re.fullmatch(r"([^0-9]*)([0-9]{1,9})", target.name)
    if match is None or target.layer is not None:
        return
    stem, digits = match[1].casefold(), match[2]
    for node in graph.nodes.values():
        symbol = node.symbol
        if symbol.name.casefold() != stem:
            continue
        if symbol.layer is not None and str(symbol.layer) == digits:
            yield Symbol(symbol.name, symbol.layer, target.index)
        elif target.index is None:
            yield from _entries_read(node, digits)


def _entries_read(node: Node, digits: str) -> Iterator[Symbol]:
    rows, columns = node.shape
    layer = "" if node.symbol.layer is None else str(node.symbol.layer)
    indices = [digits, *([digits.removeprefix(layer)] if layer and digits.startswith(layer) else [])]
    for index in indices:
        for cut in range(1, len(index)):
            row, column = index[:cut], index[cut:]
            if _is_number(row, rows) and _is_number(column, columns):
                yield node.symbol.at((int(row), int(column)))


def _is_number(text: str, below: int) -> bool:
    return str(int(text)) == text and int(text) < below


def _abridged(names: list[str]) -> list[str]:
    return names if len(names) <= MOST_NAMES else [*names[:6], "…", *names[-4:]]


def _example(differentiable: list[Node]) -> str:
    node = next((one for one in differentiable if one.op is None and not one.per_sample), differentiable[0])
    return node.entry((0, 0)).plain()
