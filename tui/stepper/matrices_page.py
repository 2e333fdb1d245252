"""The matrices page: the forward and the backward pass as matrix products with their shapes, and what each comes to."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.derivation.matrix_form import MatrixLine
from engine.export.matrix_line_text import line_in_names, line_in_shapes
from engine.formula.ascii_text import in_characters_of
from engine.formula.layout import one_line
from engine.formula.notation import Style
from engine.formula.text_width import wrapped
from tui.shell.stacked_content import stacked


def matrices_view(lines: Sequence[MatrixLine], style: Style, width: int, note: str | None = None) -> Content:
    """The page of the forward and the backward pass as matrix products (tutorial B4), with shapes, checked.

    `note` is what else is to be said of the matrices.
    """
    parts: list[Content | str] = []
    phase = ""
    for line in lines:
        if line.phase != phase:
            phase = line.phase
            heading = "Forward" if phase == "forward" else "Backward"
            parts += ([""] if parts else []) + [Content.styled(heading, "bold $primary")]
        parts += _matrix_line(line, style, width)
    tick = style.glyphs.tick
    said = f"{tick}  recomputed with plain NumPy from the matrices named, equal to what the network holds"
    unequal = sum(not line.agrees for line in lines)
    if unequal:
        said = (
            f"{unequal} of {len(lines)} lines are not, when recomputed, shown to equal what the network holds"
        )
    parts += ["", Content.styled(said, "$remark" if unequal else "$faint")]
    if note is not None:
        words = style.names.said(note, ascii=style.ascii)
        shown = wrapped(in_characters_of(words, style), width)
        parts += ["", *(Content.styled(part, "$remark") for part in shown)]
    return stacked(parts)


def _matrix_line(line: MatrixLine, style: Style, width: int) -> list[Content | str]:
    """One product; its remark stands beside it, or below where that is too wide."""
    tick, cross = style.glyphs.tick, style.glyphs.cross
    right = line_in_names(line, style, style.glyphs.times)
    shown_shapes = line_in_shapes(line, style, style.glyphs.times)
    about = style.names.said(line.remark, ascii=style.ascii)
    about = in_characters_of(about, style)
    mark, colour = (tick, "$done") if line.agrees else (cross, "bold $error")
    if line.undefined:
        mark, colour = "?", "$remark"
    product = f"{one_line(line.result, style):>12} = {right:<22}  "
    main = Content.assemble((f"{mark:<3}", colour), product, (shown_shapes, "$value"))
    below: list[Content | str] = [
        Content.styled(f"{' ' * 18}{line}", "$faint") for line in wrapped(about, width - 18)
    ]
    if main.cell_length > width:
        return [
            Content.assemble((f"{mark:<3}", colour), product.rstrip()),
            Content.styled(f"{' ' * 18}{shown_shapes}", "$value"),
            *below,
        ]
    if about and main.cell_length + len(about) + 3 <= width:
        return [Content.assemble(main, (f"   {about}", "$faint"))]
    return [main, *below]
