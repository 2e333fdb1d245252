"""`bptui run -- COMMAND`: starts a command in whose Pythons every torch optimizer is recorded.

    environment + PYTHONPATH=bptui/site ──> COMMAND ──> bptui-run.jsonl
                                              └──> its exit status, or the signal that ended it, is ours

The command runs as it would without us: same folder, input, output, process group. Signals that would end us go to it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SITE = Path(__file__).resolve().parent / "site"
"""The folder whose sitecustomize.py every Python of the command runs at its start."""

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""What shells, env and nice say of a command that cannot be started."""

_FORWARDED = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")


@dataclass(frozen=True)
class CommandOutcome:
    """The outcome of a recorded command: how it ended, and what its Pythons left in their notes."""

    status: int
    notes: tuple[str, ...]

    @property
    def logs(self) -> tuple[str, ...]:
        """The run logs that were written."""
        return tuple(note[len("log ") :] for note in self.notes if note.startswith("log "))

    @property
    def nothing_recorded(self) -> str | None:
        """Why there is no log, as far as it is known; None where there is one."""
        if self.logs or os.environ.get("RANK", "0") != "0":  # as torchrun has it: rank 0 writes
            return None
        if "python" not in self.notes:
            return (
                "the command started no Python that looks at PYTHONPATH "
                "(one with -I, -E or -S does not, nor does a program with a Python of its own)"
            )
        if "torch" not in self.notes:
            return "no Python of the command imported torch.optim"
        return "no torch optimizer made a step"


def environment(log: Path, every: int, notes: str, base: Mapping[str, str]) -> dict[str, str]:
    """The environment of a recorded command: `base` with our folder first in PYTHONPATH."""
    path = base.get("PYTHONPATH")
    return {
        **base,
        "PYTHONPATH": str(SITE) + (os.pathsep + path if path else ""),
        "BPTUI_RUN_LOG": str(log.absolute()),
        "BPTUI_RUN_EVERY": str(every),
        "BPTUI_RUN_NOTES": notes,
    }


def run(command: Sequence[str], log: Path, every: int = 1) -> CommandOutcome:
    """Runs a command with recording on, to its end. Raises OSError where it cannot be started."""
    descriptor, notes = tempfile.mkstemp(prefix="bptui-run-")
    os.close(descriptor)
    before: dict[int, Any] = {}
    try:
        process = subprocess.Popen(command, env=environment(log, every, notes, os.environ))
        # Ctrl+C reaches the command by itself: it is in our process group. It decides what becomes of it.
        before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)
        for name in _FORWARDED:
            number = getattr(signal, name, None)
            if number is not None:
                before[number] = signal.signal(number, lambda number, _: process.send_signal(number))
        status = process.wait()
        return CommandOutcome(status, tuple(Path(notes).read_text("utf-8").split("\n")[:-1]))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.unlink(notes)


def end_like(status: int) -> int:
    """Ends as the recorded command did: with its exit status, or by the signal that ended it."""
    if status >= 0:
        return status
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the command has left one, if anything has
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # closed by whoever started us
                stream.flush()
        if -status not in (signal.SIGKILL, signal.SIGSTOP):  # whose handling is not ours to choose
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return 128 - status
