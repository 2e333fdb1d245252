"""Pipes, devices and files without end in the place of every input: refused in one line, and never waited for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tui.cli.test_commands import ROOT, complaint, run

if not hasattr(os, "mkfifo"):
    pytest.skip("named pipes are a thing of Unix", allow_module_level=True)

CSV_EXPERIMENT = """
data = {kind = "csv", path = "wine.csv", features = ["colour"], label = "variety"}
network = {layers = [{units = 1, activation = "sigmoid"}]}
loss = {kind = "bce"}
"""


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def of_the_system(path: Path) -> None:
    """A regular file of no size that does not end for as long as anybody reads."""
    path.symlink_to("/proc/self/pagemap")


@pytest.mark.parametrize("made", [pipe, endless, of_the_system])
def test_what_is_no_file_is_refused_in_one_line(made, tmp_path):
    if made is of_the_system and not Path("/proc/self/pagemap").exists():
        pytest.skip("no files of the system's own")
    for name in ("lab.toml", "wine.csv", "run.jsonl", "arrays.npz"):
        made(tmp_path / name)
    (tmp_path / "csv.toml").write_text(CSV_EXPERIMENT, "utf-8")
    for arguments in (
        ["grads", str(tmp_path / "lab.toml")],
        ["check", str(tmp_path / "csv.toml")],
        ["report", str(tmp_path / "run.jsonl")],
        ["compare", "tutorial-b", str(tmp_path / "arrays.npz")],
        ["worksheet", str(tmp_path / "lab.toml")],
    ):
        assert complaint(run(*arguments)), arguments


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_what_is_written_on_a_full_disk_leaves_no_part_of_it(tmp_path):
    """The limit on a file's size stands in for a disk without room."""
    program = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    program += "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)); from tui.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "new", str(tmp_path / "mine.toml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*mine*"))
    assert not list(tmp_path.glob(".bptui*"))
