"""Signals at random moments: the terminal is given back, the log is whole, the exit status tells the signal."""

from __future__ import annotations

import random
import signal
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("signals and terminals of Unix", allow_module_level=True)

from tests.tui.signal_situations import by_name, home_environment, try_all

SEED = 20261125
CASES = [
    ("open", signal.SIGTERM),
    ("training", signal.SIGHUP),
    ("training", signal.SIGINT),
    ("watch", signal.SIGINT),
    ("train", signal.SIGTERM),
    ("train", signal.SIGHUP),
]


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="whether a program is stopped is read from /proc"
)
@pytest.mark.parametrize(("name", "number"), CASES, ids=[f"{name}-{number.name}" for name, number in CASES])
def test_signals_at_random_moments_leave_nothing_behind(name, number, tmp_path):
    moment = random.Random(f"{SEED} {name} {number}")
    try_all(by_name(name), number, moment, tmp_path / "here", home_environment(), latest=0.4)
