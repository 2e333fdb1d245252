"""Every case, ours and those after public questions, and every preset: the headline, what is found, what is not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.diagnosis.diagnosis import REASSURING, REMARKS, Diagnosis, diagnose
from engine.diagnosis.finding import Finding, Kind
from engine.diagnosis.kinds import RULES
from engine.diagnosis.remedy_trial import OF_LOSS, confirmed, tried, with_remedy
from engine.diagnosis.run_observer import RunObserver
from engine.experiment.datasets import load_data
from engine.experiment.loading import PRESET_NAMES, load_experiment
from engine.experiment.loss_specs import BceLoss, CrossEntropyLoss, SquaredErrorLoss
from engine.experiment.spec import Experiment
from engine.training.trainer import Trainer
from tests.engine.diagnosis.diagnosed import Diagnosed, expected, of_case, of_preset, run, shortcomings

PUBLIC, OWN, PRESETS = expected("expected.toml"), expected("own.toml"), expected("presets.toml")
ALL = [*(("case", name) for name in (*PUBLIC, *OWN)), *(("preset", name) for name in PRESETS)]
EACH = pytest.mark.parametrize(("where", "name"), ALL, ids=[name for _, name in ALL])

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
    """Its headline is that it learns, whatever else is found; and a network that guesses is not said to learn."""
    found = diagnosed(where, name)
    if found.case.diverged:
        return  # and what does, does not learn
    first = found.diagnosis.kinds[0]
    if gets_on(found) and better_than_nothing(found):
        assert first in REASSURING
    elif first is Kind.LEARNING:
        assert len(found.diagnosis.findings) == 1 or found.diagnosis.kinds[1:] == (Kind.DEAD_UNITS,)


def gets_on(found: Diagnosed) -> bool:
    """The end of the loss and its median both fall by 1 % in the last quarter of 100 steps or more."""
    losses = found.case.losses
    end = losses.step[0] + losses.steps
    median = [
        np.median(losses.value[(losses.step >= end - share * losses.steps) & (losses.step <= until)])
        for share, until in ((0.5, end - 0.25 * losses.steps), (0.25, end))
    ]
    falls = losses.last <= 0.99 * losses.three_quarters and median[1] <= 0.99 * median[0]
    return bool(losses.steps >= 100 and falls and losses.last < losses.first)


def better_than_nothing(found: Diagnosed) -> bool:
    """Its loss is lower than that of its mean answer given to all, or it makes half of the commonest class's errors."""
    network, Y = found.trainer.network, found.trainer.data.Y
    said = found.case.own.whole.prediction
    mean = said.mean(axis=1, keepdims=True)
    wrong = right = None
    if isinstance(network.loss, BceLoss):
        alpha, beta = network.loss.alpha or 1.0, network.loss.beta or 1.0
        level = -float((alpha * Y * np.log(mean) + beta * (1 - Y) * np.log(1 - mean)).sum(axis=0).mean())
        wrong, right = float(((said > 0.5) != (Y > 0.5)).mean()), float((Y > 0.5).mean())
    elif isinstance(network.loss, CrossEntropyLoss):
        level = -float((Y * np.log(mean)).sum(axis=0).mean())
        wrong = float((said.argmax(axis=0) != Y.argmax(axis=0)).mean())
        right = float(np.bincount(Y.argmax(axis=0)).max() / Y.shape[1])
    else:
        assert isinstance(network.loss, SquaredErrorLoss)
        level = 0.5 * float(np.square(mean - Y).sum(axis=0).mean())
    halved = wrong is not None and 0 < 1 - max(right, 1 - right) >= 2 * wrong
    return halved or found.case.losses.last < 0.99 * level


@EACH
def test_a_headline_that_says_more_than_the_kind_says_what(where, name):
    """That some units are dead, what is found of a network that learns, or that a plateau is the least loss."""
    first, *others = diagnosed(where, name).diagnosis.findings
    if first.kind is Kind.LEARNING and first.called:
        fault = next(one for one in others if one.kind not in REMARKS and not one.called)
        assert first.title == f"Learning, but {fault.title.lower()}"
    for one in others:
        assert one.called in ("", "Some units dead")


def test_the_headlines_of_networks_that_learn_in_spite_of_what_is_found():
    assert of_preset("exploding-50-adam").diagnosis.headline == "Learning, but exploding"
    assert of_preset("step-activation").diagnosis.headline == "Learning, but no gradient"
    unscaled = of_case("wine-as-they-are").diagnosis
    assert unscaled.headline == "Learning"
    assert unscaled.is_remark(unscaled.of(Kind.UNSCALED_INPUTS))


@pytest.mark.parametrize("name", ["vanishing-50-layer-norm", "exploding-50-adam"])
def test_a_verdict_does_not_hang_on_the_last_digit(name):
    """With every weight changed by 1e-13 of itself, the findings are the same."""
    experiment = load_experiment(name)
    trainer = Trainer(experiment, load_data(experiment))
    draw = np.random.default_rng(1)
    for weights in trainer.network.parameters.values():
        weights *= 1 + 1e-13 * draw.standard_normal(weights.shape)
    observer = RunObserver(trainer)
    for record in trainer:
        observer.saw(record)
    again = diagnose(observer.case())
    assert again.kinds == of_preset(name).diagnosis.kinds
    assert again.headline == of_preset(name).diagnosis.headline


def test_the_stable_step_of_clipped_gradients_is_told_of_what_is_left_of_them():
    """ℰ = ½ mean x² w² with mean x² = 4: at w = 1 the gradient is 4, and clipped to 1 only a quarter of η is left."""
    data = {"kind": "inline", "X": [[2.0, -2.0]], "Y": [[0.0, 0.0]]}
    layer = {"units": 1, "activation": "linear", "W": [[1.0]]}
    train = {"optimizer": "sgd", "learning_rate": 4.0, "clip_norm": 1.0, "steps": 300}
    tables = {"data": data, "network": {"layers": [layer]}, "loss": {"kind": "squared_error"}, "train": train}
    finding = run(msgspec.convert(tables, Experiment)).diagnosis.of(Kind.STEP_TOO_LONG)
    assert finding.evidence["clipped"] == pytest.approx(0.25, rel=1e-6)
    assert finding.evidence["largest_stable"] == pytest.approx(0.5, rel=1e-6)
    assert finding.evidence["times"] == pytest.approx(4.0 * 0.25 / 0.5, rel=1e-6)
    assert finding.change["train.learning_rate"] == pytest.approx(1.0, rel=1e-6)


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


def test_a_remedy_that_does_not_help_is_told_without_its_number():
    found = of_case("line-with-noise")
    idle = Finding(
        Kind.PLATEAU,
        1,
        {},
        "It stands still.",
        remedy="A learning rate of 0.1.",
        change={"train.learning_rate": found.experiment.train.learning_rate},
        untested="Another learning rate.",
    )
    (told,) = confirmed(found.case, Diagnosis((idle,), 1)).findings
    assert (told.change, told.remedy) == (None, "Another learning rate.")


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
                assert with_remedy(found.experiment, finding.change) != found.experiment


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


def test_the_page_on_findings_has_every_kind_in_its_order():
    page = (Path(__file__).parents[3] / "docs" / "diagnosis.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    told = [name for row in rows for name in re.findall("`([a-z-]+)`", row)]
    assert told == [rule.kind.value for rule in RULES]
