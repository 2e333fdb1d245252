"""The engine: graphs that compute, differentiate and explain themselves. NumPy only; knows nothing of terminals.

    experiment (TOML) -> Network -> Graph -> forward / backward -> Derivation

The names below are the public ones; each is imported when it is first asked for, so that `import engine` costs nothing.
`examples/` shows them at work.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.autodiff.graph import Graph as Graph
    from engine.autodiff.graph import Op as Op
    from engine.derivation.chain_rule import Derivation as Derivation
    from engine.derivation.chain_rule import explain as explain
    from engine.derivation.evaluated_experiment import EvaluatedExperiment as EvaluatedExperiment
    from engine.derivation.gradcheck import check_network as check_network
    from engine.experiment.datasets import load_data as load_data
    from engine.experiment.errors import ExperimentError as ExperimentError
    from engine.experiment.loading import load_experiment as load_experiment
    from engine.experiment.loading import parse_experiment as parse_experiment
    from engine.experiment.spec import Experiment as Experiment
    from engine.export.derivation_document import written_text as written_text
    from engine.formula.expression import Symbol as Symbol
    from engine.formula.parser import parse_symbol as parse_symbol
    from engine.model.network import Network as Network
    from engine.training.trainer import Trainer as Trainer

_HOMES = {
    "Derivation": "derivation.chain_rule",
    "EvaluatedExperiment": "derivation.evaluated_experiment",
    "Experiment": "experiment.spec",
    "ExperimentError": "experiment.errors",
    "Graph": "autodiff.graph",
    "Network": "model.network",
    "Op": "autodiff.graph",
    "Symbol": "formula.expression",
    "Trainer": "training.trainer",
    "check_network": "derivation.gradcheck",
    "explain": "derivation.chain_rule",
    "load_data": "experiment.datasets",
    "load_experiment": "experiment.loading",
    "parse_experiment": "experiment.loading",
    "parse_symbol": "formula.parser",
    "written_text": "export.derivation_document",
}
"""Where each public name is defined."""

__all__ = list(_HOMES)  # the table is the list


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(f"engine.{_HOMES[name]}"), name)
