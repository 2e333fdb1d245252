"""What is said at each position: every formula is the number beside it, and everything fits where it is said."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.experiment.loading import PRESET_NAMES
from engine.experiment.presets import preset_text
from engine.formula.expression import Symbol
from engine.formula.notation import Style
from engine.formula.number_text import is_exact, number_text
from tests.engine.networks import SMALL_PRESETS
from tests.tui.experiments import READABLE, positions_of, session, session_of, traversals
from tui.session.network_session import NetworkSession
from tui.stepper.describe_backward_pass import describe_backward
from tui.stepper.describe_forward_pass import describe_forward, describe_loss
from tui.stepper.describe_update import describe_update, update_lines, update_size
from tui.stepper.description import Description
from tui.stepper.equation import Equation, typeset, typeset_flat
from tui.stepper.running_product import running_lines
from tui.stepper.term_panel import term_page
from tui.stepper.traversal import FIRST_TERM, Phase, Position, Traversal

UNICODE, ASCII = Style(digits=4), Style(digits=4, ascii=True)
MOST_PLACES = 150


def description_at(
    opened: NetworkSession | None, traversal: Traversal, position: Position, style: Style = UNICODE
) -> Description:
    """Only the update has to be told with what was opened."""
    match position.phase:
        case Phase.FORWARD:
            return describe_forward(traversal, position, style)
        case Phase.LOSS:
            return describe_loss(traversal, style)
        case Phase.BACKWARD:
            return describe_backward(traversal, position, style)
    assert opened is not None
    return describe_update(opened, traversal, None, style, position.index)


@cache
def told(name: str) -> tuple[NetworkSession, Traversal]:
    opened = session(name)
    derivation = opened.explain(opened.first_target())
    return opened, Traversal(derivation, update_size(opened, derivation.target))


def positions(traversal: Traversal) -> Iterator[Position]:
    """Every position of a short traversal; of a long one the first nodes and terms, the loss and the update."""
    first = islice((position for position in positions_of(traversal) if position.turn < 5), MOST_PLACES)
    return iter(dict.fromkeys([*first, Position(Phase.LOSS), FIRST_TERM, traversal.last()]))


def equations_of(description: Description) -> Iterator[Equation]:
    """What a position says itself, what leads to it and what they make together."""
    yield from description.equations
    yield from (earlier() for earlier in description.before[-3:])  # those before were said themselves
    if description.together is not None:
        yield description.together


def assert_is_the_number_beside_it(
    equation: Equation, opened: NetworkSession | None, traversal: Traversal
) -> None:
    values = traversal.derivation.graph.value_of
    if opened is not None:
        values = opened.by_hand.values(traversal.derivation.target, opened.learning_rate)
    same = {"rel": 1e-12, "abs": 1e-300, "nan_ok": True}
    if traversal.derivation.graph.dtype != np.float64:
        same["rel"] = 1e-5
    assert equation.formula.evaluate(values) == pytest.approx(equation.value, **same)
    assert equation.substituted.evaluate({}) == pytest.approx(equation.value, **same)
    assert not list(equation.substituted.symbols())
    if isinstance(equation.name, Symbol):
        assert values(equation.name) == pytest.approx(equation.value, **same)


# ── formulas and numbers ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [*PRESET_NAMES, "deep", "wide"])
def test_every_formula_of_every_story_is_the_number_beside_it(name):
    opened, traversal = told(name)
    for position in positions(traversal):
        for equation in equations_of(description_at(opened, traversal, position)):
            assert_is_the_number_beside_it(equation, opened, traversal)


@given(traversals())
def test_every_formula_is_the_number_beside_it_in_random_networks(traversal):
    for position in positions_of(traversal):
        if position.phase is Phase.UPDATE:
            continue
        for equation in equations_of(description_at(None, traversal, position)):
            if math.isfinite(equation.value):
                assert_is_the_number_beside_it(equation, None, traversal)


def test_a_term_off_the_path_says_so_and_what_it_adds():
    opened, traversal = told("residual-fork")
    position = Position(Phase.BACKWARD, 3, 2)
    assert any(
        "Another term of the sum" in text for _, text in description_at(opened, traversal, position).notes
    )
    adds, gradient = running_lines(traversal, position, UNICODE, 76)
    assert adds == "This term  ∂ℰ/∂f⁽³⁾₁₀ · ∂f⁽³⁾₁₀/∂a⁽²⁾₁₀ = 0.1795 · 0.1 ≈ 0.01795"
    assert gradient == "Gradient   ∂ℰ/∂a⁽²⁾₁₀ = 0.1795 + 0 + 0.01795 ≈ 0.1975"


def test_the_multiplied_out_form_is_told_where_there_is_one():
    opened, traversal = told("tutorial-a")
    notes = [text for _, text in description_at(opened, traversal, Position(Phase.BACKWARD, 1)).notes]
    assert notes == ["Multiplied out: ∂ℰ/∂f⁽¹⁾₀₀ = Ŷ₀₀ − Y₀₀ ≈ −0.3543   (X: line by line)"]


def test_a_saturated_loss_is_told_from_the_sums():
    opened = session_of(
        """
        [data]
        kind = "inline"
        X = [[800.0, -800.0]]
        Y = [[0, 1]]
        [network]
        layers = [{units = 1, activation = "sigmoid", W = [[1.0]]}]
        [loss]
        kind = "bce"
        """
    )
    traversal = Traversal(opened.explain(Symbol("W", 1, (0, 0))))
    description = describe_loss(traversal, UNICODE)
    (equation,) = description.equations
    assert math.isfinite(equation.value)
    assert_is_the_number_beside_it(equation, opened, traversal)
    assert any(kind == "remark" and "finite" in text for kind, text in description.notes)
    for position in positions_of(traversal):
        description_at(opened, traversal, position)


# ── the update ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", READABLE)
def test_the_update_story_foretells_what_the_update_then_does(name):
    opened = session(name)
    traversal = Traversal(opened.explain(opened.first_target()))
    (equation,) = describe_update(opened, traversal, None, UNICODE).equations
    target = traversal.derivation.target
    update = opened.update((target,))
    assert opened.value_of(target) == pytest.approx(equation.value, rel=1e-14)
    assert update.watched[0].after == opened.value_of(target)


def test_an_update_says_which_way_a_weight_goes():
    opened, traversal = told("tutorial-b")
    assert "it falls" in describe_update(opened, traversal, None, UNICODE).notes[0][1]
    rising = Traversal(opened.explain(Symbol("W", 1, (0, 0))))
    assert "it rises" in describe_update(opened, rising, None, UNICODE).notes[0][1]


@pytest.mark.parametrize(
    ("target", "why"), [("X", "is given"), ("f", "is computed"), ("W", "is frozen"), ("b", None)]
)
def test_what_is_not_learned_is_said_to_stay(target, why):
    opened = session_of(
        """
        [data]
        kind = "inline"
        X = [[1.0]]
        Y = [[1]]
        [network]
        bias = true
        layers = [{units = 1, activation = "sigmoid", W = [[2.0]], frozen = ["W"]}]
        [loss]
        kind = "bce"
        """
    )
    symbol = Symbol(target, None if target == "X" else 1, (0, 0))
    description = describe_update(opened, Traversal(opened.explain(symbol)), None, UNICODE)
    before = opened.value_of(symbol)
    opened.update(())
    if why is None:
        assert description.equations
        assert opened.value_of(symbol) != before
    else:
        assert not description.equations
        assert why in description.notes[0][1]
    if target in ("W", "X"):
        assert opened.value_of(symbol) == before


def test_an_applied_update_tells_every_scalar_that_was_watched_and_the_loss():
    opened = session("tutorial-b")
    watched = (Symbol("W", 1, (1, 1)), Symbol("f", 1, (1, 0)))
    update = opened.update(watched)
    description = describe_update(opened, Traversal(opened.explain(watched[0])), update, UNICODE)
    assert [text.split() for _, text in description.notes] == [
        ["W⁽¹⁾₁₁", "0.2", "→", "0.1808"],
        ["f⁽¹⁾₁₀", "0.54", "→", "0.4366"],
    ]
    lines = update_lines(opened, update, UNICODE)
    assert lines[0] == "The loss     0.6549 → 0.5731, a change of −0.0818"
    assert "−0.08552" in lines[1]
    assert all(len(line) <= 76 for line in lines)


# ── the running product and the sum ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("style", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("name", READABLE)
def test_the_running_lines_end_with_the_numbers_and_fit(name, style):
    _, traversal = told(name)
    for position in positions(traversal):
        if position.phase is not Phase.BACKWARD:
            continue
        step = traversal.derivation[position.index]
        for width in (76, 116):
            so_far, gradient = running_lines(traversal, position, style, width)
            last = step.terms[traversal.term(position)].contribution if position.turn else step.running
            assert so_far.endswith(number_text(last, style))
            assert gradient.endswith(number_text(step.gradient, style))
            assert max(len(so_far), len(gradient)) <= width
            assert not style.ascii or (so_far + gradient).isascii()


def test_a_short_sum_is_written_out():
    _, traversal = told("residual-fork")
    lines = running_lines(traversal, Position(Phase.BACKWARD, 3), UNICODE, 116)
    assert lines[0] == "So far     −0.4488 · 1 · (−0.4) · 1 ≈ 0.1795"
    assert lines[1] == "Gradient   ∂ℰ/∂a⁽²⁾₁₀ = 0.1795 + 0 + 0.01795 ≈ 0.1975"


# ── everything fits ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("style", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("name", SMALL_PRESETS)
def test_at_80_by_24_every_story_is_shown_whole(name, style):
    """The term panel has 76×8 cells there, and 116×6 at 120×40. ASCII, which is wider, may lose a faint note."""
    opened, traversal = told(name)
    for position in positions_of(traversal):
        if position.turn > 4:
            continue
        description = description_at(opened, traversal, position, style)
        if style.ascii:
            description = replace(
                description, notes=tuple(note for note in description.notes if note[0] != "faint")
            )
        for width, height in ((76, 8), (116, 6)):
            content = term_page(description, style, width, height)
            assert content.get_height({}, width) <= height, f"{position}\n{content.plain}"


def sides(draw: st.DrawFn) -> tuple[Equation, int]:
    traversal = draw(traversals())
    position = draw(st.sampled_from([p for p in positions_of(traversal) if p.phase < Phase.UPDATE]))
    description = (
        describe_forward(traversal, position, UNICODE)
        if position.phase is Phase.FORWARD
        else describe_loss(traversal, UNICODE)
        if position.phase is Phase.LOSS
        else describe_backward(traversal, position, UNICODE)
    )
    return description.equations[0], draw(st.integers(50, 130))


@pytest.mark.parametrize("style", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("typesetter", [typeset, typeset_flat])
@given(st.composite(sides)())
def test_no_equation_is_wider_than_its_room_and_each_ends_with_its_value(typesetter, style, drawn_equation):
    equation, width = drawn_equation
    style = replace(style, max_terms=6)
    content = typesetter(equation, style, width, "$value")
    lines = content.plain.split("\n")
    assert max(map(len, lines)) <= width
    assert number_text(equation.value, style) in content.plain
    assert [span for span in content.spans if "$value" in str(span.style)]
    same = "=" if is_exact(equation.value, style) else "~" if style.ascii else "≈"
    assert f" {same} {number_text(equation.value, style)}" in content.plain
    assert not style.ascii or content.plain.isascii()


@pytest.mark.parametrize("typesetter", [typeset, typeset_flat])
def test_a_constant_is_not_said_twice(typesetter):
    _, traversal = told("residual-fork")
    term = traversal.derivation[3].term
    equation = Equation(term.symbol, term.formula, term.substituted, term.local)
    assert typesetter(equation, UNICODE, 76, "$value").plain.split("=")[1:] == [
        typesetter(equation, UNICODE, 76, "").plain.split("=")[1]
    ]


def test_a_tall_equation_gives_way_to_a_flat_one_and_then_to_a_shorter_one():
    _, traversal = told("tutorial-a-weighted")
    description = describe_backward(traversal, FIRST_TERM, UNICODE)
    assert "───" in term_page(description, UNICODE, 76, 8).plain
    flat = term_page(description, UNICODE, 76, 5).plain
    assert "───" not in flat
    assert flat.split("\n")[1].startswith("∂ℰ/∂Ŷ₀,₅₉₈ = (−αY₀,₅₉₈/Ŷ₀,₅₉₈+β(1−Y₀,₅₉₈)/(1−Ŷ₀,₅₉₈))/n")
    assert flat.split("\n")[2].endswith("≈ −0.01818")


def test_where_there_is_room_the_factors_that_came_before_and_their_product_are_shown():
    _, traversal = told("tutorial-b")
    last = Position(Phase.BACKWARD, 4)
    text = term_page(describe_backward(traversal, last, UNICODE), UNICODE, 96, 45).plain
    heading, together, before = (
        text.index("The input"),
        text.index("All together"),
        text.index("What came before"),
    )
    assert heading < together < before
    assert "· W⁽²⁾₁₀ · 1{f⁽¹⁾₁₀ > 0} · X₁₀" in text[together:before]
    assert "≈ 0.1922" in text[together:before]
    assert [text[before:].count(name) for name in ("≈ −1.925", "≈ 0.2496", "= W⁽²⁾₁₀ = −0.8")] == [1, 1, 1]


def test_what_came_before_is_cut_to_the_last_that_fit_and_left_out_without_room():
    _, traversal = told("tutorial-b")
    third = describe_backward(traversal, Position(Phase.BACKWARD, 2), UNICODE)
    assert "What came before (the last 1 of 2)" in term_page(third, UNICODE, 96, 10).plain
    assert "What came before" not in term_page(third, UNICODE, 96, 8).plain


BISHOP = """
[notation]
preactivation = "a"
activation = "z"
loss = "J"
prediction = "y"
label = "t"
weights = "Θ"
input = "x"
"""
CANONICAL = {"a": "f", "z": "a", "J": "E", "y": "Y_hat", "t": "Y", "Θ": "W", "Theta": "W", "x": "X"}


@pytest.mark.parametrize("name", SMALL_PRESETS)
@pytest.mark.parametrize("style", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_own_letters_are_said_once_also_where_two_have_changed_places(name: str, style: Style):
    """A heading in own letters is the canonical one, letter for letter."""
    drawn = {} if style.ascii else {"Y_hat": "Ŷ", "E": "ℰ"}
    letters = "|".join(CANONICAL)
    symbol = re.compile(rf"(?:(?<=[∂/])|(?<=\bd)|(?<=/d)|(?<![\w∂]))({letters})(?=[⁽₀₁₂\[_/])")
    told = []
    for text in (preset_text(name), preset_text(name) + BISHOP):
        opened = session_of(text, name)
        derivation = opened.explain(Symbol("W", 1, (0, 0)))
        traversal = Traversal(derivation, update_size(opened, derivation.target))
        own = replace(style, names=opened.names)
        told.append([description_at(opened, traversal, one, own) for one in islice(positions(traversal), 40)])
    for before, after in zip(*told, strict=True):
        back = symbol.sub(lambda found: drawn.get(CANONICAL[found[1]], CANONICAL[found[1]]), after.heading)
        assert back == before.heading
        assert [kind for kind, _ in after.notes] == [kind for kind, _ in before.notes]
