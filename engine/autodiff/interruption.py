"""How a computation that takes long lets somebody come in between: after every op of a pass.

    with interruptible(look):           forward ─ op ─ op ─ op ─ …
        graph.forward()                          look  look  look        may raise, which ends it there

It holds for the thread that says so, and for every graph that it runs. Where nobody looks it costs one question a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Look = Callable[[], None]

_look: ContextVar[Look | None] = ContextVar("look", default=None)


@contextmanager
def interruptible(look: Look) -> Iterator[None]:
    """Has `look` called between the ops of what is computed here, in this thread, so that it can be interrupted.

    Once it has raised it is called no more: what puts things back on the way out is not to be interrupted in turn.
    """
    over = False

    def until_it_raises() -> None:
        nonlocal over
        if not over:
            try:
                look()
            except BaseException:
                over = True
                raise

    before = _look.set(until_it_raises)
    try:
        yield
    finally:
        _look.reset(before)


@contextmanager
def uninterruptible() -> Iterator[None]:
    """Computes without interruption: for the second half of what is done whole or not at all."""
    before = _look.set(None)
    try:
        yield
    finally:
        _look.reset(before)


def onlooker() -> Look | None:
    """The function that is called between two ops of an interruptible computation; None where none is."""
    return _look.get()


def between_parts() -> None:
    """Calls the onlooker of an interruptible computation, which may raise to end it. Raises what they raise."""
    look = _look.get()
    if look is not None:
        look()
