"""Opening whatever an experiment's name or file says: a network's session, or an expression's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.experiment.errors import ExperimentError
from engine.experiment.expression_spec import ExpressionExperiment
from engine.experiment.loading import load_any
from engine.experiment.spec import View
from engine.formula.parser import ParseError
from tui.session.expression_session import ExpressionSession
from tui.session.network_session import Session
from tui.session.session_base import Stepped


def open_session(name_or_path: str, view: Mapping[str, Any] | None = None) -> Stepped:
    """Opens a preset or a file. Raises ExperimentError, whose message is one clear line.

    `view` says what to show, in place of what the experiment's own view says.
    """
    experiment = load_any(name_or_path)
    if not isinstance(experiment, ExpressionExperiment):
        return Session.open(name_or_path, view)
    shown = msgspec.structs.replace(View(), **(view or {}))
    if shown.screen not in (None, "stepper"):
        raise ExperimentError(name_or_path, "", "an expression does not learn: it opens in the stepper only")
    opened = ExpressionSession(name_or_path, experiment, shown)
    try:
        opened.check_view()
    except ParseError as error:
        raise ExperimentError(name_or_path, "view.target", str(error)) from None
    return opened
