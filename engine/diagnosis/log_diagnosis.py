"""What a run log says about a run: the same findings, as far as the log holds the numbers for them.

    step      0     1     2   …        LoggedRun ──> diagnose_log ──> Diagnosis
    loss     0.69  0.68  0.66 …                                       findings, and in `missing` what others would need
    grad_l2  [ … ] [ … ] [ … ] …

A log has no weights and no data, its losses are mostly those of batches, and any field may be missing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun
from engine.diagnosis.diagnosis import Diagnosis, diagnose
from engine.diagnosis.loss_curve import Floats, losses_of
from engine.diagnosis.sentence_parts import short
from engine.experiment.layer_info import LayerInfo, units_known
from engine.metrics.step_record import NEVER, StepRecord

MAGNITUDES = ("grad_l2", "grad_max", "grad_mean")
"""The fields of a layer's gradient, the one that findings are made of first."""


@dataclass(frozen=True, eq=False)
class LoggedRun:
    """A log by columns: "step" and "loss" are (rows,), per-layer fields (rows, layers), layer 1 first.

    What is not logged is not in `columns`; NaN stands where a line lacks a number. `full_batch` says that the losses
    are of all data, and `ordered` that the layers stand in the order of the computation, input first. `problem` is
    what the log says about a number that was not finite.
    """

    layers: tuple[LayerInfo, ...]
    columns: Mapping[str, Floats] = field(default_factory=dict)
    full_batch: bool = False
    ordered: bool = True
    problem: str | None = None


def diagnose_log(run: LoggedRun) -> Diagnosis:
    """The diagnosis of a run log. Its `steps` are counted from the log's first line to its last."""
    steps = run.columns.get("step")
    if steps is None or not len(steps):
        return Diagnosis((), 0, missing=("any step",), of_log=True)
    return replace(diagnose(_case(run, np.asarray(steps, np.float64))), of_log=True)


def _case(run: LoggedRun, steps: Floats) -> DiagnosedRun:
    values = run.columns.get("loss")
    losses = None if values is None else losses_of(steps, np.asarray(values), full=run.full_batch)
    place, problem = _first_broken(run, steps)
    problem = run.problem or problem
    row = _row_judged(run, broken=problem is not None)
    dead, dead_step = _dead(run, row)
    return DiagnosedRun(
        step=int(steps[row]) if row is not None else int(steps[-1]),
        layers=run.layers,
        losses=losses,
        record=None if row is None else _record(run, row, int(steps[row])),
        problem=problem,
        problem_step=None if place is None else int(steps[place]),
        dead=dead,
        dead_step=dead_step,
        ordered=run.ordered,
    )


def _first_broken(run: LoggedRun, steps: Floats) -> tuple[int | None, str | None]:
    """The first row with a number that was not finite, and what it was, in a sentence."""
    counted = np.nan_to_num(run.columns.get("nonfinite", np.zeros(len(steps)))) > 0
    loss = run.columns.get("loss", np.zeros(len(steps)))
    # A line without a loss is no broken one, unless it has had one before and has none ever after.
    ended = (
        ~np.isfinite(loss) & (np.cumsum(np.isfinite(loss)[::-1])[::-1] == 0) & bool(np.isfinite(loss).any())
    )
    broken = counted | np.isinf(loss) | ended
    layers = None
    for name in MAGNITUDES:
        if name in run.columns:
            layers = ~np.isfinite(run.columns[name])
            known = np.isfinite(run.columns[name]).any(axis=0)
            infinite = np.isinf(run.columns[name])
            last = len(steps) - 1
            # A gradient that is missing is not broken, unless its layer had one and the log ends without.
            broken = broken | infinite.any(axis=1)
            broken[last] |= bool((layers[last] & known).any() and not layers[last].all()) or bool(
                layers[last].all() and known.any() and last > 0
            )
            break
    if not broken.any():
        return None, None
    place = int(np.flatnonzero(broken)[0])
    step = int(steps[place])
    if layers is not None and layers[place].any():
        first = _first_name(run, layers[place])
        return place, f"Step {step}: the gradient of {first} is not finite, the first layer to be so."
    if not np.isfinite(loss[place]):
        return place, f"Step {step}: the loss is not finite."
    count = float(run.columns["nonfinite"][place])
    return place, f"Step {step}: {short(count)} numbers are NaN or infinite."


def _first_name(run: LoggedRun, broken: Floats) -> str:
    return run.layers[int(np.flatnonzero(broken)[0])].name


def _row_judged(run: LoggedRun, *, broken: bool) -> int | None:
    """The last row that has gradients; of a run that broke the first one. None where no row has any."""
    for name in MAGNITUDES:
        if name in run.columns:
            rows = np.flatnonzero(np.isfinite(run.columns[name]).all(axis=1))
            if len(rows):
                return int(rows[0] if broken else rows[-1])
    return None


def _dead(run: LoggedRun, row: int | None) -> tuple[tuple[int, ...] | None, int | None]:
    """The counts of the last check of the whole data set, and its step."""
    counts, at = run.columns.get("dead"), run.columns.get("dead_step")
    if counts is None or not units_known(run.layers) or row is None:
        return None, None
    if not np.isfinite(counts[row]).all() or (counts[row] == NEVER).any():
        return None, None
    step = None if at is None or not math.isfinite(at[row]) else int(at[row])
    return tuple(int(count) for count in counts[row]), step


def _record(run: LoggedRun, row: int, step: int) -> StepRecord:
    """One line as a record, with NaN for what it does not have."""
    depth = len(run.layers)
    unknown = np.full(depth, np.nan)

    def layers(name: str) -> Floats:
        return np.asarray(run.columns[name][row]) if name in run.columns else unknown

    def gaps(name: str) -> Floats:
        return np.asarray(run.columns[name][row]) if name in run.columns else unknown[: depth - 1]

    magnitude = next(name for name in MAGNITUDES if name in run.columns)
    return StepRecord(
        step=step,
        loss=float(run.columns["loss"][row]) if "loss" in run.columns else math.nan,
        learning_rate=math.nan,
        seconds=0.0,
        accuracy=None,
        recall=(),
        grad_max=layers("grad_max"),
        grad_mean=layers("grad_mean"),
        grad_l2=layers(magnitude),
        update_ratio=unknown,
        zero_fraction=layers("zero_fraction"),
        quiet=np.zeros(depth, np.int64),
        dead=np.full(depth, NEVER, np.int64),
        dead_step=NEVER,
        saturated=layers("saturated"),
        delta_l2=layers("delta_l2"),
        weight_gain=gaps("weight_gain"),
        activation_gain=gaps("activation_gain"),
        clipped=1.0,
        nonfinite=0,
        problem=None,
    )
