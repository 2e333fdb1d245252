"""Rows of LaTeX: a long sum is broken between its terms, a wide matrix loses digits, nothing loses a term."""

from __future__ import annotations

from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.loading import load_experiment
from engine.export.latex_rows import in_rows, matrix_body
from engine.formula.latex import to_latex
from engine.formula.notation import Style
from engine.formula.parser import parse


def test_the_loss_of_two_samples_is_a_row_a_sample():
    graph = EvaluatedExperiment.of(load_experiment("tutorial-a-loss")).graph
    op = graph.ops[-1]
    rows = in_rows(op.formula((0, 0)), Style())
    assert len(rows) == 2
    assert rows[0].startswith(r"-\frac{1}{n} \Bigl( Y_{00}") or rows[0].startswith(
        r"-\frac{1}{n} \Bigl( \left(Y"
    )
    assert rows[1].startswith(r"\quad + ")
    assert rows[1].endswith(r"\Bigr)")


def test_a_sum_keeps_its_terms_and_their_signs():
    terms = [f"W[1][{unit},0]*X[{unit},0]" for unit in range(9)]
    formula = parse(" + ".join(terms[:5]) + " - " + " - ".join(terms[5:]))
    rows = in_rows(formula, Style())
    assert len(rows) > 2
    assert "".join(rows).replace(r"\quad", "").replace(" ", "") == to_latex(formula).replace(" ", "")


def test_what_is_short_or_no_sum_is_one_row():
    for text in ("X[0,0] + X[1,0]", "sqrt(" + "*".join(f"X[{unit},0]" for unit in range(30)) + ")"):
        assert in_rows(parse(text), Style()) == [to_latex(parse(text))]


def test_a_wide_matrix_has_fewer_digits():
    assert matrix_body([[1.23456, -2.0]], 4) == "1.235 & -2"
    row = matrix_body([[-0.123456] * 10], 4)
    assert row.count("&") == 9
    assert "-0.12 " in row
