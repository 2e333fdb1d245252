"""The numbers behind the training screens' pictures as rows of a table: all layers, all digits."""

from __future__ import annotations

from tui.session.training_snapshot import RunSnapshot, TrainingSnapshot
from tui.shell.csv_table import Cell, Rows

EVERY_STEP = 1_000_000
"""As many points as there can be: a history keeps no more."""


def csv_layer_rows(snapshot: TrainingSnapshot, metric: str, over_steps: bool) -> Rows:
    """The csv rows of a metric by layer and run: at the last measured step, or at every kept one."""
    rows: list[list[Cell]] = [["run", "step", "layer", "name", metric]]
    for run in snapshot.runs:
        rows += _of_run(run, over_steps)
    return rows


def _of_run(run: RunSnapshot, over_steps: bool) -> list[list[Cell]]:
    column = run.column
    if column is None:
        return []
    steps, values = [column.step], [column.now]
    if over_steps and column.over_steps is not None:
        steps, values = [int(step) for step in column.over_steps.step], list(column.over_steps.value)
    return [
        [run.name, step, number, name, float(value)]
        for step, row in zip(steps, values, strict=True)
        for number, (name, value) in enumerate(zip(run.layers, row, strict=False), start=1)
    ]


def csv_unit_rows(snapshot: TrainingSnapshot) -> Rows:
    """The csv rows of every unit of the first run: how often it fires, whether it is dead, and since when."""
    rows: list[list[Cell]] = [["run", "step", "layer", "unit", "firing_rate", "dead", "died_at"]]
    run = snapshot.first
    if run.activity is None:
        return rows
    seen = zip(run.activity.firing_rate, run.activity.dead, run.activity.died_at, strict=True)
    for layer, (rates, dead, died_at) in enumerate(seen, start=1):
        for unit, rate in enumerate(rates):
            died = int(died_at[unit]) if dead[unit] else None
            rows.append([run.name, run.activity.step, layer, unit, float(rate), int(dead[unit]), died])
    return rows


def csv_budget_rows(snapshot: TrainingSnapshot) -> Rows:
    """The csv rows of the factor budget of each run."""
    rows: list[list[Cell]] = [["run", "step", "layer", "name", "weight_gain", "activation_gain"]]
    for run in snapshot.runs:
        if run.column is None:
            continue
        record = run.column.record
        gains = zip(run.layers, record.weight_gain, record.activation_gain, strict=False)
        rows += [
            [run.name, record.step, number, name, float(weights), float(activation)]
            for number, (name, weights, activation) in enumerate(gains, start=1)
        ]
    return rows
