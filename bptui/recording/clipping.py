"""Gradients as they were before clipping: the factor that torch's clipping multiplies by is remembered.

    clip_grad_norm_(p, max_norm)  ──calls──>  _clip_grads_with_norm_(p, max_norm, total)
                                              └── watched here: g is multiplied by min(max_norm/(total + 1e-6), 1)

So Accelerate, Lightning, Hugging Face and a loop of one's own are all seen at one place, also where either, or the
clipping by value, was imported by its name before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

factors: dict[int, Any] = {}
"""By the id of a parameter: what its gradient was multiplied by since it was last updated, a 0-dimensional tensor."""

by_value = False
"""Whether gradients were clipped entry by entry, which cannot be undone."""

_watchers = 0
_undo: list[Callable[[], None]] = []


def watch_clipping() -> None:
    """Begins to see gradient clipping: torch's clipping functions are wrapped.

    Every call needs its `forget_clipping`.
    """
    global _watchers
    _watchers += 1
    if _watchers > 1:
        return
    from torch.nn.utils import clip_grad

    if hasattr(clip_grad, "_clip_grads_with_norm_"):
        _replace(clip_grad, "_clip_grads_with_norm_", _by_norm)
    else:  # before torch 2.6, where one function does both
        _replace(clip_grad, "clip_grad_norm_", _to_norm)
    _replace(clip_grad, "clip_grad_value_", _by_value)


def forget_clipping() -> None:
    """Puts torch's own clipping functions back, once nobody watches any more."""
    global _watchers, by_value
    _watchers -= 1
    if _watchers:
        return
    while _undo:
        _undo.pop()()
    factors.clear()
    by_value = False


def factors_of(parameters: list[Any]) -> list[Any]:
    """The factor that each gradient was clipped by since its parameter's last update; None for one that was not."""
    if not factors:
        return [None] * len(parameters)
    return [factors.get(id(parameter)) for parameter in parameters]


def updated(parameters: list[Any]) -> None:
    """Takes note that parameters were updated: their next gradients are new ones."""
    for parameter in parameters:
        factors.pop(id(parameter), None)


def _replace(module: Any, name: str, wrapped: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Has `wrapped` of a function called in its place, also by those who imported it by its name before."""
    function = getattr(module, name)
    if function.__code__.co_freevars == (
        "func",
    ):  # decorated: all hold the decorator's, which holds the function
        (cell,) = function.__closure__
        _undo.append(partial(setattr, cell, "cell_contents", cell.cell_contents))
        cell.cell_contents = wrapped(cell.cell_contents)
        return
    watched = wrapped(function)
    for place in list(sys.modules.values()):
        for known, value in list(getattr(place, "__dict__", {}).items()):
            if value is function:
                _undo.append(partial(setattr, place, known, function))
                setattr(place, known, watched)


def _by_norm(original: Callable[..., Any]) -> Callable[..., Any]:
    def clip_grads_with_norm(
        parameters: Any, max_norm: Any, total_norm: Any, *more: Any, **named: Any
    ) -> Any:
        import torch

        parameters = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
        result = original(parameters, max_norm, total_norm, *more, **named)
        _multiplied(parameters, max_norm, total_norm)
        return result

    return clip_grads_with_norm


def _to_norm(original: Callable[..., Any]) -> Callable[..., Any]:
    def clip_grad_norm(parameters: Any, max_norm: Any, *more: Any, **named: Any) -> Any:
        import torch

        parameters = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
        total_norm = original(parameters, max_norm, *more, **named)
        _multiplied(parameters, max_norm, total_norm)
        return total_norm

    return clip_grad_norm


def _multiplied(parameters: list[Any], max_norm: Any, total_norm: Any) -> None:
    import torch

    try:
        whole = total_norm.full_tensor() if hasattr(total_norm, "full_tensor") else total_norm
        factor = torch.clamp(float(max_norm) / (torch.as_tensor(whole).detach() + 1e-6), max=1.0)
        for parameter in parameters:
            before = factors.get(id(parameter))
            factors[id(parameter)] = factor if before is None else before * factor
    except Exception:  # the clipping itself is done; without the factor, the norms are those after it
        pass


def _by_value(original: Callable[..., Any]) -> Callable[..., Any]:
    def clip_grad_value(*positional: Any, **named: Any) -> Any:
        global by_value
        by_value = True
        return original(*positional, **named)

    return clip_grad_value
