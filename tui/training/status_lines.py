"""The lines above every training screen: what is trained, how far it is, how well it goes, how fast it runs.

vanishing-sigmoid-50   Fifty sigmoid layers                          ▸ running   412 steps/s
step 120 of 200 ▐█████████▌       ℰ 0.6931 → 0.6930   accuracy 51 %   η 0.1
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from engine.formula.notation import Style, number_text
from tui.session.training_run import SPEEDS, LaneView, State, Training
from tui.training.charts import MARKERS, SECOND

BAR = 16
"""Columns of the progress bar."""


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """One lane at a glance."""

    name: str
    title: str
    step: int
    limit: int | None
    loss_first: float | None
    loss: float | None
    accuracy: float | None
    recall: tuple[float, ...]
    learning_rate: float | None
    problem: str | None


def lane_status(lane: LaneView) -> LaneStatus:
    """Reads a lane; to be called between two steps."""
    first, record = lane.history.first, lane.record
    return LaneStatus(
        name=lane.name,
        title=lane.title,
        step=lane.steps_done,
        limit=lane.limit,
        loss_first=None if first is None else first.loss,
        loss=None if record is None else record.loss,
        accuracy=None if record is None else record.accuracy,
        recall=() if record is None else record.recall,
        learning_rate=lane.learning_rate,
        problem=lane.problem,
    )


def lane_marks(style: Style) -> tuple[str, str]:
    """What the first and the second run are drawn with."""
    return ("#", MARKERS[True][SECOND]) if style.ascii else ("█", MARKERS[False][SECOND])


def title_line(live: Training, status: LaneStatus, width: int, style: Style) -> Content:
    """What is trained, and what the training is doing."""
    marks = {State.RUNNING: ">", State.PAUSED: "||", State.FINISHED: "=", State.BROKEN: "!"}
    if not style.ascii:
        marks = {State.RUNNING: "▸", State.PAUSED: "‖", State.FINISHED: "■", State.BROKEN: "!"}
    state = live.state
    speed = "" if live.speed == SPEEDS[-1] else f"slowed to {live.speed:g}/s   "
    measured = state is State.RUNNING and live.steps_per_second > 0
    rate = f"{live.steps_per_second:,.0f} steps/s" if measured else ""
    doing = "looking back" if live.travelled is not None else state.value
    right = f"{speed}{rate}   {marks[state]} {doing} "
    left = Content.assemble((f" {status.name} ", "bold reverse $primary"), (f"  {status.title}", "bold"))
    left = left.truncate(max(width - len(right) - 1, 10), ellipsis=True)
    colour = {State.RUNNING: "bold $done", State.BROKEN: "bold $error"}.get(state, "bold $accent")
    return Content.assemble(left, " " * max(width - left.cell_length - len(right), 1), (right, colour))


def progress_line(status: LaneStatus, style: Style, width: int, label: str = "") -> Content:
    """How far it is and how well it goes; what fits least is left out first, the loss never."""
    limit = status.limit or max(status.step, 1)
    filled = round(BAR * min(status.step / limit, 1.0))
    full, empty = ("#", ".") if style.ascii else ("█", "░")
    arrow, loss, eta = ("->", "E", "lr") if style.ascii else ("→", "ℰ", "η")
    parts: dict[str, Content] = {"label": Content.styled(f" {label}  " if label else " ", "bold")}
    beyond = status.step > limit  # single steps lead further
    parts["step"] = Content(
        f"step {status.step:,}" + (f" of {limit:,}" if status.limit and not beyond else "")
    )
    if status.limit:
        parts["bar"] = Content.assemble(" ", (full * filled, "$done"), (empty * (BAR - filled), "$faint"))
    if status.loss is not None and status.loss_first is not None:
        losses = f"{number_text(status.loss_first, style)} {arrow} {number_text(status.loss, style)}"
        parts["loss"] = Content.styled(f"   {loss} {losses}", "$value")
    if status.accuracy is not None:
        parts["accuracy"] = Content(f"   accuracy {100 * status.accuracy:.0f} %")
    if len(status.recall) == 2 and all(one == one for one in status.recall):
        recall = f" (Y=0 {100 * status.recall[0]:.0f} %, Y=1 {100 * status.recall[1]:.0f} %)"
        parts["recall"] = Content.styled(recall, "$faint")
    if status.learning_rate is not None:
        parts["rate"] = Content.styled(f"   {eta} {number_text(status.learning_rate, style)}", "$faint")
    for least in ("recall", "bar", "rate", "accuracy"):
        if sum(part.cell_length for part in parts.values()) <= width:
            break
        parts.pop(least, None)
    return Content.assemble(*parts.values())
