"""Every case, ours and those after public questions, and every preset: the headline, what is found, what is not."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from engine.diagnosis.finding import Kind
from engine.diagnosis.remedy_trial import OF_LOSS, changed, confirmed, tried
from engine.experiment.loading import PRESET_NAMES
from tests.engine.diagnosis.diagnosed import Diagnosed, expected, of_case, of_preset, shortcomings

PUBLIC, OWN, PRESETS = expected("expected.toml"), expected("own.toml"), expected("presets.toml")
ALL = [*(("case", name) for name in (*PUBLIC, *OWN)), *(("preset", name) for name in PRESETS)]
EACH = pytest.mark.parametrize(("where", "name"), ALL, ids=[name for _, name in ALL])

REASSURING = {Kind.LEARNED, Kind.LEARNING}

MEASURED = re.compile(r"(?<![\w.])\d[\d,]*\.\d+(?:e[+-]?\d+)?")
"""A number in a sentence that has a decimal point: what was measured, not a layer's number or a count."""


def diagnosed(where: str, name: str) -> Diagnosed:
    return of_case(name) if where == "case" else of_preset(name)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_question_gets_the_right_answer(name):
    assert shortcomings(of_case(name).diagnosis, PUBLIC[name]) == []


@pytest.mark.parametrize("name", OWN)
def test_our_own_cases(name):
    assert shortcomings(of_case(name).diagnosis, OWN[name]) == []


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_case(name):
    assert shortcomings(of_preset(name).diagnosis, PRESETS[name]) == []


def test_there_are_enough_cases_and_no_preset_is_left_out():
    assert len(OWN) >= 20
    assert set(PRESETS) == set(PRESET_NAMES)


@EACH
def test_no_headline_reassures_about_a_network_that_does_not_learn(where, name):
    found = diagnosed(where, name)
    losses = found.case.losses
    assert losses is not None
    assert found.diagnosis.findings, "nothing is said of a run as long as this"
    falls = losses.last < 0.995 * losses.three_quarters or losses.last < 0.5 * losses.first
    right = found.trainer.problem is None and found.diagnosis.kinds[0] in REASSURING
    if right:
        assert falls or Kind.LEARNED in found.diagnosis.kinds
        assert losses.last <= losses.first


@EACH
def test_no_headline_alarms_about_a_network_that_learns(where, name):
    """Where the end of the loss and its median both fall by 1 % in the last quarter, jumps are no reason for alarm."""
    found = diagnosed(where, name)
    losses = found.case.losses
    if found.case.diverged:
        return  # and what does, does not learn
    end = losses.step[0] + losses.steps
    median = [
        np.median(losses.value[(losses.step >= end - share * losses.steps) & (losses.step <= until)])
        for share, until in ((0.5, end - 0.25 * losses.steps), (0.25, end))
    ]
    if losses.last <= 0.99 * losses.three_quarters and median[1] <= 0.99 * median[0]:
        assert found.diagnosis.kinds[0] not in (Kind.STEP_TOO_LONG, Kind.OSCILLATING, Kind.PLATEAU)
    few = [one for one in found.diagnosis.findings if one.mild]
    assert all(one.title == "Some units dead" and one.kind is Kind.DEAD_UNITS for one in few)


def test_a_healthy_deep_network_is_not_called_dead_or_constant_in_its_first_steps():
    found = of_preset("relu-50", 5)
    assert found.diagnosis.headline == "Some units dead"
    assert found.diagnosis.findings[0].remedy is None
    assert found.diagnosis.kinds == (Kind.DEAD_UNITS,)
    assert of_preset("leaky-relu-50", 1).diagnosis.headline == "Nothing found"


@EACH
def test_the_evidence_is_strict_json_and_holds_the_numbers_of_the_sentences(where, name):
    for finding in diagnosed(where, name).diagnosis.findings:
        record = json.loads(json.dumps(finding.record(), allow_nan=False))
        assert list(record) == ["kind", "layers", "step", "evidence", "text", "remedy", "change"]
        assert 1 <= finding.text.count(". ") + 1 <= 4
        assert finding.text.endswith(".")
        assert record["layers"] == sorted(record["layers"])
        if finding.kind in (Kind.DIVERGED, Kind.NO_GRADIENT):
            continue  # where a number stopped being finite is told in the trainer's own words
        held = [abs(value) for value in finding.evidence.values() if value is not None]
        for number in MEASURED.findall(finding.text):
            value = float(number.replace(",", ""))
            assert any(abs(value - one) <= 0.051 * max(abs(one), abs(value)) for one in held), (  # two digits
                number,
                finding.text,
                finding.evidence,
            )


CHEAP = [
    *(("case", name) for name in (*PUBLIC, *OWN)),
    *(("preset", name) for name in ("exploding-50", "dying-relu")),
]


@pytest.mark.parametrize(("where", "name"), CHEAP, ids=[name for _, name in CHEAP])
def test_every_remedy_with_a_change_is_tried_again_and_helps(where, name):
    """What `train --report` tells: with the change the finding is gone, and findings of the loss end lower."""
    found = diagnosed(where, name)
    for finding in confirmed(found.case, found.diagnosis).findings:
        if finding.change is None:
            continue
        again, end = tried(found.case, finding.change)
        assert finding.kind not in again.kinds
        if finding.kind in OF_LOSS:
            assert end < found.loss_last


def test_the_remedies_that_must_help_do():
    """Not one of these may be lost to the second run's verdict."""
    for name, kind in (
        ("unscaled-regression", Kind.STEP_TOO_LONG),
        ("unscaled-regression", Kind.UNSCALED_INPUTS),
        ("step-far-too-short", Kind.STEP_TOO_SHORT),
        ("step-slightly-too-long", Kind.STEP_TOO_LONG),
        ("zero-weights-relu", Kind.ZERO_WEIGHTS),
        ("xor-tiny-weights", Kind.IDENTICAL_UNITS),
        ("exploding-deep-linear", Kind.EXPLODING),
    ):
        found = of_case(name)
        finding = confirmed(found.case, found.diagnosis).of(kind)
        assert finding is not None
        assert finding.change is not None, (name, kind)


def test_a_change_is_of_the_experiment_files_own_keys():
    for name in (*PUBLIC, *OWN):
        found = of_case(name)
        for finding in found.diagnosis.findings:
            if finding.change is not None:
                assert changed(found.experiment, finding.change) != found.experiment


def test_the_stable_step_of_a_straight_line_is_that_of_its_inputs():
    """λ of the squared error is the largest eigenvalue of X Xᵀ/n, with the bias's row of ones."""
    found = of_case("unscaled-regression")
    rows = np.vstack([found.trainer.data.X, np.ones(found.trainer.data.X.shape[1])])
    largest = np.linalg.eigvalsh(rows @ rows.T / rows.shape[1])[-1]
    finding = found.diagnosis.of(Kind.STEP_TOO_LONG)
    assert finding.evidence["largest_stable"] == pytest.approx(2 / largest, rel=1e-6)
    assert finding.change["train.learning_rate"] == pytest.approx(1 / largest, rel=1e-6)


def test_dead_units_are_those_of_the_last_weights_over_all_samples():
    found = of_case("wine-dies-in-batches")
    finding = found.diagnosis.of(Kind.DEAD_UNITS)
    assert [finding.evidence[f"dead[{layer}]"] for layer in (1, 2, 3)] == [61, 32, 59]
    assert finding.step == 100
    graph = found.trainer.network.graph(found.trainer.data.X, found.trainer.data.Y, gradients=False)
    graph.forward()
    off = [int((node.value == 0).all(axis=1).sum()) for name, node in graph.nodes.items() if name.name == "a"]
    assert off == [61, 32, 59]
