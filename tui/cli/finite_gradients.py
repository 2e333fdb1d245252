"""Gradients that are not finite end a command with exit status 1: they are shown, and a calling program hears of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from tui.cli.one_line_errors import FAILED
from tui.cli.output import complain

if TYPE_CHECKING:
    from engine.autodiff.graph import Graph
    from engine.formula.expression import Symbol


def fail_unless_finite(graph: Graph, asked: Iterable[Symbol] | None = None) -> None:
    """Ends the command where a gradient that was `asked` for (all of them by default) has NaN or an infinity."""
    import numpy as np

    from engine.formula.expression import Partial

    names = (
        [
            node.symbol
            for node in graph.nodes.values()
            if node.needs_gradient and node.grad.shape == node.value.shape
        ]
        if asked is None
        else list(asked)
    )
    for symbol in names:
        gradient = graph.nodes[symbol.matrix].grad
        found = gradient if symbol.index is None else gradient[symbol.index]
        if not np.isfinite(found).all():
            complain(f"{Partial(graph.differentiated, symbol).plain()} is not finite")
            click.get_current_context().exit(FAILED)
