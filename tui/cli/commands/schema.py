"""`bptui schema`: what an experiment file may say, for programs."""

from __future__ import annotations

import click

from tui.cli.output import write


@click.command
def schema() -> None:
    """Print the experiment file's JSON Schema.

    Editors that complete and check TOML by a schema take it; docs/experiment.md says the same for people.

    \b
    Examples:
      bptui schema > experiment.schema.json
    """
    import json

    from engine.experiment.file_schema import file_schema

    write(json.dumps(file_schema(), ensure_ascii=True, indent=2))
