"""Predict: the chain rule with every coming factor hidden until it is answered or given up.

  ∂ℰ       ∂ℰ      ∂Ŷ₀₀     ∂f⁽²⁾₀₀
────── =  ──── · ─────── · ─────── · …
∂W⁽¹⁾₁₁   ∂Ŷ₀₀   ∂f⁽²⁾₀₀   ∂a⁽¹⁾₁₀
         ✓−1.925     ?         ·
"""

from __future__ import annotations

from textual.content import Content
from typing_extensions import override

from engine.derivation.chain_rule import Derivation
from engine.derivation.evaluated import EvaluatedExperiment
from engine.formula.expression import Partial
from engine.formula.layout import Box, draw, one_line, product_row, row
from engine.formula.notation import number_text
from engine.formula.own_names import OwnNames
from engine.practice.prediction import LOSS, Asked, Prediction
from engine.practice.verdict import Verdict
from tui.practice.asking_screen import AskingScreen
from tui.shell.keys import PREDICT_COMMANDS, bindings
from tui.shell.paint import paint

NARROWEST_FACTOR = 9


class PredictScreen(AskingScreen):
    """Asks for the factors of one derivation, one after the other."""

    COMMANDS_SHOWN = PREDICT_COMMANDS
    BINDINGS = bindings(PREDICT_COMMANDS)

    def __init__(self, evaluated: EvaluatedExperiment, derivation: Derivation) -> None:
        super().__init__()
        self.evaluated, self.derivation = evaluated, derivation
        self.prediction = Prediction.of(evaluated, derivation)

    @property
    @override
    def names(self) -> OwnNames:
        return self.evaluated.names

    def title_line(self) -> Content:
        """The gradient, and the count so far."""
        style, prediction = self.glyphs, self.prediction
        name = one_line(Partial(LOSS, self.derivation.target), style)
        return Content.assemble(
            (f" Predict {name} ", "bold reverse $primary"),
            (f"  {self.said(self.evaluated.experiment.title)}", "bold"),
            (f"   {self._count()}" if prediction.place else "", "$faint"),
        )

    def _count(self) -> str:
        prediction = self.prediction
        asked = min(prediction.place, len(prediction.questions))
        return f"{prediction.right} of {asked} right, {prediction.at_once} at once"

    def question_lines(self) -> Content:
        """The product with what is known of it, the question, and the network's numbers."""
        lines = [*self._chain(), Content("")]
        asked = self.prediction.current
        if asked is None:
            lines.append(Content.styled(f"All done: {self._count()}.", "bold $done"))
            lines.append(Content.styled("Escape leads back; F7 begins again.", "$faint"))
        else:
            number, total = self.prediction.place + 1, len(self.prediction.questions)
            what = (
                "The whole gradient" if asked.formula is None else f"Factor {number} of {total - (total > 1)}"
            )
            name = one_line(asked.name, self.glyphs)
            lines.append(Content.assemble((f"{what}: ", "bold"), (f"{name} = ?", "bold $accent")))
        lines.append(Content(""))
        lines += self.numbers_of(self.evaluated.graph, forward=True)
        return Content("\n").join(lines)

    def _chain(self) -> list[Content]:
        """The factors around the current one, as many as fit; below each its number once it is known."""
        style, room = self.glyphs, self.room
        factors = [asked for asked in self.prediction.questions if asked.formula is not None]
        boxes = []
        for asked in factors:
            box = draw(asked.name, style)
            boxes.append(_centred(box, max(box.width, NARROWEST_FACTOR)))
        head = row([draw(Partial(LOSS, self.derivation.target), style), Box.of(" = ")])
        per_page = max((room - head.width - 6) // (NARROWEST_FACTOR + 5), 1)
        place = min(self.prediction.place, len(factors) - 1)
        first = place // per_page * per_page
        shown = factors[first : first + per_page]
        product, columns = product_row(boxes[first : first + per_page], style)
        dots = style.glyphs.dots
        before = Box.of(f"{dots} " if first else "")
        after = Box.of(f" {dots}" if first + len(shown) < len(factors) else "")
        whole = row([head, before, product, after])
        offset = head.width + before.width
        states, cursor = list[Content | str](), 0
        spans = []
        for asked, span in zip(shown, columns, strict=True):
            text, paint_style = self._state(asked)
            start = offset + span.start
            spans.append((range(start, offset + span.stop), paint_style))
            states.append(" " * (start - cursor))
            states.append(Content.styled(text.center(len(span)), paint_style))
            cursor = offset + span.stop
        return [paint(whole, spans), Content.assemble(*states)]

    def _state(self, asked: Asked) -> tuple[str, str]:
        """A factor's number where it is known, a question mark where it is asked."""
        if asked.done:
            style = self.glyphs
            mark = self.said("✓") if asked.answered else style.glyphs.off
            return f"{mark}{number_text(asked.value, style)}", "$done" if asked.answered else "$remark"
        return ("?", "bold $accent") if asked is self.prediction.current else (".", "$faint")

    def answered(self, text: str) -> None:
        """A right answer goes on; a wrong one says which mistake it is."""
        asked = self.prediction.current
        if asked is None:
            return
        verdict = self.prediction.answer(text)
        self.say(*self.verdict_lines(verdict, text), *self._after(asked, verdict))
        if verdict.verdict == "right":
            self.clear_answer()
        self.redraw()

    def _after(self, asked: Asked, verdict: Verdict) -> list[Content]:
        if verdict.verdict != "right":
            return []
        name = one_line(asked.name, self.glyphs)
        return [Content(f"  {name} = {number_text(asked.value, self.glyphs)}")]

    def action_give_up(self) -> None:
        """Shows the answer to the current question and goes on."""
        asked = self.prediction.current
        if asked is None:
            return
        self.prediction.give_up()
        formula = self.prediction.solution(asked)
        name, number = one_line(asked.name, self.glyphs), number_text(asked.value, self.glyphs)
        text = f" = {one_line(formula, self.glyphs)}" if formula is not None else ""
        self.say(Content.styled("given up", "$remark"), Content(f"{name}{text} = {number}"))
        self.clear_answer()
        self.redraw()

    def action_again(self) -> None:
        """Begins again."""
        self.prediction = Prediction.of(self.evaluated, self.derivation)
        self.say()
        self.clear_answer()
        self.redraw()

    def action_close(self) -> None:
        """Back to the stepper."""
        self.dismiss()


def _centred(box: Box, width: int) -> Box:
    left = (width - box.width) // 2
    return Box(tuple((" " * left + line).ljust(width) for line in box.lines), box.baseline)
