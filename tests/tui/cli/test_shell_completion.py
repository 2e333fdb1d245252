"""Completion in real shells: whatever a file is called, its name reaches the command whole, and nothing of it runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import tui
from tui.cli.arguments import LessonType
from tui.cli.shell_completion import FILE, typed_words

if sys.platform == "win32":
    pytest.skip("these shells are those of Unix", allow_module_level=True)

import pexpect

ROOT = Path(tui.__file__).parents[1]
PATIENCE = 60.0
COLUMNS, ROWS = 300, 24

HOSTILE = "zz $(touch ran) `touch ran`;touch ran;'\"&|<>!*?~{a,b}.toml"
"""All that a shell acts on, in one name."""
NAMES = {
    "zz": HOSTILE,
    "ne": "new\nline;touch ran.toml",
    "wi": "with space.toml",
    "no": "no:lon=sign.toml",
    "./do": "./do $(touch ran)/in side.toml",
}
"""What is typed before Tab, and the file that is meant."""

# `bptui` as the shells find it: completion is the program's own, any other call only writes down its arguments.
STAND_IN = """#!{python}
import json, os, sys
sys.path.insert(0, {root!r})
if "_BPTUI_COMPLETE" in os.environ or sys.argv[1:2] == ["completion"]:
    from tui.__main__ import main
    try:
        main()
    finally:
        open({answered!r}, "a").write("x")
else:
    with open({said!r}, "a") as file:
        file.write(json.dumps(sys.argv[1:]) + "\\n")
"""

SHELLS = {
    "bash": (["--norc", "--noprofile", "-i"], "bind 'set bell-style none'; source {script}"),
    "zsh": (["-f", "-i"], "autoload -Uz compinit; compinit -u -D; source {script}"),
    "fish": (["--no-config", "-i"], "source {script}"),
}


class Shell:
    """A shell in a terminal, in a folder with files of hostile names."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder / "work"
        self.said, self.answered = folder / "said", folder / "answered"
        binaries = folder / "bin"
        for place in (self.folder, binaries):
            place.mkdir()
        for file in NAMES.values():
            path = self.folder / file
            path.parent.mkdir(exist_ok=True)
            path.touch()
        program = binaries / "bptui"
        program.write_text(
            STAND_IN.format(
                python=sys.executable, root=str(ROOT), said=str(self.said), answered=str(self.answered)
            ),
            "utf-8",
        )
        program.chmod(0o755)
        script = folder / "script"
        environment = {
            **os.environ,
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
            "HISTFILE": "/dev/null",
        }
        script.write_bytes(subprocess.check_output([str(program), "completion", name], env=environment))
        options, setup = SHELLS[name]
        self.process = pexpect.spawn(
            str(shutil.which(name)),
            options,
            cwd=str(self.folder),
            env=environment,
            dimensions=(ROWS, COLUMNS),
            timeout=PATIENCE,
            encoding="utf-8",
        )
        self.process.delaybeforesend = None
        self.process.sendline(setup.format(script=script) + "; touch ready")
        self._wait(lambda: (self.folder / "ready").exists())
        (self.folder / "ready").unlink()

    def arguments_after(self, typed: str) -> list[str]:
        """What `bptui` is called with after `typed`, Tab and Enter."""
        before = len(self._lines())
        for part in typed.split("\t"):
            answers = len(self.answered.read_text("utf-8"))
            self.process.send(part + "\t")
            self._wait(lambda: len(self.answered.read_text("utf-8")) > answers)  # noqa: B023 - called at once
            self._settle()
        self.process.send("\r")
        self._wait(lambda: len(self._lines()) > before)
        return list(json.loads(self._lines()[-1]))

    def _lines(self) -> list[str]:
        return self.said.read_text("utf-8").splitlines() if self.said.exists() else []

    def _settle(self) -> None:
        """Until the shell has drawn what it completed and says no more."""
        while self._read():
            pass

    def _read(self) -> str:
        try:
            return str(self.process.read_nonblocking(65536, timeout=0.2))
        except pexpect.TIMEOUT:
            return ""

    def _wait(self, happened: object) -> None:
        end = time.monotonic() + PATIENCE
        screen = ""
        while not happened():  # type: ignore[operator]
            screen += self._read()
            assert time.monotonic() < end, screen


@pytest.fixture(params=sorted(SHELLS))
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    if shutil.which(request.param) is None:
        pytest.skip(f"there is no {request.param} here")
    folder = tmp_path / "shell"
    folder.mkdir()
    started = Shell(request.param, folder)
    yield started
    started.process.close(force=True)


def test_the_right_file_is_completed_and_nothing_of_its_name_runs(shell: Shell):
    for typed, file in NAMES.items():
        # A folder is completed first, and what is in it with another Tab.
        tabs = "\t" if "/" in file[2:] else ""
        assert shell.arguments_after(f"bptui grads {typed}{tabs}")[1:] == [file], typed
    assert shell.arguments_after("bptui grads 'wi") == ["grads", "with space.toml"]
    assert shell.arguments_after("bptui grads residual") == ["grads", "residual-fork"]
    assert shell.arguments_after("bptui explain tutorial-b --wrt 'W[2][1") == [
        "explain",
        "tutorial-b",
        "--wrt",
        "W[2][1,0]",
    ]
    assert not (shell.folder / "ran").exists()


@pytest.mark.parametrize(
    ("line", "words", "incomplete"),
    [
        ("bptui ", [], ""),
        ("bptui grads", [], "grads"),
        ("bptui grads ", ["grads"], ""),
        ("bptui grads 'my la", ["grads"], "my la"),
        ('bptui grads "a b" $(x', ["grads", "a b"], "$(x"),
        ("bptui grads a\\ b", ["grads"], "a b"),
        ("bptui grads a\\", ["grads"], "a"),
    ],
)
def test_a_command_line_is_read_without_its_quotes(line, words, incomplete):
    assert typed_words(line) == (words, incomplete)


def test_lessons_of_ones_own_are_completed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("les son$(touch ran).md", "les.toml"):
        (tmp_path / name).touch()
    context = click.Context(click.Command("lesson"))
    items = LessonType().shell_complete(context, click.Argument(["item"]), "les")
    assert [(item.value, item.type) for item in items] == [("les son$(touch ran).md", FILE)]
