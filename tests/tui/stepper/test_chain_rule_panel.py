"""The chain-rule panel: what stands left and right of "=" is equal, for any network, path and sample."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.derivation.chain_rule import Derivation, explain
from engine.derivation.chain_sum import chain_sum
from engine.formula.notation import Style
from engine.formula.numbers_in_words import count_in_words
from tests.engine.derivation.test_chain_rule import drawn_target
from tests.engine.networks import Case, cases, is_unsaturated
from tests.tui.driver import SMALL, app_on, press, screen_text, stepper
from tui.stepper.chain_rule_panel import ChainProgress, drawn_chain, rest_in_words
from tui.stepper.traversal import Phase, Position

EXACT = Style(digits=15, ascii=True)
NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"


def equation_read(derivation: Derivation, progress: ChainProgress) -> tuple[float, float]:
    """Both sides of the panel's equation, read from its text alone."""
    content, _ = drawn_chain(derivation, progress, EXACT, 10_000)
    *fractions, numbers = content.plain.splitlines()
    left, *factors = [float(number) for number in re.findall(NUMBER, numbers)]
    assert len(factors) == len(derivation)
    told = rest_in_words(chain_sum(derivation), EXACT)
    rest = [float(value) for value in re.findall(rf"more \w+ ({NUMBER})", told)]
    assert bool(rest) == ("+ rest" in "\n".join(fractions))
    return left, math.prod(factors) + sum(rest)


@settings(max_examples=60)
@given(case=cases(max_depth=4, max_width=4, max_n=5), data=st.data())
def test_what_stands_left_and_right_of_the_equals_sign_is_equal(case: Case, data: st.DataObject):
    graph = case.graph()
    graph.forward()
    graph.backward()
    assume(is_unsaturated(graph))
    derivation = explain(graph, drawn_target(data, graph))
    index = data.draw(st.integers(0, len(derivation) - 1))
    branch = derivation.follow(index, data.draw(st.integers(0, len(derivation[index].terms) - 1)))
    for one in (derivation, branch):
        left, right = equation_read(one, ChainProgress(len(one)))
        scale = max(abs(left), *(abs(share.value) for share in one.samples), abs(one[-1].running))
        assert left == pytest.approx(right, rel=1e-9, abs=1e-9 * scale)


async def test_two_samples_are_a_product_and_a_rest():
    app = app_on("tutorial-a-loss")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "end")
        text = screen_text(app)
        assert "+ rest" in text
        assert "rest: 1 more sample −0.1099" in text
        assert "−0.2485" in text


async def test_a_term_of_another_sample_is_shown_with_its_own_chain_and_its_own_sample():
    app = app_on("tutorial-a-wine")
    async with app.run_test(size=SMALL) as pilot:
        own = stepper(app).derivation.sample
        target_step = len(stepper(app).derivation) - 1
        stepper(app).go(Position(Phase.BACKWARD, target_step, 1))
        await pilot.pause()
        other = (
            stepper(app).derivation[-1].terms[stepper(app).traversal.term(stepper(app).position)].via.index[1]
        )
        text = screen_text(app)
        assert other != own
        assert f"sample {other} (Y=" in text
        assert "the chain above leads through it" in text


def test_a_count_of_paths_has_words_however_large_it_is():
    assert count_in_words(1099, Style()) == "1,099"
    assert count_in_words(10**87, Style()) == "about 10⁸⁷"
