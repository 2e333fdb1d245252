"""`bptui new`: an experiment file of one's own to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.output import write


@click.command
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--like", metavar="PRESET", help="Begin with a copy of this preset (see bptui presets).")
def new(file: Path, like: str | None) -> None:
    """Write an experiment file to change and open.

    Without --like it is a small network whose keys are explained in the file. A file that is there already is
    never written over.

    \b
    Examples:
      bptui new mine.toml
      bptui new deep.toml --like vanishing-sigmoid-50
    """
    from engine.experiment.presets import preset_text
    from engine.experiment.starter_experiment import starter_text
    from tui.shell.atomic_file import create_file

    text = starter_text() if like is None else preset_text(like)
    try:
        create_file(file, text)
    except FileExistsError:
        raise click.ClickException(f"{file}: is there already; expected the name of a new file") from None
    except OSError as error:
        raise click.ClickException(f"{file}: cannot be written: {error.strerror}") from None
    write(f"{file}: written; bptui open {file}")
