"""Runs the `bptui` command: ``python -m tui`` and the installed script."""

from __future__ import annotations

from tui.cli import cli


def main() -> None:
    """Runs what the command line says and exits with its status."""
    cli.main(prog_name="bptui")


if __name__ == "__main__":
    main()
