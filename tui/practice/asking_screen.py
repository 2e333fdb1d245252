"""What every screen has that asks: a title, what is asked, a line to answer in, and what was said of the last answer.

 Practice   B1  What is ∂ℰ/∂W⁽¹⁾₁₁?                        score 12 · streak 3
╭───────────────────────────────────────────────────────────────────────────╮
│ the network, its numbers, the factors so far                              │
╰───────────────────────────────────────────────────────────────────────────╯
 > (Ŷ₀₀ − Y₀₀)·W⁽²⁾₁₀·X₁₀
 ✗ the factor 1{f⁽¹⁾₁₀ > 0} is missing
"""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from engine.autodiff.graph import Graph
from engine.formula.layout import draw
from engine.formula.notation import Style, number_text, symbol_text
from engine.formula.own_names import CANONICAL, OwnNames
from engine.formula.text import ascii_text
from engine.practice.unreadable import UnreadableError
from engine.practice.verdict import Verdict
from tui.shell.key_bar import KeyBar
from tui.shell.too_small import TooSmall

LARGEST_SHOWN = 12
"""Matrices of more entries than this are said by their shape."""


class AskingScreen(Screen[None]):
    """Asks, takes an answer, and says what it is worth."""

    CSS_PATH = "asking.tcss"

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Static(id="title")
        with VerticalScroll(id="asked", can_focus=False):
            yield Static(id="question")
        box = Input(placeholder="a formula or a number", id="answer")
        box.cursor_blink = False
        yield box
        with VerticalScroll(id="said", can_focus=False):
            yield Static(id="verdict")
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

    def title_line(self) -> Content:
        """The line at the top."""
        raise NotImplementedError

    def question_lines(self) -> Content:
        """What is asked, and what is known."""
        raise NotImplementedError

    def answered(self, text: str) -> None:
        """Takes an answer."""
        raise NotImplementedError

    # ── drawing ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def glyphs(self) -> Style:
        """How formulas are drawn."""
        return Style(ascii=self.app.has_class("-ascii"), names=self.names)

    @property
    def names(self) -> OwnNames:
        """The letters of the experiment that is asked about."""
        return CANONICAL

    @property
    def room(self) -> int:
        """Columns for what is asked."""
        return max(self.query_one("#asked").size.width - 2, 40)

    def said(self, text: str) -> str:
        """Words in the characters that the terminal has."""
        if not self.glyphs.ascii:
            return text
        return ascii_text(text.replace("✓", "+").replace("✗", "x"))

    def redraw(self) -> None:
        """Draws everything but the last verdict."""
        if not self.is_mounted or not self.children or not self.size.width:
            return
        self.query_one("#title", Static).update(self.title_line())
        self.query_one("#question", Static).update(self.question_lines())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes the answer, if there is one."""
        text = event.value.strip()
        if text:
            self.answered(text)

    def say(self, *lines: Content) -> None:
        """What is said below the answer."""
        text = Content("\n").join(list(lines))
        for verdict in self.query("#verdict").results(Static):  # none, where it has been closed since
            verdict.update(text)

    def clear_answer(self) -> None:
        """An empty line for the next answer."""
        for box in self.query(Input):
            box.value = ""

    def verdict_lines(self, verdict: Verdict, text: str) -> Iterator[Content]:
        """What was understood, and what is said of it."""
        style = self.glyphs
        if verdict.expr is not None:
            box = draw(verdict.expr, style)
            if box.width <= self.room and box.height <= 5:
                yield Content.styled("understood", "$faint")
                yield Content("\n".join(box.lines))
        match verdict.verdict:
            case "right":
                yield Content.styled(self.said("✓ right"), "bold $done")
            case "wrong":
                yield Content.styled(self.said("✗ wrong"), "bold $error")
            case "unclear":
                yield Content.styled("? this cannot be told", "bold $remark")
            case "unreadable":
                typed, caret = UnreadableError(verdict.problem or "", text, verdict.column or 1).lines()
                yield Content(self.said(typed))
                yield Content.styled(caret, "$remark")
                yield Content.styled(self.said(f"? {verdict.problem}"), "$remark")
        for mistake in verdict.mistakes:
            yield Content(self.said(f"  {mistake.text}"))
        for remark in verdict.remarks:
            yield Content.styled(self.said(f"  {remark}"), "$faint")

    def numbers_of(self, graph: Graph, forward: bool) -> Iterator[Content]:
        """The network's numbers: what is given, and with `forward` what is computed from it. Never a gradient."""
        style = self.glyphs
        for node in graph.nodes.values():
            if (node.op is not None and not forward) or (node is graph.loss and not forward):
                continue
            name = symbol_text(node.symbol, style)
            rows, columns = node.shape
            if node.value.size > LARGEST_SHOWN:
                yield Content.styled(f"{name}  {rows}x{columns}", "$faint")
                continue
            numbers = ", ".join(
                "[" + ", ".join(number_text(float(one), style) for one in row) + "]" for row in node.value
            )
            text = numbers if rows == 1 else f"[{numbers}]"
            yield Content.assemble((f"{name} = ", "$faint"), (text, "$value"))
