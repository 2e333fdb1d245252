"""Runs the `bptui` command: ``python -m tui`` and the installed script."""

from __future__ import annotations

import warnings

from tui.cli.main import cli
from tui.shell.threads import threads


def main() -> None:
    """Runs what the command line says and exits with its status."""
    threads.begin_with_one()
    # What is not finite is shown as such; NumPy's own lines about it would run across the screen.
    warnings.simplefilter("ignore", RuntimeWarning)
    cli.main(prog_name="bptui")


if __name__ == "__main__":
    main()
