"""What a run log says: the findings that its numbers allow, and what others would need."""

from __future__ import annotations

import numpy as np
import pytest

from engine.diagnosis.finding import Kind
from engine.diagnosis.log_diagnosis import LoggedRun, diagnose_log
from engine.diagnosis.log_report import JUDGED
from engine.experiment.layer_info import layer_infos, named_layers
from engine.experiment.loading import load_experiment
from engine.training.trainer import Trainer

STEPS = np.arange(400.0)


def logged(name: str, steps: int | None = None) -> LoggedRun:
    """A preset's run by its columns, as a log of this program has them."""
    trainer = Trainer(load_experiment(name))
    trainer.limit = steps or trainer.limit
    records = list(trainer)
    columns = {
        field: np.array([getattr(one, field) for one in records], float) for field in ("step", *JUDGED)
    }
    problem = next((one.problem for one in records if one.problem), None)
    infos = layer_infos(trainer.network.layers)
    return LoggedRun(infos, columns, full_batch=True, problem=problem)


def test_a_magnitude_of_each_layer_is_enough_to_see_that_it_vanishes():
    found = diagnose_log(
        LoggedRun(named_layers(("a", "b")), {"step": np.arange(5.0), "grad_l2": np.tile([1e-9, 1.0], (5, 1))})
    )
    assert found.kinds == (Kind.VANISHING,)
    assert found.findings[0].text == "The gradient of a is 1.0e-09 times that of b."
    assert found.findings[0].layers == (1,)
    assert found.findings[0].step == 4
    assert found.missing == ("the losses", "the number of dead units", "the weights and the data")


@pytest.mark.parametrize(
    ("norms", "words"),
    [
        (
            [1e-9, 1e-6, 1e-3, 1.0],
            "Going down a layer multiplies it by 1.0e-03 on average: small weights make",
        ),
        ([1e-9, 1e-8, 0.5, 1.0], "in one place: from c down to b it changes by 2.0e-08 times."),
        (
            [1e9, 1e6, 1e3, 1.0],
            "Going down a layer multiplies it by 1e+03 on average: large weights make that.",
        ),
        ([1e9, 2.0, 1.5, 1.0], "in one place: from b down to a it changes by 5.0e+08 times."),
    ],
)
def test_a_log_of_gradients_alone_says_whether_it_happens_everywhere_or_in_one_place(norms, words):
    columns = {"step": np.arange(5.0), "grad_l2": np.tile(norms, (5, 1))}
    (found, *_) = diagnose_log(LoggedRun(named_layers(("a", "b", "c", "d")), columns)).findings
    assert words in found.text
    assert found.evidence["gradient_per_layer"] == pytest.approx((norms[0] / norms[-1]) ** (1 / 3))


def test_without_an_order_of_the_layers_nothing_vanishes():
    columns = {"step": np.arange(5.0), "grad_l2": np.tile([1e-9, 1.0], (5, 1))}
    assert diagnose_log(LoggedRun(named_layers(("a", "b")), columns, ordered=False)).kinds == ()


def test_a_log_of_this_program_says_which_factor_is_to_blame():
    found = diagnose_log(logged("vanishing-sigmoid-50", 3))
    assert found.kinds == (Kind.VANISHING,)
    assert "The sigmoid is to blame" in found.findings[0].text


def test_a_run_that_broke_is_judged_by_its_first_step():
    found = diagnose_log(logged("exploding-50"))
    assert found.kinds[:2] == (Kind.DIVERGED, Kind.EXPLODING)
    assert found.of(Kind.DIVERGED).step == 2
    assert found.of(Kind.EXPLODING).step == 0
    assert found.gradients == ""


def test_dead_units_are_those_of_the_last_check():
    found = diagnose_log(logged("dying-relu"))
    dead = found.of(Kind.DEAD_UNITS)
    assert dead.layers == (3,)
    assert dead.evidence["dead[3]"] == 13


@pytest.mark.parametrize(
    ("loss", "kind"),
    [
        (np.exp(-STEPS / 100), Kind.LEARNING),
        (np.full(400, 0.7), Kind.PLATEAU),
        (0.5 + 0.1 * np.sin(STEPS), Kind.OSCILLATING),
        (np.append(np.full(399, 0.7), 8.0), Kind.DIVERGED),
        (np.append(np.full(399, 0.7), np.nan), Kind.DIVERGED),
    ],
)
def test_the_losses_alone_say_how_the_run_goes(loss, kind):
    found = diagnose_log(LoggedRun(named_layers(("(all)",)), {"step": STEPS, "loss": loss}, full_batch=True))
    assert found.kinds == (kind,)


def test_losses_of_batches_are_told_by_their_means():
    noise = np.random.default_rng(0).normal(0, 0.1, 4000)
    steps = np.arange(4000.0)
    falling = LoggedRun(
        named_layers(("a",)), {"step": steps, "loss": 1.0 + 3 * np.exp(-steps / 2000) + noise}
    )
    (found,) = diagnose_log(falling).findings
    assert found.kind is Kind.LEARNING
    assert found.text.startswith("The logged loss (means of 100 lines) still falls")
    standing = LoggedRun(named_layers(("a",)), {"step": steps, "loss": 10.0 + noise})
    assert diagnose_log(standing).kinds == (Kind.PLATEAU,)


def test_the_first_layer_and_step_that_were_not_finite_are_named():
    gradients = np.ones((6, 3))
    gradients[4:, 1:] = np.inf
    found = diagnose_log(
        LoggedRun(named_layers("abc"), {"step": np.arange(0.0, 60, 10), "grad_l2": gradients})
    )
    assert found.kinds == (Kind.DIVERGED,)
    assert found.findings[0].text == "Step 40: the gradient of b is not finite, the first layer to be so."


def test_an_empty_log_has_no_findings_and_says_what_is_missing():
    found = diagnose_log(LoggedRun(named_layers(("a",))))
    assert found.findings == ()
    assert found.missing == ("any step",)


def test_lines_that_lack_a_loss_are_passed_over():
    loss = np.where(STEPS % 10 == 0, np.exp(-STEPS / 100), np.nan)
    loss[-1] = np.exp(-4)
    assert diagnose_log(LoggedRun(named_layers(("a",)), {"step": STEPS, "loss": loss})).kinds == (
        Kind.LEARNING,
    )


def test_a_log_of_one_step_is_called_that_and_not_untrained():
    columns = {"step": np.array([7.0]), "loss": np.array([0.5]), "grad_l2": np.array([[1.0, 0.5]])}
    found = diagnose_log(LoggedRun(named_layers(("a", "b")), columns))
    assert found.headline == "One step logged"
    assert found.nothing_found == "What becomes of the loss is seen from the second step on."
