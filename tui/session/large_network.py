"""What is large: a pass through it takes so long that a key that needs some would be felt to hang.

1×16 units, n = 10⁶: 17 million numbers, 0.2 s a pass        50×32 units, n = 128: 0.4 million, a millisecond
"""

from __future__ import annotations

from engine.model.network import Network

LARGE, LARGE_WORK = 500_000, 20_000_000
"""So many activations, or samples times parameters: a pass takes some 10 to 30 ms, and a key needs several."""


def is_large(network: Network, n: int) -> bool:
    """Whether passes of n samples through this network take long."""
    activations = n * sum(layer.units for layer in network.layers)
    parameters = sum(value.size for value in network.parameters.values())
    return activations > LARGE or n * parameters > LARGE_WORK
