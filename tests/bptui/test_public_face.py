"""The package that training programs import: small, and never in the way of the files beside them."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

import bptui

PACKAGE = Path(bptui.__file__).parent
ROOT = PACKAGE.parent


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


def test_importing_it_loads_nothing_but_the_standard_library(tmp_path):
    code = (
        "import sys, bptui; bptui.RunLog; bptui.watch; bptui.TrainerCallback\n"
        "top = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(top & {'engine', 'tui', 'numpy', 'textual', 'plotext', 'rich', 'click', 'msgspec', 'torch'}))"
    )
    done = python("-c", code, cwd=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_folder_with_its_own_engine_and_tui_keeps_them_and_the_command_finds_ours(tmp_path):
    for name in ("engine.py", "tui.py"):
        (tmp_path / name).write_text("mine = True\n")
    (tmp_path / "train.py").write_text(
        "import bptui, engine, tui\n"
        "with bptui.RunLog('run.jsonl', layers=['w']) as log:\n"
        "    log.step(0, grad_l2=[1.0])\n"
        "print(engine.mine, tui.mine)\n"
    )
    assert python("train.py", cwd=tmp_path).stdout == "True True\n"
    done = python("-m", "bptui", "presets", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "tutorial-b" in done.stdout


@pytest.mark.parametrize(
    "file", sorted([*PACKAGE.glob("recording/*.py"), *PACKAGE.glob("site/*.py")]), ids=lambda file: file.name
)
def test_the_recorder_is_written_in_the_language_of_python_3_9(file):
    tree = ast.parse(file.read_text("utf-8"), feature_version=(3, 9))
    if file.parent.name == "recording":
        imported = {
            node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level
        }
        imported |= {
            name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
        }
        own = {name for name in imported if name and name.startswith(("bptui", "engine", "tui", "numpy"))}
        assert own == set()


def test_its_names_are_listed_and_its_version_is_the_distributions():
    assert set(dir(bptui)) == {"watch", "LightningCallback", "TrainerCallback", "RunLog", "__version__"}
    with pytest.raises(AttributeError):
        bptui.nothing  # noqa: B018
    try:
        expected = version("bptui")
    except PackageNotFoundError:
        pytest.skip("bptui is not installed here, only on the path")
    assert bptui.__version__ == expected
