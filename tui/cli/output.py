"""Where the commands' output goes: stdout, in the characters and the width that it has."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from engine.formula.untrusted_text import harmless, one_line
from tui.shell.unicode_support import shows_unicode

if TYPE_CHECKING:
    from engine.export.json_records import Record
    from engine.formula.course_notation import CourseNames
    from engine.formula.notation import Style

PRINTED_WIDTH = 80
"""Columns of output that goes to a file, a pipe or a printer."""
NARROWEST, WIDEST = 60, 100


class OutputError(Exception):
    """Data could not be written, and why, in one line."""


def output_width() -> int:
    """The width of output: as wide as the terminal, within what reads well."""
    if sys.stdout is None or not sys.stdout.isatty():
        return PRINTED_WIDTH
    return min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)


def output_style(ascii: bool, names: CourseNames | None = None) -> Style:
    """The style for stdout: plain ASCII where that is asked for, or all that it can show; with as many --digits."""
    from engine.formula.course_notation import CANONICAL
    from engine.formula.notation import Style
    from tui.cli.arguments import DIGITS

    context = click.get_current_context(silent=True)
    digits = None if context is None else context.meta.get(DIGITS)
    style = Style(ascii=ascii or not shows_unicode(), names=names or CANONICAL)
    return style if digits is None else replace(style, digits=digits)


def write(text: str, *, to_stderr: bool = False) -> None:
    """Writes data to stdout; no character of it is a command for a terminal, whoever wrote it.

    No character of it is a command for a terminal, whoever wrote it.
    """
    if sys.stdout is None and not to_stderr:
        raise OutputError("stdout is closed: there is nowhere to write to")
    try:
        click.echo(harmless(text.removesuffix("\n")), err=to_stderr)
    except BrokenPipeError:
        raise
    except OSError as error:
        if not to_stderr:
            raise OutputError(f"stdout cannot be written: {error.strerror or error}") from None


def complain(message: str) -> None:
    """Writes one line to stderr: what went wrong, in the name of the program."""
    with suppress(OSError):  # nobody can be told that nobody can be told
        click.echo(f"bptui: {one_line(' '.join(message.split()))}", err=True)


def write_page(text: str) -> None:
    """Writes a page of the app: prose that is too wide is wrapped, tables are not."""
    write(fitted(text))


def fitted(text: str) -> str:
    """A text with every line that is too wide wrapped."""
    from engine.formula.text_width import cells, wrapped

    width = output_width()
    lines: list[str] = []
    for line in text.split("\n"):
        lines += wrapped(line, width) if cells(line) > width else [line]
    return "\n".join(lines)


def write_json(record: Record, ascii: bool = False) -> None:
    """Writes a record as one line of strict JSON."""
    from engine.export.json_records import to_json

    write(to_json(record, ascii=ascii or not shows_unicode()))
