"""From TOML text to the typed structs of an experiment, with msgspec's and TOML's complaints in plain words.

text ── tomllib ──> tables, lists, numbers ── msgspec ──> Experiment
            │                                    │
     line and column                    the key's path, what was
     of a slip in the syntax            found, what was expected
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

import msgspec
from msgspec import inspect

from engine.experiment.errors import (
    ExperimentError,
    choice,
    mismatch,
    quoted,
    suggestion,
    value_in_words,
)
from engine.experiment.expression_spec import NOT_A_NETWORK, TABLE, is_expression
from engine.experiment.file_schema import document_type
from engine.experiment.optimizer_specs import DEFAULT_OPTIMIZER, OPTIMIZER_SPECS
from engine.experiment.spec import Experiment
from engine.formula.untrusted_text import one_line

TOML_COMPLAINT = re.compile(
    r"(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|.*)\)", re.DOTALL
)
MSGSPEC_COMPLAINT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<key>[^`]*)`)?", re.DOTALL)
# The field's name may hold anything, line breaks and backquotes included.
UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
MISSING_FIELD = re.compile(r"Object missing required field `(?P<name>.*)`")
KEY_PART = re.compile(r"\w+")
# Python turns at most 4300 digits into an integer, for want of a fast algorithm.
ENDLESS_INTEGER = re.compile(r"[0-9][0-9_]{4300,}")
# Reading a key of thousands of parts would take hours; no key of an experiment has more than three.
ENDLESS_KEY = re.compile(r"(?<![\w-])(?:[\w-]+[ \t]*\.[ \t]*){64}")
LONGEST_KEY = 60


def decode(text: str, source: str) -> Experiment:
    """Decodes the experiment that a TOML text describes; raises ExperimentError for wrong syntax, keys and types."""
    document = read_toml(text, source)
    if is_expression(document):
        raise ExperimentError(source, TABLE, NOT_A_NETWORK)
    train = document.get("train")
    if isinstance(train, dict):  # msgspec wants to be told which of several tables it is
        train.setdefault("optimizer", DEFAULT_OPTIMIZER)
    try:
        return msgspec.convert(document, document_type())
    except msgspec.ValidationError as error:
        key, problem = _type_problem(str(error), document)
        raise ExperimentError(source, key, problem) from None


def read_toml(text: str, source: str) -> dict[str, Any]:
    """Reads the tables of a TOML text; raises ExperimentError for wrong syntax, with line and column."""
    if endless := ENDLESS_KEY.search(text):
        raise ExperimentError(source, "", f"{_place(text, endless.start())}: a key of too many parts")
    try:
        text.encode()  # a lone surrogate is not a character, and msgspec cannot take it
        return tomllib.loads(text)
    except UnicodeEncodeError as error:
        raise ExperimentError(source, "", f"{_place(text, error.start)}: not a Unicode character") from None
    except tomllib.TOMLDecodeError as error:
        raise ExperimentError(source, "", _syntax_problem(str(error), text)) from None
    except RecursionError:
        raise ExperimentError(source, "", "lists or tables are nested too deeply to read") from None
    except ValueError as error:
        raise ExperimentError(source, "", _number_problem(str(error), text)) from None


def _syntax_problem(complaint: str, text: str) -> str:
    match = TOML_COMPLAINT.fullmatch(complaint)
    if match is None:
        return f"not valid TOML: {complaint}"
    what = match["what"][:1].lower() + match["what"][1:]
    if match["line"] is None:  # "at end of document"
        return f"{_place(text, len(text))}: {what} (the file ends here)"
    return f"line {match['line']}, column {match['column']}: {what}"


def _number_problem(complaint: str, text: str) -> str:
    match = ENDLESS_INTEGER.search(text)
    if match is None:
        return f"not valid TOML: {complaint}"
    found = f"a whole number of {len(match[0])} digits"
    return f"{_place(text, match.start())}: {mismatch(found, 'a number that a computer holds')}"


def _place(text: str, position: int) -> str:
    before = text[:position]
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


def _type_problem(complaint: str, document: dict[str, Any]) -> tuple[str, str]:
    unknown = UNKNOWN_FIELD.fullmatch(complaint)
    if unknown and unknown["name"] in document:  # first, because its name may look like a path
        return _joined("", unknown["name"]), _unknown_key_problem(
            unknown["name"], inspect.type_info(document_type())
        )
    match = MSGSPEC_COMPLAINT.fullmatch(complaint)
    assert match is not None  # both of its parts may be empty
    what, key = match["what"], match["key"] or ""
    wanted, found = _at(key, document)
    if (unknown := UNKNOWN_FIELD.fullmatch(what)) and key == "train":
        name = unknown["name"]
        others = [optimizer for optimizer, spec in OPTIMIZER_SPECS.items() if name in spec.settings()]
        if others:
            found_setting = f"{one_line(name)} for the optimizer {quoted(str(found['optimizer']))}"
            return _joined(key, name), mismatch(found_setting, f"it with {choice(others)} only")
    if unknown := UNKNOWN_FIELD.fullmatch(what):
        return _joined(key, unknown["name"]), _unknown_key_problem(unknown["name"], wanted)
    if missing := MISSING_FIELD.fullmatch(what):
        key = _joined(key, missing["name"])
        return key, f"missing; expected {_in_words(_at(key, document)[0])}"
    if what == "Number out of range":  # an integer where a float is wanted, and no float is as large
        return key, mismatch(value_in_words(found), "a number below 1.8e308")
    problem = mismatch(value_in_words(found), _in_words(wanted)) + _shape_hint(wanted, found)
    return key, problem + (suggestion(found, _words_for(wanted)) if isinstance(found, str) else "")


def _shape_hint(wanted: Any, found: object) -> str:
    """How a matrix is written, for a vector in its place; and the other way round."""
    match wanted, found:
        case inspect.ListType(item_type=inspect.FloatType()), int() | float():
            return " (a matrix is a list of rows, such as [[0.5, -0.2]])"
        case inspect.FloatType(), list():
            return " (a vector is one list, such as [0.5, -0.2])"
    return ""


def _unknown_key_problem(name: str, table: Any) -> str:
    known = [table.tag_field] if table.tag_field else []
    known += [field.encode_name for field in table.fields]
    return "unknown key" + (suggestion(name, known) or f"; expected {choice(known)}")


def _joined(key: str, name: str) -> str:
    if len(name) > LONGEST_KEY:
        name = name[: LONGEST_KEY - 1] + "…"
    return f"{key}.{one_line(name)}" if key else one_line(name)


# ------------------------------------------------------------- what is wanted where, and what stands there


def _at(key: str, document: object) -> tuple[Any, Any]:
    """The type that is wanted at `key`, in msgspec's own description, and the value that stands there."""
    wanted: Any = inspect.type_info(document_type())
    found: Any = document
    for part in KEY_PART.findall(key):
        wanted = _inside(wanted, part)
        match found:
            case list():
                found = found[int(part)]
            case dict():
                found = found.get(part)
        wanted = _chosen(wanted, found)
    return wanted, found


def _inside(wanted: Any, part: str) -> Any:
    match wanted:
        case inspect.ListType():
            return wanted.item_type
        case inspect.StructType():
            return next(field.type for field in wanted.fields if field.encode_name == part)
        case _:  # a choice of tables that is still open: only its `kind` can be asked for
            return inspect.LiteralType(tuple(table.tag for table in wanted.types))


def _chosen(wanted: Any, found: object) -> Any:
    """The table that `kind` picks of several, once it does; a type that may be left out, without the None."""
    if not isinstance(wanted, inspect.UnionType):
        return wanted
    options = [option for option in wanted.types if not isinstance(option, inspect.NoneType)]
    if isinstance(found, dict):
        for option in options:
            if isinstance(option, inspect.StructType) and option.tag == found.get(option.tag_field):
                return option
    return options[0] if len(options) == 1 else inspect.UnionType(tuple(options))


def _in_words(wanted: Any, plural: bool = False) -> str:
    """``a list of numbers``."""
    match wanted:
        case inspect.LiteralType():
            return choice(wanted.values)
        case inspect.ListType():
            return f"{'lists' if plural else 'a list'} of {_in_words(wanted.item_type, plural=True)}"
        case inspect.UnionType() if not isinstance(wanted.types[0], inspect.StructType):
            # A choice of words comes first, whatever order the union has: "full" or a whole number.
            return " or ".join(_in_words(option, plural) for option in sorted(wanted.types, key=_not_literal))
        case inspect.FloatType():
            return "numbers" if plural else "a number"
        case inspect.IntType():
            return "whole numbers" if plural else "a whole number"
        case inspect.StrType():
            return "texts" if plural else "text"
        case inspect.BoolType():
            return "true or false"
        case _:  # one table, or several to choose from
            return "tables" if plural else "a table"


def _not_literal(wanted: Any) -> bool:
    return not isinstance(wanted, inspect.LiteralType)


def _words_for(wanted: Any) -> list[str]:
    """The words that could stand there, for a suggestion."""
    options = wanted.types if isinstance(wanted, inspect.UnionType) else (wanted,)
    return [
        str(word) for option in options if isinstance(option, inspect.LiteralType) for word in option.values
    ]
