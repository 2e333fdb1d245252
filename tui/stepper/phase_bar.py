"""One line that says where one is: which of the four phases, which step of it, and what one step is.

Forward ─ Loss ─▐ Backward ▌─ Update        term 3 of 5 · one step is a term
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine.formula.notation import Glyphs
from tui.stepper.traversal import Detail, Phase, Position, Traversal

NAMES = {Phase.FORWARD: "Forward", Phase.LOSS: "Loss", Phase.BACKWARD: "Backward", Phase.UPDATE: "Update"}
RESULT = "Result"
"""What stands for the loss where another number is differentiated."""
UNITS = {Detail.TERM: "term", Detail.NODE: "node", Detail.LAYER: "layer"}


class PhaseBar(Static):
    """The bar of phases: forward, loss, backward, update; a click on one goes there."""

    _columns: Sequence[tuple[range, Phase]] = ()

    class Chosen(Message):
        """A phase was clicked."""

        def __init__(self, phase: Phase) -> None:
            super().__init__()
            self.phase = phase

    def show(
        self,
        traversal: Traversal,
        position: Position,
        detail: Detail,
        pending: str,
        playing: bool,
        glyphs: Glyphs,
    ) -> None:
        """Draws the bar for a position; `pending` is a count that is being typed.

        Where it does not fit, it says the same in fewer words.
        """
        doing: tuple[str, str] = ("", "")
        if pending:
            doing = (f"   {pending}{glyphs.ellipsis}", "$accent bold")
        elif playing:
            doing = ("   autoplay", "$accent bold")
        elif detail is not Detail.TERM:
            doing = (f"   by {UNITS[detail]}", "$accent")
        for short in (False, True):
            bar, self._columns = self._bar(position.phase, traversal, short, glyphs)
            where = (f"   {self._where(traversal, position, short)}", "bold")
            content = Content.assemble(*bar, where, doing)
            if content.cell_length <= self.size.width:
                break
        self.update(content)

    @staticmethod
    def _bar(
        now: Phase, traversal: Traversal, short: bool, glyphs: Glyphs
    ) -> tuple[list[Content | str], list[tuple[range, Phase]]]:
        """The phases, and the columns in which each of them stands."""
        tick, mark, joint = glyphs.done, glyphs.here, f" {glyphs.bar} "
        joint = joint.strip() if short else joint
        parts: list[Content | str] = [" "]
        labels: list[tuple[range, Phase]] = []
        column = 1
        for phase, name in NAMES.items():
            if not traversal.first_phase <= phase <= traversal.last_phase:
                continue
            if phase is Phase.LOSS and not traversal.has_loss:
                name = RESULT
            if labels:
                parts.append(Content.styled(joint, "$faint"))
                column += len(joint)
            label, style = f"  {name} ", "$faint"
            if phase < now:
                label, style = f"{tick} {name} ", "$done"
            elif phase is now:
                label, style = f"{mark} {name} ", "bold reverse $accent"
            labels.append((range(column, column + len(label)), phase))
            column += len(label)
            parts.append(Content.styled(label, style))
        return parts, labels

    @staticmethod
    def _where(traversal: Traversal, position: Position, short: bool) -> str:
        number, size = position.index + 1, traversal.size(position.phase)
        match position.phase:
            case Phase.FORWARD:
                return f"{number}/{size}" if short else f"node {number} of {size}"
            case Phase.BACKWARD:
                turns = traversal.turns(position)
                if short:
                    return f"{number}/{size}" + (f", {position.turn + 1}/{turns}" if turns > 1 else "")
                several = f", term {position.turn + 1} of {turns}" if turns > 1 else ""
                return f"step {number} of {size}{several}"
            case Phase.UPDATE if size > 1:
                return f"{number}/{size}" if short else f"line {number} of {size}"
        return ""

    def on_click(self, event: events.Click) -> None:
        """Goes to the phase under the mouse."""
        for columns, phase in self._columns:
            if event.x in columns:
                self.post_message(self.Chosen(phase))
