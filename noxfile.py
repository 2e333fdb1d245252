"""What `.ci/run` checks, one session each: `nox -s lint`, `nox -s tests-3.12`, …

lint        ruff, and the import contracts
types       mypy
tests       the whole suite, on every Python that is here
snapshots   the pictures and texts of the screens anew, to look at before they are committed
"""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = False
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def _install(session: nox.Session, *extras: str) -> None:
    session.install("-c", "constraints.txt", "-e", f".[{','.join(extras)}]")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and who may import whom."""
    _install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strict in the engine."""
    _install(session, "lint")
    session.run("mypy")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The whole suite; arguments after -- go to pytest."""
    _install(session, "test")
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session
def snapshots(session: nox.Session) -> None:
    """Takes every snapshot anew. Look at what changed before committing it."""
    _install(session, "test")
    session.run("pytest", "-n", "auto", "tests/tui", "--snapshot-update", *session.posargs)
    session.run("git", "status", "--short", external=True)
