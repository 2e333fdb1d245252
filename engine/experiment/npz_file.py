"""Reading named arrays from a NumPy archive (.npz), without ever running what a file could hide in it."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.experiment.errors import ExperimentError, choice, mismatch, quoted, suggestion
from engine.experiment.memory_needed import memory_limit
from engine.formula.numbers_in_words import bytes_in_words

Arrays = Mapping[str, npt.NDArray[np.float64]]
"""Arrays of finite numbers by their names."""


def read_npz(path: Path) -> Arrays:
    """Reads every array of numbers in the .npz archive at `path`, as float64.

    Raises ExperimentError in the name of the file when it is none, or would not fit in memory unpacked.
    """
    file = str(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ExperimentError(file, "", mismatch("no regular file", "a NumPy archive (.npz)"))
        refuse_what_does_not_fit(path, file)
        with np.load(path, allow_pickle=False) as archive:
            return {name: array for name in archive.files if (array := _numbers(archive, name)) is not None}
    except FileNotFoundError:
        problem = "no such file"
    except zipfile.BadZipFile:
        problem = mismatch("something else", "a NumPy archive (.npz), as numpy.savez writes it")
    except (OSError, ValueError, EOFError, KeyError, NotImplementedError, MemoryError) as error:
        problem = f"cannot be read: {error}"
    raise ExperimentError(file, "", problem)


def refuse_what_does_not_fit(path: Path, file: str) -> None:
    """Raises ExperimentError in the name of `file` for an archive that would not fit in memory unpacked."""
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > (limit := memory_limit()):
        problem = mismatch(f"{bytes_in_words(size)} unpacked", f"at most {bytes_in_words(limit)}")
        raise ExperimentError(file, "", problem)


def array_named(arrays: Arrays, name: str, key: str, file: str, source: str) -> npt.NDArray[np.float64]:
    """The array of a name in an .npz archive; raises ExperimentError when there is none."""
    if name in arrays:
        return arrays[name]
    known = suggestion(name, arrays) or (f" (it has {choice(arrays)})" if 0 < len(arrays) <= 8 else "")
    raise ExperimentError(source, key, mismatch(quoted(name), f"an array of numbers in {file}{known}"))


def _numbers(archive: Mapping[str, npt.NDArray[np.generic]], name: str) -> npt.NDArray[np.float64] | None:
    """One array as float64; None where it holds no numbers (texts, objects)."""
    try:
        array = archive[name]
    except ValueError:  # pickled objects, which are not loaded
        return None
    return np.asarray(array, np.float64) if array.dtype.kind in "biuf" else None
