"""Three trainings as people write them, none of which learns: `bptui run` records each, `report` says why."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bptui.test_run_command import bptui_run
from tests.tui.cli.test_commands import run

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="recording real trainings needs torch"
)
SCRIPTS = Path(__file__).parents[1] / "fixtures" / "scripts"


def recorded(folder: Path, script: str) -> tuple[dict[str, Any], str]:
    """What `bptui report` says of a script's run, as JSON and as text."""
    done = bptui_run(folder, "--", sys.executable, str(SCRIPTS / script))
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()[-1]
    log = str(folder / "bptui-run.jsonl")
    found = json.loads(run("report", log, "--json").stdout)
    assert said.startswith(f"bptui: {found['findings'][0]['kind'].capitalize()}. ")
    assert said.endswith(("0.25).", "try.", "bfloat16."))
    return found, " ".join(run("report", log).stdout.split())


def test_a_net_of_twelve_sigmoid_layers_has_vanishing_gradients(tmp_path):
    found, text = recorded(tmp_path, "deep_sigmoid.py")
    assert [finding["kind"] for finding in found["findings"]][:1] == ["vanishing"]
    assert found["loss_last"] == pytest.approx(0.69, abs=0.01)
    assert "The gradient of layers.0.weight is" in text
    assert len(found["layers"]) == 13


def test_a_rate_that_is_far_too_high_diverges_step_by_step(tmp_path):
    found, text = recorded(tmp_path, "rate_too_high.py")
    assert found["findings"][0]["kind"] == "diverged"
    assert found["before"]["grew"] is True
    assert found["before"]["learning_rate"] == 1.0
    assert "a smaller learning rate is the first thing to try" in text


def test_a_block_in_bfloat16_overflows_within_one_pass(tmp_path):
    found, text = recorded(tmp_path, "bfloat16_block.py")
    assert found["findings"][0]["kind"] == "diverged"
    assert found["before"]["grew"] is False
    assert found["nonfinite"]["step"] == found["before"]["step_last"] + 1
    assert "came from within one forward or backward pass" in text
    assert "of type bfloat16" in text
