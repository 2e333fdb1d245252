"""Where experiments come from: presets by name, files by path, and every way a file can fail."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from engine.experiment.errors import UNNAMED, ExperimentError
from engine.experiment.loading import PRESET_NAMES, load_experiment
from engine.experiment.spec import BceLoss, CsvData, InlineData
from engine.formula.untrusted_text import one_line
from engine.training.trainer import Trainer
from tests.engine.experiment_texts import EXAMPLE, SMALLEST, assert_one_line, changed


def test_a_csv_files_path_starts_at_the_experiments_folder(tmp_path):
    data = 'kind = "csv"\npath = "data/a.csv"\nfeatures = ["x"]\nlabel = "y"'
    file = tmp_path / "lab.toml"
    file.write_text(changed('kind = "xor"', data, SMALLEST), "utf-8")
    experiment = load_experiment(file)
    assert isinstance(experiment.data, CsvData)
    assert Path(experiment.data.path) == tmp_path / "data" / "a.csv"


def test_a_file_is_found_by_text_or_path_with_or_without_a_byte_order_mark(tmp_path, monkeypatch):
    (tmp_path / "lab.toml").write_text(EXAMPLE, "utf-8-sig")
    (tmp_path / "lab").write_text(EXAMPLE, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_experiment("lab.toml") == load_experiment(tmp_path / "lab.toml") == load_experiment("lab")


def file_refusal(path: str | Path) -> ExperimentError:
    with pytest.raises(ExperimentError) as caught:
        load_experiment(path)
    assert_one_line(caught.value, one_line(str(path)) or UNNAMED)
    assert caught.value.key == ""
    return caught.value


def test_an_unknown_name_is_answered_with_the_nearest_preset():
    error = file_refusal("tutorial-bb")
    assert str(error) == 'tutorial-bb: neither a preset nor a file; did you mean "tutorial-b"?'
    assert "such as tutorial-a, or the path of a TOML file" in file_refusal("quite something else").problem
    assert file_refusal("").source == UNNAMED


def test_files_that_cannot_be_read_are_refused(tmp_path):
    assert file_refusal(tmp_path / "none.toml").problem == "no such file"
    assert file_refusal(tmp_path).problem == "found a folder; expected a file"
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"title = \xff\xfe")
    assert "found bytes that are not text (at byte 9)" in file_refusal(binary).problem
    huge = tmp_path / "huge.toml"
    with huge.open("wb") as file:
        file.truncate(17 * 2**20)  # a hole: it takes no space
    assert file_refusal(huge).problem == "found a file of 17.8 MB; expected at most 16.7 MB"
    assert "cannot be read" in file_refusal("a\0b.toml").problem
    assert file_refusal("two\nlines.toml").source == r"two\nlines.toml"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    assert "expected a regular file" in file_refusal(tmp_path / "pipe.toml").problem


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path):
    file = tmp_path / "secret.toml"
    file.write_text(EXAMPLE, "utf-8")
    file.chmod(0)
    assert "cannot be read" in file_refusal(file).problem


def test_reading_an_experiment_does_not_import_numpy():
    code = (
        "import sys, engine.experiment.loading as l; [*map(l.load_experiment, l.PRESET_NAMES)]; "
        "sys.exit('numpy' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


# ------------------------------------------------------------------------------------------------ presets


def test_the_presets_come_in_the_tutorials_order_and_no_file_is_forgotten():
    files = resources.files("engine").joinpath("presets").iterdir()
    assert {file.name for file in files} == {f"{name}.toml" for name in PRESET_NAMES}
    assert PRESET_NAMES[:7] == (
        "tutorial-a",
        "tutorial-a-loss",
        "tutorial-a-loss-weighted",
        "tutorial-a-wine",
        "tutorial-a-weighted",
        "tutorial-b",
        "tutorial-b-wine",
    )


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_every_preset_introduces_itself(name):
    experiment = load_experiment(name)
    assert 0 < len(experiment.title) <= 60
    assert experiment.about.endswith(".")


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("tutorial-a-loss", -(math.log(0.8) + math.log(0.9)) / 2),
        ("tutorial-a-loss-weighted", -(math.log(0.8) + 10 * math.log(0.9)) / 2),
    ],
)
def test_the_loss_by_hand_is_the_loss_of_its_preset(name, by_hand):
    record = Trainer(load_experiment(name)).step()
    assert record.loss == pytest.approx(by_hand, rel=1e-12)
    assert name != "tutorial-a-loss" or record.loss == pytest.approx(0.16425, abs=5e-6)


def test_in_tutorial_b_all_five_factors_of_w_1_11_differ_from_zero():
    experiment = load_experiment("tutorial-b")
    assert isinstance(experiment.data, InlineData)
    assert isinstance(experiment.loss, BceLoss)
    assert (experiment.loss.alpha, experiment.loss.beta) == (1.0, 1.0)
    X, Y = np.array(experiment.data.X), np.array(experiment.data.Y)
    W1, W2 = (np.array(layer.W) for layer in experiment.network.layers)
    assert (X.shape, W1.shape, W2.shape) == ((3, 1), (3, 2), (2, 1))
    f1 = W1.T @ X
    f2 = W2.T @ np.maximum(f1, 0)
    prediction = 1 / (1 + np.exp(-f2))
    factors = [
        (-Y / prediction + (1 - Y) / (1 - prediction))[0, 0],
        (prediction * (1 - prediction))[0, 0],
        W2[1, 0],
        float(f1[1, 0] > 0),
        X[1, 0],
    ]
    assert all(abs(factor) > 0.05 for factor in factors)
