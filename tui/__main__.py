"""Runs the `bptui` command: ``python -m tui`` and the installed script.

Until a command has begun there is nothing that an interrupt could leave half-done, so that it simply ends the program.
"""

from __future__ import annotations

# What `signal` is made of: it is there at once, while that one is read from the disk.
import _signal  # type: ignore[import-not-found]
import os
import sys

TYPE_CHECKING = False  # `typing` takes so long to import that an interrupt may fall into it
if TYPE_CHECKING:
    from sys import UnraisableHookArgs

INTERRUPTED = 130


def main() -> None:
    """Runs what the command line says and exits with its status."""
    usual = _signal.getsignal(_signal.SIGINT)
    if usual is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    _open_standard_files()
    import warnings

    from tui.shell.blas_threads import threads

    threads.begin_with_one()
    # What is not finite is shown as such; NumPy's own lines about it would run across the screen.
    warnings.simplefilter("ignore", RuntimeWarning)
    from tui.cli.main import cli

    if usual is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, usual)
        sys.unraisablehook = _heed_interrupts
    cli.main(prog_name="bptui")


def _heed_interrupts(unraisable: UnraisableHookArgs) -> None:
    """An interrupt that fell into a callback of the interpreter's own, where it cannot be raised, comes once more."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        import _thread

        _thread.interrupt_main()
    else:
        sys.__unraisablehook__(unraisable)


def _open_standard_files() -> None:
    """Puts nothing in the place of a closed stdin, stdout or stderr, which the next file to be opened would take."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


if __name__ == "__main__":
    main()
