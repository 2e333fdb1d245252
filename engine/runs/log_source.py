"""What every reader of a log has in common, whoever wrote it: `bptui watch` and `bptui report` know nothing else.

header    what does not change from step to step; None until it is known
poll      the records that are new, at once, also when there are none
finish    what is left when nobody writes any more
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from engine.runs.run_log_lines import RunLogHeader
from engine.runs.run_log_reader import News


class LogSource(Protocol):
    """A run log that is followed while it grows, is cut short, or is replaced by another."""

    path: Path

    @property
    def header(self) -> RunLogHeader | None:
        """The log's header: the layers and what else does not change."""

    @property
    def found(self) -> bool:
        """Whether there was a file when it was last looked for."""

    def poll(self) -> News:
        """The records that are new since the last poll; does not wait.

        Raises RunLogError where the file can no longer be read.
        """

    def finish(self) -> News:
        """The last records, when nobody writes any more."""

    def close(self) -> None:
        """Closes the file. Closing twice is no error."""
