"""The keys: one definition each, found everywhere it should be, and never two commands on one key."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from textual.binding import Binding
from textual.command import CommandList
from textual.events import Click

from engine.experiment.spec import NotationSpec
from tests.tui.driver import app_on, screen_text, stepper, until
from tui.app import BptuiApp
from tui.app.command_palette import Palette
from tui.lessons.lesson_list_screen import LessonListScreen
from tui.lessons.lesson_screen import LessonScreen
from tui.session.network_session import NetworkSession
from tui.shell.busy_screen import BusyScreen
from tui.shell.help_page import help_content
from tui.shell.home_screen import HomeScreen
from tui.shell.idle_keys import KEYS
from tui.shell.key_command import KeyCommand, bindings
from tui.shell.key_names import readable_keys
from tui.shell.keys import (
    ALL_COMMANDS,
    APP_COMMANDS,
    BUSY_COMMANDS,
    EXPORT_COMMANDS,
    HOME_COMMANDS,
    LESSON_COMMANDS,
    LESSONS_COMMANDS,
    MAP_COMMANDS,
    MATRICES_COMMANDS,
    PROMPT_COMMANDS,
    READING_COMMANDS,
    SAVE_COMMANDS,
    SETTINGS_COMMANDS,
    STEPPER_COMMANDS,
)
from tui.shell.prompt import Prompt
from tui.shell.reading_screen import ReadingScreen
from tui.shell.save_dialog import SaveDialog
from tui.stepper.export_dialog import ExportDialog
from tui.stepper.matrices_screen import MatricesScreen
from tui.stepper.network_map_screen import NetworkMapScreen
from tui.stepper.settings_screen import SettingsScreen
from tui.stepper.stepper_screen import StepperScreen

SCREENS = {
    HomeScreen: HOME_COMMANDS,
    LessonListScreen: LESSONS_COMMANDS,
    LessonScreen: LESSON_COMMANDS,
    StepperScreen: STEPPER_COMMANDS,
    NetworkMapScreen: MAP_COMMANDS,
    ReadingScreen: READING_COMMANDS,
    Prompt: PROMPT_COMMANDS,
    BusyScreen: BUSY_COMMANDS,
    ExportDialog: EXPORT_COMMANDS,
    MatricesScreen: MATRICES_COMMANDS,
    SettingsScreen: SETTINGS_COMMANDS,
    SaveDialog: SAVE_COMMANDS,
    BptuiApp: APP_COMMANDS,
}
EACH_COMMAND = pytest.mark.parametrize("command", ALL_COMMANDS, ids=lambda command: command.id)


# ── definitions ─────────────────────────────────────────────────────────────────────────────────────


def test_every_id_is_unique():
    assert [
        name for name, count in Counter(command.id for command in ALL_COMMANDS).items() if count > 1
    ] == []


@EACH_COMMAND
def test_every_command_has_all_that_footer_help_and_palette_need(command):
    assert command.id == command.id.lower()
    assert command.label
    assert command.help
    assert command.group
    assert all(key.strip() == key != "" for key in command.keys.split(","))


@pytest.mark.parametrize("owner", SCREENS, ids=lambda owner: owner.__name__)
def test_a_screen_s_bindings_are_its_commands(owner):
    own = [one for one in owner.BINDINGS if isinstance(one, Binding) and not one.action.startswith("app.")]
    assert [binding.id for binding in own] == [command.id for command in SCREENS[owner]]
    assert all(binding.tooltip for binding in own)
    assert own == bindings(SCREENS[owner])
    for command in SCREENS[owner]:
        action = f"action_{command.action.split('(')[0]}"
        assert hasattr(owner, action) or hasattr(BptuiApp, action)


@pytest.mark.parametrize("owner", SCREENS, ids=lambda owner: owner.__name__)
def test_no_two_commands_of_one_screen_share_a_key(owner):
    keys = Counter(key for command in SCREENS[owner] for key in command.keys.split(","))
    assert [key for key, count in keys.items() if count > 1] == []


def test_a_screen_takes_no_key_of_the_whole_app_but_to_close_itself():
    everywhere = {key for command in APP_COMMANDS for key in command.keys.split(",")}
    for owner, commands in SCREENS.items():
        for command in commands:
            taken = everywhere & set(command.keys.split(","))
            assert owner is BptuiApp or not taken or (command.action == "close" and taken == {"q"})


def test_no_key_has_two_meanings():
    """Not in the prompts, where keys are text, and Tab takes what is suggested."""
    meanings: dict[str, set[str]] = {}
    for command in ALL_COMMANDS:
        if command not in PROMPT_COMMANDS:
            for key in command.keys.split(","):
                meanings.setdefault(key, set()).add(command.meaning)
    assert {key: found for key, found in meanings.items() if len(found) > 1} == {}


@pytest.mark.parametrize("key", ["h", "j", "k", "l"])
def test_keys_that_are_kept_for_a_preset_are_free(key):
    assert key not in KEYS


WORDS = {"Esc", "Enter", "Space", "Tab", "Shift", "Ctrl", "Home", "End", "PgUp", "PgDn"}
"""What is printed on keys that give no character."""


def test_no_key_is_named_by_its_unicode_name():
    for key in KEYS:
        for word in readable_keys(key, False).replace("+", " ").split():
            assert len(word) == 1 or word in WORDS or re.fullmatch(r"F\d+", word), key


@pytest.mark.parametrize(
    ("experiment", "key", "said"),
    [
        ("tutorial-b", "full_stop", ". does nothing here. Training: One step of training."),
        ("vanishing-sigmoid-50", "w", "w does nothing here. Stepper: Apply the update"),
        (None, "left_square_bracket", "[ does nothing here. Training: Back in time."),
    ],
)
async def test_a_key_without_a_meaning_on_a_screen_says_so(experiment, key, said):
    app = app_on(experiment)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(key)
        await until(pilot, lambda: app._notifications)
        (note,) = app._notifications
        assert note.message.startswith(said)


async def test_the_vim_preset_adds_h_j_k_l_to_the_arrows(monkeypatch):
    monkeypatch.setenv("BPTUI_KEYS", "vim")
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        for key, index in (("l", 1), ("right", 2), ("h", 1), ("j", 2), ("k", 1)):
            await pilot.press(key)
            await until(pilot, lambda index=index: stepper(app).position.index == index)


# ── where they are found ────────────────────────────────────────────────────────────────────────────


def help_text(**keymap: str) -> str:
    return help_content(keymap, False, 200).plain


@EACH_COMMAND
def test_every_command_is_on_the_help_page_with_its_id(command):
    (line,) = [line for line in help_text().split("\n") if line.endswith(f"({command.id})")]
    assert command.help in line
    assert readable_keys(command.keys, False) in line


def test_help_shows_a_key_as_the_user_set_it():
    (line,) = [line for line in help_text(next="l").split("\n") if line.endswith("(next)")]
    assert line.split()[0] == "l"
    assert "→" not in line


@pytest.mark.parametrize("width", [50, 72, 100])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_help_page_fits_its_width(width, ascii_only):
    page = help_content({}, ascii_only, width).plain
    lines = [line for line in page.split("\n") if "keys.toml" not in line]
    assert max(len(line) for line in lines if line.startswith("  ")) <= width  # the others are prose and wrap
    assert not ascii_only or page.isascii()


def test_the_help_page_explains_the_words():
    for word in (
        "zero_fraction",
        "quiet",
        "dead",
        "gradient magnitude",
        "decades per layer",
        "gradient check",
        "η",
    ):
        assert word in help_text()


@pytest.mark.parametrize(
    ("keys", "unicode", "ascii_only"),
    [
        ("right,w,space,enter", "→ w Space Enter", "Right w Space Enter"),
        ("question_mark,f1", "? F1", "? F1"),
        ("ctrl+p", "Ctrl+p", "Ctrl+p"),
        ("shift+tab", "Shift+Tab", "Shift+Tab"),
        ("full_stop,greater_than_sign,semicolon", ". > ;", ". > ;"),
        ("left_square_bracket,left_parenthesis", "[ (", "[ ("),
        ("slash,plus,minus", "/ + -", "/ + -"),
        ("ctrl+down,pagedown", "Ctrl+↓ PgDn", "Ctrl+Down PgDn"),
    ],
)
def test_keys_are_written_as_on_a_keyboard(keys, unicode, ascii_only):
    assert readable_keys(keys, False) == unicode
    assert readable_keys(keys, True) == ascii_only


@pytest.mark.parametrize(
    ("experiment", "commands"), [("tutorial-b", STEPPER_COMMANDS), (None, HOME_COMMANDS)]
)
async def test_every_command_of_the_screen_is_in_the_palette(experiment, commands):
    app = app_on(experiment)
    async with app.run_test() as pilot:
        await pilot.pause()
        offered = {command.title: command.help for command in app.get_system_commands(app.screen)}
    for command in (*commands, *APP_COMMANDS):
        assert offered[command.label] == command.help
    assert len({command.label for command in (*commands, *APP_COMMANDS)}) == len(commands) + len(APP_COMMANDS)


def shown(commands: tuple[KeyCommand, ...]) -> list[str]:
    return [f"{command.shown} {command.label}" for command in (*commands, *APP_COMMANDS) if command.shown]


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize(
    ("experiment", "commands"), [("tutorial-b", STEPPER_COMMANDS), (None, HOME_COMMANDS)]
)
async def test_the_footer_is_not_cut_at_80_columns(experiment, commands, ascii_only):
    app = app_on(experiment, ascii_only=ascii_only)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: screen_text(app).split("\n")[-1].strip())
        footer = screen_text(app).split("\n")[-1]
    for entry in shown(commands):
        if ascii_only and not entry.isascii():
            entry = entry.split(" ", 1)[1]
        assert entry in footer
    assert len(footer.rstrip()) < 80


async def test_a_search_that_outlives_the_palettes_list_is_over():
    app = BptuiApp(NetworkSession.open("tutorial-a"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        palette = app.screen
        assert isinstance(palette, Palette)
        await palette.query(CommandList).remove()
        await palette._gather_commands("target").wait()
        assert app.crash is None


async def test_a_click_from_beyond_the_window_leaves_the_palette():
    """As one that was on its way when the window was made smaller."""
    app = BptuiApp(NetworkSession.open("tutorial-a"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        palette = app.screen
        assert isinstance(palette, Palette)
        at = {"x": 16, "y": 40, "delta_x": 0, "delta_y": 0, "screen_x": 16, "screen_y": 40}
        palette.post_message(Click(palette, button=1, shift=False, meta=False, ctrl=False, **at))
        await until(pilot, lambda: app.screen is not palette)
        assert app.crash is None


async def test_two_clicks_beside_the_palette_leave_it_and_not_what_lies_below():
    """The second is on its way when the first is answered: Textual would take away whatever is on top by then."""
    app = app_on("tutorial-b")
    async with app.run_test(size=(80, 24)) as pilot:
        below = app.screen
        await pilot.press("ctrl+p")
        palette = app.screen
        assert isinstance(palette, Palette)
        at = {"x": 0, "y": 23, "delta_x": 0, "delta_y": 0, "screen_x": 0, "screen_y": 23}
        heard, dismiss = [], palette.dismiss

        def told(result: None = None):
            heard.append(app.screen)
            return dismiss(result)

        palette.dismiss = told
        for _ in range(2):
            palette.post_message(Click(palette, button=1, shift=False, meta=False, ctrl=False, **at))
        await until(pilot, lambda: len(heard) == 2)
        assert heard == [palette, below]
        assert app.screen is below


async def test_a_command_of_the_palette_does_what_its_key_does():
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        command = next(one for one in app.get_system_commands(app.screen) if one.title == "End")
        await command.callback()
        assert stepper(app).position == stepper(app).traversal.last()


def test_the_help_page_calls_the_quantities_as_the_experiment_does():
    names = NotationSpec(preactivation="z", loss="L", weights="θ").own_names()
    page = help_content({}, False, 200, (), names).plain
    assert "∂L/∂θ⁽¹⁾₂₀" in page
    assert "δ = ∂L/∂z" in page
    assert not re.search("ℰ|W⁽", page)
    assert "ℰ" in help_content({}, False, 200).plain
