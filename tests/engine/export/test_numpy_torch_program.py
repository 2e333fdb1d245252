"""Programs for others: run over random networks, presets and expressions, they find our loss and every gradient."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import assume, given, settings

from engine.autodiff.ops.activation_functions import ACTIVATIONS
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.evaluated_expression import EvaluatedExpression
from engine.experiment.errors import ExperimentError
from engine.experiment.expression_spec import ExpressionExperiment, ExpressionTable
from engine.experiment.loading import load_any, load_experiment, parse_experiment
from engine.experiment.presets import EXPRESSION_PRESETS
from engine.export.notebook import notebook_record
from engine.export.numpy_torch_program import numpy_program, torch_program
from engine.export.op_code import TORCH
from engine.formula.expression import Symbol
from tests.engine.networks import SMALL_PRESETS, Case, cases, is_well_conditioned


def run(program: str) -> list[str]:
    """Runs a script, which fails where a number is another; what it says was the same."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), np.errstate(all="ignore"):
        exec(compile(program, "exported.py", "exec"), {"__name__": "exported"})
    return said.getvalue().splitlines()


def graph_of(name: str):
    loaded = load_any(name)
    if isinstance(loaded, ExpressionExperiment):
        return EvaluatedExpression.of(loaded, name).graph
    return EvaluatedExperiment.of(loaded, name).graph


@given(cases(max_depth=3, max_width=4, max_n=4))
@settings(max_examples=15, deadline=None)
def test_a_random_network_in_numpy(case: Case) -> None:
    assume(is_well_conditioned(case, 1e-6, 1e-4, 1e-3))
    said = run(numpy_program(case.graph(), "random", "random").script())
    for name in case.network.parameters:
        assert f"dE/d{name.plain()}: the same" in said


@given(cases(max_depth=3, max_width=4, max_n=4))
@settings(max_examples=15, deadline=None)
def test_a_random_network_in_pytorch(case: Case) -> None:
    pytest.importorskip("torch", reason="PyTorch is an extra")
    assume(is_well_conditioned(case, 1e-6, 1e-4, 1e-3))
    said = run(torch_program(case.graph(), "random", "random").script())
    for name in case.network.parameters:
        assert f"dE/d{name.plain()}: the same" in said


def test_a_gradient_that_is_0_but_for_rounding_is_the_same() -> None:
    """A bias below a batch norm: its terms cancel out, in single precision to some 1e-8."""
    text = (
        'dtype = "float32"\nseed = 13\n[data]\nkind = "random"\nn = 7\nfeatures = 2\n[network]\nbias = true\n'
        '[[network.layers]]\nunits = 3\nactivation = "tanh"\nnorm = "batch"\n[[network.layers]]\nunits = 1\n'
        '[loss]\nkind = "squared_error"\nsamples = "sum"\n'
    )
    graph = EvaluatedExperiment.of(parse_experiment(text, "x")).graph
    bias = graph.nodes[Symbol("b", 1)]
    bias.grad += np.float32(3e-8)  # as another order of adding up leaves it
    assert "dE/db[1]: the same" in run(numpy_program(graph, "x", "x").script())


@pytest.mark.parametrize("name", [*SMALL_PRESETS, *EXPRESSION_PRESETS, "leaky-slope-1"])
def test_every_small_preset_in_all_three(name: str) -> None:
    graph = graph_of(name)
    assert run(numpy_program(graph, name, name).script())
    record = json.loads(json.dumps(notebook_record(numpy_program(graph, name, name))))
    code = "\n".join("".join(cell["source"]) for cell in record["cells"] if cell["cell_type"] == "code")
    assert run(code)
    assert record["nbformat"] == 4
    pytest.importorskip("torch", reason="PyTorch is an extra")
    assert run(torch_program(graph, name, name).script())


def test_a_wrong_number_is_found() -> None:
    script = numpy_program(graph_of("tutorial-b"), "B", "tutorial-b").script()
    wrong = script.replace("-0.4084333", "-0.5084333")
    assert wrong != script
    with pytest.raises(AssertionError):
        run(wrong)


OVERFLOW = """
[data]
kind = "inline"
X = [[1e200]]
Y = [[1e200]]
[[network.layers]]
units = 1
activation = "linear"
W = [[1e200]]
[loss]
kind = "squared_error"
"""


def test_what_is_infinite_here_may_not_be_finite_there() -> None:
    graph = EvaluatedExperiment.of(parse_experiment(OVERFLOW, "overflow")).graph
    script = numpy_program(graph, "overflow", "overflow").script()
    assert "dE/dW[1]: the same" in run(script)
    with pytest.raises(AssertionError, match="finite, where ours is not"):
        run(script.replace("W1 = array([[1e+200]])", "W1 = array([[1.0]])"))
    pytest.importorskip("torch", reason="PyTorch is an extra")
    assert "dE/dW[1]: the same" in run(torch_program(graph, "overflow", "overflow").script())


def test_a_title_is_no_image_in_a_notebook() -> None:
    title = "![t](http://example.org/t) <img src=x>"
    cells = notebook_record(numpy_program(graph_of("tutorial-a"), title, "a"))["cells"]
    assert cells[0]["source"][0].startswith(r"# \!\[t\](http://example.org/t) \<img")


def test_every_activation_is_spelled_in_pytorch() -> None:
    assert {*ACTIVATIONS, "softmax"} == set(TORCH)


def test_names_that_python_or_the_program_needs_are_changed() -> None:
    values = {"np": 2.0, "torch": 3.0, "dx": 0.5, "x": -1.0, "n": 4.0, "check": 1.5}
    table = ExpressionTable(formula="np*torch + dx*x*n + check*sin(x)", values=values)
    graph = EvaluatedExpression.of(ExpressionExperiment(expression=table), "names").graph
    assert "dq" in "".join(run(numpy_program(graph, "names", "names").script()))


def test_another_output_than_the_loss_is_exported() -> None:
    one = EvaluatedExperiment.of(load_experiment("tutorial-b")).differentiating(Symbol("Y_hat", None, (0, 0)))
    assert "dY_hat[0,0]/dW[1]: the same" in run(numpy_program(one.graph, "of", "of").script())


def test_what_nobody_could_open_is_refused() -> None:
    graph = EvaluatedExperiment.of(load_experiment("relu-50")).graph
    with pytest.raises(ExperimentError, match="numbers; expected at most"):
        numpy_program(graph, "deep", "relu-50")
