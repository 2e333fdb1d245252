"""The command line: its data, its exit statuses, its one-line complaints, and what it must not import."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tui
from engine.experiment.loading import PRESET_NAMES
from engine.experiment.presets import EXPRESSION_PRESETS
from engine.formula.text_width import cells
from tui.cli.main import cli
from tui.lessons.lesson import ITEMS, read_lesson

PATIENCE = 120.0
"""Seconds: a process of its own starts slowly where the others of a test run are busy, too."""

ROOT = Path(tui.__file__).parents[1]

EXAMPLE = """
title = "Lab"
[data]
kind = "inline"
X = [[1.0], [0.5], [-1.2]]
Y = [[1]]
[network]
[[network.layers]]
units = 2
activation = "relu"
W = [[0.1, -0.4], [0.3, 0.2], [-0.5, 0.7]]
[[network.layers]]
units = 1
activation = "sigmoid"
[loss]
kind = "bce"
"""

CSV_EXAMPLE = """
[data]
kind = "csv"
path = "wine.csv"
features = ["colour", "alcohol"]
label = "variety"
[network]
layers = [{units = 1, activation = "sigmoid"}]
[loss]
kind = "bce"
"""


def run(*arguments: str) -> Result:
    """The command in this process; stdout and stderr apart."""
    return CliRunner().invoke(cli, arguments, prog_name="bptui")


def start(*arguments: str, stdout: int = subprocess.PIPE, **environment: str) -> subprocess.Popen[bytes]:
    """The command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tui", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        # Whoever runs the tests in the background of a shell has them ignore interrupts, and their children too.
        preexec_fn=None if sys.platform == "win32" else heed_interrupts,
    )


def heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def complaint(result: Result, status: int = 2) -> str:
    """The one line on stderr of a command that failed as it should."""
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    line, *others = result.stderr.splitlines()
    assert not others
    assert line.startswith("bptui: ")
    return line.removeprefix("bptui: ")


# ── help, version, usage ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "command",
    [
        "",
        "open",
        "presets",
        "schema",
        "new",
        "lesson",
        "grads",
        "explain",
        "check",
        "compare",
        "answer",
        "grade",
        "worksheet",
        "exercise",
        "train",
        "run",
        "watch",
        "report",
        "screenshot",
        "completion",
    ],
)
def test_every_command_has_help_with_examples(command):
    for flag in ("-h", "--help"):
        result = run(*command.split(), flag)
        assert result.exit_code == 0
        assert "Examples:" in result.stdout
        assert max(map(len, result.stdout.splitlines())) <= 80
        assert "..." not in result.stdout.replace("[ARGS]...", "")


def test_the_version_is_told():
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("bptui ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nonsense"], "No such command 'nonsense' (see bptui --help)"),
        (["grads"], "Missing argument 'EXPERIMENT' (see bptui grads --help)"),
        (["grads", "tutorial-b", "extra"], "Got unexpected extra argument (extra) (see bptui grads --help)"),
        (["explain", "tutorial-b"], "Missing option '--wrt' (see bptui explain --help)"),
        (["explain", "tutorial-b", "--wrt", "W[1][0,0]", "--format", "pdf"], "'pdf' is not one of"),
        (["explain", "tutorial-b", "--wrt", "W[1"], '"W[1": column 4: expected a closing bracket'),
        (["explain", "tutorial-b", "--wrt", ""], '"": column 1: expected a name'),
        (
            ["explain", "tutorial-b", "--wrt", "W[9][0,0]"],
            "there is no W[9] in this network; did you mean W[",
        ),
        (["explain", "tutorial-b", "--wrt", "W[1][5,0]"], "W[1][5,0] is outside W[1], which is 3×2"),
        (["explain", "tutorial-b", "--wrt", "Y[0,0]"], "Y is given and has no gradient here"),
        (["explain", "tutorial-b", "--wrt", "E"], "E is the loss itself"),
        (["explain", "tutorial-b", "--wrt", "W[1][0,0]", "--sample", "3"], "sample 3 is not there"),
        (
            ["explain", "batch-norm", "--wrt", "f[1][0,1]", "--sample", "3"],
            "belongs to sample 1, not to sample 3",
        ),
        (["completion", "tcsh"], "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
        (["lesson", "B9"], 'found no lesson "B9"; expected one of A0, A1, A2, A3, A4, B1, B2'),
        (["check", "tutorial-bb"], 'tutorial-bb: neither a preset nor a file; did you mean "tutorial-b"?'),
        (["open", "tutorial-b"], "the app needs a terminal"),
        ([], "the app needs a terminal"),
    ],
)
def test_bad_usage_is_told_in_one_line(arguments, expected):
    assert expected in complaint(run(*arguments))


def test_help_version_and_usage_errors_import_nothing_slow():
    program = """
import sys
from tui.cli.main import cli
for arguments in (["--version"], ["--help"], ["explain", "-h"], ["lesson"], ["lesson", "B1"],
                  ["nonsense"], ["explain", "x", "--wrt", "W["]):
    try:
        cli.main(arguments, prog_name="bptui")
    except SystemExit:
        pass
print(sorted({name.split(".")[0] for name in sys.modules} & {"numpy", "textual", "plotext", "rich"}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


# ── experiments that cannot be used ─────────────────────────────────────────────────────────────────


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        assert old in EXAMPLE
        file.write_text(EXAMPLE.replace(old, new), "utf-8")

    return write


def csv(content: str) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        file.write_text(CSV_EXAMPLE, "utf-8")
        file.with_name("wine.csv").write_text(content, "utf-8")

    return write


def huge(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(17 * 2**20)  # a hole: it takes no space


BAD_EXPERIMENTS: dict[str, tuple[Callable[[Path], None], Sequence[str]]] = {
    "malformed TOML": (replaced("units = 2", "units = = 2"), ["line 9, column 9: invalid value"]),
    "wrong shape": (replaced("[-0.5, 0.7]]", "]"), ["network.layers[0].W", "found 2 rows", "expected 3"]),
    "unknown key": (replaced("units = 2", "unit = 2"), ["network.layers[0]", "unit"]),
    "wrong type": (replaced("units = 2", 'units = "two"'), ["network.layers[0].units"]),
    "NaN": (replaced("0.5]", "nan]"), ["data.X"]),
    "infinity": (replaced("0.5]", "inf]"), ["data.X"]),
    "label outside 0 to 1": (replaced("Y = [[1]]", "Y = [[2]]"), ["data.Y", "2"]),
    "negative weight of the loss": (replaced('kind = "bce"', 'kind = "bce"\nalpha = -1.0'), ["loss.alpha"]),
    "too large for memory": (replaced("units = 2", "units = 1000000000000"), ["network.layers[0]"]),
    "missing": (lambda file: None, ["no such file"]),
    "folder": (lambda file: file.mkdir(), ["found a folder"]),
    "binary": (lambda file: file.write_bytes(b"\x00\xff\xfe"), ["bytes that are not text"]),
    "huge": (huge, ["found a file of 17.8 MB"]),
    "empty": (lambda file: file.write_text("", "utf-8"), ["data"]),
    "csv with holes": (csv("colour,alcohol,variety\n1,2,0\n3,,1\n"), ["wine.csv", "alcohol"]),
    "csv without the column": (csv("colour,variety\n1,0\n3,1\n"), ["alcohol"]),
}


@pytest.mark.parametrize("command", ["grads", "check", "explain"])
@pytest.mark.parametrize("case", BAD_EXPERIMENTS)
def test_a_bad_experiment_is_refused_in_one_line_that_names_file_and_key(case, command, tmp_path):
    write, expected = BAD_EXPERIMENTS[case]
    file = tmp_path / "lab.toml"
    write(file)
    more = ["--wrt", "W[1][0,0]"] if command == "explain" else []
    line = complaint(run(command, str(file), *more))
    assert tmp_path.name in line
    for part in expected:
        assert part in line


# ── presets, grads, check ───────────────────────────────────────────────────────────────────────────


def test_presets_lists_names_and_titles():
    lines = run("presets").stdout.splitlines()
    names = [*PRESET_NAMES, *EXPRESSION_PRESETS]
    assert [line.split()[0] for line in lines] == names
    assert len({len(line) - len(line.split(None, 1)[1]) for line in lines}) == 1  # aligned
    record = json.loads(run("presets", "--json").stdout)
    assert [preset["name"] for preset in record["presets"]] == names
    assert all(preset.keys() == {"name", "title", "about"} for preset in record["presets"])


def test_presets_shows_a_file_that_is_the_preset_itself(tmp_path):
    shown = run("presets", "--show", "tutorial-b").stdout
    (tmp_path / "copy.toml").write_text(shown, "utf-8")
    assert (
        run("grads", str(tmp_path / "copy.toml"), "--json").stdout
        == run("grads", "tutorial-b", "--json").stdout
    )
    told = complaint(run("presets", "--show", "tutorial-c"))
    assert told == 'tutorial-c: no preset of that name; did you mean "tutorial-b"?'


def test_new_writes_a_file_that_runs_and_never_writes_over_one(tmp_path):
    mine, deep = tmp_path / "mine.toml", tmp_path / "deep.toml"
    assert run("new", str(mine)).exit_code == 0
    assert run("check", str(mine)).exit_code == 0
    assert run("new", str(deep), "--like", "relu-50").exit_code == 0
    assert deep.read_text("utf-8") == run("presets", "--show", "relu-50").stdout
    assert complaint(run("new", str(mine))) == f"{mine}: is there already; expected the name of a new file"
    assert "no preset of that name" in complaint(run("new", str(tmp_path / "x.toml"), "--like", "nothing"))
    assert not (tmp_path / "x.toml").exists()
    assert "cannot be written" in complaint(run("new", str(tmp_path / "none" / "x.toml")))


def test_lesson_lists_items_titles_and_presets_or_prints_one():
    lines = run("lesson").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(ITEMS)
    assert {line.split()[-1] for line in lines} <= set(PRESET_NAMES)
    assert len({len(line) - len(line.split()[-1]) for line in lines}) == 1  # aligned
    assert run("lesson", "b1").stdout == read_lesson("B1").markdown
    record = json.loads(run("lesson", "--json").stdout)
    assert [lesson["item"] for lesson in record["lessons"]] == list(ITEMS)
    assert all(lesson.keys() == {"item", "title", "preset", "screen"} for lesson in record["lessons"])
    (lesson,) = json.loads(run("lesson", "B1", "--json").stdout)["lessons"]
    assert lesson["text"] == read_lesson("B1").text


def test_grads_shows_the_shapes_of_every_product_and_the_one_matrix_of_a_linear_network():
    shapes = run("grads", "tutorial-b", "--shapes").stdout
    assert "∂ℰ/∂W⁽¹⁾ = X · (∂ℰ/∂f⁽¹⁾)ᵀ         (3×1) · (1×2) → (3×2)" in shapes
    assert "✗" not in shapes
    assert "= (3×1)" in run("grads", "leaky-slope-1", "--one-matrix").stdout
    assert "This network is more than one matrix." in run("grads", "tutorial-b", "--one-matrix").stdout
    for option in ("--shapes", "--one-matrix"):
        assert max(map(cells, run("grads", "leaky-slope-1", option).stdout.splitlines())) <= 80


def test_explain_shows_the_jacobian_over_the_samples():
    lines = run("explain", "tutorial-a-loss", "--wrt", "W[1][0,0]", "--jacobian").stdout.splitlines()
    assert lines[0] == "Row 0 of Ŷ by row 0 of f⁽¹⁾: 2×2"
    assert [line.split() for line in lines[4:6]] == [["i=0", "0.16", "0"], ["i=1", "0", "0.09"]]


def test_grads_takes_a_preset_or_a_file(tmp_path):
    file = tmp_path / "lab.toml"
    file.write_text(EXAMPLE, "utf-8")
    assert run("grads", "tutorial-b").stdout.startswith("One hidden layer, one sample\n")
    assert run("grads", str(file)).stdout.startswith("Lab\n")
    record = json.loads(run("grads", str(file), "--json").stdout)
    assert record["values"]["X"] == [[1.0], [0.5], [-1.2]]
    assert record["values"].keys() == record["gradients"].keys()


def test_numbers_that_json_lacks_are_null_and_counted(tmp_path):
    file = tmp_path / "lab.toml"
    overflow = EXAMPLE.replace("X = [[1.0]", "X = [[1e200]").replace("0.1,", "1e200,")
    file.write_text(overflow.replace("[loss]", "W = [[1e9], [1.0]]\n[loss]"), "utf-8")
    text = run("grads", str(file), "--json").stdout
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text)["nonfinite"] > 0


def test_check_passes_with_status_0():
    result = run("check", "tutorial-b")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["parameter", "W⁽¹⁾", "W⁽²⁾"]
    assert lines[-1] == "All 8 checked entries agree with their central differences."
    assert json.loads(run("check", "tutorial-b", "--json").stdout)["passed"] is True


def test_check_fails_with_status_1(monkeypatch):
    from engine.autodiff.ops.linear import Linear

    right = Linear.backward

    def wrong(self):
        right(self)
        self.inputs[0].grad *= 1.5

    monkeypatch.setattr(Linear, "backward", wrong)
    result = run("check", "tutorial-b")
    assert result.exit_code == 1
    assert result.stderr == ""
    assert "WRONG, 6 failed" in result.stdout
    assert "Of 8 checked entries 0 agree; 8 disagree." in result.stdout
    result = run("check", "tutorial-b", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["passed"] is False


# ── explain ─────────────────────────────────────────────────────────────────────────────────────────


def test_explain_has_four_formats():
    arguments = ["explain", "tutorial-b", "--wrt", "W[1][1,1]"]
    text = run(*arguments).stdout
    assert "5. the input" in text
    assert max(map(cells, text.splitlines())) <= 80
    assert run(*arguments, "--format", "markdown").stdout.startswith("# One hidden layer")
    latex = run(*arguments, "--format", "latex").stdout
    assert latex.startswith("\\documentclass{article}\n")
    assert latex.endswith("\\end{document}\n")
    record = json.loads(run(*arguments, "--format", "json").stdout)
    assert [step["node"] for step in record["steps"]] == [
        "Y_hat[0,0]",
        "f[2][0,0]",
        "a[1][1,0]",
        "f[1][1,0]",
        "W[1][1,1]",
    ]


def test_explain_takes_the_sample_that_is_asked_for():
    arguments = ["explain", "batch-norm", "--wrt", "w[1][1, 1]", "--sample", "2", "--format", "json"]
    record = json.loads(run(*arguments).stdout)
    assert record["target"] == "W[1][1,1]"
    assert record["sample"] == 2


# ── what the terminal can show ──────────────────────────────────────────────────────────────────────

SHOWING = [
    ["presets"],
    ["lesson", "C3"],
    ["grads", "batch-norm", "--shapes"],
    ["grads", "leaky-slope-1", "--one-matrix"],
    ["explain", "batch-norm", "--wrt", "W[1][1,1]", "--jacobian"],
    ["grads", "batch-norm"],
    ["check", "tutorial-a"],
    ["explain", "residual-fork", "--wrt", "W[1][1,1]"],
    ["explain", "tutorial-b", "--wrt", "W[1][1,1]", "--format", "markdown"],
    ["explain", "tutorial-b", "--wrt", "W[1][1,1]", "--format", "json"],
]


@pytest.mark.parametrize("arguments", SHOWING[1:], ids=" ".join)
def test_ascii_is_pure_ascii(arguments):
    result = run(*arguments, "--ascii")
    assert result.exit_code == 0
    assert result.stdout.isascii()


@pytest.mark.parametrize("arguments", SHOWING, ids=" ".join)
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_without_the_characters_gets_ascii(arguments, encoding):
    result = CliRunner(charset=encoding).invoke(cli, arguments, prog_name="bptui")
    assert result.exit_code == 0, result.output
    assert result.stdout_bytes.isascii()


def test_nothing_is_coloured():
    for arguments in SHOWING:
        assert "\x1b" not in run(*arguments).stdout


# ── the process ─────────────────────────────────────────────────────────────────────────────────────


def test_a_real_process_writes_data_to_stdout_and_complaints_to_stderr():
    good = start("explain", "tutorial-b", "--wrt", "W[1][1,1]", PYTHONIOENCODING="ascii")
    bad = start("grads", "nowhere.toml")
    out, err = good.communicate(timeout=PATIENCE)
    assert (good.returncode, err) == (0, b"")
    assert out.isascii()
    out, err = bad.communicate(timeout=PATIENCE)
    assert (bad.returncode, out, err) == (2, b"", b"bptui: nowhere.toml: no such file\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_closed_pipe_is_quiet():
    process = start("grads", "tutorial-b-wine", "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()  # before anything is written
    assert process.wait(timeout=PATIENCE) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_ends_with_130_and_no_traceback(tmp_path):
    file = tmp_path / "slow.toml"
    deep = 'units = 100\nactivation = "tanh"\nrepeat = 200'
    file.write_text(EXAMPLE.replace("units = 1\n", f"{deep}\n[[network.layers]]\nunits = 1\n"), "utf-8")
    process = start("check", str(file))
    assert process.stdout is not None
    process.stdout.readline()  # the header: it is at work now
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_what_nobody_foresaw_leaves_a_crash_report(monkeypatch, tmp_path):
    import platformdirs

    import engine.derivation.evaluated_experiment

    def crash(*arguments, **options):
        raise ZeroDivisionError("a bug\nof two lines")

    monkeypatch.setattr(engine.derivation.evaluated_experiment.EvaluatedExperiment, "of", crash)
    monkeypatch.setattr(platformdirs, "user_log_path", lambda *arguments, **options: tmp_path / "log")
    line = complaint(run("grads", "tutorial-b"), status=1)
    assert line.startswith(
        "this should not have happened: ZeroDivisionError: a bug of two lines; the crash report is "
    )
    (report,) = (tmp_path / "log").iterdir()
    assert str(report) in line
    assert "Traceback" in report.read_text("utf-8")


def test_a_crash_report_that_cannot_be_written_goes_to_the_temporary_files(monkeypatch, tmp_path):
    import platformdirs

    from tui.shell.crash_report import describe_crash

    blocked = tmp_path / "file"
    blocked.write_text("", "utf-8")
    monkeypatch.setattr(platformdirs, "user_log_path", lambda *arguments, **options: blocked / "log")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert str(tmp_path / "crash-") in describe_crash(ValueError("x"))


def test_memory_that_runs_out_is_bad_input(monkeypatch):
    import engine.derivation.evaluated_experiment

    def exhaust(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(engine.derivation.evaluated_experiment.EvaluatedExperiment, "of", exhaust)
    assert complaint(run("grads", "tutorial-b")) == "there is not enough memory for this experiment"


# ── completion, app, screenshots ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell):
    result = run("completion", shell)
    assert result.exit_code == 0
    assert f"_BPTUI_COMPLETE={shell}_complete" in result.stdout


def completions(line: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("_BPTUI_COMPLETE", "zsh_complete")
    return run().stdout.removesuffix("\n").split("\0")[1::3]  # kind, value, help


def test_completion_knows_presets_files_and_targets(monkeypatch, tmp_path):
    assert completions("bptui gr", monkeypatch) == ["grads", "grade"]
    assert completions("bptui grads tutorial-b", monkeypatch) == ["tutorial-b", "tutorial-b-wine"]
    (tmp_path / "lab.toml").write_text(EXAMPLE, "utf-8")
    (tmp_path / "lab.txt").write_text("", "utf-8")
    (tmp_path / "lab").mkdir()
    monkeypatch.chdir(tmp_path)
    assert completions("bptui open la", monkeypatch) == ["lab/", "lab.toml"]
    assert completions(f"bptui check {tmp_path}/l", monkeypatch) == [
        f"{tmp_path}/lab/",
        f"{tmp_path}/lab.toml",
    ]
    assert completions("bptui check nowhere/l", monkeypatch) == []
    assert completions("bptui explain lab.toml --wrt W", monkeypatch) == ["W[1]", "W[2]"]
    assert completions("bptui explain lab.toml --wrt W[2]", monkeypatch) == ["W[2][0,0]", "W[2][1,0]"]
    assert completions("bptui explain lab.txt --wrt W", monkeypatch) == []
    assert completions("bptui explain --wrt W", monkeypatch) == []
    (tmp_path / "cells.md").write_text("", "utf-8")
    lessons = completions("bptui lesson c", monkeypatch)
    assert [one for one in lessons if not one.endswith("/")] == ["C1", "C2", "C3", "cells.md"]
    assert completions("bptui explain tutorial-b --format m", monkeypatch) == ["markdown"]


def fake_module(monkeypatch: pytest.MonkeyPatch, name: str, **contents: object) -> None:
    """Stands in for a module that a command imports when it runs."""
    module = types.ModuleType(name)
    module.__dict__.update(contents)
    monkeypatch.setitem(sys.modules, name, module)


def test_the_app_opens_with_and_without_an_experiment_and_its_status_is_ours(monkeypatch):
    opened: list[str | None] = []
    fake_module(monkeypatch, "tui.app", run=lambda name, **rest: opened.append(name) or len(opened) - 1)
    monkeypatch.setenv("TEXTUAL_DRIVER", "served to a browser")  # where input and output need be no terminal
    assert run().exit_code == 0
    assert run("open").exit_code == 1
    assert run("open", "tutorial-b").exit_code == 2
    assert opened == [None, None, "tutorial-b"]
    assert "no such file" in complaint(run("open", "nowhere.toml"))
    assert len(opened) == 3


def test_screenshot_says_what_it_has_written(monkeypatch, tmp_path):
    fake_module(monkeypatch, "tui.cli.screenshots", take_screenshot=lambda folder: [folder / "home.svg"])
    result = run("screenshot", "--out", str(tmp_path / "pictures"))
    assert result.exit_code == 0
    assert result.stdout == f"{tmp_path / 'pictures' / 'home.svg'}\n"


def test_check_says_that_it_has_taken_a_sample_and_all_takes_every_entry(tmp_path):
    file = tmp_path / "wide.toml"
    file.write_text(
        'data = {kind = "random", n = 2, features = 45}\nloss = {kind = "bce"}\n'
        'network = {layers = [{units = 45, activation = "tanh"}, {units = 1, activation = "sigmoid"}]}\n'
    )
    result = run("check", str(file))
    assert result.exit_code == 0, result.output
    assert "A sample of 245 of 2,070 entries, drawn with seed 0; --all checks every one." in result.stdout
    record = json.loads(run("check", str(file), "--json").stdout)
    assert (record["entries"], record["checked"], record["sampled"], record["seed"]) == (2070, 245, True, 0)
    every = json.loads(run("check", str(file), "--all", "--json").stdout)
    assert (every["checked"], every["sampled"], every["passed"]) == (2070, False, True)


def test_check_of_what_is_not_finite_fails(tmp_path):
    file = tmp_path / "step.toml"
    file.write_text(
        'data = {kind = "inline", X = [[1.0]], Y = [[1e200]]}\nloss = {kind = "squared_error"}\n'
        'network = {layers = [{units = 1, activation = "step", W = [[1.0]]}]}\n'
    )
    result = run("check", str(file))
    assert result.exit_code == 1
    assert "NOT FINITE" in result.stdout
    assert "All" not in result.stdout


def test_check_at_a_kink_shows_both_slopes_and_does_not_say_that_all_agree(tmp_path):
    file = tmp_path / "kink.toml"
    file.write_text(
        'data = {kind = "inline", X = [[1.0], [2.0]], Y = [[1]]}\nloss = {kind = "bce"}\n'
        'network = {layers = [{units = 1, activation = "relu", W = [[2.0], [-1.0]]}, '
        '{units = 1, activation = "sigmoid", W = [[0.7]]}]}\n'
    )
    result = run("check", str(file))
    assert result.exit_code == 0
    assert "kink (0 | −0.35)" in result.stdout
    assert result.stdout.endswith("2 are at a kink, where the slope differs left and right.\n")
    worst = json.loads(run("check", str(file), "--json").stdout)["parameters"][0]["worst"]
    assert (worst["verdict"], worst["left"]) == ("kink", 0.0)
    assert worst["numeric"] == pytest.approx((worst["left"] + worst["right"]) / 2)


def test_a_square_matrix_is_said_to_be_read_as_the_default(tmp_path):
    square = tmp_path / "square.toml"
    square.write_text(EXAMPLE.replace("[[1.0], [0.5], [-1.2]]", "[[1.0], [0.5]]").replace(
        "[[0.1, -0.4], [0.3, 0.2], [-0.5, 0.7]]", "[[0.1, -0.4], [0.3, 0.2]]"), "utf-8")  # fmt: skip
    for arguments in (("check", str(square)), ("grads", str(square), "--shapes")):
        text = " ".join(run(*arguments).stdout.split())
        assert "W[1] is square and read as (fan_in, units), f[l] = W[l]ᵀ a[l-1] + b[l]" in text
    square.write_text(
        square.read_text("utf-8").replace("[network]", '[network]\nweights = "out_in"'), "utf-8"
    )
    assert "square" not in run("check", str(square)).stdout
    assert "square" not in run("check", "tutorial-b").stdout
