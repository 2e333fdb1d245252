"""The layers of an experiment one by one, with every `repeat` unrolled."""

from __future__ import annotations

import msgspec

from engine.experiment.spec import Experiment, LayerSpec


def expanded_layers(experiment: Experiment) -> list[LayerSpec]:
    """The layers of a network one by one, with every `repeat` unrolled."""
    return [
        single
        for layer in experiment.network.layers
        for single in [msgspec.structs.replace(layer, repeat=1)] * layer.repeat
    ]
