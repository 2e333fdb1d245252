"""`bptui compare`: the gradients of a homework beside ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from tui.cli.arguments import ascii_option, experiment_argument, json_option
from tui.cli.one_line_errors import FAILED
from tui.cli.output import complain, output_style, write, write_json


@click.command
@experiment_argument
@click.argument("gradients", metavar="GRADS", type=click.Path(path_type=Path))
@click.option(
    "--tolerance", type=click.FloatRange(min=0), help="Relative to the largest entry; 1e-6 by default."
)
@json_option
@ascii_option
@click.pass_context
def compare(
    ctx: click.Context, experiment: str, gradients: Path, tolerance: float | None, as_json: bool, ascii: bool
) -> None:
    """Compare gradients that you computed elsewhere with ours.

    GRADS is an .npz or .json file of arrays named W[1], dW[1], W1 or dW1, or as PyTorch names parameters (fc1.weight,
    fc1.bias), one layer after the other. Each array agrees, or is told what is wrong with it: a factor n, a
    transpose, a mask that is missing. Exit status: 0 all agree, 1 one does not, 2 no name is known.

    \b
    Examples:
      bptui compare tutorial-b homework.npz
      bptui compare lab/mine.toml grads.json --tolerance 1e-4 --json
    """
    from engine.derivation.evaluated_experiment import EvaluatedExperiment
    from engine.experiment.loading import load_experiment
    from engine.formula.ascii_text import ascii_text
    from engine.practice.judging.compare_gradients import compare_gradients, named_by_order, shared_reason
    from engine.practice.judging.gradients_file import load_gradients

    evaluated = EvaluatedExperiment.of(load_experiment(experiment), experiment)
    given = load_gradients(gradients, str(gradients))
    in_rows = getattr(evaluated.experiment.data, "layout", "columns") == "rows"
    names = evaluated.names
    by_order = named_by_order(evaluated.graph, given)
    theirs = {by_order.get(name) or names.typed(name): name for name in given}
    found = [
        replace(one, theirs=theirs[one.theirs], said=tuple(map(names.said, one.said)))
        for one in compare_gradients(
            evaluated.graph,
            {name: given[own] for name, own in theirs.items()},
            tolerance,
            in_rows=in_rows,
            learning_rate=evaluated.experiment.train.learning_rate,
        )
    ]
    if not found:
        listed = ", ".join(list(given)[:6]) or "no array"
        raise click.ClickException(
            f"{gradients}: found {listed}; expected names such as W[1], dW[1], W1, dW1"
        )
    shared = shared_reason(found, evaluated.experiment, evaluated.graph)
    unknown = [name for name in given if name not in {one.theirs for one in found}]
    if as_json:
        write_json(
            {
                "agrees": all(one.agrees for one in found),
                "arrays": [one.record() for one in found],
                "unknown": unknown,
                **({} if shared is None else {"text": shared}),
            },
            ascii,
        )
    else:
        margin = max(len(one.theirs) for one in found)
        for one in found:
            error = "" if one.relative_error is None else f" (relative error {one.relative_error:.1e})"
            what = "; or ".join(one.said)
            said = f"{'✓ agrees' if one.agrees else '✗ differs'}{error}{': ' if what else ''}{what}"
            line = f"{one.theirs:<{margin}}  {said}"
            write(ascii_text(line.replace("✓", "+").replace("✗", "x")) if output_style(ascii).ascii else line)
        if shared is not None:
            write(f"\n{shared[0].upper()}{shared[1:]}.")
        if unknown:
            complain(f"{gradients}: no such matrix here: {', '.join(unknown[:6])}")
    if not all(one.agrees for one in found):
        ctx.exit(FAILED)
