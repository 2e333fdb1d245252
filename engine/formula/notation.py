"""How numbers and names are written in characters, in Unicode or in plain ASCII.

    W[1][1,1]  ->  W⁽¹⁾₁₁          Y_hat[0,0]  ->  Ŷ₀₀          1.23e-9  ->  1.23×10⁻⁹

`engine.formula.layout` draws whole formulas with what stands here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.expression import Expr, Number, Symbol
from engine.formula.letters import GREEK as GREEK
from engine.formula.name_glyphs import SUBSCRIPT_DIGITS, name_glyphs, superscript


@dataclass(frozen=True, slots=True)
class Style:
    """How formulas are drawn: how many digits, in ASCII or not, in which letters.

    `digits` is the number of significant digits of a number; `ascii` keeps to 7-bit characters; a sum or
    product of more than `max_terms` terms shows the first ones, how many are left out, and the last; `names` are
    the letters of a course that has its own.
    """

    digits: int = 4
    ascii: bool = False
    max_terms: int | None = None
    names: CourseNames = CANONICAL

    def __post_init__(self) -> None:
        if self.digits < 1:
            raise ValueError(f"digits: expected at least 1, found {self.digits}")
        if self.max_terms is not None and self.max_terms < 2:
            raise ValueError(f"max_terms: expected at least 2, found {self.max_terms}")

    @property
    def glyphs(self) -> Glyphs:
        """The characters that this style draws with."""
        return glyphs_of(self.ascii)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that differ between the Unicode and the ASCII drawing: the one place where they stand."""

    minus: str
    times: str  # between factors
    by: str  # between rows and columns
    matmul: str
    hadamard: str
    transposed: str
    partial: str
    loss: str
    infinity: str
    about: str
    almost_equal: str  # between two numbers of a document
    no_value: str
    dots: str  # what is left out of a formula
    ellipsis: str  # what is left out of a text
    vertical_dots: str
    arrow: str
    tick: str
    cross: str
    on: str
    off: str
    done: str  # in the one column before a row: what is behind, here, and ahead
    here: str
    ahead: str
    bar: str
    double_bar: str
    heavy_bar: str
    vertical: str
    corners: tuple[str, str, str, str]  # of a box: upper left, upper right, lower left, lower right
    turns: tuple[str, str, str, str]  # of a line that bends at right angles: in the order of `corners`
    before: str  # more of it lies to the left, or to the right
    after: str
    folded: str
    unfolded: str
    multiplied: str  # below a factor: it is in the product, it is current, it comes later
    current: str
    later: str
    sum_over: str
    full: str  # a cell of a bar, and one that is not filled yet
    empty: str
    levels: str  # from little to much, of a unit that fires
    shades: str  # from light to dense
    markers: str  # of several lines in one chart
    predicted: str
    beyond: str  # a point above the axis
    at_infinity: str
    running: str  # the states of a training
    paused: str
    finished: str
    comparisons: dict[str, str]
    functions: dict[str, str]
    tall: dict[str, tuple[str, str, str, str]]  # delimiter: its top, middle, bottom and filling


_UNICODE = Glyphs(
    minus="−",
    times="·",
    by="×",
    matmul="·",
    hadamard="⊙",
    transposed="ᵀ",
    partial="∂",
    loss="ℰ",
    infinity="∞",
    about="≈",
    almost_equal="≈",
    no_value="–",
    dots="⋯",
    ellipsis="…",
    vertical_dots="⋮",
    arrow="→",
    tick="✓",
    cross="✗",
    on="●",
    off="○",
    done="✓",
    here="▸",
    ahead="·",
    bar="─",
    double_bar="═",
    heavy_bar="━",
    vertical="│",
    corners=("╭", "╮", "╰", "╯"),
    turns=("┌", "┐", "└", "┘"),
    before="‹",
    after="›",
    folded="▸",
    unfolded="▾",
    multiplied="✓",
    current="▲",
    later="·",
    sum_over="Σ",
    full="█",
    empty="░",
    levels="▁▂▃▄▅▆▇█",
    shades="·░▒▓█",
    markers="●▲■◆+",
    predicted="·",
    beyond="↑",
    at_infinity="∞",
    running="▸",
    paused="‖",
    finished="■",
    comparisons={">": ">", "<": "<", ">=": "≥", "<=": "≤"},
    functions={"sigmoid": "σ", "relu": "ReLU", "sqrt": "√", "maximum": "max", "minimum": "min"},
    tall={
        "(": ("⎛", "⎜", "⎝", "⎜"),
        ")": ("⎞", "⎟", "⎠", "⎟"),
        "[": ("⎡", "⎢", "⎣", "⎢"),
        "]": ("⎤", "⎥", "⎦", "⎥"),
        "{": ("⎧", "⎨", "⎩", "⎪"),
        "}": ("⎫", "⎬", "⎭", "⎪"),
        "|": ("│", "│", "│", "│"),
    },
)


_ASCII = Glyphs(
    minus="-",
    times="*",
    by="x",
    matmul="@",
    hadamard="(.)",
    transposed="^T",
    partial="d",
    loss="E",
    infinity="inf",
    about="~",
    almost_equal="~=",
    no_value="-",
    dots="...",
    ellipsis="...",
    vertical_dots=":",
    arrow="->",
    tick="ok",
    cross="WRONG",
    on="*",
    off="o",
    done="+",
    here=">",
    ahead=".",
    bar="-",
    double_bar="=",
    heavy_bar="=",
    vertical="|",
    corners=("+", "+", "+", "+"),
    turns=("+", "+", "+", "+"),
    before="<",
    after=">",
    folded=">",
    unfolded="v",
    multiplied="=",
    current=">",
    later=".",
    sum_over="Sum",
    full="#",
    empty=".",
    levels="12345678",
    shades=".:+*#",
    markers="o^#x+",
    predicted=".",
    beyond="^",
    at_infinity="I",
    running=">",
    paused="||",
    finished="=",
    comparisons={">": ">", "<": "<", ">=": ">=", "<=": "<="},
    functions={"relu": "ReLU", "maximum": "max", "minimum": "min"},
    tall={
        "(": ("/", "|", "\\", "|"),
        ")": ("\\", "|", "/", "|"),
        "[": ("[", "[", "[", "["),
        "]": ("]", "]", "]", "]"),
        "{": ("{", "{", "{", "{"),
        "}": ("}", "}", "}", "}"),
        "|": ("|", "|", "|", "|"),
    },
)


def glyphs_of(ascii: bool) -> Glyphs:
    """The characters of the ASCII drawing, or of the Unicode one."""
    return _ASCII if ascii else _UNICODE


def number_text(value: float, style: Style = Style()) -> str:
    """A number drawn to `style.digits` significant digits: ``0.25``, ``1100``, ``1.23×10⁻⁹``, ``∞``.

    Trailing zeros are dropped, whole numbers below a billion are never rounded, and zero has no sign.
    """
    glyphs = style.glyphs
    if math.isnan(value):
        return "NaN"
    sign = glyphs.minus if value < 0 else ""
    if math.isinf(value):
        return sign + glyphs.infinity
    mantissa, exponent = number_parts(value, style.digits)
    if exponent is None:
        return sign + mantissa
    if style.ascii:
        return f"{sign}{mantissa}e{exponent}"
    return f"{sign}{mantissa}×10{superscript(str(exponent).replace('-', '−'))}"


def number_parts(value: float, digits: int | None) -> tuple[str, int | None]:
    """A number's magnitude as (mantissa, power of ten), or (decimal text, None) where no power of ten is needed.

    Rounded to `digits` significant digits; None keeps every digit that tells this float from its
    neighbours. `value` must be finite.
    """
    if abs(value) < 1e9 and value == int(value):
        return str(abs(int(value))), None
    figures, exponent = _figures(abs(value), digits)
    if -5 < exponent < 6:
        text = f"{Decimal(f'{figures}e{exponent - len(figures) + 1}'):f}"
        # Rounding to a place left of the point would show zeros that are not in the number.
        return (text, None) if exponent < len(figures) else (f"{abs(value):.0f}", None)
    return figures[0] + ("." + figures[1:] if figures[1:] else ""), exponent


def _figures(magnitude: float, digits: int | None) -> tuple[str, int]:
    """The significant digits of a positive number, without trailing zeros, and its power of ten."""
    mantissa, exponent = f"{Decimal(repr(float(magnitude))):e}".split("e")
    if digits is not None and len(mantissa.replace(".", "").rstrip("0")) > digits:
        mantissa, exponent = f"{magnitude:.{digits - 1}e}".split("e")
    return mantissa.replace(".", "").rstrip("0"), int(exponent)


def is_exact(value: float, style: Style = Style()) -> bool:
    """Whether `number_text` shows all of `value`, so that a screen may write = instead of ≈."""
    if not math.isfinite(value):
        return True
    mantissa, exponent = number_parts(value, style.digits)
    return float(f"{mantissa}e{exponent or 0}") == abs(value)


def is_shown_in_full(expr: Expr, digits: int) -> bool:
    """Whether every number in a formula is shown in full, so that = may stand before it and not ≈."""
    style = Style(digits=digits)
    return all(is_exact(number.value, style) for number in _numbers(expr))


def _numbers(expr: Expr) -> Iterator[Number]:
    if isinstance(expr, Number):
        yield expr
    for child in expr.children():
        yield from _numbers(child)


def symbol_text(symbol: Symbol, style: Style = Style()) -> str:
    """A symbol as it is drawn: ``W⁽¹⁾₁₁``, ``Ŷ₀₀``, ``α``; in ASCII ``W[1]_11``, ``Y_hat_00``."""
    indices = (
        "" if symbol.index is None else ("," if max(symbol.index) > 9 else "").join(map(str, symbol.index))
    )
    own = style.names.letter_of(symbol.name)
    if style.ascii:
        layer = "" if symbol.layer is None else f"[{symbol.layer}]"
        name = symbol.name if own is None else own.plain
        return name + layer + (f"_{indices}" if indices else "")
    layer = "" if symbol.layer is None else superscript(f"({symbol.layer})") or ""
    name = name_glyphs(symbol.name, bool(layer or indices)) if own is None else own.drawn
    return name + layer + indices.translate(SUBSCRIPT_DIGITS)
