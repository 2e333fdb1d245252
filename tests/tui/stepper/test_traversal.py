"""Traversing: every position is reached, every way there leads back, and no step leaves the road."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formula.expression import Symbol
from tests.tui.experiments import positions_of, session, traversals
from tui.stepper.traversal import FIRST_TERM, Detail, Phase, Position, Traversal, layer_of


def traversal_of(name: str, target: Symbol | None = None) -> Traversal:
    opened = session(name)
    return Traversal(opened.explain(target or opened.first_target()))


# ── one step on, one step back ──────────────────────────────────────────────────────────────────────


@given(traversals())
def test_next_visits_every_term_of_every_step_once_and_in_order(traversal):
    positions = list(positions_of(traversal))
    assert positions == sorted(set(positions))
    assert positions[0] == traversal.first()
    assert positions[-1] == traversal.last()
    expected = [Position(Phase.FORWARD, index) for index in range(len(traversal.forward))]
    expected.append(Position(Phase.LOSS))
    for index, step in enumerate(traversal.derivation):
        expected += [Position(Phase.BACKWARD, index, turn) for turn in range(len(step.terms))]
    assert positions == [*expected, Position(Phase.UPDATE)]


@given(traversals())
def test_previous_undoes_next(traversal):
    for here, there in pairwise(positions_of(traversal)):
        assert traversal.move(here, 1, Detail.TERM) == there
        assert traversal.move(there, -1, Detail.TERM) == here


@given(traversals(), st.data())
def test_a_count_is_so_many_single_steps_and_stops_at_the_ends(traversal, data):
    positions = list(positions_of(traversal))
    start = data.draw(st.integers(0, len(positions) - 1))
    count = data.draw(st.integers(-len(positions) - 2, len(positions) + 2))
    reached = min(max(start + count, 0), len(positions) - 1)
    assert traversal.move(positions[start], count, Detail.TERM) == positions[reached]


@given(traversals())
def test_the_path_s_own_term_comes_first_and_each_other_once(traversal):
    for index, step in enumerate(traversal.derivation):
        visited = [traversal.term(Position(Phase.BACKWARD, index, turn)) for turn in range(len(step.terms))]
        assert visited[0] == step.chosen
        assert sorted(visited) == list(range(len(step.terms)))
        assert visited[1:] == sorted(visited[1:])


# ── nodes, layers, phases ───────────────────────────────────────────────────────────────────────────


@given(traversals())
def test_a_node_is_left_at_its_first_term_in_both_directions(traversal):
    nodes = [position for position in positions_of(traversal) if position.turn == 0]
    for here, there in pairwise(nodes):
        assert traversal.move(here, 1, Detail.NODE) == there
        assert traversal.move(there, -1, Detail.NODE) == here
    for position in positions_of(traversal):
        assert traversal.move(position, 1, Detail.NODE).turn == 0


@given(traversals())
def test_a_layer_step_ends_in_another_layer_or_phase_or_at_the_end(traversal):
    for position in positions_of(traversal):
        for direction in (1, -1):
            there = traversal.move(position, direction, Detail.LAYER)
            ends = {1: traversal.last(), -1: traversal.first()}
            assert (
                there.phase is not position.phase
                or traversal.layer(there) != traversal.layer(position)
                or there == ends[direction]
                or there == position
            )
            assert there.turn == 0 or there == position


@given(traversals())
def test_phases_are_entered_at_their_first_place(traversal):
    for position in positions_of(traversal):
        for steps in (-9, -1, 0, 1, 9):
            there = traversal.next_phase(position, steps)
            assert there == Position(Phase(min(max(position.phase + steps, 0), 3)))


def test_layers_of_a_walk_count_down_on_the_way_back():
    traversal = traversal_of("tutorial-b")
    layers = [traversal.layer(Position(Phase.BACKWARD, index)) for index in range(5)]
    assert layers == [2, 2, 1, 1, 1]
    assert traversal.move(FIRST_TERM, 1, Detail.LAYER) == Position(Phase.BACKWARD, 2)
    assert traversal.move(FIRST_TERM, 2, Detail.LAYER) == traversal.last()
    assert traversal.move(traversal.last(), -1, Detail.LAYER) == Position(Phase.BACKWARD, 4)


@pytest.mark.parametrize(
    ("symbol", "layer"), [(Symbol("X"), 0), (Symbol("Y_hat"), 4), (Symbol("E"), 4), (Symbol("a", 3), 3)]
)
def test_the_layer_of_a_symbol(symbol, layer):
    assert layer_of(symbol, 4) == layer


# ── what a position is about ───────────────────────────────────────────────────────────────────────────


@given(traversals())
def test_places_name_what_they_are_about(traversal):
    for position in positions_of(traversal):
        symbol = traversal.symbol(position)
        match position.phase:
            case Phase.FORWARD:
                assert symbol == traversal.derivation.graph.ops[position.index].output.symbol
            case Phase.LOSS:
                assert symbol == Symbol("E")
            case Phase.BACKWARD:
                assert symbol == traversal.derivation.path[position.index + 1]
            case Phase.UPDATE:
                assert symbol == traversal.derivation.target


@given(traversals(), st.sampled_from(Phase), st.integers(0, 99), st.integers(0, 99))
def test_a_position_of_another_derivation_is_moved_to_one_that_exists(traversal, phase, index, turn):
    position = traversal.clamped(Position(phase, index, turn))
    assert position in set(positions_of(traversal))
    assert traversal.clamped(position) == position


def test_a_deep_walk_is_stepped_without_listing_it():
    traversal = traversal_of("deep")
    assert traversal.size(Phase.BACKWARD) == 103
    assert traversal.move(FIRST_TERM, 99_999, Detail.TERM) == traversal.last()
    assert traversal.move(traversal.last(), -99_999, Detail.NODE) == traversal.first()
