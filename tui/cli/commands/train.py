"""`bptui train`: trains without the app, with a progress bar, a chart at the end, a run log."""

from __future__ import annotations

import math
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

import click

from tui.cli.arguments import ascii_option, experiment_argument, json_option
from tui.cli.one_line_errors import FAILED
from tui.cli.output import complain, fitted, output_style, output_width, write, write_json
from tui.cli.progress_bar import ProgressBarFile
from tui.cli.stop_signals import AskedToEnd
from tui.shell.blas_threads import threads

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from engine.diagnosis.diagnosis import Diagnosis
    from engine.diagnosis.run_observer import RunObserver
    from engine.export.why_nonfinite import WhyNonfinite
    from engine.formula.notation import Style
    from engine.runs.run_log import RunLogWriter
    from engine.training.trainer import Trainer

CHART_HEIGHT = 20


@click.command
@experiment_argument
@click.option(
    "--steps", type=click.IntRange(min=1), metavar="N", help="Train N steps, whatever the experiment says."
)
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.jsonl",
    help="Write a run log, one line a step; bptui watch shows it while it grows.",
)
@click.option("--plot", is_flag=True, help="Draw the gradient magnitude of every layer at the end.")
@click.option(
    "--report", is_flag=True, help="Say what is wrong and why, and what became of classes and units."
)
@click.option(
    "--why-nan",
    is_flag=True,
    help="Take apart the first number that is NaN or infinite: its operation, and the factor that made it.",
)
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.npz",
    help="Save the trained parameters under their names, W[1], b[1], …, as a NumPy archive.",
)
@click.option("--predict", is_flag=True, help="Show Ŷ for every sample at the end, beside Y.")
@json_option
@ascii_option
def train(
    experiment: str,
    steps: int | None,
    log: Path | None,
    plot: bool,
    report: bool,
    why_nan: bool,
    save: Path | None,
    predict: bool,
    as_json: bool,
    ascii: bool,
) -> None:
    """Train an experiment in the terminal.

    EXPERIMENT is a preset's name (see bptui presets) or the path of a TOML file. A progress bar goes to stderr
    when that is a terminal; Ctrl+C ends the training in good order, with what is done so far. The exit status is 1
    where it diverged, and where records of the log could not be written.

    \b
    Examples:
      bptui train tutorial-a-wine
      bptui train vanishing-sigmoid-50 --steps 100 --plot
      bptui train tutorial-a-weighted --report
      bptui train exploding-50 --why-nan
      bptui train tutorial-b-wine --log run.jsonl --json
      bptui train xor --save xor.npz --predict
    """
    from engine.diagnosis.run_observer import RunObserver
    from engine.experiment.loading import load_experiment
    from engine.export.json_records import train_record
    from engine.training.trainer import Trainer

    loaded = load_experiment(experiment)
    from engine.experiment.datasets import load_data

    trainer = Trainer(loaded, load_data(loaded, source=experiment))
    if steps is not None:
        trainer.limit = steps
    if save is not None:
        _check_archive(save)
    writer = None if log is None else _open_log(log, loaded.title, trainer)
    observer = RunObserver(trainer, looks=report)
    with threads.for_product(trainer.network.largest_product(trainer.samples_a_step)):
        asked = _run(trainer, writer, observer)
        diagnosis = _diagnosis(observer) if report else None
    if save is not None:
        from engine.export.parameters_file import save_parameters

        save_parameters(save, trainer.network.parameters)
    why = _why(trainer) if why_nan else None
    prediction = trainer.network.predict(trainer.data.X) if predict else None
    if as_json:
        predicted = {} if prediction is None else {"Y_hat": prediction.tolist()}
        if why_nan:
            predicted["why_nan"] = None if why is None else why.record()
        write_json(
            {**train_record(trainer, observer.first, observer.present(), diagnosis), **predicted}, ascii
        )
    else:
        style = output_style(ascii, loaded.names)
        if trainer.problem is not None:
            complain(trainer.problem)
        _write_summary(observer, style)
        if prediction is not None:
            from engine.export.training_step_tables import written_predictions

            write(f"\n{written_predictions(prediction, trainer.data.Y, style=style)}")
        if why_nan:
            _write_why(why, trainer, style)
    if diagnosis is not None and not as_json:
        from tui.cli.training_report import training_report

        write(f"\n{fitted(training_report(observer, diagnosis, output_style(ascii, loaded.names)))}")
    if plot:
        _plot(observer, ascii, to_stderr=as_json)
    if writer is not None and writer.lost:
        from engine.formula.numbers_in_words import counted

        complain(f"{log}: {counted(writer.lost, 'record')} of {trainer.steps_done:,} could not be written")
    if asked:
        click.get_current_context().exit(asked.status)
    if observer.diverged or (writer is not None and writer.lost):
        click.get_current_context().exit(FAILED)


def _check_archive(path: Path) -> None:
    """A mistake in the name is told before the training, not after it."""
    if path.suffix != ".npz":
        raise click.UsageError(f"--save {path}: expected a name that ends in .npz")
    if not path.parent.is_dir():
        raise click.UsageError(f"--save {path}: there is no folder {path.parent}")


def _open_log(path: Path, title: str, trainer: Trainer) -> RunLogWriter:
    from datetime import UTC, datetime

    from engine.experiment.layer_info import layer_infos
    from engine.metrics.added_metrics import OWN_METRICS
    from engine.runs.run_log import RunLogHeader, RunLogWriter
    from engine.runs.run_log_lines import FIELDS_1_0, OF_HELD_OUT

    header = RunLogHeader.of(
        layer_infos(trainer.network.layers),
        title=title,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        fields=(*FIELDS_1_0, *(() if trainer.data.held_out is None else OF_HELD_OUT), *OWN_METRICS),
    )
    try:
        return RunLogWriter(path, header, warn=complain)
    except FileExistsError:
        raise click.ClickException(f"{path}: is there already; a run log is never overwritten") from None
    except OSError as error:
        raise click.ClickException(f"{path}: cannot be written: {error.strerror}") from None


def _diagnosis(observer: RunObserver) -> Diagnosis:
    """What is found, with only those changes that a second run has shown to help."""
    from engine.diagnosis.diagnosis import diagnose
    from engine.diagnosis.remedy_trial import confirmed

    case, last = observer.case(), observer.trainer.last
    return confirmed(case, diagnose(case), 0.0 if last is None else last.seconds)


def _why(trainer: Trainer) -> WhyNonfinite | None:
    from engine.export.why_nonfinite import why_nonfinite

    return why_nonfinite(trainer)


def _write_why(why: WhyNonfinite | None, trainer: Trainer, style: Style) -> None:
    from engine.export.text_document import render_text
    from engine.export.why_nonfinite import compose_why
    from engine.formula.numbers_in_words import counted

    if why is None:
        write(f"\nEvery number of {counted(trainer.steps_done, 'step')} was finite.")
    else:
        write(f"\n{render_text(compose_why(why), output_width(), style)}".rstrip())


def _run(trainer: Trainer, writer: RunLogWriter | None, observer: RunObserver) -> AskedToEnd:
    """Trains to the end; whether a signal came first. The log is complete either way."""
    asked = AskedToEnd()
    screen = ProgressBarFile(sys.stderr)
    try:
        bar: ProgressBar[int]
        with (
            asked,
            click.progressbar(
                length=trainer.limit,
                file=cast(TextIO, screen),
                hidden=not screen.isatty(),
                show_pos=True,
                show_eta=True,
                label="training",
            ) as bar,
        ):
            done, due = 0, max((trainer.limit or 1) // 200, 1)
            pace = threads.pace(trainer.network.largest_product(trainer.samples_a_step))
            for record in trainer:
                if pace is not None:
                    pace.stepped()
                observer.saw(record)
                if writer is not None:
                    writer.append(record)
                done += 1
                if done == due:
                    bar.label = f"{trainer.steps_done / max(record.seconds, 1e-9):,.0f} steps/s"
                    bar.update(done)
                    done = 0
                if asked:
                    break
            bar.update(done)
    except KeyboardInterrupt:
        asked.signal = signal.SIGINT
    finally:
        if writer is not None:
            writer.close()
    return asked


def _write_summary(observer: RunObserver, style: Style) -> None:
    """One line a layer, with the present weights over all data; the loss before the first and after the last step."""
    from engine.formula.expression import Symbol
    from engine.formula.notation import symbol_text
    from engine.formula.number_text import number_text
    from engine.formula.numbers_in_words import counted
    from engine.model.network import LOSS, Y, layer_names

    trainer = observer.trainer
    if trainer.last is None:
        write("no steps were trained")
        return
    before, record = observer.first.record, observer.present().record
    glyphs = style.glyphs
    gradient = "/".join(f"{glyphs.partial}{symbol_text(symbol, style)}" for symbol in (LOSS, Symbol("W")))
    write(f"{'layer':<8}{'max |' + gradient + '|':>16}{'L2':>12}{'zeros':>8}{'quiet':>7}{'dead':>6}")
    names = [style.names.said(name, ascii=True) for name in layer_names(trainer.network)]
    for place, name in enumerate(names):
        write(
            f"{name:<8}{number_text(float(record.grad_max[place]), style):>16}"
            f"{number_text(float(record.grad_l2[place]), style):>12}"
            f"{100 * record.zero_fraction[place]:>6.0f} %{int(record.quiet[place]):>7}{int(record.dead[place]):>6}"
        )
    label = symbol_text(Y, style)
    score = ""
    if before.accuracy is not None and record.accuracy is not None:
        score = f", accuracy {100 * before.accuracy:.1f} % {glyphs.arrow} {100 * record.accuracy:.1f} %"
    if len(record.recall) == 2 and all(map(math.isfinite, record.recall)):  # both classes are there
        score += f" ({label}=0 {100 * record.recall[0]:.1f} %, {label}=1 {100 * record.recall[1]:.1f} %)"
    write(
        f"\n{counted(trainer.steps_done, 'step')} in {trainer.last.seconds:.2f} s, over all data: "
        f"loss {number_text(before.loss, style)} {glyphs.arrow} {number_text(record.loss, style)}{score}"
    )
    if (samples := trainer.data.held_out) is not None and record.test_step >= 0:
        score = ""
        if before.test_accuracy is not None and record.test_accuracy is not None:
            score = f", accuracy {100 * before.test_accuracy:.1f} % {glyphs.arrow} {100 * record.test_accuracy:.1f} %"
        write(
            f"{counted(samples.X.shape[1], 'sample')} held out: loss {number_text(before.test_loss, style)} "
            f"{glyphs.arrow} {number_text(record.test_loss, style)}{score}"
        )


def _plot(observer: RunObserver, ascii: bool, *, to_stderr: bool) -> None:
    """The present magnitudes against the layers, as the app draws them."""
    from tui.training.charts import Line, profile_chart

    if observer.trainer.last is None:
        return
    record = observer.present().record
    import numpy as np

    layers = np.arange(1.0, len(record.grad_max) + 1)
    chart = profile_chart(
        [Line("max", layers, record.grad_max)],
        output_width(),
        CHART_HEIGHT,
        ascii_only=output_style(ascii).ascii,
    )
    write(chart.plain, to_stderr=to_stderr)
