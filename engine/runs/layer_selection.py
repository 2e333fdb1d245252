"""Some of a log's layers: those that `--layers` asks for, without those that have no gradient.

layers  emb.weight  layers.0.weight  layers.0.bias  head.weight        frozen: emb.weight
        ───x───     ──────┬───────   ──────┬──────  ─────┬─────
                          0                1             2             what is seen of it
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.metrics.step_record import MEASURES, Extent, StepRecord
from engine.runs.log_source import LogSource
from engine.runs.run_log_lines import OF_LAYERS, RunLogError, RunLogHeader
from engine.runs.run_log_reader import News


class LayerExpression:
    """A regular expression, ignoring case, by which layers are selected: of ``--layers`` and of ``/`` alike.

    What is no expression, as it is while somebody types ``layers.(``, is looked for as it stands; `problem` says why.
    """

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self.problem: str | None = None
        try:
            self._pattern = re.compile(wanted, re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
            self.problem = f"no regular expression: {error}"
            self._pattern = re.compile(re.escape(wanted), re.IGNORECASE)

    def fits(self, layer: str) -> bool:
        """Whether a layer of this name is selected."""
        return self._pattern.search(layer) is not None


def matching(names: Sequence[str], wanted: str) -> list[int]:
    """The places of the layers whose names match; all for ""."""
    expression = LayerExpression(wanted)
    return [place for place, name in enumerate(names) if expression.fits(name)]


class SelectedLayers:
    """A log of which only the selected layers are seen."""

    def __init__(self, log: LogSource, layers: str | None = None) -> None:
        self._log = log
        self.path: Path = log.path
        self._wanted = None if layers is None else LayerExpression(layers)
        self._of: RunLogHeader | None = None
        self._header: RunLogHeader | None = None
        self._places: list[int] = []

    @property
    def header(self) -> RunLogHeader | None:
        """The log's header, of the selected layers."""
        self._choose()
        return self._header

    @property
    def log(self) -> LogSource:
        """The whole log, of all layers."""
        return self._log

    @property
    def found(self) -> bool:
        """Whether there was a file when it was last looked for."""
        return self._log.found

    def poll(self) -> News:
        """The new records of the selected layers. Raises RunLogError where no layer is left."""
        return self._seen(self._log.poll())

    def finish(self) -> News:
        """The last records of the selected layers, when nobody writes any more."""
        return self._seen(self._log.finish())

    def close(self) -> None:
        """Closes the log's file."""
        self._log.close()

    def _choose(self) -> None:
        header = self._log.header
        if header is self._of:
            return
        self._of = header
        if header is None:
            self._header, self._places = None, []
            return
        frozen = set(header.frozen)
        trained = [place for place, name in enumerate(header.layers) if name not in frozen]
        self._places = [
            place for place in trained if self._wanted is None or self._wanted.fits(header.layers[place])
        ]
        if not self._places:
            if self._wanted is None:
                raise RunLogError(f"{self.path}: every layer of it is frozen")
            shown = ", ".join(header.layers[:4]) + (", …" if len(header.layers) > 4 else "")
            problem = f" ({self._wanted.problem})" if self._wanted.problem else ""
            raise RunLogError(f"--layers {self._wanted.wanted}: fits none of the layers {shown}{problem}")
        if len(self._places) == len(header.layers):
            self._header = header
            return
        of_layers: dict[str, Any] = {
            name: tuple(getattr(header, name)[place] for place in self._places)
            if getattr(header, name)
            else ()
            for name in OF_LAYERS
        }
        self._header = dataclasses.replace(
            header,
            layers=tuple(header.layers[place] for place in self._places),
            fields=None if header.fields is None else tuple(f for f in header.fields if _is_kept(f)),
            frozen=(),
            **of_layers,
        )

    def _seen(self, news: News) -> News:
        news.records = self.seen(news.records)
        return news

    def seen(self, records: list[StepRecord]) -> list[StepRecord]:
        """Records of the log with the selected layers only."""
        self._choose()
        return records if self._header is self._of else [self._record(record) for record in records]

    def _record(self, record: StepRecord) -> StepRecord:
        values = {}
        for name in record.fields:
            if name == "step" or not _is_kept(name):
                continue
            value = getattr(record, name)
            if MEASURES[name].extent is Extent.LAYER:
                value = value[np.array(self._places)]
                value.flags.writeable = False
            values[name] = value
        return StepRecord.of({"step": record.step, **values})


def _is_kept(name: str) -> bool:
    """What lies between two layers does not exist once some are left out."""
    return name not in MEASURES or MEASURES[name].extent is not Extent.GAP
