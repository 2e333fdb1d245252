"""The JSON contract: exactly these keys, numbers that agree with each other, and JSON that every reader accepts."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.derivation.chain_rule import explain
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.gradcheck import check_network
from engine.experiment.loading import load_experiment, parse_experiment
from engine.export.json_records import check_record, explain_record, grads_record, to_json
from engine.formula.parser import parse_symbol
from engine.model.network import LOSS, values_and_gradients

TARGETS = [
    ("tutorial-a", "W[1][2,0]"),
    ("tutorial-a", "X[1,0]"),
    ("tutorial-b", "W[1][1,1]"),
    ("tutorial-b", "Y_hat[0,0]"),
    ("xor", "b[1][3,0]"),
    ("residual-fork", "W[1][1,1]"),
    ("residual-fork", "a[1][0,1]"),
    ("batch-norm", "W[1][1,1]"),
    ("batch-norm", "X[2,3]"),
]


def evaluation(name: str) -> EvaluatedExperiment:
    return EvaluatedExperiment.of(load_experiment(name), name)


def strictly(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


# ── grads ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("tutorial-a", ["X", "W[1]", "f[1]", "Y_hat"]),
        ("tutorial-b", ["X", "W[1]", "f[1]", "a[1]", "W[2]", "f[2]", "Y_hat"]),
        ("xor", ["X", "W[1]", "b[1]", "f[1]", "a[1]", "W[2]", "b[2]", "f[2]", "Y_hat"]),
    ],
)
def test_grads_names_every_matrix_and_gives_value_and_gradient_the_same_shape(name, names):
    one = evaluation(name)
    record = strictly(to_json(grads_record(one.graph)))
    assert list(record) == ["loss", "n", "values", "gradients", "nonfinite"]
    assert record["loss"] == float(one.graph.loss.value[0, 0])
    assert record["n"] == one.data.X.shape[1]
    assert sorted(record["values"]) == sorted(record["gradients"]) == sorted(names)
    values, gradients = values_and_gradients(one.graph)
    for key in names:
        assert np.array_equal(np.array(record["values"][key]), values[key])
        assert np.array_equal(np.array(record["gradients"][key]), gradients[key])
        assert np.shape(record["values"][key]) == np.shape(record["gradients"][key])


def test_a_bias_is_a_column():
    record = grads_record(evaluation("xor").graph)
    assert np.shape(record["values"]["b[1]"]) == (6, 1)


# ── explain ─────────────────────────────────────────────────────────────────────────────────────────


def python_names(one: EvaluatedExperiment) -> dict[str, Any]:
    """What a Python program would define in order to evaluate a plain formula, from the matrices alone."""

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    names: dict[str, Any] = {
        "sigmoid": sigmoid,
        "tanh": math.tanh,
        "exp": math.exp,
        "log": math.log,
        "sqrt": math.sqrt,
        "sin": math.sin,
        "cos": math.cos,
        "erf": math.erf,
        "abs": abs,
        "relu": lambda x: max(x, 0.0),
        "maximum": max,
        "minimum": min,
        "indicator": float,
        **one.graph.constants,
    }
    for node in one.graph.nodes.values():
        if node.symbol.layer is None:
            names[node.symbol.name] = node.value
        else:
            names.setdefault(node.symbol.name, {})[node.symbol.layer] = node.value
    return names


@pytest.mark.parametrize(("name", "target"), TARGETS)
def test_explain_has_the_keys_of_the_contract_and_numbers_that_agree(name, target):
    one = evaluation(name)
    derivation = explain(one.graph, parse_symbol(target))
    record = strictly(to_json(explain_record(derivation, one.check(derivation.target))))
    assert list(record) == [
        "target",
        "value",
        "n",
        "samples",
        "sample",
        "steps",
        "top_paths",
        "check",
        "nonfinite",
    ]
    assert record["target"] == target
    assert record["nonfinite"] == 0
    assert record["check"].keys() == {"numeric", "relative_error", "verdict", "left", "right"}
    assert record["check"]["relative_error"] < 1e-7
    assert record["value"] == pytest.approx(record["check"]["numeric"], rel=1e-6)

    for share in record["samples"]:
        assert share.keys() == {"sample", "value", "paths"}
    assert sum(share["value"] for share in record["samples"]) == pytest.approx(record["value"])
    contribution = {share["sample"]: abs(share["value"]) for share in record["samples"]}
    assert contribution[record["sample"]] == max(contribution.values())

    names = python_names(one)
    steps = record["steps"]
    assert steps[0]["node"].startswith("Y_hat[")
    assert steps[-1]["node"] == target
    running = 1.0
    path = [LOSS.plain(), *(step["node"] for step in steps)]
    for step, above in zip(steps, path, strict=False):
        assert list(step) == ["node", "gradient", "running", "terms"]
        assert step["gradient"] == pytest.approx(sum(term["contribution"] for term in step["terms"]))
        for term in step["terms"]:
            assert list(term) == [
                "via",
                "symbol",
                "formula",
                "substituted",
                "local",
                "upstream",
                "contribution",
                "remark",
            ]
            assert term["symbol"] == f"∂{term['via']}/∂{step['node']}"
            assert term["contribution"] == term["local"] * term["upstream"]
            for formula in (term["formula"], term["substituted"]):
                evaluated = eval(formula, {"__builtins__": {}}, names)
                assert evaluated == pytest.approx(term["local"], rel=1e-12, abs=1e-15)
        (taken,) = (term for term in step["terms"] if term["via"] == above)
        running *= taken["local"]
        assert step["running"] == pytest.approx(running)

    count = next(share["paths"] for share in record["samples"] if share["sample"] == record["sample"])
    assert len(record["top_paths"]) == min(count, 5)
    for top in record["top_paths"]:
        assert list(top) == ["nodes", "value", "share"]
        assert top["nodes"][0] == "E"
        assert top["nodes"][-1] == target
    if count <= 5:
        assert sum(top["share"] for top in record["top_paths"]) == pytest.approx(1.0)


def test_the_check_of_a_float32_network_is_computed_in_float64():
    one = EvaluatedExperiment.of(
        parse_experiment(
            """
dtype = "float32"
data = {kind = "random", n = 5, features = 3}
network = {layers = [{units = 4, activation = "tanh"}, {units = 1, activation = "sigmoid"}]}
loss = {kind = "bce"}
""",
            "text",
        )
    )
    derivation = explain(one.graph, parse_symbol("W[1][1,1]"))
    before = {name: value.copy() for name, value in values_and_gradients(one.graph)[0].items()}
    record = explain_record(derivation, one.check(derivation.target))
    assert record["check"]["relative_error"] < 1e-7
    assert record["value"] == pytest.approx(record["check"]["numeric"], rel=1e-3)
    after = values_and_gradients(one.graph)[0]
    assert all(np.array_equal(after[name], before[name]) for name in before)


# ── check ───────────────────────────────────────────────────────────────────────────────────────────


def test_check_reports_every_parameter_and_its_worst_entry():
    one = evaluation("tutorial-b")
    record = strictly(to_json(check_record(check_network(one.network, one.data.X, one.data.Y))))
    assert list(record) == ["passed", "entries", "checked", "sampled", "seed", "parameters", "nonfinite"]
    assert (record["entries"], record["checked"], record["sampled"]) == (8, 8, False)
    assert record["passed"] is True
    assert [parameter["name"] for parameter in record["parameters"]] == ["W[1]", "W[2]"]
    for parameter in record["parameters"]:
        assert list(parameter) == [
            "name",
            "entries",
            "checked",
            "agreeing",
            "at_kink",
            "below_noise",
            "undecided",
            "failed",
            "passed",
            "worst",
        ]
        counts = [parameter[key] for key in ("agreeing", "at_kink", "below_noise", "undecided", "failed")]
        assert sum(counts) == parameter["checked"]
        assert list(parameter["worst"]) == [
            "entry",
            "analytic",
            "numeric",
            "relative_error",
            "noise",
            "verdict",
            "left",
            "right",
        ]
        assert parameter["worst"]["entry"].startswith(parameter["name"] + "[")


# ── strict JSON ─────────────────────────────────────────────────────────────────────────────────────


def test_numbers_that_json_lacks_become_null_and_are_counted():
    record = {"a": math.nan, "b": [1.0, -math.inf, {"c": math.inf}], "d": None, "e": -0.0}
    text = to_json(record)
    assert strictly(text) == {"a": None, "b": [1.0, None, {"c": None}], "d": None, "e": 0.0, "nonfinite": 3}
    assert '"e": -0.0' in text


def test_integers_of_any_length_survive():
    assert strictly(to_json({"paths": 64**50}))["paths"] == 64**50
    endless = to_json({"paths": 10**5000})  # more digits than Python prints by itself
    assert f": 1{'0' * 5000}," in endless


def test_ascii_keeps_every_character_as_an_escape():
    text = to_json({"symbol": "∂E/∂Ŷ"}, ascii=True)
    assert text.isascii()
    assert strictly(text)["symbol"] == "∂E/∂Ŷ"


records = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=60)
@given(st.dictionaries(st.text().filter(lambda key: key != "nonfinite"), records, max_size=4))
def test_whatever_the_record_its_json_is_strict(record):
    found = strictly(to_json(record))
    assert found.keys() == {*record, "nonfinite"}
    assert isinstance(found["nonfinite"], int)
