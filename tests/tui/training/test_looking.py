"""Which layers and which step are looked at: the filter, folded blocks and the cross-hair, in step on both screens."""

from __future__ import annotations

from pathlib import Path

from engine.runs.run_log import RunLogHeader, RunLogWriter
from tests.engine.step_records import record
from tests.tui.cli.test_commands import run
from tests.tui.driver import LARGE, SMALL, app_on, press, screen_text, typed, until
from tests.tui.trainings import train, written
from tui.app import BptuiApp
from tui.session.watched_log import WatchedLog
from tui.training.units_screen import UnitsScreen

NAMES = (
    "embed.weight",
    *(f"layers.{block}.{part}" for block in range(24) for part in ("w", "b", "norm")),
    "head.w",
)


def transformer_log(folder: Path, steps: int = 20) -> Path:
    """A log of another program, of as many layers as deserve a list."""
    path = folder / "run.jsonl"
    log = RunLogWriter(path, RunLogHeader(layers=NAMES))
    written(log, *(record(step, layers=len(NAMES)) for step in range(steps)))
    log.close()
    return path


def chart(app: BptuiApp) -> str:
    return app.screen.query_one("#chart").chart.plain  # type: ignore[attr-defined,no-any-return]


async def test_the_filter_shows_only_the_layers_that_fit_and_holds_on_both_screens():
    app = app_on("dying-relu")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "g")
        await train(pilot, 12)
        await press(pilot, "slash", *typed("[12]]"), "enter")
        assert "/[12]]" in screen_text(app)
        await press(pilot, "end")
        assert "layer 2 of" in screen_text(app)
        await press(pilot, "u")
        shown = screen_text(app)
        assert "/[12]]" in shown
        assert "layer 1" in shown
        assert "layer 3" not in app.screen.query_one("#map").chart.plain  # type: ignore[attr-defined]
        await press(pilot, "down", "down", "down")
        assert isinstance(app.screen, UnitsScreen)
        assert app.screen.cursor.layer == 1
        await press(pilot, "slash", *["backspace"] * 5, "enter")
        assert "layer 3" in app.screen.query_one("#map").chart.plain  # type: ignore[attr-defined]


async def test_a_filter_that_fits_no_layer_says_so_on_both_screens():
    app = app_on("dying-relu")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "g")
        await train(pilot, 3)
        await press(pilot, "slash", *typed("decoder"), "enter")
        assert "No layer's name fits the filter" in screen_text(app)
        await press(pilot, "u")
        assert "No layer's name fits the filter" in screen_text(app)
        await press(pilot, "down", "right", "n")
        assert app.crash is None


async def test_the_cross_hair_stands_on_one_step_on_both_screens_and_reads_its_values():
    app = app_on("dying-relu")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "g", "v")
        training = await train(pilot, 40)
        await press(pilot, "a", *["left_parenthesis"] * 10)
        step = training.looking.step
        assert step is not None
        assert 0 < step < 39
        history = training.first.history
        seen = history.record(history.nearest(step))
        assert f"at step {seen.step}" in screen_text(app)
        await press(pilot, "u")
        shown = screen_text(app)
        assert f" step {seen.step} " in shown
        assert f"layer 1 {100 * seen.zero_fraction[0]:.0f} %" in shown
        assert "│" in chart(app).split("\n")[2][1:-1]
        await press(pilot, "right_parenthesis")
        assert training.looking.step > step
        await press(pilot, "a")
        assert training.looking.step is None
        assert "unit 0 of layer 1" in screen_text(app)


async def test_the_cross_hair_stops_at_both_ends_and_waits_for_a_first_step():
    app = app_on("dying-relu")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "g", "a", "left_parenthesis")
        training = await train(pilot, 5)
        await press(pilot, *["left_parenthesis"] * 9)
        assert training.looking.step == 0
        await press(pilot, *["right_parenthesis"] * 9)
        assert "at step 4" in screen_text(app)


async def test_hundreds_of_parameters_are_blocks_that_unfold(tmp_path):
    app = BptuiApp(watched=WatchedLog(transformer_log(tmp_path)), personal=False)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        assert "layers.0 (3)" in chart(app)
        assert "Run" not in screen_text(app).splitlines()[-1]  # nobody can run a log
        await press(pilot, "slash", *typed("layers.1."), "enter")
        assert "layers.1 (3)" in chart(app)
        assert "embed" not in chart(app)
        await press(pilot, "H")
        assert "norm" in chart(app)
        await press(pilot, "H")
        assert "norm" not in chart(app)
        await press(pilot, "Z")
        assert "layers.11" in chart(app)
        assert chart(app).count("norm") >= 2


async def test_lines_that_could_not_be_read_are_listed_with_their_reasons(tmp_path):
    path = transformer_log(tmp_path, steps=2)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, '{"step": 7', '{"loss": 0.5}', ""]))
    app = BptuiApp(watched=WatchedLog(path), personal=False)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        await press(pilot, "exclamation_mark")
        shown = screen_text(app)
        assert "line 4" in shown
        assert "line 5" in shown
        assert "step" in shown


def test_one_frame_is_printed_without_a_terminal(tmp_path):
    result = run("watch", str(transformer_log(tmp_path)), "--once")
    assert result.exit_code == 0
    assert "layers.0" in result.stdout
    assert "\x1b" not in result.stdout


async def test_a_log_without_gradients_says_so_in_place_of_a_chart(tmp_path):
    path = tmp_path / "losses.jsonl"
    rows = "".join(f'{{"step": {step}, "loss": {1 / (1 + step)}}}\n' for step in range(3))
    path.write_text('{"format": "bptui-run", "version": 1}\n' + rows, "utf-8")
    app = BptuiApp(watched=WatchedLog(path), personal=False)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "The log holds no gradients." in screen_text(app))
