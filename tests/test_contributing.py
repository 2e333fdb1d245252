"""CONTRIBUTING.md's recipes: every diff applies to the sources as they are, and does what the lines after it say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
RECIPES = re.findall(
    r"^## (An? \w+)\n.*?```diff\n(.*?)```\n\n```python\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL
)
LONGEST = 30
"""Lines of code that a recipe may add."""


def test_there_is_a_recipe_for_each_thing_that_people_add():
    assert [name for name, _, _ in RECIPES] == [
        "An activation",
        "A loss",
        "An optimiser",
        "A metric",
        "An op",
        "A screen",
    ]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git, to apply a diff")
@pytest.mark.parametrize(("name", "diff", "check"), RECIPES, ids=[name for name, _, _ in RECIPES])
def test_a_recipe_applies_and_works(name, diff, check, tmp_path):
    added = [line for line in diff.splitlines() if re.match(r"\+[^+\n]*\S", line)]
    assert len(added) <= LONGEST
    for package in ("engine", "tui"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    git = ["git", "apply", "--whitespace=nowarn", "-"]
    outside = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    subprocess.run(git, cwd=tmp_path, input=diff, text=True, encoding="utf-8", check=True, env=outside)
    run = subprocess.run(
        [sys.executable, "-c", check],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stderr
