"""What the term panel says at each position: a heading, equations that are values, and what is notable.

One function a phase; each returns a `Description`, which knows nothing of colours or widths.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from engine.autodiff.graph import Graph, Node
from engine.autodiff.ops.loss import loss_op
from engine.derivation.chain_rule import Derivation, Step
from engine.derivation.terms import Term
from engine.export.factor_words import factor_words
from engine.formula.expression import Expr, Partial, Product, Symbol
from engine.formula.layout import one_line
from engine.formula.notation import Style, is_exact, number_text, symbol_text
from engine.formula.plain_words import capitalised
from engine.model.network import LOSS, trainable
from engine.training.steps_by_hand import Change, StepsByHand, Update
from engine.training.update_rule import CLIP, ETA
from tui.session.network_session import Session
from tui.stepper.equation import Equation
from tui.stepper.traversal import Position, Traversal

Note = tuple[Literal["remark", "plain", "faint"], str]


@dataclass(frozen=True, slots=True)
class Description:
    """What is said about one position.

    `backward` tells gradients from values; a sum of more than `max_terms` terms is shortened. `before` are the
    equations of the positions that lead here, the first one first and each made when it is asked for (of a hundred
    few have room), and `together` what they make with this one.
    """

    heading: str
    equations: tuple[Equation, ...]
    notes: tuple[Note, ...]
    backward: bool
    max_terms: int = 6
    before: Sequence[Callable[[], Equation]] = ()
    together: Equation | None = None


def describe_forward(traversal: Traversal, position: Position, style: Style) -> Description:
    """One node of the forward pass: how the entry on the path is computed."""
    graph = traversal.derivation.graph
    node = graph.nodes[traversal.symbol(position)]
    on_path = {symbol.matrix: symbol for symbol in traversal.derivation.path}
    assert node.op is not None
    symbol = _entry_on(on_path, node, traversal.derivation.sample)
    equation = _computed(graph, symbol)
    before = [
        partial(_computed, graph, _entry_on(on_path, op.output, traversal.derivation.sample))
        for op in graph.ops[: graph.ops.index(node.op)]
    ]
    rows, columns = node.shape
    name = symbol_text(node.symbol, style)
    if node.scalar:
        return Description(f"Forward: {name}", (equation,), (), backward=False, before=before)
    notes: list[Note] = [
        ("faint", f"{name} is a matrix, {rows}×{columns}; {symbol_text(symbol, style)} is one number of it.")
    ]
    if node.per_sample:
        notes[0] = ("faint", f"{name} is {rows}×{columns}: a row for each unit, a column for each sample.")
    return Description(
        f"Forward: {style.names.said(_what(node.symbol), ascii=style.ascii)}",
        (equation,),
        tuple(notes),
        backward=False,
        before=before,
    )


def _entry_on(on_path: Mapping[Symbol, Symbol], node: Node, sample: int) -> Symbol:
    """The entry of a node that the path goes through; where it goes by, the first one of the sample."""
    return on_path.get(node.symbol, node.entry((0, min(sample, node.shape[1] - 1))))


def _computed(graph: Graph, symbol: Symbol) -> Equation:
    """How an entry that an op gives is computed."""
    op = graph.nodes[symbol.matrix].op
    assert op is not None
    return _equation(graph, symbol, op.formula(symbol.index or (0, 0)))


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


def describe_loss(traversal: Traversal, style: Style) -> Description:
    """The loss: its definition at the shown sample, and over the batch."""
    graph = traversal.derivation.graph
    loss = loss_op(graph)
    if loss is None:
        return _describe_output(traversal, style)
    definition = loss.definition()
    sample = traversal.derivation.sample
    outputs = loss.inputs[0].shape[0]
    notes: list[Note] = []
    total = _number(graph.value_of(LOSS), style)
    many = graph.n * outputs > WHOLE_LOSS
    minus = "minus " if definition.negative else ""
    divided = loss.division.partition(" = ")[0]
    term = loss.term((0, sample))
    value = term.evaluate(graph.value_of)
    if loss.logits is not None and not math.isfinite(value):
        notes.append(
            (
                "remark",
                style.names.said("Ŷ has rounded to 0 or 1 and log 0 is infinite; from f, ")
                + f"sample {sample}'s part (above) is finite.",
            )
        )
        term = loss.stable_term((0, sample))
        value = term.evaluate(graph.value_of)
        equation = Equation(None, term, term.substitute(graph.value_of), value)
    elif many:
        notes.append(
            (
                "plain",
                f"Sample {sample}'s term. {symbol_text(LOSS, style)} is {minus}the sum of all "
                f"{graph.n * outputs}, {divided}: {total[2:]}.",
            )
        )
        equation = Equation(None, term, term.substitute(graph.value_of), value)
    else:
        equation = _equation(graph, loss.output.symbol, loss.formula((0, 0)))
    name = capitalised(definition.name)
    logarithm = "; log is the natural logarithm" if "log(" in definition.term.plain() else ""
    notes.append(("faint", f"{name}, {loss.division}{logarithm}."))
    return Description("Loss: how wrong the prediction is", (equation,), tuple(notes), backward=False)


def _describe_output(traversal: Traversal, style: Style) -> Description:
    """What is differentiated in place of a loss."""
    graph, of = traversal.derivation.graph, traversal.derivation.of
    equation = _equation(graph, of, graph.ops[-1].formula(graph.seed))
    name = symbol_text(of, style)
    note: Note = (
        "faint",
        f"{name} is differentiated here: the way back begins at it, with ∂{name}/∂{name} = 1.",
    )
    return Description(f"The result: {name}", (equation,), (note,), backward=False)


def describe_backward(traversal: Traversal, position: Position, style: Style) -> Description:
    """One term of the chain rule."""
    step = traversal.derivation[position.index]
    term = step.terms[traversal.term(position)]
    equation = _local(term)
    notes: list[Note] = []
    if term.remark:
        notes.append(("remark", style.names.said(term.remark, ascii=style.ascii)))
    if position.turn == 0 and traversal.turns(position) > MANY_TERMS:
        notes.append(
            (
                "faint",
                f"{traversal.turns(position)} terms add up here: → goes through them, ↓ to the next node.",
            )
        )
    if position.turn:
        notes.append(("plain", "Another term of the sum; the chain above leads through it. b stays on it."))
    if step.simplification and position.turn == 0:
        last = step.simplification[-1]
        value = _number(last.evaluate(traversal.derivation.graph.value_of), style)
        gradient = one_line(Partial(traversal.derivation.of, step.node), style)
        notes.append(
            ("plain", f"Multiplied out: {gradient} = {one_line(last, style)} {value}   (X: line by line)")
        )
    heading = f"{capitalised(factor_words(traversal.derivation.graph, term))}: {one_line(term.symbol, style)}"
    if position.turn:
        return Description(heading, (equation,), tuple(notes), backward=True)
    return Description(
        heading,
        (equation,),
        tuple(notes),
        backward=True,
        before=[partial(_factor_at, traversal.derivation, place) for place in range(position.index)],
        together=_multiplied(traversal.derivation)
        if 0 < position.index == len(traversal.derivation) - 1
        else None,
    )


def _factor_at(derivation: Derivation, place: int) -> Equation:
    return _local(derivation[place].term)


def _local(term: Term) -> Equation:
    """A local derivative: its symbol, its formula, the numbers in it and its value."""
    return Equation(term.symbol, term.formula, term.substituted, term.local)


def _multiplied(derivation: Derivation) -> Equation | None:
    """The path's factors as one product, in which no partial derivative is left; None where rounding spoils it."""
    terms, product = [step.term for step in derivation], derivation[-1].running
    if not _is_their_product(product, [term.local for term in terms]):
        return None
    formula = Product(tuple(term.formula for term in terms))
    return Equation(None, formula, Product(tuple(term.substituted for term in terms)), product)


def _contribution(of: Symbol, term: Term, style: Style, width: int) -> str:
    """∂ℰ/∂via · ∂via/∂node, in symbols and in numbers, or where that is too wide in numbers."""
    times = f" {style.glyphs.times} "
    symbols = times.join(one_line(name, style) for name in (Partial(of, term.via), term.symbol))
    numbers = times.join(_factor(number, style) for number in (term.upstream, term.local))
    result = f"{numbers} {_number(term.contribution, style)}"
    return f"{symbols} = {result}" if len(symbols) + 3 + len(result) <= width else result


def _factor(number: float, style: Style) -> str:
    """A number inside a product: in parentheses where it is negative."""
    text = number_text(number, style)
    return f"({text})" if number < 0 else text


def describe_update(
    session: Session, traversal: Traversal, update: Update | None, style: Style, index: int = -1
) -> Description:
    """One line of what the optimiser does with the gradient, the step itself by default; or what it has done."""
    target = traversal.derivation.target
    name, steps = symbol_text(target, style), session.by_hand
    plain, optimizer = steps.settings.is_plain, steps.settings.optimizer
    notes: list[Note] = []
    if update is not None:
        notes += [("plain", _change(change, style)) for change in update.watched]
        return Description(
            f"Update {session.updates}: applied to every parameter", (), tuple(notes), backward=False
        )
    if target.matrix not in trainable(session.network):
        node = traversal.derivation.graph.nodes[target.matrix]
        frozen = target.matrix in session.network.parameters
        why = "is frozen" if frozen else "is given" if node.op is None else "is computed"
        notes.append(("plain", f"{name} {why}, not learned: an update leaves it alone."))
        how = style.names.said("W ← W − η ∂ℰ/∂W") if plain else f"a step of {optimizer}"
        notes.append(("faint", f"w applies {how} to every parameter."))
        return Description(
            f"Update: {'gradient descent' if plain else optimizer}", (), tuple(notes), backward=False
        )
    eta = session.learning_rate
    lines = steps.worked(target, eta)
    shown = lines[index]
    equation = Equation(shown.line.symbol, shown.line.formula, shown.substituted, shown.value)
    gradient = session.graph.value_of(Partial(LOSS, target))
    if shown is not lines[-1]:
        notes.append(("plain", _constants(steps, eta, style)))
        notes.append(("faint", "→ goes on to what is made of it; w applies the whole step."))
        heading = f"Update by {optimizer}, step {steps.steps + 1}: {shown.line.words}"
        return Description(heading, (equation,), tuple(notes), backward=False)
    if eta == 0:
        notes.append(("remark", "The learning rate is 0: nothing moves."))
    elif not plain:
        notes.append(("plain", _constants(steps, eta, style)))
    elif gradient == 0:
        notes.append(("remark", "The gradient is 0: this update leaves it where it is."))
    else:
        direction = "falls" if gradient > 0 else "rises"
        notes.append(
            (
                "plain",
                f"Against the gradient: it {direction}. "
                f"{symbol_text(ETA, style)} = {number_text(eta, style)} is the learning rate.",
            )
        )
    if plain and steps.clip_factor != 1.0:
        factor = number_text(steps.clip_factor, style)
        notes.append(("remark", f"All gradients together are longer than clip_norm: c = {factor}."))
    notes.append(
        ("plain", "Press w to apply it to every parameter and follow the change through; z undoes it.")
    )
    by = "" if plain else f" by {optimizer}, step {steps.steps + 1}"
    return Description(f"Update{by}: {name} becomes", (equation,), tuple(notes), backward=False)


def update_size(session: Session, target: Symbol) -> int:
    """How many lines the update of a parameter has; 1 for what is not learned."""
    learned = target.matrix in trainable(session.network)
    return len(session.by_hand.rule(target)) if learned else 1


def _constants(steps: StepsByHand, eta: float, style: Style) -> str:
    """The optimiser's constants with their numbers."""
    constants = {ETA: eta, **steps.settings.constants()}
    if steps.clip_factor != 1.0:
        constants[CLIP] = steps.clip_factor
    return "   ".join(
        f"{symbol_text(symbol, style)} = {number_text(value, style)}" for symbol, value in constants.items()
    )


def update_lines(session: Session, update: Update, style: Style) -> list[str]:
    """The change of the loss, beside what the gradient foretold."""
    before, after = number_text(update.loss.before, style), number_text(update.loss.after, style)
    difference = number_text(update.loss.after - update.loss.before, style)
    foretold = number_text(update.predicted, style)
    how = "−η Σ (∂ℰ/∂W)²" if session.by_hand.settings.is_plain else "Σ ∂ℰ/∂W · ΔW"
    how = style.names.said(how)
    return [
        f"The loss     {before} → {after}, a change of {difference}",
        f"Expected     {how} = {foretold}, if the loss were a straight line here",
        "w applies another one · z undoes it · Shift+Tab goes back to the terms",
    ]


def _change(change: Change, style: Style) -> str:
    name = symbol_text(change.symbol, style)
    arrow = style.glyphs.arrow
    return (
        f"{name:<10} {number_text(change.before, style):>10} {arrow} {number_text(change.after, style):<10}"
    )


def _equation(graph: Graph, name: Expr, formula: Expr) -> Equation:
    value = graph.value_of(name) if isinstance(name, Symbol) else formula.evaluate(graph.value_of)
    return Equation(name, formula, formula.substitute(graph.value_of), value)


def _number(value: float, style: Style) -> str:
    same = "=" if is_exact(value, style) else style.glyphs.about
    return f"{same} {number_text(value, style)}"


WHOLE_LOSS = 12
"""A loss of more terms than this is shown by the term of one sample."""

MANY_TERMS = 8
"""From more terms than this on, a hint says how to skip them."""

ROUNDED, SMALLEST = 1e-9, sys.float_info.min
"""Factors whose product is further from the running one than rounding explains, down to the smallest normal number."""

SHOWN_FACTORS = 9
"""The running product shows at most so many of the last factors."""


def running_lines(traversal: Traversal, position: Position, style: Style, width: int) -> Sequence[str]:
    """The running product up to the position, and the gradient of its scalar as the sum of its terms.

    At a term off the path: what that term adds.
    """
    step = traversal.derivation[position.index]
    if position.turn:
        term = step.terms[traversal.term(position)]
        lines = [f"This term  {_contribution(traversal.derivation.of, term, style, width - 11)}"]
    else:
        lines = [f"So far     {_product(traversal, position.index, style, width - 11)}"]
    name = one_line(Partial(traversal.derivation.of, step.node), style)
    gradient = _number(step.gradient, style)
    if len(step.terms) == 1:
        lines.append(f"Gradient   {name} {gradient}")
    else:
        room = max(width - 11 - len(name) - len(gradient) - 4, 12)
        lines.append(f"Gradient   {name} = {_sum(step, style, room)} {gradient}")
    return lines


def _product(traversal: Traversal, index: int, style: Style, width: int) -> str:
    """The factors up to a step multiplied up, the first ones left out where they do not fit."""
    derivation = traversal.derivation
    running = derivation[index].running
    if index == 0:
        return number_text(running, style)
    locals_ = [derivation[i].term.local for i in range(index + 1)]
    if not _is_their_product(running, locals_) and math.isfinite(running):
        what = "have lost digits"
        if not math.isfinite(math.prod(locals_)):
            what = f"hold {style.glyphs.infinity} {style.glyphs.times} 0"
        return f"{number_text(running, style)}, from the simplified form: the factors {what}"
    times = f" {style.glyphs.times} "
    dots = style.glyphs.ellipsis
    value = _number(running, style)
    first = max(index + 1 - SHOWN_FACTORS, 0)
    while True:
        shown = [
            _factor(local, style) if place or first else number_text(local, style)
            for place, local in enumerate(locals_[first:])
        ]
        text = times.join([*([dots] if first else []), *shown]) + f" {value}"
        if len(text) <= width or first == index:
            return text
        first += 1


def _is_their_product(running: float, locals_: Sequence[float]) -> bool:
    return math.isclose(math.prod(locals_), running, rel_tol=ROUNDED, abs_tol=SMALLEST)


def _sum(step: Step, style: Style, width: int) -> str:
    """The contributions added up, the path's own first; where there is no room for all, then the largest of them."""
    contributions = step.contributions
    own, others = float(contributions[step.chosen]), np.delete(contributions, step.chosen)
    if len(others) < width:  # each takes more than a column
        whole = _added([own, *others.tolist()], style)
        if len(whole) <= width:
            return whole
    others = others[np.argsort(-np.abs(others), kind="stable")]
    for shown in range(min(len(others), SHOWN_FACTORS), -1, -1):
        rest = f" + {style.glyphs.dots} ({len(others) - shown} more)"
        text = _added([own, *others[:shown].tolist()], style) + rest
        if len(text) <= width:
            return text
    return text


def _added(contributions: Sequence[float], style: Style) -> str:
    text = number_text(contributions[0], style)
    minus = style.glyphs.minus
    for one in contributions[1:]:
        text += f" {minus if one < 0 else '+'} {number_text(abs(one), style)}"
    return text
