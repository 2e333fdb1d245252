"""A file of answers: {"id": "formula"}, in TOML or JSON."""

from __future__ import annotations

from pathlib import Path

from engine.experiment.errors import ExperimentError, mismatch, value_in_words
from engine.experiment.text_file import read_json, read_text_file
from engine.experiment.toml_decoding import read_toml
from engine.practice.assignments.assignment_spec import LARGEST_FILE


def load_answers(path: Path, source: str) -> dict[str, str]:
    """Reads the answers in a file, TOML or JSON: {"id": "formula"}. Raises ExperimentError."""
    text = read_text_file(path, source, LARGEST_FILE)
    document = (
        read_json(text, source)
        if path.suffix == ".json" or text.lstrip().startswith("{")
        else read_toml(text, source)
    )
    if not isinstance(document, dict):
        raise ExperimentError(
            source, "", mismatch(value_in_words(document), 'a table of answers, "id" = "formula"')
        )
    answers = {}
    for name, value in document.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ExperimentError(
                source, str(name), mismatch(value_in_words(value), "a formula as text, or a number")
            )
        answers[str(name)] = value if isinstance(value, str) else repr(value)
    return answers
