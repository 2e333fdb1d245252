"""One layer as others see it: a diagnosis, a run log's header, a chart. What is not known of it is None.

[[network.layers]]                LayerInfo("W[1]", "ReLU with shortcut", units=8, norm="", residual=True)
units = 8                ──>      …
activation = "relu"
residual = true                   a log of another program: LayerInfo("decoder.0.weight")
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.experiment.activation_traits import ACTIVATION_TRAITS, ActivationTraits
from engine.experiment.spec import LayerSpec
from engine.formula.expression import Symbol


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """The description of one layer: the name of its weights, which is always there, and what makes it.

    `words` are its activation's, with the norm and the shortcut that its gain includes: "tanh with batch norm".
    `norm` is the norm's name, "" for none.
    """

    name: str
    words: str | None = None
    units: int | None = None
    norm: str | None = None
    residual: bool | None = None

    @classmethod
    def of(cls, number: int, layer: LayerSpec) -> LayerInfo:
        """Layer `number` of a network, counted from 1."""
        words = (
            ACTIVATION_TRAITS[layer.activation].words
            + (f" with {layer.norm} norm" if layer.norm else "")
            + (
                " and shortcut"
                if layer.norm and layer.residual
                else " with shortcut"
                if layer.residual
                else ""
            )
        )
        name = Symbol("W", number).plain()
        return cls(name, words, layer.units, layer.norm or "", layer.residual)

    @property
    def activation(self) -> str | None:
        """The words of the layer's activation, without norm and shortcut."""
        return None if self.words is None else self.words.partition(" with ")[0]

    @property
    def traits(self) -> ActivationTraits | None:
        """The traits of the layer's activation; None for one that is not known here."""
        called = self.activation
        return next((one for one in ACTIVATION_TRAITS.values() if called in (one.words, one.name)), None)

    @property
    def bare(self) -> bool:
        """Whether the layer is known to have neither norm nor shortcut."""
        return self.words is not None and self.words == self.activation


def layer_infos(layers: Iterable[LayerSpec]) -> tuple[LayerInfo, ...]:
    """The description of each layer of a network, layer 1 first."""
    return tuple(LayerInfo.of(number, layer) for number, layer in enumerate(layers, start=1))


def named_layers(names: Iterable[str]) -> tuple[LayerInfo, ...]:
    """The infos of layers of which nothing is known but their names."""
    return tuple(LayerInfo(name) for name in names)


def units_known(layers: Sequence[LayerInfo]) -> bool:
    """Whether every layer's number of units is known."""
    return bool(layers) and all(layer.units is not None for layer in layers)
