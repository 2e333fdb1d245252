"""`[notation]`: letters that can be told apart are taken, all else is refused in one line; it is written back."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.experiment.loading import load_experiment, parse_experiment
from engine.experiment.notation_spec import CANONICAL_NAME, NotationSpec
from engine.experiment.spec import Experiment
from engine.experiment.toml_writing import experiment_toml
from engine.experiment.validation import problems
from engine.formula.letters import CAPITALS, GREEK
from tests.engine.experiment_texts import SMALLEST, refusal

ONE_LETTER = 'one Latin or Greek letter, such as "z", "θ" or "ŷ"'


def test_letters_are_read_and_those_not_given_stay():
    names = parse_experiment(
        f'{SMALLEST}\n[notation]\npreactivation = "z"\nprediction = "y_hat"\n', "a"
    ).names
    assert [(name, letter.drawn) for name, letter in names.letters] == [("f", "z"), ("Y_hat", "ŷ")]


def test_a_default_that_is_written_out_is_no_own_letter():
    text = (
        f'{SMALLEST}\n[notation]\npreactivation = "f"\nloss = "ℰ"\nprediction = "Ŷ"\nlearning_rate = "eta"\n'
    )
    assert not parse_experiment(text, "a").names


def test_two_letters_may_change_places():
    text = f'{SMALLEST}\n[notation]\npreactivation = "a"\nactivation = "f"\n'
    assert [letter.plain for _, letter in parse_experiment(text, "a").names.letters] == ["a", "f"]


@pytest.mark.parametrize(
    ("lines", "key", "problem"),
    [
        ('preactivation = "W"', "preactivation",
         'found "W"; expected another letter, because W is already notation.weights'),
        ('preactivation = "z"\nactivation = "z"', "activation",
         'found "z"; expected another letter, because z is already notation.preactivation'),
        ('activation = "n"', "activation",
         'found "n"; expected another letter, because n is already the number of samples'),
        ('weights = "σ"', "weights", 'found "σ"; expected another letter, because σ is already the sigmoid'),
        ('error = "η"', "error", 'found "η"; expected another letter, because η is already notation.learning_rate'),
        ('loss = "loss"', "loss", f'found "loss"; expected {ONE_LETTER}'),
        ('loss = ""', "loss", f'found ""; expected {ONE_LETTER}'),
        ('input = "x1"', "input", f'found "x1"; expected {ONE_LETTER}'),
        ("bias = 3", "bias", "found 3; expected text"),
        ('biass = "c"', "biass", 'unknown key; did you mean "bias"?'),
    ],
)  # fmt: skip
def test_what_cannot_be_a_letter_is_refused(lines: str, key: str, problem: str):
    error = refusal(f"{SMALLEST}\n[notation]\n{lines}\n")
    assert (error.key, error.problem) == (f"notation.{key}", problem)


@pytest.mark.parametrize("key", sorted(CANONICAL_NAME))
def test_no_key_takes_two_letters(key: str):
    error = refusal(f'{SMALLEST}\n[notation]\n{key} = "ab"\n')
    assert (error.key, error.problem) == (f"notation.{key}", f'found "ab"; expected {ONE_LETTER}')


def test_a_letter_is_free_where_the_network_does_not_use_it():
    free = 'activation = "h"\n'  # h is what a norm gives
    assert parse_experiment(f"{SMALLEST}\n[notation]\n{free}", "a").names
    normed = SMALLEST.replace("[[network.layers]]", '[[network.layers]]\nnorm = "batch"', 1)
    assert normed != SMALLEST
    assert refusal(f"{normed}\n[notation]\n{free}").key == "notation.activation"


def test_a_weighted_loss_keeps_alpha_and_beta():
    text = 'X = [[1.0]]\nY = [[1]]\n[[network.layers]]\nunits = 1\nactivation = "sigmoid"\n[loss]\nkind = "bce"\n'
    for weight, refused in (("", False), ("beta = 2.0\n", True)):
        written = f'[data]\nkind = "inline"\n{text}{weight}[notation]\nbias = "β"\n'
        if refused:
            assert "the weight of the Y = 0 term" in refusal(written).problem
        else:
            assert parse_experiment(written, "a").names


def test_an_own_name_may_be_the_target_of_the_view():
    text = f'{SMALLEST}\n[notation]\nweights = "θ"\n[view]\ntarget = "θ[1][0,0]"\n'
    assert parse_experiment(text, "a").view.target == "θ[1][0,0]"


LETTERS = st.sampled_from(
    [*"abcfghjlmopqrstuvwxyzABCDFGHJKLMNOPQRSTUVWXYZ", *GREEK.values(), *CAPITALS.values()]
)


@given(
    st.dictionaries(
        st.sampled_from(sorted(CANONICAL_NAME)), st.tuples(LETTERS, st.sampled_from(["", "_hat"])), max_size=8
    )
)
def test_files_with_letters_read_back_the_same(chosen: dict[str, tuple[str, str]]):
    given_letters = {key: "".join(parts) for key, parts in chosen.items()}
    base = load_experiment("batch-norm")
    experiment = msgspec.structs.replace(base, notation=NotationSpec(**given_letters))
    if any(problems(experiment)):
        text = experiment_toml(experiment)
        assert refusal(text).key.startswith("notation.")
        return
    again: Experiment = parse_experiment(experiment_toml(experiment), "again")
    assert again == experiment
    assert again.names == experiment.names
