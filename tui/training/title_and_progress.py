"""The lines above every training screen: what is trained, how far it is, how well it goes, how fast it runs.

vanishing-sigmoid-50   Fifty sigmoid layers                          ▸ running   412 steps/s
step 120 of 200 ▐█████████▌       ℰ 0.6931 → 0.6930   accuracy 51 %   η 0.1
"""

from __future__ import annotations

from textual.content import Content

from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import number_text
from engine.metrics.added_metrics import OWN_METRICS
from engine.metrics.step_record import Extent
from engine.model.network import LOSS, Y
from tui.session.training_snapshot import FULL_SPEED, RunSnapshot, State, TrainingSnapshot

BAR = 16
"""Columns of the progress bar."""


def title_line(training: TrainingSnapshot, width: int, style: Style) -> Content:
    """The title line: what is trained, and what the training is doing."""
    glyphs = style.glyphs
    marks = {
        State.RUNNING: glyphs.running,
        State.PAUSED: glyphs.paused,
        State.FINISHED: glyphs.finished,
        State.BROKEN: "!",
    }
    run, state = training.first, training.state
    speed = "" if training.speed == FULL_SPEED else f"slowed to {training.speed:g}/s   "
    measured = state is State.RUNNING and training.steps_per_second > 0
    rate = f"{training.steps_per_second:,.0f} steps/s" if measured else ""
    doing = "looking back" if training.travelled is not None else training.doing or state.value
    right = f"{speed}{rate}   {marks[state]} {doing} "
    left = Content.assemble((f" {run.name} ", "bold reverse $primary"), (f"  {run.title}", "bold"))
    left = left.truncate(max(width - len(right) - 1, 10), ellipsis=True)
    colour = {State.RUNNING: "bold $done", State.BROKEN: "bold $error"}.get(state, "bold $accent")
    return Content.assemble(left, " " * max(width - left.cell_length - len(right), 1), (right, colour))


def progress_line(run: RunSnapshot, style: Style, width: int, label: str = "") -> Content:
    """The progress line of a run: how far it is and how well it goes; what fits least is left out first."""
    limit = run.limit or max(run.steps_done, 1)
    filled = round(BAR * min(run.steps_done / limit, 1.0))
    full, empty = style.glyphs.full, style.glyphs.empty
    arrow, loss = style.glyphs.arrow, symbol_text(LOSS, style)
    eta = style.names.said("lr" if style.ascii else "η")
    parts: dict[str, Content] = {"label": Content.styled(f" {label}  " if label else " ", "bold")}
    beyond = run.steps_done > limit  # single steps lead further
    parts["step"] = Content(
        f"step {run.steps_done:,}" + (f" of {limit:,}" if run.limit and not beyond else "")
    )
    if run.limit:
        parts["bar"] = Content.assemble(" ", (full * filled, "$done"), (empty * (BAR - filled), "$faint"))
    record, first = run.record, run.first
    if record is not None and "loss" not in record.fields:
        parts["loss"] = Content.styled(f"   {loss} not logged", "$faint")
    elif record is not None and first is not None:
        now = number_text(record.loss, style)
        losses = f"{number_text(first.loss, style)} {arrow} {'batch ' * run.of_batch}{now}"
        if run.steps_done == 0:
            losses = now
        parts["loss"] = Content.styled(f"   {loss} {losses}", "$value")
    if record is not None and record.accuracy is not None:
        of = "batch " * run.of_batch
        parts["accuracy"] = Content(f"   {of}accuracy {100 * record.accuracy:.0f} %")
    if record is not None and record.test_step >= 0:
        share = "" if record.test_accuracy is None else f", {100 * record.test_accuracy:.0f} %"
        parts["test"] = Content(f"   test {number_text(record.test_loss, style)}{share}")
    recalls = () if record is None else record.recall
    if len(recalls) == 2 and all(one == one for one in recalls):
        label = symbol_text(Y, style)
        recall = f" ({label}=0 {100 * recalls[0]:.0f} %, {label}=1 {100 * recalls[1]:.0f} %)"
        parts["recall"] = Content.styled(recall, "$faint")
    if run.learning_rate is not None and run.learning_rate == run.learning_rate:
        parts["rate"] = Content.styled(f"   {eta} {number_text(run.learning_rate, style)}", "$faint")
    for name, metric in OWN_METRICS.items():
        if metric.extent is Extent.STEP and record is not None and name in record.fields:
            parts["own"] = parts.get("own", Content()) + Content(
                f"   {metric.words} {number_text(getattr(record, name), style)}"
            )
    for least in ("own", "recall", "bar", "rate", "test", "accuracy"):
        if sum(part.cell_length for part in parts.values()) <= width:
            break
        parts.pop(least, None)
    return Content.assemble(*parts.values())
