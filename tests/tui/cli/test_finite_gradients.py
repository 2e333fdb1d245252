"""Gradients that are not finite are shown, and the exit status is 1."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from tui.cli.main import cli

OVERFLOWING = """
title = "overflow"
[data]
kind = "inline"
X = [[1e200]]
Y = [[0.0]]
[[network.layers]]
units = 1
activation = "linear"
W = [[1e200]]
[loss]
kind = "squared_error"
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["grads"],
        ["grads", "--json"],
        ["explain", "--wrt", "W[1][0,0]"],
        ["explain", "--wrt", "W[1][0,0]", "--format", "json"],
        ["explain", "--wrt", "W[1]"],
    ],
)
def test_a_gradient_that_is_not_finite_is_shown_and_ends_with_1(arguments, tmp_path):
    file = tmp_path / "overflow.toml"
    file.write_text(OVERFLOWING)
    done = CliRunner().invoke(cli, [arguments[0], str(file), *arguments[1:]])
    assert done.exit_code == 1
    assert done.stdout.strip()
    assert "is not finite" in done.stderr


def test_an_expression_s_gradient_that_is_not_finite_ends_with_1():
    done = CliRunner().invoke(cli, ["expr", "log(x)", "x=0"])
    assert done.exit_code == 1
    assert "is not finite" in done.stderr
