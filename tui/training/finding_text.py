"""A finding in lines of text: what it is, why, the numbers it rests on, and what helps.

Step too long
At the start, the largest curvature of the loss is 3.26e+03: …
Evidence: learning_rate 0.02, largest_stable 6.135e-04, …
Remedy: A learning rate of 3.1e-04.   (train.learning_rate = 0.000306774)
"""

from __future__ import annotations

from engine.diagnosis.diagnosis import Diagnosis
from engine.diagnosis.finding import Change, Evidence, Finding

MOST_EVIDENCE = 12
"""So many numbers are listed; a network of fifty layers has hundreds."""


def finding_lines(diagnosis: Diagnosis, finding: Finding) -> list[str]:
    """A finding as a paragraph; the lines are as long as their sentences."""
    remark = " (a remark)" if diagnosis.is_remark(finding) else ""
    lines = [
        f"{finding.title}{remark}",
        finding.text,
        f"Evidence: {evidence_text(finding.evidence)}",
    ]
    if finding.remedy is not None:
        lines.append(f"Remedy: {remedy_text(finding)}")
    return lines


def nothing_found_lines(diagnosis: Diagnosis) -> list[str]:
    """The lines in place of findings where there are none."""
    return [diagnosis.nothing_found]


def remedy_text(finding: Finding) -> str:
    """The remedy of a finding, and the keys of the experiment file that it changes."""
    change = "" if finding.change is None else f" ({change_text(finding.change)})"
    return f"{finding.remedy}{change}"


def change_text(change: Change) -> str:
    """The change of a remedy as the experiment file has it: ``train.learning_rate = 0.01``."""
    return ", ".join(f"{key} = {_value(value)}" for key, value in change.items())


def evidence_text(evidence: Evidence) -> str:
    """The evidence of a finding: ``learning_rate 0.02, loss_last null``."""
    told = [f"{name} {_number(value)}" for name, value in evidence.items()]
    more = len(told) - MOST_EVIDENCE
    return ", ".join(told[:MOST_EVIDENCE] + ([f"and {more} more"] if more > 0 else []))


def _number(value: float | int | None) -> str:
    if value is None:
        return "null"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _value(value: float | int | str | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return (
        f"{value:.6g}" if isinstance(value, float) else f'"{value}"' if isinstance(value, str) else str(value)
    )
