"""Norms of gradients, in one call for all parameters and exact where float32 is not.

    grads ──by device and type──> torch._foreach_norm ──one copy──> host ──0, tiny or not finite──> again in float64

The square of anything below 1e-19 underflows in float32: of fifty sigmoid layers, half of the norms come out exactly 0
although the gradients are not. Those are taken again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

SMALLEST_SURE = 1e-15
"""From here on the squares that underflow in float32 (below 1.4e-45 each) cannot be seen in the result's 7 digits."""


def plain(gradient: Any) -> Any:
    """A gradient as an ordinary dense tensor: of a sharded one this rank's part, of a sparse one its entries.

    A sparse gradient may name an entry several times: coalescing adds those up first.
    """
    import torch

    if type(gradient) is torch.Tensor and gradient.layout is torch.strided:
        return gradient  # nearly always
    if hasattr(gradient, "to_local"):  # DTensor
        gradient = gradient.to_local()
    gradient = gradient.detach()
    if gradient.is_sparse:
        return gradient.coalesce().values()
    return gradient


def to_host(scalars: Sequence[Any]) -> list[float]:
    """Tensors of one entry (or plain numbers) as numbers, with one copy from each device for each type.

    What lies in the host's own memory is read where it is: stacking it first takes twice as long.
    """
    import torch

    numbers: list[float] = [0.0] * len(scalars)
    there: dict[Any, list[int]] = {}
    for place, scalar in enumerate(scalars):
        if not isinstance(scalar, torch.Tensor):
            numbers[place] = float(scalar)
        elif scalar.is_cpu:
            numbers[place] = scalar.item()
        else:
            there.setdefault((scalar.device, scalar.dtype), []).append(place)
    for places in there.values():
        members = [scalars[place] for place in places]
        together = torch.stack([one if one.dim() == 0 else one.reshape(()) for one in members])
        for place, number in zip(places, together.tolist()):
            numbers[place] = number
    return numbers


def norms(gradients: Sequence[Any], order: int = 2) -> list[Any]:
    """The norms ‖g‖ of dense tensors as 0-dimensional tensors; order 1 or 2. Half types are summed in float32."""
    import torch

    found: list[Any] = [None] * len(gradients)
    groups: dict[Any, list[int]] = {}
    for place, gradient in enumerate(gradients):
        key = (gradient.device, gradient.dtype)
        if key in groups:
            groups[key].append(place)
        else:
            groups[key] = [place]
    for (_, kind), places in groups.items():
        members = [gradients[place] for place in places]
        if kind in (torch.float16, torch.bfloat16):
            try:
                values = torch._foreach_norm(members, order, dtype=torch.float32)
            except TypeError:  # torch before 2.4
                values = torch._foreach_norm([one.float() for one in members], order)
        else:
            values = torch._foreach_norm(members, order)
        for place, value in zip(places, values):
            found[place] = value
    return found


def again(gradient: Any, order: int = 2) -> float:
    """The norm of a tensor once more, in float64."""
    import torch

    if gradient.device.type == "mps":
        gradient = gradient.cpu()
    wide = torch.complex128 if gradient.is_complex() else torch.float64
    return float(torch.linalg.vector_norm(gradient, order, dtype=wide).item())


def unsure(value: float, gradient: Any) -> bool:
    """Whether float32 may have lost a norm: by underflow or overflow of a square."""
    if SMALLEST_SURE <= value < math.inf:
        return False
    import torch

    return gradient.dtype not in (torch.float64, torch.complex128) and gradient.numel() > 0


def largest(gradient: Any) -> Any:
    """The largest |g| of a tensor, without a copy of |g|."""
    import torch

    if not gradient.numel():
        return 0.0
    if gradient.is_complex():
        return gradient.abs().max()
    low, high = torch.aminmax(gradient)
    return torch.maximum(-low, high)
