"""`bptui grads`: every value and every gradient of one forward and backward pass."""

from __future__ import annotations

import click

from tui.arguments import ascii_option, experiment_argument, json_option
from tui.output import output_style, output_width, write, write_json


@click.command
@experiment_argument
@json_option
@ascii_option
def grads(experiment: str, as_json: bool, ascii: bool) -> None:
    """Show every value and every gradient.

    EXPERIMENT is a preset's name (see bptui presets) or the path of a TOML file. It goes forward and backward
    once. Each matrix stands beside
    its gradient; large ones are abridged, and complete in JSON.

    \b
    Examples:
      bptui grads tutorial-b
      bptui grads lab/wine.toml --json > wine.json
    """
    from engine.loading import load_experiment
    from engine.records import grads_record
    from engine.worked import WorkedExperiment

    worked = WorkedExperiment.of(load_experiment(experiment), experiment)
    if as_json:
        write_json(grads_record(worked.graph), ascii)
        return
    from engine.written.matrices import written_matrices

    title = worked.experiment.title or experiment
    write(written_matrices(worked.graph, title, width=output_width(), style=output_style(ascii)))
