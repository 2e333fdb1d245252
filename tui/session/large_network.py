"""What is large: a pass through it takes so long that a key that needs some would be felt to hang.

1×16 units, n = 10⁶: 17 million numbers, 0.2 s a pass        50×32 units, n = 128: 0.4 million, a millisecond
"""

from __future__ import annotations

from pathlib import Path

from engine.experiment.expression_spec import ExpressionExperiment
from engine.experiment.loading import load_any
from engine.experiment.memory_needed import memory_needed
from engine.experiment.spec import CsvData, NpzData, declared_shape
from engine.model.network import Network

LARGE, LARGE_WORK = 500_000, 20_000_000
"""So many activations, or samples times parameters: a pass takes some 10 to 30 ms, and a key needs several."""

LONG_TO_OPEN, LONG_TO_READ = 250_000_000, 2_000_000
"""Opening what takes so many bytes of memory, or reads a file of so many, takes longer than a moment."""


def is_large(network: Network, n: int) -> bool:
    """Whether passes of n samples through this network take long."""
    activations = n * sum(layer.units for layer in network.layers)
    parameters = sum(value.size for value in network.parameters.values())
    return activations > LARGE or n * parameters > LARGE_WORK


def is_long_to_open(name_or_path: str) -> bool:
    """Whether opening an experiment takes longer than a moment. Raises ExperimentError."""
    if _bytes_of(Path(name_or_path)) > LONG_TO_READ:
        return True
    experiment = load_any(name_or_path)
    if isinstance(experiment, ExpressionExperiment):
        return False
    if isinstance(experiment.data, CsvData | NpzData):
        return _bytes_of(Path(name_or_path).parent / experiment.data.path) > LONG_TO_READ
    return memory_needed(experiment, declared_shape(experiment)) > LONG_TO_OPEN


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
