"""`bptui screenshot`: pictures of the screens, made by the program itself."""

from __future__ import annotations

from pathlib import Path

import click


@click.command
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("screenshots"),
    show_default=True,
    metavar="DIR",
    help="The folder to write into; it is made where it is missing.",
)
def screenshot(out: Path) -> None:
    """Make the screenshots of the documentation anew.

    \b
    Examples:
      bptui screenshot
      bptui screenshot --out pictures
    """
    from tui.screenshots import take

    take(out)
