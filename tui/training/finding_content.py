"""Findings as the gradients screen shows them: each with its kind in bold, why, and what helps.

Step too long   At the start, the largest curvature of the loss is 3.26e+03: only a learning rate below …
                Remedy: A learning rate of 3.1e-04. (train.learning_rate = 0.000306774)   F tries it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual.content import Content

from engine.diagnosis.diagnosis import Diagnosis
from engine.diagnosis.finding import Finding
from tui.training.finding_text import remedy_text

THINKING = "Looking for the reason …"
TRYING = "Trying whether it helps …"


def finding_content(diagnosis: Diagnosis, finding: Finding, tries: str = "") -> Content:
    """One finding as coloured text; `tries` says which key tries its change."""
    remark = "   (a remark)" if diagnosis.is_remark(finding) else ""
    parts: list[Content | str | tuple[str, str]] = [
        (finding.title, "bold"),
        f"{remark}   {finding.text}",
    ]
    if finding.remedy is not None:
        trying = finding.change is not None and diagnosis.untried
        parts += [("\nRemedy: ", "bold $done"), finding.remedy if trying else remedy_text(finding)]
        if trying:
            parts.append((f"   {TRYING}", "$faint"))
        elif finding.change is not None and tries:
            parts.append((f"   {tries} tries it.", "$accent"))
    return Content.assemble(*parts)


def diagnosis_content(diagnosis: Diagnosis, headline: str = "", tries: str = "") -> list[Content]:
    """A diagnosis as coloured text: every finding, the first one's kind as the headline."""
    if diagnosis.findings:
        return [finding_content(diagnosis, finding, tries) for finding in diagnosis.findings]
    said = diagnosis.nothing_found if not headline else ""
    return [Content.assemble((headline or diagnosis.headline, "bold"), f"   {said}" if said else "")]


def compared(marked: Sequence[tuple[str, Diagnosis]], tries: str = "") -> list[Content]:
    """The diagnoses of several runs: of each its first sentence with its mark, then what else there is of the first."""
    told = []
    for mark, diagnosis in marked:
        first = diagnosis.findings[0].text if diagnosis.findings else diagnosis.nothing_found
        sentence = first.split(". ", 1)[0].rstrip(".")
        told.append(Content.assemble((f"{mark} {diagnosis.headline}", "bold"), f"   {sentence}."))
    diagnosis = marked[0][1]
    rest = _after_first_sentence(diagnosis.findings)
    return [*told, *(finding_content(diagnosis, finding, tries) for finding in rest)]


def _after_first_sentence(findings: Sequence[Finding]) -> Sequence[Finding]:
    """Without what is said already."""
    if not findings:
        return ()
    first, *others = findings
    rest = first.text.partition(". ")[2]
    return [replace(first, text=rest), *others] if rest or first.remedy is not None else others
