"""Writing a file so that it is whole or not there at all, and so that two programs do not undo each other.

    text ──> recent.json.x7f3 (beside it, flushed to the disk) ──rename──> recent.json

A full disk, a kill or a power cut leaves the old file as it was, or nothing where there was nothing.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK_SECONDS = 2.0
"""Nobody holds the lock for longer than a few milliseconds; after so long it is gone on without."""


def replace_file(path: Path, text: str) -> None:
    """Replaces the file at `path` by one with this text, whole or not at all.

    Raises OSError, and leaves all as it was.
    """
    temporary = _written_beside(path, text)
    try:
        os.replace(temporary, path)
    except OSError:
        _remove(temporary)
        raise


def create_file(path: Path, text: str) -> None:
    """Creates a file with this text, or none at all. Raises FileExistsError rather than overwrite, and OSError."""
    if os.path.lexists(path):
        raise FileExistsError(f"{path} is there already")
    temporary = _written_beside(path, text)
    try:
        _rename_to_new(temporary, path)
    finally:
        _remove(temporary)


def _rename_to_new(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)  # unlike a rename it never replaces what came there meanwhile
    except FileExistsError:
        raise
    except (
        OSError,
        AttributeError,
        NotImplementedError,
    ):  # a file system without links, such as a USB stick's
        if os.path.lexists(path):
            raise FileExistsError(f"{path} is there already") from None
        os.replace(temporary, path)


def _written_beside(path: Path, text: str) -> Path:
    """A temporary file in the same folder, whole and on the disk."""
    temporary = path.with_name(f".bptui-{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)  # some disks say only now that they are full
    except BaseException:
        _remove(temporary)
        raise
    return temporary


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


@contextmanager
def kept_alone(path: Path) -> Iterator[None]:
    """A context in which no other program that asks the same has `path` to itself: a lock file.

    Raises OSError without a lock file.
    """
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)  # which lets the lock go


def _lock(descriptor: int) -> None:
    end = time.monotonic() + LOCK_SECONDS
    while not _locked(descriptor) and time.monotonic() < end:
        time.sleep(0.01)


if sys.platform == "win32":
    import msvcrt

    def _locked(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _locked(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
