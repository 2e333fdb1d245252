"""What every screen has that asks: a title, what is asked, a line to answer in, and what was said of the last answer.

 Practice   B1  What is ∂ℰ/∂W⁽¹⁾₁₁?                        score 12 · streak 3
╭───────────────────────────────────────────────────────────────────────────╮
│ the network, its numbers, the factors so far                              │
╰───────────────────────────────────────────────────────────────────────────╯
 > (Ŷ₀₀ − Y₀₀)·W⁽²⁾₁₀·X₁₀
 ✗ the factor 1{f⁽¹⁾₁₀ > 0} is missing

On a screen as wide as two, what is known and how it goes stand beside the question.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.notation import Style
from engine.practice.verdict import Verdict
from tui.shell.key_bar import KeyBar
from tui.shell.modal import ModalBase
from tui.shell.too_small import TooSmall
from tui.shell.verdict_content import echo, in_letters, judgement


class AskingScreen(ModalBase[None]):
    """A screen that asks, takes an answer, and says what it is worth."""

    CSS_PATH = "asking_screen.tcss"

    def compose(self) -> ComposeResult:
        """From top to bottom; what is beside the rest shows itself where there is room."""
        yield Static(id="title")
        with Horizontal(id="body"):
            with Vertical(id="work"):
                with VerticalScroll(id="asked", can_focus=False):
                    yield Static(id="question")
                box = Input(id="answer")
                box.cursor_blink = False
                yield box
                with VerticalScroll(id="said", can_focus=False):
                    yield Static(id="verdict")
            with Vertical(id="beside"):
                with VerticalScroll(id="network", can_focus=False):
                    yield Static(id="chain")
                with VerticalScroll(id="record", can_focus=False):
                    yield Static(id="going")
        yield TooSmall()
        yield KeyBar()

    def on_mount(self) -> None:
        """Draws for the first time; the answer can be typed at once."""
        self.query_one(Input).focus()
        self.call_after_refresh(self.redraw)

    def on_resize(self) -> None:
        """Fits everything to the new size."""
        self.call_after_refresh(self.redraw)

    # ── what a screen of this kind says ─────────────────────────────────────────────────────────────

    @abstractmethod
    def title_line(self) -> Content:
        """The line at the top."""

    @abstractmethod
    def question_lines(self) -> Content:
        """The lines of the question: what is asked, and what is known."""

    @abstractmethod
    def network_picture(self, width: int) -> Content:
        """The picture of the network, where it stands beside the question."""

    @abstractmethod
    def record_lines(self) -> Content:
        """The lines on how it goes, where they stand beside the question."""

    @abstractmethod
    def what_to_type(self) -> str:
        """A word in the empty line of the answer."""

    @abstractmethod
    def answered(self, text: str) -> None:
        """Takes an answer and judges it."""

    # ── drawing ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def glyphs(self) -> Style:
        """How formulas are drawn."""
        return Style(ascii=self.app.has_class("-ascii"), names=self.names)

    @property
    def names(self) -> CourseNames:
        """The letters of the experiment that is asked about."""
        return CANONICAL

    @property
    def has_room_beside(self) -> bool:
        """Whether the screen is as wide as two."""
        return self.has_class("-vast")

    @property
    def room(self) -> int:
        """Columns for what is asked."""
        return max(self.query_one("#asked").size.width - 2, 40)

    def said(self, text: str) -> str:
        """Words in the characters that the terminal has."""
        return in_letters(text, self.glyphs)

    def redraw(self) -> None:
        """Draws everything but the last verdict."""
        if not self.is_mounted or not self.children or not self.size.width:
            return
        self.query_one("#title", Static).update(self.title_line())
        self.query_one("#question", Static).update(self.question_lines())
        self.query_one(Input).placeholder = self.said(self.what_to_type())
        if self.has_room_beside:
            network = self.query_one("#network")
            network.border_title, self.query_one("#record").border_title = "The network", "How it goes"
            self.query_one("#chain", Static).update(self.network_picture(max(network.size.width - 2, 40)))
            self.query_one("#going", Static).update(self.record_lines())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes the answer, if there is one."""
        text = event.value.strip()
        if text:
            self.answered(text)
        else:
            self.entered_nothing()

    def entered_nothing(self) -> None:
        """Enter on an empty line: may go on."""

    def action_scroll(self, lines: int) -> None:
        """Scrolls the question, and where that has no more the verdict."""
        for name in ("#asked", "#said", "#network", "#record"):
            for box in self.query(name):  # none, where it has been closed since
                before = box.scroll_y
                box.scroll_relative(y=lines, animate=False)
                if box.scroll_y != before:
                    return

    def scroll_home_again(self) -> None:
        """Another question is read from its beginning."""
        for box in self.query(VerticalScroll):
            box.scroll_home(animate=False)

    def show_verdict(self, *lines: Content) -> None:
        """Shows lines below the answer: the verdict."""
        text = Content("\n").join(list(lines))
        for verdict in self.query("#verdict").results(Static):  # none, where it has been closed since
            verdict.update(text)

    def clear_answer(self) -> None:
        """An empty line for the next answer."""
        for box in self.query(Input):
            box.value = ""

    def verdict_lines(self, verdict: Verdict, text: str) -> Iterator[Content]:
        """The lines of the verdict: what was understood, and what is said of it."""
        yield from echo(verdict, self.glyphs, self.room)
        yield from judgement(verdict, text, self.glyphs)
