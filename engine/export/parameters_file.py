"""A network's parameters as a NumPy archive, under the names that they have in formulas: W[1], b[1], …

numpy.load("model.npz")["W[1]"]  ──>  (fan_in, units), as in the experiment
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.autodiff.graph import Array
from engine.formula.expression import Symbol


def save_parameters(path: Path, parameters: Mapping[Symbol, Array]) -> None:
    """Saves parameters as an .npz archive, whole or not at all.

    Raises OSError, naming `path`, where it cannot be written.
    """
    arrays = {name.plain(): value for name, value in parameters.items()}
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
