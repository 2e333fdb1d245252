"""Steps of training as tables: every entry of every parameter before, its gradient, the optimiser's state, after.

    Step 1 of 2     η = 0.1   β₁ = 0.9   β₂ = 0.999   ε = 10⁻⁸
    ℰ               0.6538 → 0.5514

                before  gradient         m         v     m_hat     v_hat     after
    W⁽¹⁾₀₀         0.1   −0.2883  −0.02883  8.31e-05   −0.2883    0.0831       0.2

Of a large parameter the first entries are shown; the JSON has all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from engine.autodiff.graph import Array
from engine.formula.expression import Symbol
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import is_exact, number_text
from engine.formula.numbers_in_words import counted
from engine.formula.text_width import cells
from engine.model.network import LOSS, PREDICTION, Y
from engine.training.parameter_steps import ParameterStep, TrainingStep
from engine.training.update_rule import ETA, UpdateRuleSettings

STYLE = Style()
MOST_ENTRIES = 12
"""Of a larger parameter so many entries are shown, and how many there are besides."""
MOST_SAMPLES = 8
GAP = 2


def steps_record(steps: Iterable[TrainingStep]) -> dict[str, Any]:
    """The JSON record of training steps with all their numbers; matrices are lists of rows."""
    return {"steps": [_record(step) for step in steps]}


def _record(step: TrainingStep) -> dict[str, Any]:
    return {
        "step": step.step,
        "loss_before": step.loss_before,
        "loss_after": step.loss_after,
        "parameters": {
            name.plain(): {
                "before": one.before.tolist(),
                "gradient": one.gradient.tolist(),
                "state": {key: value.tolist() for key, value in one.state.items()},
                "after": one.after.tolist(),
            }
            for name, one in step.parameters.items()
        },
        "Y_hat_before": step.prediction_before.tolist(),
        "Y_hat_after": step.prediction_after.tolist(),
        "problem": step.problem,
    }


def written_step(
    step: TrainingStep,
    count: int,
    settings: UpdateRuleSettings,
    learning_rate: float,
    *,
    width: int = 80,
    style: Style = STYLE,
) -> str:
    """One training step as text tables, in lines of at most `width` columns as long as the columns fit at all."""
    return (
        "\n".join(line.rstrip() for line in _lines(step, count, settings, learning_rate, width, style)) + "\n"
    )


def _lines(
    step: TrainingStep,
    count: int,
    settings: UpdateRuleSettings,
    learning_rate: float,
    width: int,
    style: Style,
) -> Iterator[str]:
    title = f"Step {step.step} of {count}: {settings.optimizer}"
    yield title
    yield style.glyphs.bar * len(title)
    constants = {ETA: learning_rate, **settings.constants()}
    yield "   ".join(_equal(symbol, number, style) for symbol, number in constants.items())
    arrow = style.glyphs.arrow
    change = number_text(step.loss_after - step.loss_before, style)
    before, after = (number_text(loss, style) for loss in (step.loss_before, step.loss_after))
    yield f"{symbol_text(LOSS, style)} {before} {arrow} {after}, a change of {change}"
    if step.problem is not None:
        yield step.problem
    yield ""
    yield from _table(step.parameters, settings.states(), width, style)
    yield ""
    yield from _predictions(step, style)


def _equal(symbol: Symbol, number: float, style: Style) -> str:
    same = "=" if is_exact(number, style) else style.glyphs.about
    return f"{symbol_text(symbol, style)} {same} {number_text(number, style)}"


def _table(
    parameters: dict[Symbol, ParameterStep], states: Sequence[str], width: int, style: Style
) -> Iterator[str]:
    header = ["", "before", "gradient", *states, "after"]
    blocks = [_rows(name, one, states, style) for name, one in parameters.items()]
    lines = [row for rows, _ in blocks for row in rows]
    widths = [max(map(cells, column)) for column in zip(header, *lines, strict=True)]
    spare = (width - sum(widths)) // (len(widths) - 1) if lines else GAP
    gap = " " * min(max(spare, 1), GAP + 1)
    yield _line(header, widths, gap)
    for rows, left_out in blocks:
        for row in rows:
            yield _line(row, widths, gap)
        if left_out:
            dots = style.glyphs.ellipsis
            yield (
                f"{dots} {counted(left_out, 'more entry')}".replace("entrys", "entries") + " (--json has all)"
            )


def _rows(
    name: Symbol, one: ParameterStep, states: Sequence[str], style: Style
) -> tuple[list[list[str]], int]:
    """A row for each entry, and how many entries are left out."""
    columns = one.before.shape[1]
    shown = min(one.before.size, MOST_ENTRIES)
    rows = []
    for place in range(shown):
        entry = divmod(place, columns)
        numbers = [one.before, one.gradient, *(one.state.get(key) for key in states), one.after]
        rows.append([symbol_text(name.at(entry), style), *(_cell(array, entry, style) for array in numbers)])
    return rows, one.before.size - shown


def _cell(array: Array | None, entry: tuple[int, int], style: Style) -> str:
    if array is None:  # a frozen parameter has no state
        return style.glyphs.no_value
    return number_text(float(array[entry]), style)


def _line(row: Sequence[str], widths: Sequence[int], gap: str) -> str:
    first, *numbers = row
    padded = [first + " " * (widths[0] - cells(first))]
    padded += [" " * (size - cells(text)) + text for text, size in zip(numbers, widths[1:], strict=True)]
    return gap.join(padded)


def _predictions(step: TrainingStep, style: Style) -> Iterator[str]:
    arrow = style.glyphs.arrow
    outputs, n = step.prediction_before.shape
    rows = [(i, k) for k in range(min(n, MOST_SAMPLES)) for i in range(outputs)]
    texts = [
        (
            symbol_text(PREDICTION.at(entry), style),
            number_text(float(step.prediction_before[entry]), style),
            number_text(float(step.prediction_after[entry]), style),
        )
        for entry in rows
    ]
    name, before = (max(cells(text[place]) for text in texts) for place in (0, 1))
    for symbol, old, new in texts:
        yield f"{symbol}{' ' * (name - cells(symbol))}  {' ' * (before - cells(old))}{old} {arrow} {new}"
    if n > MOST_SAMPLES:
        yield f"{style.glyphs.ellipsis} {counted(n - MOST_SAMPLES, 'more sample')}"


def written_predictions(prediction: Array, labels: Array, *, style: Style = STYLE) -> str:
    """The table of predictions Ŷ beside labels Y, a row for each sample."""
    outputs, n = prediction.shape
    places = [""] if outputs == 1 else [f"[{row}]" for row in range(outputs)]
    names = [symbol_text(symbol, style) for symbol in (PREDICTION, Y)]
    header = ["sample", *(f"{name}{place}" for name in names for place in places)]
    rows = [
        [
            str(k),
            *(
                number_text(float(values[i, k]), style)
                for values in (prediction, labels)
                for i in range(outputs)
            ),
        ]
        for k in range(n)
    ]
    widths = [max(map(cells, column)) for column in zip(header, *rows, strict=True)]
    lines = (
        (" " * GAP).join(" " * (size - cells(text)) + text for text, size in zip(row, widths, strict=True))
        for row in (header, *rows)
    )
    return "\n".join(lines) + "\n"
