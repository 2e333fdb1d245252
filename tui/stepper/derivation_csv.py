"""Derivations and matrices as rows of a table: all digits, and every formula in the plain form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.autodiff.graph import Graph
from engine.derivation.chain_rule import Derivation
from engine.model.expression_graph import is_constant
from tui.shell.csv_table import Cell, Rows

if TYPE_CHECKING:
    from engine.derivation.whole_matrix import WholeMatrix

HEADING = (
    "step",
    "node",
    "gradient",
    "via",
    "formula",
    "substituted",
    "local",
    "upstream",
    "contribution",
    "on_path",
    "running",
)


def csv_term_rows(derivation: Derivation) -> Rows:
    """One row a term, the steps from the loss to the target; `running` is the product of the path's locals so far."""
    rows: list[list[Cell]] = [list(HEADING)]
    for number, step in enumerate(derivation, start=1):
        for place, term in enumerate(step.terms):
            chosen = place == step.chosen
            rows.append(
                [
                    number,
                    step.node.plain(),
                    float(step.gradient),
                    term.via.plain(),
                    term.formula.plain(),
                    term.substituted.plain(),
                    float(term.local),
                    float(term.upstream),
                    float(term.contribution),
                    int(chosen),
                    float(step.running) if chosen else None,
                ]
            )
    return rows


def csv_entry_rows(graph: Graph) -> Rows:
    """One row an entry of each named matrix: its value and its gradient."""
    rows: list[list[Cell]] = [["matrix", "row", "column", "value", "gradient"]]
    for node in graph.nodes.values():
        if is_constant(node):
            continue
        for row, column in np.ndindex(node.shape):
            known = node.grad.shape == node.value.shape and node.needs_gradient
            gradient = float(node.grad[row, column]) if known else None
            rows.append([node.symbol.plain(), row, column, float(node.value[row, column]), gradient])
    return rows


def csv_matrix_rows(whole: WholeMatrix) -> Rows:
    """One row an entry of the gradient by one matrix."""
    gradient = whole.value
    entries = ([row, column, float(gradient[row, column])] for row, column in np.ndindex(gradient.shape))
    return [["row", "column", f"d{whole.of.plain()}/d{whole.target.plain()}"], *entries]
