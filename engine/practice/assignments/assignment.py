"""An assignment: questions about experiments, as a lecturer writes them in a TOML file.

    title = "Week 3"
    [[question]]
    id = "b1"
    text = "What is the gradient of the loss by this weight?"
    experiment = "tutorial-b"          # a preset, a file, or an inline table
    wrt = "W[1][1,1]"
    points = 5
    partial = 1.0                      # share of the points that right factors give

A file that is not as it should be is refused in one line that names the file and the key.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from engine.autodiff.graph import Node
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.targets import TargetError
from engine.experiment.errors import ExperimentError, mismatch
from engine.experiment.loading import EXPERIMENT_SUFFIX, PRESET_NAMES, load_experiment
from engine.experiment.spec import Experiment
from engine.experiment.text_file import read_text_file
from engine.experiment.toml_decoding import read_toml
from engine.experiment.validation import validate
from engine.formula.expression import Symbol
from engine.formula.parser import ParseError, parse_symbol
from engine.model.network import LOSS
from engine.practice.assignments.assignment_decoding import convert_assignment
from engine.practice.assignments.assignment_spec import LARGEST_FILE, AssignmentSpec, QuestionSpec
from engine.practice.judging.judge import Judge
from engine.practice.judging.slope_bound import SlopeBound
from engine.practice.judging.trained_numbers import MOST_STEPS, TrainedMeasurement, TrainedValue
from engine.practice.question.asked_target import AskedTarget, parse_asked_target
from engine.practice.verdict import Mistake

BUILT_IN = "tutorials"
"""The name of the assignment that comes with bptui: every question of the two tutorials."""


LONG_TRAINING, LONG_VERDICT = 50_000, 4_000
"""Steps times numbers in the network, or so many numbers, for which answers take some 0.1 s and more."""


class AssignmentNumber(Protocol):
    """A number that a question asks for, with what is often given in its place."""

    @property
    def plain(self) -> str:
        """What it is called, in plain form."""

    @property
    def value(self) -> float:
        """The right number."""

    def familiar(self) -> Iterator[tuple[float, Mistake]]:
        """Numbers that are often given instead, and what is wrong with each."""


@dataclass(frozen=True, eq=False)
class AssignmentQuestion:
    """One question of an assignment, with its experiment and target found."""

    spec: QuestionSpec
    experiment: Experiment
    source: str

    @property
    def id(self) -> str:
        """The name by which answers refer to it."""
        return self.spec.id

    @property
    def experiment_name(self) -> str:
        """The name of the question's experiment: a preset, a path, or the table itself."""
        return self.spec.experiment if isinstance(self.spec.experiment, str) else repr(self.spec.experiment)

    @property
    def target(self) -> AskedTarget:
        """The derivative that is asked for. Raises TargetError."""
        spec = self.spec
        if spec.factor is not None:
            target = parse_asked_target(spec.factor, names=self.experiment.names)
        else:
            assert spec.wrt is not None
            target = parse_asked_target(spec.wrt, spec.of, spec.sample, self.experiment.names)
        return target.updated(self.experiment) if spec.update else target

    @property
    def node(self) -> Node:
        """The matrix whose shape is asked for, which is that of its gradient. Raises TargetError."""
        name = self.spec.of if self.spec.wrt is None else self.spec.wrt
        symbol = self._symbol(name or "")
        if symbol.index is not None or symbol not in self.evaluated.graph.nodes:
            raise TargetError(f"there is no matrix {name} in this network; expected one such as W[1]")
        return self.evaluated.graph.nodes[symbol]

    @property
    def has_target(self) -> bool:
        """Whether a derivative is asked for, and not another number."""
        return self.spec.wrt is not None or self.spec.factor is not None

    @cached_property
    def own_number(self) -> AssignmentNumber | None:
        """The number that is asked for where it is neither a value nor a derivative. Raises TargetError."""
        spec = self.spec
        if spec.bound is not None:
            return SlopeBound.parse(self.evaluated.graph, spec.bound, self.experiment.names)
        if spec.measure is not None:
            return TrainedMeasurement.parse(self.evaluated, spec.measure, spec.after)
        if spec.after is not None:
            return TrainedValue(
                self.evaluated, LOSS if spec.of is None else self._symbol(spec.of), spec.after
            )
        return None

    @property
    def is_long(self) -> bool:
        """Whether its number, or a verdict, may take longer than a key may: much training, or a large network."""
        size = sum(node.value.size for node in self.evaluated.graph.nodes.values())
        own = self.own_number
        if isinstance(own, TrainedValue | TrainedMeasurement):
            return own.steps * size > LONG_TRAINING
        return own is None and size > LONG_VERDICT

    @cached_property
    def evaluated(self) -> EvaluatedExperiment:
        """The question's experiment after a forward and a backward pass."""
        return EvaluatedExperiment.of(self.experiment, self.source)

    def _symbol(self, name: str) -> Symbol:
        return parse_symbol(name, self.experiment.names)

    @cached_property
    def judge(self) -> Judge:
        """The judge of answers to this question."""
        return Judge(self.evaluated, self.target, [self._symbol(name) for name in self.spec.given])

    @property
    def hints(self) -> list[str]:
        """The hints, from the vaguest to the plainest."""
        return [self.spec.hint] if isinstance(self.spec.hint, str) else list(self.spec.hint)

    @property
    def asked(self) -> str:
        """The name of what is asked for, in plain form: ∂E/∂W[1][1,1], or E."""
        if self.spec.kind == "bug":
            return "the gradient that is sent wrongly"
        if self.spec.kind == "shape":
            return f"the shape of {self.target.plain() if self.has_target else self.spec.of}"
        if self.own_number is not None:
            return self.own_number.plain
        return self.target.plain() if self.has_target else self.spec.of or "E"

    @cached_property
    def number(self) -> float:
        """The right number, at the experiment's own numbers."""
        graph = self.evaluated.graph
        if self.own_number is not None:
            return self.own_number.value
        if not self.has_target:
            return graph.value_of(LOSS if self.spec.of is None else self._symbol(self.spec.of))
        other = self.target.graph(self.evaluated.network, self.evaluated.data.X, self.evaluated.data.Y)
        other.forward()
        other.backward()
        return float(self.target.reader(other)()[0, 0])


@dataclass(frozen=True, eq=False)
class Assignment:
    """An assignment: questions in their order."""

    title: str
    questions: tuple[AssignmentQuestion, ...]
    source: str

    @property
    def points(self) -> float:
        """The points of all questions."""
        return math.fsum(question.spec.points for question in self.questions)

    def about(self, item: str) -> Assignment:
        """The questions that belong to one item of the tutorials."""
        questions = tuple(question for question in self.questions if question.spec.item == item)
        return Assignment(f"{self.title}: {item}", questions, self.source)

    def question(self, name: str) -> AssignmentQuestion | None:
        """The question of an id; None where there is none. Raises KeyError where there is none."""
        return next((question for question in self.questions if question.id == name), None)


def load_assignment(name_or_path: str | Path) -> Assignment:
    """Loads the built-in assignment of a name, or the one in a file. Raises ExperimentError."""
    if name_or_path == BUILT_IN:
        file = resources.files("engine").joinpath("practice", "assignments", "tutorials.toml")
        return parse_assignment(file.read_text("utf-8"), BUILT_IN)
    path, source = Path(name_or_path), str(name_or_path)
    return parse_assignment(read_text_file(path, source, LARGEST_FILE), source, path.parent)


def parse_assignment(text: str, source: str, folder: Path | None = None) -> Assignment:
    """Reads the assignment that a TOML text describes. Raises ExperimentError in the name of `source`."""
    spec = convert_assignment(read_toml(text, source), AssignmentSpec, source)
    if not spec.question:
        raise ExperimentError(source, "question", mismatch("no question", "at least one [[question]]"))
    seen: set[str] = set()
    questions = []
    for place, one in enumerate(spec.question):
        key = f"question[{place}]"
        if one.id in seen:
            raise ExperimentError(source, f"{key}.id", f'found "{one.id}" a second time')
        seen.add(one.id)
        _check_numbers(one, source, key)
        experiment = _experiment(one.experiment, source, f"{key}.experiment", folder)
        question = AssignmentQuestion(one, experiment, source)
        _check_target(question, source, key)
        questions.append(question)
    return Assignment(spec.title, tuple(questions), source)


def _check_numbers(spec: QuestionSpec, source: str, key: str) -> None:
    for name, value, wanted in (
        ("points", spec.points, "a number from 0 on"),
        ("partial", float(spec.partial), "a share from 0 to 1"),
        ("tolerance", spec.tolerance or 0.0, "a number from 0 on"),
        ("attempts", float(spec.attempts or 1), "a whole number from 1 on"),
    ):
        fits = math.isfinite(value) and value >= 0 and not (name == "partial" and value > 1)
        if not fits or (name == "attempts" and value < 1):
            raise ExperimentError(source, f"{key}.{name}", mismatch(str(value), wanted))
    if not spec.id.strip():
        raise ExperimentError(source, f"{key}.id", mismatch("an empty text", "a name"))
    if spec.kind == "shape" and (spec.wrt is None) == (spec.of is None):
        wanted = "expected a whole matrix in one of the two, such as W[1]"
        raise ExperimentError(source, f"{key}.wrt", f"a shape is asked for: {wanted}, wrt or of")
    if spec.kind == "formula" and spec.wrt is None and spec.factor is None:
        raise ExperimentError(
            source, f"{key}.wrt", "missing; expected what to differentiate by, such as W[1][1,1]"
        )
    if spec.after is not None and not 0 <= spec.after <= MOST_STEPS:
        wanted = f"a whole number of steps from 0 to {MOST_STEPS}"
        raise ExperimentError(source, f"{key}.after", mismatch(str(spec.after), wanted))
    if spec.update and spec.kind != "formula":
        raise ExperimentError(
            source,
            f"{key}.update",
            f"found a question of kind {spec.kind}; a number is asked for with after = 1",
        )
    for name in ("after", "measure", "bound"):
        if getattr(spec, name) is not None and (
            spec.kind != "number" or spec.wrt is not None or spec.factor is not None
        ):
            wanted = 'expected it in a question of kind "number" without wrt and factor'
            raise ExperimentError(source, f"{key}.{name}", f"does not belong here; {wanted}")


def _experiment(given: str | Mapping[str, Any], source: str, key: str, folder: Path | None) -> Experiment:
    try:
        if isinstance(given, str):
            if given in PRESET_NAMES or folder is None or not given.endswith(EXPERIMENT_SUFFIX):
                return load_experiment(given)
            return load_experiment(folder / given)
        experiment: Experiment = convert_assignment(dict(given), Experiment, source)
        validate(experiment, source)
        return experiment
    except ExperimentError as error:
        inner = str(error).removeprefix(f"{source}: ")
        raise ExperimentError(source, key, inner) from None


def _check_target(question: AssignmentQuestion, source: str, key: str) -> None:
    """Whether what is asked for is there. Raises ExperimentError."""
    spec, names = question.spec, question.experiment.names
    try:
        if spec.kind == "bug":
            return
        if spec.kind == "shape":
            _ = question.node
            return
        _ = question.own_number
        if not question.has_target:
            question.evaluated.graph.value_of(LOSS if spec.of is None else parse_symbol(spec.of, names))
            return
        target = question.target
        target.check(
            target.graph(question.evaluated.network, question.evaluated.data.X, question.evaluated.data.Y)
        )
        for name in spec.given:
            if parse_symbol(name, names).matrix not in question.evaluated.graph.nodes:
                raise TargetError(f"given: there is no {name} in this network")
    except (TargetError, ParseError) as error:
        name = next(
            (one for one in ("factor", "wrt", "bound", "measure") if getattr(spec, one) is not None), "of"
        )
        raise ExperimentError(source, f"{key}.{name}", str(error)) from None
    except (KeyError, IndexError):
        raise ExperimentError(source, f"{key}.of", f"there is no {spec.of} in this network") from None
