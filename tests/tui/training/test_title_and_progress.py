"""The lines above every training screen: what matters most is never left out, and nothing runs over."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from engine.formula.notation import Style
from tests.engine.step_records import record
from tests.tui.trainings import training_on
from tui.session.training_snapshot import RunSnapshot
from tui.training.title_and_progress import progress_line, title_line

STEP = record(119, loss=0.693, accuracy=0.51, recall=(0.25, 0.75))
RUN = RunSnapshot(
    name="vanishing-sigmoid-50",
    title="Fifty layers of sigmoid",
    about="",
    described=(),
    first=record(0, loss=0.6931),
    record=STEP,
    steps_done=120,
    column=None,
    limit=200,
    learning_rate=0.1,
)


def line(width: int, label: str = "", *, ascii_only: bool = False, **changes: object) -> str:
    run = replace(RUN, **changes)  # type: ignore[arg-type]
    return progress_line(run, Style(digits=4, ascii=ascii_only), width, label).plain


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
    text = line(120, limit=None, record=None, learning_rate=None)
    assert text == " step 120"
    assert "Y=0" not in line(120, record=record(119, recall=(math.nan, 0.5)))


def test_in_ascii():
    text = line(120, ascii_only=True)
    assert text.isascii()
    assert "E 0.6931 -> 0.693" in text
    assert "lr 0.1" in text


@given(st.integers(0, 10**9), st.integers(1, 10**9) | st.none(), st.integers(60, 200))
def test_the_bar_is_never_longer_than_it_is(step, limit, width):
    text = line(width, steps_done=step, limit=limit)
    assert text.count("█") + text.count("░") in (0, 16)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_title_fills_the_line_and_says_what_is_being_done(width):
    training = training_on()
    style = Style(digits=4)

    def title() -> Content:
        return title_line(training.snapshot(), width, style)

    assert title().cell_length == width
    assert title().plain.endswith("‖ paused ")
    assert "steps/s" not in title().plain
    training.change_speed(-1)
    assert "slowed to 100/s" in title().plain
    training.one_step(2)
    training.travel(-1)
    assert title().plain.endswith("looking back ")


def test_a_fresh_run():
    run = training_on().snapshot().first
    text = progress_line(run, Style(digits=4), 120).plain
    assert text.startswith(f" step 0 of 150 ░░░░░░░░░░░░░░░░   ℰ {run.record.loss:.4g}   accuracy ")
    assert "→" not in text
    assert text.endswith("η 0.01")


def test_held_out_samples_stand_beside_the_training():
    tested = record(
        119, loss=0.693, accuracy=0.51, recall=(), test_loss=0.712, test_accuracy=0.4, test_step=100
    )
    assert "accuracy 51 %   test 0.712, 40 %" in line(120, record=tested)
    assert len(line(60, record=tested)) <= 60
    regression = record(
        119, loss=0.693, accuracy=None, recall=(), test_loss=0.712, test_accuracy=None, test_step=0
    )
    assert "test 0.712" in line(120, record=regression)
    assert "test" not in line(120)
