"""Runs the `bptui` command: ``python -m tui`` and the installed script."""

from __future__ import annotations

import os
import warnings

from tui.cli.main import cli


def main() -> None:
    """Runs what the command line says and exits with its status."""
    # Matrices here are small: handing them to several threads costs more than it gains, and the screen wants one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # What is not finite is shown as such; NumPy's own lines about it would run across the screen.
    warnings.simplefilter("ignore", RuntimeWarning)
    cli.main(prog_name="bptui")


if __name__ == "__main__":
    main()
