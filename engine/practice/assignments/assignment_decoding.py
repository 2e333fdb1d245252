"""Documents of a lecturer as typed values, and refusals in plain words."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from engine.experiment.errors import ExperimentError, mismatch, suggestion
from engine.practice.assignments.assignment_spec import AssignmentSpec, QuestionSpec

_AT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<key>[^`]*)`)?", re.DOTALL)
_EXPECTED = re.compile(r"Expected `(?P<expected>.*?)`, got `(?P<found>.*?)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`")
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "array": "a list",
    "object": "a table",
    "bool": "true or false",
}


def convert_assignment(document: Any, kind: Any, source: str) -> Any:
    """A document as typed values; msgspec's complaints in plain words. Raises ExperimentError."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        match = _AT.fullmatch(str(error))
        assert match is not None  # both of its parts may be empty
        what, key = match["what"], match["key"] or ""
        if unknown := _UNKNOWN.fullmatch(what):
            known = [field.name for field in msgspec.structs.fields(QuestionSpec if key else AssignmentSpec)]
            problem = "unknown key" + (
                suggestion(unknown["name"], known) or f"; expected one of {', '.join(known)}"
            )
            raise ExperimentError(source, f"{key}.{unknown['name']}".lstrip("."), problem) from None
        if missing := _MISSING.fullmatch(what):
            raise ExperimentError(source, f"{key}.{missing['name']}".lstrip("."), "missing") from None
        if expected := _EXPECTED.fullmatch(what):
            words = " or ".join(
                _WORDS.get(one.strip(), one.strip()) for one in expected["expected"].split("|")
            )
            problem = mismatch(_WORDS.get(expected["found"], expected["found"]), words)
            raise ExperimentError(source, key, problem) from None
        raise ExperimentError(source, key, what[:1].lower() + what[1:]) from None
