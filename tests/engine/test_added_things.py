"""One place each: an activation, a loss, an optimiser, an op and a metric are added on the fly; everything has them.

An activation, a loss and an optimiser twice: with kernels of their own, and by their formulas alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest
from typing_extensions import override

from engine.autodiff.graph import Array, Columns, Graph, Op
from engine.autodiff.ops.activation_functions import (
    ACTIVATIONS,
    ActivationFunction,
    of_formulas,
    register_activation,
)
from engine.autodiff.ops.formula_loss import FormulaLoss
from engine.autodiff.ops.loss_registry import LOSSES, register_loss
from engine.autodiff.ops.regression_losses import Distance
from engine.derivation.chain_rule import explain
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.gradcheck import check_network
from engine.derivation.matrix_form import MatrixLine, contribution, forward_matrix_form, matrix_lines
from engine.experiment.activation_traits import ACTIVATION_TRAITS, ActivationTraits, Interval
from engine.experiment.file_schema import document_type
from engine.experiment.layer_info import layer_infos
from engine.experiment.loading import load_experiment, parse_experiment
from engine.experiment.loss_specs import LOSS_SPECS, LossSpec
from engine.experiment.optimizer_specs import OPTIMIZER_SPECS, AdamTraining, Letters, StateLine, TrainSpec
from engine.experiment.spec import Experiment
from engine.export.derivation_document import written_latex, written_text
from engine.export.numpy_torch_program import numpy_program
from engine.formula.expression import Entry, Expr, Indicator, Number, Partial, Symbol, call
from engine.formula.notation import Style
from engine.formula.number_text import number_text
from engine.metrics.added_metrics import LayerMetric, OwnMetric, register_metric, remove_metric
from engine.runs.history import History
from engine.runs.run_log import RunLogHeader, RunLogWriter, read_run_log
from engine.training.optimizers import OPTIMIZERS, Optimizer, make_optimizer, register_optimizer
from engine.training.steps_by_hand import StepsByHand
from engine.training.trainer import Trainer
from engine.training.update_rule import settings_of
from tests.engine.experiment_texts import refusal
from tests.tui.cli.test_commands import run
from tests.tui.driver import app_on, screen_text, until
from tui.session.single_run import SingleRun
from tui.session.training_snapshot import Wanted
from tui.training.gradient_charts import chart_metrics
from tui.training.title_and_progress import progress_line

# ── an activation: the bell e^{-x²} ─────────────────────────────────────────────────────────────────


def _bell(x: Array, out: Array) -> None:
    np.multiply(x, x, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)


def _bell_slope(x: Array, y: Array, out: Array) -> None:
    np.multiply(x, y, out=out)
    np.multiply(out, -2.0, out=out)


BELL = ActivationFunction(
    "bell",
    value=_bell,
    derivative=_bell_slope,
    formula=lambda x: call("exp", -(x**2)),
    derivative_formula=lambda x: -2 * x * call("exp", -(x**2)),
)
BELL_TRAITS = ActivationTraits(
    "bell", "bell curve", lambda slope: "slope of the bell", Interval(0.0, 1.0, (False, True))
)

# ── a loss: the fourth power of the distance ────────────────────────────────────────────────────────


BELL_BY_FORMULA = ActivationTraits(
    "bell",
    "bell curve",
    lambda slope: "slope of the bell",
    Interval(0.0, 1.0, (False, True)),
    formula=lambda x: call("exp", -(x**2)),
    slope=lambda x: -2 * x * call("exp", -(x**2)),
)


class QuarticByFormula(LossSpec, tag="quartic", frozen=True, kw_only=True):
    words: ClassVar[str] = "quartic error"

    strength: float = 1.0

    def term(self, prediction: Expr, label: Expr) -> Expr:
        return Number(self.strength) * (prediction - label) ** 4

    def slope(self, prediction: Expr, label: Expr) -> Expr:
        return Number(4 * self.strength) * (prediction - label) ** 3


class QuarticLoss(LossSpec, tag="quartic", frozen=True, kw_only=True):
    words: ClassVar[str] = "quartic error"

    strength: float = 1.0


class Quartic(Distance):
    def __init__(
        self, prediction: Any, label: Any, output: Any, spec: QuarticLoss, logits: Any = None
    ) -> None:
        super().__init__(prediction, label, output, spec, logits)
        self.strength = spec.strength

    @override
    def forward(self) -> None:
        self.output.value[0, 0] = self.reference()

    @override
    def prediction_gradient(self, out: Array) -> None:
        residual = self._residual(out)
        np.power(residual, 3, out=residual)
        np.multiply(residual, 4.0 * self.strength / self.divisor, out=out)

    @override
    def term_of(self, prediction: Expr, label: Expr) -> Expr:
        return Number(self.strength) * (prediction - label) ** 4

    @override
    def by_prediction(self, entry: Entry) -> Expr:
        return self.scaled(Number(4.0 * self.strength) * self._residual_formula(entry) ** 3)

    @override
    def reference(self) -> float:
        return self.strength * float((self._plain_residual() ** 4).sum()) / self.divisor

    @override
    def reference_gradient(self) -> Array:
        return np.asarray(4.0 * self.strength * self._plain_residual() ** 3 / self.divisor)


# ── an optimiser: only the sign of the gradient counts ──────────────────────────────────────────────


class SignTraining(TrainSpec, tag="sign", frozen=True, kw_only=True):
    deadband: float = 0.0

    def rule(self, gradient: Expr, letters: Letters) -> tuple[Sequence[StateLine], Expr]:
        up = Indicator(gradient, ">", Number(self.deadband))
        return [], up - Indicator(gradient, "<", Number(-self.deadband))


class HeavyBall(TrainSpec, tag="heavy", frozen=True, kw_only=True):
    """Adam once more, by formulas: two states, the number of the step, and a line that reads another."""

    remembers: ClassVar[int] = 2
    weight_decay: float = 0.0

    def rule(self, gradient: Expr, letters: Letters) -> tuple[Sequence[StateLine], Expr]:
        mean = 0.9 * letters.before("m") + (1 - Number(0.9)) * gradient
        square = 0.999 * letters.before("v") + (1 - Number(0.999)) * gradient**2
        return [
            StateLine("m", "the mean", mean),
            StateLine("v", "the mean square", square),
            StateLine(
                "ahead", "corrected", letters.after("m") / (1 - Number(0.9) ** letters.step), kept=False
            ),
        ], letters.after("ahead") / (
            call("sqrt", letters.after("v") / (1 - Number(0.999) ** letters.step)) + Number(1e-8)
        )


class Sign(Optimizer):
    def __init__(self, values: Array, gradients: Array, settings: SignTraining) -> None:
        super().__init__(values, gradients, settings)
        self._directed(np.zeros_like(values))
        self._deadband = settings.deadband

    @override
    def _direct(self, i: int, clip: float) -> None:
        gradient, direction = self._gradient(i, clip), self._directions[i]
        np.sign(gradient, out=direction)
        direction[np.abs(gradient) <= self._deadband] = 0.0


TEXT = """
title = "Added"
[data]
kind = "inline"
X = [[1.0, 0.4], [0.5, -0.7]]
Y = [[0.3, 0.8]]
[network]
[[network.layers]]
units = 2
activation = "bell"
W = [[0.1, -0.4], [0.3, 0.2]]
[[network.layers]]
units = 1
activation = "bell"
W = [[0.6], [0.8]]
[loss]
kind = "quartic"
strength = 0.5
[train]
optimizer = "sign"
deadband = 1e-6
learning_rate = 0.01
"""


@pytest.fixture(params=["kernels", "formulas"])
def added(request: pytest.FixtureRequest) -> Iterator[type[LossSpec]]:
    """Adds all three, and takes them away again."""
    registries: tuple[dict[Any, Any], ...] = (
        ACTIVATION_TRAITS,
        ACTIVATIONS,
        LOSS_SPECS,
        LOSSES,
        OPTIMIZER_SPECS,
        OPTIMIZERS,
    )
    kept = [dict(registry) for registry in registries]
    if request.param == "kernels":
        register_optimizer(SignTraining, Sign)
        register_activation(BELL_TRAITS, BELL)
        register_loss(QuarticLoss, Quartic)
        yield QuarticLoss
    else:
        register_optimizer(SignTraining)
        register_activation(BELL_BY_FORMULA)
        register_loss(QuarticByFormula)
        yield QuarticByFormula
    for registry, before in zip(registries, kept, strict=True):
        registry.clear()
        registry.update(before)


def test_nothing_of_it_is_known_before():
    assert document_type() is Experiment
    assert 'found "bell"; expected "elu"' in refusal(TEXT).problem


def test_validation_knows_them(added: type[LossSpec]):
    experiment = parse_experiment(TEXT, "added")
    assert isinstance(experiment, Experiment)
    assert experiment.loss == added(strength=0.5)  # type: ignore[call-arg]
    assert experiment.train == SignTraining(deadband=1e-6, learning_rate=0.01)
    error = refusal(TEXT.replace("strength", "strenght"))
    assert (error.key, error.problem) == ("loss.strenght", 'unknown key; did you mean "strength"?')
    error = refusal(TEXT.replace('kind = "quartic"\nstrength = 0.5', 'kind = "bce"'))
    assert (
        error.key == "network.layers[1].activation"
    )  # a bell reaches 1, whose other half's logarithm is infinite
    error = refusal(TEXT.replace('optimizer = "sign"', 'optimizer = "sgd"'))
    assert error.problem == 'found deadband for the optimizer "sgd"; expected it with "sign" only'


@pytest.mark.usefixtures("added")
def test_the_schema_has_them():
    text = str(msgspec.json.schema(document_type()))
    for word in ("bell", "quartic", "strength", "sign", "deadband"):
        assert f"'{word}'" in text


@pytest.mark.usefixtures("added")
def test_training_the_stepper_the_matrices_page_latex_and_the_check_have_them():
    one = EvaluatedExperiment.of(parse_experiment(TEXT, "added"), "added")
    assert all(check.passed for check in check_network(one.network, one.data.X, one.data.Y))
    lines = list(matrix_lines(one.graph))
    assert [line for line in lines if not line.agrees] == []
    assert "bell" in {line.function for line in lines}
    target = Symbol("W", 1, (1, 1))
    derivation = explain(one.graph, target)
    for step in derivation:
        assert step.term.formula.evaluate(one.graph.value_of) == step.term.local
    check = one.check(target)
    assert check.agrees
    text = written_text(derivation, "Added", check)
    assert "quartic error" in text
    assert "slope of the bell" in text
    assert r"\exp" in written_latex(derivation, "Added", check) or "e^{" in written_latex(
        derivation, "Added", check
    )
    losses = [record.loss for _, record in zip(range(40), Trainer(one.experiment), strict=False)]
    assert losses[-1] < losses[0]


@pytest.mark.usefixtures("added")
def test_a_wrong_kernel_has_no_tick(monkeypatch: pytest.MonkeyPatch):
    """The matrices page compares with the loss's plain NumPy, not with the kernel itself."""
    for op in (Quartic, FormulaLoss):
        monkeypatch.setattr(op, "prediction_gradient", lambda self, out: out.fill(0.25))
    one = EvaluatedExperiment.of(parse_experiment(TEXT, "added"), "added")
    (line,) = [line for line in matrix_lines(one.graph) if line.function == "loss'"]
    assert not line.agrees


@pytest.mark.usefixtures("added")
def test_the_exported_program_computes_the_same():
    one = EvaluatedExperiment.of(parse_experiment(TEXT, "added"), "added")
    program = numpy_program(one.graph, "Added", "added.toml")
    exec(compile(program.script(), "program", "exec"), {})  # it asserts that every number is ours


@pytest.mark.usefixtures("added")
def test_the_stepper_takes_the_optimiser_s_step_apart():
    experiment = parse_experiment(TEXT, "added")
    one = EvaluatedExperiment.of(experiment, "added")
    steps = StepsByHand(one.network, one.graph, experiment.train)
    target = Symbol("W", 1, (1, 1))
    before, gradient = one.graph.value_of(target), one.graph.value_of(Partial(Symbol("E"), target))
    (line,) = steps.evaluated(target, 0.01)
    assert line.value == before - 0.01 * math.copysign(1.0, gradient)
    steps.step(0.01)
    assert one.graph.value_of(target) == pytest.approx(line.value, rel=1e-15)


def test_an_optimiser_by_its_rule_alone_steps_as_adam_does():
    """Five steps of Adam: the kernels made of the formulas, what is worked by hand, and the built-in kernels."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=12)
    theirs, gradients = values.copy(), np.empty(12)
    mine, adam = (
        make_optimizer(spec, array, gradients)
        for spec, array in ((HeavyBall(weight_decay=0.1), values), (AdamTraining(weight_decay=0.1), theirs))
    )
    for _ in range(5):
        gradients[:] = rng.normal(size=12)
        mine.update(0.01)
        adam.update(0.01)
        np.testing.assert_allclose(values, theirs, rtol=1e-12)
    assert [array.shape for array in mine.state] == [(12,), (12,)]
    settings = settings_of(HeavyBall(weight_decay=0.1))
    keys = [line.key for line in settings.rule(Symbol("W"), 3)]
    assert keys == ["used_gradient", "m", "v", "ahead", "after"]
    assert (list(settings.kept()), list(settings.states())) == (["m", "v"], ["m", "v"])


def test_an_optimiser_says_its_rule():
    class Mute(TrainSpec, tag="mute", frozen=True, kw_only=True):
        pass

    with pytest.raises(TypeError, match="Mute does not say its rule"):
        register_optimizer(Mute, Sign)


def test_traits_without_formulas_need_kernels():
    with pytest.raises(ValueError, match="bell has neither kernels nor formulas"):
        register_activation(BELL_TRAITS)


def test_kernels_made_of_formulas_compute_what_the_hand_made_ones_do():
    """Every activation and every formula of the built-in ones, in both number formats."""
    for function in ACTIVATIONS.values():
        made = of_formulas(
            ActivationTraits(function.name, formula=function.formula, slope=function.derivative_formula)
        )
        for dtype, close in ((np.float64, 1e-12), (np.float32, 1e-5)):
            x = np.linspace(-6, 6, 101, dtype=dtype).reshape(1, -1)
            y, theirs, slope, other = (np.empty_like(x) for _ in range(4))
            function.value(x, y), made.value(x, theirs)
            np.testing.assert_allclose(theirs, y, rtol=close, atol=close)
            function.derivative(x, y, slope), made.derivative(x, y, other)
            np.testing.assert_allclose(other, slope, rtol=close, atol=close)


# ── an op ───────────────────────────────────────────────────────────────────────────────────────────


class Cube(Op):
    """output = x³, entry by entry."""

    @override
    def forward(self) -> None:
        np.power(self.inputs[0].value, 3, out=self.output.value)

    @override
    def backward(self) -> None:
        node = self.inputs[0]
        sent = 3 * node.value**2 * self.output.grad
        node.grad[...] = node.grad + sent if self.accumulates[0] else sent

    @override
    def formula(self, entry: Entry) -> Expr:
        return self.inputs[0].entry(entry) ** 3

    @override
    def local(self, i: int, entry: Entry) -> Iterable[tuple[Entry, Expr]]:
        return ((entry, 3 * self.inputs[0].entry(entry) ** 2),)

    @override
    def fan_out(self, i: int) -> int:
        return 1

    @override
    def strongest(self, i: int, beyond: Array, columns: Columns) -> Array:
        return np.asarray(np.log(3 * self.inputs[0].value[:, columns] ** 2) + beyond)

    @override
    def factor_words(self, i: int, entry: Entry, output_entry: Entry) -> str:
        return "three times the square"


def cubed() -> Graph:
    graph = Graph(1, np.dtype("float64"))
    x = graph.leaf(Symbol("x"), np.array([[2.0]]), scalar=True)
    graph.add(Cube((x,), graph.result(Symbol("c"), (1, 1), (x,), scalar=True)))
    graph.finish()
    graph.forward()
    graph.backward()
    return graph


def test_an_op_is_stepped_through_as_soon_as_it_is_written():
    graph = cubed()
    derivation = explain(graph, Symbol("x"))
    assert (derivation.value, derivation[0].term.formula.plain()) == (12.0, "3*x**2")
    assert "three times the square" in written_text(derivation, "Cube", None)
    assert "x^{2}" in written_latex(derivation, "Cube", None)


def test_an_op_without_a_matrix_form_is_refused_until_it_says_it():
    graph = cubed()
    with pytest.raises(TypeError, match="no matrix form for Cube"):
        list(matrix_lines(graph))
    with pytest.raises(TypeError, match="no matrix form for Cube"):
        contribution(graph.ops[0], 0)

    @forward_matrix_form.register
    def _(op: Cube) -> Iterator[MatrixLine]:
        yield MatrixLine("forward", op.output.symbol, op.output.shape, "", (), True, "cube")

    assert next(matrix_lines(graph)).function == "cube"


# ── a metric ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def _metric() -> Iterator[None]:
    """A metric of the step: Σ|∂ℰ/∂W[1]|."""
    register_metric(
        OwnMetric(
            "first_l1", "Sum of |∂ℰ/∂W[1]|", lambda graph: np.abs(graph.nodes[Symbol("W", 1)].grad).sum()
        )
    )
    yield
    remove_metric("first_l1")


@pytest.mark.usefixtures("_metric")
def test_a_metric_is_in_records_histories_and_logs(tmp_path: Path):
    trainer = Trainer(load_experiment("xor"))
    records = [next(trainer) for _ in range(3)]
    one = EvaluatedExperiment.of(load_experiment("xor"), "xor")
    assert records[0].first_l1 == pytest.approx(np.abs(one.graph.nodes[Symbol("W", 1)].grad).sum())
    history = History()
    for record in records:
        history.append(record)
    assert history.column("first_l1").value.tolist() == [record.first_l1 for record in records]
    assert history.record(1).first_l1 == records[1].first_l1
    path = tmp_path / "run.jsonl"
    header = RunLogHeader.of(layer_infos(trainer.network.layers), fields=("loss", "grad_l2", "first_l1"))
    with RunLogWriter(path, header) as log:
        for record in records:
            log.append(record)
    read = read_run_log(path)
    assert [one.first_l1 for one in read.records] == pytest.approx([one.first_l1 for one in records])


@pytest.mark.usefixtures("_metric")
def test_a_metric_is_above_the_training_screens():
    trained = SingleRun("xor", load_experiment("xor"))
    record = trained.trainer.step()
    told = progress_line(trained.snapshot(Wanted(), resting=False), Style(digits=4), 160).plain
    assert f"Sum of |∂ℰ/∂W[1]| {number_text(record.first_l1)}" in told
    at_rest = progress_line(trained.snapshot(Wanted()), Style(digits=4), 160).plain
    assert f"Sum of |∂ℰ/∂W[1]| {number_text(trained.trainer.step().first_l1)}" in at_rest, "after the update"


@pytest.mark.usefixtures("_metric")
def test_a_metric_is_in_what_train_says(tmp_path: Path):
    said = json.loads(run("train", "xor", "--steps", "3", "--json").stdout)
    log = tmp_path / "run.jsonl"
    report = run("train", "xor", "--steps", "3", "--report", "--log", str(log)).stdout
    (line,) = [line for line in report.splitlines() if line.startswith("Sum of |∂ℰ/∂W[1]|, step 2: ")]
    assert float(line.rpartition(" ")[2]) == pytest.approx(said["metrics"]["first_l1"], rel=1e-3)
    last = json.loads(log.read_text("utf-8").splitlines()[-1])
    assert last["first_l1"] == pytest.approx(said["metrics"]["first_l1"])


@pytest.fixture
def _layer_metric() -> Iterator[None]:
    """A metric of every layer: max |W[l]|."""

    def largest(graph: Graph, layer: int) -> float:
        return float(np.abs(graph.nodes[Symbol("W", layer)].value).max())

    register_metric(LayerMetric("weight_max", "max |W|", largest))
    yield
    remove_metric("weight_max")


@pytest.mark.usefixtures("_layer_metric")
def test_a_metric_of_every_layer_is_in_records_histories_logs_and_what_train_says(tmp_path: Path):
    trainer = Trainer(load_experiment("xor"))
    weights = [trainer.network.parameters[Symbol("W", layer)].copy() for layer in (1, 2)]
    records = [next(trainer) for _ in range(3)]
    assert records[0].weight_max.tolist() == [np.abs(one).max() for one in weights]
    history = History()
    for record in records:
        history.append(record)
    assert history.column("weight_max").value.tolist() == [one.weight_max.tolist() for one in records]
    assert history.record(1).weight_max.tolist() == records[1].weight_max.tolist()
    log = tmp_path / "run.jsonl"
    said = json.loads(run("train", "xor", "--steps", "3", "--json", "--log", str(log)).stdout)
    assert said["metrics"]["weight_max"] == records[2].weight_max.tolist()
    assert read_run_log(log).records[2].weight_max == pytest.approx(records[2].weight_max)
    report = run("train", "xor", "--steps", "3", "--report").stdout
    told = ", ".join(number_text(value, Style(digits=4)) for value in records[2].weight_max)
    assert f"max |W| by layer, step 2: {told}" in report.splitlines()


@pytest.mark.usefixtures("_layer_metric")
async def test_a_metric_of_every_layer_is_among_the_charts_of_the_gradients_screen():
    app = app_on("xor")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.opened.show("gradients")
        await pilot.pause()
        await pilot.press("full_stop")
        await until(pilot, lambda: "max |∂ℰ/∂W|" in screen_text(app))
        for metric in chart_metrics()[1:]:
            await pilot.press("m")
            await until(pilot, lambda metric=metric: f"{metric.words} by layer" in screen_text(app))
        assert "max |W| by layer" in screen_text(app)


def test_without_it_nothing_is_measured_or_read(tmp_path: Path):
    record = next(Trainer(load_experiment("xor")))
    assert not hasattr(record, "first_l1")
    assert "metrics" not in json.loads(run("train", "xor", "--steps", "1", "--json").stdout)
    for name in ("loss", "step", "no name"):
        with pytest.raises(ValueError, match="cannot be a metric's name"):
            register_metric(OwnMetric(name, name, lambda graph: 0.0))
