"""Opening whatever an experiment's name or file says: a network's session, or an expression's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine.experiment.data_shape import declared_shape
from engine.experiment.errors import ExperimentError
from engine.experiment.expression_spec import ExpressionExperiment
from engine.experiment.loading import load_any, load_experiment
from engine.experiment.memory_needed import memory_needed
from engine.experiment.spec import CsvData, NpzData, View
from engine.formula.parser import ParseError
from tui.session.network_session import NetworkSession, first_screen
from tui.session.session_base import SessionBase


@dataclass(frozen=True, slots=True)
class Trained:
    """How far an experiment is trained before it is shown, and with which other one beside it."""

    steps: int = 0
    beside: str | None = None
    """A preset, a file, or COUNTERPART."""
    cross_hair: int | None = None
    """The step on which the cross-hair stands."""


def open_session(
    name_or_path: str, view: Mapping[str, Any] | None = None, trained: Trained | None = None
) -> SessionBase:
    """Opens a preset or a file. Raises ExperimentError, whose message is one clear line.

    `view` says what to show, in place of what the experiment's own view says.
    """
    experiment = load_any(name_or_path)
    if not isinstance(experiment, ExpressionExperiment):
        session = NetworkSession.open(name_or_path, view)
        if trained is not None:
            _train(session, trained)
        return session
    from tui.session.expression_session import ExpressionSession

    shown = msgspec.structs.replace(View(), **(view or {}))
    if shown.screen not in (None, "stepper") or shown.phase == "update" or trained is not None:
        raise ExperimentError(name_or_path, "", "an expression does not learn: it opens in the stepper only")
    opened = ExpressionSession(name_or_path, experiment, shown)
    try:
        opened.begin_view()
    except ParseError as error:
        raise ExperimentError(name_or_path, "view.target", str(error)) from None
    return opened


LONG_TO_OPEN, LONG_TO_READ = 250_000_000, 2_000_000
"""Opening what takes so many bytes of memory, or reads a file of so many, takes longer than a moment."""


def is_long_to_open(name_or_path: str) -> bool:
    """Whether opening an experiment takes longer than a moment. Raises ExperimentError."""
    if _bytes_of(Path(name_or_path)) > LONG_TO_READ:
        return True
    experiment = load_any(name_or_path)
    if isinstance(experiment, ExpressionExperiment):
        return False
    if isinstance(experiment.data, CsvData | NpzData):
        return _bytes_of(Path(name_or_path).parent / experiment.data.path) > LONG_TO_READ
    return memory_needed(experiment, declared_shape(experiment)) > LONG_TO_OPEN


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _train(session: NetworkSession, trained: Trained) -> None:
    """Trains as the keys of the training screens do, and takes the weights over where the stepper is shown."""
    training = session.training
    if trained.beside is not None:
        from tui.session.experiment_variants import COUNTERPART, counterpart

        if trained.beside == COUNTERPART:
            name, other = counterpart(session.name, session.experiment)
        else:
            name, other = trained.beside, load_experiment(trained.beside)
        training.compare(name, other, trained.beside)
    training.one_step(trained.steps)
    training.looking.step = trained.cross_hair
    if first_screen(session) == "stepper":
        training.hand_parameters(session.load_parameters)
        session.begin_view()
