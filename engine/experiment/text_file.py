"""Reading a text file that somebody named: every way in which that can fail, as an ExperimentError."""

from __future__ import annotations

import codecs
import json
import os
import stat
from pathlib import Path
from typing import Any

from engine.experiment.errors import ExperimentError, mismatch
from engine.formula.numbers_in_words import bytes_in_words


def read_text_file(path: Path, source: str, largest: int) -> str:
    """Reads the text of the regular file at `path`, of at most `largest` bytes, in UTF-8 or UTF-16.

    Raises ExperimentError in the name of `source` when there is no such thing.
    """
    try:
        problem = _unfit(path.stat(), largest)
        content = b"" if problem else _beginning(path, largest + 1)
        if (
            len(content) > largest
        ):  # files of the system's own, such as those in /proc, have no size of their own
            problem = mismatch("a file without end", f"at most {bytes_in_words(largest)}")
        text = "" if problem else _decoded(content)
    except FileNotFoundError:
        problem = "no such file"
    except UnicodeDecodeError as error:
        problem = mismatch(
            f"bytes that are not text (at byte {error.start + 1})",
            "a text file in UTF-8; save it as that, or iconv -f latin1 -t utf-8 converts one",
        )
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    except ValueError as error:  # a path that no system could have, such as one with a zero byte
        problem = f"cannot be read: {error}"
    if problem:
        raise ExperimentError(source, "", problem)
    return text


def read_json(text: str, source: str) -> Any:
    """The document in a JSON text. Raises ExperimentError in the name of `source` when it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExperimentError(source, "", f"not valid JSON: {error or 'nested too deeply'}") from None


def _decoded(content: bytes) -> str:
    """Some editors put a byte order mark first; spreadsheets' "Unicode text" and PowerShell's > write UTF-16."""
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if utf_16 else "utf-8-sig")


def _beginning(path: Path, length: int) -> bytes:
    """The first bytes of a regular file; does not wait where something else has come in its place meanwhile."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        return file.read(length) or b""


def _unfit(status: os.stat_result, largest: int) -> str:
    # Asked before the file is opened: opening a pipe would wait for whoever writes to it.
    if stat.S_ISDIR(status.st_mode):
        return mismatch("a folder", "a file")
    if not stat.S_ISREG(status.st_mode):
        return mismatch("a device, pipe or socket", "a regular file")
    if status.st_size > largest:
        found = f"a file of {bytes_in_words(status.st_size)}"
        return mismatch(found, f"at most {bytes_in_words(largest)}")
    return ""
