"""The app, key by key: what a newcomer, a student, a lecturer and somebody with a typo see and get."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList, Static

import tui.stepper.autoplay
from engine.export.derivation_document import written_latex, written_markdown, written_text
from engine.formula.expression import Symbol
from engine.formula.text_width import cells
from tests.engine.networks import SMALL_PRESETS
from tests.tui.driver import LARGE, SMALL, app_on, press, screen_text, stepper, typed, until
from tests.tui.experiments import WIDE, written
from tests.tui.session.test_session import state
from tui.app import BptuiApp
from tui.shell.home_screen import HomeScreen
from tui.shell.prompt import Prompt
from tui.shell.reading_screen import ReadingScreen
from tui.shell.theme import LIGHT
from tui.shell.user_settings import keys_path, recent_files
from tui.stepper.chain_rule_panel import ChainRulePanel
from tui.stepper.diagram import Diagram
from tui.stepper.export_dialog import ExportDialog
from tui.stepper.network_diagram import NetworkDiagram
from tui.stepper.network_map_screen import NetworkMapScreen
from tui.stepper.phase_bar import PhaseBar
from tui.stepper.stepper_screen import StepperScreen
from tui.stepper.term_table import TermTable
from tui.stepper.traversal import FIRST_TERM, Detail, Phase, Position

FACTORS = ("∂ℰ", "∂Ŷ₀₀", "∂f⁽²⁾₀₀", "∂a⁽¹⁾₁₀", "∂f⁽¹⁾₁₀", "∂W⁽¹⁾₁₁")


def page(app: BptuiApp) -> str:
    """The whole text of the page that is being read."""
    assert isinstance(app.screen, ReadingScreen)
    return app.screen.query_one("#text", Static).render().plain  # type: ignore[union-attr]


def notes(app: BptuiApp) -> list[str]:
    """What has been notified."""
    return [notification.message for notification in app._notifications]


def unboxed(app: BptuiApp) -> str:
    """The screen's words, in which a sentence that wraps in a box is one sentence."""
    return " ".join(screen_text(app).replace("│", " ").split())


def places_of(app: BptuiApp) -> tuple[Phase, int, int]:
    position = stepper(app).position
    return position.phase, position.index, position.turn


# ── the newcomer ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_newcomer_told_nothing_sees_the_first_chain_rule_term_after_one_key(size):
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "Choose an experiment and press Enter." in screen_text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        await until(pilot, lambda: "∂ℰ/∂Ŷ₀₀" in screen_text(app))
        assert stepper(app).position == FIRST_TERM
        text = screen_text(app)
        assert "▸ Backward" in text
        assert "Chain rule" in text
        assert re.search(r"So far +−\d", text)


async def test_home_lists_the_tutorials_in_their_order_and_says_what_each_shows():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        text = screen_text(app)
        places = [text.index(f" {name} ") for name in SMALL_PRESETS]
        assert places == sorted(places)
        assert "every gradient can be worked out by hand" in text
        await press(pilot, *["down"] * 5)
        assert "reaches the loss through five factors" in screen_text(app)


# ── moving ──────────────────────────────────────────────────────────────────────────────────────────


async def test_the_five_factors_of_the_tutorial_one_after_the_other():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        products = ["−1.925", "−0.4805", "0.3844", "0.3844", "0.1922"]
        for index, product in enumerate(products):
            text = screen_text(app)
            assert places_of(app) == (Phase.BACKWARD, index, 0)
            assert f"{FACTORS[index]}/{FACTORS[index + 1]}" in text
            assert re.search(rf"So far .*{product} +│", text)
            assert f"step {index + 1} of 5" in text
            await press(pilot, "right")
        assert stepper(app).position.phase is Phase.UPDATE
        assert "becomes" in screen_text(app)


MOVES = [
    (["right"], (Phase.BACKWARD, 1, 0)),
    (["right", "right", "right"], (Phase.BACKWARD, 3, 0)),
    (["right", "left"], (Phase.BACKWARD, 0, 0)),
    (["right", "right", "left", "left"], (Phase.BACKWARD, 0, 0)),
    (["left"], (Phase.LOSS, 0, 0)),
    (["left", "left"], (Phase.FORWARD, 3, 0)),
    (["down", "down"], (Phase.BACKWARD, 2, 0)),
    (["down", "up"], (Phase.BACKWARD, 0, 0)),
    (["up"], (Phase.LOSS, 0, 0)),
    (["tab"], (Phase.UPDATE, 0, 0)),
    (["shift+tab"], (Phase.LOSS, 0, 0)),
    (["shift+tab", "shift+tab"], (Phase.FORWARD, 0, 0)),
    (["home"], (Phase.FORWARD, 0, 0)),
    (["end"], (Phase.UPDATE, 0, 0)),
    (["end", "right"], (Phase.UPDATE, 0, 0)),
    (["home", "left"], (Phase.FORWARD, 0, 0)),
    (["2", "right"], (Phase.BACKWARD, 2, 0)),
    (["1", "2", "right"], (Phase.UPDATE, 0, 0)),
    (["end", "3", "left"], (Phase.BACKWARD, 2, 0)),
    (["2", "down"], (Phase.BACKWARD, 2, 0)),
    (["2", "shift+tab"], (Phase.FORWARD, 0, 0)),
    (["9", "9", "9", "9", "9", "9", "9", "right"], (Phase.UPDATE, 0, 0)),
    (["0", "right"], (Phase.BACKWARD, 1, 0)),
    (["3", "escape", "right"], (Phase.BACKWARD, 1, 0)),
]


async def test_every_move_ends_where_it_should():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        for keys, position in MOVES:
            stepper(app).go(FIRST_TERM)
            await press(pilot, *keys)
            assert places_of(app) == position, keys


async def test_a_count_is_shown_while_it_is_typed():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "1", "2")
        assert " 12…" in screen_text(app)
        await press(pilot, "right")
        assert " 12…" not in screen_text(app)


async def test_the_position_is_told_in_fewer_words_where_there_is_no_room_for_more():
    app = app_on("tutorial-a-wine")
    async with app.run_test(size=(60, 20)) as pilot:
        await press(pilot, "down", "down", "9", "9", "9", "right", "d")
        assert places_of(app) == (Phase.BACKWARD, 2, 999)
        assert "3/3, 1000/1100" in screen_text(app)
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert "step 3 of 3, term 1000 of 1100   by node" in screen_text(app)


async def test_a_superscript_two_is_no_count():
    """Some keyboards have a key for it, and Python calls it a digit."""
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "²", "right")
        assert places_of(app) == (Phase.BACKWARD, 1, 0)


async def test_the_detail_level_says_what_one_step_is():
    app = app_on("residual-fork")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "d")
        assert stepper(app).detail is Detail.NODE
        await press(pilot, "4", "right")
        assert places_of(app) == (Phase.BACKWARD, 4, 0)
        await press(pilot, "d")
        assert stepper(app).detail is Detail.LAYER
        await press(pilot, "home", "right")
        assert stepper(app).traversal.layer(stepper(app).position) == 2
        await press(pilot, "d")
        assert stepper(app).detail is Detail.TERM


async def test_nothing_moves_that_need_not_move():
    """From factor to factor only the marks under the product change, and the panels stay where they are."""
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        frames = []
        for _ in range(5):
            frames.append(screen_text(app).split("\n"))
            await press(pilot, "right")
        borders = [[number for number, line in enumerate(frame) if line[0] in "╭╰"] for frame in frames]
        assert all(border == borders[0] for border in borders)
        top = borders[0][2]  # the chain rule's panel
        for frame in frames:
            assert frame[top + 1 : top + 4] == frames[0][top + 1 : top + 4]


async def test_autoplay_steps_by_itself_to_the_end(monkeypatch):
    monkeypatch.setattr(tui.stepper.autoplay, "AUTOPLAY_SECONDS", 0.001)
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "space")
        await until(pilot, lambda: stepper(app).position == stepper(app).traversal.last(), tries=2000)
        await until(pilot, lambda: not stepper(app).autoplay.is_playing, tries=2000)


async def test_autoplay_is_stopped_by_the_same_key(monkeypatch):
    monkeypatch.setattr(tui.stepper.autoplay, "AUTOPLAY_SECONDS", 1000)
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "space")
        assert stepper(app).autoplay.is_playing
        assert "autoplay" in screen_text(app).lower()
        await press(pilot, "space")
        assert not stepper(app).autoplay.is_playing


# ── choosing what to differentiate by ───────────────────────────────────────────────────────────────


async def test_a_target_is_typed():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "t")
        assert isinstance(app.screen, Prompt)
        await press(pilot, *typed("W[2][0,0]"), "enter")
        assert stepper(app).derivation.target == Symbol("W", 2, (0, 0))
        assert stepper(app).position == FIRST_TERM
        assert "∂ℰ/∂W⁽²⁾₀₀" in screen_text(app)


async def test_tab_completes_a_target():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "t", *typed("w[2]"))
        box = app.screen.query_one(Input)
        await until(pilot, lambda: box._suggestion)
        await press(pilot, "tab")
        assert box.value == "W[2][0,0]"
        await press(pilot, "enter")
        assert stepper(app).derivation.target == Symbol("W", 2, (0, 0))


WRONG_TARGETS = [
    ("W[9][0,0]", "there is no W[9] in this network; did you mean W["),
    ("W[1][7,0]", "W[1][7,0] is outside W[1], which is 3×2: rows 0 to 2, columns 0 to 1"),
    ("W00", "W00 may be W[1][0,0] or W[2][0,0]: say which"),
    ("dY/dW[1][0,0]", "cannot differentiate Y: it is given, not computed"),
    ("df[1][0,0]/dW[2][0,0]", "f[1][0,0] does not depend on W[2]"),
    ("E", "E is the loss itself"),
    ("Y[0,0]", "Y is given and has no gradient here"),
    ("W[1", "column 4"),
    ("[/bold]", "column 1"),
    ("", "column 1"),
]


async def test_a_wrong_target_is_explained_and_can_be_mended():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "t")
        for answer, problem in WRONG_TARGETS:
            app.screen.query_one(Input).value = answer
            await press(pilot, "enter")
            assert isinstance(app.screen, Prompt)
            assert problem in unboxed(app)
        app.screen.query_one(Input).value = "X[1,0]"
        await pilot.pause()
        assert problem not in unboxed(app)
        await press(pilot, "enter")
        assert stepper(app).derivation.target == Symbol("X", None, (1, 0))


async def test_escape_leaves_a_question_and_everything_as_it_was():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        before = stepper(app).derivation
        for key in ("t", "S", "M", "y", "x", "J", "enter", "X", "question_mark"):
            await press(pilot, key)
            assert not isinstance(app.screen, StepperScreen), key
            await press(pilot, "escape")
            assert isinstance(app.screen, StepperScreen), key
        assert stepper(app).derivation is before


async def test_a_target_is_chosen_by_moving_through_the_map():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "M")
        assert isinstance(app.screen, NetworkMapScreen)
        assert "W[1][1,1]" in screen_text(app)
        await press(pilot, "right", "up")
        assert app.screen.cursor == Symbol("f", 1, (0, 0))
        assert "f⁽¹⁾₀₀ = 0.85" in screen_text(app)
        await press(pilot, "enter")
        assert stepper(app).derivation.target == Symbol("f", 1, (0, 0))


async def test_the_map_s_cursor_stays_in_the_picture_of_a_wide_layer():
    app = app_on("wide")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "M")
        for key in ["down"] * 9 + ["right"] * 9 + ["up"] * 5 + ["left"] * 9:
            await press(pilot, key)
            assert isinstance(app.screen, NetworkMapScreen)
            cells_shown = app.screen.query_one(NetworkDiagram)._cells.values()
            assert app.screen.cursor in cells_shown


# ── samples and branches ────────────────────────────────────────────────────────────────────────────


async def test_samples_go_round():
    app = app_on("batch-norm")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        first = stepper(app).derivation.sample
        seen = [first]
        for _ in range(4):
            await press(pilot, "semicolon")
            seen.append(stepper(app).derivation.sample)
        assert seen == [(first + step) % 4 for step in range(5)]
        await press(pilot, "comma")
        assert stepper(app).derivation.sample == (first - 1) % 4
        await press(pilot, "3", "semicolon")
        assert stepper(app).derivation.sample == (first + 2) % 4


async def test_a_sample_is_typed_and_a_wrong_one_explained():
    app = app_on("tutorial-a-wine")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "S")
        for wrong in ("2000", "-1", "x", "²", "9" * 30, ""):
            app.screen.query_one(Input).value = wrong
            await press(pilot, "enter")
            assert isinstance(app.screen, Prompt), wrong
            assert "0 to 1099" in screen_text(app), wrong
        app.screen.query_one(Input).value = "1099"
        await press(pilot, "enter")
        assert stepper(app).derivation.sample == 1099
        assert "sample 1099" in screen_text(app)


async def test_an_entry_of_one_sample_moves_to_the_other_sample_s_column():
    app = app_on("batch-norm")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "t", *typed("f[1][0,2]"), "enter")
        await press(pilot, "semicolon")
        assert stepper(app).derivation.target == Symbol("f", 1, (0, 3))


async def test_one_sample_has_no_others():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "semicolon")
        assert stepper(app).derivation.sample == 0
        assert notes(app) == ["This experiment has one sample."]


async def test_at_a_fork_b_follows_the_branch_that_is_shown():
    app = app_on("residual-fork")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "3", "down")
        before = stepper(app).derivation
        assert len(before[3].terms) == 3
        await press(pilot, "right", "right")
        shown = before[3].terms[stepper(app).traversal.term(stepper(app).position)].symbol
        await press(pilot, "b")
        after = stepper(app).derivation
        position = stepper(app).position
        assert after[position.index].term.symbol == shown
        assert position.turn == 0
        assert after.value == before.value
        assert after.path[-4:] == before.path[-4:]  # from the fork to the target nothing has changed


async def test_at_a_fork_b_goes_round_all_branches():
    app = app_on("residual-fork")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "3", "down")
        node = stepper(app).traversal.symbol(stepper(app).position)
        followed = []
        for _ in range(4):
            followed.append(stepper(app).derivation[stepper(app).position.index].chosen)
            await press(pilot, "b")
            assert stepper(app).traversal.symbol(stepper(app).position) == node
        assert sorted(followed[:3]) == [0, 1, 2]
        assert followed[3] == followed[0]


async def test_where_there_is_no_fork_b_says_so():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "b")
        assert len(notes(app)) == 1
        assert "No fork here" in notes(app)[0]


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────


PAGES = [
    ("x", "Matrices and their shapes", "(2×3) · (3×1) → (2×1)"),
    ("J", "Jacobian over the samples", "Row 0 of Ŷ by row 0 of f⁽²⁾"),
    ("enter", "The whole derivation", "∂a⁽¹⁾₁₀"),
    ("X", "Two factors, multiplied out", "Ŷ₀₀ − Y₀₀"),
    ("question_mark", "Help", "The next term"),
    ("f1", "Help", "The next term"),
]


@pytest.mark.parametrize("size", [(60, 20), SMALL, LARGE])
async def test_a_page_opens_reads_scrolls_and_closes(size):
    app = app_on("tutorial-b")
    async with app.run_test(size=size) as pilot:
        await press(pilot, "right")
        for key, title, expected in PAGES:
            await press(pilot, key)
            assert title in screen_text(app)
            await until(pilot, lambda expected=expected: expected in page(app))
            scroll = app.screen.query_one("#scroll")
            await press(pilot, "down", "down")
            assert scroll.scroll_y == min(2, scroll.max_scroll_y)
            await press(pilot, "up")
            assert scroll.scroll_y == min(1, max(scroll.max_scroll_y - 1, 0))
            await press(pilot, "escape")
            assert isinstance(app.screen, StepperScreen)
            assert places_of(app) == (Phase.BACKWARD, 1, 0)


async def test_help_opens_once_and_q_closes_it_and_not_the_app():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "question_mark", "question_mark", "f1", "q")
        assert isinstance(app.screen, StepperScreen)
        assert app.is_running


async def test_other_losses_have_no_simplification_and_say_so():
    app = app_on("residual-fork")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "X")
        assert isinstance(app.screen, StepperScreen)
        assert notes(app) == ["There is no special simplification on this path."]


async def test_the_check_stands_beside_every_gradient():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "c")
        for index in range(5):
            text = screen_text(app)
            assert "Check ✓" in text, index
            assert "they agree" in text
            await press(pilot, "right")
        await press(pilot, "c")
        assert "Check ✓" not in screen_text(app)


async def test_a_check_that_can_show_nothing_has_no_tick():
    app = app_on("vanishing-sigmoid-50")
    async with app.run_test(size=LARGE) as pilot:
        app.opened.show("stepper")
        await pilot.pause()
        await press(pilot, "c", "end")
        text = screen_text(app)
        assert "Check ?" in text
        assert "smaller than rounding lets anybody see" in text


async def test_checking_changes_no_number():
    app = app_on("batch-norm")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        before = state(stepper(app).session)
        await press(pilot, "c", "down", "down", "down", "down", "c")
        assert state(stepper(app).session) == before


# ── doing ───────────────────────────────────────────────────────────────────────────────────────────


async def test_an_update_changes_the_loss_and_undo_takes_it_back_bit_for_bit():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        before, loss = state(stepper(app).session), stepper(app).session.loss
        await press(pilot, "w")
        assert stepper(app).position.phase is Phase.UPDATE
        text = screen_text(app)
        assert "Update 1: applied to every parameter" in text
        assert re.search(r"W⁽¹⁾₁₁ +0\.2 → 0\.1808", text)
        assert "0.6549 → 0.5731" in text
        assert stepper(app).session.loss < loss
        await press(pilot, "w")
        assert "Update 2" in screen_text(app)
        await press(pilot, "z", "ctrl+z")
        assert state(stepper(app).session) == before
        assert "ℰ = 0.6549" in screen_text(app)
        await press(pilot, "z")
        await until(pilot, lambda: notes(app)[-1:] == ["There is nothing to undo."])


async def test_after_an_update_the_terms_are_those_of_the_new_parameters():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "c", "w", "shift+tab")
        assert stepper(app).position == FIRST_TERM
        text = screen_text(app)
        assert "▲−1.774" in text
        assert "Check ✓" in text


async def choose_option(pilot, name: str) -> None:
    options = pilot.app.screen.query_one(OptionList)
    index = next(i for i in range(options.option_count) if name in str(options.get_option_at_index(i).prompt))
    options.highlighted = index
    await press(pilot, "enter")


FORMATS = [
    ("Text", "txt", written_text),
    ("Markdown", "md", written_markdown),
    ("LaTeX", "tex", written_latex),
]


async def test_the_derivation_is_copied_in_every_format():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        for kind, _, write in FORMATS:
            await press(pilot, "y")
            assert isinstance(app.screen, ExportDialog)
            await choose_option(pilot, f"Copy as {kind}")
            assert isinstance(app.screen, StepperScreen)
            opened = stepper(app).session
            check = opened.check(stepper(app).derivation.target)
            assert app.clipboard == write(stepper(app).derivation, opened.title, check)
            await until(pilot, lambda: any("clipboard" in note for note in notes(app)))


async def test_the_derivation_is_saved_under_a_sensible_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        for kind, suffix, _ in FORMATS:
            await press(pilot, "y")
            await choose_option(pilot, f"Save as {kind}")
            assert app.screen.query_one(Input).value == f"derivation_tutorial-b_W_1_1_1.{suffix}"
            await press(pilot, "enter")
            await until(pilot, lambda: isinstance(app.screen, StepperScreen))
            saved = f"Saved derivation_tutorial-b_W_1_1_1.{suffix}"
            await until(pilot, lambda saved=saved: saved in notes(app))
            assert "0.1922" in Path(f"derivation_tutorial-b_W_1_1_1.{suffix}").read_text("utf-8")


async def test_saving_never_overwrites_and_says_why_it_cannot(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.txt").write_text("precious", "utf-8")
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "y")
        await choose_option(pilot, "Save as Text")
        for name, problem in (
            ("mine.txt", "mine.txt exists already; choose another name"),
            ("nowhere/mine.txt", "nowhere/mine.txt: No such file or directory"),
            ("~nobody-of-that-name/mine.txt", "No such file or directory"),
            (".", ". exists already; choose another name"),
            ("", "a file name, please"),
        ):
            app.screen.query_one(Input).value = name
            await press(pilot, "enter")
            assert isinstance(app.screen, Prompt)
            assert problem in unboxed(app)
        assert Path("mine.txt").read_text("utf-8") == "precious"
        app.screen.query_one(Input).value = "yours.txt"
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        assert Path("yours.txt").read_text("utf-8")


# ── the mouse ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_click_on_a_phase_or_a_factor_goes_there():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        for columns, phase in app.screen.query_one(PhaseBar)._columns:
            await pilot.click(PhaseBar, offset=(columns.start + 3, 0))
            await pilot.pause()
            assert stepper(app).position == Position(phase)
        for columns, index in app.screen.query_one(ChainRulePanel)._places:
            await pilot.click(ChainRulePanel, offset=(columns.start + 4, 1))
            await pilot.pause()
            assert places_of(app) == (Phase.BACKWARD, index, 0)
        assert index == 4


async def test_a_click_on_a_row_of_the_table_goes_there():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        shown = app.screen.query_one(TermTable)._shown
        for line, row in enumerate(shown, start=1):
            await pilot.click(TermTable, offset=(8, line))
            await pilot.pause()
            assert stepper(app).position == row.position
            assert "▸" in screen_text(app).split("Terms")[1]


async def test_a_click_on_a_cell_makes_it_the_target():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: app.screen.query_one(NetworkDiagram)._cells)
        cells_shown = app.screen.query_one(NetworkDiagram)._cells
        (left, top), symbol = next(item for item in cells_shown.items() if item[1] == Symbol("W", 2, (0, 0)))
        await pilot.click(NetworkDiagram, offset=(left + 2, top))
        await pilot.pause()
        assert stepper(app).derivation.target == symbol
        (left, top), _ = next(item for item in cells_shown.items() if item[1] == Symbol("E"))
        await pilot.click(NetworkDiagram, offset=(left + 2, top))
        await pilot.pause()
        assert stepper(app).derivation.target == symbol


async def test_clicks_beside_everything_do_nothing():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        before = (stepper(app).position, stepper(app).derivation)
        for widget, offset in (
            (PhaseBar, (100, 0)),
            (ChainRulePanel, (110, 2)),
            (TermTable, (3, 0)),
            (NetworkDiagram, (0, 0)),
        ):
            await pilot.click(widget, offset=offset)
            await pilot.pause()
        assert (stepper(app).position, stepper(app).derivation) == before


async def test_a_click_on_the_map_chooses():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "M")
        cells_shown = app.screen.query_one(NetworkDiagram)._cells
        (left, top), _ = next(item for item in cells_shown.items() if item[1] == Symbol("X", None, (2, 0)))
        await pilot.click(NetworkDiagram, offset=(left + 2, top))
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        assert stepper(app).derivation.target == Symbol("X", None, (2, 0))


# ── sizes, glyphs, colours ──────────────────────────────────────────────────────────────────────────


async def test_the_window_may_be_resized_at_any_time():
    app = app_on("residual-fork")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "3", "right")
        position = stepper(app).position
        for width, height in (
            (55, 15),
            (80, 24),
            (120, 40),
            (200, 60),
            (60, 20),
            (120, 24),
            (80, 40),
            (300, 100),
        ):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            await pilot.pause()
            text = screen_text(app)
            assert stepper(app).position == position
            lines = text.split("\n")
            assert len(lines) == height
            assert all(cells(line) == width for line in lines)
            small = width < 60 or height < 20
            assert ("smaller than 60×20" in text) == small
            if not small:
                assert "Through the shortcut" in text
                assert "So far" in text
                assert "Gradient " in text
                assert "→ Next" in lines[-1]
            assert ("Terms" in text) == ("Network" in text) == (height >= 34 and width >= 60)


@pytest.mark.parametrize("size", [SMALL, LARGE, (200, 60)])
async def test_larger_windows_use_their_space(size):
    app = app_on("wide")
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: all(line.strip() for line in screen_text(app).split("\n")))
        lines = screen_text(app).split("\n")
        borders = [line for line in lines if line.startswith("╭")]
        assert all(len(line.rstrip()) == size[0] for line in borders)


EVERY_SCREEN = (
    "home tab tab right 1 c u shift+tab m escape t x enter escape s escape y escape x escape J escape "
    "l escape v escape question_mark escape b ctrl+p escape"
)


async def press_through(pilot, keys: str):
    """Presses key after key, and reads the screen after each."""
    for key in keys.split():
        await press(pilot, key)
        yield screen_text(pilot.app), key


@pytest.mark.parametrize(
    ("name", "size", "keys"),
    [
        (None, SMALL, "down o"),
        ("batch-norm", LARGE, EVERY_SCREEN),
        ("wide", SMALL, "left right right m escape x"),
    ],
)
async def test_in_ascii_mode_every_screen_is_pure_ascii(name, size, keys):
    app = app_on(name, ascii_only=True)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert screen_text(app).isascii()
        async for text, key in press_through(pilot, keys):
            assert text.isascii(), key
            assert " ? " not in text.rsplit("\n", 1)[0], f"{key}: a character has no ASCII form\n{text}"


async def test_a_small_window_says_so_in_ascii_as_well():
    app = app_on("tutorial-b", ascii_only=True)
    async with app.run_test(size=(50, 12)) as pilot:
        await pilot.pause()
        assert "smaller than 60x20" in screen_text(app)


async def test_no_color_leaves_no_colour(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "right")
        assert app.no_color
        for strip in app.screen._compositor.render_strips():
            for segment in strip:
                if segment.style and segment.style.color and segment.style.color.triplet:
                    red, green, blue = segment.style.color.triplet
                    assert red == green == blue
        text = screen_text(app)
        assert "✓−1.925" in text
        assert "▲0.2496" in text


async def test_the_theme_is_switched_and_everything_stays():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "right")
        before = screen_text(app)
        await press(pilot, "ctrl+t")
        assert app.theme == LIGHT.name
        assert screen_text(app) == before


async def test_the_palette_finds_and_runs_a_command():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "ctrl+p", *"matrices")
        await until(pilot, lambda: "whole computation as matrix products" in screen_text(app))
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))


# ── home and files ──────────────────────────────────────────────────────────────────────────────────


async def test_escape_goes_back_to_the_list_and_another_experiment_opens():
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "escape")
        assert isinstance(app.screen, HomeScreen)
        await press(pilot, "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        assert stepper(app).session.name == "tutorial-b-wine"  # the one below that which was left


async def test_a_file_is_opened_and_remembered(tmp_path):
    path = written("wide", tmp_path)
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "o")
        app.screen.query_one(Input).value = path
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))
        assert "A wide layer" in screen_text(app)
    assert recent_files() == [path]
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "end")
        await until(pilot, lambda: re.search(r"recent file +wide\.toml", screen_text(app)))


async def test_a_file_in_the_home_folder_is_found_with_a_tilde(tmp_path):
    written("wide", tmp_path / "home")
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "o", *"~/wide.toml", "enter")
        await until(pilot, lambda: isinstance(app.screen, StepperScreen))


async def test_a_wrong_file_is_explained_in_the_prompt(tmp_path):
    path = tmp_path / "lab[bold].toml"  # what looks like markup must not be taken for it
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "o")
        for text, problem in (
            (None, "no such file"),
            ("[data", "line 1"),
            (WIDE.replace("units = 64", 'units = "many"'), "units"),
            (WIDE.replace("[loss]", "[lost]"), "lost"),
        ):
            if text is not None:
                path.write_text(text, "utf-8")
            app.screen.query_one(Input).value = str(path)
            await press(pilot, "enter")
            assert isinstance(app.screen, Prompt)
            said = str(app.screen.query_one("#problem", Static).render())
            assert "lab[bold].toml" in said
            assert problem in said.lower()
            assert "\n" not in said
        for name in ("", "~nobody-of-that-name/lab.toml", ".", "[/]"):
            app.screen.query_one(Input).value = name
            await press(pilot, "enter")
            assert isinstance(app.screen, Prompt)
            assert app.screen.query_one("#problem").has_class("-wrong")
        await press(pilot, "escape")
        assert isinstance(app.screen, HomeScreen)


async def test_a_file_whose_data_are_missing_is_told_and_the_list_stays(tmp_path):
    path = tmp_path / "lab[1].toml"
    path.write_text(
        '[data]\nkind = "csv"\npath = "gone[x].csv"\nfeatures = ["a"]\nlabel = "b"\n'
        '[network]\nlayers = [{units = 1, activation = "sigmoid"}]\n[loss]\nkind = "bce"\n',
        "utf-8",
    )
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "o")
        app.screen.query_one(Input).value = str(path)
        await press(pilot, "enter")
        await until(pilot, lambda: notes(app))
        assert isinstance(app.screen, HomeScreen)
        assert "gone[x].csv" in notes(app)[0]


async def test_a_recent_file_with_brackets_in_its_name_is_listed(tmp_path):
    folder = tmp_path / "lab["
    folder.mkdir()
    path = folder / "x].toml"
    path.write_text(WIDE, "utf-8")
    app = app_on()
    app.recent_files = [str(path)]
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "end")
        await until(pilot, lambda: "x].toml" in screen_text(app))


# ── keys of one's own ───────────────────────────────────────────────────────────────────────────────


def own_keys(text: str) -> None:
    keys_path().parent.mkdir(parents=True, exist_ok=True)
    keys_path().write_text(text, "utf-8")


async def test_a_remapped_key_works_and_is_shown():
    own_keys('next = "w"\n')
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "w")
        assert places_of(app) == (Phase.BACKWARD, 1, 0)
        await press(pilot, "right")
        assert places_of(app) == (Phase.BACKWARD, 1, 0)
        footer = screen_text(app).split("\n")[-1]
        assert "w Next" in footer
        assert "→" not in footer
        await press(pilot, "question_mark")
        assert re.search(r"w +The next term", page(app))


async def test_what_is_wrong_with_the_key_file_is_said_once_and_the_app_works():
    own_keys('nexxt = "w"\n')
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "right")
        assert places_of(app) == (Phase.BACKWARD, 1, 0)
        assert len(notes(app)) == 1
        assert "there is no command named nexxt" in notes(app)[0]


@pytest.mark.parametrize("keys", ["", "foo bar", "[b"])
async def test_a_strange_key_does_no_harm(keys):
    own_keys(f'next = "{keys}"\n')
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "down", "question_mark", "escape")
        assert places_of(app) == (Phase.BACKWARD, 1, 0)


# ── the end ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "key"), [(None, "q"), ("tutorial-b", "q"), ("tutorial-b", "ctrl+c")])
async def test_the_app_is_left(name, key):
    app = app_on(name)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await pilot.press(key)
    assert not app.is_running
    assert app.return_code == 0
    assert app.crash is None


def test_the_diagram_of_a_position_is_made_from_immutable_parts():
    app = app_on("tutorial-b")
    traversal = StepperScreen(app._first_session).traversal
    assert Diagram(traversal, FIRST_TERM).columns == Diagram(traversal, FIRST_TERM).columns


async def test_on_a_very_wide_screen_the_network_stands_beside_the_chain_rule():
    app = app_on("tutorial-b")
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        await until(pilot, lambda: "Chain rule" in screen_text(app))
        network, chain = (app.screen.query_one(name).region for name in ("#diagram-panel", "#product-panel"))
        assert network.y == chain.y
        assert network.right == chain.x
        assert chain.right == 200
        (row,) = [line for line in screen_text(app).splitlines() if "Network" in line]
        assert "Chain rule" in row
        await pilot.resize_terminal(120, 60)
        await until(pilot, lambda: app.screen.query_one("#product-panel").region.width == 120)
        assert app.screen.query_one("#diagram-panel").region.width == 120


@pytest.mark.parametrize("height", [33, 34, 36])
async def test_the_term_is_in_sight_where_the_network_just_has_room(height):
    app = app_on("tutorial-b")
    async with app.run_test(size=(100, height)) as pilot:
        await until(pilot, lambda: "So far" in screen_text(app))
        assert "How the loss changes" in screen_text(app)
        await press(pilot, "p")
        await until(pilot, lambda: "Factor 1 of 5" in screen_text(app))
