"""What the engine found, as plain dictionaries, and those as strict JSON.

    graph ────────> grads_record ───┐
    derivation ───> explain_record ─┼─> to_json ──> text that every JSON reader accepts
    checks ───────> check_record ───┤
    trainer ──────> train_record ───┘

JSON has no NaN and no infinity: they become null, and "nonfinite" beside them says how many there were. For a
training "nonfinite" is what the step that broke it counted, and "nulls" the number of nulls.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.autodiff.graph import Graph
from engine.derivation.chain_rule import ChainRuleStep, Derivation, TopPath
from engine.derivation.gradcheck import EntryCheck, ParameterCheck
from engine.derivation.terms import Term
from engine.diagnosis.diagnosis import Diagnosis
from engine.diagnosis.whole_data import WholeData
from engine.metrics.added_metrics import OWN_METRICS
from engine.metrics.step_record import StepRecord
from engine.model.network import LOSS, layer_names, values_and_gradients
from engine.training.trainer import Trainer

Record = dict[str, Any]
TOP_PATHS = 5
"""How many of the strongest paths are listed."""


def grads_record(graph: Graph) -> Record:
    """The JSON record of one pass: every value and every gradient; matrices are lists of rows."""
    values, gradients = values_and_gradients(graph)
    return {
        "loss": float(graph.loss.value[0, 0]),
        "n": graph.n,
        "values": {name: value.tolist() for name, value in values.items()},
        "gradients": {name: gradient.tolist() for name, gradient in gradients.items()},
    }


def explain_record(derivation: Derivation, check: EntryCheck) -> Record:
    """The JSON record of a derivation: its steps, the strongest paths, and the gradient check.

    What is differentiated is named where it is not the loss.
    """
    of = {} if derivation.of == LOSS else {"of": derivation.of.plain()}
    return {
        **of,
        "target": derivation.target.plain(),
        "value": derivation.value,
        "n": derivation.n,
        "samples": [
            {"sample": share.sample, "value": share.value, "paths": share.paths}
            for share in derivation.samples
        ],
        **({} if derivation.shared is None else {"shared": asdict(derivation.shared)}),
        "sample": derivation.sample,
        "steps": [_step_record(step) for step in derivation],
        "top_paths": [_path_record(path) for path in derivation.top_paths(TOP_PATHS)],
        "check": {
            "numeric": check.numeric,
            "relative_error": check.relative_error,
            "verdict": check.verdict,
            "left": check.left,
            "right": check.right,
        },
    }


def _step_record(step: ChainRuleStep) -> Record:
    return {
        "node": step.node.plain(),
        "gradient": step.gradient,
        "running": step.running,
        "terms": [_term_record(term) for term in step.terms],
    }


def _term_record(term: Term) -> Record:
    return {
        "via": term.via.plain(),
        "symbol": term.symbol.plain(),
        "formula": term.formula.plain(),
        "substituted": term.substituted.plain(),
        "local": term.local,
        "upstream": term.upstream,
        "contribution": term.contribution,
        "remark": term.remark,
    }


def _path_record(path: TopPath) -> Record:
    return {"nodes": [node.plain() for node in path.nodes], "value": path.value, "share": path.share}


def check_record(checks: Iterable[ParameterCheck], seed: int = 0) -> Record:
    """The JSON record of a gradient check: one entry a parameter, with the entry that did worst.

    "sampled" says whether not all entries were checked but some, drawn with "seed".
    """
    checks = list(checks)
    entries, checked = sum(check.entries for check in checks), sum(check.checked for check in checks)
    parameters = [
        {
            "name": check.name,
            "entries": check.entries,
            "checked": check.checked,
            "agreeing": check.agreeing,
            "at_kink": check.at_kink,
            "below_noise": check.below_noise,
            "undecided": check.undecided,
            "failed": check.failed,
            "passed": check.passed,
            "worst": {
                "entry": check.worst.ref.symbol.plain(),
                "analytic": check.worst.analytic,
                "numeric": check.worst.numeric,
                "relative_error": check.worst.relative_error,
                "noise": check.worst.noise,
                "verdict": check.worst.verdict,
                "left": check.worst.left,
                "right": check.worst.right,
            },
        }
        for check in checks
    ]
    return {
        "passed": all(check.passed for check in checks),
        "entries": entries,
        "checked": checked,
        "sampled": checked < entries,
        "seed": seed,
        "parameters": parameters,
    }


def train_record(
    trainer: Trainer, first: WholeData, now: WholeData, diagnosis: Diagnosis | None = None
) -> Record:
    """The JSON record of a training: the loss at both ends and every layer now.

    What is of the layers is of the present weights and all data as well: "step" is how many updates they have had.
    With a diagnosis its findings are there, too.
    """
    last, record = trainer.last, now.record
    return {
        "steps": trainer.steps_done,
        "seconds": 0.0 if last is None else last.seconds,
        "loss_first": first.loss,
        "loss_last": now.loss,
        "accuracy_first": first.record.accuracy,
        "accuracy": record.accuracy,
        "recall": list(record.recall),
        **_held_out_record(trainer, first, now),
        "layers": _layer_records(trainer, record),
        **_own_metrics_record(trainer),
        "problem": trainer.problem,
        "nonfinite": 0 if last is None or trainer.problem is None else last.nonfinite,
        **({} if diagnosis is None else {"findings": [finding.record() for finding in diagnosis.findings]}),
    }


def _own_metrics_record(trainer: Trainer) -> Record:
    """Metrics that were added, as of the last step; nothing where there are none."""
    last = trainer.last
    if not OWN_METRICS or last is None:
        return {}
    return {"metrics": {name: np.asarray(getattr(last, name)).tolist() for name in OWN_METRICS}}


def _held_out_record(trainer: Trainer, first: WholeData, now: WholeData) -> Record:
    """The held-out samples, where there are some: how many, and what the first and the present weights make of them."""
    samples = trainer.data.held_out
    if samples is None or first.held_out is None or now.held_out is None:
        return {}
    return {
        "test_n": samples.X.shape[1],
        "test_loss_first": first.held_out.loss,
        "test_loss_last": now.held_out.loss,
        "test_accuracy_first": first.held_out.accuracy,
        "test_accuracy": now.held_out.accuracy,
    }


def _layer_records(trainer: Trainer, record: StepRecord) -> list[Record]:
    return [
        {
            "name": name,
            "grad_max": float(record.grad_max[place]),
            "grad_mean": float(record.grad_mean[place]),
            "grad_l2": float(record.grad_l2[place]),
            "zero_fraction": float(record.zero_fraction[place]),
            "quiet": int(record.quiet[place]),
            "dead": int(record.dead[place]),
        }
        for place, name in enumerate(layer_names(trainer.network))
    ]


def to_json(record: Record, *, ascii: bool = False) -> str:
    """The record as one JSON object with "nonfinite" added: the number of floats that became null.

    A record that has a count of its own by that name, a training's, keeps it and gets the number of nulls as "nulls".
    With `ascii`, every other character is written as an escape.
    """
    finite, nulls = _without_nonfinite(record)
    name = "nulls" if "nonfinite" in record else "nonfinite"
    with _every_digit():
        return json.dumps({**finite, name: nulls}, allow_nan=False, ensure_ascii=ascii)


def _without_nonfinite(value: Any) -> tuple[Any, int]:
    """The same structure with None for NaN and ±inf, and how many there were."""
    match value:
        case float():
            return (value, 0) if math.isfinite(value) else (None, 1)
        case dict():
            pairs = {key: _without_nonfinite(item) for key, item in value.items()}
            return {key: item for key, (item, _) in pairs.items()}, sum(n for _, n in pairs.values())
        case list():
            items = [_without_nonfinite(item) for item in value]
            return [item for item, _ in items], sum(n for _, n in items)
    return value, 0


@contextmanager
def _every_digit() -> Iterator[None]:
    """Lets integers of any length be written: a deep network's count of paths may pass Python's 4300 digits."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(limit)
