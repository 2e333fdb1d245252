"""Between the ops of a pass somebody may look, and end it; what puts things back is not ended in turn."""

import threading

import numpy as np
import pytest

from engine.autodiff.interruption import between_parts, interruptible, uninterruptible
from engine.derivation.chain_rule import explain
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.matrix_form import matrix_lines
from engine.experiment.loading import load_experiment, parse_experiment
from engine.formula.expression import Symbol
from engine.training.trainer import Trainer


class EnoughError(Exception):
    """Raised by those who have seen enough."""


def after(parts: int):
    """A look that raises after so many parts."""
    left = [parts]

    def look() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise EnoughError

    return look


def evaluated() -> EvaluatedExperiment:
    return EvaluatedExperiment.of(load_experiment("tutorial-b-wine"), "tutorial-b-wine")


def parts_of(work) -> int:
    """Between how many parts somebody may look."""
    seen: list[None] = []
    with interruptible(lambda: seen.append(None)):
        work()
    return len(seen)


def test_a_pass_is_looked_at_after_every_op():
    graph = evaluated().graph
    assert parts_of(graph.forward) == len(graph.ops)
    assert 0 < parts_of(graph.backward) <= len(graph.ops)
    assert parts_of(lambda: list(matrix_lines(graph))) >= len(graph.ops)


def test_nobody_looks_where_nobody_asked_to_nor_from_another_thread():
    graph = evaluated().graph
    seen: list[None] = []
    with interruptible(lambda: seen.append(None)):
        other = threading.Thread(target=graph.forward)
        other.start()
        other.join()
        with uninterruptible():
            graph.forward()
            between_parts()
    graph.forward()
    assert seen == []


def test_once_it_has_raised_it_is_called_no_more():
    graph = evaluated().graph

    def put_back() -> None:
        try:
            graph.forward()
        finally:
            graph.forward()

    with pytest.raises(EnoughError), interruptible(after(1)):
        put_back()


@pytest.mark.parametrize("parts", range(0, 12, 3))
@pytest.mark.parametrize(
    "name", [Symbol("W", 1, (0, 0)), Symbol("X", None, (1, 0)), Symbol("Y_hat", None, (0, 1))]
)
def test_a_check_that_is_ended_leaves_everything_as_it_was(name, parts):
    found = evaluated()
    before = {symbol: (node.value.copy(), node.grad.copy()) for symbol, node in found.graph.nodes.items()}
    try:
        with interruptible(after(parts)):
            found.check(name)
    except EnoughError:
        pass
    for symbol, (value, gradient) in before.items():
        np.testing.assert_array_equal(found.graph.nodes[symbol].value, value)
        np.testing.assert_array_equal(found.graph.nodes[symbol].grad, gradient)


@pytest.mark.parametrize("batch", ['"full"', "32"])
def test_a_step_that_is_ended_was_not_made(batch):
    text = f"""
        [data]
        kind = "moons"
        n = 100
        [network]
        layers = [{{units = 4, activation = "relu"}}, {{units = 1, activation = "sigmoid"}}]
        [loss]
        kind = "bce"
        [train]
        batch = {batch}
    """
    ended, plain = (Trainer(parse_experiment(text, "moons")) for _ in range(2))
    for step in range(6):
        with pytest.raises(EnoughError), interruptible(after(step)):
            ended.step()
        assert ended.steps_done == step
        ended.step()
        plain.step()
    for name, value in plain.network.parameters.items():
        np.testing.assert_array_equal(ended.network.parameters[name], value)


@pytest.mark.parametrize("target", [Symbol("W", 1, (0, 0)), Symbol("W", 2, (0, 0))])
def test_explaining_one_entry_and_checking_it_takes_at_most_three_passes(target):
    """Counted in ops: so it holds for any number of samples, and on any machine."""
    text = """
        [data]
        kind = "random"
        n = 20000
        features = 4
        [network]
        layers = [{units = 6, activation = "relu"}, {units = 1, activation = "sigmoid"}]
        [loss]
        kind = "bce"
    """
    found = EvaluatedExperiment.of(parse_experiment(text, "large"), "large")
    graph = found.graph
    one_pass = parts_of(graph.forward) + parts_of(graph.backward)
    derivation = explain(graph, target)
    assert (
        parts_of(lambda: found.check(derivation.target)) + parts_of(lambda: explain(graph, target))
        <= 3 * one_pass
    )
