"""docs/experiment.md and `bptui schema` against what is really read: every key, its kinds, its default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine.experiment.file_schema import document_type, file_schema
from engine.experiment.loading import PRESET_NAMES, parse_experiment
from engine.experiment.presets import preset_text

PAGE = (Path(__file__).parents[3] / "docs" / "experiment.md").read_text("utf-8")
MADE = ("wine", "xor", "moons", "circles", "spirals", "blobs", "random")
SECTIONS = {
    "The file itself": "Experiment",
    "`[data]`": None,
    "`[network]`": "NetworkSpec",
    "`[[network.layers]]`": "LayerSpec",
    "`[network.init]`": "Init",
    "`[loss]`": None,
    "`[train]`": None,
    "`[notation]`": "NotationSpec",
    "`[view]`": "View",
}
"""The page's sections, with the schema's table where there is only one."""


def tables() -> dict[str, Any]:
    return file_schema()["$defs"]


def kinds_of(section: str) -> dict[str, dict[str, Any]]:
    """The tables of the schema that a section of the page is about, by their kind ("" where there is only one)."""
    root = tables()["Experiment"]["properties"]
    key = section.strip("`[]")
    if (only := SECTIONS[section]) is not None:
        return {"": tables()[only]} if only in tables() else {}
    mapping = root[key]["discriminator"]["mapping"]
    return {kind: tables()[reference.rsplit("/", 1)[1]] for kind, reference in mapping.items()}


def rows(section: str) -> list[list[str]]:
    """The rows of a section's table: key, kinds (where there is such a column), default, meaning."""
    body = re.split(r"^#+ ", PAGE, flags=re.MULTILINE)
    (text,) = (part for part in body if part.startswith(section + "\n"))
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def documented(section: str, kind: str) -> dict[str, str]:
    """The default that the page gives for each key of one kind of table."""
    found = {}
    for keys, *middle, _ in rows(section):
        *kinds, default = middle
        if kinds and not applies(kinds[0], kind):
            continue
        for key in re.findall(r"`(\w+)`", keys):
            found[key] = of_kind(default, kind)
    return found


def applies(kinds: str, kind: str) -> bool:
    named = kinds.split(", ")
    return kinds == "all" or kind in named or (kinds == "made" and kind in MADE)


def of_kind(default: str, kind: str) -> str:
    """``wine `1100`, others `200` ``: the part for one kind."""
    parts = dict(re.findall(r"(\w+) (`[^`]*`|required)", default))
    if kind in parts:
        return parts[kind]
    return parts.get("others", default.split(",")[0] if re.match(r"`[^`]*`, \w", default) else default)


def as_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return repr(list(value) if isinstance(value, tuple) else value)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_and_its_default_is_on_the_page(section):
    for kind, table in kinds_of(section).items():
        page = documented(section, kind)
        for key, schema in table["properties"].items():
            if key not in page:
                # `n`, `noise` and the like belong to the made kinds that have them.
                pytest.fail(f"{section}, {kind}: {key} is not documented")
            if key in table.get("required", []):
                assert page[key] in ("required", '`"sgd"`'), (section, kind, key)
            elif "default" in schema and schema["default"] is not None:
                assert page[key] == f"`{as_toml(schema['default'])}`", (section, kind, key)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_has_no_key_that_is_not_read(section):
    known = {key for table in kinds_of(section).values() for key in table["properties"]}
    written = {key for keys, *_ in rows(section) for key in re.findall(r"`(\w+)`", keys)}
    assert written <= known


def test_the_pages_example_is_an_experiment():
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert parse_experiment(example, "page").train.optimizer == "adam"


def test_the_schema_takes_every_preset_and_refuses_what_the_program_refuses():
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema, of the extra `test`")
    import tomllib

    validator = jsonschema.Draft202012Validator(file_schema())
    for name in PRESET_NAMES:
        validator.validate(tomllib.loads(preset_text(name)))
    wrong = tomllib.loads(preset_text("tutorial-b"))
    wrong["network"]["layers"][0]["activation"] = "relo"
    assert not validator.is_valid(wrong)
    assert document_type().__name__ == "Experiment"
