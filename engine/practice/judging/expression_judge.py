"""Judges a formula for a derivative of a typed expression: at random values of its names, and not only at its own.

(x + y)·z    ∂q2/∂q1 = ?     "z"  right      "q1"  wrong: q1 stands where z belongs
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from engine.autodiff.graph import Graph
from engine.formula.expression import Symbol
from engine.model.expression_graph import TypedExpression, is_constant
from engine.practice.mistakes.constant_factors import PathConstants
from engine.practice.mistakes.naming_on_paths import NamedOnPath, name_on_path, name_on_paths
from engine.practice.question.asked_target import AskedTarget
from engine.practice.question.comparison import compare
from engine.practice.question.graph_values import graph_values
from engine.practice.question.path_factors import paths_of
from engine.practice.question.random_networks import NetworkEvidence
from engine.practice.reading.answer_reader import Answer, read_answer
from engine.practice.reading.batched_evaluation import Stack, evaluate
from engine.practice.reading.names_in_scope import Scope
from engine.practice.reading.unreadable import UnreadableError
from engine.practice.verdict import Counterexample, Mistake, Verdict

POINTS = 64
"""So many times the names are given random values."""

SPREAD = 0.5
"""Standard deviation of the logarithm of what a name's own value is multiplied by: about half to about twice it."""

_DRAWN = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
"""q₁, as the screen draws it, is q1."""


class ExpressionJudge:
    """Judges formulas for one derivative, or one factor, of an expression. Raises TargetError where there is none."""

    def __init__(self, expression: TypedExpression, of: Symbol, target: AskedTarget) -> None:
        """`of` is what the expression's graph ends at."""
        self.graph = expression.graph(of)
        self.target = target
        target.check(self.graph)
        self._expression = expression
        names = [node.symbol.plain() for node in self.graph.nodes.values() if not is_constant(node)]
        self._scope = Scope({}, frozenset(names), {}, frozenset(), 1)

    def judge(self, text: str) -> Verdict:
        """The verdict on a typed answer; never raises for what a learner can type."""
        try:
            answer = read_answer(text.translate(_DRAWN), self._scope)
        except UnreadableError as error:
            problem = error.problem.replace("in this network", "in this expression")
            return Verdict("unreadable", problem=problem, column=error.column)
        value = np.broadcast_to(evaluate(answer.expr, self.evidence.names), self.evidence.truth.shape)
        compared = compare(value, self.evidence.truth)
        verdict = Verdict("right", answer.expr.plain(), answer.expr)
        if compared.agrees:
            return verdict if compared.counts.any() else Verdict("unclear", remarks=(UNCLEAR,))
        worst = int(np.flatnonzero(compared.counts & ~compared.right)[0])
        shown = Counterexample(float(value[worst, 0, 0]), float(self.evidence.truth[worst, 0, 0]))
        return Verdict(
            "wrong",
            verdict.understood,
            answer.expr,
            mistakes=self._mistakes(answer, value),
            counterexample=shown,
        )

    def _mistakes(self, answer: Answer, value: Stack) -> tuple[Mistake, ...]:
        """What was done instead, where the factors on the way to the result tell it."""
        paths = paths_of(self.graph, self.target)
        named = list(dict.fromkeys(answer.expr.symbols()))
        found: NamedOnPath | None = None
        if paths:
            constants = PathConstants({"2": 2.0})
            found = (
                name_on_path(paths[0], value, self.evidence, constants, named)
                if len(paths) == 1
                else name_on_paths(paths, value, self.evidence, constants, named)
            )
        if found is not None and found.mistakes:
            return found.mistakes
        # The first of the points has the expression's own numbers.
        here = compare(value[:1], self.evidence.truth[:1]).agrees
        text = (
            "it is right for the numbers given here, and wrong for others"
            if here
            else "it is another formula"
        )
        return (Mistake("unknown", answer.expr.plain(), None, text),)

    @cached_property
    def evidence(self) -> NetworkEvidence:
        """The values of every name, given or computed, and the truth, at the expression's own numbers and at random."""
        generator = np.random.default_rng(0)
        read = self.target.reader(self.graph)
        rows: list[Mapping[Symbol, Stack]] = []
        truth: list[Stack] = []
        for point in range(POINTS):
            self._set_values(self.graph, generator if point else None)
            rows.append({name: stack.copy() for name, stack in graph_values(self.graph).items()})
            truth.append(np.array(read()[None]))
        names = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        return NetworkEvidence(names, np.concatenate(truth), np.zeros(POINTS, bool))

    def _set_values(self, graph: Graph, generator: np.random.Generator | None) -> None:
        """The expression's own values; or others, near enough to stay where it has a value, half of them beyond 0."""
        flips = generator is not None and bool(generator.integers(2))
        for name in self._expression.variables:
            if name not in graph.nodes:
                continue
            value = self._expression.values[name]
            if generator is not None:
                size = (abs(value) or 1.0) * float(np.exp(SPREAD * generator.standard_normal()))
                sign = -1.0 if flips and generator.integers(2) else 1.0
                value = sign * (size if value >= 0 else -size)
            graph.nodes[name].value[0, 0] = value
        graph.forward()
        graph.backward()


UNCLEAR = "cannot tell: it has no value near the numbers given here"
