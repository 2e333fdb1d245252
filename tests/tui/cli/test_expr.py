"""`expr`, and expression files in the commands that take them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tui.cli.main import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_an_expression_as_json() -> None:
    result = run("expr", "(x+y)*z", "x=-2", "y=5", "z=-4", "--format", "json")
    record = json.loads(result.stdout)
    assert record["value"] == -12.0
    assert record["gradients"] == {"x": -4.0, "y": -4.0, "z": 3.0}
    assert record["values"]["q1"] == 3.0


def test_one_derivative_is_taken_apart() -> None:
    result = run("expr", "(x+y)*z", "x=-2", "y=5", "z=-4", "--wrt", "x", "--format", "json")
    record = json.loads(result.stdout)["explain"]
    assert record["of"] == "q2"
    assert [step["node"] for step in record["steps"]] == ["q1", "x"]
    for form in ("text", "markdown", "latex"):
        assert run("expr", "(x+y)*z", "x=-2", "y=5", "z=-4", "--wrt", "x", "--format", form).exit_code == 0


def test_the_table_of_all_names_is_a_document_as_well() -> None:
    latex = run("expr", "(x+y)*z", "x=-2", "y=5", "z=-4", "--format", "latex").stdout
    assert latex.startswith("\\documentclass")
    assert "$x$ & $-2$ & $-4$ &" in latex
    markdown = run("expr", "(x+y)*z", "x=-2", "y=5", "z=-4", "--format", "markdown").stdout
    assert "| $q_{1}$ | $3$ | $-4$ | $x + y$ |" in markdown


def test_a_formula_and_its_values_may_begin_with_a_minus() -> None:
    assert run("expr", "-x*h", "x=1", "h=-2").stdout.splitlines()[0].endswith("= 2")


@pytest.mark.parametrize("command", ["grads", "check"])
def test_expression_files_are_taken(command: str, tmp_path: Path) -> None:
    file = tmp_path / "circuit.toml"
    file.write_text('[expression]\nformula = "x*y + sin(x)"\n[expression.values]\nx = 2\ny = 3.0\n', "utf-8")
    assert run(command, str(file)).exit_code == 0
    assert run(command, str(file), "--json").exit_code == 0
    assert run("explain", str(file), "--wrt", "x", "--format", "json").exit_code == 0


@pytest.mark.parametrize("arguments", [("train", "micrograd"), ("step", "micrograd")])
def test_the_others_say_that_they_do_not(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "grads, explain, check, open and export take expressions" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[expression]\nformula = "x*2"\n', "expression.values: missing the number of x"),
        ('[expression]\nformule = "x*2"\n', "expression.formule: unknown key"),
        (
            '[expression]\nformula = "x*2"\nvalues = { x = nan }\n',
            "expression.values.x: found nan; expected a finite",
        ),
        ("[expression]\nformula = 3\n", "expression.formula"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text, "utf-8")
    result = run("grads", str(file))
    assert result.exit_code == 2
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1


def test_another_result_than_the_last_is_differentiated() -> None:
    record = json.loads(
        run("expr", "h = sin(x); f = h*y", "x=0", "y=2", "--of", "h", "--format", "json").stdout
    )
    assert record["gradients"] == {"x": 1.0, "y": 0.0}
    result = run("expr", "h = sin(x); f = h*y", "x=0", "y=2", "--of", "h", "--wrt", "y")
    assert result.exit_code == 2
    assert result.stderr == "bptui: h does not depend on y\n"
    result = run("expr", "h = sin(x); f = h*y", "x=0", "y=2", "--of", "k")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_expressions_are_listed_and_shown():
    listed = json.loads(run("presets", "--json").stdout)["presets"]
    assert "micrograd" in {one["name"] for one in listed}
    assert "formula" in run("presets", "--show", "micrograd").stdout


def test_open_takes_expressions(monkeypatch: pytest.MonkeyPatch):
    opened: list[tuple[str | None, dict[str, object] | None]] = []
    monkeypatch.setattr("tui.cli.commands.open.need_terminal", lambda: None)

    def run_app(name: str | None, *, view: dict[str, object] | None = None, **rest: object) -> int:
        opened.append((name, view))
        return 0

    monkeypatch.setattr("tui.app.run", run_app)
    assert run("open", "micrograd", "--wrt", "b", "--step", "2").exit_code == 0
    assert opened == [("micrograd", {"target": "b", "step": 2})]
