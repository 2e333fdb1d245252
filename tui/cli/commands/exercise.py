"""`bptui exercise`: an assignment of new exercises, by level and seed."""

from __future__ import annotations

import click

from tui.cli.output import write


@click.command
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The same seed, the same exercises.",
)
@click.option(
    "--level",
    type=click.IntRange(1, 5),
    default=1,
    show_default=True,
    help="1 one factor, 2 one neuron, 3 a hidden layer, 4 deep, 5 forks, batch norm, softmax.",
)
@click.option("--count", type=click.IntRange(1, 500), default=1, show_default=True, help="How many.")
def exercise(seed: int, level: int, count: int) -> None:
    """Write an assignment of new exercises.

    \b
    Examples:
      bptui exercise --seed 7 --level 3 --count 5 > exercises.toml
      bptui exercise --level 1
    """
    from engine.practice.assignments.generated_exercises import exercises

    write(exercises(seed, level, count))
