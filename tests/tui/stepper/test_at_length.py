"""In a large experiment every key that needs a pass is answered behind a line, with the same numbers."""

import threading

import numpy as np
import pytest
from textual.widgets import Static

from engine.autodiff.interruption import between_parts
from tests.tui.driver import LARGE, app_on, eventually, stepper
from tui.shell.busy_screen import BusyScreen
from tui.shell.home_screen import HomeScreen
from tui.shell.reading_screen import ReadingScreen
from tui.stepper.export_dialog import ExportDialog
from tui.stepper.predict_screen import PredictScreen
from tui.stepper.settings_screen import SettingsScreen
from tui.stepper.stepper_screen import StepperScreen
from tui.training.gradients_screen import GradientsScreen


@pytest.fixture(autouse=True)
def _all_are_large(monkeypatch):
    monkeypatch.setattr("tui.session.large_network.LARGE", -1)


def is_back(app) -> bool:
    return isinstance(app.screen, StepperScreen)


async def test_a_check_is_made_behind_a_line_and_then_shown():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        await pilot.press("c")
        await eventually(lambda: is_back(app) and stepper(app).gradient_check.checks)
        (check,) = stepper(app).gradient_check.checks.values()
        assert check.verdict == "good"


async def test_an_update_and_its_undoing_come_to_the_same():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        session = stepper(app).session
        before = {name: value.copy() for name, value in session.network.parameters.items()}
        loss = session.loss
        await pilot.press("w")
        await eventually(lambda: is_back(app) and stepper(app).shown_update is not None)
        assert session.loss < loss
        await pilot.press("z")
        await eventually(lambda: is_back(app) and session.updates == 0)
        assert session.loss == loss
        for name, value in before.items():
            np.testing.assert_array_equal(session.network.parameters[name], value)


@pytest.mark.parametrize(
    ("key", "screen"),
    [("enter", ReadingScreen), ("x", ReadingScreen), ("J", ReadingScreen), ("y", ExportDialog)],
)
async def test_pages_are_made_behind_a_line(key, screen):
    app = app_on("tutorial-b-wine")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        await pilot.press(key)
        await eventually(lambda: isinstance(app.screen, screen))
        await pilot.press("escape")
        await eventually(lambda: is_back(app))


async def test_a_written_derivation_is_composed_once_in_the_thread_and_fitted_to_every_width(monkeypatch):
    from engine.export import compose_derivation

    composed_by, compose = [], compose_derivation.compose

    def told(*arguments):
        composed_by.append(threading.current_thread())
        return compose(*arguments)

    monkeypatch.setattr(compose_derivation, "compose", told)
    app = app_on("tutorial-b-wine")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        await pilot.press("enter")
        await eventually(lambda: isinstance(app.screen, ReadingScreen))
        text = app.screen.query_one("#text", Static)
        await eventually(lambda: "Asked" in str(text.content))
        before = str(text.content)
        await pilot.resize_terminal(70, 40)
        await eventually(lambda: str(text.content) != before)
    assert len(composed_by) == 1
    assert composed_by[0] is not threading.main_thread()


async def test_what_the_first_chart_needs_is_made_in_the_thread(monkeypatch):
    from tui.session import single_run

    predicted_by, predict = [], single_run.predict

    def told(*arguments):
        predicted_by.append(threading.current_thread())
        return predict(*arguments)

    monkeypatch.setattr(single_run, "predict", told)
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        await pilot.press("g")
        await eventually(lambda: isinstance(app.screen, GradientsScreen) and app.screen._last is not None)
    assert len(predicted_by) == 1
    assert predicted_by[0] is not threading.main_thread()


async def test_another_sample_and_another_target():
    app = app_on("tutorial-b-wine")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        here = stepper(app).derivation.sample
        await pilot.press("semicolon")
        await eventually(lambda: is_back(app) and stepper(app).derivation.sample == here + 1)
        stepper(app).targets.differentiate("W[2][0,0]")
        await eventually(lambda: is_back(app) and stepper(app).derivation.target.plain() == "W[2][0,0]")
        stepper(app).targets.differentiate("dY_hat[0,3]/dW[1][0,0]")
        await eventually(lambda: is_back(app) and stepper(app).derivation.of.plain() == "Y_hat[0,3]")
        stepper(app).samples.choose(5)  # Ŷ of sample 3 does not depend on it: said, not raised
        await eventually(lambda: any("sample 3" in note.message for note in app._notifications))
        assert stepper(app).derivation.sample == 3


async def test_escape_ends_it_and_everything_is_as_it_was(monkeypatch):
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        session = stepper(app).session
        begun, check = threading.Event(), session.check

        def without_end(target):
            while True:
                check(target)
                begun.set()
                between_parts()

        monkeypatch.setattr(session, "check", without_end)
        before = {name: (node.value.copy(), node.grad.copy()) for name, node in session.graph.nodes.items()}
        await pilot.press("c")
        await eventually(begun.is_set)
        assert isinstance(app.screen, BusyScreen)
        await pilot.press("escape")
        await eventually(lambda: is_back(app))
        assert not stepper(app).gradient_check.shown
        for name, (value, gradient) in before.items():
            np.testing.assert_array_equal(session.graph.nodes[name].value, value)
            np.testing.assert_array_equal(session.graph.nodes[name].grad, gradient)


@pytest.mark.parametrize("key", ["w", "z"])
async def test_an_update_that_is_ended_was_not_made(key, monkeypatch):
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        session = stepper(app).session
        if key == "z":
            session.update(())
        updates, loss = session.updates, session.loss
        begun, forward = threading.Event(), session.graph.forward

        def without_end() -> float:
            begun.set()
            while True:
                between_parts()

        def once() -> float:  # what puts things back runs as ever
            monkeypatch.setattr(session.graph, "forward", forward)
            return without_end()

        monkeypatch.setattr(session.graph, "forward", once)
        await pilot.press(key)
        await eventually(begun.is_set)
        await pilot.press("escape")
        await eventually(lambda: is_back(app))
        assert session.updates == updates
        assert session.loss == loss


async def test_opening_is_done_behind_a_line_and_can_be_ended(monkeypatch):
    monkeypatch.setattr("tui.session.opening.LONG_TO_OPEN", 0)
    begun, gate = threading.Event(), threading.Event()

    import tui.session.network_session as session_module

    opened = session_module.opened_ready

    def slowly(name):
        begun.set()
        gate.wait(60.0)
        return opened(name)

    monkeypatch.setattr(session_module, "opened_ready", slowly)
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: isinstance(app.screen, HomeScreen))
        app.opened.open("tutorial-b")
        await eventually(begun.is_set)
        await pilot.press("escape")  # shares nothing: it is not waited for
        await eventually(lambda: isinstance(app.screen, HomeScreen))
        gate.set()
        app.opened.open("tutorial-b")
        await eventually(lambda: is_back(app))


async def test_a_training_is_prepared_behind_a_line_and_stepped_into():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        loss = stepper(app).session.loss
        await pilot.press("g")
        await eventually(lambda: isinstance(app.screen, GradientsScreen))
        training = app.screen.training
        await pilot.press("full_stop")
        await eventually(lambda: training.runs[0].steps_done == 1 and isinstance(app.screen, GradientsScreen))
        await pilot.press("s")
        await eventually(lambda: is_back(app))
        assert stepper(app).session.steps == 1
        assert stepper(app).session.loss < loss


async def test_a_long_step_holds_up_no_key(monkeypatch):
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        await pilot.press("g")
        await eventually(lambda: isinstance(app.screen, GradientsScreen))
        screen = app.screen
        training = screen.training
        run = training.runs[0]
        begun, gate, advance = threading.Event(), threading.Event(), run.advance

        def slowly() -> bool:
            begun.set()
            gate.wait(60.0)
            return advance()

        monkeypatch.setattr(run, "advance", slowly)
        await pilot.press("space")
        await eventually(begun.is_set)
        await pilot.press("m")
        await eventually(
            lambda: "waiting for the present step" in str(screen.query_one("#progress").render())
        )
        await pilot.press("space")
        assert not training._worker.running
        assert run.steps_done == 0
        gate.set()
        await eventually(lambda: run.steps_done == 1)
        await eventually(lambda: "waiting" not in str(screen.query_one("#progress").render()))


async def test_the_stepper_is_prepared_behind_a_line_where_another_screen_comes_first():
    app = app_on("vanishing-sigmoid-50")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: isinstance(app.screen, GradientsScreen))
        await pilot.press("full_stop")
        await eventually(
            lambda: isinstance(app.screen, GradientsScreen) and app.screen.training.runs[0].steps_done == 1
        )
        await pilot.press("s")
        await eventually(lambda: is_back(app))
        assert stepper(app).session.steps == 1
        await eventually(lambda: stepper(app).came_from == "gradients")


async def test_another_setting_is_tried_behind_a_line():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        session = stepper(app).session
        loss = session.loss
        await pilot.press("N")
        await eventually(lambda: isinstance(app.screen, SettingsScreen))
        form = app.screen
        key = "network.layers[0].activation"
        assert form._problem(key, "nonsense") is not None
        assert form._problem(key, "tanh") is None
        assert session.loss == loss  # it was only read
        form._typed(key, "tanh")
        await eventually(lambda: app.screen is form and session.loss != loss)
        session.undo()
        assert session.loss == loss


async def test_a_setting_that_is_ended_was_not_made(monkeypatch):
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        session = stepper(app).session
        loss, begun = session.loss, threading.Event()

        def without_end():
            while True:
                begun.set()
                between_parts()

        monkeypatch.setattr(session, "_run", without_end)
        await pilot.press("N")
        await eventually(lambda: isinstance(app.screen, SettingsScreen))
        form = app.screen
        form._typed("network.layers[0].activation", "tanh")
        await eventually(begun.is_set)
        monkeypatch.undo()
        await pilot.press("escape")
        await eventually(lambda: app.screen is form)
        assert session.experiment.network.layers[0].activation == "relu"
        assert session.loss == loss
        assert session.undoes is None


async def test_predict_asks_behind_a_line():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await eventually(lambda: is_back(app))
        await pilot.press("p")
        await eventually(lambda: isinstance(app.screen, PredictScreen))
        assert app.screen.prediction.place == 0
        await pilot.press("escape")
        await eventually(lambda: type(app.screen) is StepperScreen)
