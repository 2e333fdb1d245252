"""The small experiment that explains its own keys, to begin one's own with."""

from __future__ import annotations

from importlib import resources

from engine.experiment.presets import PRESET_NAMES as PRESET_NAMES


def starter_text() -> str:
    """The TOML text of a small experiment that explains its own keys, to begin one's own with."""
    return resources.files("engine.experiment").joinpath("starter.toml").read_text("utf-8")
