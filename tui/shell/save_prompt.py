"""Asks for the name of a new file and writes it."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from engine.formula.untrusted_text import one_line
from tui.shell.atomic_file import create_file
from tui.shell.prompt import Prompt
from tui.shell.typed_path import typed_path


def save_prompt(
    text: str, stem: str, suffix: str, question: str = "Save as", hint: str = "a file name"
) -> Prompt:
    """Asks for the name of a new file, and writes the text into it; its answer is what was typed."""
    return Prompt(question, hint, lambda name: save_problem(name, text), answer=free_name(stem, suffix))


def free_name(stem: str, suffix: str) -> str:
    """A name in the working folder that no file has yet: xor.toml, xor-2.toml, …"""
    names = (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}" for number in count(1))
    return next(name for name in names if not Path(name).exists())


def save_problem(name: str, text: str) -> str | None:
    """Writes a new file; says in one line what went wrong, if anything did."""
    if not name:
        return "a file name, please"
    try:
        create_file(typed_path(name), text)
    except FileExistsError:
        return f"{one_line(name)} exists already; choose another name"
    except OSError as error:
        return f"{one_line(name)}: {error.strerror or error}"
    except ValueError:  # a zero byte, half a character
        return f"{one_line(name)}: no file can have this name"
    return None
