"""`bptui report`: findings of anybody's log, headless."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tui.cli.test_commands import complaint, run

LOGS = Path(__file__).parents[2] / "fixtures" / "logs"


def log(path: Path, lines: list[dict[str, object]], **header: object) -> Path:
    first = {"format": "bptui run log", "schema": "1.1", "layers": ["l0.weight", "l1.weight"], **header}
    path.write_text("".join(json.dumps(line) + "\n" for line in [first, *lines]), "utf-8")
    return path


def report(*arguments: str) -> dict[str, object]:
    result = run("report", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_vanishing_gradients_are_found(tmp_path):
    path = log(
        tmp_path / "run.jsonl", [{"step": k, "grad_l2": [1e-9, 1.0]} for k in range(5)], fields=["grad_l2"]
    )
    found = report(str(path))
    assert [finding["kind"] for finding in found["findings"]] == ["vanishing"]
    assert found["layers"] == ["l0.weight", "l1.weight"]
    text = run("report", str(path)).stdout
    assert "Vanishing" in text
    assert "loss: not logged" in text


def test_the_first_step_that_is_not_finite_is_named_with_its_layers(tmp_path):
    lines = [{"step": k, "loss": 1.0, "grad_l2": [1.0, 1.0]} for k in range(5)]
    lines += [
        {"step": 5, "loss": 1.0, "grad_l2": [None, 1.0]},
        {"step": 6, "loss": None, "grad_l2": [None, None]},
    ]
    path = log(tmp_path / "run.jsonl", lines, fields=["loss", "grad_l2", "nonfinite"])
    found = report(str(path))
    assert found["nonfinite"] == {"step": 5, "layers": ["l0.weight"]}
    assert found["findings"][0]["kind"] == "diverged"
    assert "those of step 5: l0.weight" in run("report", str(path)).stdout


def test_unreadable_lines_are_told_with_number_and_field(tmp_path):
    lines = [{"step": 0, "grad_l2": [1.0, 1.0]}, {"step": 1, "grad_l2": [1.0]}, {"step": 2, "loss": 1.0}]
    path = log(tmp_path / "run.jsonl", lines, fields=["grad_l2"])
    assert [damage["line"] for damage in report(str(path))["damaged"]] == [3, 4]
    assert "line 3: grad_l2 has 1 entries, not 2" in run("report", str(path)).stdout


def test_biases_are_no_layers_of_findings(tmp_path):
    lines = [{"step": k, "grad_l2": [1e-9, 1.0]} for k in range(5)]
    path = log(tmp_path / "run.jsonl", lines, fields=["grad_l2"], shapes=[[4], [4, 4]])
    found = report(str(path))
    assert found["layers"] == ["l1.weight"]
    assert found["findings"] == []


@pytest.mark.parametrize("name", ["tensorboard/scalars", "lightning", "trackio", "hugging_face"])
def test_other_programs_logs_and_folders_are_read(name):
    found = report(str(LOGS / name))
    assert found["lines"] == 6
    kinds = [finding["kind"] for finding in found["findings"]]
    assert kinds == (["diverged"] if name == "trackio" else [])


def test_an_order_that_is_lost_is_said():
    assert "has lost the order of the layers" in run("report", str(LOGS / "lightning")).stdout


def test_layers_and_names_choose():
    assert report(str(LOGS / "tensorboard" / "scalars"), "--layers", r"^[02]\.weight")["layers"] == [
        "0.weight",
        "2.weight",
    ]
    assert report(str(LOGS / "plain.jsonl"), "--names", r"^norms/(?P<layer>.*weight)")["layers"] == [
        "0.weight",
        "2.weight",
        "4.weight",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing.jsonl",), "nothing.jsonl: no such file"),
        ((str(LOGS / "plain.jsonl"), "--names", "("), "no regular expression"),
        ((str(LOGS / "lightning"), "--layers", "conv"), "fits none of the layers"),
        ((str(Path(__file__).parent),), "no run log, TensorBoard events"),
    ],
)
def test_what_cannot_be_read_is_one_line(arguments, words):
    assert words in complaint(run("report", *arguments))
