"""The shapes of matrices under operators: which products fit, and what NumPy broadcasts; refuses the others."""

from __future__ import annotations

from engine.formula.expression import Expr, Function, Negative, Power, Product, Quotient, Sum, Symbol
from engine.formula.layout import one_line
from engine.formula.matrix_terms import HadamardTerm, MatrixProductTerm, SliceTerm, TransposedTerm
from engine.formula.notation import Style
from engine.practice.reading.names_in_scope import SampleCount, Shape
from engine.practice.reading.token_cursor import Part, TokenCursor
from engine.practice.reading.typed_tokens import Token


class ShapeRules(TokenCursor):
    """Joins parts of a formula whose shapes fit each other."""

    def join(self, left: Part, operator: Token, right: Part, previous: str) -> Part:
        """The two sides under their operator; a run of equal operators is one sum or product."""
        x, y = left.expr, right.expr
        sign = operator.text
        if sign == "·":
            single = any(part.shape is None or tuple(part.shape) == (1, 1) for part in (left, right))
            sign = "*" if single else "@"
        below = Part(x, left.shape, left.height)
        match sign:
            case "@":
                shape: Shape | None = self.product_shape(left, right, operator)
                run = isinstance(x, MatrixProductTerm) and previous in ("@", "·")
                made: Expr = MatrixProductTerm((*x.children(), y) if run else (x, y))
            case "/":
                shape, run = self.common_shape(left, right, operator), False
                made = Quotient(x, y)
            case "**":
                if right.shape is not None and tuple(right.shape) != (1, 1):
                    raise self.error("a power is a single number", operator)
                shape, run = left.shape, False
                made = Power(x, y)
            case "*" | "⊙":
                shape = self.common_shape(left, right, operator)
                kind = HadamardTerm if left.shape is not None and right.shape is not None else Product
                run = type(x) is kind and previous in ("*", "⊙", "·")
                made = kind((*x.children(), y) if run else (x, y))
            case _:
                shape = self.common_shape(left, right, operator)
                run = isinstance(x, Sum) and previous in ("+", "-")
                term = y if sign == "+" else Negative(y)
                made = Sum((*x.children(), term) if run else (x, term))
        return self.made(made, shape, operator, below._replace(height=left.height - run), right)

    def product_shape(self, left: Part, right: Part, operator: Token) -> Shape:
        """The shape of a matrix product; refuses one that does not fit and says what would."""
        for part in (left, right):
            if part.shape is None:
                raise self.error(
                    f"@ joins two matrices, and {self.shown(part)} is a single number: use *", operator
                )
        assert left.shape is not None
        assert right.shape is not None
        if left.shape[1] == right.shape[0]:
            return left.shape[0], right.shape[1]
        x, y = self.shown(left), self.shown(right)
        if operator.text == "·" and tuple(left.shape) == tuple(right.shape):
            raise self.error(
                f"{self.shown(left, bare=True)} and {y} are both {shape_text(left.shape)}: "
                f"entry by entry it is {x} * {y}, and no matrix product{self.taken_for()}",
                operator,
            )
        fits = ""
        if left.shape[1] == right.shape[1]:
            fits = f"; {self.shown(right, True)} does"
        elif left.shape[0] == right.shape[0]:
            fits = f"; {self.shown(left, True)} does"
        elif left.shape[0] == right.shape[1]:
            fits = f"; {self.shown(left, True)} @ {self.shown(right, True)} does"
        raise self.error(
            f"{self.shown(left, bare=True)} is {shape_text(left.shape)} and {y} is {shape_text(right.shape)}: "
            f"{x} @ {y} does not fit{fits}",
            operator,
        )

    def common_shape(self, left: Part, right: Part, operator: Token) -> Shape | None:
        """The shape of what goes entry by entry, as NumPy broadcasts: a length of 1 is repeated."""
        if left.shape is None or right.shape is None:
            return left.shape if right.shape is None else right.shape
        lengths = []
        for one, other in zip(left.shape, right.shape, strict=True):
            if one != other and 1 not in (one, other):
                fits = ""
                if tuple(left.shape) == tuple(right.shape[::-1]):
                    fits = f"; {self.shown(right, True)} does"
                elif operator.text in ("*", "⊙") and left.shape[1] == right.shape[0]:
                    fits = "; @ is the matrix product"
                raise self.error(
                    f"{self.shown(left, bare=True)} is {shape_text(left.shape)} and {self.shown(right)} is "
                    f"{shape_text(right.shape)}: {operator.text} goes entry by entry and does not fit{fits}",
                    operator,
                )
            lengths.append(one if other == 1 and not isinstance(other, SampleCount) else max(one, other))
            if one == other:
                lengths[-1] = one if isinstance(one, SampleCount) else other
        return lengths[0], lengths[1]

    def taken_for(self) -> str:
        """Which layer was meant, it was thought, where a name had none and there are several."""
        if self.filled_in is None:
            return ""
        return f" ({self.filled_in.name} without a layer is {one_line(self.filled_in)}, the output is Ŷ)"

    @staticmethod
    def shown(part: Part, transposed: bool = False, bare: bool = False) -> str:
        """A part in the screen's letters, for a sentence; in parentheses where it is a sum."""
        if transposed and isinstance(part.expr, TransposedTerm):
            part, transposed = Part(part.expr.operand, part.shape, part.height), False
        text = one_line(part.expr, Style(max_terms=4))
        if transposed or not bare:
            closed = isinstance(part.expr, Symbol | SliceTerm | TransposedTerm | Function)
            text = text if closed else f"({text})"
        return f"{text}ᵀ" if transposed else text

    def transposed(self, part: Part, token: Token) -> Part:
        """A matrix with its rows and columns exchanged; a single number stays."""
        if part.shape is None:
            return part
        shape = (part.shape[1], part.shape[0])
        if isinstance(part.expr, TransposedTerm):
            return Part(part.expr.operand, shape, part.height)
        return self.made(TransposedTerm(part.expr), shape, token, part)


def shape_text(shape: Shape | None) -> str:
    """A matrix's shape in words: ``3×n``."""
    return "a single number" if shape is None else f"{shape[0]!s}×{shape[1]!s}"
