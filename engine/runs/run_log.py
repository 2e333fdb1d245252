"""The run log: an append-only JSON Lines file of one training run.

    training ──> RunLogWriter ──> run.jsonl ──> RunLogReader ──> screens, in this process or another

`engine.runs.run_log_lines` says what stands in a line, `engine.runs.run_log_writer` how lines get into the file whole,
and `engine.runs.run_log_reader` how they get out, damaged or growing as the file may be.
"""

from engine.runs.run_log_lines import LONGEST_LINE, RunLogError, RunLogHeader
from engine.runs.run_log_reader import Damage, News, RunLog, RunLogReader, read_run_log
from engine.runs.run_log_writer import RunLogWriter

__all__ = [
    "LONGEST_LINE",
    "Damage",
    "News",
    "RunLog",
    "RunLogError",
    "RunLogHeader",
    "RunLogReader",
    "RunLogWriter",
    "read_run_log",
]
