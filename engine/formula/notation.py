"""How formulas and names are written in characters, in Unicode or in plain ASCII.

    W[1][1,1]  ->  W⁽¹⁾₁₁          Y_hat[0,0]  ->  Ŷ₀₀

Numbers are in `engine.formula.number_text`. `engine.formula.layout` draws whole formulas with what stands here.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.formula.course_notation import CANONICAL, CourseNames
from engine.formula.expression import Symbol
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
