"""The network in one line: the path, where on it one is, and no more of it than there is room for."""

from __future__ import annotations

import pytest

from engine.formula.notation import Style
from engine.formula.text_width import cells
from tests.tui.driver import SMALL, app_on, press, screen_text, stepper, until
from tui.session.network_session import NetworkSession
from tui.stepper.path_line import path_line


def test_the_step_s_own_line_is_heavy():
    session = NetworkSession.open("tutorial-b")
    derivation = session.explain(session.first_target())
    said = [path_line(derivation, step, Style(), 70).plain for step in range(len(derivation))]
    assert said[0] == "W⁽¹⁾₁₁ ─ f⁽¹⁾₁₀ ─ a⁽¹⁾₁₀ ─ f⁽²⁾₀₀ ─ Ŷ₀₀ ━ ℰ"
    assert said[2] == "W⁽¹⁾₁₁ ─ f⁽¹⁾₁₀ ─ a⁽¹⁾₁₀ ━ f⁽²⁾₀₀ ─ Ŷ₀₀ ─ ℰ"
    assert said[4] == "W⁽¹⁾₁₁ ━ f⁽¹⁾₁₀ ─ a⁽¹⁾₁₀ ─ f⁽²⁾₀₀ ─ Ŷ₀₀ ─ ℰ"
    assert path_line(derivation, 2, Style(ascii=True), 70).plain.isascii()


@pytest.mark.parametrize("width", [30, 50, 74])
def test_of_a_long_path_what_is_around_the_step_is_shown(width):
    session = NetworkSession.open("vanishing-sigmoid-50")
    derivation = session.explain(session.first_target())
    for step in (0, 1, 40, len(derivation) - 1):
        line = path_line(derivation, step, Style(), width).plain
        assert cells(line) <= width
        assert line.count("━") == 1
        assert line.startswith("‹ ") == (step < len(derivation) - 1 - 3)
        assert line.endswith(" ›") == (step > 3)


async def test_at_80_columns_the_path_stands_above_the_term_in_the_backward_pass_only():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await until(pilot, lambda: "Ŷ₀₀ ━ ℰ" in screen_text(app))
        await press(pilot, "right")
        await until(pilot, lambda: "f⁽²⁾₀₀ ━ Ŷ₀₀ ─ ℰ" in screen_text(app))
        await press(pilot, "shift+tab")
        await until(pilot, lambda: "━" not in screen_text(app))
        await pilot.resize_terminal(120, 40)
        await press(pilot, "tab")
        await until(pilot, lambda: "Network" in screen_text(app))
        assert str(stepper(app).query_one("#term-panel").border_title or "") == ""


async def test_a_term_of_another_sample_has_its_own_path_above_it():
    """Panel, header, path and text are all of the sample that is looked at."""
    app = app_on("tutorial-a-wine")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, "right", "right")
        await until(pilot, lambda: "W⁽¹⁾₀₀ ━ f⁽¹⁾₀₀ ─ Ŷ₀₀ ─ ℰ" in screen_text(app))
        await press(pilot, "right")
        await until(pilot, lambda: "W⁽¹⁾₀₀ ━ f⁽¹⁾₀₁ ─ Ŷ₀₁ ─ ℰ" in screen_text(app))
        assert "sample 1 (Y=0)" in screen_text(app)
        assert "Ŷ₀₀" not in screen_text(app)
