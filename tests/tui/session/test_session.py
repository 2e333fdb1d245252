"""The session: what it opens, what an update does, and that undo takes it back to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from engine.derivation.targets import TargetError
from engine.experiment.errors import ExperimentError
from engine.formula.expression import Symbol
from tests.tui.experiments import READABLE, WIDE, session, session_of
from tui.session.network_session import NetworkSession


def state(opened: NetworkSession) -> dict[str, bytes]:
    """Every number that the session holds, bit by bit."""
    held = {f"parameter {name}": value.tobytes() for name, value in opened.network.parameters.items()}
    for name, node in opened.graph.nodes.items():
        held[f"value {name}"] = node.value.tobytes()
        held[f"gradient {name}"] = node.grad.tobytes()
    return held


@pytest.mark.parametrize("name", READABLE)
def test_undo_takes_updates_back_to_the_last_bit(name):
    opened = session(name)
    history = [state(opened)]
    for count in range(1, 4):
        opened.update(())
        assert opened.updates == count
        history.append(state(opened))
    while len(history) > 1:
        assert state(opened) == history.pop()
        assert opened.undo()
    assert state(opened) == history[0]
    assert opened.updates == 0
    assert not opened.undo()
    assert state(opened) == history[0]


@pytest.mark.parametrize("name", ["tutorial-a", "tutorial-b", "xor", "residual-fork"])
def test_an_update_lowers_the_loss_about_as_foretold(name):
    opened = session(name)
    before = opened.loss
    update = opened.update(())
    assert update.loss.before == before
    assert update.loss.after == opened.loss < before
    assert update.predicted < 0
    assert (update.loss.after - before) / update.predicted == pytest.approx(1, abs=0.5)


def test_an_update_follows_the_watched_scalars():
    opened = session("tutorial-b")
    watched = (Symbol("W", 1, (1, 1)), Symbol("Y_hat", None, (0, 0)))
    update = opened.update(watched)
    assert [change.symbol for change in update.watched] == list(watched)
    assert [change.before for change in update.watched] == pytest.approx([0.2, 0.51949], abs=1e-5)
    assert [change.after for change in update.watched] == [opened.value_of(symbol) for symbol in watched]


def test_the_tutorials_begin_with_the_entries_that_they_derive():
    assert session("tutorial-a").first_target() == Symbol("W", 1, (2, 0))
    assert session("tutorial-b").first_target() == Symbol("W", 1, (1, 1))


@pytest.mark.parametrize("name", READABLE)
def test_others_begin_with_a_gradient_that_is_not_zero(name):
    opened = session(name)
    assert opened.explain(opened.first_target()).value != 0


@pytest.mark.parametrize("name", READABLE)
def test_every_offered_matrix_can_be_asked_for(name):
    opened = session(name)
    for symbol, (rows, columns) in opened.shapes():
        opened.explain(symbol.at((rows - 1, columns - 1)))


@pytest.mark.parametrize("name", ["tutorial-b", "batch-norm"])
def test_the_check_agrees_with_every_gradient_and_changes_nothing(name):
    opened = session(name)
    before = state(opened)
    for symbol, (rows, columns) in opened.shapes():
        for row in range(rows):
            for column in range(columns):
                assert opened.check(symbol.at((row, column))).passed
    assert state(opened) == before


def test_float32_is_checked_in_float64():
    opened = session_of('dtype = "float32"\n' + WIDE)
    assert opened.graph.loss.value.dtype == np.float32
    check = opened.check(opened.first_target())
    assert check.passed
    assert check.ref.node.value.dtype == np.float64


def test_values_by_name_include_the_learning_rate():
    opened = session("tutorial-b")
    assert opened.value_of(Symbol("eta")) == opened.learning_rate == 0.1
    assert opened.value_of(Symbol("E")) == opened.loss


def test_sites_are_entries_and_the_loss():
    opened = session("tutorial-b")
    assert opened.entry_ref(Symbol("W", 1, (2, 1))).value == -0.7
    assert opened.entry_ref(Symbol("E")).node is opened.graph.loss


def test_without_a_title_a_file_is_called_by_its_name(tmp_path):
    path = tmp_path / "homework.toml"
    path.write_text(WIDE.replace('title = "A wide layer"', ""), "utf-8")
    assert NetworkSession.open(str(path)).title == "homework"
    assert session("tutorial-b").title == "One hidden layer, one sample"


@pytest.mark.parametrize("name", ["nonsense", "nowhere/lab.toml", "."])
def test_what_cannot_be_opened_is_told_in_one_line(name):
    with pytest.raises(ExperimentError) as caught:
        NetworkSession.open(name)
    assert len(str(caught.value).splitlines()) == 1


def test_what_has_no_gradient_is_refused():
    opened = session("tutorial-b")
    for symbol in (Symbol("W", 9, (0, 0)), Symbol("Y", None, (0, 0)), Symbol("E"), Symbol("W", 1, (7, 7))):
        with pytest.raises(TargetError):
            opened.explain(symbol)


def test_updates_that_can_be_undone_are_bounded_in_bytes(monkeypatch):
    opened = NetworkSession.open("xor")
    size = opened.by_hand.memory().nbytes
    monkeypatch.setattr("tui.session.network_session.UNDO_BYTES", 3 * size)
    for _ in range(5):
        opened.update(())
    assert opened.updates == 5
    assert [opened.undo() for _ in range(5)] == [True, True, True, False, False]
    assert opened.updates == 2, "the first two can no longer be taken back"
    monkeypatch.setattr("tui.session.network_session.UNDO_BYTES", 1)
    opened.update(())
    assert opened.undo(), "one always can"


@pytest.mark.parametrize(
    ("activation", "sums", "sample"),
    [
        ("sigmoid", [[1.0, -9.0, 3.0]], 1),
        ("tanh", [[1.0, -9.0, 30.0]], 2),
        ("relu", [[-1.0, -9.0, -3.0]], 0),
    ],
)
def test_a_unit_is_opened_with_the_sample_that_shows_what_is_wrong_with_it(
    tmp_path, activation, sums, sample
):
    path = tmp_path / "one.toml"
    path.write_text(
        f'[data]\nkind = "inline"\nX = {sums}\nY = [[1, 0, 1]]\n[network]\n'
        f'[[network.layers]]\nunits = 1\nactivation = "{activation}"\nW = [[1.0]]\n'
        '[[network.layers]]\nunits = 1\nactivation = "sigmoid"\nW = [[1.0]]\n[loss]\nkind = "bce"\n'
    )
    assert NetworkSession.open(str(path)).target_in(1, 0) == Symbol("f", 1).at((0, sample))
