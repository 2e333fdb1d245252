r"""Text that others wrote never reaches the terminal as a command: every command, every screen, byte by byte.

titles and problems of logs, titles of experiments, file names, arguments, keys, folders
        │ ESC ]52 (the clipboard), CSI, DCS, C0, C1, marks that reverse writing, lone surrogates
        └──> every command and every screen ──> a pseudo-terminal, whose bytes are read
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("pseudo-terminals, and file names of any bytes, are things of Unix", allow_module_level=True)

import tui
from engine.experiment.loading import parse_experiment
from tests.tui.pseudo_terminal import Terminal
from tests.tui.signal_situations import home_environment, make_log, wait
from tui.cli.main import cli

EVIL = (
    "evil\x1b]52;c;RVZJTA==\x07\x1b]2;owned\x07\x1b[69;69H\x1bP69q\x1b\\"  # clipboard, title, cursor, device
    "\x9b69;69H\x9d52;c;RVZJTA==\x9c\x85"  # the same in C1
    "\x00\x08\x0b\x0c\x0e\x7f\r\n\t"  # C0
    "\u202e\u2066\u200f\u061c\u2028\u2029\ufeff\U000e0041"  # reversed, isolated, broken, invisible
    "end"
)
FILE_EVIL = EVIL.replace("\x00", "") + os.fsdecode(b"\xff\xc2")
"""As part of a file's name: what stands for bytes that are no text is half a surrogate pair in Python."""

OBEYED = re.compile(
    rb"\x1b\](52|2);|\x1b\[69;69H|\x1bP69|"
    rb"\xc2[\x80-\x9f]|[\x80-\xbf]{4}|"  # C1, written as UTF-8; stray bytes
    rb"\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xd8\x9c|\xef\xbb\xbf|\xf3\xa0\x81|"
    rb"\xed[\xa0-\xbf]"
)
"""What a terminal would do something about, of all that EVIL holds."""
ALSO_OBEYED_BY_LINES = re.compile(rb"[\x00\x07\x08\x0b\x0c\x0e\x7f]|\x1b(?!\[\?25[hl])")
"""What no command may write at all: its output is lines."""

EXPERIMENT = """
data = {kind = "inline", X = [[1.0, 0.5]], Y = [[1, 0]]}
loss = {kind = "bce"}
train = {steps = 3}
[network]
[[network.layers]]
units = 2
activation = "relu"
W = [[1.0, -1.0]]
[[network.layers]]
units = 1
activation = "sigmoid"
W = [[1.0], [0.5]]
"""

EVERY_COMMAND = """
import json, sys
from tui.cli.main import cli
for arguments in json.load(open(sys.argv[1])):
    print("\\n$", ascii(arguments), flush=True)
    try:
        cli.main(arguments, prog_name="bptui")
    except SystemExit as ended:
        print("\\nstatus", ended.code, flush=True)
print("ALL DONE", flush=True)
"""


def in_toml(text: str) -> str:
    """A quoted text, every character of it spelled out."""
    return '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'


def evil_log(path: Path, xor: Path) -> None:
    """A log of another program, which is right in all but its words."""
    make_log(xor)
    header, *records = [json.loads(line) for line in xor.read_text("utf-8").splitlines()]
    texts = {
        key: EVIL
        for key, value in header.items()
        if isinstance(value, str) and key not in ("format", "schema")
    }
    header |= texts | {"layers": [f"{EVIL} {name}" for name in header["layers"]], "activations": [EVIL] * 2}
    records[-1]["problem"] = EVIL
    path.write_text("\n".join(map(json.dumps, [header, *records, {"step": EVIL}])) + "\n", "utf-8")


@pytest.fixture
def evil(tmp_path: Path) -> dict[str, Path]:
    """A folder of an evil name with evil files: an experiment without a title, two that are refused, a log, keys."""
    folder = tmp_path / FILE_EVIL
    folder.mkdir()
    files = {name: folder / f"{name} {FILE_EVIL}" for name in ("log", "nothing")}
    files |= {name: folder / f"{name} {FILE_EVIL}.toml" for name in ("plain", "titled", "wrong")}
    files["plain"].write_text(EXPERIMENT, "utf-8")
    files["titled"].write_text(f"title = {in_toml(EVIL)}\n{EXPERIMENT}", "utf-8")
    files["wrong"].write_text(f"{in_toml(EVIL)} = 1\n{EXPERIMENT}", "utf-8")
    evil_log(files["log"], tmp_path / "xor.jsonl")
    keys = tmp_path / "config" / "bptui" / "keys.toml"
    keys.parent.mkdir(parents=True)
    keys.write_text(f'{in_toml(EVIL)} = "x"\n', "utf-8")
    return files


def command_lines(evil: dict[str, Path]) -> list[list[str]]:
    """Every command with every evil thing in the place of each of its arguments, and of its options."""
    lines: list[list[str]] = [[EVIL.replace("\x00", "")], [f"--{FILE_EVIL}"]]
    things = [FILE_EVIL, *(str(path) for path in evil.values())]
    for name in cli.commands:
        if name in ("screenshot", "run"):
            lines.append([name, f"--{FILE_EVIL}"])
            continue
        opens = name in ("open", "watch")  # the app, which the other tests look at
        for thing in [str(evil["wrong"])] if opens else things:
            more = ["--wrt", "W[1][0,0]"] if name in ("explain", "answer") else []
            lines.append([name, thing, *more])
        if opens:
            continue
        lines.append([name, "xor", FILE_EVIL])
        lines.append([name, "xor", f"--{FILE_EVIL}"])
        lines += [
            [name, "xor", option, FILE_EVIL] for option in ("--wrt", "--log", "--format", "--steps", "--of")
        ]
    plain = str(evil["plain"])
    lines += [
        ["explain", plain, "--wrt", "W[1][0,0]", "--format", form] for form in ("markdown", "latex", "json")
    ]
    lines += [["explain", plain, "--wrt", f"W[1][0,0]{FILE_EVIL}"], ["train", plain, "--report", "--json"]]
    return lines


def test_the_experiment_itself_is_right():
    assert parse_experiment(EXPERIMENT, "lab.toml").title == ""


def test_no_command_lets_foreign_text_through(evil, tmp_path):
    lines = command_lines(evil)
    (tmp_path / "lines.json").write_text(json.dumps(lines), "utf-8")
    terminal = Terminal(["-c", EVERY_COMMAND, str(tmp_path / "lines.json")], home_environment(), cwd=tmp_path)
    terminal.wait_for_the_end()
    assert b"ALL DONE" in terminal.output, terminal.text()
    assert b"Traceback" not in terminal.output
    assert b"should not have happened" not in terminal.output
    statuses = re.findall(rb"\nstatus (.*)\r", terminal.output)
    assert len(statuses) == len(lines)
    assert set(statuses) <= {b"0", b"1", b"2", b"127"}  # run says 127 of what it does not find
    for pattern in (OBEYED, ALSO_OBEYED_BY_LINES):
        found = pattern.search(terminal.output)
        assert found is None, terminal.output[max(found.start() - 300, 0) : found.end() + 60]


def test_every_command_writes_through_the_one_place_that_looks_at_it():
    """What is printed elsewhere would reach the terminal unseen."""
    for file in (Path(tui.__file__).parent / "cli").rglob("*.py"):
        if file.name != "output.py":
            assert not re.search(
                r"\bclick\.(s?echo|secho|echo_via_pager)\(|\bprint\(", file.read_text("utf-8")
            ), file


def look_around(terminal: Terminal, keys: list[str]) -> None:
    """Presses keys one after the other, and lets each be drawn."""
    for key in keys:
        terminal.press(key)
        wait(terminal, 0.15)


def assert_nothing_is_obeyed(terminal: Terminal) -> None:
    found = OBEYED.search(terminal.output)
    assert found is None, terminal.output[max(found.start() - 300, 0) : found.end() + 60]


PASTE = f"\x1b[200~{EVIL}\x1b[201~"


def test_no_screen_of_an_experiment_lets_foreign_text_through(evil, tmp_path):
    environment = {**home_environment(), "BPTUI_THEME": EVIL.replace("\x00", "")}
    terminal = Terminal(["-m", "tui", "open", str(evil["plain"])], environment)
    terminal.wait_for("step 1 of")
    # the notice about the keys, however it is wrapped
    terminal.wait_until(lambda: "nocommand" in re.sub(r"\W", "", terminal.text()))
    # the stepper and its pages, the export and what it says, the charts, the units, the way home
    look_around(terminal, ["\x1b[C", "d", "\x1b", "J", "\x1b", "m", "\x1b", "t", PASTE, "\r", "\x1b", "y"])
    look_around(terminal, ["\x1b[F", "\r", PASTE, "\r", "\x1b", "\x1b", "G", ".", ".", "U", "?", "\x1b"])
    look_around(terminal, ["\x10", PASTE, "\x1b", "C", PASTE, "\r"])
    while "recent file" not in terminal.text():  # a prompt, a page, the experiment: as many as there are
        look_around(terminal, ["\x1b"])
        assert terminal.program.isalive(), terminal.text()
    look_around(terminal, ["\x1b[F", "\x1b[A", "o", PASTE, "\r", "\x1b", "T", "\x1b"])
    terminal.press("\x03")
    assert terminal.wait_for_the_end() == 0
    assert_nothing_is_obeyed(terminal)


def test_no_screen_of_a_log_lets_foreign_text_through(evil):
    terminal = Terminal(["-m", "tui", "watch", str(evil["log"])], home_environment())
    terminal.wait_for("step")
    look_around(terminal, ["U", "g", "G", "b", "o", "?", "\x1b", ".", " ", "r"])
    terminal.press("\x03")
    assert terminal.wait_for_the_end() == 0
    assert b"evil" in terminal.output
    assert_nothing_is_obeyed(terminal)
