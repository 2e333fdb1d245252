"""The network as a chain of matrices: what is given as numbers, what is to be found as names, within the width."""

from __future__ import annotations

import pytest

from engine.autodiff.graph import Array, Node
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.loading import load_experiment
from engine.formula.notation import Style
from tests.tui.driver import app_on, press, screen_text, typed, until
from tui.practice.network_blocks import network_blocks
from tui.practice.practice_screen import PracticeScreen


def chain(name: str, width: int = 96, *, numbers: bool = False, ascii: bool = False) -> str:
    graph = EvaluatedExperiment.of(load_experiment(name), name).graph
    return network_blocks(graph, Style(ascii=ascii), width, numbers=numbers).plain


def test_what_is_given_is_a_number_and_what_is_computed_a_name():
    text = chain("tutorial-b")
    assert "⎡  0.1  −0.4 ⎤" in text
    assert "f⁽¹⁾₁₀" in text
    assert "0.5195" not in text  # Ŷ
    assert text.index("X") < text.index("W⁽¹⁾") < text.index("f⁽¹⁾") < text.index("ℰ")


def test_with_numbers_and_gradients_every_entry_is_there():
    graph = EvaluatedExperiment.of(load_experiment("tutorial-b"), "tutorial-b").graph

    def gradient_of(node: Node) -> Array | None:
        return node.grad if node.grad.shape == node.shape else None  # Y has none

    text = network_blocks(graph, Style(), 96, numbers=True, gradient=gradient_of).plain
    assert "0.5195" in text
    assert "0.1922" in text


@pytest.mark.parametrize("name", ["tutorial-b", "batch-norm", "residual-fork", "vanishing-sigmoid-50"])
def test_it_fits_the_width(name):
    for width in (60, 96):
        assert max(map(len, chain(name, width).splitlines())) <= width
    assert chain(name, ascii=True).isascii()


async def test_on_a_wide_screen_the_network_the_record_and_what_was_found_stand_beside_the_question():
    app = app_on()
    async with app.run_test(size=(200, 60)) as pilot:
        await press(pilot, "P")
        await until(pilot, lambda: isinstance(app.screen, PracticeScreen))
        await press(pilot, "f8", *typed("-Y/Y_hat + (1-Y)/(1-Y_hat)"), "enter", "f8")
        await until(pilot, lambda: "found before, in A1" in screen_text(app))
        text = screen_text(app)
        assert "The network" in text
        assert "How it goes" in text
        assert "1 of 66 answered, 1 of them at once" in text
        assert "0.6457" not in text  # Ŷ: this question asks for −1/Ŷ
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: "How it goes" not in screen_text(app))
