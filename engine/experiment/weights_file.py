"""Weights that come from a file: each layer's W and b, found by name or by order.

    fc1.weight (4, 3)   fc1.bias (4,)        names = ["fc1", "fc2"]        [[network.layers]]  W = …, b = …
    fc2.weight (1, 4)   fc2.bias (1,)   ──>  layout = "out_in"        ──>  [[network.layers]]  W = …, b = …

From there on the experiment is one that gives its weights, and nothing else has to know where they came from.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from engine.experiment.data_shape import declared_shape
from engine.experiment.errors import ExperimentError, count, mismatch, quoted
from engine.experiment.expanded_layers import expanded_layers
from engine.experiment.npz_file import Arrays, array_named, read_npz
from engine.experiment.safetensors_file import read_safetensors
from engine.experiment.spec import Experiment, Init, LayerSpec

READERS = {".npz": read_npz, ".safetensors": read_safetensors}
"""Who reads a file, by how its name ends."""


def with_weights_of_file(experiment: Experiment, folder: Path | None, source: str) -> Experiment:
    """The experiment with weights from the file that its `network.init` names.

    A relative path starts at `folder`. Raises ExperimentError for a file that cannot be used.
    """
    init = experiment.network.init
    path = Path(init.path or "") if folder is None else folder / (init.path or "")
    reader = READERS.get(path.suffix)
    if reader is None:
        raise ExperimentError(
            source, "network.init.path", mismatch(quoted(str(init.path)), "a file named .npz or .safetensors")
        )
    layers = expanded_layers(experiment)
    finder = _WeightsFinder(reader(path), path, init, len(layers), source)
    given = []
    fan_in = declared_shape(experiment).features
    for number, layer in enumerate(layers):
        given.append(layer if layer.W is not None else finder.given(number, layer, fan_in, experiment))
        fan_in = layer.units
    network = msgspec.structs.replace(experiment.network, layers=given, init=Init())
    return msgspec.structs.replace(experiment, network=network)


class _WeightsFinder:
    """Finds each layer's arrays in what was read."""

    def __init__(self, arrays: Arrays, path: Path, init: Init, layers: int, source: str) -> None:
        self._arrays, self._path, self._init, self._source = arrays, path, init, source
        self._names = self._weights_and_biases(layers)

    def _weights_and_biases(self, layers: int) -> list[tuple[str, str | None]]:
        """The names of each layer's W and b, by the names that are asked for, bptui's own, or the file's order."""
        names = self._init.names
        if names is not None:
            if len(names) != layers:
                problem = mismatch(count(len(names), "name"), f"{layers}, one for each layer")
                raise ExperimentError(self._source, "network.init.names", problem)
            return [self._named(name, index) for index, name in enumerate(names)]
        if "W[1]" in self._arrays:
            return [self._pair(f"W[{layer}]", f"b[{layer}]") for layer in range(1, layers + 1)]
        stems = [name.removesuffix(".weight") for name in self._arrays if name.endswith(".weight")]
        pairs = [
            self._pair(f"{stem}.weight", f"{stem}.bias")
            for stem in stems
            if self._is_matrix(f"{stem}.weight")
        ]
        if not pairs:
            pairs = [(name, None) for name in self._arrays if self._is_matrix(name)]
        if len(pairs) != layers:
            found = count(len(pairs), "matrix").replace("matrixs", "matrices")
            expected = f"{layers}, one for each layer (network.init.names says which are meant)"
            raise ExperimentError(str(self._path), "", mismatch(found, expected))
        return pairs

    def _named(self, name: str, index: int) -> tuple[str, str | None]:
        if f"{name}.weight" in self._arrays:
            return self._pair(f"{name}.weight", f"{name}.bias")
        array_named(self._arrays, name, f"network.init.names[{index}]", self._path.name, self._source)
        return name, None

    def _pair(self, weight: str, bias: str) -> tuple[str, str | None]:
        return weight, bias if bias in self._arrays else None

    def _is_matrix(self, name: str) -> bool:
        return self._arrays[name].ndim == 2

    def given(self, number: int, layer: LayerSpec, fan_in: int | None, experiment: Experiment) -> LayerSpec:
        """The layer with its W and, where the file has one, its b."""
        weight, bias = self._names[number]
        array = array_named(self._arrays, weight, "network.init.path", self._path.name, self._source)
        own = experiment.network.weights
        layout = self._init.layout or own
        fitting = _oriented((fan_in, layer.units), layout)
        if not _fits(array.shape, fitting):
            turned = _fits(array.shape, fitting[::-1])
            other = "in_out" if layout == "out_in" else "out_in"
            hint = f' (network.init.layout = "{other}" turns it)' if turned else ""
            found = " by ".join(map(str, array.shape))
            wanted = " by ".join("any" if size is None else str(size) for size in fitting)
            raise ExperimentError(
                str(self._path), weight, mismatch(found, f"{wanted} for layer {number + 1}{hint}")
            )
        self._check_finite(weight, array)
        changes: dict[str, object] = {"W": (array if layout == own else array.T).tolist()}
        if bias is not None and layer.b is None:
            vector = self._arrays[bias].reshape(-1)
            if vector.size != layer.units:
                problem = mismatch(
                    count(vector.size, "value"), f"{layer.units}, one for each unit of layer {number + 1}"
                )
                raise ExperimentError(str(self._path), bias, problem)
            self._check_finite(bias, vector)
            changes["b"] = vector.tolist()
        return msgspec.structs.replace(layer, **changes)

    def _check_finite(self, name: str, array: npt.NDArray[np.float64]) -> None:
        if not np.isfinite(array).all():
            raise ExperimentError(
                str(self._path), name, mismatch("numbers that are not finite", "finite numbers")
            )


def _oriented(shape: tuple[int | None, int], layout: str) -> tuple[int | None, ...]:
    """(fan_in, units) as the layout has it."""
    return shape if layout == "in_out" else shape[::-1]


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(shape) == 2 and all(
        wanted in (None, size) for size, wanted in zip(shape, expected, strict=True)
    )
