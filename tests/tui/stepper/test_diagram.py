"""The diagram: every scalar of the path is a cell, numbers appear when they are known, the cursor reaches all."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formula.expression import Symbol
from engine.formula.notation import Style
from engine.formula.number_text import short_number
from engine.formula.parser import parse_symbol
from tests.tui.experiments import READABLE, positions_of, session, traversals
from tui.stepper.diagram import Diagram, column_names, move
from tui.stepper.network_diagram import CELL, NetworkDiagram, _Drawing
from tui.stepper.traversal import FIRST_TERM, Phase, Position, Traversal


def traversal_of(name: str) -> Traversal:
    opened = session(name)
    return Traversal(opened.explain(opened.first_target()))


def cells(diagram: Diagram) -> dict[Symbol, tuple[float | None, float | None]]:
    """Value and gradient of every scalar that the diagram has a cell for."""
    found = {}
    for column in diagram.columns:
        for row in range(column.size):
            cell = diagram.cell(column, row)
            found[cell.symbol] = (cell.value, cell.gradient)
    return found


# ── columns and cells ───────────────────────────────────────────────────────────────────────────────


def test_the_columns_stand_in_the_order_of_the_computation():
    diagram = Diagram(traversal_of("tutorial-b"), FIRST_TERM)
    names = [symbol.plain() for symbol in column_names(diagram.columns)]
    assert names == ["X", "W[1]", "f[1]", "a[1]", "W[2]", "f[2]", "Y_hat", "E"]


@given(traversals())
def test_every_scalar_of_the_path_is_a_marked_cell(traversal):
    diagram = Diagram(traversal, traversal.last())
    marked = {
        cell.symbol
        for column in diagram.columns
        for row in range(column.size)
        if (cell := diagram.cell(column, row)).on_path
    }
    assert set(traversal.derivation.path) <= marked


@given(traversals())
def test_cells_show_the_numbers_of_the_graph(traversal):
    graph = traversal.derivation.graph
    for symbol, (value, gradient) in cells(Diagram(traversal, traversal.last())).items():
        node = graph.nodes[symbol.matrix]
        assert value == graph.value_of(symbol)
        assert gradient is None or gradient == float(node.grad[symbol.index or (0, 0)])


@given(traversals())
def test_at_every_position_exactly_the_place_s_cell_is_current(traversal):
    for position in positions_of(traversal):
        diagram = Diagram(traversal, position)
        current = [
            cell.symbol
            for column in diagram.columns
            for row in range(column.size)
            if (cell := diagram.cell(column, row)).current
        ]
        assert len(current) == 1, position
        assert current[0].matrix == traversal.symbol(position).matrix


@given(traversals())
def test_values_appear_on_the_way_forward_and_gradients_on_the_way_back(traversal):
    known = [0, 0]
    for position in positions_of(traversal):
        numbers = cells(Diagram(traversal, position)).values()
        values = sum(value is not None for value, _ in numbers)
        gradients = sum(gradient is not None for _, gradient in numbers)
        assert values >= known[0]
        assert gradients >= known[1]
        assert gradients == 0 or position.phase >= Phase.BACKWARD
        known = [values, gradients]
    assert known[0] == len(numbers)


def test_forward_shows_no_number_that_has_not_been_computed():
    traversal = traversal_of("tutorial-b")
    numbers = cells(Diagram(traversal, traversal.first()))
    assert numbers[Symbol("f", 1, (1, 0))][0] == pytest.approx(0.54)
    assert numbers[Symbol("a", 1, (1, 0))] == (None, None)
    assert numbers[Symbol("E")] == (None, None)


def test_the_first_term_knows_the_gradient_of_the_prediction_only():
    numbers = cells(Diagram(traversal_of("tutorial-b"), FIRST_TERM))
    assert [symbol.plain() for symbol, (_, gradient) in numbers.items() if gradient is not None] == [
        "Y_hat[0,0]"
    ]


# ── the cursor ──────────────────────────────────────────────────────────────────────────────────────


@given(traversals(), st.lists(st.sampled_from([(1, 0), (-1, 0), (0, 1), (0, -1)]), max_size=30))
def test_the_cursor_always_stands_on_something_with_a_gradient(traversal, steps):
    cursor = traversal.derivation.target
    for right, down in steps:
        cursor = move(Diagram(traversal, FIRST_TERM, cursor), cursor, right, down)
        assert traversal.derivation.graph.nodes[cursor.matrix].needs_gradient
        diagram = Diagram(traversal, FIRST_TERM, cursor)
        assert cursor in cells(diagram)
        assert diagram.columns[diagram.current_column()].matrix.layer == cursor.layer


@pytest.mark.parametrize("name", ["tutorial-b", "residual-fork", "batch-norm", "xor"])
def test_the_cursor_can_reach_every_entry_of_the_shown_sample(name):
    traversal = traversal_of(name)
    sample = traversal.derivation.sample
    reached, frontier = {traversal.derivation.target}, [traversal.derivation.target]
    while frontier:
        cursor = frontier.pop()
        diagram = Diagram(traversal, FIRST_TERM, cursor)
        for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            there = move(diagram, cursor, *step)
            if there not in reached:
                reached.add(there)
                frontier.append(there)
    for node in traversal.derivation.graph.nodes.values():
        if not node.needs_gradient or node.symbol == Symbol("E"):
            continue
        columns = range(node.shape[1]) if node.op is None and node.symbol.name == "W" else [0]
        columns = [min(sample, node.shape[1] - 1)] if node.per_sample else columns
        for row in range(node.shape[0]):
            for column in columns:
                assert node.entry((row, column)) in reached


# ── the picture ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("name", READABLE)
def test_the_current_cell_is_in_every_picture_and_pictures_fit(name, ascii_only):
    traversal = traversal_of(name)
    style = Style(digits=4, ascii=ascii_only)
    positions = [traversal.first(), FIRST_TERM, traversal.last()]
    positions += [Position(Phase.BACKWARD, index) for index in range(0, len(traversal.derivation), 7)]
    for position in positions:
        for width, height in ((56, 8), (76, 17), (116, 8), (196, 22)):
            diagram = Diagram(traversal, position)
            drawing = _Drawing(diagram, style, width, height)
            current = [s for s in drawing.places.values() if s == diagram._current_symbol()]
            assert current, (position, width)
            lines = drawing.content().plain.split("\n")
            assert len(lines) == height
            assert all(len(line) == width for line in lines)
            assert not ascii_only or drawing.content().plain.isascii()


@given(
    st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf, -math.inf]),
    st.integers(7, 12),
    st.booleans(),
)
def test_a_short_number_fits_and_is_the_number(value, width, ascii_only):
    text = short_number(value, width, Style(ascii=ascii_only))
    assert len(text) <= max(width, 7)
    if not math.isfinite(value):
        return
    plain = text.replace("−", "-").replace("×10", "e").translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
    assert float(plain) == pytest.approx(value, rel=0.34, abs=0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (-0.00821, "−0.00821"), (0.000239, "0.000239"), (-0.000239, "−0.00024"),
     (6.06e-30, "6.1e−30"), (-5.75e-30, "−5.7e−30"), (-1.234e-123, "−1e−123"), (1234567.0, "1234567")],
)  # fmt: skip
def test_numbers_in_cells_never_lose_their_exponent(value, text):
    assert short_number(value, CELL - 1, Style()) == text


def test_a_widget_without_a_picture_ignores_clicks():
    assert NetworkDiagram()._cells == {}


def test_the_path_stays_where_it_is_while_the_cursor_moves():
    traversal = traversal_of("tutorial-b")
    cursor = Symbol("f", 1, (0, 0))
    diagram = Diagram(traversal, FIRST_TERM, cursor)
    marked = {
        cell.symbol
        for column in diagram.columns
        for row in range(column.size)
        if (cell := diagram.cell(column, row)).on_path
    }
    assert marked <= {*traversal.derivation.path, Symbol("W", 2, (1, 0))}
    picture = _Drawing(diagram, Style(), 96, 8).content().plain.split("\n")
    assert "●    0.54───●    0.54───●    −0.8─┘" in picture[4]
    assert "─" not in picture[4].split("●")[0]  # the weights shown are those of the cursor's unit


@pytest.mark.parametrize(
    ("cursor", "right", "there"),
    [
        ("W[1][0,1]", 1, "f[1][1,0]"),
        ("W[1][2,1]", -1, "X[2,0]"),
        ("X[2,0]", 1, "W[1][2,1]"),
        ("f[1][0,0]", 1, "a[1][0,0]"),
        ("a[1][0,0]", -1, "f[1][0,0]"),
        ("X[0,0]", -1, "X[0,0]"),
        ("Y_hat[0,0]", 1, "Y_hat[0,0]"),
    ],
)
def test_left_and_right_follow_the_computation(cursor, right, there):
    symbol = parse_symbol(cursor)
    assert move(Diagram(traversal_of("tutorial-b"), FIRST_TERM, symbol), symbol, right, 0).plain() == there
