"""The run log: an append-only JSON Lines file of one training run.

    training ──> RunLogWriter ──> run.jsonl ──> RunLogReader ──> screens, in this process or another

`engine.runlog_format` says what stands in a line, `engine.runlog_writer` how lines get into the file whole, and
`engine.runlog_reader` how they get out, damaged or growing as the file may be.
"""

from engine.runlog_format import LONGEST_LINE, Header, RunLogError
from engine.runlog_reader import Damage, News, RunLog, RunLogReader, read_run_log
from engine.runlog_writer import RunLogWriter

__all__ = [
    "LONGEST_LINE",
    "Damage",
    "Header",
    "News",
    "RunLog",
    "RunLogError",
    "RunLogReader",
    "RunLogWriter",
    "read_run_log",
]
