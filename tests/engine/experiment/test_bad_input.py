"""Bad input for every key there is: one line with the file, the key, what was found and what was expected.

The keys come from the schema, so that a new one is tested without being listed here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from engine.experiment.file_schema import file_schema
from tests.engine.experiment_texts import refusal

REQUIRED = {
    "inline": "X = [[1.0, 2.0]]\nY = [[0.0, 1.0]]",
    "csv": 'path = "a.csv"\nfeatures = ["x"]\nlabel = "y"',
    "npz": 'path = "a.npz"',
    "random": "n = 4\nfeatures = 2",
}
"""What the kinds of data need besides their kind."""


def tables() -> dict[str, Any]:
    return file_schema()["$defs"]


def document(
    data: str, layer: str, network: str, init: str, loss: str, train: str, more: str, top: str
) -> str:
    return (
        f"{top}\n[data]\n{data}\n[network]\n{network}\n[[network.layers]]\n{layer}\n"
        f"[network.init]\n{init}\n[loss]\n{loss}\n[train]\n{train}\n{more}\n"
    )


def parts() -> dict[str, str]:
    given = {"data": 'kind = "xor"', "loss": 'kind = "squared_error"', "layer": "units = 1"}
    return {**dict.fromkeys(("network", "init", "train", "more", "top"), ""), **given}


def with_line(lines: str, key: str, value: str) -> str:
    """Lines with one key set anew, or added."""
    kept = [line for line in lines.splitlines() if line and not re.match(rf"{key}\s*=", line)]
    return "\n".join([*kept, f"{key} = {value}"])


def places() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """(part of the document, its lines so far, the key's path, the key's schema) for every key of every table."""
    root = tables()["Experiment"]["properties"]
    for section, tag in (("data", "kind"), ("loss", "kind"), ("train", "optimizer")):
        for kind, reference in root[section]["discriminator"]["mapping"].items():
            lines = f'{tag} = "{kind}"\n{REQUIRED.get(kind, "") if section == "data" else ""}'
            for key, schema in tables()[reference.rsplit("/", 1)[1]]["properties"].items():
                yield section, lines, f"{section}.{key}", schema
    singles = (
        ("layer", "network.layers[0]", "LayerSpec"),
        ("network", "network", "NetworkSpec"),
        ("init", "network.init", "Init"),
        ("view", "view", "View"),
        ("notation", "notation", "NotationSpec"),
    )
    for part, path, name in singles:
        for key, schema in tables()[name]["properties"].items():
            if key not in ("layers", "init"):
                yield part, "", f"{path}.{key}", schema
    for key, schema in root.items():
        if key not in ("data", "network", "loss", "train", "notation", "view"):
            yield "top", "", key, schema


PLACES = list(places())
IDS = [f"{path}-{number}" for number, (_, _, path, _) in enumerate(PLACES)]
WRONG = ("{ deep = 1 }", "1979-05-27")
"""A table and a date: no key takes either."""
CANDIDATES = {"string": '"nonsense"', "integer": "3", "boolean": "true", "array": "[true]"}


def text_with(part: str, lines: str, path: str, value: str) -> str:
    key = path.rsplit(".", 1)[-1]
    given = parts()
    if part in ("view", "notation"):
        given["more"] = f"[{part}]\n{key} = {value}"
    else:
        given[part] = with_line(lines or given[part], key, value)
    return document(**given)


def check(part: str, lines: str, path: str, value: str) -> None:
    error = refusal(text_with(part, lines, path, value))
    told = str(error)
    assert "\n" not in told
    assert error.key == path or error.key.startswith(path), told
    assert "found" in error.problem, told
    assert "expected" in error.problem, told


def takes(schema: dict[str, Any], kind: str) -> bool:
    """Whether a value of this kind may stand there as far as types go."""
    allowed = json.dumps(schema)
    if "$ref" in allowed:
        return True
    if kind == "string":
        return '"type": "string"' in allowed
    return f'"{kind}"' in allowed or (kind == "integer" and '"number"' in allowed)


@pytest.mark.parametrize(("part", "lines", "path", "schema"), PLACES, ids=IDS)
def test_what_has_no_place_there_is_refused(part: str, lines: str, path: str, schema: dict[str, Any]):
    for value in WRONG:
        check(part, lines, path, value)
    for kind, value in CANDIDATES.items():
        if not takes(schema, kind):
            check(part, lines, path, value)
    stem, _, key = path.rpartition(".")
    wrong = f"{stem}.{key}_" if stem else f"{key}_"
    error = refusal(text_with(part, lines, wrong, "1"))
    assert error.key == wrong
    assert error.problem.startswith("unknown key")
