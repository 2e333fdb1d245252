"""Walking: every place is reached, every way there leads back, and no step leaves the road."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formula.expression import Symbol
from tests.tui.experiments import session, walks
from tui.stepper.cursor import FIRST_TERM, Detail, Phase, Place, Walk, layer_of


def walk_of(name: str, target: Symbol | None = None) -> Walk:
    opened = session(name)
    return Walk(opened.explain(target or opened.first_target()))


# ── one step on, one step back ──────────────────────────────────────────────────────────────────────


@given(walks())
def test_next_visits_every_term_of_every_step_once_and_in_order(walk):
    places = list(walk.places())
    assert places == sorted(set(places))
    assert places[0] == walk.first()
    assert places[-1] == walk.last()
    expected = [Place(Phase.FORWARD, index) for index in range(len(walk.forward))]
    expected.append(Place(Phase.LOSS))
    for index, step in enumerate(walk.derivation):
        expected += [Place(Phase.BACKWARD, index, turn) for turn in range(len(step.terms))]
    assert places == [*expected, Place(Phase.UPDATE)]


@given(walks())
def test_previous_undoes_next(walk):
    for here, there in pairwise(walk.places()):
        assert walk.move(here, 1, Detail.TERM) == there
        assert walk.move(there, -1, Detail.TERM) == here


@given(walks(), st.data())
def test_a_count_is_so_many_single_steps_and_stops_at_the_ends(walk, data):
    places = list(walk.places())
    start = data.draw(st.integers(0, len(places) - 1))
    count = data.draw(st.integers(-len(places) - 2, len(places) + 2))
    reached = min(max(start + count, 0), len(places) - 1)
    assert walk.move(places[start], count, Detail.TERM) == places[reached]


@given(walks())
def test_the_path_s_own_term_comes_first_and_each_other_once(walk):
    for index, step in enumerate(walk.derivation):
        visited = [walk.term(Place(Phase.BACKWARD, index, turn)) for turn in range(len(step.terms))]
        assert visited[0] == step.chosen
        assert sorted(visited) == list(range(len(step.terms)))
        assert [walk.turn_of(index, term) for term in visited] == list(range(len(step.terms)))


# ── nodes, layers, phases ───────────────────────────────────────────────────────────────────────────


@given(walks())
def test_a_node_is_left_at_its_first_term_in_both_directions(walk):
    nodes = [place for place in walk.places() if place.turn == 0]
    for here, there in pairwise(nodes):
        assert walk.move(here, 1, Detail.NODE) == there
        assert walk.move(there, -1, Detail.NODE) == here
    for place in walk.places():
        assert walk.move(place, 1, Detail.NODE).turn == 0


@given(walks())
def test_a_layer_step_ends_in_another_layer_or_phase_or_at_the_end(walk):
    for place in walk.places():
        for direction in (1, -1):
            there = walk.move(place, direction, Detail.LAYER)
            ends = {1: walk.last(), -1: walk.first()}
            assert (
                there.phase is not place.phase
                or walk.layer(there) != walk.layer(place)
                or there == ends[direction]
                or there == place
            )
            assert there.turn == 0 or there == place


@given(walks())
def test_phases_are_entered_at_their_first_place(walk):
    for place in walk.places():
        for steps in (-9, -1, 0, 1, 9):
            there = walk.next_phase(place, steps)
            assert there == Place(Phase(min(max(place.phase + steps, 0), 3)))


def test_layers_of_a_walk_count_down_on_the_way_back():
    walk = walk_of("tutorial-b")
    layers = [walk.layer(Place(Phase.BACKWARD, index)) for index in range(5)]
    assert layers == [2, 2, 1, 1, 1]
    assert walk.move(FIRST_TERM, 1, Detail.LAYER) == Place(Phase.BACKWARD, 2)
    assert walk.move(FIRST_TERM, 2, Detail.LAYER) == walk.last()
    assert walk.move(walk.last(), -1, Detail.LAYER) == Place(Phase.BACKWARD, 4)


@pytest.mark.parametrize(
    ("symbol", "layer"), [(Symbol("X"), 0), (Symbol("Y_hat"), 4), (Symbol("E"), 4), (Symbol("a", 3), 3)]
)
def test_the_layer_of_a_symbol(symbol, layer):
    assert layer_of(symbol, 4) == layer


# ── what a place is about ───────────────────────────────────────────────────────────────────────────


@given(walks())
def test_places_name_what_they_are_about(walk):
    for place in walk.places():
        symbol = walk.symbol(place)
        match place.phase:
            case Phase.FORWARD:
                assert symbol == walk.derivation.graph.ops[place.index].output.symbol
            case Phase.LOSS:
                assert symbol == Symbol("E")
            case Phase.BACKWARD:
                assert symbol == walk.derivation.path[place.index + 1]
            case Phase.UPDATE:
                assert symbol == walk.derivation.target


@given(walks(), st.sampled_from(Phase), st.integers(0, 99), st.integers(0, 99))
def test_a_place_of_another_derivation_is_moved_to_one_that_exists(walk, phase, index, turn):
    place = walk.clamped(Place(phase, index, turn))
    assert place in set(walk.places())
    assert walk.clamped(place) == place


def test_a_deep_walk_is_stepped_without_listing_it():
    walk = walk_of("deep")
    assert walk.size(Phase.BACKWARD) == 103
    assert walk.move(FIRST_TERM, 99_999, Detail.TERM) == walk.last()
    assert walk.move(walk.last(), -99_999, Detail.NODE) == walk.first()
