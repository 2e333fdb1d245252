"""A network that is edited while it is open: undone exactly, refused as a file is, and saved to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.derivation.targets import TargetError
from engine.experiment.errors import ExperimentError
from engine.formula.expression import Symbol
from engine.formula.parser import parse_symbol
from tui.session.network_session import NetworkSession

AFFINE = """
dtype = "float32"
[data]
kind = "moons"
n = 12
test_share = 0.25
[network]
bias = true
weights = "out_in"
[[network.layers]]
units = 3
activation = "leaky_relu"
norm = "batch"
affine = true
[[network.layers]]
units = 1
activation = "sigmoid"
[loss]
kind = "bce"
l2 = 0.01
"""


def gradients(session: NetworkSession) -> dict[str, bytes]:
    """The bits of every value and gradient."""
    nodes = session.graph.nodes.values()
    return {node.symbol.plain(): node.value.tobytes() + node.grad.tobytes() for node in nodes}


def reopened(session: NetworkSession, folder: Path) -> NetworkSession:
    path = folder / "saved.toml"
    path.write_text(session.written(), encoding="utf-8")
    return NetworkSession.open(str(path))


def set_to(session: NetworkSession, name: str, number: float) -> None:
    session.edit([(parse_symbol(name), number)])


@settings(max_examples=25, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", ["tutorial-b", "xor", "batch-norm", "affine"])
def test_what_is_edited_and_saved_opens_with_the_same_gradients_to_the_last_bit(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
):
    folder = tmp_path_factory.mktemp("edited")
    if name == "affine":
        (folder / "affine.toml").write_text(AFFINE, encoding="utf-8")
        name = str(folder / "affine.toml")
    session = NetworkSession.open(name)
    given_names = [node for node in session.graph.nodes.values() if node.op is None]
    states = [gradients(session)]
    for _ in range(data.draw(st.integers(1, 4))):
        node = data.draw(st.sampled_from(given_names))
        index = tuple(data.draw(st.integers(0, size - 1)) for size in node.shape)
        number = data.draw(st.floats(0, 1) if node.symbol == Symbol("Y") else st.floats(-5, 5))
        session.edit([(node.entry(index), number)])
        states.append(gradients(session))
    assert gradients(reopened(session, folder)) == states[-1]
    for state in reversed(states[:-1]):
        assert session.undo()
        assert gradients(session) == state
    assert not session.undo()
    assert not session.edited


def test_settings_are_changed_and_undone_with_the_weights_kept(tmp_path: Path):
    session = NetworkSession.open("tutorial-b")
    set_to(session, "W[1][0,0]", 0.75)
    before = gradients(session)
    for key, typed in [
        ("network.layers[0].activation", "tanh"),
        ("loss.kind", "squared_error"),
        ("loss.half", "false"),
        ("train.optimizer", "adam"),
        ("train.learning_rate", "1/4"),
    ]:
        session.change(key, typed)
    assert session.graph.value_of(parse_symbol("W[1][0,0]")) == 0.75
    assert session.learning_rate == 0.25
    session.update(())
    assert gradients(reopened(session, tmp_path)) == gradients(session)
    for _ in range(6):
        assert session.undo()
    assert gradients(session) == before
    assert session.by_hand.settings.optimizer == "sgd"


def test_an_update_that_adam_made_is_undone_with_what_it_remembers():
    session = NetworkSession.open("tutorial-b")
    session.change("train.optimizer", "adam")
    session.update(())
    remembered = gradients(session), session.by_hand.memory()
    session.change("train.optimizer", "sgd")
    session.undo()
    session.update(())
    twice = gradients(session)
    session.undo()
    assert gradients(session) == remembered[0]
    for name, states in session.by_hand.memory().states.items():
        for now, then in zip(states, remembered[1].states[name], strict=True):
            np.testing.assert_array_equal(now, then)
    session.update(())
    assert gradients(session) == twice


@pytest.mark.parametrize(
    ("name", "number", "problem"),
    [
        ("Y[0,0]", 2.0, "tutorial-b: data.Y[0][0]: found 2.0; expected a label from 0 to 1 for bce"),
        ("f[1][0,0]", 1.0, "it is computed, not given; choose one of"),
        ("Q[1]", 1.0, "there is no such matrix here"),
        ("W[1]", 1.0, "say which entry to set, such as W[1][0,0]"),
        ("W[1][9,0]", 1.0, "W[1][9,0] is outside W[1], which is 3×2: rows 0 to 2, columns 0 to 1"),
    ],
)
def test_what_cannot_be_set_is_told_in_one_line_and_nothing_changes(name: str, number: float, problem: str):
    session = NetworkSession.open("tutorial-b")
    before = gradients(session)
    with pytest.raises((ExperimentError, TargetError)) as caught:
        session.edit([(parse_symbol("W[1][0,0]"), 7.0), (parse_symbol(name), number)])
    assert problem in str(caught.value)
    assert gradients(session) == before
    assert session.undoes is None


def test_a_label_of_several_classes_is_changed_in_one_edit(tmp_path: Path):
    path = tmp_path / "classes.toml"
    path.write_text(
        '[data]\nkind = "inline"\nX = [[1.0]]\nY = [[1.0], [0.0]]\n[[network.layers]]\nunits = 2\n'
        'activation = "softmax"\n[loss]\nkind = "cross_entropy"\n',
        encoding="utf-8",
    )
    session = NetworkSession.open(str(path))
    with pytest.raises(ExperimentError, match="columns that sum to 1"):
        set_to(session, "Y[0,0]", 0.0)
    session.edit([(parse_symbol("Y[0,0]"), 0.0), (parse_symbol("Y[1,0]"), 1.0)])
    assert session.graph.value_of(parse_symbol("Y[1,0]")) == 1.0


def test_a_number_that_float32_cannot_hold_is_refused(tmp_path: Path):
    path = tmp_path / "affine.toml"
    path.write_text(AFFINE, encoding="utf-8")
    with pytest.raises(ExperimentError, match=r"W\[1\]\[0,0\]: found 1e\+300; expected a number that dtype"):
        set_to(NetworkSession.open(str(path)), "W[1][0,0]", 1e300)


def test_a_training_begins_with_what_is_edited_and_so_does_its_reset():
    session = NetworkSession.open("tutorial-b")
    first = session.training
    set_to(session, "W[1][0,0]", 0.75)
    training = session.training
    assert training is not first
    training.one_step(3)
    training.restart()
    assert training.first.trainer.network.parameters[Symbol("W", 1)][0, 0] == 0.75
    session.close()


def test_another_output_stays_differentiated_over_an_edit():
    session = NetworkSession.open("tutorial-b")
    session.differentiate(parse_symbol("f[1][0,0]"))
    set_to(session, "X[0,0]", 3.0)
    assert session.explain(parse_symbol("W[1][0,0]")).value == 3.0
    session.undo()
    assert session.explain(parse_symbol("W[1][0,0]")).value == 1.0


def test_edits_that_can_be_undone_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch):
    session = NetworkSession.open("tutorial-b")
    size = session.by_hand.memory().nbytes
    monkeypatch.setattr("tui.session.network_session.UNDO_BYTES", 3 * size)
    for number in range(5):
        set_to(session, "W[1][0,0]", float(number))
    assert [session.undo() for _ in range(4)] == [True, True, True, False]
