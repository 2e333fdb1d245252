"""The run log: an append-only JSON Lines file of one training run.

    training ──> RunLogWriter ──> run.jsonl ──> RunLogReader ──> screens, in this process or another

`engine.runs.log_format` says what stands in a line, `engine.runs.log_writer` how lines get into the file whole, and
`engine.runs.log_reader` how they get out, damaged or growing as the file may be.
"""

from engine.runs.log_format import LONGEST_LINE, Header, RunLogError
from engine.runs.log_reader import Damage, News, RunLog, RunLogReader, read_run_log
from engine.runs.log_writer import RunLogWriter

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
