"""The run log's writing side, for any framework: a header, then one line of strict JSON a step.

    {"format":"bptui run log","schema":"1.1","layers":["w1","w2"],"fields":["loss","grad_l2"], …}
    {"step":0,"loss":0.693147181,"grad_l2":[0.1,0.4]}

One write a line, so that killing the program costs at most the last. A full disk costs lines and one warning, never
the training. A log that is there already is never overwritten: the next free name is taken, run-2.jsonl.
docs/run-log.md describes the format.
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

FORMAT, SCHEMA = "bptui run log", "1.1"

DIGITS = 9
"""Significant digits of a number: enough for any float32 to come back as it was."""

PER_LAYER = (
    "grad_l2",
    "grad_max",
    "grad_mean",
    "update_ratio",
    "zero_fraction",
    "quiet",
    "dead",
    "saturated",
    "delta_l2",
    "quiet_window",
)
MAGNITUDES = ("grad_l2", "grad_max", "grad_mean", "delta_l2")
"""Of these, every line has at least one."""
DEFAULTS: dict[str, Any] = {"clipped": 1.0, "nonfinite": 0, "problem": None, "skipped": False}
"""Fields that are left out of a line where they have this value."""
SCALARS = (
    *("loss", "learning_rate", "seconds", "accuracy", "test_loss", "test_accuracy", "test_step"),
    *DEFAULTS,
)


def say(message: str) -> None:
    """Says one line on stderr, which is where everything goes that is not data."""
    try:
        sys.stderr.write(f"bptui: {message}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # closed, or none at all
        pass


class RunLog:
    """Writes the run log of one recorded run.

    The file is made with the first step, and its header lists the fields of that step.

    path      where; if there is a file already, the next of run-2.jsonl, run-3.jsonl, … is taken and said on stderr
    layers    what the entries of the per-layer fields are called, from the input to the output; at least one
    title     shown above the charts
    header    more of the header: see docs/run-log.md

    Raises ValueError for layers or values that do not fit each other. What goes wrong with the file is told once on
    stderr and never raised: a training is not stopped by its log.
    """

    def __init__(
        self, path: str | os.PathLike[str], layers: Iterable[str], *, title: str = "", **header: Any
    ) -> None:
        self.path = Path(path).absolute()
        self.layers = [str(name) for name in layers]
        if not self.layers:
            raise ValueError("a run log needs at least one layer")
        self.lost = 0
        """How many lines found no room."""
        self._header = {"title": title, **header}
        self._fields: tuple[str, ...] | None = None
        self._last_step = -1
        self._descriptor: int | None = None
        self._closed = self._warned = False
        self._torn = False  # half a line stands at the end of the file
        self._lock = threading.Lock()

    def step(self, step: int, **values: Any) -> None:
        """Writes the line of one step.

        `loss`, `learning_rate`, `seconds` and the like are numbers; per-layer fields (`grad_l2`, `grad_max`,
        `grad_mean`, `update_ratio`, …) sequences or arrays with an entry a layer, of which at least one magnitude
        must be there. What is not finite becomes null. Raises ValueError for a step that is not above the one before,
        and for a field that does not exist, that the first step did not have, or that has not as many entries as
        there are layers.
        """
        line = self._line(int(step), values)
        with self._lock:
            if self._closed:
                raise ValueError("the run log is closed")
            if step <= self._last_step:
                raise ValueError(
                    f"step {step} comes after step {self._last_step}: steps count updates, over all epochs, "
                    "and grow; what begins again is another run, with a log of its own"
                )
            self._last_step = int(step)
            if self._fields is None:
                self._fields = tuple(values)
                self._create()
            self._write(line)

    def template(self, scalars: Iterable[str], per_layer: str) -> str:
        """A line of these fields to be filled in by % with the step and the numbers, all of them finite.

        The same text as `step` makes of them, for those who write many and cannot wait.
        """
        number = f"%.{DIGITS}g"
        parts = ['"step":%d', *(f'"{name}":{number}' for name in scalars)]
        return f'{{{",".join(parts)},"{per_layer}":[{",".join([number] * len(self.layers))}]}}\n'

    def write(self, line: str) -> None:
        """Writes a filled-in `template`. The first step is one of `step`, which makes the header."""
        with self._lock:
            self._write(line.encode())

    def close(self) -> None:
        """Closes the run log's file. Closing twice is no error."""
        with self._lock:
            self._closed = True
            if self._descriptor is not None:
                descriptor, self._descriptor = self._descriptor, None
                try:
                    os.close(descriptor)
                except OSError as error:
                    self._warn(error)

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ── lines ───────────────────────────────────────────────────────────────────────────────────────

    def _line(self, step: int, values: Mapping[str, Any]) -> bytes:
        if step < 0:
            raise ValueError(f"steps count from 0, and this is {step}")
        if not any(name in values for name in MAGNITUDES):
            raise ValueError(f"a step needs one of {', '.join(MAGNITUDES)}")
        parts, nulls = [f'"step":{step}'], 0
        for name, value in values.items():
            if self._fields is not None and name not in self._fields and name not in DEFAULTS:
                raise ValueError(f"{name} was not among the fields of the first step")
            if name in PER_LAYER:
                numbers = value.tolist() if hasattr(value, "tolist") else list(value)
                if len(numbers) != len(self.layers):
                    raise ValueError(f"{name} has {len(numbers)} entries, not {len(self.layers)}")
                texts = [json_number(number) for number in numbers]
                nulls += texts.count("null")
                parts.append(f'"{name}":[{",".join(texts)}]')
            elif name not in SCALARS:
                raise ValueError(f"{name} is no field of a run log")
            elif name in DEFAULTS and value == DEFAULTS[name]:
                continue
            elif name in ("problem", "skipped"):
                parts.append(f'"{name}":{json.dumps(value)}')
            else:
                text = json_number(value)
                nulls += text == "null"
                parts.append(f'"{name}":{text}')
        if nulls:
            parts.append(f'"nulls":{nulls}')
        return f"{{{','.join(parts)}}}\n".encode()

    def _header_line(self) -> bytes:
        assert self._fields is not None
        header = {
            "format": FORMAT,
            "schema": SCHEMA,
            "layers": self.layers,
            "fields": [*self._fields, *(name for name in DEFAULTS if name not in self._fields)],
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            **self._header,
        }
        return json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"

    # ── the file ────────────────────────────────────────────────────────────────────────────────────

    def _create(self) -> None:
        """Makes the file under the first name that is free."""
        wanted, number = self.path, 1
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        while True:
            try:
                self._descriptor = os.open(self.path, flags, 0o666)
                break
            except FileExistsError:
                number += 1
                self.path = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
            except OSError as error:
                self._warn(error)
                return
        if number > 1:
            say(f"{wanted} is there already and stays as it is; this run is written to {self.path.name}")
        self._pending_header: bytes | None = self._header_line()

    def _write(self, line: bytes) -> None:
        """One write; a line that does not fit is taken back and counted."""
        if self._descriptor is None:
            self.lost += 1
            return
        block = (b"\n" if self._torn else b"") + (self._pending_header or b"") + line
        done = 0
        try:
            while done < len(block):
                taken = os.write(self._descriptor, block[done:] if done else block)
                if not taken:
                    raise OSError("nothing was taken")
                done += taken
        except OSError as error:
            self.lost += 1
            self._take_back(done)
            self._warn(error)
            return
        self._pending_header, self._torn = None, False

    def _take_back(self, length: int) -> None:
        if not length or self._descriptor is None:
            return
        try:
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - length)
        except OSError:
            if self._pending_header is None:
                self._torn = True
            else:  # half a header cannot be read by anyone
                self._descriptor = None

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            reason = error.strerror or str(error)
            say(f"{self.path}: cannot write the run log ({reason}); the training goes on without it")


def json_number(value: Any) -> str:
    """A number in JSON: whole ones as they are, others with 9 significant digits, null for None and the non-finite."""
    if type(value) is float and math.isfinite(value):  # nearly always
        return format(value, ".9g")
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(int(value))
    number = float(value)
    return format(number, f".{DIGITS}g") if math.isfinite(number) else "null"
