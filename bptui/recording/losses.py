"""The loss of an update: what `run.loss` was told, or else the scalars on which `.backward()` was called.

    loss_1.backward()   loss_2.backward()   optimizer.step()          loss_1 + loss_2: as gradients are accumulated
    └──────────── since the last update ────────────┘

A loss that a GradScaler has multiplied is taken as it was before. Nothing is copied from a device here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_since_update: list[Any] = []
_update_made = False
_watchers = 0
_originals: list[tuple[Any, str, Callable[..., Any]]] = []

UNSCALED = "_bptui_unscaled"
"""The attribute by which a scaled loss knows the one that it was made of."""


def watch_backward() -> None:
    """Begins to see which losses are sent back: torch's backward functions are wrapped.

    Every call needs its `forget_backward`.
    """
    global _watchers
    _watchers += 1
    if _watchers > 1:
        return
    import torch

    _wrap(torch.autograd, "backward", _backward)
    try:
        from torch.amp.grad_scaler import GradScaler
    except ImportError:  # torch before 2.3
        from torch.cuda.amp import GradScaler
    _wrap(GradScaler, "scale", _scale)


def forget_backward() -> None:
    """Puts torch's own backward functions back, once nobody listens any more."""
    global _watchers
    _watchers -= 1
    if not _watchers:
        while _originals:
            place, name, function = _originals.pop()
            setattr(place, name, function)
        _since_update.clear()


def backward_loss() -> Any | None:
    """The sum of the losses sent back since the last update, a 0-dimensional tensor; None where none was.

    Two optimizers that step after one backward pass have the same loss: it is forgotten when the next pass begins.
    """
    global _update_made
    _update_made = True
    if not _since_update:
        return None
    total = _since_update[0]
    for one in _since_update[1:]:
        total = total + one.to(total.device)
    return total


def _wrap(place: Any, name: str, maker: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    original = getattr(place, name)
    _originals.append((place, name, original))
    setattr(place, name, maker(original))


def _backward(original: Callable[..., Any]) -> Callable[..., Any]:
    def backward(tensors: Any, *more: Any, **named: Any) -> Any:
        global _update_made
        if _update_made:
            _since_update.clear()
            _update_made = False
        try:
            for tensor in (tensors,) if not isinstance(tensors, (tuple, list)) else tensors:
                if tensor.numel() == 1:
                    loss: Any = getattr(tensor, UNSCALED, tensor)
                    _since_update.append(loss.detach().reshape(()))
        except Exception:  # whatever it is, torch will say so
            pass
        return original(tensors, *more, **named)

    backward.__doc__ = original.__doc__
    return backward


def _scale(original: Callable[..., Any]) -> Callable[..., Any]:
    def scale(self: Any, outputs: Any) -> Any:
        scaled = original(self, outputs)
        if scaled is not outputs and hasattr(scaled, "numel") and scaled.numel() == 1:
            setattr(scaled, UNSCALED, outputs.detach())
        return scaled

    return scale
