"""`bptui.LightningCallback`: the same record for a Lightning trainer.

Trainer(callbacks=[bptui.LightningCallback("run.jsonl", every=10)])
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from bptui.recording.watching import Watching, watch


def _base() -> type[Any]:
    """Lightning's Callback, from the package that is in use; a plain object where neither is installed."""
    names = ("lightning.pytorch", "pytorch_lightning")
    for name in sorted(names, key=lambda one: one not in sys.modules):
        try:
            base: type[Any] = import_module(name).Callback
        except ImportError:
            continue
        return base
    return object


_Base: Any = _base()


class LightningCallback(_Base):  # type: ignore[misc]  # its base is known only where Lightning is
    """Watches every optimizer of the trainer; the options are those of `bptui.watch`.

    The log of a second optimizer is called run-optimizer-2.jsonl.
    """

    def __init__(self, path: str = "run.jsonl", **options: Any) -> None:
        super().__init__()
        self._path, self._options = Path(path), options
        self._watching: list[Watching] = []

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """The optimizers are there now, and the model is on its device."""
        for number, optimizer in enumerate(trainer.optimizers, start=1):
            path = self._path
            if number > 1:
                path = path.with_name(f"{path.stem}-optimizer-{number}{path.suffix}")
            self._watching.append(watch(pl_module, optimizer, path, **self._options))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Closes the logs."""
        self._close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Closes the logs."""
        self._close()

    def _close(self) -> None:
        while self._watching:
            self._watching.pop().close()
