"""The screens that watch a training, key by key: why nothing is learnt, who died, how to the stepper and back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from engine.diagnosis.diagnosis import diagnose
from engine.diagnosis.remedy_trial import confirmed
from engine.diagnosis.run_observer import RunObserver
from engine.experiment.loading import load_experiment
from engine.training.trainer import Trainer
from tests.engine.diagnosis.diagnosed import CASES
from tests.tui.driver import LARGE, SMALL, app_on, press, screen_text, stepper, until
from tests.tui.experiments import session_of
from tests.tui.trainings import LONG_PATIENCE, SMALL_NET, reached, train, training_of, training_threads
from tui.app import BptuiApp
from tui.session.network_session import NetworkSession
from tui.session.training_run import State
from tui.session.training_snapshot import Wanted
from tui.shell.home_screen import HomeScreen
from tui.shell.notices import NOTICE_SECONDS
from tui.shell.too_small import SMALLEST
from tui.stepper.stepper_screen import StepperScreen
from tui.stepper.traversal import Phase
from tui.training.chart_view import ChartView
from tui.training.gradient_charts import DELTA, GRADIENT_METRICS, L2, MAX, View
from tui.training.gradients_screen import GradientsScreen
from tui.training.units_screen import UnitsScreen

VANISHING = "vanishing-sigmoid-50"
TRIED_RATE = "(train.learning_rate = 0.000306774) F tries it."
ON_FROM_THERE = "Finished before: it goes on from there, for as many steps again."


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert not training_threads()


def gradients(app: BptuiApp) -> GradientsScreen:
    assert isinstance(app.screen, GradientsScreen)
    return app.screen


def units(app: BptuiApp) -> UnitsScreen:
    assert isinstance(app.screen, UnitsScreen)
    return app.screen


def sentences(app: BptuiApp) -> str:
    """The screen's words, in which a sentence that wraps in a box is one sentence."""
    return " ".join(screen_text(app).replace("│", " ").split())


def notes(app: BptuiApp) -> list[str]:
    return [notification.message for notification in app._notifications]


def small_app() -> BptuiApp:
    """The small network, full batch: the stepper and the trainer see the same samples."""
    return BptuiApp(session_of(SMALL_NET.replace("batch = 16\n", ""), "small"))


# ── the promise: the figure comes alive, ReLU over it, and which factor is to blame ─────────────────


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_three_keys_show_vanishing_gradients_the_cure_and_the_culprit(size):
    app = app_on(VANISHING)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "Press space to train" in screen_text(app)
        assert "slope of at most ¼" in sentences(app)
        training = training_of(app)
        training.first.trainer.limit = None  # or it might be finished before it is looked at
        await press(pilot, "space")
        await reached(pilot, lambda: training.first.steps_done >= 3)
        await reached(pilot, lambda: "Vanishing" in screen_text(app))
        assert "running" in screen_text(app)

        await press(pilot, "C")
        await reached(pilot, lambda: len(training.runs) == 2 and training.runs[1].steps_done >= 3)
        training.pause()
        assert training.runs[0].steps_done == training.runs[1].steps_done
        text = screen_text(app)
        assert "with relu" in text
        assert "▲" in text

        await press(pilot, "b")
        assert "The sigmoid is to blame: the weights alone would enlarge δ." in sentences(app)
    assert not training_threads()


async def test_the_factor_budget_is_the_records_own():
    app = app_on(VANISHING)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        training = await train(pilot, 2)
        await press(pilot, "b")
        said = re.search(
            r"δ changes by ([−+.\d]+) decades: weights ([−+.\d]+), activations ([−+.\d]+)\.", sentences(app)
        )
        assert said is not None
        record = training.first.record
        assert record is not None
        total, weights, activations = (float(number.replace("−", "-")) for number in said.groups())
        assert total == pytest.approx(np.log10(record.delta_l2[0] / record.delta_l2[-1]), abs=0.005)
        assert weights == pytest.approx(np.log10(record.weight_gain).sum(), abs=0.005)
        assert activations == pytest.approx(np.log10(record.activation_gain).sum(), abs=0.005)
        assert total == pytest.approx(weights + activations, abs=0.011)
        assert total < -20


async def test_the_verdict_compares_the_measured_slope_with_the_predicted_one_at_step_0():
    app = app_on(VANISHING)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        said = sentences(app).split("L2 norm changes by")[1].replace("−", "-")
        measured, predicted = re.findall(r"([-+]\d\.\d{3})", said)
        assert float(measured) == pytest.approx(float(predicted), abs=0.1)


# ── what is shown ───────────────────────────────────────────────────────────────────────────────────


async def test_views_go_round_and_every_one_draws_something_of_its_own():
    app = app_on(VANISHING)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        await train(pilot, 4)
        seen = []
        for view in View:
            assert gradients(app).view is view
            assert f"▸{view.value}" in screen_text(app)
            seen.append(app.screen.query_one("#chart").chart.plain)
            await press(pilot, "v")
        assert gradients(app).view is View.PROFILE
        assert len(set(seen)) == len(View)


async def test_the_metric_changes_what_the_bars_mean():
    app = app_on("relu-50")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        await train(pilot, 1)
        charts = []
        for metric in GRADIENT_METRICS:
            assert gradients(app).metric is metric
            charts.append(screen_text(app))
            await press(pilot, "m")
        assert gradients(app).metric is MAX
        assert len(set(charts)) == len(GRADIENT_METRICS)
        assert "dots: predicted for the initial weights" in charts[GRADIENT_METRICS.index(L2)]


async def test_the_cursor_walks_over_the_layers_and_shows_each_ones_numbers():
    app = small_app()
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "g")
        training = await train(pilot, 3)
        record = training.first.record
        for keys, layer in (
            ([], 1),
            (["right"], 2),
            (["right", "right", "right"], 3),
            (["left"], 2),
            (["home"], 1),
            (["end"], 3),
        ):
            await press(pilot, *keys)
            assert f" layer {layer} of 3 " in screen_text(app)
            assert f"zeros {100 * record.zero_fraction[layer - 1]:.0f} %" in screen_text(app)


async def test_exact_zeros_are_marked_and_explained():
    app = app_on("step-activation")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await train(pilot, 1)
        chart = app.screen.query_one("#chart").chart.plain
        assert re.search(r"┤ +0 +0 +█|│ +0 +0 +█", chart)
        assert "The gradient of layers 1 to 2 is exactly 0: no update changes it." in sentences(app)
        assert "The step of layer 2 multiplies δ by exactly 0." in sentences(app)


# ── controls ────────────────────────────────────────────────────────────────────────────────────────


async def test_space_trains_to_the_end_and_again_goes_on_for_as_many_steps():
    app = small_app()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "g", "space")
        training = training_of(app)
        await reached(pilot, lambda: training.state is State.FINISHED)
        await reached(pilot, lambda: "step 150 of 150" in screen_text(app))
        await reached(pilot, lambda: "finished" in screen_text(app))
        await press(pilot, "space")
        await reached(pilot, lambda: training.state is State.FINISHED)
        await reached(pilot, lambda: "step 300 of 300" in screen_text(app))


async def test_one_step_speed_and_learning_rate_keys():
    app = small_app()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "g", "full_stop", "full_stop")
        training = training_of(app)
        assert training.first.steps_done == 2
        assert "step 2 of 150" in screen_text(app)
        await press(pilot, "plus")
        assert training.first.trainer.learning_rate == 0.02
        assert "η 0.02" in screen_text(app)
        await press(pilot, "minus", "minus")
        assert training.first.trainer.learning_rate == 0.005
        await press(pilot, "less_than_sign", "less_than_sign")
        assert training.speed == 10
        await press(pilot, "full_stop")
        assert "slowed to 10/s" in screen_text(app)
        await press(pilot, "greater_than_sign", "greater_than_sign", "greater_than_sign")
        assert training.speed == float("inf")
        assert training.first.steps_done == 3


async def test_after_a_reset_nothing_is_left_of_the_units_that_were_counted():
    app = app_on("dying-relu")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        assert "Units: 2 dead, 0 quiet, of 49" in screen_text(app)
        await train(pilot, 3)
        assert "Units: 2 dead" not in screen_text(app)
        await press(pilot, "r")
        assert "Units: 2 dead, 0 quiet, of 49" in screen_text(app)
        assert "recovered" not in screen_text(app)
        assert "Press space to train" in screen_text(app)


async def test_reset_gives_the_same_run_and_reseed_another():
    app = small_app()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "g")
        training = await train(pilot, 5)
        loss = training.first.record.loss
        await press(pilot, "r")
        assert training.first.steps_done == 0
        assert "Press space to train" in screen_text(app)
        await train(pilot, 5)
        assert training.first.record.loss == loss
        await press(pilot, "R")
        assert "seed 4" in notes(app)
        await train(pilot, 5)
        assert training.first.record.loss != loss


async def test_a_run_that_explodes_stops_with_its_reason_and_can_be_gone_back_in():
    app = app_on("exploding-50")
    app.NOTIFICATION_TIMEOUT = (
        LONG_PATIENCE  # remedies are tried meanwhile: what is said is not to go before it is read
    )
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, "space")
        training = training_of(app)
        await reached(pilot, lambda: training.state is State.BROKEN)
        await reached(pilot, lambda: "Diverged" in screen_text(app))
        await reached(pilot, lambda: "stopped" in screen_text(app))  # the title follows with the next drawing
        assert "Step 2: f[2] of layer 2 became infinite" in sentences(app)
        assert "before it broke, step 1" in screen_text(app)
        for key in ("v", "v", "v", "m", "v", "v", "u", "g"):
            await press(pilot, key)
        await press(pilot, "space")
        await reached(pilot, lambda: any("r begins anew" in note for note in notes(app)))
        await press(pilot, "left_square_bracket")
        assert training.first.problem is None
        rose = "The loss over all data rose from 1.945e+07 to 3.032e+305"
        await reached(pilot, lambda: rose in sentences(app), patience=LONG_PATIENCE)
        assert "stopped" not in screen_text(app)


# ── travelling in time ──────────────────────────────────────────────────────────────────────────────


async def test_looking_back_shows_every_screen_as_it_was():
    app = app_on("dying-relu")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        frames = {}
        for step in (1, 2, 3):
            await train(pilot, 1)
            frames[step] = (app.screen.query_one("#map").chart.plain, training_of(app).first.record.loss)
        await train(pilot, 5)
        for step in (7, 6, 5, 4, 3, 2, 1):
            await press(pilot, "left_square_bracket")
            assert "looking back" in screen_text(app)
            assert f"step {step} of 200" in screen_text(app)
            if step in frames:
                assert app.screen.query_one("#map").chart.plain == frames[step][0]
                assert training_of(app).first.record.loss == frames[step][1]
        await press(pilot, *["right_square_bracket"] * 7)
        assert "step 8 of 200" in screen_text(app)
        assert "looking back" not in screen_text(app)


async def test_going_on_from_the_past_gives_the_same_numbers_again():
    app = small_app()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "g")
        training = await train(pilot, 12)
        loss = training.first.record.loss
        await press(pilot, *["left_square_bracket"] * 5)
        assert training.first.steps_done == 7
        await press(pilot, *["full_stop"] * 5)
        assert training.first.record.loss == loss
        assert "looking back" not in screen_text(app)


# ── to the stepper and back ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("keys", "layer"), [([], 1), (["right"], 2), (["end"], 3)])
async def test_enter_opens_the_stepper_on_the_layers_largest_gradient_at_the_present_weights(keys, layer):
    app = small_app()
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "g")
        training = await train(pilot, 7)
        await press(pilot, *keys, "enter")
        await reached(pilot, lambda: isinstance(app.screen, StepperScreen))
        derivation = stepper(app).derivation
        assert derivation.target.matrix.plain() == f"W[{layer}]"
        await press(pilot, "g")
        assert gradients(app).at_layer == layer - 1
        training.one_step()
        record = training.first.record
        assert abs(derivation.value) == pytest.approx(record.grad_max[layer - 1], rel=1e-12)
        assert stepper_loss(app) == pytest.approx(record.loss, rel=1e-12)


def stepper_loss(app: BptuiApp) -> float:
    return app.get_screen("stepper", StepperScreen).session.loss


async def test_after_a_reseed_the_stepper_explains_the_new_data_too():
    app = small_app()
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "g", "R")
        training = await train(pilot, 2)
        await press(pilot, "plus", "enter")
        await reached(pilot, lambda: isinstance(app.screen, StepperScreen))
        session = stepper(app).session
        training.one_step()
        assert session.loss == pytest.approx(training.first.record.loss, rel=1e-12)
        assert session.learning_rate == 0.02


async def test_the_stepper_at_a_moment_of_the_past():
    app = small_app()
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "g")
        training = await train(pilot, 4)
        losses = [training.first.history.record(step).loss for step in range(4)]
        await press(pilot, "left_square_bracket", "left_square_bracket", "enter")
        await reached(pilot, lambda: isinstance(app.screen, StepperScreen))
        assert stepper(app).session.loss == pytest.approx(losses[2], rel=1e-12)


async def test_opening_the_stepper_pauses_and_the_steppers_updates_leave_the_training_alone():
    app = small_app()
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "g", "space")
        training = training_of(app)
        await reached(pilot, lambda: training.first.steps_done > 3)
        await press(pilot, "enter")
        assert training.state is not State.RUNNING
        done = training.first.steps_done
        weights = [value.copy() for value in training.first.trainer.network.parameters.values()]
        await press(pilot, "u", "g")
        assert training.first.steps_done == done
        for before, now in zip(weights, training.first.trainer.network.parameters.values(), strict=True):
            np.testing.assert_array_equal(before, now)


async def test_notices_of_a_key_that_is_held_down_do_not_pile_up():
    """On the screen, that is: Textual's list is cleared at once, its boxes are not."""
    app = app_on(VANISHING)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await pilot.pause()
        for _ in range(30):
            app.simulate_key("plus")
        await pilot.pause(2 * NOTICE_SECONDS)
        await until(pilot, lambda: notes(app) == ["learning rate 1.074×10⁷"])
        await until(pilot, lambda: len(app.screen.query("Toast")) == 1)


# ── what is wrong, and what helps ───────────────────────────────────────────────────────────────────


def case_app(name: str) -> BptuiApp:
    return BptuiApp(NetworkSession.open(str(CASES / f"{name}.toml")), personal=False)


async def test_the_chart_is_there_before_the_first_step():
    app = app_on(VANISHING)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "profile, step 0: max |∂ℰ/∂W| by layer" in screen_text(app)
        assert screen_text(app).count("█") > 100
        assert "Not trained yet Press space to train" in sentences(app)


async def test_one_key_tries_the_remedy_beside_the_first_run():
    app = case_app("unscaled-regression")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "g", "space")
        training = training_of(app)
        await reached(pilot, lambda: "Step too long" in screen_text(app))
        await reached(pilot, lambda: TRIED_RATE in sentences(app), LONG_PATIENCE)
        await press(pilot, "F")
        await reached(pilot, lambda: training.state is State.BROKEN and len(training.runs) == 2)
        first, second = training.runs
        assert second.experiment.train.learning_rate == pytest.approx(1 / 3259.7, rel=1e-4)
        assert (first.problem is None, second.problem is None) == (False, True)
        await reached(pilot, lambda: "▲ with train.learning_rate = 0.000306774" in screen_text(app))


async def test_a_remedy_that_does_not_help_is_not_offered():
    """Weights of another size leave this one as it was: the report drops the change, and so does the screen."""
    app = case_app("vanishing-small-tanh")
    async with app.run_test(size=LARGE) as pilot:
        await press(pilot, "g", "space")
        training = training_of(app)
        await reached(
            pilot, lambda: training.state is State.FINISHED and training.first.diagnosis is not None
        )
        await reached(pilot, lambda: not training.first.diagnosis.untried, LONG_PATIENCE)
        kept = confirmed(training.first.observer.case(), diagnose(training.first.observer.case())).findings
        shown = training.first.diagnosis.findings
        assert [one.change for one in shown] == [one.change for one in kept]


async def test_what_keys_have_changed_stands_above_and_the_learning_rate_that_comes_back_is_told():
    app = app_on("dying-relu")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        await press(pilot, "L")
        await reached(pilot, lambda: "with leaky_relu" in screen_text(app))
        assert "ReLU units die while" not in screen_text(app)
        await press(pilot, "R", "plus")
        await reached(pilot, lambda: "with leaky_relu, seed 1" in screen_text(app))
        await reached(pilot, lambda: notes(app)[-1:] == ["learning rate 2"])
        await press(pilot, "r")
        await reached(pilot, lambda: notes(app)[-1:] == ["learning rate 1 again"])
        await press(pilot, "L", "s")
        await reached(pilot, lambda: isinstance(app.screen, StepperScreen))
        await reached(pilot, lambda: "seed 1" in screen_text(app))


async def test_space_at_the_end_says_that_it_goes_on():
    app = small_app()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "g")
        training = await train(pilot, 150)
        await reached(pilot, lambda: training.state is State.FINISHED)
        await press(pilot, "space")
        await reached(
            pilot,
            lambda: notes(app)[-1:] == ["Finished before: it goes on from there, for as many steps again."],
        )
        await reached(pilot, lambda: training.state is State.FINISHED)


async def test_where_nothing_can_be_tried_the_key_says_so():
    app = small_app()
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "g", "F")
        await until(pilot, lambda: "No finding here has a change that can be tried." in notes(app))


async def test_what_does_not_fit_is_counted_and_reached_by_scrolling():
    app = case_app("unscaled-regression")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "g", "space")
        await reached(pilot, lambda: "Diverged" in screen_text(app))
        await reached(pilot, lambda: re.search(r"↓ \d+ more lines", screen_text(app)))
        assert "Unscaled inputs" not in screen_text(app)
        await press(pilot, *["down"] * 30)  # more than there are lines: it stops at the end
        await reached(pilot, lambda: "data.standardize = true" in sentences(app))
        assert "↑" in screen_text(app)
        assert "more line" not in screen_text(app)


async def test_the_axis_is_logarithmic_or_linear():
    app = app_on(VANISHING)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "1e-2" in screen_text(app)
        await press(pilot, "A")
        assert "linear axis" in screen_text(app)
        assert "1e-" not in screen_text(app)
        chart = app.screen.query_one("#chart").chart.plain
        assert chart.split("\n")[3].count("█") <= 2  # only the last layers' bars are seen at all


async def test_one_step_has_one_set_of_numbers_on_every_screen():
    """Chart, stepper, units map and the report are of the same weights; Enter opens what the bar shows."""
    app = app_on("dying-relu")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        training = await train(pilot, 2)
        observer = RunObserver(Trainer(load_experiment("dying-relu")))
        for _ in range(2):
            observer.saw(observer.trainer.step())
        whole = observer.present()
        shown = training.snapshot().first
        np.testing.assert_array_equal(shown.record.grad_max, whole.record.grad_max)
        assert f"Units: {sum(whole.dead)} dead, 0 quiet" in screen_text(app)
        await press(pilot, "g")
        assert f"ℰ 17.36 → {whole.loss:.4g}" in screen_text(app)
        assert "profile, step 2" in screen_text(app)
        await press(pilot, "right", "enter")
        await reached(pilot, lambda: isinstance(app.screen, StepperScreen))
        session = stepper(app).session
        assert session.loss == whole.loss
        target = stepper(app).derivation.target
        assert target.matrix.plain() == "W[2]"
        assert abs(stepper(app).derivation.value) == pytest.approx(whole.record.grad_max[1], rel=1e-12)


async def test_of_delta_the_stepper_opens_on_delta():
    app = app_on("exploding-50")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        assert gradients(app).metric is DELTA
        await press(pilot, "enter")
        await reached(pilot, lambda: isinstance(app.screen, StepperScreen))
        assert stepper(app).derivation.target.matrix.plain() == "f[1]"


async def test_a_newcomer_finds_out_why_xor_does_not_learn_by_the_screen_alone():
    """The keys are those that the footers show: charts, run. 400 steps in place of 40,000: the plateau is reached."""
    app = case_app("xor-plateau")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "g Gradients" in screen_text(app)
        await press(pilot, "g")
        assert "Run" in screen_text(app)
        training = training_of(app)
        training.one_step(400)
        gradients(app).redraw()
        await reached(pilot, lambda: "Plateau" in screen_text(app) or "Learning" in screen_text(app))
        training.first.trainer.limit = 12_000
        await press(pilot, "space")
        await reached(pilot, lambda: training.state is State.FINISHED, patience=60.0)
        await reached(pilot, lambda: "Plateau" in screen_text(app))
        said = sentences(app)
        assert "Layer 1 says nearly the same of samples 2 and 3 (labels 1 and 0" in said
        assert "what one asks of the output the other takes back" in said


# ── units ───────────────────────────────────────────────────────────────────────────────────────────


async def test_in_the_smallest_window_an_event_still_says_what_happened():
    app = app_on("dying-relu")
    async with app.run_test(size=SMALLEST) as pilot:
        await pilot.pause()
        await train(pilot, 40)
        assert re.search(r"\d+ (died|recovered): unit \d", screen_text(app))


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_dying_relu_shows_who_died_and_when_and_the_stepper_shows_the_factor_that_is_0(size):
    app = app_on("dying-relu")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert units(app)
        training = await train(pilot, 40)
        activity = training.first.unit_activity()
        dead = sum(int(mask.sum()) for mask in activity.dead)
        assert f"Units: {dead} dead" in screen_text(app)
        assert re.search(r"step \d+: unit \d+ of layer \d died", screen_text(app))
        latest = activity.events[-1]
        assert str(latest)[:30] in screen_text(app)

        await press(pilot, "end", "n")
        cursor = units(app).cursor
        assert activity.dead[cursor.layer][cursor.unit]
        died_at = activity.died_at[cursor.layer][cursor.unit]
        assert f"dead since step {died_at}, 0 for every sample" in screen_text(app)

        await press(pilot, "enter")
        await reached(pilot, lambda: "ReLU is off" in screen_text(app))
        position, derivation = stepper(app).position, stepper(app).derivation
        assert derivation.target.plain().startswith(f"f[{cursor.layer + 1}][{cursor.unit},")
        assert position.phase is Phase.BACKWARD
        assert derivation[position.index].term.local == 0.0
        await press(pilot, "u")
        assert units(app).cursor == cursor


async def test_n_goes_through_all_the_dead_and_round():
    app = app_on("dying-relu")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        training = await train(pilot, 2)
        dead = [
            (layer, int(unit))
            for layer, mask in enumerate(training.snapshot(Wanted(units=True)).first.activity.dead)
            for unit in np.flatnonzero(mask)
        ]
        seen = []
        for _ in range(len(dead) + 1):
            await press(pilot, "n")
            seen.append((units(app).cursor.layer, units(app).cursor.unit))
        assert sorted(seen[:-1]) == dead
        assert seen[-1] == seen[0]


async def test_leaky_relus_recover_and_their_slope_can_be_changed():
    app = app_on("dying-relu")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, "right_curly_bracket")
        await until(pilot, lambda: any("No layer is a leaky ReLU" in note for note in notes(app)))
        training = await train(pilot, 40)
        dead_before = int(training.first.record.dead.sum())
        await press(pilot, "L")
        assert training.first.steps_done == 0
        assert training.first.trainer.slope == 0.01
        await train(pilot, 40)
        assert int(training.first.record.dead.sum()) == 0 < dead_before
        assert "No unit has died." in screen_text(app)
        await press(pilot, "right_curly_bracket")
        assert training.first.trainer.slope == 0.02
        await press(pilot, "left_curly_bracket", "left_curly_bracket")
        assert training.first.trainer.slope == 0.005
        assert "slope 0.005" in screen_text(app)
        await press(pilot, "L")
        assert training.first.trainer.slope is None


async def test_i_begins_anew_with_the_next_initialisation_and_fewer_die():
    app = app_on("dying-relu")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        training = await train(pilot, 40)
        dead = int(training.first.record.dead.sum())
        await press(pilot, "i")
        assert training.first.experiment.network.init.scheme == "he"
        assert "initialised with he" in notes(app)
        await train(pilot, 40)
        assert int(training.first.record.dead.sum()) < dead / 2


async def test_a_map_of_fifty_layers_scrolls_with_the_cursor():
    app = app_on("relu-50")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "u")
        await train(pilot, 1)
        await press(pilot, *["down"] * 3)
        assert units(app).cursor.layer == 3
        units(app).action_move(60, 0)
        assert units(app).cursor.layer == 50
        assert "layer 51" in app.screen.query_one("#map").chart.plain
        await press(pilot, "up")
        assert units(app).cursor.layer == 49


# ── coming and going ────────────────────────────────────────────────────────────────────────────────


async def test_escape_goes_home_and_ends_the_thread():
    app = app_on(VANISHING)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, "space")
        await reached(pilot, training_threads)
        await press(pilot, "escape")
        assert isinstance(app.screen, HomeScreen)
        assert not training_threads()


async def test_switching_experiments_leaves_nothing_of_the_first_behind():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        widgets = None
        for name in ("dying-relu", "tutorial-a", "dying-relu"):
            app.opened.open(name)
            await pilot.pause()
            if isinstance(app.screen, StepperScreen):
                await press(pilot, "g")
            assert training_of(app).first.name == name
            assert training_of(app).first.steps_done == 0
            await press(pilot, "space")
            await press(pilot, "enter")
            await press(pilot, "u", "escape")
            await reached(pilot, lambda: isinstance(app.screen, HomeScreen))
            await reached(pilot, lambda: not training_threads())
            if widgets is not None:
                await reached(pilot, lambda most=widgets: len(app._registry) <= most)
            widgets = len(app._registry)


async def test_enter_pressed_twice_opens_once():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        app.opened.open("tutorial-a")
        app.opened.open("tutorial-b")
        await pilot.pause()
        assert stepper(app).session.name == "tutorial-a"


async def test_a_key_that_leaves_before_the_stepper_is_drawn_does_no_harm():
    app = app_on("dying-relu")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await train(pilot, 2)
        for key in ("enter", "escape", "escape"):
            app.simulate_key(key)
        await pilot.pause()
        await reached(pilot, lambda: isinstance(app.screen, HomeScreen))
    assert app.crash is None


async def test_quitting_while_it_trains_ends_in_good_order():
    app = app_on(VANISHING)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, "space")
        await pilot.press("q")
    assert app.crash is None
    assert not training_threads()


async def test_a_hidden_screen_draws_nothing_and_catches_up():
    app = app_on("dying-relu")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        training = await train(pilot, 2)
        await press(pilot, "g")
        await press(pilot, "full_stop")
        await press(pilot, "u")
        await reached(pilot, lambda: "step 3 of 200" in screen_text(app))
        assert training.first.steps_done == 3


# ── terminals ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["leaky-slope-1", "dying-relu"])
async def test_in_ascii_mode_nothing_but_ascii_is_drawn(name):
    app = app_on(name, ascii_only=True)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        await train(pilot, 3)
        for key in ("v", "v", "v", "m", "c", "space", "u", "n", "g"):
            await press(pilot, key)
            for chart in app.screen.query("ChartView").results():
                assert chart.chart.plain.isascii()  # type: ignore[attr-defined]
        frame = app.export_screenshot()
        drawn = re.sub(r"&#160;|<[^>]*>|<style.*?</style>", "", frame, flags=re.DOTALL)
        assert drawn.isascii()


async def test_no_color_tells_everything_without_colours(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_on(VANISHING)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert app.no_color
        await train(pilot, 2)
        await press(pilot, "C")
        await reached(pilot, lambda: "with relu" in screen_text(app))
        training_of(app).pause()
        assert {"█", "▲"} <= set(app.screen.query_one("#chart").chart.plain)
        await press(pilot, "b")
        assert {"●", "■"} <= set(app.screen.query_one("#chart").chart.plain)
        assert "to blame" in sentences(app)


def test_experiments_about_gradients_open_with_them():
    from tui.session.network_session import first_screen

    assert first_screen(NetworkSession.open(VANISHING)) == "gradients"
    assert first_screen(NetworkSession.open("dying-relu")) == "relu"
    assert first_screen(NetworkSession.open("tutorial-a")) == "stepper"


async def test_where_there_is_room_the_loss_stands_beside_the_chart():
    app = app_on("xor")
    async with app.run_test(size=(200, 60)) as pilot:
        await press(pilot, "g", "full_stop", "full_stop")
        await until(pilot, lambda: "ℰ by step" in screen_text(app))
        loss = gradients(app).query_one("#loss", ChartView)
        assert any("⠁" <= character <= "⣿" for character in loss.chart.plain)
        await pilot.resize_terminal(*LARGE)
        await until(pilot, lambda: "ℰ by step" not in screen_text(app))
