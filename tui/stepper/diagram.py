"""The network as columns of cells, and the way of the current path through them: what the diagram draws.

      X        W⁽¹⁾→1     f⁽¹⁾      a⁽¹⁾     W⁽²⁾→0     f⁽²⁾      Ŷ        ℰ
    ○ 1        ○ −0.4    ○ 0.85    ○ 0.85    ○ 0.6
    ● 0.5  ──  ● 0.2  ── ● 0.54 ── ● 0.54 ── ● −0.8  ── ● 0.078 ─ ● 0.52 ── ℰ 0.65

Between the activations of one layer and the sums of the next stands the column of weights into the unit that the
path goes through, so that every scalar of the path is a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.autodiff.graph import Graph, Node, Op
from engine.autodiff.ops.linear import ACTIVATION, BIAS, WEIGHT, Linear
from engine.derivation.chain_rule import Derivation
from engine.formula.expression import Entry, Symbol
from engine.model.network import X
from tui.stepper.traversal import Phase, Position, Traversal


@dataclass(frozen=True, slots=True)
class Cell:
    """One scalar: its value on the way forward and its gradient on the way back (None before they are reached)."""

    symbol: Symbol
    value: float | None
    gradient: float | None
    on_path: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One matrix at the shown sample, or for weights the column of one unit.

    `focus` is the row that the path takes, `centre` the one that must be in sight: the cursor's, or the path's.
    With `out_in` the weights into a unit stand in a row of their matrix, otherwise in a column.
    """

    matrix: Symbol
    unit: int | None
    size: int
    focus: int
    centre: int
    on_path: bool
    out_in: bool = False


class Diagram:
    """The columns of a graph for one derivation and position; cells are read when they are drawn."""

    def __init__(
        self,
        traversal: Traversal,
        position: Position,
        cursor: Symbol | None = None,
        *,
        known: int | None = None,
    ) -> None:
        """`known` is how many factors have been answered where one predicts: no further gradient is shown."""
        self.derivation: Derivation = traversal.derivation
        self.graph: Graph = self.derivation.graph
        self.sample = self.derivation.sample
        self._traversal, self._position, self._cursor = traversal, position, cursor
        self._known = known
        self.path = {symbol: index for index, symbol in enumerate(self.derivation.path)}
        self._rows = {symbol.matrix: symbol.index[0] for symbol in self.path if symbol.index is not None}
        # Through a mean over the batch a path may lead from one sample to another.
        self._samples = {symbol.matrix: symbol.index[1] for symbol in self.path if symbol.index is not None}
        self._current = traversal.symbol(position)
        self.columns = self._columns()

    def _columns(self) -> list[Column]:
        columns = [self._value_column(self.graph.nodes[X])]
        for op in self.graph.ops:
            if isinstance(op, Linear):
                columns.append(self._weight_column(op))
            else:  # scale and shift
                columns += [self._value_column(node) for node in op.inputs if _is_first_read_by(node, op)]
            columns.append(self._value_column(op.output))
        return columns

    def _cursor_in(self, matrix: Symbol) -> Entry | None:
        """Where in a matrix the cursor stands."""
        cursor = self._cursor
        return cursor.index if cursor is not None and cursor.matrix == matrix else None

    def _value_column(self, node: Node) -> Column:
        cursor = self._cursor_in(node.symbol)
        focus = min(self._rows.get(node.symbol, 0), node.shape[0] - 1)
        on_path = node.symbol in self._rows or node is self.graph.loss
        return Column(
            node.symbol, None, node.shape[0], focus, focus if cursor is None else cursor[0], on_path
        )

    def _weight_column(self, op: Linear) -> Column:
        """The weights into one unit: the path's, or the cursor's."""
        weight, sums = op.inputs[WEIGHT].symbol, op.output.symbol
        bias = Symbol("b", weight.layer)
        fan_in = op.inputs[ACTIVATION].shape[0]
        unit = path_unit = self._rows.get(sums, 0)
        focus = self._rows.get(op.inputs[ACTIVATION].symbol, 0)
        target = self.derivation.target
        if target.index is not None and target.matrix in (weight, bias):
            focus = _ends(target.index, op.out_in)[0] if target.matrix == weight else fan_in
        centre = focus
        if (cursor := self._cursor_in(weight)) is not None:
            centre, unit = _ends(cursor, op.out_in)
        elif (cursor := self._cursor_in(bias)) is not None:
            unit, centre = cursor[0], fan_in
        elif (cursor := self._cursor_in(sums)) is not None:
            unit = cursor[0]
        begins_here = target.layer == weight.layer
        passes = sums in self._rows and (op.inputs[ACTIVATION].symbol in self._rows or begins_here)
        size = fan_in + (len(op.inputs) > BIAS)
        return Column(weight, unit, size, focus, centre, passes and unit == path_unit, op.out_in)

    def symbol(self, column: Column, row: int) -> Symbol:
        """The scalar in a row of a column; below the weights stands the bias."""
        node = self.graph.nodes[column.matrix]
        if column.unit is not None:
            if row == node.shape[1 if column.out_in else 0]:
                return Symbol("b", column.matrix.layer, (column.unit, 0))
            return column.matrix.at(_ends((row, column.unit), column.out_in))
        if node.scalar:
            return node.symbol
        return column.matrix.at((row, self._sample_of(node)))

    def _sample_of(self, node: Node) -> int:
        """The column of a matrix that is shown: the one on the path, or else the derivation's sample."""
        return min(self._samples.get(node.symbol, self.sample), node.shape[1] - 1)

    def cell(self, column: Column, row: int) -> Cell:
        """The cell of a scalar: what is known of it at the current position."""
        symbol = self.symbol(column, row)
        node = self.graph.nodes[symbol.matrix]
        index = symbol.index or (0, 0)
        value = float(node.value[index]) if self._is_computed(node.op) else None
        shows_gradient = node.needs_gradient and node is not self.graph.loss and self._has_gradient(node)
        gradient = float(node.grad[index]) if shows_gradient else None
        on_path = symbol in self.path or (column.unit is not None and column.on_path and row == column.focus)
        current = symbol == (self._cursor if self._cursor is not None else self._current_symbol())
        return Cell(symbol, value, gradient, on_path, current)

    def _current_symbol(self) -> Symbol:
        if self._position.phase is Phase.FORWARD:
            node = self.graph.nodes[self._current]
            row = self._rows.get(self._current, 0)
            return self._current.at((row, self._sample_of(node)))
        return self._current

    def _is_computed(self, op: Op | None) -> bool:
        if op is None or self._position.phase > Phase.FORWARD or self._cursor is not None:
            return True
        return self.graph.ops.index(op) <= self._position.index

    def _has_gradient(self, node: Node) -> bool:
        """Whether the backward pass, as far as it has been stepped, has reached a node."""
        if self._known is not None:
            # The last factor's node is the target, whose gradient is asked for last of all.
            reached = self.derivation.path[min(self._known, len(self.derivation) - 1)].matrix
            return self._order(node) >= self._order(self.graph.nodes[reached])
        if self._cursor is not None or self._position.phase is Phase.UPDATE:
            return True
        if self._position.phase < Phase.BACKWARD:
            return False
        reached = self.derivation.path[self._position.index + 1].matrix
        return node.symbol == reached or self._order(node) > self._order(self.graph.nodes[reached])

    def _order(self, node: Node) -> int:
        """How late in the computation a node stands; a parameter just before what it is used for."""
        if node.op is not None:
            return 2 * self.graph.ops.index(node.op)
        if node.consumers and node.symbol != X:
            return 2 * self.graph.ops.index(node.consumers[0][0]) - 1
        return -2

    def current_column(self) -> int:
        """The column of the current scalar (or the cursor)."""
        wanted = self._cursor or self._current_symbol()
        name = Symbol("W", wanted.layer) if wanted.name == "b" else wanted.matrix
        return next(
            (i for i, column in enumerate(self.columns) if column.matrix == name), len(self.columns) - 1
        )


def move(diagram: Diagram, cursor: Symbol, right: int, down: int) -> Symbol:
    """The scalar to the right of (left of) or below (above) the cursor; the cursor itself at the rim.

    From a weight one goes left to what it multiplies and right to the sum that it is part of.
    """
    place = diagram.current_column()
    column = diagram.columns[place]
    row = _row_of(column, cursor)
    if down:
        return diagram.symbol(column, min(max(row + down, 0), column.size - 1))
    other = diagram.columns[min(max(place + right, 0), len(diagram.columns) - 2)]  # the loss is no target
    if other is column:
        return cursor
    if column.unit is not None and right > 0:
        row = column.unit
    elif other.unit is not None and right < 0:
        row = other.focus
    return diagram.symbol(other, min(row, other.size - 1))


def _is_first_read_by(node: Node, op: Op) -> bool:
    """Whether a node is a parameter that this op, before all others, computes with."""
    return node.op is None and node.needs_gradient and node.symbol != X and node.consumers[0][0] is op


def _ends(entry: Entry, out_in: bool) -> Entry:
    """From where a weight's entry is to the unit below and the unit above that it joins, and back again."""
    return (entry[1], entry[0]) if out_in else entry


def _row_of(column: Column, cursor: Symbol) -> int:
    if cursor.name == "b" and column.unit is not None:
        return column.size - 1
    if cursor.index is None:
        return 0
    return _ends(cursor.index, column.out_in)[0] if column.unit is not None else cursor.index[0]


def column_names(columns: Sequence[Column]) -> list[Symbol]:
    """The names of a diagram's columns."""
    return [column.matrix for column in columns]
