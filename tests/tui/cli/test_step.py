"""`step`, and what `train` leaves behind: parameters in a file, predictions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from engine.formula.text_width import cells
from tui.cli.main import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_a_step_as_json() -> None:
    result = run("step", "xor", "--steps", "2", "--json")
    assert result.exit_code == 0, result.stderr
    first, second = json.loads(result.stdout)["steps"]
    assert list(first) == [
        "step", "loss_before", "loss_after", "parameters", "Y_hat_before", "Y_hat_after", "problem"
    ]  # fmt: skip
    assert list(first["parameters"]["W[1]"]) == ["before", "gradient", "state", "after"]
    assert list(first["parameters"]["W[1]"]["state"]) == ["m", "v", "m_hat", "v_hat"]
    assert second["loss_before"] == first["loss_after"]
    assert second["Y_hat_before"] == first["Y_hat_after"]
    gradient = json.loads(run("grads", "xor", "--json").stdout)["gradients"]["W[1]"]
    np.testing.assert_allclose(first["parameters"]["W[1]"]["gradient"], gradient, rtol=1e-12)


@pytest.mark.parametrize("preset", ["tutorial-b", "xor", "exploding-50-adam"])
def test_a_step_in_words_is_aligned(preset: str) -> None:
    lines = run("step", preset).stdout.splitlines()
    header = next(place for place, line in enumerate(lines) if "before" in line)
    rows = [line for line in lines[header + 1 :] if line.startswith(("W", "b"))]
    assert len({cells(line) for line in rows}) == 1
    assert cells(lines[header]) == cells(rows[0])
    assert run("step", preset, "--ascii").stdout.isascii()


def test_a_step_that_breaks_is_a_failure(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(
        """
        data = { kind = "inline", X = [[1.0]], Y = [[0.0]] }
        network = { layers = [{ units = 1, W = [[1e200]] }] }
        loss = { kind = "squared_error" }
        """,
        "utf-8",
    )
    result = run("step", str(file))
    assert result.exit_code == 1
    assert result.stderr.startswith("bptui: ")
    assert run("step", str(file), "--json").exit_code == 1


def test_trained_parameters_are_saved_under_their_names(tmp_path: Path) -> None:
    file = tmp_path / "xor.npz"
    result = run("train", "xor", "--steps", "5", "--save", str(file), "--predict", "--json")
    record = json.loads(result.stdout)
    last = json.loads(run("step", "xor", "--steps", "5", "--json").stdout)["steps"][-1]
    with np.load(file) as saved:
        assert set(saved) == {"W[1]", "b[1]", "W[2]", "b[2]"}
        for name, value in saved.items():
            np.testing.assert_allclose(value, last["parameters"][name]["after"], rtol=1e-12)
    np.testing.assert_allclose(record["Y_hat"], last["Y_hat_after"], rtol=1e-12)
    assert not list(tmp_path.glob(".xor*"))


def test_predictions_are_a_table_beside_the_labels() -> None:
    lines = run("train", "xor", "--steps", "2", "--predict").stdout.rstrip().splitlines()
    assert lines[-5].split() == ["sample", "Ŷ", "Y"]
    assert [line.split()[2] for line in lines[-4:]] == ["0", "1", "1", "0"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [("model.pt", "expected a name that ends in .npz"), ("missing/model.npz", "there is no folder")],
)
def test_a_wrong_name_is_told_before_the_training(tmp_path: Path, name: str, problem: str) -> None:
    result = run("train", "xor", "--save", str(tmp_path / name))
    assert result.exit_code == 2
    assert problem in result.stderr
