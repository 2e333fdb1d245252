"""What the term panel says in the forward pass and at the loss: how a number is computed, and what the loss is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

from engine.autodiff.graph import Graph, Node
from engine.autodiff.ops.loss import loss_op
from engine.formula.capitalised import capitalised
from engine.formula.expression import Symbol
from engine.formula.notation import Style, symbol_text
from engine.model.network import LOSS
from tui.stepper.description import Description, Note
from tui.stepper.equation import Equation, equals, equation_in
from tui.stepper.traversal import Position, Traversal

WHOLE_LOSS = 12
"""A loss of more terms than this is shown by the term of one sample."""


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
    return equation_in(graph, symbol, op.formula(symbol.index or (0, 0)))


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
    total = equals(graph.value_of(LOSS), style)
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
        equation = equation_in(graph, loss.output.symbol, loss.formula((0, 0)))
    name = capitalised(definition.name)
    logarithm = "; log is the natural logarithm" if "log(" in definition.term.plain() else ""
    notes.append(("faint", f"{name}, {loss.division}{logarithm}."))
    return Description("Loss: how wrong the prediction is", (equation,), tuple(notes), backward=False)


def _describe_output(traversal: Traversal, style: Style) -> Description:
    """What is differentiated in place of a loss."""
    graph, of = traversal.derivation.graph, traversal.derivation.of
    equation = equation_in(graph, of, graph.ops[-1].formula(graph.seed))
    name = symbol_text(of, style)
    note: Note = (
        "faint",
        f"{name} is differentiated here: the way back begins at it, with ∂{name}/∂{name} = 1.",
    )
    return Description(f"The result: {name}", (equation,), (note,), backward=False)
