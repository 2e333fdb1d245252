"""Explaining one weight of a large batch costs passes, not Python objects for each sample."""

import time

import numpy as np

from engine.derivation.chain_rule import explain
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.loading import parse_experiment
from engine.export.derivation_document import written_text
from engine.formula.expression import Symbol

N = 200_000


def test_explaining_and_checking_take_the_time_of_a_few_passes():
    one = EvaluatedExperiment.of(
        parse_experiment(
            f"""
            data = {{kind = "random", n = {N}, features = 10}}
            network = {{layers = [{{units = 16, activation = "relu"}}, {{units = 1, activation = "sigmoid"}}]}}
            loss = {{kind = "bce"}}
            """,
            "text",
        )
    )
    passes = []
    for _ in range(3):
        began = time.process_time()
        one.graph.forward()
        one.graph.backward()
        passes.append(time.process_time() - began)
    began = time.process_time()
    derivation = explain(one.graph, Symbol("W", 1, (1, 1)))
    steps, top = list(derivation), derivation.top_paths(5)
    took = time.process_time() - began
    assert took < 10 * min(passes) + 0.2, "1 s and more, where each of the samples was an object"
    assert len(steps[-1].terms) == N
    assert top
    # The numbers are still those of every sample.
    k = derivation.sample
    delta, X = one.graph.nodes[Symbol("f", 1)].grad[1], one.graph.nodes[Symbol("X")].value[1]
    np.testing.assert_allclose(derivation.samples.values, delta * X, rtol=1e-12)
    assert abs(delta[k] * X[k]) == np.abs(delta * X).max()
    assert steps[-1].terms[k].contribution == derivation.sample_value
    text = written_text(derivation, "", one.check(derivation.target))
    assert f"{N - 8} others" in text or "others" in text
