"""Results as other systems read them: Gradescope, PrairieLearn, JUnit, csv, JSON, and text for people.

results ──> gradescope     results.json: tests with scores, ANSI output and tags       (Gradescope)
        ──> prairielearn   score 0..1; `gradable` false with `format_errors`            (PrairieLearn)
        ──> junit          a testsuite a file, a testcase a question                    (JUnit XML)
        ──> csv, json, text
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from engine.formula.untrusted_text import one_line
from engine.practice.assignments.grading import GradedFile, Result, most_mistaken
from engine.practice.assignments.verdict_text import plain_lines

FORMATS = ("text", "json", "gradescope", "prairielearn", "junit", "csv")
VERDICT_WORDS = {
    "right": "right",
    "wrong": "wrong",
    "unclear": "cannot tell",
    "unreadable": "cannot be read",
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COLOURS = {"right": "32", "wrong": "31", "unclear": "33", "unreadable": "33"}


def foreign_json(record: dict[str, Any], *, ascii: bool = False) -> str:
    """JSON for another program: nothing beside what its own description names."""
    return json.dumps(record, allow_nan=False, ensure_ascii=ascii)


# ── Gradescope ──────────────────────────────────────────────────────────────────────────────────────


def gradescope(files: Sequence[GradedFile]) -> dict[str, Any]:
    """The results in Gradescope's results.json: one test an answer.

    Tests are numbered as graders do, 1, 2, … and 1.1, 1.2, … where there are several files: Gradescope orders by it.
    """
    tests = [
        _gradescope_test(result, f"{at}.{place}" if len(files) > 1 else str(place), with_file=len(files) > 1)
        for at, file in enumerate(files, 1)
        for place, result in enumerate(file.results, 1)
    ]
    return {
        "score": sum(file.points for file in files),
        "output": "; ".join(file.problem for file in files if file.problem) or "",
        "output_format": "text",
        "test_output_format": "ansi",
        "visibility": "visible",
        "tests": tests,
    }


def _gradescope_test(result: Result, number: str, *, with_file: bool) -> dict[str, Any]:
    verdict = result.verdict
    colour = _COLOURS[verdict.verdict]
    head = f"\x1b[{colour}m{VERDICT_WORDS[verdict.verdict]}\x1b[0m"
    output = "\n".join([head, *map(one_line, plain_lines(verdict))])
    name = result.question if not result.text else f"{result.question}: {result.text}"
    return {
        "score": result.points,
        "max_score": result.max_points,
        "status": "passed" if verdict.verdict == "right" else "failed",
        "name": f"{result.file}: {name}" if with_file else name,
        "number": number,
        "output": output,
        "output_format": "ansi",
        "tags": [mistake.tag for mistake in verdict.mistakes] or [verdict.verdict],
        "visibility": "visible",
    }


# ── PrairieLearn ────────────────────────────────────────────────────────────────────────────────────


def prairielearn(files: Sequence[GradedFile]) -> dict[str, Any]:
    """The results in PrairieLearn's external grading format."""
    results = [result for file in files for result in file.results]
    unreadable = [result for result in results if result.verdict.verdict in ("unreadable", "unclear")]
    total = sum(result.max_points for result in results)
    if results and len(unreadable) == len(results):
        errors = [f"{one.question}: {'; '.join(plain_lines(one.verdict))}" for one in unreadable]
        return {"gradable": False, "score": 0.0, "format_errors": errors, "tests": []}
    return {
        "gradable": True,
        "score": sum(result.points for result in results) / total if total else 0.0,
        "message": "; ".join(file.problem for file in files if file.problem) or "",
        "output": "",
        "tests": [_prairielearn_test(result, len(files) > 1) for result in results],
    }


def _prairielearn_test(result: Result, with_file: bool) -> dict[str, Any]:
    return {
        "name": f"{result.file}: {result.question}" if with_file else result.question,
        "description": result.text,
        "points": result.points,
        "max_points": result.max_points,
        "message": VERDICT_WORDS[result.verdict.verdict],
        "output": "\n".join(plain_lines(result.verdict)),
    }


# ── JUnit ───────────────────────────────────────────────────────────────────────────────────────────


def junit(files: Sequence[GradedFile], title: str, when: datetime | None = None) -> str:
    """The results as JUnit XML: wrong answers are failures, those that cannot be read or told are errors.

    It is valid by the two schemas there are, that of the Jenkins xUnit plug-in (junit-10.xsd) and that of Apache Ant
    (Windy Road's JUnit.xsd), which asks for a time, a host, and an order of everything. `when` is UTC, now by default.
    """
    at = (datetime.now(UTC) if when is None else when).strftime("%Y-%m-%dT%H:%M:%S")
    suites = ElementTree.Element("testsuites")
    for number, file in enumerate(files):
        names = [result.verdict.verdict for result in file.results]
        name = _token(file.file or title or "bptui")
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            id=str(number),
            package="bptui",
            name=name,
            timestamp=at,
            hostname="localhost",
            tests=str(len(names)),
            failures=str(names.count("wrong")),
            errors=str(names.count("unreadable") + names.count("unclear")),
            skipped="0",
            time="0",
        )
        properties = ElementTree.SubElement(suite, "properties")
        for key, value in (("points", file.points), ("max_points", file.max_points)):
            ElementTree.SubElement(properties, "property", name=key, value=f"{value:g}")
        for result in file.results:
            _junit_case(suite, result, name)
        remarks = [
            f"{result.question}: {line}"
            for result in file.results
            if result.verdict.verdict == "right"
            for line in plain_lines(result.verdict)
        ]
        ElementTree.SubElement(suite, "system-out").text = _xml("\n".join(remarks))
        ElementTree.SubElement(suite, "system-err").text = _xml(file.problem or "")
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode")


def _junit_case(suite: ElementTree.Element, result: Result, file: str) -> None:
    verdict = result.verdict
    case = ElementTree.SubElement(suite, "testcase", name=_token(result.question), classname=file, time="0")
    said = "\n".join(plain_lines(verdict))
    if verdict.verdict == "wrong":
        kind = verdict.mistakes[0].tag if verdict.mistakes else "wrong"
        ElementTree.SubElement(case, "failure", message=_xml(said), type=_xml(kind)).text = _xml(
            result.answer
        )
    elif verdict.verdict != "right":
        ElementTree.SubElement(case, "error", message=_xml(said), type=verdict.verdict).text = _xml(
            result.answer
        )


def _token(text: str) -> str:
    """`text` as an XML token: on one line, without spaces around it, never empty."""
    return " ".join(_xml(text).split()) or "bptui"


def _xml(text: str) -> str:
    """`text` without the characters that XML cannot hold."""
    return _NOT_XML.sub("", text)


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────

COLUMNS = ("file", "question", "verdict", "points", "max_points", "answer", "understood", "mistakes", "said")


def csv_table(files: Sequence[GradedFile]) -> str:
    """The results as a csv table, one row a question and file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for file in files:
        for result in file.results:
            verdict = result.verdict
            writer.writerow(
                [
                    _cell(result.file),
                    _cell(result.question),
                    verdict.verdict,
                    f"{result.points:g}",
                    f"{result.max_points:g}",
                    _cell(result.answer),
                    _cell(verdict.understood or ""),
                    _cell(" ".join(mistake.tag for mistake in verdict.mistakes)),
                    _cell("; ".join(plain_lines(verdict))),
                ]
            )
    return out.getvalue()


def _cell(text: str) -> str:
    """A learner's text or file name in a cell: a spreadsheet must not take it for a formula of its own."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def grade_record(files: Sequence[GradedFile], title: str) -> dict[str, Any]:
    """The results of all files as a JSON object."""
    return {
        "title": title,
        "files": [
            {
                "file": file.file,
                "points": file.points,
                "max_points": file.max_points,
                "problem": file.problem,
                "results": [
                    {
                        "question": result.question,
                        "answer": result.answer,
                        "points": result.points,
                        "max_points": result.max_points,
                        **result.verdict.record(),
                    }
                    for result in file.results
                ],
            }
            for file in files
        ],
    }


def grade_text(files: Sequence[GradedFile], title: str) -> str:
    """The results of a class as a table, and what was mistaken most."""
    lines = [title, ""] if title else []
    questions = [result.question for result in files[0].results] if files else []
    names = [file.file or "answers" for file in files]
    margin = max(map(len, [*names, "file"]))
    widths = [max(len(question), 4) for question in questions]
    lines.append(
        "  ".join(
            ["file".ljust(margin), *(q.rjust(w) for q, w in zip(questions, widths, strict=True)), "  sum"]
        )
    )
    for file, name in zip(files, names, strict=True):
        cells = [f"{result.points:g}{_MARKS[result.verdict.verdict]}" for result in file.results]
        row = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        lines.append("  ".join([name.ljust(margin), *row, f"{file.points:5g}"]))
    lines += ["", "✓ right   ✗ wrong   ? cannot be read, or cannot tell"]
    lines += most_mistaken(files)
    return "\n".join(lines)


_MARKS = {"right": " ✓", "wrong": " ✗", "unclear": " ?", "unreadable": " ?"}
