"""What `bptui run` records: every optimizer of a program that knows nothing of it, one log each.

    sitecustomize ──torch.optim is imported──> begin() ──> every optimizer.step() ──> bptui-run.jsonl

The environment says where: BPTUI_RUN_LOG (the path), BPTUI_RUN_EVERY, and BPTUI_RUN_NOTES, a file in which `bptui run`
finds at the end how far it came.
"""

from __future__ import annotations

import os
import sys
import weakref
from pathlib import Path
from typing import Any

from . import clipping, losses
from .run_log import say
from .watching import Watching

_watched: weakref.WeakKeyDictionary[Any, Watching] = weakref.WeakKeyDictionary()
_count = 0


def begin() -> None:
    """Watches every torch optimizer that is made from now on. Called while torch is being imported."""
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    clipping.watch_clipping()
    losses.watch_backward()
    register_optimizer_step_pre_hook(_before_step)
    note("torch")


def note(text: str) -> None:
    """Leaves a line for `bptui run` about what was recorded."""
    path = os.environ.get("BPTUI_RUN_NOTES")
    if not path:
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(descriptor, f"{text}\n".encode())
        finally:
            os.close(descriptor)
    except OSError:  # the parent is gone
        pass


def _before_step(optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        watching = _watched.get(optimizer)
        if watching is None:
            watching = _watched[optimizer] = _begin(optimizer)
    except Exception as error:
        say(f"nothing is recorded of {type(optimizer).__name__} ({error})")
        return None
    return watching.before_step(optimizer, args, kwargs)


def _begin(optimizer: Any) -> Watching:
    global _count
    _count += 1
    path = Path(os.environ.get("BPTUI_RUN_LOG") or "bptui-run.jsonl")
    if _count > 1:
        path = path.with_name(f"{path.stem}-optimizer-{_count}{path.suffix}")
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    watching = Watching(
        None,
        optimizer,
        path,
        every=max(int(os.environ.get("BPTUI_RUN_EVERY") or 1), 1),
        title=f"{program}, {type(optimizer).__name__}",
        hooked=True,
    )
    watching.begun = lambda log: note(f"log {log.path}")
    return watching
