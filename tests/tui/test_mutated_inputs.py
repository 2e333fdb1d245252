"""Damaged files of every kind: `python -m benchmarks.mutated_inputs` tries ten thousand of them."""

from __future__ import annotations

import random

from tests.tui.mutated_inputs import Inputs

SEED, EACH = 20261125, 80


def test_no_damaged_file_is_met_with_anything_but_one_line(tmp_path):
    inputs = Inputs(tmp_path)
    for kind in inputs.kinds:
        for place in range(EACH):
            inputs.try_one(kind, random.Random(f"{SEED} {kind} {place}"))
