"""What the term panel says at each place: a heading, equations that are values, and what is notable.

One function a phase; each returns a `Story`, which knows nothing of colours or widths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.chain import Term
from engine.expression import Expr, Number, Partial, Symbol
from engine.graph import Graph
from engine.layout import Style, is_exact, number_text, one_line, symbol_text
from engine.ops.loss import BinaryCrossEntropy, Loss
from engine.update import Change, Update, update_formula
from engine.written.words import factor_words, loss_definition
from tui.session import Session
from tui.walk import Place, Walk
from tui.widgets.term_panel import Equation

Note = tuple[Literal["remark", "plain", "faint"], str]
LOSS = Symbol("E")


@dataclass(frozen=True, slots=True)
class Story:
    """What is said about one place.

    `backward` tells gradients from values; a sum of more than `max_terms` terms is shortened.
    """

    heading: str
    equations: tuple[Equation, ...]
    notes: tuple[Note, ...]
    backward: bool
    max_terms: int = 6


def forward_story(walk: Walk, place: Place, style: Style) -> Story:
    """One node of the forward pass: how the entry on the path is computed."""
    graph = walk.derivation.graph
    node = graph.nodes[walk.symbol(place)]
    on_path = {symbol.matrix: symbol for symbol in walk.derivation.path}
    sample = walk.derivation.sample
    symbol = on_path.get(node.symbol, node.entry((0, min(sample, node.shape[1] - 1))))
    assert node.op is not None
    formula = node.op.formula(symbol.index or (0, 0))
    equation = _equation(graph, symbol, formula)
    rows, columns = node.shape
    name = symbol_text(node.symbol, style)
    notes: list[Note] = [
        ("faint", f"{name} is a matrix, {rows}×{columns}; {symbol_text(symbol, style)} is one number of it.")
    ]
    if node.per_sample:
        notes[0] = ("faint", f"{name} is {rows}×{columns}: a row for each unit, a column for each sample.")
    return Story(f"Forward: {_what(node.symbol)}", (equation,), tuple(notes), backward=False)


def _what(matrix: Symbol) -> str:
    layer = f" of layer {matrix.layer}" if matrix.layer is not None else ""
    words = {
        "f": "the weighted sums",
        "a": "the activations",
        "g": "the activation function's values",
        "h": "the standardised sums",
        "mean": "the means",
        "std": "the standard deviations",
        "Y_hat": "the prediction",
    }
    return f"{words.get(matrix.name, matrix.plain())}{layer}"


def loss_story(walk: Walk, style: Style) -> Story:
    """The loss: its definition at the shown sample, and over the batch."""
    graph = walk.derivation.graph
    loss = graph.ops[-1]
    assert isinstance(loss, Loss)
    definition = loss_definition(loss)
    sample = walk.derivation.sample
    outputs = loss.inputs[0].shape[0]
    notes: list[Note] = []
    if graph.n == 1:
        equation = _equation(graph, LOSS, loss.formula((0, 0)))
    else:
        equation = _equation(graph, LOSS, loss.formula((0, 0)))
        term = loss.term((0, sample))
        shown = _number(term.evaluate(graph.value_of), style)
        of = "its term" if outputs == 1 else "the term of its first output"
        notes.append(("plain", f"Sample {sample}: {of} is {one_line(term, style)} {shown}."))
    notes.append(
        (
            "faint",
            f"{definition.name.capitalize() if definition else 'The loss'}, divided by n = {graph.n}; "
            "log is the natural logarithm.",
        )
    )
    if isinstance(loss, BinaryCrossEntropy) and not _finite(equation, graph):
        stable = loss.stable_term((0, sample))
        value = _number(stable.evaluate(graph.value_of), style)
        notes.append(
            (
                "remark",
                f"Ŷ has rounded to 0 or 1; the same term from f stays finite: {one_line(stable, style)} {value}.",
            )
        )
    return Story("Loss: how wrong the prediction is", (equation,), tuple(notes), backward=False, max_terms=2)


def _finite(equation: Equation, graph: Graph) -> bool:
    value = equation.formula.evaluate(graph.value_of)
    return value - value == 0.0


def backward_story(walk: Walk, place: Place, style: Style) -> Story:
    """One term of the chain rule."""
    step = walk.derivation[place.index]
    term = step.terms[walk.term(place)]
    equation = Equation(term.symbol, term.formula, term.substituted, term.local)
    notes: list[Note] = []
    if term.remark:
        notes.append(("remark", term.remark))
    if place.turn:
        notes.append(("plain", f"Not on the path: b follows this branch. {_contribution(term, style)}"))
    if step.simplification and place.turn == 0:
        last = step.simplification[-1]
        value = _number(last.evaluate(walk.derivation.graph.value_of), style)
        gradient = one_line(Partial(LOSS, step.node), style)
        notes.append(
            ("plain", f"Multiplied out: {gradient} = {one_line(last, style)} {value}   (v: line by line)")
        )
    heading = f"{_capital(factor_words(walk.derivation.graph, term))}: {one_line(term.symbol, style)}"
    return Story(heading, (equation,), tuple(notes), backward=True)


def _contribution(term: Term, style: Style) -> str:
    upstream = number_text(term.upstream, style)
    local = number_text(term.local, style)
    return f"It adds {upstream} · {local} {_number(term.contribution, style)}."


def update_story(session: Session, walk: Walk, update: Update | None, style: Style) -> Story:
    """What gradient descent does with the gradient, before and after it is applied."""
    target = walk.derivation.target
    node = walk.derivation.graph.nodes[target.matrix]
    eta = session.learning_rate
    notes: list[Note] = []
    if update is not None:
        notes += [("plain", _change(change, style)) for change in (*update.watched, update.loss)]
        return Story(
            f"Update {session.updates}: applied to every parameter", (), tuple(notes), backward=False
        )
    if node.op is not None or target.name == "X":
        notes.append(
            ("plain", f"{symbol_text(target, style)} is computed, not learned: an update changes W and b.")
        )
        notes.append(("faint", "u applies W ← W − η ∂ℰ/∂W to every parameter."))
        return Story("Update: gradient descent", (), tuple(notes), backward=False)
    formula = update_formula(target)
    value = formula.evaluate(session.value_of)
    equation = Equation(None, formula, formula.substitute(session.value_of), value)
    direction = "falls" if walk.derivation.value > 0 else "rises"
    if walk.derivation.value == 0:
        notes.append(("remark", "The gradient is 0: this update leaves it where it is."))
    else:
        notes.append(
            (
                "plain",
                f"Against the gradient: it {direction}. η = {number_text(eta, style)} is the learning rate.",
            )
        )
    notes.append(
        ("plain", "Press u to apply it to every parameter and follow the change through; z undoes it.")
    )
    heading = f"Update: {symbol_text(target, style)} becomes"
    return Story(heading, (equation,), tuple(notes), backward=False)


def update_lines(update: Update, style: Style) -> list[str]:
    """The change of the loss, beside what the gradient foretold."""
    difference = number_text(update.loss.after - update.loss.before, style)
    foretold = number_text(update.predicted, style)
    return [
        f"The loss changed by {difference}; to first order −η‖∇ℰ‖² = {foretold} was foretold.",
        "u applies another one · z undoes it · Tab+Shift goes back to the terms",
    ]


def _change(change: Change, style: Style) -> str:
    name = symbol_text(change.symbol, style)
    arrow = "->" if style.ascii else "→"
    return (
        f"{name:<10} {number_text(change.before, style):>10} {arrow} {number_text(change.after, style):<10}"
    )


def _equation(graph: Graph, name: Expr, formula: Expr) -> Equation:
    value = graph.value_of(name) if isinstance(name, Symbol) else formula.evaluate(graph.value_of)
    return Equation(name, formula, formula.substitute(graph.value_of), value)


def _number(value: float, style: Style) -> str:
    same = "=" if is_exact(value, style) else ("~" if style.ascii else "≈")
    return f"{same} {number_text(value, style)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def running_lines(walk: Walk, place: Place, style: Style, width: int) -> Sequence[str]:
    """The running product up to the place, and the gradient of its scalar as the sum of its terms."""
    derivation = walk.derivation
    step = derivation[place.index]
    times = " * " if style.ascii else " · "
    factors = [
        number_text(derivation[i].term.local, style) for i in range(max(place.index - 8, 0), place.index + 1)
    ]
    product = times.join(factors)
    value = _number(step.running, style)
    dots = "..." if style.ascii else "…"
    while len(product) + len(value) + 18 > width and times in product:
        product = dots + times + product.removeprefix(dots + times).split(times, 1)[1]
    if place.index > 8 and not product.startswith(dots):
        product = dots + times + product
    lines = [
        f"So far     {product} {value}" if place.index else f"So far     {number_text(step.running, style)}"
    ]
    name = one_line(Partial(LOSS, step.node), style)
    if len(step.terms) == 1:
        lines.append(f"Gradient   {name} {_number(step.gradient, style)}")
    else:
        total = _sum(step.terms, style, max(width - len(name) - 46, 10))
        lines.append(f"Gradient   {name} = {total} {_number(step.gradient, style)}")
    return lines


def _sum(terms: Sequence[Term], style: Style, width: int) -> str:
    """The contributions added up, shortened to the first ones where there are many."""
    text = ""
    for count, term in enumerate(terms):
        piece = number_text(term.contribution, style)
        minus = piece[0] in "-−"
        joined = (
            piece
            if not text
            else (
                f" − {piece[1:]}"
                if minus and not style.ascii
                else f" - {piece[1:]}"
                if minus
                else f" + {piece}"
            )
        )
        if len(text) + len(joined) > width and count:
            dots = "..." if style.ascii else "⋯"
            return f"{text} + {dots} ({len(terms) - count} more)"
        text += joined
    return text


__all__ = [
    "Number",
    "Story",
    "backward_story",
    "forward_story",
    "loss_story",
    "running_lines",
    "update_story",
]
