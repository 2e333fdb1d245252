"""What `bptui train --report` says below its summary: what the training screens say, as text.

diagnosis        what is wrong and why, with what helps; each with the numbers it rests on
factor budget    what each factor makes of δ on its way down          (C1 to C3)
outcomes         which class is taken for which                       (A4)
units            which of them died or recovered, and at which step   (D1, D2)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.diagnosis.diagnosis import Diagnosis
from engine.diagnosis.run_observer import RunObserver
from engine.experiment.activation_traits import ACTIVATION_TRAITS
from engine.experiment.layer_info import layer_infos
from engine.formula.ascii_text import in_characters_of
from engine.formula.notation import Style
from engine.formula.number_text import number_text
from engine.formula.numbers_in_words import counted
from engine.metrics.added_metrics import OWN_METRICS
from engine.metrics.step_record import Extent
from tui.training.confusion_page import confusion_view
from tui.training.factor_budget_text import budget_lines
from tui.training.finding_text import finding_lines, nothing_found_lines

EVENTS_TOLD = 12
"""So many deaths and recoveries are listed, the first ones; the others are counted."""


def training_report(observer: RunObserver, diagnosis: Diagnosis, style: Style) -> str:
    """The report on a training as it stands: each section where there is something to say."""
    sections = [
        *_findings(diagnosis),
        _gradients(observer, diagnosis),
        _confusion_in_words(observer, style),
        _units(observer),
        _own_metrics(observer, style),
    ]
    text = "\n\n".join("\n".join(section) for section in sections if section)
    text = style.names.said(text, ascii=style.ascii)
    return in_characters_of(text, style)


def _own_metrics(observer: RunObserver, style: Style) -> list[str]:
    last = observer.trainer.last
    if last is None:
        return []
    return [
        f"{metric.words}{' by layer' * (metric.extent is Extent.LAYER)}, step {last.step}: "
        + ", ".join(number_text(value, style) for value in np.atleast_1d(getattr(last, name)).tolist())
        for name, metric in OWN_METRICS.items()
    ]


def _findings(diagnosis: Diagnosis) -> list[Sequence[str]]:
    title = f"Diagnosis after {counted(diagnosis.steps, 'step')}: {diagnosis.headline}"
    if not diagnosis.findings:
        return [[title, *nothing_found_lines(diagnosis)]]
    return [[title], *(finding_lines(diagnosis, finding) for finding in diagnosis.findings)]


def _gradients(observer: RunObserver, diagnosis: Diagnosis) -> list[str]:
    case_record = observer.judged().record
    if len(case_record.grad_l2) == 1:
        return []
    layers = layer_infos(observer.trainer.network.layers)
    balanced = [diagnosis.gradients] if diagnosis.gradients else []
    said = "\n".join(finding.text for finding in diagnosis.findings)
    return [*balanced, *(line for line in budget_lines(layers, case_record) if line not in said)]


def _confusion_in_words(observer: RunObserver, style: Style) -> list[str]:
    trainer = observer.trainer
    if len(trainer.data.class_names) < 2 or trainer.problem is not None:
        return []
    graph = trainer.network.graph(trainer.data.X, trainer.data.Y, gradients=False)
    graph.forward()
    page = confusion_view(graph, trainer.data.class_names, style).plain
    return ["Outcomes with the weights after the last step", *page.split("\n")]


def _units(observer: RunObserver) -> list[str]:
    trainer = observer.trainer
    if trainer.last is None:
        return []
    traits = [ACTIVATION_TRAITS[layer.activation] for layer in trainer.network.layers]
    # A leaky ReLU cannot die, which is the point of it and worth saying.
    mortal = any(one.can_die or one.default_slope is not None for one in traits)
    events = list(trainer.unit_activity().events)
    whole = observer.present()
    dead, units = sum(whole.dead), sum(mask.size for mask in whole.fired)
    if not events:
        return ["No unit died."] if mortal and not dead else []
    more = len(events) - EVENTS_TOLD
    return [
        f"Units: {dead} of {units} are dead after step {whole.record.step}",
        *map(str, events[:EVENTS_TOLD]),
        *([f"and {more} more deaths and recoveries, the last at step {events[-1].step}"] if more > 0 else []),
    ]
