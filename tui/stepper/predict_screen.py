"""Predict: the stepper with every coming factor hidden until it is answered or given up.

      ∂ℰ       ∂ℰ      ∂Ŷ₀₀     ∂f⁽²⁾₀₀   ∂a⁽¹⁾₁₀
    ────── =  ──── · ─────── · ─────── · ─────── · …        the product: what was answered, and a question mark
    ∂W⁽¹⁾₁₁   ∂Ŷ₀₀   ∂f⁽²⁾₀₀   ∂a⁽¹⁾₁₀   ∂f⁽¹⁾₁₀
       ?     ✓−1.925  ✓0.2496      ?         ·
    Factor 3 of 5: ∂f⁽²⁾₀₀/∂a⁽¹⁾₁₀ = ?                      the term: the question, and what the last answer was worth
    > W[1][1,1]                                             instead of the running product: the answer

One may go back to the forward pass and to what was answered. Nothing on the screen tells what is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input
from typing_extensions import override

from engine.derivation.chain_rule import Derivation
from engine.formula.layout import one_line
from engine.formula.notation import Style
from engine.formula.number_text import number_text
from engine.practice.prediction import Prediction, PredictionQuestion
from tui.session.session_base import SessionBase
from tui.shell.csv_table import Cell, CsvTable, Rows
from tui.shell.key_command import bindings
from tui.shell.keys import PREDICT_COMMANDS
from tui.shell.learner_deeds import Deed, Done
from tui.shell.side_by_side import flowed
from tui.shell.verdict_content import echo, judgement, numbers_of
from tui.stepper.chain_rule_panel import ChainProgress
from tui.stepper.network_diagram import NetworkDiagram
from tui.stepper.stepper_screen import StepperScreen
from tui.stepper.term_panel import TermPanel
from tui.stepper.traversal import Detail, Phase, Position


class PredictScreen(StepperScreen, inherit_bindings=False):
    """Asks for the factors of one derivation, one after the other, and for the whole gradient last."""

    COMMANDS_SHOWN = PREDICT_COMMANDS
    BINDINGS = bindings(PREDICT_COMMANDS)

    def __init__(self, session: SessionBase, derivation: Derivation, prediction: Prediction) -> None:
        """With the questions of the derivation, `session.prediction` of it."""
        super().__init__(session, derivation)
        self.detail = Detail.NODE
        self._begin(prediction)

    def _begin(self, prediction: Prediction) -> None:
        self.prediction = prediction
        self._said: list[Content] = []
        """What the last answer was worth."""
        self.position = self._furthest

    @property
    def _furthest(self) -> Position:
        """As far as one may go: to the factor that is asked."""
        return Position(Phase.BACKWARD, min(self.prediction.place, len(self.derivation) - 1))

    @property
    def known(self) -> int | None:
        """The factors that were answered or given up; all at the end."""
        return None if self.prediction.current is None else self.prediction.place

    # ── drawing ─────────────────────────────────────────────────────────────────────────────────────

    @override
    def below_the_term(self) -> Widget:
        box = Input(placeholder="a formula or a number", id="answer")
        box.cursor_blink = False
        return box

    @override
    def on_mount(self) -> None:
        """The answer can be typed at once."""
        self.query_one(Input).focus()

    @override
    def looked_at(self) -> tuple[Derivation, ChainProgress]:
        prediction = self.prediction
        given_up = frozenset(
            place for place, asked in enumerate(prediction.questions) if asked.given_up and asked.formula
        )
        current = self.position.index if self.position.phase is Phase.BACKWARD else None
        reached = min(prediction.place, len(self.derivation))
        hidden = prediction.current is not None
        return self.derivation, ChainProgress(reached, current if hidden else None, hidden, given_up)

    @override
    def draw_term(self, style: Style) -> None:
        if self.position < self._furthest:
            super().draw_term(style)
            return
        panel = self.query_one(TermPanel)
        width, height = max(panel.size.width, 40), self.query_one("#term-panel").content_size.height
        lines = [line for content in self._question(style) for line in content.wrap(width)]
        numbers = list(numbers_of(self.session.graph, forward=True, style=style))
        if len(lines) + 1 + len(numbers) > height:
            numbers = flowed(numbers, width)
        panel.update(Content("\n").join([*lines, Content(""), *numbers][:height]))

    def _question(self, style: Style) -> Iterator[Content]:
        """What is asked, and what the last answer was worth."""
        asked = self.prediction.current
        if asked is None:
            yield Content.styled(f"All done: {self._score()}.", "bold $done")
        else:
            name = one_line(asked.name, style)
            yield Content.assemble((f"{self._which(asked)}: ", "bold"), (f"{name} = ?", "bold $accent"))
        yield from self._said

    def _which(self, asked: PredictionQuestion) -> str:
        number, total = self.prediction.place + 1, len(self.derivation)
        return "The whole gradient" if asked.formula is None else f"Factor {number} of {total}"

    def _score(self) -> str:
        prediction = self.prediction
        asked = min(prediction.place, len(prediction.questions))
        return f"{prediction.right} of {asked} right, {prediction.at_once} at once"

    @override
    def draw_below_the_term(self, style: Style) -> None:
        panel = self.query_one("#running-panel")
        asked = self.prediction.current
        panel.border_title = "Escape leads back" if asked is None else f"Predict: {self._which(asked)}"
        panel.border_subtitle = self._score() if self.prediction.place else ""

    @override
    def data_tables(self) -> Sequence[CsvTable]:
        return [CsvTable(self._answer_rows)]

    def _answer_rows(self) -> Rows:
        """How each question went; its answer where that is known by now."""
        rows: list[list[Cell]] = [["question", "tries", "answered", "given_up", "value"]]
        for one in self.prediction.questions:
            value = float(one.value) if one.done else None
            rows.append([one.name.plain(), one.tries, int(one.answered), int(one.given_up), value])
        return rows

    @override
    def done_so_far(self) -> Iterator[Done]:
        yield Done(
            Deed.PREDICT,
            sum(asked.answered and asked.formula is not None for asked in self.prediction.questions),
        )

    # ── answering ───────────────────────────────────────────────────────────────────────────────────

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A right answer goes on; a wrong one says which mistake it is."""
        asked, text = self.prediction.current, event.value.strip()
        if asked is None or not text:
            return
        style, width = self.glyphs, max(self.query_one(TermPanel).size.width, 40)
        verdict = self.prediction.answer(text)
        self._said = list(judgement(verdict, text, style))
        if verdict.verdict == "right":
            self._said[0] = Content.assemble(self._said[0], f"   {self._told(asked)}")
            event.input.value = ""
        else:
            self._said += echo(verdict, style, width)
        self.go(self._furthest)

    def _told(self, asked: PredictionQuestion) -> str:
        """A factor and its number."""
        return f"{one_line(asked.name, self.glyphs)} = {number_text(asked.value, self.glyphs)}"

    def action_give_up(self) -> None:
        """Shows the answer to the current question and goes on."""
        asked = self.prediction.current
        if asked is None:
            return
        self.prediction.give_up()
        formula = self.prediction.solution(asked)
        name, number = one_line(asked.name, self.glyphs), number_text(asked.value, self.glyphs)
        text = f" = {one_line(formula, self.glyphs)}" if formula is not None else ""
        self._said = [Content.assemble(("given up  ", "$remark"), f"{name}{text} = {number}")]
        self._clear()
        self.go(self._furthest)

    def action_again(self) -> None:
        """Begins again."""
        derivation = self.derivation
        self.compute("Asking again", lambda: self.session.prediction(derivation), self._ask_again)

    def _ask_again(self, prediction: Prediction) -> None:
        self._begin(prediction)
        self._clear()
        self.redraw()

    def _clear(self) -> None:
        for box in self.query(Input):  # none, where it has been closed since
            box.value = ""

    # ── moving ──────────────────────────────────────────────────────────────────────────────────────

    @override
    def go(self, position: Position) -> None:
        super().go(min(position, self._furthest))

    @override
    def on_network_diagram_chosen(self, message: NetworkDiagram.Chosen) -> None:
        """What is asked stays."""
        message.prevent_default()

    def action_close(self) -> None:
        """Back to the stepper."""
        self.dismiss()
