"""`bptui train`: its table, its JSON, its log, its chart, and how it ends, of itself or not."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.diagnosis.whole_data import measure_all
from engine.experiment.loading import load_experiment
from engine.runs.run_log import read_run_log
from engine.training.trainer import Trainer
from tests.engine.diagnosis.diagnosed import CASES
from tests.tui.cli.test_commands import ROOT, complaint, run, start
from tests.tui.trainings import SMALL_NET, wait_for

LAYER_KEYS = ["name", "grad_max", "grad_mean", "grad_l2", "zero_fraction", "quiet", "dead"]


def train(*arguments: str, status: int = 0) -> str:
    """What a training prints, in good order whether it went well or diverged (status 1)."""
    result = run("train", *arguments)
    assert result.exit_code == status, result.stderr
    assert status or result.stderr == ""
    return result.stdout


def strict_json(text: str) -> dict:
    """The one line of JSON, which may not say NaN."""

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    assert len(text.splitlines()) == 1
    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def lab(tmp_path: Path) -> str:
    """The path of the small network's file."""
    path = tmp_path / "lab.toml"
    path.write_text(SMALL_NET, "utf-8")
    return str(path)


# ── what it prints ──────────────────────────────────────────────────────────────────────────────────


def test_the_json_is_the_contract_and_the_numbers_are_the_trainers(lab):
    found = strict_json(train(lab, "--json", "--steps", "12"))
    assert {"steps", "seconds", "loss_first", "loss_last", "accuracy", "layers", "nonfinite"} <= set(found)
    assert set(found) <= {
        *("steps", "seconds", "loss_first", "loss_last", "accuracy", "layers", "nonfinite"),
        *("accuracy_first", "recall", "problem", "nulls"),
    }
    trainer = Trainer(load_experiment(lab))
    before = measure_all(trainer.network, trainer.data).record
    for _ in range(12):
        next(trainer)
    last = measure_all(trainer.network, trainer.data, 12).record
    assert found["steps"] == 12
    assert found["seconds"] > 0
    assert found["loss_first"] == before.loss
    assert found["loss_last"] == last.loss
    assert found["accuracy_first"] == before.accuracy
    assert found["accuracy"] == last.accuracy
    assert found["recall"] == list(last.recall)
    assert found["problem"] is None
    assert found["nonfinite"] == 0
    assert [layer["name"] for layer in found["layers"]] == ["W[1]", "W[2]", "W[3]"]
    for place, layer in enumerate(found["layers"]):
        assert list(layer) == LAYER_KEYS
        for key in LAYER_KEYS[1:]:
            assert layer[key] == getattr(last, key)[place]


def test_one_step_shows_a_change():
    found = strict_json(train("tutorial-a", "--steps", "1", "--json"))
    assert found["loss_last"] < found["loss_first"]


def test_a_run_that_breaks_is_strict_json_with_a_count_and_the_reason():
    found = strict_json(train("exploding-50", "--json", status=1))
    assert found["loss_last"] is None
    assert found["steps"] == 2
    assert found["problem"].startswith("Step 2: ")
    nulls = sum(layer[key] is None for layer in found["layers"] for key in LAYER_KEYS)
    assert found["nulls"] == nulls + 1
    trainer = Trainer(load_experiment("exploding-50"))
    *_, last = trainer
    assert found["nonfinite"] == last.nonfinite > 0
    assert math.isfinite(found["loss_first"])


def test_a_run_that_breaks_says_so_in_text():
    result = run("train", "exploding-50")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("bptui: Step 2: ")
    assert "NaN" in result.stdout


def test_the_table_has_a_line_a_layer_and_the_loss_before_and_after(lab):
    header, *layers, _, end = train(lab, "--steps", "5").splitlines()
    assert header.split() == ["layer", "max", "|∂ℰ/∂W|", "L2", "zeros", "quiet", "dead"]
    assert [line.split()[0] for line in layers] == ["W[1]", "W[2]", "W[3]"]
    assert re.fullmatch(
        r"5 steps in \d+\.\d\d s, over all data: loss 0\.\d+ → 0\.\d+, accuracy .* % → .* %\)", end
    )


def test_without_steps_the_experiments_own_number_is_trained(lab):
    assert strict_json(train(lab, "--json"))["steps"] == 150


@pytest.mark.parametrize("flag", ["--ascii", "--json"])
def test_ascii_output(lab, flag):
    assert train(lab, "--steps", "2", "--plot", "--ascii").isascii()
    assert run("train", lab, "--steps", "2", flag, "--ascii").stdout.isascii()


def test_the_plot_is_drawn_after_the_table(lab):
    lines = train("vanishing-sigmoid-50", "--steps", "1", "--plot").splitlines()
    chart = lines[-20:]
    assert all(len(line) == 80 for line in chart)
    assert chart[0].lstrip().startswith("╭")
    assert sum(line.count("█") for line in chart) > 300
    assert sum(line.count("█") for line in chart[:5]) < sum(line.count("█") for line in chart[-7:-2])


def test_with_json_the_plot_goes_to_stderr(lab):
    result = run("train", lab, "--steps", "2", "--plot", "--json")
    strict_json(result.stdout)
    assert "█" in result.stderr


# ── the log ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_holds_every_step_in_whole_lines_the_header_first(lab, tmp_path):
    path = tmp_path / "run.jsonl"
    found = strict_json(train(lab, "--log", str(path), "--json"))
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    header, *records = (json.loads(line) for line in lines)
    assert header["layers"] == ["W[1]", "W[2]", "W[3]"]
    assert header["title"] == "A small network"
    assert header["units"] == [6, 6, 1]
    assert header["activations"] == ["ReLU", "ReLU", "sigmoid"]
    assert [record["step"] for record in records] == list(range(150))
    assert records[0]["loss"] != found["loss_first"]  # a mini-batch's, beside that of all data


def test_a_log_is_never_overwritten(lab, tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("precious", "utf-8")
    assert complaint(run("train", lab, "--log", str(path))).endswith(
        "is there already; a run log is never overwritten"
    )
    assert path.read_text("utf-8") == "precious"


def test_a_log_that_cannot_be_written_is_told_before_training(lab, tmp_path):
    line = complaint(run("train", lab, "--log", str(tmp_path / "nowhere" / "run.jsonl")))
    assert "cannot be written: No such file or directory" in line
    assert "is a directory" in complaint(run("train", lab, "--log", str(tmp_path)))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere.toml"], "nowhere.toml"),
        (["relu-51"], 'did you mean "relu-50"'),
        (["tutorial-a", "--steps", "0"], "--steps"),
        (["tutorial-a", "--steps", "many"], "--steps"),
        ([], "Missing argument 'EXPERIMENT'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: Sequence[str], expected: str):
    assert expected in complaint(run("train", *arguments))


def test_a_full_disk_warns_once_and_the_training_goes_on(lab, tmp_path):
    path = tmp_path / "run.jsonl"
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000));"
        "sys.argv = ['bptui', *sys.argv[1:]]; from tui.__main__ import main; main()"
    )
    process = subprocess.run(
        [sys.executable, "-c", limited, "train", lab, "--log", str(path), "--json"],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 1, process.stderr
    assert strict_json(process.stdout)["steps"] == 150
    warning, lost = process.stderr.splitlines()
    assert "the training goes on without it" in warning
    log = read_run_log(path)
    assert not log.damaged
    assert [record.step for record in log.records] == list(range(len(log.records)))
    assert len(log.records) < 150
    assert lost == f"bptui: {path}: {150 - len(log.records)} records of 150 could not be written"


# ── Ctrl+C ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_ends_in_good_order_with_what_is_done(lab, tmp_path, as_json):
    path = tmp_path / "run.jsonl"
    arguments = ["train", lab, "--steps", "100000000", "--log", str(path), *(["--json"] if as_json else [])]
    process = start(*arguments, PYTHONDONTWRITEBYTECODE="1")
    wait_for(lambda: path.exists() and path.read_bytes().count(b"\n") > 10)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err == b""  # no progress bar where there is no terminal, and no traceback
    raw = path.read_bytes()
    assert raw.endswith(b"\n")
    steps = [json.loads(line)["step"] for line in raw.splitlines()[1:]]
    assert steps == list(range(len(steps)))
    text = out.decode()
    if as_json:
        assert strict_json(text)["steps"] == len(steps)
    else:
        assert f"\n{len(steps):,} steps in " in text


def test_in_a_terminal_a_bar_shows_how_far_it_is_and_data_stays_apart(lab):
    pexpect = pytest.importorskip("pexpect")
    child = pexpect.spawn(
        sys.executable,
        ["-m", "tui", "train", lab, "--steps", "3000"],
        cwd=str(ROOT),
        env={**os.environ, "TERM": "xterm"},
        dimensions=(24, 100),
        timeout=30,
        encoding="utf-8",
    )
    child.expect(r"steps/s .*\d+/3000")
    child.expect(r"3,000 steps in")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


# ── the report ──────────────────────────────────────────────────────────────────────────────────────


def test_the_report_names_the_factor_to_blame_in_numbers():
    said = " ".join(train("vanishing-sigmoid-50", "--steps", "1", "--report").split())
    assert "Diagnosis after 1 step: Vanishing" in said
    assert "The sigmoid is to blame" in said
    assert "Remedy: An activation whose slope is near 1" in said
    assert "Evidence: weights_ratio 8.635e-26" in said
    assert re.search(r"δ changes by −25\.\d\d decades: weights \+7\.\d\d, activations −32\.\d\d\.", said)
    assert "died" not in said.split("Outcomes")[1]  # no sigmoid can


def test_the_report_counts_which_class_is_taken_for_which():
    for experiment, found in (("tutorial-a-wine", "45"), ("tutorial-a-weighted", "77")):
        report = train(experiment, "--report")
        (row,) = [line.split() for line in report.splitlines() if line.startswith("variety A")]
        assert row[3] == found
        assert "Gradients" not in report  # of one layer there is nothing to say
        assert "Diagnosis after 200 steps: " in report


def test_the_report_lists_the_units_that_died_with_their_steps():
    lines = train("dying-relu", "--steps", "3", "--report").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("Units: "))
    assert lines[start + 1 : start + 4] == [
        "step 0: unit 0 of layer 3 died",
        "step 0: unit 1 of layer 3 died",
        "step 1: unit 1 of layer 1 died",
    ]
    assert re.fullmatch(r"and \d+ more deaths and recoveries, the last at step 2", lines[-1])
    assert re.fullmatch(r"Units: \d+ of 49 are dead after step 3", lines[start])
    assert train("dying-relu-leaky", "--steps", "3", "--report").endswith("No unit died.\n")


def test_the_report_fits_80_columns_and_can_be_ascii():
    for options in ([], ["--ascii"]):
        report = train("exploding-50", "--steps", "1", "--report", *options, status=1).split("Diagnosis")[1]
        assert max(map(len, report.splitlines())) <= 80
    assert report.isascii()
    assert "delta[1] is" in report


def test_with_json_the_report_is_the_list_of_findings(lab):
    found = strict_json(train("vanishing-sigmoid-50", "--steps", "1", "--report", "--json"))
    assert [finding["kind"] for finding in found["findings"]] == ["vanishing"]
    keys = ["kind", "layers", "step", "evidence", "text", "remedy", "change"]
    assert all(list(finding) == keys for finding in found["findings"])
    assert found["findings"][0]["step"] == found["steps"] == 1
    assert "findings" not in strict_json(train(lab, "--steps", "1", "--json"))


def test_a_single_layer_and_a_regression_have_a_report_too():
    said = " ".join(train("tutorial-a-weighted", "--report").split())
    assert "so this is the least loss there is, and no fault" in said
    said = " ".join(train("residual-fork", "--report").split())
    assert "Diagnosis after 100 steps: Learned" in said


def test_dead_units_are_counted_anew_at_the_end_over_all_data():
    case = str(CASES / "wine-dies-in-batches.toml")
    found = strict_json(train(case, "--json"))
    assert [layer["dead"] for layer in found["layers"]] == [61, 32, 59, 0]
    assert "152 of 192 units are off for every sample" in " ".join(train(case, "--report").split())


def test_a_loss_that_rises_far_is_status_1_and_null_is_for_what_is_not_finite():
    case = str(CASES / "unscaled-regression.toml")
    found = strict_json(train(case, "--report", "--json", status=1))
    diverged, too_long, _ = found["findings"]
    assert diverged["evidence"]["loss_last"] is None
    assert too_long["evidence"]["learning_rate"] == 0.02


def test_a_class_that_has_no_samples_has_no_recall():
    assert "nan" not in train("tutorial-a", "--steps", "2")


def test_why_nan_takes_the_first_number_that_is_not_finite_apart():
    text = train("exploding-50", "--why-nan", status=1)
    assert "The first number that is not finite, in step 2" in text
    assert "Its largest factor" in text
    found = strict_json(train("exploding-50", "--why-nan", "--json", status=1))
    assert found["why_nan"]["step"] == 2
    assert found["why_nan"]["update"]["learning_rate"] == 0.1


def test_why_nan_of_a_training_that_stays_finite_says_so():
    assert "Every number of 2 steps was finite." in train("tutorial-b", "--steps", "2", "--why-nan")
    assert strict_json(train("tutorial-b", "--steps", "2", "--why-nan", "--json"))["why_nan"] is None


def test_held_out_samples_are_told_beside_the_training(tmp_path):
    path = tmp_path / "held-out.toml"
    path.write_text(SMALL_NET.replace("[data]", "[data]\ntest_share = 0.25", 1), "utf-8")
    log = tmp_path / "run.jsonl"
    text = train(str(path), "--steps", "6", "--log", str(log))
    (told,) = (line for line in text.splitlines() if "held out" in line)
    assert re.match(r"\d+ samples held out: loss [0-9.]+ → [0-9.]+", told)
    found = strict_json(train(str(path), "--steps", "6", "--json"))
    assert {"test_n", "test_loss_first", "test_loss_last", "test_accuracy_first", "test_accuracy"} <= set(
        found
    )
    assert math.isfinite(found["test_loss_last"])
    first, *_ = read_run_log(log).records
    assert first.test_loss == pytest.approx(found["test_loss_first"], rel=1e-8)
