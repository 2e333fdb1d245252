"""When Python's garbage collector runs: not while the app starts.

    import, compose, first frame ──> all of it stays: a collector that looks through it again and again finds nothing
    Ready                        ──> what is there is frozen, and what comes from now on is collected as usual

Looking in vain takes a tenth of the time until the first frame; and one that looked through all of it later would hold
a step or a key up for 50 ms and more.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def resting_while_starting() -> Iterator[None]:
    """A context in which the garbage collector rests until `begin_collecting`, while the app starts."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def begin_collecting() -> None:
    """Has the garbage collector begin, when the app has started."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
