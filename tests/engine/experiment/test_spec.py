"""What an experiment file may say, and what is answered when it says something else."""

from __future__ import annotations

import datetime
import pickle
import tomllib
from importlib import resources
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.experiment.errors import ExperimentError
from engine.experiment.expanded_layers import expanded_layers
from engine.experiment.loading import PRESET_NAMES, parse_experiment
from engine.experiment.spec import BceLoss, Experiment, InlineData, LayerSpec, NetworkSpec, SquaredErrorLoss
from engine.experiment.validation import validate
from tests.engine.experiment_texts import (
    EXAMPLE,
    SMALLEST,
    TWO_SAMPLES,
    assert_one_line,
    changed,
    refusal,
    without_weights,
)

# ------------------------------------------------------------------------------------ what is accepted


def test_the_example_of_the_public_contract_is_read_as_written():
    experiment = parse_experiment(EXAMPLE, "lab.toml")
    assert experiment.title == "One hidden layer"
    assert experiment.data == InlineData(X=[[1.0], [0.5], [-1.2]], Y=[[1.0]])
    hidden, output = experiment.network.layers
    assert hidden == LayerSpec(units=2, activation="relu", W=[[0.1, -0.4], [0.3, 0.2], [-0.5, 0.7]])
    assert output == LayerSpec(units=1, activation="sigmoid")
    assert experiment.loss == BceLoss(alpha=1.0, beta=1.0)
    assert (experiment.train.optimizer, experiment.train.learning_rate) == ("sgd", 0.1)


def test_everything_that_may_be_left_out_has_the_contracts_default():
    experiment = parse_experiment(SMALLEST, "lab.toml")
    assert (experiment.title, experiment.about, experiment.seed) == ("", "", 0)
    assert experiment.dtype == "float64"
    assert not experiment.data.ones_row
    assert not experiment.network.bias
    assert experiment.network.init == parse_experiment(EXAMPLE, "lab.toml").network.init
    assert experiment.train == parse_experiment(EXAMPLE, "lab.toml").train
    assert experiment.loss == BceLoss(alpha=None, beta=None)  # None: 1, and not shown in formulas


@pytest.mark.parametrize(
    "data",
    [
        'kind = "wine"\nstandardize = true\nn = 22',
        'kind = "wine"\nones_row = true',
        'kind = "moons"\nn = 10\nnoise = 0.2',
        'kind = "circles"',
        'kind = "spirals"\nclasses = 2',
        'kind = "blobs"\nn = 1',
        'kind = "random"\nn = 5\nfeatures = 3\noutputs = 1',
        'kind = "csv"\npath = "a.csv"\nfeatures = ["x"]\nlabel = "y"\nstandardize = true',
    ],
)
def test_every_kind_of_data_is_read_back_from_its_own_toml(data):
    experiment = parse_experiment(changed('kind = "xor"', data, SMALLEST), "lab.toml")
    assert msgspec.convert(msgspec.to_builtins(experiment), Experiment) == experiment


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('batch = "full"', "batch = 1"),
        ("steps = 200", "steps = 200\nclip_norm = 1.0"),
        ("learning_rate = 0.1", "learning_rate = 0"),
        ('scheme = "he"', 'scheme = "normal"\nstd = 0.1'),
        ('activation = "relu"', 'activation = "leaky_relu"\nslope = 1'),
        ('activation = "relu"', 'activation = "relu"\nnorm = "batch"\nfrozen = ["W"]'),
        ('activation = "relu"', 'activation = "relu"\nb = [0.0, 0.5]\nfrozen = ["b"]'),
        ('dtype = "float64"', 'dtype = "float32"'),
        ("Y = [[1]]", "Y = [[0.25]]"),
        ('"One hidden layer"', '"Ŷ für alle: 逆伝播 👩‍🔬"'),
    ],
)
def test_settings_within_their_range_are_accepted(old, new):
    parse_experiment(changed(old, new), "lab.toml")


def test_a_layer_has_a_bias_when_the_network_has_or_when_it_gives_one():
    plain, own = LayerSpec(units=1), LayerSpec(units=1, b=[0.0])
    assert [NetworkSpec(layers=[]).has_bias(layer) for layer in (plain, own)] == [False, True]
    assert [NetworkSpec(layers=[], bias=True).has_bias(layer) for layer in (plain, own)] == [True, True]


def test_repeat_unrolls_into_single_layers():
    text = changed('"relu"', '"relu"\nrepeat = 3\nresidual = true', without_weights(TWO_SAMPLES))
    text = changed("units = 2", "units = 3", text)
    experiment = parse_experiment(text, "lab.toml")
    layers = expanded_layers(experiment)
    assert [layer.units for layer in layers] == [3, 3, 3, 1]
    assert all(layer.repeat == 1 for layer in layers)
    assert all(layer.residual for layer in layers[:3])


# ------------------------------------------------------------------------------- what TOML itself refuses


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("steps = 1 2", ["line 1, column 11", "expected newline"]),
        ("[train]\nsteps = [1,", ["line 2, column 12", "the file ends here"]),
        ("a = 1\na = 2", ["line 2", "cannot overwrite a value"]),
        ("when = 2024-02-30", ["line 1, column 8", "invalid date"]),
        ("seed = " + "9" * 5000, ["line 1, column 8", "a whole number of 5000 digits"]),
        ("x = " + "[" * 5000 + "]" * 5000, ["nested too deeply"]),
        ("x = " + "{a=" * 5000, ["nested too deeply"]),
        ("# a comment\n" + "a." * 10**5 + "a = 1", ["line 2, column 1", "too many parts"]),
        ('title = "\ud800"', ["line 1, column 10", "not a Unicode character"]),
        ("\x00", ["line 1, column 1"]),
    ],
)
def test_a_slip_in_the_syntax_is_placed_by_line_and_column(text, words):
    error = refusal(text)
    assert error.key == ""
    for word in words:
        assert word in error.problem


# --------------------------------------------------------------------------- what the types refuse


@pytest.mark.parametrize(
    ("old", "new", "key", "problem"),
    [
        ('title = "One', 'tilte = "One', "tilte", 'unknown key; did you mean "title"?'),
        ("learning_rate", "learning_rat", "train.learning_rat", 'did you mean "learning_rate"?'),
        ("units = 2", "unit = 2", "network.layers[0].unit", 'did you mean "units"?'),
        ("gain = 1.0", "zzz = 1", "network.init.zzz", 'unknown key; expected "scheme", "bias", "gain"'),
        ("ones_row = false", "one_row = false", "data.one_row", 'did you mean "ones_row"?'),
        ('"bce"\nalpha', '"squared_error"\nalpha', "loss.alpha", 'unknown key; expected "kind"'),
        ("beta = 1.0", "bet = 1.0", "loss.bet", 'did you mean "beta"?'),
        ("seed = 0", '"a\\nb` - at `$.data.q" = 0', r"a\nb` - at `$.data.q", "unknown key"),
        ("ones_row = false", '"a` - at `$.q" = 0', "data.a` - at `$.q", "unknown key"),
        ("seed = 0", f'"{"k" * 500}" = 0', "k" * 59 + "…", "unknown key"),
        ('kind = "inline"', "", "data.kind", 'missing; expected "inline", "csv", '),
        ('kind = "inline"', 'kind = "inlin"', "data.kind", 'found "inlin"; expected "inline"'),
        ('kind = "inline"', "kind = 3", "data.kind", 'found 3; expected "inline"'),
        ("Y = [[1]]", "", "data.Y", "missing; expected a list of lists of numbers"),
        ("units = 2", "", "network.layers[0].units", "missing; expected a whole number"),
        ("units = 2", "units = 2.0", "network.layers[0].units", "found 2.0; expected a whole number"),
        ("units = 2", "units = true", "network.layers[0].units", "found true; expected a whole number"),
        ("[0.5]", '["x"]', "data.X[1][0]", 'found "x"; expected a number'),
        ("[0.5]", "[[0.5]]", "data.X[1][0]", "found 1 value; expected a number"),
        ("[0.5]", "0.5", "data.X[1]", "found 0.5; expected a list of numbers"),
        ("[0.5]", "[{}]", "data.X[1][0]", "found a table; expected a number"),
        ("0.5]", "9" * 400 + "]", "data.X[1][0]", "about 400 digits; expected a number below 1.8e308"),
        ("seed = 0", "seed = 1979-05-27", "seed", "found a date; expected a whole number"),
        ("seed = 0", "seed = 07:32:00", "seed", "found a time; expected a whole number"),
        ('"One hidden layer"', "[]", "title", "found an empty list; expected text"),
        ('"One hidden layer"', "1979-05-27T07:32:00Z", "title", "found a datetime; expected text"),
        ("bias = false", "bias = 0", "network.bias", "found 0; expected true or false"),
        ('"float64"', '"float16"', "dtype", 'expected "float32" or "float64"; did you mean "float64"?'),
        ('"relu"', '"relo"', "network.layers[0].activation", 'did you mean "relu"?'),
        ('"he"', '"he he"', "network.init.scheme", 'found "he he"; expected "file", "he", "lecun"'),
        ('"sgd"', '"adm"', "train.optimizer", 'did you mean "adam"?'),
        ('"full"', '"half"', "train.batch", 'found "half"; expected "full" or a whole number'),
        ('"full"', "1.5", "train.batch", 'found 1.5; expected "full" or a whole number'),
        ("alpha = 1.0", 'alpha = "1"', "loss.alpha", 'found "1"; expected a number'),
        (
            '"relu"',
            '"relu"\nfrozen = ["c"]',
            "network.layers[0].frozen[0]",
            'expected "W", "b", "scale" or "shift"',
        ),
        ('"relu"', '"relu"\nnorm = "group"', "network.layers[0].norm", 'expected "batch" or "layer"'),
    ],
)
def test_wrong_keys_and_types_are_refused_in_plain_words(old, new, key, problem):
    error = refusal(changed(old, new))
    assert error.key == key
    assert problem in error.problem


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("", "data", "missing; expected a table"),
        ("data = 3", "data", "found 3; expected a table"),
        ("data = []", "data", "found an empty list; expected a table"),
        ('data = {kind = "xor"}\nnetwork = {layers = {}}', "network.layers", "expected a list of tables"),
    ],
)
def test_a_file_without_its_tables_is_told_which_one_it_needs(text, key, problem):
    error = refusal(text)
    assert error.key == key
    assert problem in error.problem


# ------------------------------------------------------------------------------- what the rules refuse


@pytest.mark.parametrize(
    ("old", "new", "key", "problem"),
    [
        ("seed = 0", "seed = -1", "seed", "found -1; expected a whole number of 0 or more"),
        ("seed = 0", f"seed = {2**63}", "seed", f"found {2**63}; expected a whole number within"),
        ("seed = 0", "seed = 0x" + "f" * 5000, "seed", "a whole number of about 6021 digits"),
        ('"One hidden layer"', r'"a\u001b[31m"', "title", r'found "a\x1b[31m"; expected one line of text'),
        ('"One hidden layer"', '"""a\nb"""', "title", r'found "a\nb"; expected one line of text'),
        ('"One hidden layer"', r'"\u202etxt"', "title", "expected one line of text"),
        ('"One hidden layer"', f'"{"x" * 201}"', "title", "found 201 characters; expected at most 200"),
        ("seed = 0", r'about = "\u0007"', "about", "expected one line of text"),
        ("[0.5]", "[nan]", "data.X[1][0]", "found nan; expected a finite number"),
        ("[[1]]", "[[inf]]", "data.Y[0][0]", "found inf; expected a finite number"),
        ("[0.5]", "[1e999]", "data.X[1][0]", "found inf; expected a finite number"),
        ("[0.3,0.2]", "[0.3,-inf]", "network.layers[0].W[1][1]", "found -inf; expected a finite number"),
        ("learning_rate = 0.1", "learning_rate = nan", "train.learning_rate", "expected a finite number"),
        ("alpha = 1.0", "alpha = inf", "loss.alpha", "found inf; expected a finite number"),
        ("gain = 1.0", "gain = nan", "network.init.gain", "expected a finite number"),
        ("[0.5]", "[]", "data.X[1]", "found an empty list; expected one number for each sample"),
        ("[0.5]", "[0.5, 1]", "data.X[1]", "found 2 values; expected 1, as many as data.X[0] has"),
        ("[[1.0], [0.5], [-1.2]]", "[]", "data.X", "found an empty list; expected one row for each feature"),
        ("Y = [[1]]", "Y = []", "data.Y", "found an empty list; expected one row for each output"),
        ("Y = [[1]]", "Y = [[1, 0]]", "data.Y", "found 2 columns; expected 1, one for each column of data.X"),
        ("Y = [[1]]", "Y = [[2]]", "data.Y[0][0]", "found 2.0; expected a label from 0 to 1 for bce"),
        ("Y = [[1]]", "Y = [[-0.1]]", "data.Y[0][0]", "found -0.1; expected a label from 0 to 1 for bce"),
        ("units = 2", "units = 0", "network.layers[0].units", "expected a whole number of 1 or more"),
        ("units = 1", "units = -1", "network.layers[1].units", "found -1; expected a whole number of 1"),
        ("units = 2", "units = 2\nrepeat = 0", "network.layers[0].repeat", "expected a whole number of 1"),
        (
            "units = 2",
            "units = 2\nrepeat = 2",
            "network.layers[0].W",
            "found one W for 2 layers of which the first is 3×2; expected a width that stays the same",
        ),
        ("[0.3,0.2],", "", "network.layers[0].W", "found 2 rows; expected 3, one for each row of X"),
        (
            "[0.3,0.2]",
            "[0.3]",
            "network.layers[0].W[1]",
            "found 1 value; expected 2, one for each unit of this layer",
        ),
        (
            "units = 1",
            "units = 1\nW = [[1.0]]",
            "network.layers[1].W",
            "found 1 row; expected 2, one for each unit of the layer below",
        ),
        (
            "ones_row = false",
            "ones_row = true",
            "network.layers[0].W",
            "expected 4, one for each row of X, the",
        ),
        ("units = 1", "units = 1\nb = []", "network.layers[1].b", "found 0 values; expected 1, one for each"),
        (
            '"relu"',
            '"relu"\nslope = 0.1',
            "network.layers[0].slope",
            'found a slope for the activation "relu"; expected a slope only with "leaky_relu"',
        ),
        (
            '"relu"',
            '"relu"\nresidual = true',
            "network.layers[0].units",
            "found 2 units; expected 3, because residual = true",
        ),
        (
            '"relu"',
            '"relu"\nfrozen = ["W", "b"]',
            "network.layers[0].frozen",
            'found "b"; expected parameters that the layer has',
        ),
        ('"relu"', '"softmax"', "network.layers[0].activation", 'found "softmax" in a hidden layer'),
        (
            '"sigmoid"',
            '"linear"',
            "network.layers[1].activation",
            'found "linear"; expected "sigmoid" or "softmax" in the output layer, because the loss is bce',
        ),
        (
            '"sigmoid"',
            '"step"',
            "network.layers[1].activation",
            'expected "sigmoid" or "softmax" in the output',
        ),
        ("units = 1", "units = 2", "network.layers[1].units", "expected 1, one for each row of the labels Y"),
        (
            "units = 1",
            "units = 2\nrepeat = 3",
            "network.layers[1].units",
            "found 2 units; expected 1, one for each row of the labels Y",
        ),
        ("alpha = 1.0", "alpha = -0.5", "loss.alpha", "found -0.5; expected a number of 0 or more"),
        ("beta = 1.0", "beta = -1", "loss.beta", "expected a number of 0 or more"),
        (
            "learning_rate = 0.1",
            "learning_rate = -0.1",
            "train.learning_rate",
            "expected a number of 0 or more",
        ),
        ("steps = 200", "steps = -1", "train.steps", "found -1; expected a whole number of 0 or more"),
        ("steps = 200", "clip_norm = 0", "train.clip_norm", "found 0.0; expected a number above 0"),
        ("steps = 200", "clip_norm = -2", "train.clip_norm", "found -2.0; expected a number above 0"),
        ('"full"', "0", "train.batch", "found 0; expected a whole number of 1 or more"),
        ('"full"', "2", "train.batch", 'found 2; expected "full" or at most 1, the number of samples'),
        ("gain = 1.0", "gain = -1", "network.init.gain", "expected a number of 0 or more"),
        ("gain = 1.0", "std = -1", "network.init.std", "found -1.0; expected a number of 0 or more"),
        (
            '"he"',
            '"uniform"\nstd = 1',
            "network.init.std",
            'found a standard deviation for the scheme "uniform"',
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_was_found_and_expected(old, new, key, problem):
    error = refusal(changed(old, new))
    assert error.key == key
    assert problem in error.problem


@pytest.mark.parametrize(
    ("data", "key", "problem"),
    [
        ('kind = "xor"\nn = 0', "data.n", "found 0; expected a whole number of 1 or more"),
        ('kind = "moons"\nn = -5', "data.n", "found -5; expected a whole number of 1 or more"),
        ('kind = "wine"\nn = 0', "data.n", "expected a whole number of 1 or more"),
        ('kind = "wine"\nnoise = 1', "data.noise", "unknown key"),
        ('kind = "circles"\nnoise = -0.1', "data.noise", "found -0.1; expected a number of 0 or more"),
        ('kind = "circles"\nnoise = nan', "data.noise", "expected a finite number"),
        ('kind = "blobs"\nclasses = 1', "data.classes", "found 1; expected a whole number of 2 or more"),
        (
            'kind = "spirals"\nclasses = 3',
            "network.layers[0].units",
            "found 1 unit; expected 3, one for each row",
        ),
        ('kind = "random"\nn = 2\nfeatures = 0', "data.features", "expected a whole number of 1 or more"),
        ('kind = "random"\nn = 0\nfeatures = 1', "data.n", "expected a whole number of 1 or more"),
        ('kind = "random"\nn = 1\nfeatures = 1\noutputs = 0', "data.outputs", "a whole number of 1 or more"),
        ('kind = "csv"\npath = ""\nfeatures = ["x"]\nlabel = "y"', "data.path", "the path of a CSV file"),
        ('kind = "csv"\npath = "a"\nfeatures = []\nlabel = "y"', "data.features", "one or more columns"),
        (
            'kind = "csv"\npath = "a"\nfeatures = ["x", "x"]\nlabel = "y"',
            "data.features[1]",
            'found "x" again; expected each column once',
        ),
        (
            'kind = "csv"\npath = "a"\nfeatures = ["y"]\nlabel = "y"',
            "data.label",
            'found "y", which is a feature; expected a column of its own',
        ),
    ],
)
def test_data_that_cannot_be_made_are_refused(data, key, problem):
    error = refusal(changed('kind = "xor"', data, SMALLEST))
    assert error.key == key
    assert problem in error.problem


@pytest.mark.parametrize(
    ("Y", "key", "problem"),
    [
        ("[[1, 0.5], [0, 0.4]]", "data.Y", "found column 1 with the sum 0.9; expected columns that sum to 1"),
        ("[[1, 1.5], [0, -0.5]]", "data.Y[1][1]", "found -0.5; expected a probability of 0 or more"),
        ("[[1e308, 0], [1e308, 1]]", "data.Y", "found column 0 with the sum inf"),
    ],
)
def test_cross_entropy_takes_columns_that_are_probabilities(Y, key, problem):
    text = softmax_example(Y)
    error = refusal(text)
    assert error.key == key
    assert problem in error.problem


def softmax_example(Y: str = "[[1, 0.3], [0, 0.7]]") -> str:
    text = changed("Y = [[1, 0]]", f"Y = {Y}", TWO_SAMPLES)
    text = changed('units = 1\nactivation = "sigmoid"', 'units = 2\nactivation = "softmax"', text)
    return changed('kind = "bce"\nalpha = 1.0\nbeta = 1.0', 'kind = "cross_entropy"', text)


def test_cross_entropy_accepts_a_softmax_output():
    assert parse_experiment(softmax_example(), "lab.toml").loss.kind == "cross_entropy"


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "bce"])
def test_softmax_goes_with_every_loss_that_takes_its_values(loss: str):
    assert parse_experiment(changed('"cross_entropy"', f'"{loss}"', softmax_example()), "a").loss.kind == loss


def test_softmax_goes_not_with_residual_or_repeat_and_cross_entropy_with_nothing_else():
    error = refusal(changed('"softmax"', '"softmax"\nresidual = true', softmax_example()))
    assert error.key == "network.layers[1].residual"
    assert "expected false, because cross_entropy needs the softmax itself" in error.problem
    error = refusal(changed('"softmax"', '"softmax"\nrepeat = 2', softmax_example()))
    assert error.key == "network.layers[1].activation"
    assert "hidden layer" in error.problem
    error = refusal(changed('"softmax"', '"sigmoid"', softmax_example()))
    assert 'expected "softmax" in the output layer, because the loss is cross_entropy' in error.problem


def test_bce_needs_the_sigmoid_itself_as_the_prediction():
    error = refusal(
        changed(
            '"sigmoid"',
            '"sigmoid"\nresidual = true',
            changed("units = 2", "units = 1", without_weights(EXAMPLE)),
        )
    )
    assert error.key == "network.layers[1].residual"
    assert (
        error.problem == "found true; expected false, because bce needs the sigmoid itself as the prediction"
    )


def test_no_layers_is_refused():
    error = refusal('network = {layers = []}\ndata = {kind = "xor"}\nloss = {kind = "bce"}')
    assert (error.key, error.problem) == ("network.layers", "found an empty list; expected one layer or more")


def test_float32_takes_only_numbers_that_it_can_hold():
    big = changed("[0.5]", "[1e39]")
    parse_experiment(big, "lab.toml")
    error = refusal(changed('"float64"', '"float32"', big))
    assert error.key == "data.X[1][0]"
    assert error.problem == 'found 1e+39; expected a number that dtype = "float32" can hold'


def test_an_experiment_built_in_python_is_held_to_the_same_rules():
    experiment = Experiment(
        data=InlineData(X=[[1.0]], Y=[[float("nan")]]),
        network=NetworkSpec(layers=[LayerSpec(units=1)]),
        loss=SquaredErrorLoss(),
    )
    with pytest.raises(ExperimentError, match=r"<experiment>: data\.Y\[0\]\[0\]: found nan"):
        validate(experiment)


def test_the_error_survives_a_trip_between_processes():
    error = ExperimentError("lab.toml", "data.X", "found nothing")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.source, copy.key, copy.problem) == ("lab.toml", "data.X", "found nothing")
    assert str(copy) == str(error) == "lab.toml: data.X: found nothing"


# ------------------------------------------------------------------- no text gets anything but an answer


def answers(text: str) -> None:
    """`text` is an experiment, or is refused with one printable line that names the file."""
    try:
        parse_experiment(text, "lab.toml")
    except ExperimentError as error:
        assert_one_line(error, "lab.toml")


PRESET_TEXTS = [
    resources.files("engine").joinpath("presets", f"{name}.toml").read_text("utf-8") for name in PRESET_NAMES
]
PIECES = st.text(max_size=8) | st.sampled_from(
    ["[", "]", "{", '"', "=", "\n", "-", "9" * 20, "nan", ".", "[["]
)


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_any_text_gets_an_answer(text):
    answers(text)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PRESET_TEXTS), st.data())
def test_a_preset_with_a_piece_cut_out_and_another_put_in_gets_an_answer(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    answers(text[:start] + data.draw(PIECES) + text[end:])


def toml(value: Any) -> str:
    """`value` in TOML's inline form."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + "".join(f"\\U{ord(character):08X}" for character in value) + '"'
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{toml(key)} = {toml(entry)}" for key, entry in value.items()) + "}"
        case datetime.date() | datetime.time():
            return value.isoformat()
        case float():
            return repr(value)
        case _:
            return str(value)


KEYS = st.sampled_from(["kind", "X", "Y", "units", "W", "layers", "n", "std", "batch", "zzz", "frozen"])
SCALARS = (
    st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, 2, 3, -1, 10**18, 2**63 - 1, 2**64])
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    | st.sampled_from(["bce", "softmax", "relu", "csv", "blobs", "full", "cross_entropy", "squared_error"])
    | st.dates()
    | st.times()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
PLACES = [
    (index, path)
    for index, text in enumerate(PRESET_TEXTS)
    for path in [
        [table, *rest]
        for table, keys in {
            "data": ["kind", "X", "Y", "n", "noise", "classes", "ones_row", "standardize"],
            "network": ["layers", "bias", "init"],
            "loss": ["kind", "alpha", "beta"],
            "train": ["optimizer", "learning_rate", "batch", "steps", "clip_norm"],
        }.items()
        for rest in [[], *[[key] for key in keys]]
    ]
    + [["network", "layers", 0, key] for key in LayerSpec.__struct_fields__]
    + [["network", "layers", -1, key] for key in LayerSpec.__struct_fields__]
    + [[key] for key in ("title", "seed", "dtype", "about", "unknown")]
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PLACES), min_size=1, max_size=2), st.data())
def test_a_preset_with_any_value_at_any_key_gets_an_answer(places, data):
    document: Any = tomllib.loads(PRESET_TEXTS[places[0][0]])
    for _, (*path, key) in places:
        table = document
        for part in path:
            if (
                not isinstance(table, dict | list)
                or not table
                or (isinstance(table, dict) and part not in table)
            ):
                break
            table = table[part] if isinstance(table, dict) or isinstance(part, int) else {}
        if isinstance(table, dict):
            table[key] = data.draw(VALUES)
    answers("\n".join(f"{toml(key)} = {toml(value)}" for key, value in document.items()))


@pytest.mark.parametrize(
    ("n", "batch", "words"),
    [
        (8, "1", "found 1, which makes batches of 1 sample of the 8"),
        (9, "4", "found 4, which makes a last batch of 1 sample of the 9"),
        (9, "3", None),
        (8, '"full"', None),
        (1, "1", None),
    ],
)
@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_batch_norm_never_gets_one_sample_of_many(n, batch, words, norm):
    text = f"""
data = {{kind = "random", n = {n}, features = 3}}
network = {{layers = [{{units = 4, activation = "tanh", norm = "{norm}"}}, {{units = 1, activation = "sigmoid"}}]}}
loss = {{kind = "bce"}}
train = {{batch = {batch}}}
"""
    if words is None or norm == "layer":
        parse_experiment(text, "text")
        return
    with pytest.raises(ExperimentError) as caught:
        parse_experiment(text, "text")
    assert "train.batch" in str(caught.value)
    assert words in str(caught.value)
    assert "network.layers[0] has batch norm" in str(caught.value)
