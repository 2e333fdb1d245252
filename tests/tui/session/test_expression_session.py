"""An expression that is open: its numbers are edited, undone and saved, and any result is differentiated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.derivation.targets import TargetError
from engine.experiment.errors import ExperimentError
from engine.experiment.presets import EXPRESSION_PRESETS
from engine.formula.parser import parse_symbol
from tui.session.expression_session import ExpressionSession
from tui.session.network_session import NetworkSession
from tui.session.opening import open_session
from tui.session.session_base import EDIT


def opened(name: str, **view: object) -> ExpressionSession:
    session = open_session(name, view)
    assert isinstance(session, ExpressionSession)
    return session


def numbers(session: ExpressionSession) -> dict[str, tuple[float, float]]:
    nodes = [node for node in session.graph.nodes.values() if node.needs_gradient]
    return {node.symbol.plain(): (float(node.value[0, 0]), float(node.grad[0, 0])) for node in nodes}


@pytest.mark.parametrize("name", EXPRESSION_PRESETS)
def test_every_preset_opens_on_the_number_that_changes_the_result_most(name: str):
    session = opened(name)
    largest = max(abs(session.graph.nodes[one].grad[0, 0]) for one in session.expression.variables)
    assert abs(session.explain(session.first_target()).value) == largest


def test_micrograd_s_numbers_are_those_of_its_readme():
    session = opened("micrograd")
    assert session.graph.value_of(parse_symbol("g")) == pytest.approx(24.7041, abs=5e-5)
    assert session.explain(parse_symbol("a")).value == pytest.approx(138.8338, abs=5e-5)
    assert session.explain(parse_symbol("b")).value == pytest.approx(645.5773, abs=5e-5)


@given(a=st.floats(-3, 3), b=st.floats(-3, 3))
def test_what_is_edited_is_undone_and_saved_exactly(
    a: float, b: float, tmp_path_factory: pytest.TempPathFactory
):
    session = opened("micrograd")
    before = numbers(session)
    session.edit([(parse_symbol("a"), a), (parse_symbol("b"), b)])
    assert session.undoes == EDIT
    path = tmp_path_factory.mktemp("saved") / "mine.toml"
    path.write_text(session.written(), encoding="utf-8")
    assert repr(numbers(opened(str(path)))) == repr(numbers(session))
    assert session.undo()
    assert numbers(session) == before
    assert not session.undo()


def test_an_inner_result_can_be_differentiated_and_stays_so_over_an_edit():
    session = opened("micrograd")
    session.differentiate(parse_symbol("c0"))
    assert session.explain(parse_symbol("a")).value == 1
    session.edit([(parse_symbol("a"), 3.0)])
    assert session.stepped.differentiated == parse_symbol("c0")


def test_what_is_computed_is_not_set():
    with pytest.raises(TargetError, match="cannot set c0: it is computed, not given; choose one of a, b"):
        opened("micrograd").edit([(parse_symbol("c0"), 1.0)])


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        ({"screen": "gradients"}, "opens in the stepper only"),
        ({"target": "nowhere"}, "view: "),
        ({"target": "(("}, "view.target: "),
        ({"step": 99}, "view.step: found 99"),
    ],
)
def test_a_view_that_it_does_not_have_is_refused_in_one_line(view: dict[str, object], problem: str):
    with pytest.raises(ExperimentError) as caught:
        opened("micrograd", **view)
    assert problem in str(caught.value)


def test_a_network_is_opened_as_a_network():
    assert isinstance(open_session("xor"), NetworkSession)
