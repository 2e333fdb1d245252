"""An experiment as TOML text that reads back to the same experiment: the way from the app to a file.

Keys that have their default are left out. Matrices are written a row a line, and every number with all the digits that
tell it from its neighbours, so that the same numbers come back to the last bit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from engine.experiment.expression_spec import ExpressionExperiment
from engine.experiment.spec import Experiment

BARE_KEY = re.compile("[A-Za-z0-9_-]+")


def experiment_toml(experiment: Experiment | ExpressionExperiment) -> str:
    """The TOML text of an experiment, or of a typed expression."""
    return written_table(document_of(experiment))


def document_of(experiment: msgspec.Struct) -> dict[str, Any]:
    """The tables of an experiment's file: those keys that are not at their default."""
    document: dict[str, Any] = _given(experiment)
    return document


def written_table(document: dict[str, Any]) -> str:
    """The TOML text of tables, lists, words and numbers."""
    return "\n".join(_lines(document, "")).lstrip("\n") + "\n"


def _given(value: Any) -> Any:
    """A struct as a table of those keys that are not at their default, its tag first; lists likewise."""
    if isinstance(value, list | tuple):
        return [_given(item) for item in value]
    if not isinstance(value, msgspec.Struct):
        return value
    config = value.__struct_config__
    table = {} if config.tag is None else {config.tag_field: config.tag}
    for field in msgspec.structs.fields(value):
        here = getattr(value, field.name)
        if here is not None and here != _default(field):
            table[field.encode_name] = _given(here)
    return table


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _lines(table: dict[str, Any], path: str) -> Iterator[str]:
    """A table's own keys, then its tables, then its lists of tables, as TOML wants them."""
    tables = {key: value for key, value in table.items() if isinstance(value, dict)}
    lists = {key: value for key, value in table.items() if _is_list_of_tables(value)}
    for key, value in table.items():
        if key not in tables and key not in lists:
            yield f"{_key(key)} = {toml_value(value)}"
    for key, inner in tables.items():
        if inner or not path:
            yield f"\n[{path}{key}]"
            yield from _lines(inner, f"{path}{key}.")
    for key, items in lists.items():
        for item in items:
            yield f"\n[[{path}{key}]]"
            yield from _lines(item, f"{path}{key}.")


def _is_list_of_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _key(name: str) -> str:
    """A key; in quotes where it has a letter that only those may have, such as α."""
    return name if BARE_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def toml_value(value: Any) -> str:
    """A value as TOML writes it: a word, a number, or a list of them."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML string
        case [list(), _, *_]:
            rows = "".join(f"  {toml_value(row)},\n" for row in value)
            return f"[\n{rows}]"
        case list():
            return f"[{', '.join(map(toml_value, value))}]"
        case _:
            return repr(value)
