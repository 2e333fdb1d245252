"""The app: which screens there are, the themes, the keys, and how it ends; what else it does stands beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on
from textual.actions import ActionParseResult
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.command import CommandPalette, Provider
from textual.dom import DOMNode
from textual.driver import Driver
from textual.filter import LineFilter
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import Screen
from textual.theme import Theme

from engine.experiment.presets import is_preset
from engine.formula.course_notation import CANONICAL, CourseNames
from tui.app.command_palette import Palette, palette_commands
from tui.app.experiment_files import ExperimentFiles
from tui.app.experiment_opener import ExperimentOpener
from tui.app.experiment_screens import ExperimentScreens
from tui.app.followed_lesson import FollowedLesson
from tui.app.learner_screens import LearnerScreens
from tui.shell.ascii_filter import AsciiFilter
from tui.shell.garbage_collection import begin_collecting
from tui.shell.home_screen import HomeScreen
from tui.shell.idle_keys import commands_of, idle_bindings
from tui.shell.key_command import KeyCommand, bindings
from tui.shell.key_names import readable_keys
from tui.shell.key_presets import key_preset
from tui.shell.keys import ALL_COMMANDS, APP_COMMANDS
from tui.shell.messages import (
    AnswerLesson,
    Did,
    ExperimentEdited,
    FindBug,
    LessonRevealed,
    OpenExperiment,
    Predict,
    Request,
    ShowHome,
    ShowLessons,
    ShowPractice,
    ShowScreen,
    StepInto,
)
from tui.shell.notices import AppWithNotices
from tui.shell.prompt import Prompt
from tui.shell.terminal_filter import TerminalFilter
from tui.shell.theme import DARK, LIGHT, THEMES
from tui.shell.user_settings import recent_files, remember_file, remember_theme, remembered_theme, user_keys

if TYPE_CHECKING:
    from rich.console import RenderableType

    from engine.derivation.chain_rule import Derivation
    from engine.practice.prediction import Prediction
    from tui.lessons.lesson_screen import LessonScreen
    from tui.session.session_base import SessionBase
    from tui.session.watched_training import WatchedTraining

KEYS_VARIABLE = "BPTUI_KEYS"
"""The environment variable that names a preset of the key map."""

LOOK_SECONDS = 1.0
"""So often it is seen whether the file of the open experiment was written."""

_OWN_THEMES = {theme.name: theme for theme in THEMES}


def _findings() -> type[Provider]:
    from tui.lessons.palette_search import Findings

    return Findings


def _entries() -> type[Provider]:
    from tui.stepper.palette_search import Entries

    return Entries


class BptuiApp(AppWithNotices):
    """The bptui app on the terminal.

    With an experiment it opens the stepper at once, otherwise the list of experiments.
    """

    TITLE = "bptui"
    theme: Reactive[str] = Reactive(DARK.name)
    NOTIFICATION_TIMEOUT = 3.0
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (100, "-wide"), (170, "-vast")]  # noqa: RUF012 - typed by App
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (20, "-short"), (34, "-tall"), (48, "-huge")]  # noqa: RUF012 - typed by App
    COMMANDS = App.COMMANDS | {_findings, _entries}
    BINDINGS = [*bindings(APP_COMMANDS), *idle_bindings(APP_COMMANDS)]  # noqa: RUF012 - as App wants it

    def __init__(
        self,
        session: SessionBase | None = None,
        *,
        watched: WatchedTraining | None = None,
        ascii_only: bool = False,
        personal: bool = True,
    ) -> None:
        """With an experiment open, or a training of another program that is `watched`, or neither.

        `personal` uses the user's own keys and recent files; pictures for everybody do without."""
        # Read together with the app's own: each screen's, by itself, would have all of them parsed again.
        first = [
            "../shell/home_screen.tcss",
            *(["../stepper/stepper_screen.tcss"] if session is not None else []),
        ]
        super().__init__(css_path=["app.tcss", *first])
        self._first_session = session
        self._personal = personal
        self._learner = LearnerScreens(self, personal)
        self._followed = FollowedLesson(self, self._learner.progress)
        self._opener = ExperimentOpener(self, self._remember)
        self.opened = ExperimentScreens(self, watched, self._opener, self._stand_beside)
        self._files = ExperimentFiles(self, lambda: self.opened.session, self._reopen)
        self.crash: BaseException | None = None
        self.status: int | None = None
        """With what it was left: 0, or 128 + the signal that said so. None before, and after a crash."""
        self.user_keys: dict[str, str] = {}
        self._keys_problem: str | None = None
        self.recent_files: list[str] = []
        if personal:
            own, self._keys_problem = user_keys([command.id for command in ALL_COMMANDS])
            self.user_keys = {**key_preset(os.environ.get(KEYS_VARIABLE, "default")), **own}
            self.recent_files = recent_files()
        self.set_class(ascii_only, "-ascii")
        self._terminal_filter = TerminalFilter()
        self._ascii_filter = AsciiFilter(enabled=ascii_only)
        for theme in THEMES:
            self.register_theme(theme)
        self._personal = personal
        self.theme = self._first_theme()

    def get_theme(self, theme_name: str) -> Theme | None:
        """The theme of a name, ours at once: Textual asks with every line, before it has been told of ours."""
        return _OWN_THEMES.get(theme_name) or super().get_theme(theme_name)

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leaves the app, and remembers with which status."""
        self.status = return_code
        super().exit(result, return_code, message)

    def get_driver_class(self) -> type[Driver]:
        """The driver of the terminal: on POSIX one that gives it back whatever happens."""
        usual = super().get_driver_class()
        if sys.platform == "win32":
            return usual
        from textual.drivers.linux_driver import LinuxDriver

        if usual is not LinuxDriver:  # Textual is told to use another, such as a browser's
            return usual
        from tui.shell.terminal_driver import TerminalDriver

        return TerminalDriver

    def _first_theme(self) -> str:
        """As the environment says, or else as it was chosen the last time."""
        asked = os.environ.get("BPTUI_THEME")
        if asked is not None or not self._personal:
            return LIGHT.name if asked == "light" else DARK.name
        kept = remembered_theme()
        return kept if kept in (DARK.name, LIGHT.name) else DARK.name

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The filters of every line on its way to the terminal: no commands for it; in the ASCII mode, 7 bits."""
        own = [self._terminal_filter, self._ascii_filter]
        return [*super().get_line_filters(), *(one for one in own if one.enabled)]

    def get_default_screen(self) -> Screen[None]:
        """The bottom screen, the list of experiments."""
        covered = self._first_session is not None or self.opened.watched is not None
        return HomeScreen(self.recent_files, covered=covered)

    def on_mount(self) -> None:
        """Shows the given experiment over the list."""
        self.set_keymap(self.user_keys)
        if self._first_session is not None:
            self.opened.enter(self._first_session)
        elif self.opened.watched is not None:
            self.opened.show_over_home("gradients")
        self.set_interval(LOOK_SECONDS, self._files.look)
        if self._keys_problem is not None:
            self.notify(self._keys_problem, severity="warning", timeout=10, markup=False)

    def on_ready(self) -> None:
        """The first frame is there."""
        begin_collecting()

    def on_unmount(self) -> None:
        """Ends what is being trained: nobody could watch it any more."""
        self.opened.close()

    async def on_event(self, event: events.Event) -> None:
        """Drops what is typed while the app is being taken down: its screens have gone."""
        if self._may_answer(event):
            await super().on_event(event)

    def check_message_enabled(self, message: Message) -> bool:
        """Drops what a screen asks while it is taken away."""
        return self._may_answer(message) and super().check_message_enabled(message)

    def _may_answer(self, message: Message) -> bool:
        return self.is_running or not isinstance(message, (events.InputEvent, events.Paste, Request))

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Runs an action, unless it is of a screen that was left by a key that came sooner."""
        if default_namespace is not None and not isinstance(default_namespace, App):
            path = default_namespace.ancestors_with_self
            screen = next((node for node in path if isinstance(node, Screen)), None)
            if screen is None or screen not in self.screen_stack:
                return True
        return await super().run_action(action, default_namespace, namespaces)

    @on(OpenExperiment)
    def _on_open_experiment(self, message: OpenExperiment) -> None:
        """From a lesson the experiment may be open already: it is shown with all that was done in it."""
        self._followed.note_origin()
        self.opened.close_pages()  # the lesson and its list
        if self.opened.session is not None and self.opened.session.name == message.name:
            if message.screen is not None:
                self.opened.show(message.screen)
            return
        if message.screen is not None or self.opened.session is not None:  # over whatever is open
            self.opened.show_home()
        self.opened.open(message.name, message.screen)

    def _remember(self, name: str) -> None:
        if not is_preset(name):
            self.recent_files = remember_file(name)

    @on(ShowScreen)
    def _on_show_screen(self, message: ShowScreen) -> None:
        self.opened.show(message.name)

    @on(StepInto)
    def _on_step_into(self, message: StepInto) -> None:
        self.opened.step_into(message.layer, message.unit, message.matrix)

    @on(ShowHome)
    def _on_show_home(self) -> None:
        """Back to the list, or to the lesson that led to the experiment, with the list of lessons behind it."""
        lesson, self._followed.led_here = self._followed.led_here, None
        self.opened.show_home()
        if lesson is not None:
            self._learner.back_to(lesson)

    @on(AnswerLesson)
    def _on_answer_lesson(self, message: AnswerLesson) -> None:
        self._learner.answer(message)

    @on(LessonRevealed)
    def _on_lesson_revealed(self, message: LessonRevealed) -> None:
        self._learner.revealed(message.item)

    async def on_lesson_screen_shown(self, message: LessonScreen.Shown) -> None:
        """A lesson is read: what is done from now on is done for it."""
        await self._followed.read(message.lesson)
        opened, lesson = self.opened.session, message.lesson
        if opened is not None and opened.name in (lesson.preset, *lesson.also):
            self._followed.led_here = lesson  # read over its experiment, it stands beside it from now on
            await self._stand_beside()

    @on(Did)
    async def _on_did(self, message: Did) -> None:
        await self._followed.tick(message)

    def on_resize(self) -> None:
        """A lesson needs room beside its experiment."""
        self.call_next(self._stand_beside)

    async def _stand_beside(self) -> None:
        """Puts the lesson that led to the open experiment beside it, or takes it away, as there is room."""
        named = (one for one in reversed(self.screen_stack) if self.opened.name_of(one) is not None)
        screen = next(named, None)
        if screen is not None and screen.is_attached:
            await self._followed.stand_beside(screen, self.names)

    def action_scroll_lesson(self, lines: int) -> None:
        """Scrolls the lesson beside the experiment."""
        self._followed.scroll(lines)

    @on(ExperimentEdited)
    def _on_experiment_edited(self) -> None:
        """The charts were those of another experiment; they begin anew when they are next looked at."""
        self.opened.forget_charts()

    # ── the experiment's file ───────────────────────────────────────────────────────────────────────

    def action_editor(self) -> None:
        """Opens the experiment's text in the person's own editor."""
        self._files.edit()

    def action_save(self) -> None:
        """Saves the screen as it is, or what is behind it."""
        from tui.shell.save_dialog import SaveDialog
        from tui.shell.save_flow import SaveFlow

        screen, session = self.screen, self.opened.session
        if isinstance(screen, (SaveFlow, Prompt)):  # asked for already; a dialog is not to be saved
            return
        shown = next(
            (found for one in reversed(self.screen_stack) if (found := self.opened.name_of(one))), None
        )
        words = [Path(session.name).stem if session is not None else self.TITLE, shown]
        stem = "-".join(word for word in words if word)
        self.push_screen(SaveDialog(self, stem, None if session is None else session.written))

    def action_command_line(self) -> None:
        """Copies the command that shows the same, and shows it."""
        from tui.shell.equivalent_command import HasCommand, command_line

        here = self.screen if isinstance(self.screen, HasCommand) else None
        if self.opened.watched is not None:
            self.notify("What another program trains is opened by the command that opened it here.")
            return
        line = command_line(here.command() if here is not None else [])
        self.copy_to_clipboard(line)
        missing = None if here is None else here.not_in_command()
        self.notify(" ".join(filter(None, (f"Copied: {line}", missing))), timeout=10, markup=False)

    def action_reload(self) -> None:
        """Reads the open experiment's file again."""
        self._files.reload()

    def _reopen(self, name: str) -> None:
        """Opens a file in place of what is open, where one was in it if there is such; a broken one changes nothing."""
        self._opener.open(name, lambda session: self.opened.replace(session, name))

    @on(Predict)
    def _on_predict(self, message: Predict) -> None:
        """Asks for the factors at the present numbers, over the stepper."""
        session = self.opened.session
        if session is None:  # left by a key that came sooner
            return
        from tui.shell.busy_screen import at_length
        from tui.stepper.predict_screen import PredictScreen

        def asked() -> tuple[Derivation, Prediction]:
            derivation = session.explain(message.target, message.sample)
            return derivation, session.prediction(derivation)

        def ask(made: tuple[Derivation, Prediction]) -> None:
            self.push_screen(PredictScreen(session, *made))

        at_length(self.screen, session.is_large, "Asking for each factor", asked, ask)

    @on(ShowPractice)
    def _on_show_practice(self) -> None:
        self._learner.practice()

    @on(FindBug)
    def _on_find_bug(self) -> None:
        self._learner.find_bug()

    @on(ShowLessons)
    def _on_show_lessons(self) -> None:
        self._learner.lessons(None if self.opened.session is None else self.opened.session.name)

    def get_key_display(self, binding: Binding) -> str:
        """A key as the footer writes it: as the command says, as the user set it, or in ASCII."""
        ascii_only = self.has_class("-ascii")
        if binding.id in self.user_keys:
            return readable_keys(binding.key, ascii_only)
        if ascii_only and binding.key_display and not binding.key_display.isascii():
            keys = next((command.keys for command in ALL_COMMANDS if command.id == binding.id), binding.key)
            letters = [key for key in keys.split(",") if len(key) == 1]
            return letters[0] if letters else readable_keys(binding.key, ascii_only)
        return super().get_key_display(binding)

    def action_idle(self, key: str) -> None:
        """Says that a key does nothing here, and what it does elsewhere."""
        commands = commands_of(key)
        name, first = readable_keys(key, self.has_class("-ascii")), commands[0]
        says = self.names.said(first.help)
        self.notify(f"{name} does nothing here. {first.group}: {says}.", markup=False)

    @property
    def names(self) -> CourseNames:
        """The letters that the open experiment calls the quantities by."""
        return CANONICAL if self.opened.session is None else self.opened.session.names

    def action_help(self) -> None:
        """Opens the help page, once."""
        from tui.shell.help_page import help_content
        from tui.shell.reading_screen import ReadingScreen

        if isinstance(self.screen, ReadingScreen):
            return
        ascii_only = self.has_class("-ascii")
        shown: tuple[KeyCommand, ...] = getattr(self.screen, "COMMANDS_SHOWN", ())
        self.push_screen(
            ReadingScreen(
                "Help", lambda width: help_content(self.user_keys, ascii_only, width, shown, self.names)
            )
        )

    def action_command_palette(self) -> None:
        """Opens the palette of commands, once."""
        # One that is being closed still has its name for a moment, which no other may have.
        if not any(isinstance(node, CommandPalette) for node in self._registry):
            self.push_screen(Palette(id="--command-palette"))

    def action_switch_theme(self) -> None:
        """Switches from the dark theme to the light one and back."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name
        if self._personal:
            remember_theme(self.theme)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The commands of the palette: every one of the screen, then what Textual offers of its own."""
        yield from palette_commands(self, screen, self.names)
        for offered in super().get_system_commands(screen):
            if offered.title in ("Screenshot", "Maximize", "Minimize"):
                yield offered

    def _fatal_error(self) -> None:
        """Ends after an exception that nobody foresaw; `run` reports it once the terminal is restored."""
        if (
            self.status is None
        ):  # a screen that is taken away while it is built misses what it has not yet got
            self.crash = sys.exc_info()[1] or self._exception
        self._close_messages_no_wait()
