"""The commands that lead to what the stepper shows: `bptui open` at its position, `bptui explain`."""

from __future__ import annotations

from collections.abc import Sequence

from engine.derivation.branches import Branch, branches_of, written
from engine.derivation.chain_rule import Derivation
from engine.formula.expression import Symbol
from tui.session.session_base import SessionBase
from tui.stepper.traversal import Phase, Position


def open_command(
    session: SessionBase, derivation: Derivation, position: Position, digits: int | None = None
) -> Sequence[str]:
    """The arguments of `bptui` that open the app at a position of a derivation, with so many digits shown."""
    where = ["--wrt", _typed(session, derivation.target)]
    if session.stepped is not session.graph:
        where += ["--of", _typed(session, derivation.of)]
    if derivation.n > 1:
        where += ["--sample", str(derivation.sample)]
    if position.phase is not Phase.BACKWARD:
        where += ["--phase", position.phase.name.lower()]
    if position.phase is not Phase.LOSS:
        where += ["--step", str(position.index + 1)]
    if position.turn:
        where += ["--term", str(position.turn + 1)]
    if branches := _branches(session, derivation):
        where += ["--follow", written(branches)]
    if digits is not None:
        where += ["--digits", str(digits)]
    trained = ["--train", str(session.steps)] if session.steps else []
    return ["open", session.name, *where, *trained, "--screen", "stepper"]


def not_in_command(session: SessionBase, derivation: Derivation) -> str | None:
    """A sentence on what no command says: edits and updates by hand."""
    if session.edited or session.updates:
        return "What was edited or learned by hand is not in it: Ctrl+S saves that."
    if _branches(session, derivation) is None:
        return "The branch that was followed is not in it: b leads there."
    return None


def _branches(session: SessionBase, derivation: Derivation) -> list[Branch] | None:
    """The branches at which the path leaves the strongest one; None where they cannot be said."""
    sample = None if derivation.n == 1 else derivation.sample
    return branches_of(session.explain(derivation.target, sample), derivation)


def explain_command(session: SessionBase, derivation: Derivation, *more: str) -> Sequence[str]:
    """The arguments of `bptui` that print a derivation."""
    sample = [] if derivation.n == 1 else ["--sample", str(derivation.sample)]
    of = of_option(session, derivation.of)
    return ["explain", session.name, "--wrt", _typed(session, derivation.target), *of, *sample, *more]


def of_option(session: SessionBase, of: Symbol) -> list[str]:
    """`--of` and what is differentiated, where that is not what the experiment differentiates."""
    return [] if of == session.graph.differentiated else ["--of", _typed(session, of)]


def _typed(session: SessionBase, symbol: Symbol) -> str:
    return session.names.said(symbol.plain(), ascii=True)
