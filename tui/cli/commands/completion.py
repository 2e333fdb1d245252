"""`bptui completion`: the script that makes a shell complete commands, experiments and targets."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tui.cli.one_line_errors import COMPLETION_VARIABLE
from tui.cli.output import write
from tui.cli.shell_completion import register

PROGRAM = "bptui"


@click.command
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    It completes commands and options, EXPERIMENT (presets and TOML files), --wrt (the matrices of that
    experiment) and the items of lessons. Put the line for your shell into its start-up file.

    \b
    Examples:
      eval "$(bptui completion bash)"       in ~/.bashrc
      eval "$(bptui completion zsh)"        in ~/.zshrc
      bptui completion fish | source        in ~/.config/fish/config.fish
    """
    register()
    script = get_completion_class(shell)
    if script is None:
        raise click.ClickException(f"there is no completion for {shell}")
    write(script(click.get_current_context().find_root().command, {}, PROGRAM, COMPLETION_VARIABLE).source())
