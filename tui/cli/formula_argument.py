"""A command that takes a formula, which may begin with a minus.

    bptui answer tutorial-b --wrt "W[1][1,1]" "-(Y_hat - Y)*…"

Click would read the h of -(Y_hat as -h and show the help. So the formula is taken out before click looks: it is what
is neither an option of this command, nor the value of one, nor the first argument.
"""

from __future__ import annotations

from typing import Any

import click

FORMULA = "formula"


class FormulaCommand(click.Command):
    """A command with an argument FORMULA that may begin with a minus: it is kept from click's parser."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Takes the formula out, then parses the rest."""
        formula, rest = self.split(ctx, list(args))
        ctx.meta[FORMULA] = formula
        return super().parse_args(ctx, rest)

    def split(self, ctx: click.Context, args: list[str]) -> tuple[str | None, list[str]]:
        """Splits the arguments: the formula, and everything else in its order."""
        with_value, flags = self._options(ctx)
        rest: list[str] = []
        positional: list[str] = []
        formula: str | None = None
        while args:
            arg = args.pop(0)
            if arg == "--":
                positional += args
                break
            if arg in with_value:
                rest += [arg, *args[:1]]
                del args[:1]
            elif arg in flags or arg.partition("=")[0] in with_value:
                rest.append(arg)
            elif arg.startswith("-") and arg != "-" and formula is None and not arg.startswith("--"):
                formula = arg
            elif arg.startswith("--") and arg[2:].replace("-", "").isalpha() and len(arg) > 3:
                rest.append(arg)  # an option that is not there: click says so
            elif arg.startswith("-") and formula is None:
                formula = arg
            else:
                positional.append(arg)
        if formula is None and len(positional) > 1:
            formula = positional.pop(1)
        return formula, [*rest, *(["--", *positional] if positional else [])]

    def _options(self, ctx: click.Context) -> tuple[set[str], set[str]]:
        """The names of the options that take a value, and of those that do not."""
        with_value: set[str] = set()
        flags: set[str] = set(ctx.help_option_names)
        for parameter in self.params:
            if isinstance(parameter, click.Option):
                takes = not (parameter.is_flag or parameter.count)
                (with_value if takes else flags).update((*parameter.opts, *parameter.secondary_opts))
        return with_value, flags

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The formula stands last in the usage line."""
        return [*super().collect_usage_pieces(ctx), "[FORMULA]"]


def formula_of(ctx: click.Context) -> str | None:
    """The FORMULA that was typed for a command."""
    found: Any = ctx.meta.get(FORMULA)
    return found if isinstance(found, str) else None
