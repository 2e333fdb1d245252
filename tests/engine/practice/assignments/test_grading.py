"""Assignments, grading a class, and the formats that other systems read."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from engine.experiment.errors import ExperimentError
from engine.formula.notation import Style
from engine.practice.assignments.assignment import load_assignment, parse_assignment
from engine.practice.assignments.generated_exercises import LEVELS, exercises
from engine.practice.assignments.grading import grade, grade_files, judge_question, most_mistaken, points_of
from engine.practice.assignments.result_formats import (
    COLUMNS,
    csv_table,
    grade_record,
    grade_text,
    gradescope,
    junit,
    prairielearn,
)
from engine.practice.assignments.worksheet import FORMATS, derivation_lines, solution, worksheet
from engine.practice.judging.derivation_lines import judge_derivation, lines_of
from tests.engine.practice.questions import judge_on

RIGHT = "(Y_hat[0,0]-Y[0,0])*W[2][1,0]*indicator(f[1][1,0]>0)*X[1,0]"
ASSIGNMENT = """
title = "Week 3"
[[question]]
id = "b1"
text = "The gradient of one weight"
experiment = "tutorial-b"
wrt = "W[1][1,1]"
points = 5
partial = 1.0
[[question]]
id = "loss"
experiment = "tutorial-a-loss"
kind = "number"
of = "E"
points = 2
[[question]]
id = "bug"
experiment = "residual-fork"
kind = "bug"
seed = 4
"""
ASKED = parse_assignment(ASSIGNMENT, "week3.toml")


def bug_place() -> str:
    from engine.practice.bug_hunt.bug_hunt import BugHunt

    question = ASKED.question("bug")
    assert question is not None
    return BugHunt.planted(question.evaluated, 4).marked.plain()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A class: all right, a mistake, nonsense, a broken file."""
    paths = [tmp_path / name for name in ("ada.toml", "grace.json", "mallory.toml", "broken.toml")]
    paths[0].write_text(f'b1 = "{RIGHT}"\nloss = 0.16425\nbug = "{bug_place()}"\n', encoding="utf-8")
    answers = {"b1": RIGHT.replace("*X[1,0]", ""), "loss": "0.2", "bug": "X"}
    paths[1].write_text(json.dumps(answers), encoding="utf-8")
    paths[2].write_text(
        'b1 = "=cmd()\\u001b[31m"\nloss = "one"\nbug = "Q[7]"\nother = "1"\n', encoding="utf-8"
    )
    paths[3].write_text("b1 = \n", encoding="utf-8")
    return paths


def test_a_class_is_graded_and_a_broken_file_fails_alone(files):
    ada, grace, mallory, broken = grade_files(ASKED, files)
    assert [result.verdict.verdict for result in ada.results] == ["right"] * 3
    assert ada.points == ada.max_points == 8
    assert [result.verdict.verdict for result in grace.results] == ["wrong", "wrong", "wrong"]
    assert grace.points == 4  # four of five factors
    assert [result.verdict.verdict for result in mallory.results] == ["unreadable"] * 3
    assert mallory.problem is not None
    assert "other" in mallory.problem
    assert not broken.readable
    assert broken.points == 0
    assert "broken.toml" in (broken.problem or "")


def test_partial_points_only_where_the_question_gives_them():
    question = ASKED.question("b1")
    assert question is not None
    verdict = judge_question(question, "-" + RIGHT)
    assert points_of(question, verdict) == 4
    other = parse_assignment(ASSIGNMENT.replace("partial = 1.0", ""), "x").question("b1")
    assert other is not None
    assert points_of(other, verdict) == 0


# ── the formats, against their schemas ──────────────────────────────────────────────────────────────
#
# Gradescope and PrairieLearn publish no schema: the models are written from their documentation (the output format of
# autograders; the grading results of external grading), and hold every key that it names. The two schemas for JUnit are
# written after junit-10.xsd of the Jenkins xUnit plug-in (MIT; 031e285) and JUnit.xsd of Windy Road (Apache-2.0;
# 2378e66); the originals themselves took the files of a class of thirty as well.


WHEN = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


class GradescopeTest(msgspec.Struct, forbid_unknown_fields=True):
    """gradescope-autograders.readthedocs.io, "Output format": a test case.

    Public graders (gradescope/gradescope-utils, json_test_runner.py; ucbds-infra/otter-grader, to_gradescope_dict)
    write name, score, max_score, status, number, output, tags, visibility; a number is "1" or "1.1", for the order.
    """

    score: float | None = None
    max_score: float | None = None
    status: Literal["passed", "failed"] | None = None
    name: str = ""
    name_format: Literal["text", "html", "simple_format", "md", "ansi"] = "text"
    number: str = ""
    output: str = ""
    output_format: Literal["text", "html", "simple_format", "md", "ansi"] = "text"
    tags: list[str] = []
    visibility: Literal["hidden", "after_due_date", "after_published", "visible"] = "visible"
    extra_data: dict[str, Any] = {}


class GradescopeResults(msgspec.Struct, forbid_unknown_fields=True):
    """results.json."""

    tests: list[GradescopeTest]
    score: float | None = None
    execution_time: float | None = None
    output: str = ""
    output_format: Literal["text", "html", "simple_format", "md", "ansi"] = "text"
    test_output_format: Literal["text", "html", "simple_format", "md", "ansi"] = "text"
    test_name_format: Literal["text", "html", "simple_format", "md", "ansi"] = "text"
    visibility: Literal["hidden", "after_due_date", "after_published", "visible"] = "visible"
    stdout_visibility: str = "hidden"
    extra_data: dict[str, Any] = {}
    leaderboard: list[dict[str, Any]] = []


class PrairieLearnTest(msgspec.Struct, forbid_unknown_fields=True):
    """prairielearn.readthedocs.io, "External grading", "Grading result": a test.

    What shows them (PrairieLearn/PrairieLearn, elements/pl-external-grader-results) leaves all points out where one
    test has none, takes ANSI in `message` and `output`, and nothing but words in `name` and `description`.
    """

    name: str
    description: str = ""
    points: float = 0.0
    max_points: float = 0.0
    message: str = ""
    output: str = ""
    images: list[Any] = []


class PrairieLearnResults(msgspec.Struct, forbid_unknown_fields=True):
    """The results object.

    Of what its server reads (PrairieLearn/PrairieLearn, apps/prairielearn/src/lib/externalGraderCommon.ts), `score`
    has to be a number, and `format_errors` a text or a list; its grading host puts all of it under `results`.
    """

    gradable: bool = True
    score: float = 0.0
    message: str = ""
    output: str = ""
    images: list[Any] = []
    tests: list[PrairieLearnTest] = []
    format_errors: str | list[str] = ""


def test_gradescope(files):
    results = msgspec.convert(
        json.loads(json.dumps(gradescope(list(grade_files(ASKED, files))))), GradescopeResults
    )
    assert len(results.tests) == 12
    for test in results.tests:
        assert test.score is not None
        assert test.max_score is not None
        assert 0 <= test.score <= test.max_score
    assert [test.number for test in results.tests][:4] == ["1.1", "1.2", "1.3", "2.1"]
    wrong = next(test for test in results.tests if "grace" in test.name and ": b1" in test.name)
    assert (wrong.status, wrong.tags, wrong.output_format) == ("failed", ["missing:X[1,0]"], "ansi")


def test_an_escape_sequence_of_a_learner_does_not_reach_a_terminal(files):
    for test in gradescope(list(grade_files(ASKED, files)))["tests"]:
        assert test["output"].count("\x1b") == 2  # our own colour


def test_prairielearn(files):
    ada, grace, mallory, _ = grade_files(ASKED, files)
    for graded in (ada, grace, mallory):
        results = msgspec.convert(json.loads(json.dumps(prairielearn([graded]))), PrairieLearnResults)
        assert 0 <= results.score <= 1
        record = prairielearn([graded])
        assert isinstance(record["score"], float)
        assert all(isinstance(one, str) for one in record.get("format_errors", ()))
        for test in record["tests"]:
            assert test["points"] is not None
            assert test["max_points"] is not None
            assert not {"\x1b", "\0"} & set(test["name"] + test["description"] + test["output"])
    assert prairielearn([ada])["score"] == 1
    assert prairielearn([grace])["score"] == 0.5
    unreadable = prairielearn([mallory])
    assert unreadable["gradable"] is False
    assert unreadable["format_errors"]
    assert len(json.dumps(prairielearn([ada, grace, mallory] * 10))) < 2**20  # a results.json may have 1 MB


@pytest.mark.parametrize("schema", ["junit.xsd", "junit-ant.xsd"])
def test_junit_is_valid_by_both_schemas(files, schema):
    xmlschema = pytest.importorskip("xmlschema", reason="validates JUnit XML; in the test extra")
    text = junit(list(grade_files(ASKED, files)), ASKED.title, WHEN)
    xmlschema.XMLSchema(Path(__file__).parent / "schemas" / schema).validate(text)
    suites = list(xmlschema.XMLResource(text).root)
    totals = [sum(int(suite.get(key)) for suite in suites) for key in ("tests", "failures", "errors")]
    assert totals == [12, 3, 6]
    assert [suite.get("id") for suite in suites] == ["0", "1", "2", "3"]
    assert suites[0].get("timestamp") == "2026-02-03T04:05:06"


def test_csv_holds_one_row_a_question_and_file_and_no_formula_of_a_spreadsheet(files):
    rows = list(csv.DictReader(io.StringIO(csv_table(list(grade_files(ASKED, files))))))
    assert len(rows) == 12
    assert tuple(rows[0]) == COLUMNS
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values() if value)


def test_a_file_named_like_a_spreadsheets_formula_is_text_in_the_csv(tmp_path):
    path = tmp_path / "=1+1.toml"
    path.write_text('b1 = "0"')
    rows = list(csv.DictReader(io.StringIO(csv_table(list(grade_files(ASKED, [path]))))))
    assert {row["file"][:1] for row in rows} <= {"'", "/"}


def test_json_and_text(files):
    graded = list(grade_files(ASKED, files))
    record = grade_record(graded, ASKED.title)
    assert [file["points"] for file in record["files"]] == [8, 4, 0, 0]
    text = grade_text(graded, ASKED.title)
    assert "ada.toml" in text
    assert any("X₁₀ is missing" in line for line in most_mistaken(graded))


# ── assignment files ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('wrt = "W[1][1,1]"', 'wrt = "W[9][1,1]"', "question[0].wrt: "),
        ('wrt = "W[1][1,1]"', 'wrt = "((("', "question[0].wrt: "),
        ('wrt = "W[1][1,1]"', "", "question[0].wrt: missing"),
        ('experiment = "tutorial-b"', 'experiment = "tutorial-q"', "question[0].experiment: "),
        ('id = "loss"', 'id = "b1"', 'question[1].id: found "b1" a second time'),
        ("points = 5", 'points = "five"', "question[0].points: found text; expected a number"),
        ("points = 5", "points = -1", "question[0].points: found -1"),
        ("partial = 1.0", "partial = 2.0", "question[0].partial: found 2.0"),
        ("points = 5", "point = 5", "question[0].point: unknown key; did you mean"),
        ('of = "E"', 'of = "Q"', "question[1].of: there is no Q"),
        ('title = "Week 3"', "title = ", "line 2, column 9: invalid value"),
    ],
)
def test_an_assignment_that_is_not_right_is_refused_in_one_line(old, new, said):
    assert ASSIGNMENT.count(old) == 1
    with pytest.raises(ExperimentError) as caught:
        parse_assignment(ASSIGNMENT.replace(old, new), "week3.toml")
    assert str(caught.value).startswith("week3.toml: ")
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_experiment_may_be_a_file_beside_the_assignment(tmp_path):
    (tmp_path / "mine.toml").write_text(
        '[data]\nkind = "xor"\n[[network.layers]]\nunits = 1\nactivation = "sigmoid"\n[loss]\nkind = "bce"\n'
    )
    path = tmp_path / "a.toml"
    path.write_text('[[question]]\nid = "q"\nexperiment = "mine.toml"\nwrt = "W[1]"\n')
    question = load_assignment(path).questions[0]
    assert judge_question(question, "X @ (Y_hat - Y).T/n").verdict == "right"


# ── the tutorials, exercises, worksheets, derivations ───────────────────────────────────────────────


@pytest.mark.parametrize("question", load_assignment("tutorials").questions, ids=lambda question: question.id)
def test_every_accepted_form_of_the_tutorials_is_right(question):
    forms = question.spec.accepted
    if question.spec.kind == "number":
        forms = [f"{question.number:.4g}", repr(question.number)]
    assert forms
    for form in forms:
        assert judge_question(question, form).verdict == "right", form
    assert question.hints
    wrong = "7×5" if question.spec.kind == "shape" else "7.125"
    assert judge_question(question, wrong).verdict == "wrong"


def test_every_item_that_asks_is_there():
    items = {question.spec.item for question in load_assignment("tutorials").questions}
    assert items == {"A0", "A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4", "C1", "C2", "C3", "D1", "D2", "D3"}


@pytest.mark.parametrize("level", LEVELS)
def test_exercises_are_the_same_for_the_same_seed_and_their_solutions_right(level):
    text = exercises(5, level, 4)
    assert text == exercises(5, level, 4)
    assert text != exercises(6, level, 4)
    for question in parse_assignment(text, "exercises.toml").questions:
        found = solution(question)
        if found.formula is not None:
            assert judge_question(question, found.formula.plain()).verdict == "right"
        assert judge_question(question, "2.5").verdict == "wrong"


@pytest.mark.parametrize("form", FORMATS)
def test_a_worksheet_has_blank_lines_or_solutions(form):
    blank = worksheet(ASKED, form, False, Style())
    full = worksheet(ASKED, form, True, Style())
    assert "Week 3" in blank
    assert "The gradient of one weight" in blank
    assert "0.1643" not in blank
    assert "0.1643" in full
    if form == "latex":
        assert full.count(r"\begin{") == full.count(r"\end{")
        assert full.isascii() or all(letter not in "∂ℰŶ₀⁽" for letter in full)


def test_words_of_an_assignment_are_no_images_and_no_labels():
    text = ASSIGNMENT.replace("Week 3", "![t](http://x) <b>").replace("The gradient", "[x] The gradient")
    asked = parse_assignment(text, "week3.toml")
    markdown = worksheet(asked, "markdown", True, Style()).splitlines()
    assert markdown[0] == r"# \!\[t\](http://x) \<b\>"
    assert r"## 1. \[x\] The gradient of one weight (5 points)" in markdown
    assert r"\item {}[x] The gradient of one weight" in worksheet(asked, "latex", True, Style())


DERIVATION = """
(-Y/Y_hat + (1-Y)/(1-Y_hat)) * Y_hat*(1-Y_hat) * X[2,0]   # the two factors
= (-Y*(1-Y_hat) + (1-Y)*Y_hat) * X[2,0]
= (Y_hat - Y) * X[2,0]
"""


def test_a_deep_network_s_equations_are_abridged_in_a_handout():
    text = worksheet(load_assignment("tutorials").about("C1"), "text", False, Style())
    assert "a⁽⁵⁰⁾" in text
    assert "a⁽³⁰⁾" not in text
    assert "…" in text


def test_of_several_ways_none_is_shown_as_if_it_were_the_gradient():
    asked = parse_assignment(
        """
        [[question]]
        id = "fork"
        experiment = "residual-fork"
        wrt = "a[1][0,0]"
        """,
        "mine",
    )
    assert derivation_lines(asked.questions[0]) == []


def test_words_are_set_as_words_and_symbols_as_symbols():
    asked = replace(load_assignment("tutorials").about("B1"), title="Größe, a 漢 and ∂ℰ/∂W⁽¹⁾₁₁")
    text = worksheet(asked, "latex", False, Style())
    assert r"\section*{Größe, a ? and $\partial \mathcal{E}$/$\partial W^{[1]}_{11}$}" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_the_handout_of_the_tutorials_compiles_and_fits_the_page(tmp_path):
    (tmp_path / "handout.tex").write_text(
        worksheet(load_assignment("tutorials"), "latex", True, Style()), "utf-8"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-draftmode", "handout.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
    said = done.stdout.decode("latin-1")
    assert done.returncode == 0, said[-2000:]
    too_wide = [float(one) for one in re.findall(r"Overfull .hbox \(([0-9.]+)pt", said)]
    assert max(too_wide, default=0.0) < 5.0  # the margin is 71pt


@pytest.mark.parametrize("solutions", [False, True])
def test_the_latex_of_the_tutorials_needs_no_unicode(solutions):
    """pdflatex stops at a letter that it does not know, such as η or ←."""
    text = worksheet(load_assignment("tutorials"), "latex", solutions, Style())
    assert text.isascii()
    assert text.count("\\item") == len(load_assignment("tutorials").questions)
    assert text.count("{") == text.count("}")


def test_a_derivation_is_right_line_by_line():
    judge_a = judge_on("tutorial-a", "W[1][2,0]")
    assert judge_derivation(judge_a, lines_of(DERIVATION)).verdict == "right"
    broken = judge_derivation(judge_a, lines_of(DERIVATION.replace("= (Y_hat - Y)", "= (Y - Y_hat)")))
    assert (broken.verdict, broken.line, broken.mistakes[0].kind) == ("wrong", 4, "sign")
    unreadable = judge_derivation(judge_a, lines_of(DERIVATION.replace("(1-Y)*Y_hat)", "(1-Y)*Y_hat")))
    assert (unreadable.verdict, unreadable.line) == ("unreadable", 3)
    assert judge_derivation(judge_a, []).verdict == "unreadable"


def test_each_line_of_a_derivation_is_compared_with_the_one_before():
    judge_a = judge_on("tutorial-a", "W[1][2,0]")
    lines = """
    (Y_hat - Y) * X[2,0]
    = (Y - Y_hat) * X[2,0]
    = Y*X[2,0] - Y_hat*X[2,0]
    = Y*X[2,0] + Y_hat*X[2,0]
    """
    broken = judge_derivation(judge_a, lines_of(lines))
    assert (broken.verdict, broken.line, broken.mistakes[0].kind) == ("wrong", 3, "sign")
    remarks = "\n".join(broken.remarks)
    assert "line 2 is right, and line 3 is not equal to it" in remarks
    assert "line 4 follows rightly from the line before" in remarks
    assert "line 5 is not equal to the line before it: the sign of ŶX₂₀ is wrong" in remarks


def test_two_lines_that_break_and_come_back_are_not_right():
    judge_a = judge_on("tutorial-a", "W[1][2,0]")
    lines = "(Y_hat - Y)*X[2,0]\n(Y_hat + Y)*X[2,0]\n(Y_hat - Y)*X[2,0]\n"
    broken = judge_derivation(judge_a, lines_of(lines))
    assert (broken.verdict, broken.line) == ("wrong", 2)
    assert any("line 3 is not equal to the line before it" in remark for remark in broken.remarks)


def test_the_first_line_is_compared_with_the_gradient():
    judge_a = judge_on("tutorial-a", "W[1][2,0]")
    broken = judge_derivation(judge_a, lines_of("(Y_hat - Y)*X[1,0]\n(Y_hat*X[1,0] - Y*X[1,0])\n(("))
    assert (broken.verdict, broken.line, broken.mistakes[0].instead) == ("wrong", 1, "X[2,0]")
    assert broken.remarks[-1].startswith("line 3 cannot be read: ")


def test_an_answer_that_is_not_given_gets_nothing():
    graded = grade(ASKED, {})
    assert graded.points == 0
    assert {result.verdict.problem for result in graded.results} == {"not answered"}
