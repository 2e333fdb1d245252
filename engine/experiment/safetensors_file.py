"""Reading arrays from a safetensors file, the format in which PyTorch models are shared, without a dependency.

    8 bytes            the header's length, little-endian
    header             JSON: {"fc1.weight": {"dtype": "F32", "shape": [4, 3], "data_offsets": [0, 48]}, …}
    the rest           the arrays, one after the other, row by row, little-endian

Source: the format's description in the safetensors project. Nothing in such a file can be run.
"""

from __future__ import annotations

import json
import re
import stat
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.experiment.errors import ExperimentError, mismatch, quoted
from engine.experiment.memory_needed import memory_limit
from engine.experiment.npz_file import Arrays
from engine.formula.numbers_in_words import bytes_in_words

LONGEST_HEADER = 100_000_000
"""As in the format's own reader."""

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
}
"""The kinds of numbers that NumPy knows, by the format's names; BF16 is read apart."""

WEIGHT_OF_A_FLOAT64 = 8  # bytes


def read_safetensors(path: Path) -> Arrays:
    """Reads every array in the safetensors file at `path`, as float64, in the natural order of their names.

    Raises ExperimentError in the name of the file when it is none, is cut short, or would not fit in memory.
    """
    file = str(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ExperimentError(file, "", mismatch("no regular file", "a safetensors file"))
        if status.st_size > memory_limit() // WEIGHT_OF_A_FLOAT64:
            found = f"a file of {bytes_in_words(status.st_size)}"
            raise ExperimentError(file, "", mismatch(found, "one that fits in memory as float64"))
        content = path.read_bytes()
    except FileNotFoundError:
        raise ExperimentError(file, "", "no such file") from None
    except (OSError, ValueError) as error:
        raise ExperimentError(file, "", f"cannot be read: {error}") from None
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(LONGEST_HEADER, len(content) - 8):
        raise ExperimentError(file, "", mismatch("something else", "a safetensors file"))
    try:
        header = json.loads(content[8 : 8 + length])
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    except (ValueError, AttributeError, RecursionError):
        raise ExperimentError(file, "", mismatch("something else", "a safetensors file")) from None
    data = memoryview(content)[8 + length :]
    return {name: _array(name, entries[name], data, file) for name in sorted(entries, key=_naturally)}


def _array(name: str, entry: Any, data: memoryview, file: str) -> npt.NDArray[np.float64]:
    try:
        dtype, shape, (start, end) = entry["dtype"], tuple(map(int, entry["shape"])), entry["data_offsets"]
        if dtype == "BF16":
            values = _bfloat16(data[start:end])
        elif dtype in DTYPES:
            values = np.frombuffer(data[start:end], DTYPES[dtype]).astype(np.float64)
        else:
            raise ExperimentError(
                file, quoted(name), mismatch(f"numbers of kind {quoted(str(dtype))}", "F32 or F64")
            )
        if values.size != prod(shape):
            raise ValueError
        return values.reshape(shape)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ExperimentError):
            raise
        problem = mismatch("an entry that does not fit the file", "dtype, shape and data_offsets")
        raise ExperimentError(file, quoted(name), problem) from None


def _bfloat16(data: memoryview) -> npt.NDArray[np.float64]:
    """The upper halves of float32 numbers."""
    widened = np.frombuffer(data, "<u2").astype(np.uint32) << 16
    return widened.view(np.float32).astype(np.float64)


def _naturally(name: str) -> list[tuple[int, str]]:
    """A key that sorts numbers within names by their size."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]{1,18})", name)]
