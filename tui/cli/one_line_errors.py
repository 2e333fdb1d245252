"""How the command line fails: one line on stderr, and an exit status that scripts can rely on.

0 done    1 a check failed, a training broke down, output was lost (or bptui itself failed)    2 bad usage or bad input
128 + a signal, as shells expect: 129 the terminal is gone, 130 Ctrl+C, 141 the pipe closed, 143 SIGTERM
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import click

from tui.cli.output import OutputError, complain
from tui.shell.crash_report import describe_crash

FAILED, BAD_INPUT, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
COMPLETION_VARIABLE = "_BPTUI_COMPLETE"
"""Where it is set, a shell asks how to go on with what was typed."""
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


class OneLineGroup(click.Group):
    """A group of commands in which whatever goes wrong becomes one line and a status, never a traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Runs a command and exits."""
        if COMPLETION_VARIABLE in os.environ:
            from tui.cli.shell_completion import register

            register()
        try:
            status = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.Abort:
            status = INTERRUPTED
        except click.ClickException as error:
            status = _complain(_usage_problem(error), BAD_INPUT)
        except OutputError as error:
            status = _complain(str(error), FAILED)
            _drop_output()
        except Exception as error:
            status = _bad_input(error) or _complain(describe_crash(error), FAILED)
        sys.exit(status if isinstance(status, int) else 0)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they were added, not by alphabet."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command until all that it wrote has left, so that a closed pipe is noticed here and not later."""
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
        except BrokenPipeError:
            _drop_output()
            ctx.exit(PIPE_CLOSED)
        return result


def _drop_output() -> None:
    """What could not be written is let go: the interpreter flushes once more at its end, and would complain."""
    with suppress(OSError, ValueError, AttributeError):  # None, or none of the system's files
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _bad_input(error: Exception) -> int | None:
    """The status after complaining of an error that the user can put right; None for any other."""
    if isinstance(error, MemoryError):
        return _complain("there is not enough memory for this experiment", BAD_INPUT)
    if isinstance(error, ImportError):
        return None  # a broken installation, in which the imports below would fail as well
    # Imported only now: neither help nor a usage error has to wait for NumPy.
    from engine.derivation.targets import TargetError
    from engine.experiment.errors import ExperimentError
    from engine.formula.parser import ParseError
    from engine.runs.run_log import RunLogError

    if isinstance(error, ExperimentError | TargetError | ParseError | RunLogError):
        return _complain(str(error), BAD_INPUT)
    if isinstance(error, OSError) and error.filename is not None:  # a place that cannot be written to
        return _complain(f"{error.filename}: {error.strerror}", BAD_INPUT)
    if isinstance(error, OSError) and error.errno in NO_ROOM:  # help, which is click's to write
        _drop_output()
        return _complain(f"the output cannot be written: {error.strerror}", FAILED)
    return None


def _usage_problem(error: click.ClickException) -> str:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{message} (see {context.command_path} --help)" if context else message


def _complain(message: str, status: int) -> int:
    complain(message)
    return status
