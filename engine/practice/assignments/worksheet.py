"""A handout made of an assignment: the network, the numbers, the questions and blank lines; or everything.

assignment ──> worksheet ──> text | markdown | latex, with or without solutions
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from engine.autodiff.graph import Graph
from engine.derivation.chain_rule import explain
from engine.derivation.targets import TargetError
from engine.export.latex_rows import in_rows, matrix_body, printed_width
from engine.export.markdown_document import words
from engine.formula.expression import Expr, Partial, Product, Symbol
from engine.formula.latex import number_latex, symbol_latex, to_latex
from engine.formula.layout import draw, one_line
from engine.formula.notation import GREEK, Style, symbol_text
from engine.formula.number_text import number_text
from engine.formula.numbers_in_words import counted
from engine.practice.assignments.assignment import Assignment, AssignmentQuestion
from engine.practice.bug_hunt.bug_hunt import BugHunt
from engine.practice.judging.shape_answers import solution_shape
from engine.practice.judging.slope_bound import SlopeBound
from engine.practice.judging.trained_numbers import TrainedValue
from engine.practice.question.asked_target import ETA
from engine.practice.question.path_factors import product_of_path

Thing = TypeVar("Thing")

FORMATS = ("text", "markdown", "latex")
BLANK_LINES = 4
MOST_LISTED = 12
"""Of more equations or matrices the first and the last are listed."""
WIDEST_ROW = 70
"""A formula that is wider and has no sum to be broken at is printed smaller."""
LARGEST_SHOWN = 8
"""Matrices of more rows or columns than this are said by their shape."""


@dataclass(frozen=True)
class Matrix:
    """A named matrix of the handout, with its rows, or with its shape alone where it is large."""

    name: Symbol
    shape: tuple[int, int]
    rows: tuple[tuple[float, ...], ...] | None


@dataclass(frozen=True)
class Solution:
    """The solution of a question: the formula, where there is one, and the number."""

    formula: Expr | None
    number: float | None
    text: str = ""


def given(graph: Graph) -> list[Matrix]:
    """The numbers that a worksheet gives: data, labels and parameters."""
    found = []
    for node in graph.nodes.values():
        if node.op is not None:
            continue
        small = max(node.shape) <= LARGEST_SHOWN
        rows = tuple(tuple(float(one) for one in row) for row in node.value) if small else None
        found.append(Matrix(node.symbol, node.shape, rows))
    return found


def equations(graph: Graph) -> list[tuple[Symbol, Expr]]:
    """The equations of a worksheet: how each matrix is computed, shown at its first entry."""
    found = []
    for op in graph.ops:
        node = op.output
        symbol = node.entry((0, 0))
        found.append((symbol, op.formula((0, 0))))
    return found


def solution(question: AssignmentQuestion) -> Solution:
    """The solution of a question."""
    if question.spec.kind == "bug":
        return Solution(None, None, BugHunt.planted(question.evaluated, question.spec.seed).told)
    if question.spec.kind == "shape":
        return Solution(None, None, solution_shape(question.node, question.evaluated.graph))
    formula: Expr | None = None
    if question.spec.accepted and question.spec.kind == "formula":
        formula = question.judge.question.read(question.spec.accepted[0]).expr
    elif question.spec.kind == "formula":
        paths = question.judge.question.paths
        if paths:
            terms = [product_of_path(path) for path in paths]
            formula = terms[0] if len(terms) == 1 else sum(terms[1:], start=terms[0])
    if question.spec.kind == "formula" and question.target.is_matrix:
        return Solution(formula, None)
    return Solution(formula, question.number)


def derivation_lines(question: AssignmentQuestion) -> list[Expr]:
    """The solution's derivation: the chain rule's factors of an entry's gradient, as a product of names."""
    if question.spec.kind != "formula":
        return []
    target = question.target
    if (
        target.is_matrix
        or target.of is not None
        or target.update
        or len(question.judge.question.paths or ()) > 1
    ):
        return []  # of several ways each is a product of its own
    try:
        steps = explain(question.evaluated.graph, target.wrt, target.sample)
    except TargetError:
        return []
    if len(steps) > LARGEST_SHOWN:
        return []
    return [
        Product(tuple(step.term.symbol for step in steps)),
        Product(tuple(step.term.formula for step in steps)),
    ]


# ── text and Markdown ───────────────────────────────────────────────────────────────────────────────


def worksheet(assignment: Assignment, form: str, solutions: bool, style: Style) -> str:
    """Writes a handout of an assignment in one of FORMATS."""
    if form == "latex":
        return "\n".join(_latex(assignment, solutions))
    return "\n".join(_text(assignment, solutions, form == "markdown", style))


def _text(assignment: Assignment, solutions: bool, markdown: bool, style: Style) -> Iterator[str]:
    title = assignment.title or "Worksheet"
    said = words if markdown else str
    yield f"# {words(title)}" if markdown else f"{title}\n{'=' * len(title)}"
    fence = "```text" if markdown else ""
    end = "```" if markdown else ""
    shown: set[str] = set()
    for number, question in enumerate(assignment.questions, start=1):
        style = replace(style, names=question.experiment.names)
        yield ""
        points = f" ({question.spec.points:g} {'point' if question.spec.points == 1 else 'points'})"
        text = said(question.spec.text or "What is this gradient?")
        yield f"{'## ' if markdown else ''}{number}. {text}{points}"
        yield ""
        name = question.experiment_name
        if name not in shown:
            shown.add(name)
            yield from (line for line in (fence, *_network(question, style), end) if line or not markdown)
            yield ""
        yield f"Asked for: {said(_asked(question, style))}" + (
            f"   (id: {said(question.id)})" if solutions else ""
        )
        yield ""
        if not solutions:
            yield from ["_" * 60 + "\n"] * BLANK_LINES
            continue
        found = solution(question)
        block = [
            *(
                line
                for expr in derivation_lines(question)
                for line in (*str(draw(expr, style)).splitlines(), "")
            )
        ]
        if found.formula is not None:
            block += ["Solution:", "", *str(draw(found.formula, style)).splitlines()]
        if found.number is not None:
            block += ["", f"= {number_text(found.number, style)} at these numbers"]
        if found.text:
            block.append(found.text)
        yield from (line for line in (fence, *block, end) if line or not markdown)


def _network(question: AssignmentQuestion, style: Style) -> Iterator[str]:
    graph = question.evaluated.graph
    yield f"{question.experiment.title or question.experiment_name}, n = {graph.n}"
    yield ""
    limited = replace(style, max_terms=4)
    for equation in abridged(equations(graph)):
        if equation is None:
            yield f"  {style.glyphs.ellipsis}"
        else:
            symbol, formula = equation
            yield f"  {symbol_text(symbol, style)} = {one_line(formula, limited)}"
    yield ""
    for matrix in abridged(given(graph)):
        if matrix is None:
            yield f"  {style.glyphs.ellipsis}"
        else:
            yield f"  {symbol_text(matrix.name, style)} = {_rows(matrix, style)}"


def abridged(things: Sequence[Thing]) -> Iterator[Thing | None]:
    """The items of a list abridged: the first and the last of many, with None in between."""
    if len(things) <= MOST_LISTED:
        yield from things
        return
    yield from things[: MOST_LISTED // 2]
    yield None
    yield from things[-MOST_LISTED // 2 :]


def _rows(matrix: Matrix, style: Style) -> str:
    if matrix.rows is None:
        return f"a {matrix.shape[0]}x{matrix.shape[1]} matrix"
    return (
        "["
        + ", ".join("[" + ", ".join(number_text(one, style) for one in row) + "]" for row in matrix.rows)
        + "]"
    )


def asked_in(question: AssignmentQuestion, style: Style) -> str:
    """The name of what a question asks for, in a style's letters: ``∂ℰ/∂W⁽¹⁾₁₁, of sample 3 alone``."""
    if question.spec.kind == "bug":
        return question.asked
    if question.spec.kind == "shape":
        symbol = question.node.symbol
        differentiated = Partial(Symbol("E"), symbol) if question.has_target else symbol
        return f"the shape of {one_line(differentiated, style)}"
    rate = f"{symbol_text(ETA, style)} = {question.experiment.train.learning_rate:g}"
    if not question.has_target:
        match question.own_number:
            case None:
                return f"the number {question.asked}"
            case TrainedValue(symbol=symbol, steps=steps):
                return f"{symbol_text(symbol, style)} after {counted(steps, 'step')} of training, {rate}"
            case SlopeBound() as bound:
                return bound.said(*(symbol_text(one, style) for one in (bound.lower, bound.upper)))
            case number:
                return number.plain
    target = question.target
    if target.update:
        return f"{symbol_text(target.wrt, style)} after one step of gradient descent, {rate}"
    name = one_line(Partial(target.of or Symbol("E"), target.wrt), style)
    return f"{name}, of sample {target.sample} alone" if target.sample is not None else name


def _asked(question: AssignmentQuestion, style: Style) -> str:
    kind = question.spec.kind
    plain = kind in ("bug", "shape") or not question.has_target
    return asked_in(question, style) + ("" if plain else f", as a {kind}")


# ── LaTeX ───────────────────────────────────────────────────────────────────────────────────────────

_PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb}
\usepackage[margin=2.5cm]{geometry}
\usepackage{graphicx}
\setcounter{MaxMatrixCols}{20}
\allowdisplaybreaks
\begin{document}"""


def _latex(assignment: Assignment, solutions: bool) -> Iterator[str]:
    yield _PREAMBLE
    yield rf"\section*{{{_escaped(assignment.title or 'Worksheet')}}}"
    shown: set[str] = set()
    yield r"\begin{enumerate}"
    for question in assignment.questions:
        text = _escaped(question.spec.text or "What is this gradient?")
        yield rf"\item {{}}{text} \hfill ({question.spec.points:g})"  # {{}}: a text may begin with a bracket
        yield ""
        if question.experiment_name not in shown:
            shown.add(question.experiment_name)
            yield from _latex_network(question)
        yield rf"Asked for: {_latex_asked(question)}"
        yield ""
        if not solutions:
            yield r"\vspace{4cm}"
            continue
        for expr in derivation_lines(question):
            yield _display(expr, question)
        found = solution(question)
        if found.formula is not None:
            yield "Solution:"
            yield _display(found.formula, question)
        if found.number is not None:
            yield rf"At these numbers it is ${number_latex(found.number, 4)}$."
        if found.text:
            yield _escaped(found.text)
    yield r"\end{enumerate}"
    yield r"\end{document}"


def _display(expr: Expr, question: AssignmentQuestion) -> str:
    """A formula by itself, in as many rows as it needs."""
    rows = in_rows(expr, Style(names=question.experiment.names))
    if len(rows) == 1:
        return rf"\[ {rows[0]} \]"
    shown = " \\\\\n".join(rf"&{row}" for row in rows)
    return f"\\begin{{align*}}\n{shown}\n\\end{{align*}}"


def _latex_network(question: AssignmentQuestion) -> Iterator[str]:
    graph, names = question.evaluated.graph, question.experiment.names
    yield _escaped(f"{question.experiment.title or question.experiment_name}, n = {graph.n}")
    yield r"\begin{align*}"
    lines = []
    for equation in abridged(equations(graph)):
        if equation is None:
            lines.append(r"&\;\;\vdots")
            continue
        symbol, formula = equation
        if len(list(formula.symbols())) > 40:
            continue
        first, *others = in_rows(formula, Style(names=names))
        if not others and printed_width(formula) > WIDEST_ROW:
            first = rf"\resizebox{{0.85\linewidth}}{{!}}{{$\displaystyle {first}$}}"
        lines += [rf"{symbol_latex(symbol, names)} &= {first}", *(rf"&\quad {row}" for row in others)]
    for matrix in abridged(given(graph)):
        if matrix is None:
            lines.append(r"&\;\;\vdots")
        elif matrix.rows is None:
            lines.append(rf"{symbol_latex(matrix.name, names)} &: {matrix.shape[0]} \times {matrix.shape[1]}")
        else:
            rows = matrix_body(matrix.rows, 4)
            lines.append(rf"{symbol_latex(matrix.name, names)} &= \begin{{bmatrix}} {rows} \end{{bmatrix}}")
    yield " \\\\\n".join(lines)
    yield r"\end{align*}"


def _latex_asked(question: AssignmentQuestion) -> str:
    spec, names = question.spec, question.experiment.names
    if spec.kind in ("bug", "shape") or not question.has_target:
        return _escaped(asked_in(question, Style(names=names)))
    target = question.target
    if target.update:
        rate = rf"$\eta = {question.experiment.train.learning_rate:g}$"
        return rf"${symbol_latex(target.wrt, names)}$ after one step of gradient descent, {rate}, as a {spec.kind}"
    sample = f", of sample {target.sample} alone" if target.sample is not None else ""
    name = to_latex(Partial(target.of or Symbol("E"), target.wrt), names=names)
    return rf"${name}${sample}, as a {spec.kind}"


_LATEX = {
    "\\": r"\textbackslash{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "∂": r"$\partial$",
    "ℰ": r"$\mathcal{E}$",
    "Ŷ": r"$\hat{Y}$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "σ": r"$\sigma$",
    "−": "--",
    "′": r"$'$",
    "·": r"$\cdot$",
    "→": r"$\rightarrow$",
    "≤": r"$\le$",
    "←": r"$\leftarrow$",
    "≥": r"$\ge$",
    "≈": r"$\approx$",
    "×": r"$\times$",
    "⊙": r"$\odot$",
    "½": r"$\frac12$",
    "¼": r"$\frac14$",
    "…": r"\dots{}",
    "𝟙": r"$\mathbf{1}$",
    **{letter: rf"$\{name}$" for name, letter in GREEK.items() if name != "sigma"},
    "Σ": r"$\Sigma$",
}
LAST_KNOWN = 0x180
"""pdflatex has the letters of Latin-1 and Latin Extended-A, with accents and strokes, and stops at others."""
_MATH = re.compile(
    r"(?<![A-Za-z])(∂?)([A-Za-zŶℰσ])(⁽[⁰¹²³⁴⁵⁶⁷⁸⁹]+⁾)?([₀₁₂₃₄₅₆₇₈₉]+(?:,[₀₁₂₃₄₅₆₇₈₉]+)?)?(ᵀ)?(?![A-Za-z])"
)
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾", "0123456789()", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))


def _escaped(text: str) -> str:
    """Words as LaTeX shows them, ∂ℰ/∂W⁽¹⁾₁₁ among them as in a formula; a letter that it does not know as ``?``."""
    found, place = [], 0
    for match in _MATH.finditer(text):
        partial, name, layer, index, raised = match.groups(default="")
        if not (partial or layer or index or raised) and name.isascii():
            continue  # a letter by itself is a word, or X, Y and n as they are
        found.append(_words(text[place : match.start()]))
        shown = _LATEX.get(name, name).strip("$")
        scripts = f"^{{[{_plain(layer)}]{'T' if raised else ''}}}" if layer else "^{T}" if raised else ""
        index = f"_{{{_plain(index)}}}" if index else ""
        partial = r"\partial " if partial else ""
        found.append(f"${partial}{shown}{scripts}{index}$")
        place = match.end()
    return "".join(found) + _words(text[place:])


def _plain(small: str) -> str:
    """Small raised or lowered digits as digits."""
    return "".join(_RAISED.get(one, _LOWERED.get(one, one)) for one in small.strip("⁽⁾"))


def _words(text: str) -> str:
    found = []
    for letter in text:
        if letter in _RAISED:
            found.append(f"$^{{{_RAISED[letter]}}}$")
        elif letter in _LOWERED:
            found.append(f"$_{{{_LOWERED[letter]}}}$")
        else:
            found.append(_LATEX.get(letter, letter if ord(letter) < LAST_KNOWN else "?"))
    return "".join(found)
