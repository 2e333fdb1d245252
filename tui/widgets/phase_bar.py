"""One line that says where one is: which of the four phases, which step of it, and what one step is.

Forward ─ Loss ─▐ Backward ▌─ Update        term 3 of 5 · one step is a term
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.walk import Detail, Phase, Place, Walk

NAMES = {Phase.FORWARD: "Forward", Phase.LOSS: "Loss", Phase.BACKWARD: "Backward", Phase.UPDATE: "Update"}
UNITS = {Detail.TERM: "term", Detail.NODE: "node", Detail.LAYER: "layer"}


class PhaseBar(Static):
    """Where one is; a click on a phase goes there."""

    _columns: Sequence[tuple[range, Phase]] = ()

    class Chosen(Message):
        """A phase was clicked."""

        def __init__(self, phase: Phase) -> None:
            super().__init__()
            self.phase = phase

    def show(
        self, walk: Walk, place: Place, detail: Detail, pending: str, playing: bool, ascii_only: bool
    ) -> None:
        """Draws the bar for a place; `pending` is a count that is being typed."""
        tick, mark, joint = ("+", ">", " - ") if ascii_only else ("✓", "▸", " ─ ")
        parts: list[Content | str] = [" "]
        labels: list[tuple[range, Phase]] = []
        column = 1
        for phase, name in NAMES.items():
            if phase:
                parts.append(Content.styled(joint, "$faint"))
                column += len(joint)
            label, style = f"  {name} ", "$faint"
            if phase < place.phase:
                label, style = f"{tick} {name} ", "$done"
            elif phase is place.phase:
                label, style = f"{mark} {name} ", "bold reverse $accent"
            labels.append((range(column, column + len(label)), phase))
            column += len(label)
            parts.append(Content.styled(label, style))
        self._columns = labels
        parts.append(Content.styled(f"   {self._where(walk, place)}", "bold"))
        if pending:
            parts.append(Content.styled(f"   {pending}…", "$accent bold"))
        elif playing:
            parts.append(Content.styled("   autoplay", "$accent bold"))
        elif detail is not Detail.TERM:
            parts.append(Content.styled(f"   by {UNITS[detail]}", "$accent"))
        self.update(Content.assemble(*parts))

    @staticmethod
    def _where(walk: Walk, place: Place) -> str:
        match place.phase:
            case Phase.FORWARD:
                return f"node {place.index + 1} of {walk.size(Phase.FORWARD)}"
            case Phase.BACKWARD:
                turns = walk.turns(place)
                several = f", term {place.turn + 1} of {turns}" if turns > 1 else ""
                return f"step {place.index + 1} of {walk.size(Phase.BACKWARD)}{several}"
        return ""

    def on_click(self, event: events.Click) -> None:
        """Goes to the phase under the mouse."""
        for columns, phase in self._columns:
            if event.x in columns:
                self.post_message(self.Chosen(phase))
