"""Gradients that somebody else has computed, read from an .npz or a JSON file."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.experiment.errors import ExperimentError, mismatch, value_in_words
from engine.experiment.npz_file import refuse_what_does_not_fit
from engine.experiment.text_file import read_json, read_text_file

LARGEST_FILE = 256 * 2**20

Numbers = npt.NDArray[np.floating[Any]]


def load_gradients(path: Path, source: str) -> dict[str, Numbers]:
    """Loads the gradients of an .npz or .json file, by name. Raises ExperimentError."""
    if path.suffix == ".npz":
        return _load_npz(path, source)
    document = read_json(read_text_file(path, source, LARGEST_FILE), source)
    if isinstance(document, dict) and isinstance(document.get("gradients"), dict):
        document = document["gradients"]  # what `bptui grads --json` writes
    if not isinstance(document, dict):
        raise ExperimentError(source, "", mismatch(value_in_words(document), "a table of arrays"))
    return {str(name): _numbers(value, source, str(name)) for name, value in document.items()}


def _load_npz(path: Path, source: str) -> dict[str, Numbers]:
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise ExperimentError(source, "", mismatch("no regular file", "a NumPy archive (.npz)"))
    try:
        refuse_what_does_not_fit(path, source)
        with np.load(path, allow_pickle=False) as archive:
            return {name: _numbers(archive[name], source, name) for name in archive.files}
    except FileNotFoundError:
        raise ExperimentError(source, "", "no such file") from None
    except (
        OSError,
        ValueError,
        zipfile.BadZipFile,
        EOFError,
        KeyError,
        NotImplementedError,
        MemoryError,
    ) as error:
        raise ExperimentError(source, "", f"not a NumPy archive of numbers: {error}") from None


def _numbers(value: object, source: str, name: str) -> Numbers:
    try:
        if isinstance(value, np.ndarray) and value.dtype in (np.float16, np.float32):
            return value.astype(np.float32)  # which tells how exact it is
        return np.asarray(value, np.float64)
    except (ValueError, TypeError):
        raise ExperimentError(source, name, mismatch(value_in_words(value), "an array of numbers")) from None
