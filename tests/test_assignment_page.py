"""docs/assignment.md: it names every key with its default, its example is read and its answers are right."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from engine.practice.assignments.assignment import parse_assignment
from engine.practice.assignments.assignment_spec import AssignmentSpec, QuestionSpec
from engine.practice.assignments.grading import grade
from engine.practice.judging.trained_numbers import TrainedMeasurement

PAGE = (Path(__file__).parent.parent / "docs" / "assignment.md").read_text("utf-8")
EXAMPLE, ANSWERS = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)


def documented(section: str) -> dict[str, str]:
    """The default that the page gives for each key of a table."""
    (text,) = (part for part in re.split(r"^#+ ", PAGE, flags=re.MULTILINE) if part.startswith(section))
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return {row[0].strip(" `"): row[1].strip(" `") for row in rows}


@pytest.mark.parametrize(
    ("section", "table"), [("The file itself", AssignmentSpec), ("`[[question]]`", QuestionSpec)]
)
def test_every_key_is_on_the_page(section, table):
    assert set(documented(section)) == {field.name for field in msgspec.structs.fields(table)}


def test_the_defaults_on_the_page_are_those_of_the_table():
    page = documented("`[[question]]`")
    for field in msgspec.structs.fields(QuestionSpec):
        if field.required:
            assert page[field.name] == "required"
        elif field.name != "of" and field.default is not msgspec.NODEFAULT:
            expected = "none" if field.default is None else json.dumps(field.default)
            assert page[field.name] == expected, field.name


def test_the_example_is_read_and_its_answers_are_right():
    answers = {name: str(value) for name, value in tomllib.loads(ANSWERS).items()}
    results = grade(parse_assignment(EXAMPLE, "example"), answers).results
    assert [one.verdict.verdict for one in results] == ["right"] * 3


def test_the_measures_on_the_page_can_be_asked_for():
    questions = parse_assignment(EXAMPLE, "example").questions
    evaluated = questions[2].evaluated  # one layer
    text = PAGE.split("## Measures")[1].split("##")[0]
    for name in re.findall(r"`([a-z_0-9]+(?:\[\d\])?)`", text):
        TrainedMeasurement.parse(evaluated, name.replace("[3]", "[1]"), 0)
