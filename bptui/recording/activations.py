"""Zeros and silent units after ReLU modules, on request: forward hooks on the modules that can be exactly 0.

    Linear ──> ReLU ──> Linear ──> ReLU          zeros of a ReLU belong to the parameter before it
    weight 0   └ zero fraction of weight 0

A unit that was 0 for every sample of the last batches is called silent, never dead: other data may wake it. A ReLU that
is called as a function (torch.relu, F.relu) is no module and is not seen.
"""

from __future__ import annotations

from typing import Any

CAN_BE_ZERO = (
    "ReLU",
    "ReLU6",
    "Hardtanh",
    "Threshold",
    "Hardshrink",
    "Softshrink",
    "Hardswish",
    "Hardsigmoid",
)
"""The names of torch's modules that give exact zeros."""


class RecordedActivations:
    """Watches the ReLU modules of a model; see the picture above."""

    def __init__(self, model: Any, window: int) -> None:
        self._window = max(int(window), 1)
        self._layers = 0
        self._places: dict[int, int] = {}
        self._last_weight: Any = None
        self._zeros: dict[int, Any] = {}
        self._silent_for: dict[int, Any] = {}
        self._handles = []
        for module in model.modules():
            if type(module).__name__ in CAN_BE_ZERO:
                self._handles.append(module.register_forward_hook(self._after_relu))
            elif any(True for _ in module.parameters(recurse=False)):
                self._handles.append(module.register_forward_hook(self._after_weights))

    def place(self, parameters: list[Any]) -> None:
        """Places the parameters in the order of the log's layers."""
        self._layers = len(parameters)
        self._places = {id(parameter): place for place, parameter in enumerate(parameters)}

    def columns(self) -> dict[str, list[float | int | None]]:
        """The share of zeros in the last batch and the units silent for the whole window, an entry a layer.

        None and -1 for parameters that no ReLU follows.
        """
        fractions: list[float | int | None] = [None] * self._layers
        silent: list[float | int | None] = [-1] * self._layers
        for weight, zeros in self._zeros.items():
            place = self._places.get(weight)
            if place is not None:
                fractions[place] = float(zeros)
                silent[place] = int((self._silent_for[weight] >= self._window).sum())
        return {"zero_fraction": fractions, "quiet_window": silent}

    def close(self) -> None:
        """Takes the hooks off the model."""
        for handle in self._handles:
            handle.remove()

    def _after_weights(self, module: Any, inputs: Any, output: Any) -> None:
        own = dict(module.named_parameters(recurse=False))
        first = own.get("weight")
        self._last_weight = first if first is not None else next(iter(own.values()))

    def _after_relu(self, module: Any, inputs: Any, output: Any) -> None:
        if not module.training or self._last_weight is None or not hasattr(output, "detach"):
            return
        weight = id(self._last_weight)
        zero = output.detach() == 0
        self._zeros[weight] = zero.float().mean()
        # A unit is a channel of a picture (second dimension), else an entry of the last dimension.
        unit = 1 if zero.dim() == 4 else zero.dim() - 1
        silent = zero.transpose(0, unit).reshape(zero.shape[unit], -1).all(1)
        before = self._silent_for.get(weight)
        if before is None or before.shape != silent.shape:
            before = silent.new_zeros(silent.shape, dtype=int_type())
        self._silent_for[weight] = (before + 1) * silent


def int_type() -> Any:
    """The type of torch's 64-bit whole numbers."""
    import torch

    return torch.int64
