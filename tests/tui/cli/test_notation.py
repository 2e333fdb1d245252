"""A course's letters on the command line: in what is shown, in what is typed, in what is complained of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tui.cli.test_commands import EXAMPLE, complaint, run

BISHOP = """
[notation]
preactivation = "a"
activation = "z"
loss = "J"
prediction = "ŷ"
label = "t"
weights = "Θ"
"""


@pytest.fixture
def lab(tmp_path: Path) -> str:
    path = tmp_path / "bishop.toml"
    path.write_text(EXAMPLE + BISHOP, "utf-8")
    return str(path)


@pytest.fixture
def plain(tmp_path: Path) -> str:
    path = tmp_path / "plain.toml"
    path.write_text(EXAMPLE, "utf-8")
    return str(path)


@pytest.mark.parametrize(
    "target", ["Θ[1][1,1]", "Theta[1][1,1]", "∂J/∂Θ⁽¹⁾₁₁", r"\Theta^{[1]}_{11}", "W[1][1,1]"]
)
def test_a_target_is_typed_in_own_letters_and_the_json_is_canonical(lab: str, plain: str, target: str):
    own = json.loads(run("explain", lab, "--wrt", target, "--format", "json").stdout)
    assert own == json.loads(run("explain", plain, "--wrt", "W[1][1,1]", "--format", "json").stdout)


def test_the_text_has_no_other_letters(lab: str):
    text = run("explain", lab, "--wrt", "Θ[1][1,1]").stdout
    assert "∂J/∂Θ⁽¹⁾₁₁" in text
    assert "ŷ₀₀" in text
    for gone in ("ℰ", "Ŷ", "W⁽", "f⁽", "Y₀₀"):
        assert gone not in text
    assert "Theta[1]_11" in run("explain", lab, "--wrt", "Θ[1][1,1]", "--ascii").stdout


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("grads",), "Θ⁽¹⁾"),
        (("grads", "--shapes"), "a⁽¹⁾ = Θ⁽¹⁾ᵀ · X"),
        (("check",), "Θ⁽²⁾"),
        (("step",), "Θ⁽¹⁾₀₀"),
        (("train", "--steps", "2", "--predict"), "max |∂J/∂Θ|"),
        (("explain", "--wrt", "Θ[1]"), "∂J/∂Θ⁽¹⁾ = X · "),
        (("explain", "--wrt", "a[2][0,0]", "--format", "markdown"), r"\frac{\partial J}{\partial a^{[2]}_{00}}"),
        (("explain", "--wrt", "Θ[1]", "--format", "latex"), r"\frac{\partial J}{\partial \Theta^{[1]}}"),
    ],
)  # fmt: skip
def test_every_command_shows_them(lab: str, arguments: tuple[str, ...], shown: str):
    command, *options = arguments
    result = run(command, lab, *options)
    assert result.exit_code == 0, result.stderr
    assert shown in result.stdout


def test_what_is_not_there_is_told_in_own_letters(lab: str):
    told = complaint(run("explain", lab, "--wrt", "z[7][0,0]"))
    assert "there is no z[7] in this network" in told
    assert "Θ[1], a[1], z[1], Θ[2], a[2], ŷ" in told


def test_answers_and_arrays_have_own_names(lab: str, tmp_path: Path):
    right = run("answer", lab, "--wrt", "Theta[2]", "z[1] @ (y_hat - t).T")
    assert right.exit_code == 0
    assert "z⁽¹⁾ @ (ŷ − t)ᵀ" in right.stdout
    wrong = run("answer", lab, "--wrt", "a[2][0,0]", "(ŷ₀₀ − t₀₀)·Θ⁽²⁾₁₀")
    assert wrong.exit_code == 1
    assert "Θ⁽²⁾₁₀ does not belong here" in wrong.stdout
    gradients = json.loads(run("grads", lab, "--json").stdout)["gradients"]
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps({"dTheta1": gradients["W[1]"], "a[2]": [[9.0]]}), "utf-8")
    told = run("compare", lab, str(mine))
    assert told.exit_code == 1
    first, second = told.stdout.splitlines()
    assert first.startswith("dTheta1  ✓ agrees")
    assert second.startswith("a[2]     ✗ differs")


def test_a_letter_that_is_taken_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "clash.toml"
    path.write_text(f'{EXAMPLE}\n[notation]\npreactivation = "W"\n', "utf-8")
    told = complaint(run("grads", str(path)))
    assert 'notation.preactivation: found "W"; expected another letter, because W is already' in told
