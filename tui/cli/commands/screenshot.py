"""`bptui screenshot`: pictures of the screens, made by the program itself."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.output import write


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

    The app is driven without a terminal; the path of every picture is written to stdout.

    \b
    Examples:
      bptui screenshot
      bptui screenshot --out pictures
    """
    from tui.cli.screenshots import take_screenshot

    for path in take_screenshot(out):
        write(str(path))
