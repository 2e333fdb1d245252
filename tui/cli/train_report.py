"""What `bptui train --report` says below its summary: what the training screens say, as text.

verdict, factor budget      vanishing, healthy, exploding … and which factor is to blame   (C1 to C3)
outcomes                    which class is taken for which                                 (A4)
units                       which of them died or recovered, and at which step             (D1, D2)
"""

from __future__ import annotations

from engine.diagnosis.verdict import Layers, judge
from engine.formula.notation import Style
from engine.formula.text import ascii_text
from engine.training.trainer import Trainer
from tui.training.pages import confusion_view
from tui.training.verdicts import budget_lines

EVENTS_TOLD = 12
"""So many deaths and recoveries are listed, the first ones; the others are counted."""


def training_report(trainer: Trainer, style: Style) -> str:
    """The report on a training as it stands: verdict, outcomes and units, each where there is something to say."""
    sections = [
        section for section in (_gradients(trainer), _outcomes(trainer, style), _units(trainer)) if section
    ]
    text = "\n\n".join("\n".join(section) for section in sections)
    return ascii_text(text) if style.ascii else text


def _gradients(trainer: Trainer) -> list[str]:
    record = trainer.last
    if record is None or len(record.grad_l2) == 1:
        return []
    layers = Layers.of(trainer.network.layers)
    verdict = judge(record, layers.activations, layers.units, norms=layers.norms, residuals=layers.residuals)
    said = [f"Gradients at step {record.step}: {verdict.kind.value}", *verdict.sentences]
    return [*said, *(line for line in budget_lines(layers, record) if line not in said)]


def _outcomes(trainer: Trainer, style: Style) -> list[str]:
    if len(trainer.data.class_names) < 2 or trainer.problem is not None:
        return []
    graph = trainer.network.graph(trainer.data.X, trainer.data.Y, gradients=False)
    graph.forward()
    page = confusion_view(graph, trainer.data.class_names, style).plain
    return ["Outcomes with the weights after the last step", *page.split("\n")]


def _units(trainer: Trainer) -> list[str]:
    if trainer.last is None:
        return []
    activity = trainer.unit_activity()
    events = list(activity.events)
    if not events:
        can_die = any("ReLU" in words for words in Layers.of(trainer.network.layers).activations)
        return ["No unit died."] if can_die else []
    dead = sum(int(mask.sum()) for mask in activity.dead)
    units = sum(len(mask) for mask in activity.dead)
    more = len(events) - EVENTS_TOLD
    return [
        f"Units: {dead} of {units} are dead now",
        *map(str, events[:EVENTS_TOLD]),
        *([f"and {more} more deaths and recoveries, the last at step {events[-1].step}"] if more > 0 else []),
    ]
