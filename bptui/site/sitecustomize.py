"""Python runs this at its start where `bptui run` put it on the path: it waits for torch, and then the recorder begins.

Then it does what the one does that it hides. Python 3.9 and later; nothing but the standard library.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_AWAITED = "torch.optim.optimizer"
_RECORDER = "_bptui_recording"


def _recorder():
    """The folder `recording` beside ours, as a package under a name of its own: bptui need not be installed here."""
    if _RECORDER not in sys.modules:
        folder = os.path.join(os.path.dirname(_HERE), "recording")
        spec = importlib.util.spec_from_file_location(
            _RECORDER, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
        )
        module = importlib.util.module_from_spec(spec)
        sys.modules[_RECORDER] = module
        spec.loader.exec_module(module)
    return importlib.import_module(_RECORDER + ".all_optimizers")


class _Waiting(importlib.abc.MetaPathFinder):
    """Finds nothing itself; lets the recorder begin once the awaited module has been carried out."""

    def find_spec(self, name, path=None, target=None):
        if name != _AWAITED:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                try:
                    _recorder().begin()
                except Exception as error:
                    sys.stderr.write("bptui: nothing is recorded (%s)\n" % error)

            spec.loader.exec_module = exec_module
        return spec


def _note_python():
    path = os.environ.get("BPTUI_RUN_NOTES")
    if path:
        try:
            with open(path, "a") as notes:
                notes.write("python\n")
        except OSError:
            pass


def _run_the_hidden_one():
    """The sitecustomize that stands further on in the path, if there is one."""
    others = [place for place in sys.path if os.path.abspath(place or ".") != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if os.environ.get("BPTUI_RUN_LOG"):
    _note_python()
    sys.meta_path.insert(0, _Waiting())
_run_the_hidden_one()
