"""`bptui presets`: the experiments that come with bptui."""

from __future__ import annotations

import click

from tui.cli.arguments import json_option
from tui.cli.output import output_style, output_width, write, write_json


@click.command
@click.option("--show", metavar="NAME", help="Print the experiment file of one of them.")
@json_option
def presets(show: str | None, as_json: bool) -> None:
    """List the presets, or print the file of one.

    \b
    Examples:
      bptui presets
      bptui presets --json
      bptui presets --show tutorial-b > mine.toml
    """
    from engine.experiment.presets import headlines, preset_text
    from engine.formula.text_width import wrapped

    if show is not None:
        write(preset_text(show))
        return

    known = headlines()
    if as_json:
        listed = [{"name": name, "title": title, "about": about} for name, title, about in known]
        write_json({"presets": listed})
        return
    from engine.formula.ascii_text import in_characters_of

    style = output_style(ascii=False)
    margin = max(len(name) for name, _, _ in known) + 2
    for name, title, _ in known:
        shown = in_characters_of(title, style)
        for place, line in enumerate(wrapped(shown, output_width() - margin)):
            write(("" if place else name).ljust(margin) + line)
