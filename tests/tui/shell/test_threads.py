"""How many threads matrix products get: by their size, unless the user has said it."""

import os
import subprocess
import sys

import pytest

from tests.tui.pseudo_terminal import ROOT
from tui.shell.threads import LARGE_PRODUCT, NAMES, cores

PROGRAM = """
from tui.shell.threads import threads
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
