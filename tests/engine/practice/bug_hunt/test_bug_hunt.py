"""Find the bug: each planted slip is caught by the gradient check, and only at the op it is planted in."""

from __future__ import annotations

import numpy as np
import pytest

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.targets import TargetError
from engine.experiment.loading import load_experiment
from engine.formula.expression import Symbol
from engine.practice.bug_hunt.bug_hunt import BugHunt, visible_bugs
from engine.practice.bug_hunt.slip_table import SLIPS
from engine.practice.bug_hunt.slipping_backward_pass import SlippingBackwardPass, op_is_right
from tests.engine.practice.questions import inline, judge_in, network

NAMES = ("tutorial-b", "residual-fork", "batch-norm", "tutorial-a-loss-weighted", "xor")
SOFTMAX = {
    "data": inline([[1.0, 0.5, 0.2], [2.0, -1.0, 0.7]], [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    "network": network({"units": 2, "activation": "leaky_relu"}, {"units": 3, "activation": "softmax"}),
    "loss": {"kind": "cross_entropy"},
}


def evaluated(name: str) -> EvaluatedExperiment:
    if name == "softmax":
        return judge_in("W[1]", **SOFTMAX).question.evaluated
    return EvaluatedExperiment.of(load_experiment(name), name)


@pytest.mark.parametrize("name", [*NAMES, "softmax"])
def test_the_plain_pass_is_the_graphs_own(name):
    graph = evaluated(name).graph
    done = SlippingBackwardPass(graph)
    for node in graph.nodes.values():
        if node.needs_gradient and node is not graph.loss:
            assert np.allclose(done.of(node), node.grad, rtol=1e-9, atol=1e-12), node
    assert all(op_is_right(done, op) for op in graph.ops)


@pytest.mark.parametrize("name", [*NAMES, "softmax"])
def test_every_planted_bug_is_caught_at_its_own_op_and_at_no_other(name):
    graph = evaluated(name).graph
    before = {symbol: node.value.copy() for symbol, node in graph.nodes.items()}
    bugs = list(visible_bugs(graph))
    assert bugs
    for bug in bugs:
        hunt = BugHunt(graph, bug, 0)
        failing = [op.output.symbol for op in hunt.graph.ops if not op_is_right(hunt.spoiled, op)]
        assert failing == [bug.op.output.symbol], bug.slip.name
        wrong = [step for step in hunt.steps() if not step.agrees]
        assert [(step.op_output, step.to) for step in wrong] == [(bug.op.output.symbol, hunt.marked)]
    for symbol, value in before.items():  # looking leaves the graph as it was
        assert np.allclose(graph.nodes[symbol].value, value, rtol=1e-12, atol=1e-12)


def test_there_are_more_than_twelve_kinds_and_each_is_seen_somewhere():
    seen = {bug.slip.name for name in (*NAMES, "softmax") for bug in visible_bugs(evaluated(name).graph)}
    assert len(seen) >= 24
    assert {slip.name for slip in SLIPS} - seen <= {"slope-forgotten"} | {"mask-forgotten"}


def test_the_seed_chooses_and_all_kinds_come():
    worked = evaluated("residual-fork")
    first = [BugHunt.planted(worked, seed).bug for seed in range(40)]
    again = [BugHunt.planted(worked, seed).bug for seed in range(40)]
    assert [(bug.slip.name, bug.op, bug.i) for bug in first] == [
        (bug.slip.name, bug.op, bug.i) for bug in again
    ]
    assert len({bug.slip.name for bug in first}) >= 8


def test_an_ordinary_check_names_what_lies_below_the_bug():
    worked = evaluated("tutorial-b")
    bug = next(bug for bug in visible_bugs(worked.graph) if bug.slip.name == "loss-sign")
    assert set(BugHunt(worked.graph, bug, 0).wrong_parameters) == {Symbol("W", 1), Symbol("W", 2)}


def test_a_large_network_is_no_bug_hunt():
    with pytest.raises(TargetError, match="too large"):
        BugHunt.planted(evaluated("tutorial-a-wine"), 0)
