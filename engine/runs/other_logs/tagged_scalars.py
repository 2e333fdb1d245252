"""Named numbers of another program's log, put together into records: which tag is a layer, which is the loss.

    step 0  gradients/layers.0.weight  0.31  ┐
    step 0  gradients/layers.1.weight  0.27  ├──> StepRecord(step=0, loss=0.69, grad_l2=[0.31, 0.27])
    step 0  train/loss                 0.69  ┘

Other programs know nothing of layers; their tags follow habits, which are written down here, and `--names` says it
where they do not. A step is whole once a later one has begun, or when nobody writes any more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

import numpy as np

from engine.metrics.step_record import StepRecord
from engine.runs.run_log_lines import RunLogError, RunLogHeader

ALL = "(all)"
"""The one layer of a log that knows only the norm of the whole gradient, or none."""

LAYER_TAGS = (
    re.compile(r"^(?:.*/)?grad_[\d.]+_norm/(?P<layer>.+)$"),  # Lightning's grad_norm()
    re.compile(r"^(?:.*/)?grad(?:ient)?s?(?:[_ -]?norms?)?(?:[_ -]?l2)?[/.:](?P<layer>.+)$", re.IGNORECASE),
    re.compile(r"^(?P<layer>.+?)[/.](?:grad|gradient)(?:[_ -]?(?:norm|l2))?$", re.IGNORECASE),
)
"""How layers' gradients are mostly called; the first that matches."""

WHOLE_TAG = re.compile(
    r"^(?:.*/)?(?:grad_norm|gradient_norm|total_norm|grad_[\d.]+_norm_total)$", re.IGNORECASE
)
"""The norm of the whole gradient."""

LOSS_TAG = re.compile(r"(?:^|[/_. ])loss(?:$|[/_. ])", re.IGNORECASE)
NO_TRAINING_LOSS = re.compile(
    r"(?:^|[/_. ])(?:val|valid|validation|eval|test|dev)(?:$|[/_. ])", re.IGNORECASE
)
USUAL_LOSSES = ("loss", "train/loss", "train_loss", "Loss/train", "train/loss_step", "train_loss_step")
"""The training loss, the most usual first; otherwise the first tag that says loss and nothing of validation."""

RATE_TAG = re.compile(r"(?:^|[/_. -])(?:lr|learning[_ -]?rate)(?:$|[/_. -])", re.IGNORECASE)

EMBEDDINGS, HEADS = re.compile(r"emb|wte|wpe|tok"), re.compile(r"head|classifier|fc_out|output|logits")


def layer_pattern(names: str | None) -> re.Pattern[str] | None:
    """The regular expression of `--names`, by which tags name layers.

    Raises RunLogError for one that is none, or has no group called layer.
    """
    if names is None:
        return None
    try:
        pattern = re.compile(names)
    except re.error as error:
        raise RunLogError(f"--names {names}: no regular expression ({error})") from None
    if "layer" not in pattern.groupindex:
        raise RunLogError(f"--names {names}: has no group (?P<layer>...) for the layer's name")
    return pattern


class ScalarTable:
    """Collects tagged numbers, step by step, and makes records of them.

    `source` is the file's name for messages, `names` the expression of `--names`. Layers are in the order of their
    appearance, or in `natural_order` where the file has lost it.
    """

    def __init__(self, source: str, names: str | None = None, *, natural_order: bool = False) -> None:
        self._source = source
        self._names = layer_pattern(names)
        self._natural_order = natural_order
        self.clear()

    def clear(self) -> None:
        """Forgets all numbers: another file follows."""
        self._rows: dict[int, dict[str, float]] = {}
        self._layers: dict[str, str] = {}  # layer's tag -> its name
        self._tags: dict[str, None] = {}  # every other tag, in the order of appearance
        self._given = -1
        self._header: RunLogHeader | None = None

    def add(self, step: int, tag: str, value: float) -> bool:
        """Adds one tagged number; whether it takes the place of another one."""
        if tag not in self._layers and tag not in self._tags:
            layer = self._layer_of(tag)
            if layer is None:
                self._tags[tag] = None
            else:
                self._layers[tag] = layer
        row = self._rows.setdefault(step, {})
        replaces = tag in row
        row[tag] = value
        if step <= self._given:  # a row that was given already has more in it: begin again
            self._header = None
        return replaces

    def _layer_of(self, tag: str) -> str | None:
        if WHOLE_TAG.match(tag) and self._names is None:
            return None
        for pattern in (self._names,) if self._names is not None else LAYER_TAGS:
            found = pattern.search(tag)
            if found is not None and found["layer"]:
                return found["layer"]
        return None

    # ── records ─────────────────────────────────────────────────────────────────────────────────────

    def take(self, title: str, *, final: bool) -> tuple[RunLogHeader | None, list[StepRecord], bool]:
        """The header, the records that are new, and whether those given before are to be forgotten.

        `final`: nobody writes at the moment, so that the newest step is whole. Raises RunLogError where `final` and
        nothing in the file says anything of a gradient or a loss.
        """
        columns, loss, rate = self._ordered_layers(), self._loss_tag(), self._rate_tag()
        if not self._rows:
            return self._header, [], False
        if not columns and loss is None:
            if final:
                raise RunLogError(f"{self._source}: {self._no_layers()}")
            return None, [], False
        whole = next((tag for tag in self._tags if WHOLE_TAG.match(tag)), None)
        names = tuple(self._layers[tag] for tag in columns) or (ALL,)
        fields = ("grad_l2", "nonfinite", *(("loss",) if loss else ()), *(("learning_rate",) if rate else ()))
        header = RunLogHeader(
            layers=_told_apart(names),
            title=title,
            fields=fields,
            loss_from=loss or "",
            ordered=not self._natural_order,
        )
        restarted = self._given >= 0 and header != self._header
        if restarted:
            self._given = -1
        self._header = header
        steps = sorted(step for step in self._rows if step > self._given)
        if not final:
            steps = steps[:-1]
        tags: Sequence[str | None] = columns or [whole]
        records = [self._record(step, tags, loss, rate) for step in steps]
        if steps:
            self._given = steps[-1]
        return header, [record for record in records if record is not None], restarted

    def _record(
        self, step: int, columns: Sequence[str | None], loss: str | None, rate: str | None
    ) -> StepRecord | None:
        row = self._rows[step]
        if not any(tag in row for tag in (*columns, loss)):
            return None  # nothing but numbers of another kind
        norms = np.array([math.nan if tag is None else row.get(tag, math.nan) for tag in columns])
        norms.flags.writeable = False
        values: dict[str, float] = {}
        if loss is not None:
            values["loss"] = row.get(loss, math.nan)
        if rate is not None:
            values["learning_rate"] = row.get(rate, math.nan)
        there = [row[tag] for tag in (*columns, loss) if tag is not None and tag in row]
        bad = sum(not math.isfinite(value) for value in there)
        return StepRecord(step=step, grad_l2=norms, nonfinite=bad, **values)  # type: ignore[arg-type]

    def _ordered_layers(self) -> list[str]:
        tags = list(self._layers)
        return sorted(tags, key=lambda tag: natural_key(self._layers[tag])) if self._natural_order else tags

    def _loss_tag(self) -> str | None:
        for usual in USUAL_LOSSES:
            if usual in self._tags:
                return usual
        losses = [tag for tag in self._tags if LOSS_TAG.search(tag)]
        return next((tag for tag in losses if not NO_TRAINING_LOSS.search(tag)), None)

    def _rate_tag(self) -> str | None:
        return next((tag for tag in self._tags if RATE_TAG.search(tag)), None)

    def _no_layers(self) -> str:
        tags = [*self._layers, *self._tags]
        shown = ", ".join(tags[:5]) + (", …" if len(tags) > 5 else "")
        return (
            f"no tag in it looks like a layer's gradient or a loss (it has {shown}); "
            "say which are layers: --names 'norm/(?P<layer>.+)'"
        )


MOST_DIGITS = 18
"""A longer number is none that layers are counted by, and Python takes long over thousands of digits."""

LARGEST_STEP = 2**53
"""Steps are whole numbers that every reader can hold."""


def natural_key(name: str) -> tuple[int, list[tuple[int, int, str]]]:
    """The key by which layers.2 sorts before layers.10, embeddings first and heads last."""
    lowered = name.lower()
    rank = 0 if EMBEDDINGS.search(lowered) else 2 if HEADS.search(lowered) else 1
    # A layer's weight comes before its bias, as it does in a model.
    parts = [part for part in re.split(r"(\d+)", lowered.replace("weight", "a")) if part]
    return rank, [
        (0, int(part), "") if part.isdecimal() and len(part) <= MOST_DIGITS else (1, 0, part)
        for part in parts
    ]


def _told_apart(names: Iterable[str]) -> tuple[str, ...]:
    """Names that occur twice are numbered from the second on."""
    seen: dict[str, int] = {}
    apart = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        apart.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(apart)
