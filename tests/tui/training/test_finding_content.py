"""Findings as coloured text: of several runs, each sentence once."""

from __future__ import annotations

from engine.diagnosis.diagnosis import Diagnosis
from engine.diagnosis.finding import Finding, Kind
from tui.training.finding_content import compared

FIRST = Finding(
    Kind.VANISHING, 3, {}, "The gradient is small. The weights are to blame.", remedy="Larger weights."
)
SHORT = Finding(Kind.LEARNING, 3, {}, "The loss still falls.")


def test_of_two_runs_no_sentence_is_said_twice():
    lines = [
        line.plain for line in compared([("█", Diagnosis((FIRST, SHORT), 3)), ("▲", Diagnosis((SHORT,), 3))])
    ]
    assert lines == [
        "█ Vanishing   The gradient is small.",
        "▲ Learning   The loss still falls.",
        "Vanishing   The weights are to blame.\nRemedy: Larger weights.",
        "Learning   The loss still falls.",
    ]


def test_a_first_finding_of_one_sentence_is_not_said_again():
    lines = [line.plain for line in compared([("█", Diagnosis((SHORT,), 3)), ("▲", Diagnosis((), 3))])]
    assert lines == [
        "█ Learning   The loss still falls.",
        "▲ Nothing found   After 3 steps nothing is found; whether it learns is not known yet.",
    ]
