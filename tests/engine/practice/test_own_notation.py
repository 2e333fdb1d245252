"""Every formula, as it is shown in any convention, is read back in that convention and comes to its number."""

from __future__ import annotations

import re

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.derivation.chain_rule import explain
from engine.derivation.entry_ref import EntryRef
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.experiment.loading import parse_experiment
from engine.experiment.notation_spec import NotationSpec
from engine.experiment.spec import Experiment
from engine.experiment.validation import problems
from engine.export.derivation_document import written_latex, written_markdown, written_text
from engine.export.json_records import explain_record
from engine.formula.expression import Expr
from engine.formula.latex import to_latex
from engine.formula.layout import one_line
from engine.formula.notation import Style
from engine.practice.judging.judge import Judge
from engine.practice.question.asked_target import AskedTarget
from tests.engine.practice.random_questions import random_experiment

KEYS = ("preactivation", "activation", "weights", "bias", "input", "label", "prediction", "loss")
LETTERS = [*"acfghjlmopqrstuvwxyzABCDFGHJKLMNOPQRSUVWXYZ", *"γεζθκμνξπρτφχψω", *"ΓΔΘΛΞΠΦΨΩ"]
CONVENTIONS = (
    {},
    {"weights": "out_in"},
    {"half": False},
    {"outputs": "mean", "samples": "sum"},
    {"l2": 0.1},
)


def in_notation(seed: int, letters: list[str], hatted: bool, convention: dict[str, object]) -> Experiment:
    experiment = random_experiment(np.random.default_rng(seed), n=seed % 3 + 1)
    written = dict(zip(KEYS, letters, strict=True))
    written["prediction"] += "_hat" * hatted
    network, loss = experiment.network, experiment.loss
    if "weights" in convention:
        network = msgspec.structs.replace(network, weights=convention["weights"])
    for key in set(convention) & set(loss.__struct_fields__):
        loss = msgspec.structs.replace(loss, **{key: convention[key]})
    return msgspec.structs.replace(experiment, network=network, loss=loss, notation=NotationSpec(**written))


@settings(max_examples=60)
@given(
    st.integers(0, 10_000),
    st.lists(st.sampled_from(LETTERS), min_size=len(KEYS), max_size=len(KEYS), unique=True),
    st.booleans(),
    st.sampled_from(CONVENTIONS),
)
def test_what_is_shown_comes_to_its_number(
    seed: int, letters: list[str], hatted: bool, convention: dict[str, object]
):
    experiment = in_notation(seed, letters, hatted, convention)
    assert not list(problems(experiment))
    evaluated = EvaluatedExperiment.of(experiment)
    graph, names = evaluated.graph, evaluated.names
    rng = np.random.default_rng(seed)
    given_nodes = [node for node in graph.nodes.values() if node.needs_gradient and node.op is None]
    node = given_nodes[rng.integers(len(given_nodes))]
    target = EntryRef(node, tuple(int(rng.integers(size)) for size in node.shape)).symbol
    judge = Judge(evaluated, AskedTarget(target))

    def shown(formula: Expr) -> list[str]:
        return [one_line(formula, Style(digits=17, names=names)), to_latex(formula, names=names)]

    for step in explain(graph, target):
        for term in step.terms:
            if term.formula.plain() == "penalty" or not np.isfinite(term.local):
                continue
            for text in shown(term.formula):
                read = judge.question.read(text).expr
                assert read.evaluate(graph.value_of) == pytest.approx(term.local, rel=1e-12, abs=1e-300), text


def test_the_json_stays_canonical():
    plain = in_notation(7, list("acfghjlm"), True, {})
    plain = msgspec.structs.replace(plain, notation=NotationSpec())
    own = msgspec.structs.replace(plain, notation=NotationSpec(preactivation="z", weights="θ", loss="L"))
    records = []
    for experiment in (plain, own):
        evaluated = EvaluatedExperiment.of(experiment)
        target = evaluated.graph.nodes[evaluated.parameters[0]].entry((0, 0))
        records.append(explain_record(explain(evaluated.graph, target), evaluated.check(target)))
    assert records[0] == records[1]


def test_no_canonical_letter_is_left_in_a_written_derivation():
    experiment = msgspec.structs.replace(
        random_experiment(np.random.default_rng(3), depth=2, n=2),
        notation=NotationSpec(
            preactivation="z",
            activation="h",
            weights="Θ",
            prediction="p",
            loss="J",
            input="x",
            label="t",
            bias="c",
        ),
        title="",
    )
    evaluated = EvaluatedExperiment.of(experiment)
    target = evaluated.graph.nodes[evaluated.parameters[0]].entry((0, 0))
    derivation, check = explain(evaluated.graph, target), evaluated.check(target)
    style = Style(names=evaluated.names)
    for written in (written_text, written_markdown, written_latex):
        text = written(derivation, "", check, style=style)
        for gone in ("Ŷ", "ℰ", "[WfabXY][⁽₀]", r"\\hat\{Y", r"(?<![A-Za-z])[WfabXY][_^]\{", r"\\mathcal"):
            assert not re.search(gone, text), gone


def test_answers_are_judged_in_own_letters_and_told_in_them():
    experiment = msgspec.structs.replace(
        random_experiment(np.random.default_rng(11), depth=1),
        notation=NotationSpec(
            preactivation="a", activation="z", weights="θ", prediction="p", label="t", input="x"
        ),
    )
    evaluated = EvaluatedExperiment.of(experiment)
    judge = Judge(evaluated, AskedTarget.parse("θ[1][0,0]", names=evaluated.names))
    factors = [term.term.formula for term in explain(evaluated.graph, AskedTarget.parse("W[1][0,0]").wrt)]
    right = "*".join(f"({one_line(factor, Style(digits=17, names=evaluated.names))})" for factor in factors)
    assert judge.judge(right).verdict == "right"
    assert judge.judge(right.replace("x₀₀", "1")).verdict == "wrong"
    unreadable = judge.judge("θ[1][9,9]")
    assert unreadable.problem is not None
    assert unreadable.problem.startswith("θ⁽¹⁾ is")


@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize(("scale", "shift"), [("γ", "β"), ("s", "t")])
@pytest.mark.parametrize("loss", ["huber", "absolute_error"])
def test_norms_and_shortcuts_are_read_back_too(norm: str, scale: str, shift: str, loss: str):
    text = (
        'seed = 1\n[data]\nkind = "random"\nn = 3\nfeatures = 2\n[network]\nbias = true\n'
        f'[[network.layers]]\nunits = 2\nactivation = "tanh"\nnorm = "{norm}"\naffine = true\nresidual = true\n'
        f'[[network.layers]]\nunits = 1\n[loss]\nkind = "{loss}"\n[notation]\npreactivation = "z"\n'
        f'normalized = "x"\ninput = "q"\nscaled = "y"\nbranch = "φ"\nscale = "{scale}"\nshift = "{shift}"\n'
    )
    evaluated = EvaluatedExperiment.of(parse_experiment(text, "test"))
    graph, names = evaluated.graph, evaluated.names
    for node in graph.nodes.values():
        if not node.needs_gradient or node.op is not None:
            continue
        judge = Judge(evaluated, AskedTarget(node.entry((0, 0))))
        for step in explain(graph, node.entry((0, 0))):
            for term in step.terms:
                for shown in (
                    one_line(term.formula, Style(digits=17, names=names)),
                    to_latex(term.formula, names=names),
                ):
                    read = judge.question.read(shown).expr.evaluate(graph.value_of)
                    assert read == pytest.approx(term.local, rel=1e-10), shown
