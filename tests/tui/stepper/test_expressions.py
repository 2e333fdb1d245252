"""Expressions in the stepper: the same keys, without what needs a network."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from engine.formula.parser import parse_symbol
from tests.tui.driver import app_on, press, screen_text, stepper, until
from tui.app import BptuiApp
from tui.session.opening import open_session
from tui.stepper.expression_diagram import columns_of, moved_in_diagram
from tui.stepper.network_map_screen import ExpressionMapScreen
from tui.stepper.predict_screen import PredictScreen
from tui.stepper.traversal import Detail, Phase


def app_with(name: str, *, ascii_only: bool = False) -> BptuiApp:
    return BptuiApp(open_session(name), ascii_only=ascii_only, personal=False)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize("name", ["micrograd", "circuit-max"])
async def test_every_position_is_shown(name: str, size: tuple[int, int]):
    app = app_with(name)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "Result" in screen_text(app))
        screen = stepper(app)
        position = screen.traversal.first()
        while position != screen.position:
            screen.go(position)
            position = screen.traversal.move(position, 1, Detail.TERM)
        assert screen.position.phase is Phase.BACKWARD
        assert screen.position.index == screen.traversal.last().index
        await press(pilot, "home")
        assert screen.position.phase is Phase.FORWARD


async def test_the_gradients_of_micrograd_are_on_the_screen():
    app = app_with("micrograd")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "g = 24.7" in screen_text(app))
        await press(pilot, "end")
        await until(pilot, lambda: "∂646" in screen_text(app))
        assert "645.6" in screen_text(app)


async def test_a_number_of_it_is_edited_and_taken_back():
    app = app_with("circuit-sum-product")
    async with app.run_test() as pilot:
        await pilot.pause()
        await press(pilot, "e")
        await until(pilot, lambda: app.screen.query(Input))
        app.screen.query_one(Input).value = "x = 7"
        await press(pilot, "enter")
        await until(pilot, lambda: "edited" in screen_text(app))
        assert stepper(app).session.graph.value_of(parse_symbol("x")) == 7
        await press(pilot, "z")
        await until(pilot, lambda: "edited" not in screen_text(app).split("\n")[0])


@pytest.mark.parametrize("key", ["w", "g", "u", "N", "x"])
async def test_keys_that_need_a_network_say_so(key: str):
    app = app_with("circuit-max")
    async with app.run_test() as pilot:
        await pilot.pause()
        before = stepper(app).position
        await press(pilot, key)
        await until(pilot, lambda: app._notifications)
        assert stepper(app).is_current
        assert stepper(app).position == before


async def test_it_is_opened_from_the_list():
    app = app_on()
    async with app.run_test() as pilot:
        await pilot.pause()
        app.opened.open("micrograd")
        await until(pilot, lambda: "micrograd" in screen_text(app).split("\n")[0])
        await press(pilot, "escape")
        await until(pilot, lambda: "Choose an experiment" in screen_text(app))


def test_a_column_holds_what_is_as_far_from_the_given_numbers():
    graph = open_session("circuit-sum-product").graph
    names = [[node.symbol.plain() for node in column] for column in columns_of(graph)]
    assert names == [["x", "y", "z"], ["q1"], ["q2"]]


async def test_a_network_whose_first_result_is_differentiated_has_no_forward_phase():
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        await pilot.pause()
        screen = stepper(app)
        screen.session.differentiate(parse_symbol("f[1][0,0]"))
        screen.targets.explain(parse_symbol("W[1][0,0]"))
        for key in ("home", "left", "tab", "end"):
            await press(pilot, key)
        await press(pilot, "home")
        assert screen.position.phase is Phase.LOSS


def test_every_node_but_the_result_is_reached_by_moving_on_the_map():
    for name in ("micrograd", "circuit-neuron", "cosine-exponential-chain"):
        graph = open_session(name).graph
        reached = {columns_of(graph)[0][0].symbol}
        waiting = list(reached)
        while waiting:
            here = waiting.pop()
            for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                if (there := moved_in_diagram(graph, here, *step)) not in reached:
                    reached.add(there)
                    waiting.append(there)
        shown = {node.symbol for column in columns_of(graph) for node in column}
        assert reached == shown - {graph.loss.symbol}


async def test_the_map_chooses_what_to_differentiate_by_and_edits():
    app = app_with("circuit-sum-product")
    async with app.run_test() as pilot:
        await pilot.pause()
        await press(pilot, "M", "down", "down")
        await until(
            pilot, lambda: isinstance(app.screen, ExpressionMapScreen) and "∂q₂/∂z = 3" in screen_text(app)
        )
        await press(pilot, "e")
        await until(pilot, lambda: app.screen.query(Input))
        app.screen.query_one(Input).value = "1"
        await press(pilot, "enter")
        await until(pilot, lambda: "z = 1 " in screen_text(app))
        await press(pilot, "right")
        await until(pilot, lambda: "∂q₂/∂q₁ = 1" in screen_text(app))
        await press(pilot, "enter")
        await until(pilot, lambda: stepper(app).is_current)
        assert stepper(app).derivation.target == parse_symbol("q1")


async def test_every_factor_of_an_expression_is_predicted():
    app = app_with("circuit-neuron")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        stepper(app).go_to("x0")
        await press(pilot, "p")
        await until(
            pilot, lambda: isinstance(app.screen, PredictScreen) and "Factor 1 of 4" in screen_text(app)
        )
        text = screen_text(app)
        assert "constant" not in text
        assert "0.1966" not in text  # the first factor
        for answer in ("σ(f)(1 − σ(f))", "1", "1", "w0", "σ(f)(1-σ(f))*w_0", "0.3932"):
            app.screen.query_one(Input).value = answer
            await press(pilot, "enter")
        assert "All done: 5 of 5 right, 5 at once" in screen_text(app)


async def test_another_result_than_the_last_is_predicted_as_well():
    app = app_with("circuit-sum-product")
    async with app.run_test() as pilot:
        await pilot.pause()
        stepper(app).go_to("dq1/dx")
        await press(pilot, "p")
        await until(pilot, lambda: isinstance(app.screen, PredictScreen) and "∂q₁/∂x = ?" in screen_text(app))
        app.screen.query_one(Input).value = "1"
        await press(pilot, "enter")
        assert "All done" in screen_text(app)
