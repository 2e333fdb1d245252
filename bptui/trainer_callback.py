"""`bptui.TrainerCallback`: the same record for Hugging Face's Trainer.

Trainer(…, callbacks=[bptui.TrainerCallback("run.jsonl", every=10)])
"""

from __future__ import annotations

from typing import Any

from bptui.recording.watching import Watching, watch


def _base() -> type[Any]:
    """Transformers' callback; a plain object where it is not installed."""
    try:
        from transformers import TrainerCallback as Base
    except ImportError:
        return object
    base: type[Any] = Base
    return base


_Base: Any = _base()


class TrainerCallback(_Base):  # type: ignore[misc]  # its base is known only where transformers is
    """Watches the trainer's optimizer; the options are those of `bptui.watch`."""

    def __init__(self, path: str = "run.jsonl", **options: Any) -> None:
        self._path, self._options = path, options
        self._watching: Watching | None = None

    def on_train_begin(
        self, args: Any, state: Any, control: Any, model: Any = None, optimizer: Any = None, **rest: Any
    ) -> None:
        """The optimizer is there now; Accelerate wraps it."""
        while hasattr(optimizer, "optimizer"):
            optimizer = optimizer.optimizer
        if optimizer is not None and model is not None:
            self._watching = watch(model, optimizer, self._path, **self._options)

    def on_train_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Closes the log."""
        if self._watching is not None:
            self._watching.close()
            self._watching = None
