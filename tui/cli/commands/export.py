"""`bptui export`: the same network as a program of others, with the proof that it is the same."""

from __future__ import annotations

import json

import click

from tui.cli.arguments import experiment_argument
from tui.cli.output import write

FORMATS = ("pytorch", "numpy", "notebook")


@click.command
@experiment_argument
@click.option("--format", "form", type=click.Choice(FORMATS), required=True, help="What to write.")
def export(experiment: str, form: str) -> None:
    """Write an experiment as a script that computes the same.

    EXPERIMENT is a preset's name (see bptui presets) or the path of a TOML file, of a network or an expression. The
    script holds the very weights and data, computes the loss and every gradient, and asserts that they are bptui's:
    in PyTorch by autograd, in NumPy (and the Jupyter notebook) with the backward pass written out.

    \b
    Examples:
      bptui export tutorial-b --format pytorch > tutorial_b.py
      bptui export micrograd --format numpy | python
      bptui export xor --format notebook > xor.ipynb
    """
    from engine.derivation.evaluated_experiment import EvaluatedExperiment
    from engine.derivation.evaluated_expression import EvaluatedExpression
    from engine.experiment.expression_spec import ExpressionExperiment
    from engine.experiment.loading import load_any
    from engine.export.notebook import notebook_record
    from engine.export.numpy_torch_program import numpy_program, torch_program

    loaded = load_any(experiment)
    if isinstance(loaded, ExpressionExperiment):
        graph = EvaluatedExpression.of(loaded, experiment).graph
    else:
        graph = EvaluatedExperiment.of(loaded, experiment).graph
    title = loaded.title or experiment
    if form == "pytorch":
        write(torch_program(graph, title, experiment).script())
    elif form == "numpy":
        write(numpy_program(graph, title, experiment).script())
    else:
        write(json.dumps(notebook_record(numpy_program(graph, title, experiment)), indent=1))
