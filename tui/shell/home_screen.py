"""The first screen: the built-in experiments in the tutorials' order, recent files, and opening a file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option, OptionDoesNotExist

from engine.experiment.errors import ExperimentError
from engine.experiment.presets import PRESET_NAMES, Headline, headlines, is_preset, preset_text
from engine.formula.ascii_text import ascii_text
from engine.formula.untrusted_text import one_line
from tui.shell.choice_list import EnterlessInput, EnterlessList
from tui.shell.csv_table import CsvTable
from tui.shell.file_suggester import FileSuggester
from tui.shell.key_bar import KeyBar
from tui.shell.key_command import bindings
from tui.shell.keys import HOME_COMMANDS
from tui.shell.messages import FindBug, OpenExperiment, ShowLessons, ShowPractice
from tui.shell.prompt import Prompt
from tui.shell.too_small import TooSmall
from tui.shell.typed_path import typed_path

OPEN_FILE = "open a file"
NAME = max(map(len, PRESET_NAMES)) + 2
"""Columns of an experiment's name."""


LONGEST_FILE = 20_000
"""Bytes of a file that is shown beside the list; of a longer one, or of what is no file, nothing is read."""


def file_told(name: str) -> str:
    """The text of an experiment's file, to be shown beside the list; empty where it cannot be read."""
    if is_preset(name):
        return preset_text(name)
    path = Path(name)
    try:
        if name == OPEN_FILE or not path.is_file() or path.stat().st_size > LONGEST_FILE:
            return ""
        text = path.read_text("utf-8", errors="replace")
    except (OSError, ValueError):
        return ""
    return "\n".join(one_line(line) for line in text.splitlines())


class HomeScreen(Screen[None]):
    """The list of experiments, to choose one."""

    AUTO_FOCUS = "#experiments"
    CSS_PATH = "home_screen.tcss"
    COMMANDS_SHOWN = HOME_COMMANDS
    BINDINGS = bindings(HOME_COMMANDS)

    def __init__(self, recent: list[str], *, covered: bool = False) -> None:
        """One that is `covered` will lie under another at once: it has nothing to show until that one has gone."""
        super().__init__()
        self._covered = covered
        self._recent = recent
        self._presets: list[Headline] = headlines()
        self._abouts: dict[str, str] = {}
        self._filled = False
        self._to_mark: str | None = None

    def compose(self) -> ComposeResult:
        """A heading, the list, what the marked experiment shows, and the keys; nothing while it lies under another."""
        if self._covered:
            return
        self._filled = True
        with Vertical(id="frame"):
            yield Static(self._heading(), id="heading")
            box = EnterlessInput(placeholder="what the name or the title holds", id="filter", compact=True)
            box.cursor_blink = False
            yield box
            with Horizontal(id="beside"):
                yield EnterlessList(*self._options(), id="experiments", markup=False)
                file = Static(id="file")
                file.border_title = "What its file says"
                yield file
            yield Static(id="about")
        yield TooSmall()
        yield KeyBar()

    def on_screen_suspend(self) -> None:
        """When it is seen again it is with its list."""
        self._covered = False

    async def on_screen_resume(self) -> None:
        """Fills it when it is first seen: an experiment that is opened at once need not wait for the list."""
        if self._filled or self._covered:
            return
        await self.recompose()
        if self._to_mark is not None:
            self.mark(self._to_mark)

    def data_tables(self) -> Sequence[CsvTable]:
        """The experiments of the list, as a csv table."""
        return [CsvTable(lambda: [["name", "title", "about"], *self._presets], "The list as csv")]

    def _heading(self) -> Content:
        return Content.assemble(
            ("bptui", "bold $primary"),
            ("   backpropagation, one term at a time", "bold"),
            "\n",
            ("Choose an experiment and press Enter. / and a word show fewer.", "$faint"),
        )

    def _said(self, text: str) -> str:
        return ascii_text(text) if self.app.has_class("-ascii") else text

    def _options(self, wanted: str = "") -> list[Option | None]:
        """The experiments whose name or title holds what is wanted, and the files."""
        options: list[Option | None] = []
        for name, title, about in self._presets:
            if wanted.casefold() not in f"{name} {title}".casefold():
                continue
            options.append(Option(f"{name:<{NAME}}{self._said(title)}", id=name))
            self._abouts[name] = about
        if options:
            options.append(None)
        for path in self._recent:
            options.append(Option(f"{'recent file':<{NAME}}{one_line(Path(path).name)}", id=path))
            self._abouts[path] = one_line(path)
        options.append(Option(f"{'o':<{NAME}}Open a file…", id=OPEN_FILE))
        self._abouts[OPEN_FILE] = (
            "An experiment of your own, as a TOML file: your data, your network, your weights."
        )
        return options

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Says what the marked experiment shows."""
        marked = event.option.id or ""
        self.query_one("#about", Static).update(Content(self._said(self._abouts.get(marked, ""))))
        self.query_one("#file", Static).update(Content(self._said(file_told(marked))))

    def action_filter(self) -> None:
        """Asks for a word, and shows only the experiments that hold it."""
        box = self.query_one("#filter", Input)
        box.add_class("-open")
        box.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Shows fewer, or more again, with every letter."""
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(self._options(event.value.strip()))
        options.highlighted = 0

    def action_highlight(self, by: int) -> None:
        """Moves the mark while a word is typed."""
        options = self.query_one(OptionList)
        options.action_cursor_down() if by > 0 else options.action_cursor_up()

    def action_clear(self) -> None:
        """Shows all experiments again."""
        box = self.query_one("#filter", Input)
        marked = self.query_one(OptionList).highlighted_option
        box.value = ""
        box.remove_class("-open")
        self.query_one(OptionList).focus()
        if marked is not None and marked.id is not None:
            self.call_after_refresh(self.mark, marked.id)

    def mark(self, name: str) -> None:
        """Moves the cursor to an experiment, as soon as there is a list."""
        self._to_mark = name
        if not self._filled:
            return
        options = self.query_one(OptionList)
        with suppress(OptionDoesNotExist):  # not among those that the filter shows
            options.highlighted = options.get_option_index(name)

    def action_choose(self) -> None:
        """Opens the marked experiment."""
        self.query_one(EnterlessList).action_select()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Opens what was chosen."""
        if event.option.id == OPEN_FILE:
            self.action_open_file()
        elif event.option.id is not None:
            self._open(event.option.id)

    def action_lessons(self) -> None:
        """The list of all lessons."""
        self.post_message(ShowLessons())

    def action_practice(self) -> None:
        """Questions and exercises."""
        self.post_message(ShowPractice())

    def action_bug(self) -> None:
        """A backward pass with a bug in it."""
        self.post_message(FindBug())

    def action_open_file(self) -> None:
        """Asks for a file."""
        prompt = Prompt(
            "Open an experiment", "the path of a TOML file", self._file_problem, suggester=FileSuggester()
        )
        self.app.push_screen(prompt, lambda name: self._open(str(typed_path(name))) if name else None)

    @staticmethod
    def _file_problem(name: str) -> str | None:
        from engine.experiment.loading import load_any

        if not name:
            return "the path of a TOML file, please"
        try:
            load_any(str(typed_path(name)))
        except ExperimentError as error:
            return str(error)
        return None

    def _open(self, name: str) -> None:
        if self._filled:  # whoever comes back moves in the list, and types no letters into the filter
            self.query_one(OptionList).focus()
        self.post_message(OpenExperiment(name))
