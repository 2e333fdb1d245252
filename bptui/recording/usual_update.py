"""The usual update, measured with as little as can be: dense gradients of one type, neither clipped nor scaled.

    every update   parameters ──> usual? ──yes──> _foreach_norm ──> one % of a template ──> one write
                                     └─────no──> the general way (watching.py), which knows all cases

Between two passes the processor's caches are full of the network, so that every object and every line of code a hook
touches costs several times what it costs in a loop. What does not change from update to update is looked up once.
"""

from __future__ import annotations

import math
from typing import Any

from .gradients import SMALLEST_SURE, again


class UsualUpdate:
    """Norms of these parameters' gradients, for as long as nothing about them is unusual; see `made_for`."""

    def __init__(self, parameters: list[Any], kind: Any) -> None:
        import torch

        self._parameters, self._kind = parameters, kind
        self._tensor, self._dense = torch.Tensor, torch.strided
        self._norms = torch._foreach_norm
        # Half types are summed in float32.
        self._options = {"dtype": torch.float32} if kind in (torch.float16, torch.bfloat16) else {}
        self._is_wide = kind is torch.float64

    @classmethod
    def made_for(cls, parameters: list[Any]) -> UsualUpdate | None:
        """The short way for real parameters of one type in the host's memory; None for others."""
        import torch

        kinds = {parameter.dtype for parameter in parameters}
        if len(kinds) != 1 or not all(parameter.is_cpu for parameter in parameters):
            return None
        (kind,) = kinds
        if not kind.is_floating_point:
            return None
        usual = cls(parameters, kind)
        try:
            torch._foreach_norm([torch.zeros(1, dtype=kind)], **usual._options)
        except TypeError:  # torch before 2.4, and a half type
            return None
        return usual

    def norms(self) -> list[float] | None:
        """‖g‖ of every parameter; None where one has no gradient or another kind of gradient."""
        tensor, dense, kind = self._tensor, self._dense, self._kind
        gradients = []
        for parameter in self._parameters:
            gradient = parameter.grad
            if (
                type(gradient) is not tensor
                or gradient.dtype is not kind
                or gradient.layout is not dense
                or gradient.requires_grad
            ):
                return None
            gradients.append(gradient)
        numbers = [norm.item() for norm in self._norms(gradients, **self._options)]
        if not (self._is_wide or (min(numbers) >= SMALLEST_SURE and max(numbers) < math.inf)):
            for place, number in enumerate(numbers):
                if not SMALLEST_SURE <= number < math.inf and gradients[place].numel():
                    numbers[place] = again(gradients[place])
        return numbers
