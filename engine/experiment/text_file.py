"""Reading a text file that somebody named: every way in which that can fail, as an ExperimentError."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from engine.experiment.errors import ExperimentError, mismatch
from engine.formula.plain_words import bytes_in_words


def read_text_file(path: Path, source: str, largest: int) -> str:
    """The text of the regular UTF-8 file at `path`, of at most `largest` bytes.

    Raises ExperimentError in the name of `source` when there is no such thing.
    """
    try:
        problem = _unfit(path.stat(), largest)
        content = b"" if problem else _beginning(path, largest + 1)
        if (
            len(content) > largest
        ):  # files of the system's own, such as those in /proc, have no size of their own
            problem = mismatch("a file without end", f"at most {bytes_in_words(largest)}")
        text = "" if problem else content.decode("utf-8-sig")  # some editors put a byte order mark first
    except FileNotFoundError:
        problem = "no such file"
    except UnicodeDecodeError as error:
        problem = mismatch(f"bytes that are not text (at byte {error.start + 1})", "a text file in UTF-8")
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    except ValueError as error:  # a path that no system could have, such as one with a zero byte
        problem = f"cannot be read: {error}"
    if problem:
        raise ExperimentError(source, "", problem)
    return text


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
