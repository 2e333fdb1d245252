"""Reading experiments: from the presets that come with bptui, or from a TOML file.

load_experiment("tutorial-b")        the preset of that name
load_experiment("lab/wine.toml")     the file at that path
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import msgspec

from engine.experiment.errors import ExperimentError, suggestion
from engine.experiment.expression_spec import (
    NOT_A_NETWORK,
    TABLE,
    ExpressionExperiment,
    convert_expression,
    expression_preset,
    is_expression,
)
from engine.experiment.presets import EXPRESSION_PRESETS, text_of
from engine.experiment.presets import PRESET_NAMES as PRESET_NAMES
from engine.experiment.spec import CsvData, Experiment, NpzData
from engine.experiment.text_file import read_text_file
from engine.experiment.toml_decoding import decode, read_toml
from engine.experiment.validation import validate

EXPERIMENT_SUFFIX = ".toml"
LARGEST_EXPERIMENT_FILE = 16 * 2**20


def load_any(name_or_path: str) -> Experiment | ExpressionExperiment:
    """Loads the experiment or the typed expression of a preset's name or a TOML file, checked."""
    if (preset := expression_preset(name_or_path)) is not None:
        return preset
    if name_or_path not in PRESET_NAMES and _looks_like_a_path(name_or_path):
        path = Path(name_or_path)
        text = read_text_file(path, name_or_path, LARGEST_EXPERIMENT_FILE)
        # Only a text that mentions it is read twice.
        if TABLE in text and is_expression(document := read_toml(text, name_or_path)):
            return convert_expression(document, name_or_path)
        return parse_experiment(text, name_or_path, path.parent)
    return load_experiment(name_or_path)


def load_experiment(name_or_path: str | Path) -> Experiment:
    """Loads the experiment of a preset's name or of a TOML file, checked; raises ExperimentError.

    A preset comes before a file of the same name; a Path is always a file.
    """
    if isinstance(name_or_path, str):
        if name_or_path in PRESET_NAMES:
            return _preset(name_or_path)
        if name_or_path in EXPRESSION_PRESETS:
            raise ExperimentError(name_or_path, TABLE, NOT_A_NETWORK)
        if not _looks_like_a_path(name_or_path):
            near = suggestion(name_or_path, PRESET_NAMES)
            expected = (
                near or f"; expected a preset's name, such as {PRESET_NAMES[0]}, or the path of a TOML file"
            )
            raise ExperimentError(name_or_path, "", f"neither a preset nor a file{expected}")
    path, source = Path(name_or_path), str(name_or_path)
    text = read_text_file(path, source, LARGEST_EXPERIMENT_FILE)
    return parse_experiment(text, source, path.parent)


def parse_experiment(text: str, source: str, folder: Path | None = None) -> Experiment:
    """Reads the experiment that a TOML text describes, checked; raises ExperimentError in the name of `source`.

    The relative path of a file of data starts at `folder`, when one is given, and becomes absolute.
    """
    experiment = decode(text, source)
    validate(experiment, source)
    if experiment.network.init.scheme == "file":
        from engine.experiment.weights_file import with_weights_of_file  # NumPy only where it is needed

        experiment = with_weights_of_file(experiment, folder, source)
    if folder is None or not isinstance(experiment.data, CsvData | NpzData):
        return experiment
    # The experiment may be read now and its data from another working directory later.
    absolute = str((folder / experiment.data.path).absolute())
    return msgspec.structs.replace(experiment, data=msgspec.structs.replace(experiment.data, path=absolute))


@cache
def _preset(name: str) -> Experiment:
    """Read once: it is a frozen value, and never another."""
    return parse_experiment(text_of(name), name)


def _looks_like_a_path(text: str) -> bool:
    has_separator = os.sep in text or (os.altsep is not None and os.altsep in text)
    return has_separator or text.endswith(EXPERIMENT_SUFFIX) or os.path.exists(text)
