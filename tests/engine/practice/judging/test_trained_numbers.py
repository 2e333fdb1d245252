"""Numbers that a training gives, and bounds on products of slopes: found by the engine, their misreadings named."""

from __future__ import annotations

import pytest

from engine.autodiff.ops.activation_functions import activation_function
from engine.experiment.activation_traits import ACTIVATION_TRAITS
from engine.experiment.errors import ExperimentError
from engine.formula.expression import Symbol
from engine.practice.assignments.assignment import AssignmentQuestion, load_assignment, parse_assignment
from engine.practice.assignments.grading import judge_question
from engine.practice.judging.slope_bound import steepest_slope
from engine.training.trainer import Trainer

QUESTIONS: dict[str, AssignmentQuestion] = {one.id: one for one in load_assignment("tutorials").questions}


def test_a_value_after_a_step_is_that_of_the_trainer():
    question = QUESTIONS["a2-loss"]
    trainer = Trainer(question.experiment)
    trainer.limit = 2
    losses = [record.loss for record in trainer]
    assert question.number == pytest.approx(losses[1], rel=1e-12)
    before = question.evaluated.graph.value_of(Symbol("E"))
    assert before == pytest.approx(losses[0], rel=1e-12)  # the experiment itself is as it was


def test_a_measure_is_that_of_the_whole_data_after_the_last_step():
    question = QUESTIONS["d1-dead"]
    trainer = Trainer(question.experiment)
    trainer.limit = 10
    for _ in trainer:
        pass
    graph = trainer.network.graph(trainer.data.X, trainer.data.Y)
    graph.forward()
    active = graph.nodes[Symbol("a", 3)].value.any(axis=1)
    assert question.number == (~active).sum()


@pytest.mark.parametrize(
    "name", [name for name, one in ACTIVATION_TRAITS.items() if one.largest_slope is not None]
)
def test_the_steepest_slope_is_found(name):
    """Against the figures that the diagnosis uses, which are given to four digits."""
    assert steepest_slope(activation_function(name))[1] == pytest.approx(
        ACTIVATION_TRAITS[name].largest_slope, rel=1e-4
    )


def test_the_sigmoid_is_steepest_at_zero_with_a_quarter():
    assert steepest_slope(activation_function("sigmoid")) == (pytest.approx(0.0, abs=1e-6), 0.25)


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("c1-quarter", "1", "the largest value of sigmoid, and not of its slope"),
        ("c1-quarter", "0.5", "sigmoid itself where it is steepest"),
        ("c1-bound", "12.5", "multiplied, not added"),
        ("c1-bound", "0.25^49", "these are 49 factors: there are 50"),
        ("c1-bound", "-30.1", "this is the exponent"),
        ("c1-bound", "0.25", "this is one slope: there are 50"),
        ("c1-bound", "1", "the largest value of sigmoid"),
        ("a2-weight", "0.3354", "the step goes uphill"),
        ("a2-weight", "-0.05434", "the factor η is missing"),
        ("a2-weight", "0.3", "before the training"),
        ("a2-weight", "0.35434", "this is the gradient"),
        ("a2-weight", "-0.035434", "this is the step alone"),
        ("a2-loss", "0.4375", "before the training"),
        ("a2-prediction", "0.047", "by how much Ŷ₀₀ changes"),
        ("a4-found", "45", "this is in per cent"),
        ("a4-found", "0.998", "this is recall[0]"),
        ("a4-found", "0.948", "this is accuracy"),
        ("a4-others-weighted", "849", "this is how many"),
        ("a4-found-weighted", "0.23", "the share of the others"),
        ("d1-dead", "11", "this is dead[1]"),
        ("d1-dead", "35", "the sum over all layers"),
        ("d1-zeros", "96", "in per cent"),
        ("c1-first", "0.0853", "this is grad_max[51]"),
    ],
)
def test_a_likely_misreading_is_named(name, typed, said):
    verdict = judge_question(QUESTIONS[name], typed)
    assert verdict.verdict == "wrong"
    assert said in "; ".join(one.text for one in verdict.mistakes)


NUMBER = '[[question]]\nid = "a"\nexperiment = "tutorial-b"\nkind = "number"\n'


@pytest.mark.parametrize(
    ("more", "key", "said"),
    [
        ('measure = "recal[1]"', "measure", "did you mean"),
        ('measure = "dead"', "measure", "expected dead[layer], a layer from 1 to 2"),
        ('measure = "dead[3]"', "measure", "a layer from 1 to 2"),
        ('measure = "accuracy[1]"', "measure", "there is one of it"),
        ("after = -1", "after", "from 0 to"),
        ('after = 1\nwrt = "W[1][0,0]"', "after", "without wrt and factor"),
        ('bound = "a[1]"', "bound", "expected two matrices"),
        ('bound = "f[1] / X"', "bound", "no activation between"),
        ('bound = "a[1] / Q[1]"', "bound", "Q"),
        ("update = true", "update", "after = 1"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(more, key, said):
    with pytest.raises(ExperimentError) as error:
        parse_assignment(NUMBER + more, "week.toml")
    line = str(error.value)
    assert f"question[0].{key}" in line
    assert said in line
    assert "\n" not in line
