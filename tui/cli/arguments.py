"""The arguments that several commands share, each with its completion in the shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from engine.formula.course_notation import CourseNames
    from engine.formula.expression import Symbol

MOST_ENTRIES = 200
"""More entries of a matrix than this are not offered one by one."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


class ExperimentType(click.ParamType):  # type: ignore[type-arg]  # generic only in newer releases of click
    """The command-line type of EXPERIMENT: a preset's name or the path of a TOML file.

    What it stands for is found out by the command.
    """

    name = "experiment"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The presets, the TOML files, and the folders that may hold some."""
        from click.shell_completion import CompletionItem

        from engine.experiment.loading import EXPERIMENT_SUFFIX, PRESET_NAMES
        from engine.experiment.presets import EXPRESSION_PRESETS
        from tui.cli.shell_completion import path_items

        presets = [
            CompletionItem(name)
            for name in (*PRESET_NAMES, *EXPRESSION_PRESETS)
            if name.startswith(incomplete)
        ]
        return [*presets, *path_items(incomplete, EXPERIMENT_SUFFIX)]


class ComparedType(ExperimentType):
    """The command-line type of an experiment to compare with, or a counterpart."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The counterpart first, then as for any experiment."""
        own = [CompletionItem("counterpart")] if "counterpart".startswith(incomplete) else []
        return [*own, *super().shell_complete(ctx, param, incomplete)]


class TargetType(click.ParamType):  # type: ignore[type-arg]
    """The command-line type of one entry of one matrix, such as W[1][1,1]."""

    name = "target"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The typed target, unless it names nothing whatever letters an experiment has."""
        text = str(value)
        if text.isascii() and "\\" not in text:
            typed_symbol(text, "/".join(param.opts) if param is not None else "")
        return text

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The matrices of the experiment, and the entries of the one that has been typed."""
        from click.shell_completion import CompletionItem

        # While --wrt still lacks its value, click has not yet told the arguments apart.
        experiment = ctx.params.get("experiment") or next(iter(ctx.args), None)
        return [CompletionItem(name) for name in _targets(experiment, incomplete)] if experiment else []


def typed_symbol(text: str, option: str, names: CourseNames | None = None) -> Symbol:
    """The symbol that was typed as the value of an option, in the experiment's own names or the canonical ones."""
    from engine.formula.course_notation import CANONICAL
    from engine.formula.parser import ParseError, parse_symbol
    from engine.formula.untrusted_text import one_line

    try:
        return parse_symbol(text, names or CANONICAL)
    except ParseError as error:
        raise click.BadParameter(one_line(f'"{text}": {error}'), param_hint=f"'{option}'") from None


@contextmanager
def speaking(names: CourseNames) -> Iterator[None]:
    """A context in which errors about a target are told in the experiment's own names."""
    from engine.derivation.targets import TargetError

    try:
        yield
    except TargetError as error:
        raise TargetError(names.said(str(error))) from None


class LessonType(click.ParamType):  # type: ignore[type-arg]
    """The command-line type of a lesson: a numbered item of the tutorials, such as B1, or PATH.md."""

    name = "item"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The item's name that a typed lesson means, or the path of a lesson of one's own."""
        from tui.lessons.lesson import LessonError, read_lesson, read_own_lesson

        try:
            if value.lower().endswith(".md"):
                read_own_lesson(Path(value))
                return str(value)
            return read_lesson(value).item
        except LessonError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The items, with their titles where the shell shows such; the Markdown files, and folders."""
        from click.shell_completion import CompletionItem

        from tui.cli.shell_completion import path_items
        from tui.lessons.lesson import list_lessons

        items = [
            CompletionItem(lesson.item, help=lesson.title)
            for lesson in list_lessons()
            if lesson.item.startswith(incomplete.upper())
        ]
        return [*items, *path_items(incomplete, ".md")]


def _targets(name: str, incomplete: str) -> Iterator[str]:
    from engine.derivation.evaluated_experiment import EvaluatedExperiment
    from engine.derivation.evaluated_expression import EvaluatedExpression
    from engine.experiment.errors import ExperimentError
    from engine.experiment.expression_spec import ExpressionExperiment
    from engine.experiment.loading import load_any
    from engine.formula.course_notation import CANONICAL

    try:
        loaded = load_any(name)
        if isinstance(loaded, ExpressionExperiment):
            graph, names = EvaluatedExpression.of(loaded, name).graph, CANONICAL
        else:
            graph, names = EvaluatedExperiment.of(loaded, name).graph, loaded.names
    except ExperimentError:
        return
    for node in graph.nodes.values():
        matrix = names.said(node.symbol.plain(), ascii=True)
        if not node.needs_gradient or node is graph.loss:
            continue
        if node.scalar or not incomplete.startswith(matrix):
            if matrix.startswith(incomplete):
                yield matrix
            continue
        rows, columns = node.shape
        entries = (f"{matrix}[{row},{column}]" for row in range(rows) for column in range(columns))
        if rows * columns <= MOST_ENTRIES:
            yield from (entry for entry in entries if entry.startswith(incomplete))


def experiment_argument(command: _Command) -> _Command:
    """Adds the argument EXPERIMENT to a command."""
    return click.argument("experiment", type=ExperimentType())(command)


def log_argument(command: _Command) -> _Command:
    """Adds the argument LOG, a run log, to a command."""
    return click.argument("log", type=click.Path(path_type=Path), metavar="LOG")(command)


def layers_option(command: _Command) -> _Command:
    """Adds the option --layers to a command on a run log."""
    return click.option("--layers", metavar="REGEX", help="Only layers whose name fits, ignoring case.")(
        command
    )


def log_names_option(command: _Command) -> _Command:
    """Adds the option --names to a command on a run log."""
    return click.option(
        "--names",
        metavar="REGEX",
        help="Which tags of another program's log are layers: 'norm/(?P<layer>.+)'.",
    )(command)


def of_option(command: _Command) -> _Command:
    """Adds the option --of to a command."""
    return click.option(
        "--of",
        type=TargetType(),
        metavar="OUTPUT",
        help='What to differentiate in place of the loss: one computed number, such as "Y_hat[0,0]" or "f[1][2,0]".',
    )(command)


DIGITS = "digits"
"""Where the number of digits is kept, for whoever writes numbers."""


def digits_option(command: _Command) -> _Command:
    """Adds the option --digits to a command, which `output_style` reads."""

    def keep(ctx: click.Context, _param: click.Parameter, value: int | None) -> None:
        ctx.meta[DIGITS] = value

    return click.option(
        "--digits",
        type=click.IntRange(1, 17),
        metavar="N",
        expose_value=False,
        callback=keep,
        help="Significant digits of every number; 4 where not given.",
    )(command)


def ascii_option(command: _Command) -> _Command:
    """Adds the option --ascii to a command."""
    return click.option("--ascii", is_flag=True, help="Keep to 7-bit characters.")(command)


def json_option(command: _Command) -> _Command:
    """Adds the option --json to a command."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Strict JSON: null for NaN and infinities, counted beside."
    )(command)
