"""The commands about answers: answer, grade, worksheet, exercise, compare, and explain --expect."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from tests.tui.cli.test_commands import run

TARGET = ("--wrt", "W[1][1,1]")
RIGHT = "(Y_hat[0,0]-Y[0,0])*W[2][1,0]*indicator(f[1][1,0]>0)*X[1,0]"
ASSIGNMENT = f"""
title = "A"
[[question]]
id = "b1"
text = "The gradient of one weight"
experiment = "tutorial-b"
wrt = "W[1][1,1]"
points = 2
accepted = ["{RIGHT}"]
"""


def answer(formula: str, *options: str) -> Result:
    return run("answer", "tutorial-b", *TARGET, formula, *options)


def test_a_right_answer_is_shown_as_it_was_understood():
    result = answer(RIGHT)
    assert result.exit_code == 0
    assert "Understood:" in result.stdout
    assert "(Ŷ₀₀ − Y₀₀) · W⁽²⁾₁₀ · 1{f⁽¹⁾₁₀ > 0} · X₁₀" in result.stdout
    assert "✓ Right." in result.stdout
    assert result.stderr == ""
    assert answer(RIGHT, "--ascii").stdout.isascii()


@pytest.mark.parametrize("formula", [f"-{RIGHT}", f"-({RIGHT})", "-h", "-Y_hat[0,0]"])
def test_a_formula_may_begin_with_a_minus(formula):
    if formula == "-h":  # by itself it asks for help, as everywhere
        assert "Examples:" in answer(formula).stdout
        return
    result = answer(formula)
    assert result.exit_code == 1
    assert "✗ Wrong." in result.stdout


def test_the_place_of_the_formula_does_not_matter():
    for arguments in (
        ("answer", *TARGET, "tutorial-b", f"-{RIGHT}"),
        ("answer", "tutorial-b", f"-{RIGHT}", *TARGET),
        ("answer", "tutorial-b", "--wrt=W[1][1,1]", "--format", "json", f"-{RIGHT}"),
        ("answer", "tutorial-b", *TARGET, "--", f"-{RIGHT}"),
    ):
        assert run(*arguments).exit_code == 1, arguments


def test_json_has_the_pages_keys():
    record = json.loads(answer(f"-{RIGHT}", "--format", "json").stdout)
    assert record["verdict"] == "wrong"
    assert record["mistakes"] == [
        {"kind": "sign", "what": "-1", "instead": None, "text": "the sign is wrong"}
    ]
    assert (record["right_factors"], record["factors"]) == (4, 5)
    assert record["counterexample"]["yours"] == -record["counterexample"]["true"]
    assert record["understood"].startswith("-(Y_hat[0,0] - Y[0,0])")


def test_what_cannot_be_read_is_one_line_with_a_caret_and_status_2():
    result = answer("(Y_hat - Y) @ X")
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert "Ŷ − Y is 1×n and X is 3×n: (Ŷ − Y) @ X does not fit; Xᵀ does" in line
    assert "‸" in line
    assert json.loads(answer("(((", "--format", "json").stdout)["verdict"] == "unreadable"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("answer", "tutorial-b", *TARGET), "expected a FORMULA, or --derivation"),
        (("answer", "tutorial-b", "--wrt", "W[9][0,0]", "1"), "there is no W[9]"),
        (("answer", "tutorial-b", "--wrt", "(((", "1"), "expected a name"),
        (("answer", "tutorial-b", "--wrt", "W[1]", "--of", "Y_hat", "1"), "say which entry"),
        (("answer", "tutorial-b", *TARGET, "--sample", "5", "1"), "sample 5 is not there"),
        (("answer", "tutorial-b", *TARGET, "--derivation", "none.txt"), "none.txt: no such file"),
        (("grade", "none.toml", "x.toml"), "none.toml: no such file"),
        (("worksheet", "none.toml"), "none.toml: no such file"),
        (("compare", "tutorial-b", "none.npz"), "none.npz: no such file"),
        (("explain", "tutorial-b", *TARGET, "--expect", "x+"), "--expect"),
        (("exercise", "--level", "9"), "9 is not in the range"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("bptui: ")
    assert said in line


def test_a_derivation_names_the_first_line_that_breaks(tmp_path: Path):
    file = tmp_path / "lines.txt"
    file.write_text(f"{RIGHT}\n{RIGHT}*1\n2*{RIGHT}\n", encoding="utf-8")
    result = run("answer", "tutorial-b", *TARGET, "--derivation", str(file))
    assert result.exit_code == 1
    assert "Line 3 is the first that breaks." in result.stdout
    assert "the factor 2 does not belong here" in result.stdout


def test_other_outputs_samples_and_matrices():
    slope = "Y_hat*(1-Y_hat)*W[2][1,0]*1{f[1][1,0]>0}*X[1,0]"
    assert run("answer", "tutorial-b", *TARGET, "--of", "Y_hat[0,0]", slope).exit_code == 0
    sample = "(Y_hat[0,1]-Y[0,1])*X[0,1]/n"
    assert run("answer", "tutorial-a-loss", "--wrt", "W[1][0,0]", "--sample", "1", sample).exit_code == 0
    assert run("answer", "tutorial-b", "--wrt", "f[2][0,0] / a[1][1,0]", "W[2][1,0]").exit_code == 0
    assert run("answer", "tutorial-b", "--wrt", "W[1]", "X @ dE/df[1].T").exit_code == 0


def test_a_class_is_graded_with_one_command(tmp_path: Path):
    (tmp_path / "a.toml").write_text(ASSIGNMENT, encoding="utf-8")
    paths = []
    for number in range(30):
        path = tmp_path / f"{number:02}.json"
        path.write_text(
            json.dumps({"b1": RIGHT if number % 2 else f"-{RIGHT}"}) if number != 7 else "{", encoding="utf-8"
        )
        paths.append(str(path))
    result = run("grade", str(tmp_path / "a.toml"), *paths, "--format", "json")
    assert result.exit_code == 0
    (line,) = result.stderr.splitlines()
    assert "07.json" in line
    assert [file["points"] for file in json.loads(result.stdout)["files"]] == [
        2.0 * (k % 2 and k != 7) for k in range(30)
    ]
    for form in ("text", "gradescope", "prairielearn", "junit", "csv"):
        assert run("grade", str(tmp_path / "a.toml"), paths[1], "--format", form).exit_code == 0
    assert run("grade", str(tmp_path / "a.toml"), paths[7]).exit_code == 2
    out = tmp_path / "results"
    for form, suffix in (("gradescope", "json"), ("junit", "xml")):
        arguments = ("grade", str(tmp_path / "a.toml"), *paths, "--format", form, "--out", str(out))
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (0, "")
        assert len(list(out.glob(f"*.{suffix}"))) == 30
    one = json.loads((out / "03.json").read_text(encoding="utf-8"))
    assert (one["score"], one["tests"][0]["status"]) == (2.0, "passed")
    assert "nonfinite" not in one  # nothing that Gradescope does not name
    again = run(*arguments)
    assert again.exit_code == 2
    assert "03.xml" in again.stderr  # what is there is left alone


def test_exercises_can_be_handed_out_and_graded(tmp_path: Path):
    made = run("exercise", "--seed", "3", "--level", "2", "--count", "2")
    assert made.exit_code == 0
    (tmp_path / "e.toml").write_text(made.stdout, encoding="utf-8")
    sheet = run("worksheet", str(tmp_path / "e.toml"), "--format", "markdown", "--solutions")
    assert sheet.exit_code == 0
    assert "Solution:" in sheet.stdout
    assert run("worksheet", "tutorials", "--format", "latex").exit_code == 0


def test_an_expected_number_agrees_or_is_told_by_its_factor():
    agrees = run("explain", "tutorial-b", *TARGET, "--expect", "0.1922")
    assert agrees.exit_code == 0
    assert "agrees" in agrees.stdout
    off = run("explain", "tutorial-b", *TARGET, "--expect", "0.7700")
    assert off.exit_code == 1
    assert "1/(σ(f⁽²⁾₀₀)(1−σ(f⁽²⁾₀₀)))" in off.stdout
    assert run("explain", "tutorial-b", *TARGET, "--expect", "-0.1922").exit_code == 1


def test_gradients_of_a_homework_are_compared(tmp_path: Path):
    ours = json.loads(run("grads", "tutorial-b", "--json").stdout)["gradients"]
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"dW1": ours["W[1]"], "W2": ours["W[2]"]}), encoding="utf-8")
    assert run("compare", "tutorial-b", str(file)).exit_code == 0
    file.write_text(
        json.dumps({"dW1": ours["W[1]"], "W2": [[-one for one in row] for row in ours["W[2]"]]}),
        encoding="utf-8",
    )
    result = run("compare", "tutorial-b", str(file), "--json")
    assert result.exit_code == 1
    record = json.loads(result.stdout)
    assert [one["agrees"] for one in record["arrays"]] == [True, False]
    assert "the sign is wrong" in record["arrays"][1]["text"]
    file.write_text('{"velocity": [1]}', encoding="utf-8")
    assert run("compare", "tutorial-b", str(file)).exit_code == 2
