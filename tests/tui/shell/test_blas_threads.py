"""How many threads matrix products get: by their size, unless the user has said it."""

import os
import subprocess
import sys

import pytest

from tests.tui.pseudo_terminal import ROOT
from tui.shell.blas_threads import AGAIN_SECONDS, LARGE_PRODUCT, NAMES, ROUNDS, TRIED_STEPS, ThreadPace, cores

PROGRAM = """
from tui.shell.blas_threads import threads
threads.begin_with_one()
import numpy
from threadpoolctl import threadpool_info
def now():
    return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"][0]
found = [now()]
with threads.for_product({large}):
    found.append(now())
found.append(now())
with threads.for_product({small}):
    found.append(now())
threads.give({large}, spare=1)
found.append(now())
print(*found)
"""


def found(**environment: str) -> list[int]:
    """The threads at first, in a large product, after it, in a small one, and in a large one beside a screen."""
    clean = {name: value for name, value in os.environ.items() if name not in NAMES}
    program = PROGRAM.format(large=LARGE_PRODUCT, small=LARGE_PRODUCT / 2)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(word) for word in done.stdout.split()]


def test_only_large_products_get_all_cores_and_only_while_they_are_made():
    assert found() == [1, cores(), 1, 1, max(cores() - 1, 1)]


@pytest.mark.parametrize("name", ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"])
def test_what_the_user_has_set_stands(name: str):
    assert set(found(**{name: "1"})) == {1}


class Steps:
    """Steps that take as long as is said for each number of threads, by a clock of their own."""

    def __init__(self, **seconds: float) -> None:
        self.seconds = {int(name[1:]): value for name, value in seconds.items()}
        self.now, self.threads = 0.0, 0
        self.pace = ThreadPace(
            lambda count: setattr(self, "threads", count), list(self.seconds), lambda: self.now
        )

    def make(self, steps: int) -> float:
        """Makes them, and says how long they took."""
        began = self.now
        for _ in range(steps):
            self.now += self.seconds[self.threads]
            self.pace.stepped()
        return self.now - began


TRIAL = 2 * ROUNDS * (1 + TRIED_STEPS)


@pytest.mark.parametrize(
    ("seconds", "faster"), [({"_1": 0.03, "_2": 0.02}, 2), ({"_1": 0.012, "_2": 0.09}, 1)]
)
def test_a_training_goes_on_with_what_was_faster(seconds, faster):
    steps = Steps(**seconds)
    steps.make(TRIAL)
    assert steps.threads == faster
    assert steps.make(100) == pytest.approx(100 * min(seconds.values()))


def test_it_is_tried_again_when_the_machine_may_be_less_busy():
    steps = Steps(_1=0.03, _2=0.2)
    steps.make(TRIAL)
    assert steps.threads == 1
    steps.seconds[2] = 0.02
    steps.make(int(6 * AGAIN_SECONDS / 0.03))
    assert steps.threads == 2


@pytest.mark.parametrize(
    "seconds", [{"_1": 0.012, "_2": 0.09}, {"_1": 10.0, "_2": 70.0}, {"_1": 0.05, "_2": 0.05}]
)
def test_trials_cost_little(seconds):
    steps, fewest = Steps(**seconds), min(seconds.values())
    steps.make(TRIAL)
    count = int(1000.0 / fewest)
    assert steps.make(count) <= 1.03 * count * fewest
