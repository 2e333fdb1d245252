"""The diagnosis of a run: its findings, the most serious first, and what is to be said where there are none.

Case ──> each kind of finding, in order ──> Diagnosis
                                            Plateau. Over the last 20,000 steps the loss stays within 1 % …
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.diagnosis.diagnosed_run import DiagnosedRun, Needs
from engine.diagnosis.finding import Finding, Kind
from engine.diagnosis.gradient_flow import flow_of
from engine.diagnosis.kinds import RULES, step_too_long, vanishing_exploding
from engine.experiment.layer_info import LayerInfo, named_layers
from engine.formula.course_notation import CourseNames
from engine.formula.numbers_in_words import counted
from engine.metrics.step_record import NEVER, StepRecord

CAUSES = (vanishing_exploding.EXPLODING, step_too_long.RULE)
"""Why a run diverges, in the order in which they are told."""

REASSURING = (Kind.LEARNED, Kind.LEARNING)

REMARKS = (Kind.CONSTANT_INPUTS, Kind.UNSCALED_INPUTS)
"""Where the network learns these are remarks, not faults."""


@dataclass(frozen=True)
class Diagnosis:
    """The findings in a run of `steps` updates, the most important first.

    `missing` lists what kinds of finding would have needed and the run does not hold: "the weights and the data".
    """

    findings: tuple[Finding, ...]
    steps: int
    gradients: str = ""
    missing: tuple[str, ...] = ()
    untried: bool = False
    """Whether the findings' changes have still to be tried (`engine.diagnosis.remedy_trial.confirmed`)."""
    of_log: bool = False
    """Whether it is of a log, of which nobody knows whether there is more to come."""

    def said_in(self, names: CourseNames) -> Diagnosis:
        """The diagnosis with its sentences in an experiment's own letters."""
        if not names:
            return self
        findings = tuple(
            replace(
                one, text=names.said(one.text), remedy=None if one.remedy is None else names.said(one.remedy)
            )
            for one in self.findings
        )
        return replace(self, findings=findings, gradients=names.said(self.gradients))

    @property
    def headline(self) -> str:
        """The first finding's title, or that nothing was found: never that all is well."""
        if self.findings:
            return self.findings[0].title
        if self.steps:
            return "Nothing found"
        return "One step logged" if self.of_log else "Not trained yet"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kind of every finding, in order."""
        return tuple(finding.kind for finding in self.findings)

    def of(self, kind: Kind) -> Finding | None:
        """The finding of a kind; None where there is none."""
        return next((one for one in self.findings if one.kind is kind), None)

    def is_remark(self, finding: Finding) -> bool:
        """Whether a finding is only a remark here, and no fault."""
        return self.kinds[0] in REASSURING and finding.kind in REMARKS

    @property
    def remedy(self) -> Finding | None:
        """The first finding with a change that can be tried."""
        return next((one for one in self.findings if one.change is not None), None)

    @property
    def nothing_found(self) -> str:
        """The sentence in place of findings; empty where there are some."""
        if self.findings:
            return ""
        if not self.steps and self.of_log:
            return "What becomes of the loss is seen from the second step on."
        if not self.steps:
            return "No step has been trained: what becomes of the loss is not known."
        return f"After {counted(self.steps, 'step')} nothing is found; whether it learns is not known yet."


def diagnose(case: DiagnosedRun) -> Diagnosis:
    """The diagnosis of a training run: every kind of finding tried, in order."""
    try:
        with np.errstate(all="ignore"):  # numbers that overflow are what it is there to find
            return _diagnosed(case)
    finally:
        if case.own is not None:
            case.own.release()


def judge_record(record: StepRecord, layers: Sequence[LayerInfo]) -> Diagnosis:
    """The diagnosis of one record by itself: its gradients, and the dead units of the whole data set.

    `layers` are those that the record's arrays are of; they may be empty where nothing is known of them.
    """
    layers = layers or named_layers(f"W[{number}]" for number in range(1, len(record.grad_l2) + 1))
    dead = None if record.dead_step == NEVER else tuple(int(count) for count in record.dead)
    problem = record.problem
    if problem is None and record.nonfinite:
        problem = f"Step {record.step}: {record.nonfinite} numbers are NaN or infinite."
    return diagnose(
        DiagnosedRun(
            step=record.step,
            layers=tuple(layers),
            record=record,
            problem=problem,
            problem_step=record.step,
            dead=dead,
            dead_step=record.dead_step,
        )
    )


def _diagnosed(case: DiagnosedRun) -> Diagnosis:
    findings: list[Finding] = []
    rules = [rule for rule in RULES if rule not in CAUSES] if case.diverged else list(RULES)
    if case.diverged:
        rules[1:1] = CAUSES
    learned = False
    missing: list[Needs] = []
    for rule in rules:
        lacking = [need for need in Needs if need in rule.needs - case.has]
        missing += [need for need in lacking if need not in missing]
        if lacking or (case.diverged and not rule.if_diverged) or (learned and not rule.if_learned):
            continue
        found = rule.find(case, findings)
        if found is not None:
            findings.append(found)
            learned = learned or found.kind is Kind.LEARNED
    if findings:
        findings[0] = _with_its_but(findings)
    return Diagnosis(
        tuple(findings),
        0 if case.losses is None else case.losses.steps,
        _gradients(case),
        tuple(need.value for need in Needs if need in missing),
    )


def _with_its_but(findings: Sequence[Finding]) -> Finding:
    """The first finding; where it is `learning`, its headline names the first fault that is found besides."""
    first, *others = findings
    if first.kind is not Kind.LEARNING:
        return first
    faults = [one for one in others if one.kind not in REMARKS and not one.called]
    return replace(first, called=f"{first.title}, but {faults[0].title.lower()}") if faults else first


def _gradients(case: DiagnosedRun) -> str:
    if case.record is None or not case.ordered or case.depth < 2 or case.diverged:
        return ""
    return flow_of(case).balance_told()
