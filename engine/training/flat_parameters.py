"""All parameters of a network in one array, and all their gradients in another.

    values     [ W[1] ········ | W[2] ···· | b[1] · | b[2] · | W[3] ···· ]
    gradients  [ ∂ℰ/∂W[1] ···· | ∂ℰ/∂W[2]  |  …     |  …     |  …        ]
                 └──────────── trainable ───────────┘└────── frozen ─────┘
                                           └──── biases ─────┘

The network and its graphs go on seeing matrices: theirs become views of these. An optimiser then needs a few
calls for a whole network, and a checkpoint is one copy.
"""

from __future__ import annotations

from engine.autodiff.array_memory import aligned_zeros
from engine.autodiff.graph import Array
from engine.formula.expression import Symbol
from engine.model.network import Network, trainable


class FlatParameters:
    """The parameters of one network, moved into one array; `network.parameters` are views of it from then on."""

    def __init__(self, network: Network) -> None:
        moving = trainable(network)
        frozen = [name for name in network.parameters if name not in moving]
        names = [*sorted(moving, key=_is_bias), *sorted(frozen, key=_is_bias, reverse=True)]
        size = sum(value.size for value in network.parameters.values())
        self.values = aligned_zeros((size,), network.dtype)
        self.gradients = aligned_zeros((size,), network.dtype)
        self.trainable = slice(0, sum(network.parameters[name].size for name in moving))
        self.gradient_of: dict[Symbol, Array] = {}
        self._places: dict[Symbol, slice] = {}
        start = 0
        for name in names:
            matrix = network.parameters[name]
            place = slice(start, start + matrix.size)
            view = self.values[place].reshape(matrix.shape)
            view[...] = matrix
            network.parameters[name] = view
            self.gradient_of[name] = self.gradients[place].reshape(matrix.shape)
            self._places[name] = place
            start = place.stop
        places = [self._places[name] for name in names if _is_bias(name)]
        self.biases = slice(places[0].start, places[-1].stop) if places else slice(0, 0)

    def split(self, flat: Array) -> dict[Symbol, Array]:
        """A flat array of all trainable parameters as views with each parameter's shape."""
        return {
            name: flat[place].reshape(self.gradient_of[name].shape)
            for name, place in self._places.items()
            if place.stop <= self.trainable.stop
        }

    def weights_in(self, flat: Array) -> dict[Symbol, Array]:
        """The part of each trainable W[l] in a flat array of all trainable parameters, flat as well."""
        return {
            name: flat[place]
            for name, place in self._places.items()
            if name.name == "W" and place.stop <= self.trainable.stop
        }


def _is_bias(name: Symbol) -> bool:
    """Whether it is a vector of its layer: a bias, or a norm's scale or shift."""
    return name.name != "W"
