"""A program as a Jupyter notebook: one cell for each part, with a word before it.

nbformat 4.5, https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

from typing import Any

from engine.export.markdown_document import words
from engine.export.numpy_torch_program import Program


def notebook_record(program: Program) -> dict[str, Any]:
    """A Jupyter notebook of a program as a JSON object; running all cells asserts that every number is the same."""
    parts = [
        ("Setup", program.setup),
        ("The data and the weights, as they are in bptui", program.data),
        ("Forward", program.forward),
        ("Backward", program.backward),
        ("The same numbers as in bptui", program.checks),
    ]
    cells = [_markdown(0, f"# {words(program.title)}\n\nWritten by bptui.")]
    for heading, lines in parts:
        cells.append(_markdown(len(cells), f"## {heading}"))
        cells.append(_code(len(cells), "\n".join(lines).strip("\n")))
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _markdown(place: int, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": f"cell-{place}", "metadata": {}, "source": _lines(text)}


def _code(place: int, text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"cell-{place}",
        "metadata": {},
        "outputs": [],
        "source": _lines(text),
    }


def _lines(text: str) -> list[str]:
    """The lines with their ends, as the format has them."""
    return text.splitlines(keepends=True)
