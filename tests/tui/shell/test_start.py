"""What the first frames need: the list draws with neither NumPy nor plotting, an experiment without training."""

from __future__ import annotations

import gc
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from engine.experiment.errors import ExperimentError
from engine.experiment.loading import PRESET_NAMES, load_any, load_experiment
from engine.experiment.presets import EXPRESSION_PRESETS, headlines
from tui.cli import commands
from tui.cli.main import cli
from tui.shell.garbage_collection import begin_collecting, resting_while_starting

FOR_NO_LIST = (
    "numpy",
    "plotext",
    "msgspec",
    "tomllib",
    "psutil",
    "threadpoolctl",
    "importlib.metadata",
    "click.shell_completion",
    "engine.formula.expression",
    "engine.experiment.spec",
    "engine.autodiff",
    "engine.training",
    "tui.session",
    "tui.stepper",
    "tui.training",
    "tui.lessons",
    "tui.practice",
    "tui.cli.commands.train",
    "tui.shell.help_page",
)
FOR_NO_STEPPER = (
    "plotext",
    "engine.training.trainer",
    "engine.diagnosis",
    "engine.runs",
    "engine.practice",
    "engine.export.document_blocks",
    "engine.derivation.gradcheck",
    "engine.derivation.whole_matrix",
    "tui.lessons",
    "tui.session.expression_session",
    "tui.stepper.expression_diagram",
    "tui.training",
    "tui.session.training_run",
    "tui.stepper.export_dialog",
    "tui.stepper.network_map_screen",
)
FIRST_FRAME = """
import asyncio, sys
import tui.cli.main
from tui.app import BptuiApp

async def first_frame(app):
    async with app.run_test(size=(80, 24)):
        print(*sorted(set(sys.modules) & set(sys.argv[2:])))

session = None
if sys.argv[1]:
    from tui.session.network_session import NetworkSession
    session = NetworkSession.open(sys.argv[1])
asyncio.run(first_frame(BptuiApp(session, personal=False)))
"""


def test_what_is_not_to_be_imported_is_there_under_that_name():
    assert [name for name in (*FOR_NO_LIST, *FOR_NO_STEPPER) if importlib.util.find_spec(name) is None] == []


@pytest.mark.parametrize(("opened", "unneeded"), [("", FOR_NO_LIST), ("tutorial-b", FOR_NO_STEPPER)])
def test_a_first_frame_imports_nothing_that_it_does_not_show(opened, unneeded):
    run = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME, opened, *unneeded], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []


def test_the_list_says_of_each_preset_what_the_experiment_says():
    loaded = [(name, one.title, one.about) for name in PRESET_NAMES for one in [load_experiment(name)]]
    expressions = [(name, load_any(name)) for name in EXPRESSION_PRESETS]
    loaded += [(name, expression.title, expression.about) for name, expression in expressions]
    assert [tuple(one) for one in headlines()] == loaded


def test_the_collector_rests_only_until_the_app_has_started():
    with resting_while_starting():
        assert not gc.isenabled()
        begin_collecting()
        assert gc.isenabled()
    assert gc.isenabled()
    gc.unfreeze()


def test_the_collector_runs_again_where_the_app_could_not_start():
    with pytest.raises(ExperimentError), resting_while_starting():
        raise ExperimentError("mine.toml", "", "not found")
    assert gc.isenabled()


def test_every_command_is_the_one_of_its_module():
    assert {name: command.name for name, command in cli.commands.items()} == {
        name: name for name in cli.commands
    }
    modules = {path.stem for path in Path(commands.__file__).parent.glob("[!_]*.py")}
    assert set(cli.commands) == modules


def test_an_interrupt_can_hardly_come_before_it_is_heeded():
    """Until then Python tells of it with a traceback: what the command imports first is almost nothing."""
    asked = "import sys; b = {*sys.modules}; import bptui.__main__, tui.__main__; print(*sorted({*sys.modules} - b))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", asked],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert set(done.stdout.split()) - {"os", "os.path", "stat", "posixpath", "ntpath", "genericpath"} <= {
        "__future__", "bptui", "bptui.__main__", "tui", "tui.__main__", "_collections_abc", "abc", "_abc", "_stat",
    }  # fmt: skip
