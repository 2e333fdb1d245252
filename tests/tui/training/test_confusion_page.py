"""The confusion page: which class is taken for which, however many there are."""

import time

import numpy as np
import pytest

from engine.experiment.spec import CrossEntropyLoss, LayerSpec
from engine.formula.expression import Symbol
from engine.formula.notation import Style
from engine.model.network import Network
from tui.training.confusion_page import confusion_view


def page(classes: int, true: np.ndarray, taken: np.ndarray, spoil: int = 0) -> str:
    """The page for samples of class `true` whose largest output is that of class `taken`."""
    one_hot = np.eye(classes)
    X, Y = 5.0 * one_hot[:, taken], one_hot[:, true]
    X[:, :spoil] = np.nan
    layers = [LayerSpec(units=classes, activation="softmax")]
    graph = Network(layers, {Symbol("W", 1): one_hot}, CrossEntropyLoss()).graph(X, Y, gradients=False)
    graph.forward()
    return confusion_view(graph, tuple(f"c{k}" for k in range(classes)), Style()).plain


def test_a_few_classes_are_shown_all_by_all():
    text = page(3, np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2]))
    assert "Rows: what a sample is" in text
    assert "3 of 4 right: 75.0 %" in text


def test_from_twenty_classes_on_the_worst_confusions_are_shown():
    true = np.repeat(np.arange(20), 10)
    taken = true.copy()
    taken[:7] = 3  # seven of ten of class 0
    taken[10:12] = 5  # two of class 1
    text = page(20, true, taken)
    assert "20 classes: the pairs that are confused most, of 2" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["c0", "c3", "7", "70.0", "%"] in rows
    assert ["c1", "c5", "2", "20.0", "%"] in rows
    assert rows.index(["c0", "c3", "7", "70.0", "%"]) < rows.index(["c1", "c5", "2", "20.0", "%"])
    assert ["c0", "recall", "30.0", "%", "(3", "of", "10)"] in rows
    assert "191 of 200 right" in text


def test_two_thousand_classes_take_no_table_of_four_million():
    rng = np.random.default_rng(0)
    true, taken = rng.integers(0, 2000, (2, 2000))
    began = time.perf_counter()
    text = page(2000, true, taken)
    assert len(text.splitlines()) < 40
    assert time.perf_counter() - began < 20.0, "the table took 40 s"


def test_outputs_that_are_not_finite_say_no_class():
    text = page(3, np.array([0, 0, 1, 2]), np.array([0, 0, 1, 2]), spoil=1)
    assert "3 of 4 right" in text
    assert "The outputs for 1 of them are not finite" in text


@pytest.mark.parametrize("classes", [2, 4, 5, 10, 12, 13])
def test_the_columns_of_a_table_stand_below_their_names_and_fit_a_terminal(classes):
    """Ten classes were wrapped, and their columns lost."""
    rng = np.random.default_rng(classes)
    true, taken = rng.integers(0, classes, (2, 300))
    lines = page(classes, true, taken).splitlines()
    if classes == 13:
        assert "13 classes: the pairs that are confused most" in lines[0]
        return
    head = next(place for place, line in enumerate(lines) if line.lstrip().startswith("c0"))
    ends = [lines[head].index(f"c{k}") + len(f"c{k}") for k in range(classes)]
    for k in range(classes):
        row = lines[head + 1 + k]
        assert len(row) <= 72
        counted = np.bincount(taken[true == k], minlength=classes)
        begins = [len(f"c{k}"), *ends[:-1]]
        assert [int(row[a:b]) for a, b in zip(begins, ends, strict=True)] == counted.tolist()
        assert float(row[ends[-1] :].strip(" %")) == pytest.approx(100 * counted[k] / counted.sum(), abs=0.51)
