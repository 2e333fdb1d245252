"""The lines above every training screen: what matters most is never left out, and nothing runs over."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formula.notation import Style
from tests.tui.trainings import live_on
from tui.training.status_lines import LaneStatus, lane_status, progress_line, title_line

STATUS = LaneStatus(
    name="vanishing-sigmoid-50",
    title="Fifty layers of sigmoid",
    step=120,
    limit=200,
    loss_first=0.6931,
    loss=0.693,
    accuracy=0.51,
    recall=(0.25, 0.75),
    learning_rate=0.1,
    problem=None,
)


def line(width: int, label: str = "", *, ascii_only: bool = False, **changes: object) -> str:
    status = dataclasses.replace(STATUS, **changes)  # type: ignore[arg-type]
    return progress_line(status, Style(digits=4, ascii=ascii_only), width, label).plain


def test_all_of_it_where_there_is_room():
    text = line(120, "█ sigmoid")
    assert text.startswith(" █ sigmoid  step 120 of 200 ██████████░░░░░░")
    assert text.endswith("ℰ 0.6931 → 0.693   accuracy 51 % (Y=0 25 %, Y=1 75 %)   η 0.1")


def test_step_and_loss_are_the_last_to_go():
    for width in range(52, 120):
        text = line(width)
        assert len(text) <= width
        assert "step 120 of 200" in text
        assert "ℰ 0.6931 → 0.693" in text
    assert "accuracy 51 %" in line(80, "█ vanishing-sigmoid-50")


def test_what_is_not_known_is_not_told():
    text = line(120, limit=None, loss=None, accuracy=None, recall=(), learning_rate=None)
    assert text == " step 120"
    assert "Y=0" not in line(120, recall=(math.nan, 0.5))


def test_in_ascii():
    text = line(120, ascii_only=True)
    assert text.isascii()
    assert "E 0.6931 -> 0.693" in text
    assert "lr 0.1" in text


@given(st.integers(0, 10**9), st.integers(1, 10**9) | st.none(), st.integers(60, 200))
def test_the_bar_is_never_longer_than_it_is(step, limit, width):
    text = line(width, step=step, limit=limit)
    assert text.count("█") + text.count("░") in (0, 16)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_title_fills_the_line_and_says_what_is_being_done(width):
    live = live_on()
    style = Style(digits=4)
    status = lane_status(live.lane)
    assert title_line(live, status, width, style).cell_length == width
    assert title_line(live, status, width, style).plain.endswith("‖ paused ")
    assert "steps/s" not in title_line(live, status, width, style).plain
    live.change_speed(-1)
    assert "slowed to 100/s" in title_line(live, status, width, style).plain
    live.one_step(2)
    live.travel(-1)
    assert title_line(live, status, width, style).plain.endswith("looking back ")


def test_the_status_of_a_fresh_lane():
    status = lane_status(live_on().lane)
    assert (status.step, status.limit, status.loss, status.learning_rate) == (0, 150, None, 0.01)
