"""`explain` and `check` of whole matrices, of other outputs than the loss, and in the tutorials' own notation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine.formula.text_width import cells
from tui.cli.main import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def record(*arguments: str) -> Any:
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_whole_matrix_as_json() -> None:
    found = record("explain", "tutorial-b", "--wrt", "W[1]", "--format", "json")
    grads = record("grads", "tutorial-b", "--json")
    assert found["target"] == "W[1]"
    assert found["value"] == grads["gradients"]["W[1]"]
    assert found["formula"] == "X @ (W[2] @ (Y_hat - Y) * indicator(f[1] > 0)).T"
    assert found["shapes"] == {
        "dE/dW[1]": [3, 2], "X": [3, 1], "W[2]": [2, 1], "Y_hat": [1, 1], "Y": [1, 1], "f[1]": [2, 1]
    }  # fmt: skip
    assert [entry["target"] for entry in found["entries"]] == [
        f"W[1][{row},{column}]" for row in range(3) for column in range(2)
    ]


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
def test_a_whole_matrix_in_words(form: str) -> None:
    for preset in ("tutorial-b", "tutorial-a-wine", "batch-norm"):
        result = run("explain", preset, "--wrt", "W[1]", "--format", form)
        assert result.exit_code == 0, result.stderr
        if form == "text":
            assert "✓" in result.stdout
            assert "✗" not in result.stdout
            assert max(map(cells, result.stdout.splitlines())) <= 80
        plain = run("explain", preset, "--wrt", "W[1]", "--format", form, "--ascii")
        assert plain.stdout.isascii()


def test_the_jacobian_is_text_and_says_so() -> None:
    result = run("explain", "tutorial-a-loss", "--wrt", "W[1][0,0]", "--jacobian", "--format", "latex")
    assert result.exit_code == 2
    assert "--jacobian is written as text" in result.stderr


def test_another_output_than_the_loss() -> None:
    found = record("explain", "tutorial-b", "--of", "Y_hat[0,0]", "--wrt", "W[1][1,1]", "--format", "json")
    assert found["of"] == "Y_hat[0,0]"
    assert found["value"] == pytest.approx(-0.09984805409657495, rel=1e-12)
    assert found["steps"][0]["node"] == "f[2][0,0]"
    assert found["check"]["verdict"] == "good"
    assert run("check", "tutorial-b", "--of", "Y_hat[0,0]").exit_code == 0
    checked = record("check", "tutorial-b", "--of", "f[1][0,0]", "--json")
    assert [one["name"] for one in checked["parameters"]] == ["W[1]"]


@pytest.mark.parametrize("typed", ["W^{[1]}_{11}", "W[1][1][1]", "W11", "w[1][1,1]", "W⁽¹⁾₁₁"])
def test_the_tutorials_notation_is_understood(typed: str) -> None:
    assert record("explain", "tutorial-b", "--wrt", typed, "--format", "json")["target"] == "W[1][1,1]"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--wrt", "W00"), "W00 may be W[1][0,0] or W[2][0,0]: say which"),
        (("--wrt", "W[1]", "--sample", "0"), "W[1] is a whole matrix, summed over all samples"),
        (("--wrt", "W[1][0,0]", "--of", "Y"), "cannot differentiate Y: it is given, not computed"),
        (("--wrt", "W[2][0,0]", "--of", "f[1][0,0]"), "f[1][0,0] does not depend on W[2]"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(arguments: tuple[str, ...], problem: str) -> None:
    result = run("explain", "tutorial-b", *arguments)
    assert result.exit_code == 2
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1
