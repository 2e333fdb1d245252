"""The gradient of a whole matrix, written out: its formula, every shape on the way, its numbers, worked entries.

∂ℰ/∂W⁽¹⁾ = X · (W⁽²⁾ · (Ŷ − Y) ⊙ 1{f⁽¹⁾ > 0})ᵀ

✓  ∂ℰ/∂f⁽²⁾ = Ŷ − Y                  (1×1) − (1×1) → 1×1
✓  ∂ℰ/∂a⁽¹⁾ = W⁽²⁾ · ∂ℰ/∂f⁽²⁾        (2×1) · (1×1) → 2×1
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from engine.derivation.gradcheck import ParameterCheck
from engine.derivation.matrix_form import MatrixLine
from engine.derivation.whole_matrix import WholeMatrix, WorkedEntry
from engine.export.factor_words import VERDICTS
from engine.export.latex_document import render_latex
from engine.export.latex_rows import in_rows, matrix_body
from engine.export.matrix_line_text import line_in_names, line_in_shapes
from engine.export.value_gradient_tables import matrix_in_table
from engine.formula.ascii_text import in_characters_of
from engine.formula.expression import Entry, Partial
from engine.formula.latex import number_latex, to_latex
from engine.formula.layout import one_line
from engine.formula.notation import Style
from engine.formula.number_text import is_exact, is_shown_in_full, number_text
from engine.formula.text_width import cells, wrapped

STYLE = Style()
MOST_ENTRIES = 6
"""So many entries are worked: the largest ones."""
MOST_TERMS = 3
MOST_LATEX_TERMS = 8
NOT_ALL = ("times", "minus", "contributions", "taken off")
"""What a remark has that says more than how to read a product: the product alone is not what is computed."""
LARGEST_LATEX = 12
"""A matrix of more rows or columns than this is left out of the LaTeX."""


def matrix_record(whole: WholeMatrix, check: ParameterCheck) -> dict[str, Any]:
    """The JSON record of a matrix gradient, with the entries worked that are worked in the text."""
    return {
        "of": whole.of.plain(),
        "target": whole.target.plain(),
        "value": whole.value.tolist(),
        "formula": whole.formula.plain(),
        "shapes": {name: list(shape) for name, shape in whole.shapes.items()},
        "entries": [
            {
                "target": entry.target.plain(),
                "formula": entry.formula.plain(),
                "substituted": entry.substituted.plain(),
                "value": entry.value,
            }
            for entry in _worked(whole)
        ],
        "check": {
            "formula_error": whole.error,
            "checked": check.checked,
            "failed": check.failed,
            "relative_error": check.worst.relative_error,
            "verdict": check.worst.verdict,
        },
    }


def _worked(whole: WholeMatrix) -> list[WorkedEntry]:
    """The largest entries of the gradient, in the order of the matrix."""
    columns = whole.value.shape[1]
    order = abs(whole.value).ravel().argsort(kind="stable")[::-1][:MOST_ENTRIES]
    entries: list[Entry] = [divmod(int(place), columns) for place in sorted(order)]
    return [whole.entry(entry) for entry in entries]


def written_matrix(
    whole: WholeMatrix, title: str, check: ParameterCheck, *, width: int = 80, style: Style = STYLE
) -> str:
    """A matrix gradient as text in lines of at most `width` columns, where its matrices allow it."""
    return "\n".join(line.rstrip() for line in matrix_lines_of_text(whole, title, check, width, style)) + "\n"


def matrix_lines_of_text(
    whole: WholeMatrix, title: str, check: ParameterCheck, width: int, style: Style
) -> Iterator[str]:
    """A matrix gradient as text, line by line."""
    name = one_line(Partial(whole.of, whole.target), style)
    tick = _tick(style)
    if title:
        shown = in_characters_of(title, style)
        yield from wrapped(shown, width)
        yield style.glyphs.double_bar * min(cells(shown), width)
        yield ""
    yield from _heading("In matrix form", style)
    yield from (f"   {line}" for line in wrapped(f"{name} = {whole.formula.drawn(style)}", width - 3))
    yield ""
    agrees = f"evaluated with plain NumPy, this is the gradient of the backward pass {tick}"
    if not whole.agrees:
        agrees = f"evaluated with plain NumPy, this is {whole.error:.0e} off the backward pass"
    yield from (f"   {line}" for line in wrapped(_said(agrees, style), width - 3))
    yield ""
    yield from _heading("Shapes", style)
    rows = [_shape_line(line, style) for line in whole.lines]
    left = max((cells(product) for product, _, _ in rows), default=0)
    for (product, shapes, mark), line in zip(rows, whole.lines, strict=True):
        yield f"{mark:<3}{product.ljust(left)}   {shapes}"
        if any(word in line.remark for word in NOT_ALL):
            yield from (f"      {part}" for part in wrapped(_said(line.remark, style), width - 6))
    yield ""
    yield from _heading("Numbers", style)
    first, *rest = matrix_in_table(whole.value, width - cells(name) - 6, style)
    yield f"   {name} = {first}"
    yield from (" " * (cells(name) + 6) + line for line in rest)
    yield ""
    entries = _worked(whole)
    most = "" if len(entries) == whole.value.size else f", the {len(entries)} largest of {whole.value.size}"
    yield from _heading(f"Entry by entry{most}", style)
    for entry in entries:
        yield from _entry_lines(whole, entry, width, style)
    yield ""
    yield from _heading("Check", style)
    yield from (f"   {line}" for line in wrapped(_said(_check_words(check), style), width - 3))


def _heading(text: str, style: Style) -> Iterator[str]:
    yield _said(text, style)
    yield style.glyphs.bar * cells(text)


def _said(text: str, style: Style) -> str:
    text = style.names.said(text, ascii=style.ascii)
    return in_characters_of(text, style)


def _tick(style: Style) -> str:
    return style.glyphs.tick


def _shape_line(line: MatrixLine, style: Style) -> tuple[str, str, str]:
    """One product of the backward pass: in names, in shapes, and whether it was found right."""
    mark = _tick(style) if line.agrees else style.glyphs.cross
    product = style.glyphs.matmul
    right, shapes = line_in_names(line, style, product), line_in_shapes(line, style, product)
    return f"{one_line(line.result, style)} = {right}", shapes, mark


def _entry_lines(whole: WholeMatrix, entry: WorkedEntry, width: int, style: Style) -> Iterator[str]:
    short = replace(style, max_terms=MOST_TERMS)
    name = one_line(Partial(whole.of, entry.target), style)
    formula, numbers = one_line(entry.formula, short), one_line(entry.substituted, short)
    equals = "=" if is_shown_in_full(entry.substituted, style.digits) else _almost(style)
    value = f"{'=' if is_exact(entry.value, style) else _almost(style)} {number_text(entry.value, style)}"
    whole_line = f"   {name} = {formula} {equals} {numbers} {value}"
    if cells(whole_line) <= width:
        yield whole_line
        return
    margin = " " * (cells(name) + 4)
    for lead, text in ((f"   {name} = ", formula), (f"{margin}{equals} ", f"{numbers} {value}")):
        first, *more = wrapped(text, max(width - cells(lead), 20))
        yield lead + first
        yield from (f"{margin}  {line}" for line in more)


def _almost(style: Style) -> str:
    return style.glyphs.about


def _check_words(check: ParameterCheck) -> str:
    worst = check.worst
    part = "" if check.checked == check.entries else f" (a random choice of {check.entries})"
    return (
        f"{check.checked} entries{part} held against central differences; the worst is {worst.ref.symbol.plain()}, "
        f"relative error {worst.relative_error:.0e}: {VERDICTS[worst.verdict]}."
    )


def matrix_markdown(whole: WholeMatrix, title: str, check: ParameterCheck, *, style: Style = STYLE) -> str:
    """A matrix gradient as Markdown with LaTeX formulas; pure ASCII where the style is."""
    rows = [
        f"| ${to_latex(line.result, names=style.names)}$ | {_shape_line(line, style)[1]} |".replace("∂", "")
        for line in whole.lines
    ]
    parts = [
        f"# {title}",
        f"$$\n{_equation(whole, style)}\n$$",
        "| matrix | shapes |\n|---|---|\n" + "\n".join(rows),
        *(f"$$\n{formula}\n$$" for formula in _worked_latex(whole, style)),
        style.names.said(_check_words(check)),
    ]
    text = "\n\n".join(parts) + "\n"
    return in_characters_of(text, style)


def matrix_latex(whole: WholeMatrix, title: str, check: ParameterCheck, *, style: Style = STYLE) -> str:
    """A matrix gradient as a complete LaTeX document, in pure ASCII."""
    from engine.export.document_blocks import HeadingBlock, ParagraphBlock

    words = render_latex([HeadingBlock(title, 1), ParagraphBlock((_check_words(check),))], style)
    shown = [_equation(whole, style), *_worked_latex(whole, style)]
    display = "\n".join(f"\\[\n{formula}\n\\]" for formula in shown)
    return words.replace("\\end{document}", f"{display}\n\n\\end{{document}}")


def _equation(whole: WholeMatrix, style: Style) -> str:
    rows, columns = whole.value.shape
    name = to_latex(Partial(whole.of, whole.target), names=style.names)
    formula = whole.formula.latex(style.names)
    if max(rows, columns) > LARGEST_LATEX:
        return f"{name} = {formula}"
    return _in_two_rows(
        name, formula, rf"\begin{{bmatrix}} {matrix_body(whole.value.tolist(), style.digits)} \end{{bmatrix}}"
    )


def _in_two_rows(name: str, formula: str, value: str) -> str:
    """What a name is as a formula, and below it what it comes to."""
    return f"\\begin{{aligned}}\n{name} &= {formula} \\\\\n&\\approx {value}\n\\end{{aligned}}"


def _worked_latex(whole: WholeMatrix, style: Style) -> Iterator[str]:
    """The worked entries whose sums are short enough for a line."""
    for entry in _worked(whole):
        if len(entry.formula.children()) <= MOST_LATEX_TERMS:
            name = to_latex(Partial(whole.of, entry.target), names=style.names)
            formula = " \\\\\n&".join(in_rows(entry.formula, style))
            yield _in_two_rows(name, formula, number_latex(entry.value, style.digits))
