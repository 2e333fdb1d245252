"""What the parameters of an optimizer are called: as `model.named_parameters()` says, without what wrappers add.

DistributedDataParallel  module.layers.0.weight        layers.0.weight
torch.compile            _orig_mod.layers.0.weight     layers.0.weight
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable
from typing import Any

_WRAPPERS = re.compile(r"(?:^|(?<=\.))(?:module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")


def parameters_of(optimizer: Any) -> list[Any]:
    """The parameters of an optimizer, group by group."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def named(optimizer: Any, model: Any | None) -> list[tuple[str, Any]]:
    """The optimizer's parameters with their names, in the order of `named_parameters`.

    Without a model: by the names that the optimizer was given, else by a look at the modules that are alive; what
    nobody knows is called ``param 0``, by its place in the optimizer.
    """
    parameters = parameters_of(optimizer)
    known = [(clean, one) for clean, one in _of_model(model)] if model is not None else _of_groups(optimizer)
    if model is None and not known:
        known = _of_live_modules(parameters)
    mine = {id(parameter) for parameter in parameters}
    ordered = [(name, parameter) for name, parameter in known if id(parameter) in mine]
    found = {id(parameter) for _, parameter in ordered}
    for place, parameter in enumerate(parameters):
        if id(parameter) not in found:
            found.add(id(parameter))
            ordered.append((f"param {place}", parameter))
    return _told_apart(ordered)


def _of_model(model: Any) -> list[tuple[str, Any]]:
    pairs = list(model.named_parameters())
    cleaned = [_WRAPPERS.sub("", name) for name, _ in pairs]
    if len(set(cleaned)) < len(cleaned):  # a module of one's own is called "module"
        return pairs
    return [(name, parameter) for name, (_, parameter) in zip(cleaned, pairs)]


def _of_groups(optimizer: Any) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for group in optimizer.param_groups:
        names = group.get("param_names")
        if not names or len(names) != len(group["params"]):
            return []
        pairs += [(_WRAPPERS.sub("", str(name)), one) for name, one in zip(names, group["params"])]
    return pairs


def _of_live_modules(parameters: list[Any]) -> list[tuple[str, Any]]:
    """Names by the outermost modules that hold these parameters, the one that holds most of them first."""
    import torch

    wanted = {id(parameter) for parameter in parameters}
    modules = [one for one in gc.get_objects() if issubclass(type(one), torch.nn.Module)]
    inside = {id(child) for one in modules for child in _children(one)}
    roots = [one for one in modules if id(one) not in inside]
    held = [(sum(id(parameter) in wanted for parameter in root.parameters()), root) for root in roots]
    held = sorted((pair for pair in held if pair[0]), key=lambda pair: -pair[0])
    pairs: list[tuple[str, Any]] = []
    seen: set[int] = set()
    for place, (_, root) in enumerate(held):
        prefix = "" if place == 0 else f"{type(root).__name__}."
        for name, parameter in _of_model(root):
            if id(parameter) in wanted and id(parameter) not in seen:
                seen.add(id(parameter))
                pairs.append((prefix + name, parameter))
    return pairs


def _children(module: Any) -> Iterable[Any]:
    return (child for child in module.__dict__.get("_modules", {}).values() if child is not None)


def _told_apart(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Names that occur twice are numbered from the second on."""
    seen: dict[str, int] = {}
    apart = []
    for name, parameter in pairs:
        seen[name] = seen.get(name, 0) + 1
        apart.append((name if seen[name] == 1 else f"{name} ({seen[name]})", parameter))
    return apart
