"""`bptui run -- COMMAND`: programs that know nothing of bptui are recorded, and end as they would without it."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bptui.recorded_command import CommandOutcome, environment

ROOT = Path(__file__).parents[2]
TRAIN = """
import sys
import torch
from torch.nn.utils import clip_grad_norm_

def main():
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    X, Y = torch.randn(16, 4), torch.randint(0, 2, (16,))
    for _ in range(3):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(X), Y).backward()
        clip_grad_norm_(model.parameters(), 0.01)
        optimizer.step()
"""
CLOSURE = """
def with_closure():
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    def closure():
        loss = model(torch.ones(2, 4)).square().mean()
        loss.backward()
        return loss
    optimizer.step(closure)
"""
GUARDED = TRAIN + "\nif __name__ == '__main__':\n    main()\n    sys.exit(7)\n"
BARE = TRAIN + "\nmain()\n"

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="recording real trainings needs torch"
)


def bptui_run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    launcher = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bptui.__main__ import main; main()"
    return subprocess.run(
        [sys.executable, "-c", launcher, "run", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@needs_torch
def test_a_script_is_recorded_with_the_names_of_its_parameters_and_its_status_is_kept(tmp_path):
    (tmp_path / "train.py").write_text(GUARDED)
    done = bptui_run(tmp_path, "--", sys.executable, "train.py")
    assert done.returncode == 7, done.stderr
    header, *records = lines(tmp_path / "bptui-run.jsonl")
    assert header["layers"] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert header["loss_from"] == "backward"
    assert [record["step"] for record in records] == [0, 1, 2]
    assert all(record["clipped"] < 1 and record["loss"] > 0 for record in records)
    assert f"recorded in {tmp_path / 'bptui-run.jsonl'}" in done.stderr


@needs_torch
def test_a_module_without_a_main_guard_in_a_folder_with_its_own_engine_and_sitecustomize(tmp_path):
    (tmp_path / "train.py").write_text("import engine, sitecustomize\nassert engine.mine\n" + BARE)
    (tmp_path / "engine.py").write_text("mine = True\n")
    (tmp_path / "sitecustomize.py").write_text("print('the hidden one')\n")
    done = bptui_run(
        tmp_path, "--log", "logs.jsonl", "--every", "2", "--", "env", f"PYTHONPATH={environment_path(tmp_path)}",
        sys.executable, "-m", "train",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "the hidden one\n"
    _, *records = lines(tmp_path / "logs.jsonl")
    assert [record["step"] for record in records] == [0, 2]


def environment_path(folder: Path) -> str:
    """PYTHONPATH as `bptui run` sets it for somebody who has a folder in it."""
    return environment(folder / "x", 1, "", {"PYTHONPATH": str(folder)})["PYTHONPATH"]


@needs_torch
def test_torchrun_writes_one_log_by_rank_0(tmp_path):
    (tmp_path / "train.py").write_text(BARE)
    done = bptui_run(
        tmp_path, "--", sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "train.py"
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.glob("*.jsonl")] == ["bptui-run.jsonl"]
    assert len(lines(tmp_path / "bptui-run.jsonl")) == 4


@needs_torch
def test_two_optimizers_have_a_log_each_and_are_told_of_also_where_they_take_a_closure(tmp_path):
    (tmp_path / "train.py").write_text(TRAIN + CLOSURE + "\nwith_closure()\nmain()\n")
    done = bptui_run(tmp_path, "--", sys.executable, "train.py")
    names = sorted(path.name for path in tmp_path.glob("*.jsonl"))
    assert names == ["bptui-run-optimizer-2.jsonl", "bptui-run.jsonl"], done.stderr
    assert done.stderr.count("recorded in") == 2, done.stderr


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_a_python_that_does_not_look_at_pythonpath_is_told_at_the_end(tmp_path, option):
    done = bptui_run(tmp_path, "--", sys.executable, option, "-c", "print('hello')")
    assert done.returncode == 0
    assert done.stdout == "hello\n"
    assert "nothing was recorded" in done.stderr
    assert "-I, -E or -S" in done.stderr


@needs_torch
def test_of_many_optimizers_the_first_logs_and_the_last_are_named(tmp_path):
    many = "import torch\nfor _ in range(6):\n    weight = torch.ones(2, requires_grad=True)\n"
    many += "    weight.sum().backward()\n    torch.optim.SGD([weight], lr=0.1).step()\n"
    done = bptui_run(tmp_path, sys.executable, "-c", many)
    assert len(list(tmp_path.glob("bptui-run*.jsonl"))) == 6
    assert done.stderr.count("recorded in") == 4
    assert f"3 more files, the last of them {tmp_path / 'bptui-run-optimizer-6.jsonl'}" in done.stderr


@needs_torch
def test_a_second_run_is_told_of_under_the_name_that_it_got(tmp_path):
    (tmp_path / "bptui-run.jsonl").write_text("the first one\n")
    done = bptui_run(tmp_path, sys.executable, "-c", BARE)
    assert f"recorded in {tmp_path / 'bptui-run-2.jsonl'}" in done.stderr
    assert (tmp_path / "bptui-run.jsonl").read_text() == "the first one\n"


def test_a_program_without_torch_is_told_at_the_end(tmp_path):
    done = bptui_run(tmp_path, "--", sys.executable, "-c", "raise SystemExit(3)")
    assert done.returncode == 3
    assert "no Python of the command imported torch.optim" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no such signals")
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_signal_that_ends_the_command_ends_us_as_well(tmp_path, ending):
    code = f"import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.kill(os.getpid(), {int(ending)})"
    assert bptui_run(tmp_path, "--", sys.executable, "-c", code).returncode == -ending


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no such signals")
def test_a_signal_sent_to_us_reaches_the_command(tmp_path):
    launcher = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bptui.__main__ import main; main()"
    code = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", launcher, "run", "--", sys.executable, "-c", code]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 9


def test_no_command_and_an_unknown_one_are_one_line(tmp_path):
    assert bptui_run(tmp_path).returncode == 2
    done = bptui_run(tmp_path, "--", "no-such-program-anywhere")
    assert done.returncode == 127
    (line,) = done.stderr.splitlines()
    assert "no-such-program-anywhere: cannot be started" in line


def test_what_is_known_of_why_nothing_was_recorded(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    assert CommandOutcome(0, ("python", "torch", "log /x/run.jsonl")).nothing_recorded is None
    assert CommandOutcome(0, ("python", "torch")).nothing_recorded == "no torch optimizer made a step"
    monkeypatch.setenv("RANK", "1")  # where rank 0 writes, nothing is missing
    assert CommandOutcome(0, ("python", "torch")).nothing_recorded is None
