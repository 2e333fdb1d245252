"""Numbers: right to the digits given; a wrong one is told by which factor; gradients of a homework, compared."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.errors import ExperimentError
from engine.experiment.loading import load_experiment
from engine.experiment.npz_file import read_npz
from engine.formula.expression import Symbol
from engine.practice.bug_hunt.slip_table import places_for
from engine.practice.bug_hunt.slipping_backward_pass import SlippingBackwardPass
from engine.practice.judging.compare_gradients import compare_gradients
from engine.practice.judging.gradients_file import load_gradients
from engine.practice.judging.number_answers import judge_number
from engine.practice.mistakes.factors_between_numbers import find_factors
from engine.practice.question.asked_target import AskedTarget
from engine.practice.reading.typed_number import TypedNumber
from engine.practice.reading.unreadable import UnreadableError


@pytest.mark.parametrize(
    ("typed", "truth", "agrees"),
    [
        ("0.1922", 0.192243, True),
        ("0.19", 0.192243, True),
        ("0.2", 0.192243, False),  # one digit says too little
        ("0.1923", 0.192243, False),
        ("1.922e-1", 0.192243, True),
        ("−0.1922", -0.192243, True),
        ("1/3", 1 / 3, True),
        ("1/4", 0.26, False),
        ("-(log(0.8)+log(0.9))/2", -(np.log(0.8) + np.log(0.9)) / 2, True),
        ("10", 10.0, True),
        ("0", 0.0, True),
        ("0", 0.4, False),
        ("3", 3.0, True),
    ],
)
def test_a_number_is_right_to_the_digits_given(typed, truth, agrees):
    assert TypedNumber.parse(typed).agrees(truth) is agrees


def test_a_tolerance_of_the_question_counts_instead():
    assert judge_number("0.2", 0.192243, 0.05, None, None).verdict == "right"
    assert judge_number("0.25", 0.192243, 0.05, None, None).verdict == "wrong"
    assert judge_number("x", 0.192243, 0.05, None, None).verdict == "unreadable"


B = EvaluatedExperiment.of(load_experiment("tutorial-b"))
WEIGHT = AskedTarget.parse("W[1][1,1]")


@pytest.mark.parametrize(
    ("factor", "kind", "what"),
    [
        (lambda v: 1 / (v["s"] * (1 - v["s"])), "missing", "sigmoid(f[2][0,0])*(1 - sigmoid(f[2][0,0]))"),
        (lambda v: -1.0, "sign", "-1"),
        (lambda v: 0.6 / -0.8, "swapped", "W[2][0,0]"),
        (lambda v: 1 / 0.5, "missing", "X[1,0]"),
    ],
)
def test_the_factor_between_yours_and_ours(factor, kind, what):
    ours = float(B.graph.nodes[WEIGHT.wrt.matrix].grad[1, 1])
    s = float(next(node for node in B.graph.nodes.values() if node.symbol.plain() == "Y_hat").value[0, 0])
    yours = ours * factor({"s": s})
    found = find_factors(TypedNumber.parse(f"{yours:.7g}"), ours, B.graph, WEIGHT)
    assert (kind, what) in [(one.mistakes[0].kind, one.mistakes[0].what) for one in found]


def test_two_factors_and_several_candidates():
    ours = float(B.graph.nodes[WEIGHT.wrt.matrix].grad[1, 1])
    pair = find_factors(TypedNumber.parse(f"{-ours * 0.6 / -0.8:.8g}"), ours, B.graph, WEIGHT)
    assert any({mistake.kind for mistake in one.mistakes} == {"sign", "swapped"} for one in pair)
    assert len(find_factors(TypedNumber.parse(f"{2 * ours:.6g}"), ours, B.graph, WEIGHT)) > 1  # 2, or 1/X = 2
    assert find_factors(TypedNumber.parse("0.57181717"), ours, B.graph, WEIGHT) == []


# ── compare ─────────────────────────────────────────────────────────────────────────────────────────

XOR = EvaluatedExperiment.of(load_experiment("xor")).graph


def gradients(graph):
    leaves = [node for node in graph.nodes.values() if node.op is None and node.needs_gradient]
    return {node.symbol.plain(): node.grad.copy() for node in leaves}


def test_our_own_gradients_agree_whatever_they_are_called():
    ours = gradients(XOR)
    for renamed in ("{}", "d{}", "dE/d{}"):
        assert all(
            one.agrees for one in compare_gradients(XOR, {renamed.format(k): v for k, v in ours.items()})
        )
    short = {"dW1": ours["W[1]"], "W2": ours["W[2]"], "db_1": ours["b[1]"].ravel()}
    assert [one.name for one in compare_gradients(XOR, short) if one.agrees] == ["W[1]", "W[2]", "b[1]"]
    assert compare_gradients(XOR, {"velocity": ours["W[1]"]}) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda g: g * 4, "1/n is missing"),
        (lambda g: -g, "the sign is wrong"),
        (lambda g: g * 2, "2 does not belong"),
        (lambda g: g.T, "it is transposed, and otherwise agrees"),
        (lambda g: g * 0, "0 everywhere"),
        (lambda g: g[:1], "its shape is 1×"),
        (lambda g: g * np.nan, "not finite"),
        (lambda g: g + 0.1, "none of the usual"),
    ],
)
def test_what_is_wrong_with_an_array_is_said(change, said):
    (found,) = compare_gradients(XOR, {"W[1]": np.asarray(change(gradients(XOR)["W[1]"]))})
    assert not found.agrees
    assert said in "; ".join(found.said)


def test_a_slip_of_a_backward_pass_is_named():
    graph = EvaluatedExperiment.of(load_experiment("residual-fork")).graph
    node = graph.nodes[Symbol("W", 1)]
    slips = [one for one in places_for(graph) if one.slip.name == "weights-transposed"]
    spoiled = [SlippingBackwardPass(graph, (slip,)).of(node) for slip in slips]
    (found,) = compare_gradients(
        graph, {"W[1]": next(one for one in spoiled if not np.allclose(one, node.grad))}
    )
    assert "transposed" in "; ".join(found.said)


def test_where_samples_are_rows_their_gradients_are_rows_as_well():
    inner = [node for node in XOR.nodes.values() if node.needs_gradient and node is not XOR.loss]
    turned = {
        node.symbol.plain(): node.grad.T.copy() if node.per_sample else node.grad.copy() for node in inner
    }
    assert "f[1]" in turned
    assert all(one.agrees for one in compare_gradients(XOR, turned, in_rows=True))
    assert not all(one.agrees for one in compare_gradients(XOR, turned))


def test_files_of_gradients(tmp_path):
    ours = gradients(XOR)
    np.savez(
        tmp_path / "g.npz", **{name.replace("[", "").replace("]", ""): value for name, value in ours.items()}
    )
    (tmp_path / "g.json").write_text(
        json.dumps({"gradients": {name: value.tolist() for name, value in ours.items()}})
    )
    for name in ("g.npz", "g.json"):
        found = compare_gradients(XOR, load_gradients(tmp_path / name, name))
        assert len(found) == len(ours)
        assert all(one.agrees for one in found)
    (tmp_path / "bad.json").write_text('{"W[1]": "no"}')
    (tmp_path / "bad.npz").write_text("no")
    np.savez(tmp_path / "objects.npz", W1=np.array([{}], dtype=object))
    for name in ("bad.json", "bad.npz", "none.npz", "objects.npz"):
        with pytest.raises(ExperimentError) as caught:
            load_gradients(tmp_path / name, name)
        assert str(caught.value).startswith(f"{name}: ")


BEYOND = (
    "1e309",
    "-1e400",
    "1e999",
    "1e-9999",
    "1e" + "9" * 5000,
    "9" * 5000,
    "0e309",
    "1·10^400",
    "1e309 %",
)


@pytest.mark.parametrize("text", BEYOND, ids=range(len(BEYOND)))
def test_a_number_beyond_all_floats_is_refused_and_breaks_nothing(text):
    with pytest.raises(UnreadableError):
        TypedNumber.parse(text)


def test_an_archive_that_would_not_fit_in_memory_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "large.npz"
    np.savez_compressed(path, **{"W[1]": np.zeros(200_000)})
    monkeypatch.setattr("engine.experiment.npz_file.memory_limit", lambda: 10**6)
    with pytest.raises(ExperimentError, match="unpacked"):
        load_gradients(path, "large.npz")


def test_an_array_that_says_it_is_larger_than_any_memory_is_one_line(tmp_path):
    header = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**9)}
    np.lib.format.write_array_header_1_0(header, shape)
    path = tmp_path / "lie.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("W[1].npy", header.getvalue())
    with pytest.raises(ExperimentError, match=r"lie\.npz"):
        load_gradients(path, "lie.npz")
    with pytest.raises(ExperimentError, match=r"lie\.npz"):
        read_npz(path)
