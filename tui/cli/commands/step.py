"""`bptui step`: what a step of training does to every parameter, number by number."""

from __future__ import annotations

import click

from tui.cli.arguments import ascii_option, digits_option, experiment_argument, json_option
from tui.cli.one_line_errors import FAILED
from tui.cli.output import complain, output_style, output_width, write, write_json


@click.command
@experiment_argument
@click.option(
    "--steps", type=click.IntRange(min=1), default=1, show_default=True, metavar="K", help="So many steps."
)
@json_option
@digits_option
@ascii_option
def step(experiment: str, steps: int, as_json: bool, ascii: bool) -> None:
    """Show what a step of training does to every parameter.

    EXPERIMENT is a preset's name (see bptui presets) or the path of a TOML file. Each parameter before the step, its
    gradient, what the optimiser remembers (the velocity; m, v and their corrected values) and after it; Ŷ and the
    loss over all data before and after. The exit status is 1 when a number is not finite: then nothing is updated.

    \b
    Examples:
      bptui step tutorial-b
      bptui step xor --steps 3
      bptui step lab/wine.toml --steps 2 --json
    """
    from engine.experiment.datasets import load_data
    from engine.experiment.loading import load_experiment
    from engine.export.training_step_tables import steps_record, written_step
    from engine.training.parameter_steps import parameter_steps
    from engine.training.update_rule import settings_of

    loaded = load_experiment(experiment)
    done = parameter_steps(loaded, steps, load_data(loaded, source=experiment))
    problem = None
    if as_json:
        record = steps_record(done)
        write_json(record, ascii)
        problem = record["steps"][-1]["problem"]
    else:
        settings, style = settings_of(loaded.train), output_style(ascii, loaded.names)
        for one in done:
            problem = one.problem
            rate = loaded.train.learning_rate
            text = written_step(one, steps, settings, rate, width=output_width(), style=style)
            write(f"\n{text}" if one.step > 1 else text)
    if problem is not None:
        complain(problem)
        click.get_current_context().exit(FAILED)
