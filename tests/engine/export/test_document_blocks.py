"""Written derivations: what they must say, that they fit the page, and that LaTeX takes them."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.derivation.chain_rule import Derivation, explain
from engine.derivation.entry_ref import EntryRef
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.gradcheck import EntryCheck, ParameterCheck, Verdict, check_entry, check_network
from engine.experiment.loading import load_experiment, parse_experiment
from engine.experiment.spec import BceLoss, CrossEntropyLoss, LayerSpec, SquaredErrorLoss
from engine.export.check_table import CheckTable, check_summary
from engine.export.derivation_document import written_latex, written_markdown, written_text
from engine.export.factor_words import VERDICTS
from engine.export.latex_document import escape
from engine.export.value_gradient_tables import written_matrices
from engine.formula.ascii_text import ascii_text
from engine.formula.expression import Number, Symbol, call
from engine.formula.notation import Style
from engine.formula.number_text import is_shown_in_full
from engine.formula.parser import parse_symbol
from engine.formula.text_width import cells, wrapped
from engine.model.network import Network
from tests.engine.networks import cases

ASCII = Style(ascii=True)
PRESET_TARGETS = [
    ("tutorial-a", "W[1][2,0]"),
    ("tutorial-a-wine", "W[1][1,0]"),
    ("tutorial-b", "W[1][1,1]"),
    ("tutorial-b", "X[0,0]"),
    ("xor", "b[1][2,0]"),
    ("residual-fork", "W[1][1,1]"),
    ("batch-norm", "W[1][1,1]"),
    ("batch-norm", "f[1][0,2]"),
]

DEEP = """
title = "Fünfzig Schichten: 深い & 100%_"
data = {kind = "random", n = 8, features = 3, outputs = 3}
network = {layers = [{units = 10, activation = "sigmoid", repeat = 50}, {units = 3, activation = "softmax"}]}
loss = {kind = "cross_entropy"}
"""

SATURATED = """
data = {kind = "inline", X = [[800.0, -800.0]], Y = [[0, 1]]}
network = {layers = [{units = 1, activation = "sigmoid", W = [[1.0]]}]}
loss = {kind = "bce"}
"""

OVERFLOWING = """
dtype = "float32"
data = {kind = "inline", X = [[1e30, -8.0]], Y = [[0, 1]]}
[network]
layers = [{units = 2, repeat = 3}, {units = 1, activation = "sigmoid"}]
init = {scheme = "normal", gain = 1e30}
[loss]
kind = "bce"
"""

DEAD = """
data = {kind = "inline", X = [[1.0, 2.0]], Y = [[0, 1]]}
[network]
layers = [{units = 1, activation = "relu", W = [[-1.0]]}, {units = 1, activation = "sigmoid", W = [[0.0]]}]
[loss]
kind = "bce"
"""

Written = tuple[Derivation, str, EntryCheck]


@functools.cache
def derived(source: str, target: str, sample: int | None = None) -> Written:
    """What the three writers take, for a preset's name or an experiment's text."""
    text = "\n" in source
    experiment = parse_experiment(source, "text") if text else load_experiment(source)
    one = EvaluatedExperiment.of(experiment)
    derivation = explain(one.graph, parse_symbol(target), sample)
    return derivation, experiment.title, one.check(derivation.target)


ALL = [*PRESET_TARGETS, (DEEP, "W[1][1,1]"), (SATURATED, "W[1][0,0]"), (OVERFLOWING, "W[1][0,0]")]
ALL_TARGETS = pytest.mark.parametrize(
    ("source", "target"), ALL, ids=[f"{source.split()[0]}-{target}" for source, target in ALL]
)


# ── what a derivation says ──────────────────────────────────────────────────────────────────────────


def test_the_tutorials_five_factors_are_named_evaluated_and_multiplied_up():
    text = written_text(*derived("tutorial-b", "W[1][1,1]"))
    names = [
        "1. how the loss changes with the prediction",
        "2. slope of the sigmoid",
        "3. weight on the way",
        "4. the ReLU is on",
        "5. the input",
    ]
    places = [text.index(name) for name in names]
    assert places == sorted(places)
    running = re.findall(r"so far: .* [=≈] (\S+)$", text, re.MULTILINE)
    assert running == ["−0.4805", "0.3844", "0.3844", "0.1922"]
    assert "One path leads from W⁽¹⁾₁₁ to ℰ: the gradient is one product of 5 factors." in text
    assert "≈ −1.925 · 0.2496 · (−0.8) · 1 · 0.5" in text
    assert "     ∂ℰ       ∂ℰ     ∂Ŷ₀₀     ∂f⁽²⁾₀₀   ∂a⁽¹⁾₁₀   ∂f⁽¹⁾₁₀\n" in text


def test_the_final_line_compares_with_the_central_difference():
    text = written_text(*derived("tutorial-b", "W[1][1,1]"))
    last = " ".join(text.rsplit("─\n\n", 1)[1].split())
    assert re.fullmatch(
        r"gradient ≈ 0\.1922039522, central difference ≈ 0\.1922039522, relative error ≈ \S+: they agree\.",
        last,
    )


def test_the_definition_of_the_loss_and_the_shapes_are_stated():
    text = " ".join(written_text(*derived("tutorial-b", "W[1][1,1]")).split())
    assert "ℰ = −(1/n) Σ [αY·log(Ŷ) + β(1−Y)·log(1−Ŷ)], summed over the samples, n = 1, α = 1, β = 1" in text
    assert "a scalar: one entry of the matrix ∂ℰ/∂W⁽¹⁾, which is 3×2 as W⁽¹⁾ is" in text
    assert "Matrices W⁽¹⁾ 3×2, X 3×1, f⁽¹⁾ 2×1, a⁽¹⁾ 2×1, W⁽²⁾ 2×1, f⁽²⁾ 1×1, Ŷ 1×1, Y 1×1." in text


def test_sigmoid_and_cross_entropy_are_simplified_line_by_line():
    text = written_text(*derived("tutorial-a", "W[1][2,0]"))
    lines = text.split("simplified\n", 1)[1]
    multiplied, simplified = "−Y₀₀(1 − Ŷ₀₀) + (1 − Y₀₀)·Ŷ₀₀", "Ŷ₀₀ − Y₀₀"
    assert lines.index(multiplied) < lines.index(simplified)
    assert lines.count("≈ −0.3543") == 3


def test_where_ways_meet_the_terms_and_their_total_are_listed():
    text = written_text(*derived("residual-fork", "W[1][1,1]"))
    assert "9 paths lead from W⁽¹⁾₁₁ to ℰ through sample 0" in text
    assert "∂ℰ/∂a⁽²⁾₁₀ is a sum of 3 terms, one for each way on:" in text
    assert "on this path" in text
    assert re.search(r"together +0\.1975\n", text)
    assert "through the shortcut" in text
    assert "these carry the most" in text


def test_a_large_batch_is_abridged_but_totalled():
    text = written_text(*derived("tutorial-a-wine", "W[1][1,0]"))
    assert "1094 others" in text
    assert re.search(r"together +−0\.1004\n", text)


def test_a_chosen_sample_is_the_one_that_is_shown():
    text = written_text(*derived("batch-norm", "W[1][1,1]", sample=3))
    assert "the steps below are those of sample 3" in " ".join(text.split())
    assert re.search(r"sample 3 .* shown above\n", text)


def test_remarks_stand_beside_their_factors():
    text = written_text(*derived(DEAD, "W[1][0,0]"))
    assert "! the ReLU is off (f < 0): nothing passes back" in text
    assert "! zero weight: nothing passes back through it" in text


def test_what_cannot_be_multiplied_is_not_written_as_if_it_could():
    text = written_text(*derived(SATURATED, "W[1][0,0]"))
    assert "∞ · 0, have no product" in text
    assert "so far: simplified = 0.5" in text
    assert "∞ · 0 =" not in text
    assert "(cannot be computed)" in text
    assert "gradient = 800" in text


def test_a_gradient_that_only_float32_cannot_hold_is_told_apart():
    text = " ".join(written_text(*derived(OVERFLOWING, "W[1][0,0]")).split())
    assert "gradient = NaN in float32; in float64: gradient = 0, central difference = 0" in text
    assert "The paths cannot be compared" in text


def test_a_deep_chain_is_shown_from_both_ends_and_as_a_table():
    text = written_text(*derived(DEEP, "W[1][1,1]"))
    assert "⋯ (97 more) ⋯" in text
    assert "  103  " in text
    assert re.search(r"About 10⁵⁰ paths", text)


@settings(max_examples=25)
@given(cases(max_depth=3, max_width=4, max_n=4), st.data())
def test_whatever_the_network_its_derivations_can_be_written(case, data):
    graph = case.graph()
    names = [name for name, node in graph.nodes.items() if node.needs_gradient and node is not graph.loss]
    matrix = data.draw(st.sampled_from(names))
    rows, columns = graph.nodes[matrix].shape
    entry = data.draw(st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1)))
    derivation = explain(graph, matrix.at(entry))
    for style in (Style(), ASCII):
        text = written_text(derivation, "Any network", style=style)
        assert max(map(cells, text.splitlines())) <= 80
        assert text.isascii() or not style.ascii
    assert written_latex(derivation).isascii()
    assert written_markdown(derivation).startswith("# Derivation\n")


# ── signs and definitions ───────────────────────────────────────────────────────────────────────────


def test_the_equals_sign_is_kept_for_numbers_that_are_shown_in_full():
    x = Symbol("x")
    assert is_shown_in_full(x * 2 + 0.5, 4)
    assert is_shown_in_full(Number(0.125), 4)
    assert not is_shown_in_full(Number(0.1 + 0.2), 4)
    assert not is_shown_in_full(call("exp", x * 1.23456), 4)


@pytest.mark.parametrize(
    ("loss", "activation"),
    [
        (BceLoss(), "sigmoid"),
        (BceLoss(alpha=10.0, beta=0.5), "sigmoid"),
        (SquaredErrorLoss(), "tanh"),
        (CrossEntropyLoss(), "softmax"),
    ],
)
def test_the_stated_definition_is_the_loss_that_is_computed(loss, activation):
    rng = np.random.default_rng(0)
    network = Network(
        [LayerSpec(units=3, activation=activation)], {Symbol("W", 1): rng.normal(size=(2, 3))}, loss
    )
    labels = np.eye(3)[:, [0, 2, 1, 1]]
    graph = network.graph(rng.normal(size=(2, 4)), labels)
    graph.forward()
    definition = graph.ops[-1].definition()
    total = 0.0
    for entry in np.ndindex(3, 4):

        def value_of(symbol, entry=entry):
            return graph.value_of(symbol if symbol.name in graph.constants else symbol.at(entry))

        total += definition.term.evaluate(value_of)
    sign = -1.0 if definition.negative else 1.0
    assert sign * total / 4 == pytest.approx(graph.loss.value[0, 0])


# ── the page ────────────────────────────────────────────────────────────────────────────────────────


@ALL_TARGETS
@pytest.mark.parametrize("style", [Style(), ASCII], ids=["unicode", "ascii"])
def test_no_line_of_text_is_wider_than_the_page(source, target, style):
    arguments = derived(source, target)
    for width in (60, 80, 100):
        lines = written_text(*arguments, width=width, style=style).splitlines()
        assert max(map(cells, lines)) <= width
        assert all(line == line.rstrip() for line in lines)


@ALL_TARGETS
def test_ascii_forms_are_pure_ascii(source, target):
    arguments = derived(source, target)
    assert written_text(*arguments, style=ASCII).isascii()
    assert written_markdown(*arguments, style=ASCII).isascii()
    assert written_latex(*arguments).isascii()


@ALL_TARGETS
def test_markdown_tables_have_as_many_cells_in_every_row(source, target):
    text = written_markdown(*derived(source, target))
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
    assert r"\{" not in text
    assert text.count("$$") % 2 == 0
    for line in text.splitlines():
        formulas = re.split(r"(?<!\\)\$", line)[1::2]
        assert all(formula == formula.strip() for formula in formulas)  # Pandoc wants no space at the dollars


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("![t](http://x.example/a.png)", r"\!\[t\](http://x.example/a.png)"),
        ("<img src=x onerror=y> &lt;", r"\<img src=x onerror=y\> \&lt;"),
        ("[a][b] ~~c~~ `d` $e$ a_b *f*", r"\[a\]\[b\] \~\~c\~\~ \`d\` \$e\$ a\_b \*f\*"),
        ("one\n\n# two\n", r"one\\n\\n\# two\\n"),
    ],
)
def test_a_title_in_markdown_is_words_and_nothing_else(title, written):
    first, second, *_ = written_markdown(derived("tutorial-b", "W[1][1,1]")[0], title).split("\n")
    assert (first, second) == (f"# {written}", "")


def test_a_title_of_several_lines_is_one_line_of_latex_and_of_text():
    derivation = derived("tutorial-b", "W[1][1,1]")[0]
    latex = written_latex(derivation, "one\n\n\\end{document}\x1b")
    assert (
        r"\section*{one\textbackslash{}n\textbackslash{}n\textbackslash{}end\{document\}"
        r"\textbackslash{}x1b}" in latex
    )
    assert written_text(derivation, "one\n\ntwo").startswith(r"one\n\ntwo" + "\n")


def test_markdown_has_a_table_of_the_factors():
    text = written_markdown(*derived("tutorial-b", "W[1][1,1]"))
    assert text.startswith("# One hidden layer, one sample\n")
    assert r"| 4 | $\frac{\partial a^{[1]}_{10}}{\partial f^{[1]}_{10}}$ | the ReLU is on |" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@ALL_TARGETS
def test_the_latex_document_compiles_as_it_is(source, target, tmp_path):
    (tmp_path / "derivation.tex").write_text(written_latex(*derived(source, target)), "ascii")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-draftmode", "derivation.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


def test_latex_words_cannot_break_out():
    assert escape("100% & \\input{x}_$") == r"100\% \& \textbackslash{}input\{x\}\_\$"
    assert escape("für Łódź, 深") == r"f\"{u}r {\L}\'{o}d\'{z}, ?"


# ── matrices and checks ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["tutorial-b", "tutorial-a-wine", "tutorial-b-wine", "batch-norm"])
@pytest.mark.parametrize("width", [60, 80, 100])
def test_matrices_fit_the_page(name, width):
    graph = EvaluatedExperiment.of(load_experiment(name)).graph
    for style in (Style(), ASCII):
        text = written_matrices(graph, "Title", width=width, style=style)
        assert max(map(cells, text.splitlines())) <= width
        assert text.isascii() or not style.ascii


def test_a_matrix_stands_beside_its_gradient():
    text = written_matrices(EvaluatedExperiment.of(load_experiment("tutorial-b")).graph, "Title")
    assert "W⁽¹⁾  3×2  ⎡  0.1  −0.4 ⎤  ⎡ −0.2883   0.3844 ⎤\n" in text
    assert "Y     1×1  [ 1 ]           (labels, given)\n" in text


def test_a_large_matrix_keeps_its_ends():
    one = EvaluatedExperiment.of(parse_experiment(DEEP, "text"))
    text = written_matrices(one.graph)
    assert "⋮" in text
    assert "⋯" in text
    assert "W⁽²⁾   10×10" in text


def test_the_check_has_one_line_a_parameter_that_fits_the_page():
    one = EvaluatedExperiment.of(load_experiment("xor"))
    nodes = [one.graph.nodes[name] for name in one.network.parameters]
    checks = list(check_network(one.network, one.data.X, one.data.Y))
    for style in (Style(), ASCII):
        table = CheckTable(nodes, style)
        lines = [table.header, *map(table.line, checks)]
        assert max(map(cells, lines)) <= 80
        assert all(line.endswith("good") for line in lines[1:])
    assert check_summary(checks) == "All 25 checked entries agree with their central differences."


def counted(agreeing: int, below_noise: int, undecided: int, failed: int) -> ParameterCheck:
    graph = EvaluatedExperiment.of(load_experiment("tutorial-b")).graph
    worst = check_entry(graph, EntryRef(graph.nodes[Symbol("W", 1)], (0, 0)))
    return ParameterCheck("W[1]", 99, worst, agreeing, below_noise, undecided, failed)


def test_the_summary_of_a_check_counts_every_entry_once():
    checks = [counted(5, 1, 0, 0), counted(2, 1, 3, 0)]
    assert check_summary(checks) == (
        "Of 12 checked entries 7 agree; 2 are below what rounding can show; 3 cannot be decided (kinks)."
    )
    assert check_summary([*checks, counted(0, 0, 0, 4)]).endswith("3 cannot be decided (kinks); 4 disagree.")


def test_every_verdict_has_its_words():
    assert VERDICTS.keys() == set(get_args(Verdict))


# ── prose ───────────────────────────────────────────────────────────────────────────────────────────


@given(st.text(), st.integers(2, 40))
def test_wrapped_lines_fit_and_keep_every_word(text, width):
    lines = wrapped(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split(" ")) == "".join(text.split(" "))


@given(st.text())
def test_ascii_text_is_ascii(text):
    assert ascii_text(text).isascii()


def test_the_fields_letters_are_spelled_out():
    assert ascii_text("∂ℰ/∂Ŷ ≈ −½ · σ′, für 深") == "dE/dY_hat ~= -1/2 * sigma', fur ?"
