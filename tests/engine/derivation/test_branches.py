"""Branches: any path that was followed from fork to fork is said by where it leaves the strongest one."""

from __future__ import annotations

import numpy as np
import pytest

from engine.derivation.branches import along, branches_of, read_branches, written
from engine.derivation.chain_rule import explain
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.targets import TargetError
from engine.experiment.loading import load_experiment
from engine.formula.parser import parse_symbol


@pytest.mark.parametrize(
    ("name", "target"), [("residual-fork", "W[1][0,0]"), ("batch-norm", "W[1][1,1]"), ("xor", "W[1][0,1]")]
)
def test_whatever_was_followed_is_found_again(name, target):
    graph = EvaluatedExperiment.of(load_experiment(name)).graph
    strongest = explain(graph, parse_symbol(target))
    rng = np.random.default_rng(0)
    reached = strongest
    for _ in range(8):
        forks = [index for index in range(len(reached) - 1) if len(reached[index].terms) > 1]
        if not forks:
            break
        index = int(rng.choice(forks))
        reached = reached.follow(index, int(rng.integers(len(reached[index].terms))))
        branches = branches_of(strongest, reached)
        assert branches is not None
        assert (
            along(strongest, read_branches(written(branches) or "1.1")).path == reached.path or not branches
        )
    assert branches_of(strongest, strongest) == []


def test_a_branch_that_is_not_there_is_refused():
    strongest = explain(
        EvaluatedExperiment.of(load_experiment("tutorial-b")).graph, parse_symbol("W[1][1,1]")
    )
    for branch in ((99, 1), (1, 9), (0, 1), (1, 0)):
        with pytest.raises(TargetError, match="there is no branch"):
            along(strongest, [branch])
    assert read_branches("2.1, 4.3") == [(2, 1), (4, 3)]


@pytest.mark.parametrize(
    "text", ["", "x", "2", "2.1.3", "9.9.9.9", "2.1,", "-1.2", "1e3.1", "\u0662.\u0661", "\x1b[31m"]
)
def test_what_is_no_list_of_branches_is_refused_in_words(text):
    with pytest.raises(TargetError, match="is no list of branches such as") as refused:
        read_branches(text)
    assert "\x1b" not in str(refused.value)
