"""The public face of bptui: recording any training loop, and nothing else.

    with bptui.watch(model, optimizer, "run.jsonl", every=10):      PyTorch, measured at the optimizer's step
        train()

    log = bptui.RunLog("run.jsonl", layers=["w1", "w2"])            any framework: you hand in the numbers
    log.step(0, loss=0.69, grad_l2=[0.1, 0.2])

    bptui run -- python train.py                                    without changing the code

Importing it costs a millisecond: the standard library alone, and torch only when something is watched. Neither the
engine nor the terminal interface is loaded, so that a folder with an `engine.py` or `tui.py` of its own keeps them.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes so long to import that an interrupt may fall into it
if TYPE_CHECKING:
    from typing import Any

    from bptui.lightning_callback import LightningCallback
    from bptui.recording.run_log import RunLog
    from bptui.recording.watching import watch
    from bptui.trainer_callback import TrainerCallback

    __version__: str

__all__ = ["LightningCallback", "RunLog", "TrainerCallback", "__version__", "watch"]

_HOMES = {
    "watch": "bptui.recording.watching",
    "RunLog": "bptui.recording.run_log",
    "LightningCallback": "bptui.lightning_callback",
    "TrainerCallback": "bptui.trainer_callback",
}


def __getattr__(name: str) -> Any:
    """Loads what is asked for, when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("bptui")
    elif name in _HOMES:
        from importlib import import_module

        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'bptui' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
