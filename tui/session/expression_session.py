"""An open expression: stepped through like a network, its numbers edited like weights, and nothing that learns.

(x+y)*z   ──>   x y z ─ q1 = x + y ─ q2 = q1·z          ∂q2/∂x = z = −4
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from typing_extensions import override

from engine.autodiff.graph import Graph
from engine.derivation.gradcheck import EntryCheck, check_entry
from engine.derivation.targets import find_target
from engine.experiment.expression_spec import ExpressionExperiment
from engine.experiment.spec import View
from engine.experiment.toml_writing import experiment_toml
from engine.formula.expression import Symbol
from engine.formula.untrusted_text import one_line
from engine.model.edited_entries import Assignments
from engine.model.expression_graph import TypedExpression
from tui.session.session_base import EDIT, SessionBase, run_once

if TYPE_CHECKING:
    from engine.derivation.chain_rule import Derivation
    from engine.practice.prediction import Prediction

MOST_UNDONE = 1000
"""So many edits can be taken back; each keeps a few numbers."""


class ExpressionSession(SessionBase):
    """A typed expression with its present numbers, and its last forward and backward pass."""

    def __init__(self, name: str, experiment: ExpressionExperiment, view: View | None = None) -> None:
        """Raises ExperimentError for an expression that cannot be read."""
        title = experiment.title or one_line(experiment.expression.formula)
        super().__init__(name, title, view or View())
        self._opened = experiment
        self._undo: list[ExpressionExperiment] = []
        self._take(experiment)

    def _take(self, experiment: ExpressionExperiment) -> None:
        table = experiment.expression
        self.expression = TypedExpression(table.formula, table.values, self.name)
        self.experiment = experiment
        self.graph = run_once(self.expression.graph())
        self._make_other_anew()

    @property
    @override
    def edited(self) -> bool:
        return self.experiment != self._opened

    @override
    def first_target(self) -> Symbol:
        """The name to differentiate by first: the one asked for, or the one that changes the result most."""
        asked = self.chosen_target()
        if asked is not None:
            return asked
        graph = self.stepped
        used = [graph.nodes[name] for name in self.expression.variables if name in graph.nodes]
        return max(used, key=lambda node: abs(float(node.grad[0, 0]))).symbol

    @override
    def _graph_of(self, output: Symbol) -> Graph:
        return self.expression.graph(output)

    @override
    def check(self, target: Symbol) -> EntryCheck:
        return check_entry(self.stepped, find_target(self.stepped, target))

    @override
    def prediction(self, derivation: Derivation) -> Prediction:
        from engine.practice.prediction import Prediction

        return Prediction.of_expression(self.expression, derivation)

    @override
    def edit(self, assignments: Assignments) -> None:
        changed = {entry.plain(): number for entry, number in self.given(assignments)}
        before = self.experiment
        table = msgspec.structs.replace(before.expression, values={**before.expression.values, **changed})
        self._take(msgspec.structs.replace(before, expression=table))
        self._undo.append(before)
        del self._undo[:-MOST_UNDONE]

    @property
    @override
    def undoes(self) -> str | None:
        return EDIT if self._undo else None

    @override
    def undo(self) -> bool:
        if not self._undo:
            return False
        self._take(self._undo.pop())
        return True

    @override
    def written(self) -> str:
        return experiment_toml(self.experiment)
