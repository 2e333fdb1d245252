"""The line with the numbers of the layer under the cursor: its gradient, its update, its zeros and saturation."""

from __future__ import annotations

from textual.content import Content

from engine.formula.notation import Style
from engine.formula.number_text import number_text
from engine.formula.untrusted_text import one_line
from engine.metrics.step_record import StepRecord

FIELDS = {
    "max": "grad_max",
    "mean": "grad_mean",
    "L2": "grad_l2",
    "‖ΔW‖/‖W‖": "update_ratio",
    "zeros": "zero_fraction",
}
"""What is shown of a layer, and where a record has it."""


def layer_line(
    record: StepRecord, layer: int, name: str | None, style: Style, width: int, *, with_step: bool
) -> Content:
    """The line with the numbers of a layer, counted from 0, as much of it as `width` columns hold."""
    there = {label: field for label, field in FIELDS.items() if field in record.fields}
    values = {label: getattr(record, field)[layer] for label, field in there.items()}
    called = f": {one_line(name)}" if name and not name.startswith("W[") else ""
    parts: list[Content | str | tuple[str, str]] = [
        (f" layer {layer + 1} of {len(record.grad_l2)}{called} ", "bold reverse $accent")
    ]
    if with_step:
        loss = f"  loss {number_text(record.loss, style)}" if "loss" in record.fields else ""
        parts.append((f"  step {record.step:,}{loss}", "$value"))
    for label, value in values.items():
        if value != value:  # there was no update yet
            continue
        text = f"{100 * value:.0f} %" if label == "zeros" else number_text(float(value), style)
        parts.append(Content.assemble((f"  {style.names.said(label)} ", "$faint"), text))
    if absent := [label for label in FIELDS if label not in there]:
        parts.append(Content.styled(f"  {', '.join(absent)}: not logged", "$faint"))
    if record.saturated[layer] == record.saturated[layer]:
        parts.append(Content.assemble(("  saturated ", "$faint"), f"{100 * record.saturated[layer]:.0f} %"))
    while (line := Content.assemble(*parts)).cell_length > width and len(parts) > 1:
        parts.pop()
    return line
