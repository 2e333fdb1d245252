"""Whether an experiment makes sense: every rule that types alone cannot state.

Each `…_problems` function yields (key, problem) pairs in the order in which a reader should hear of them. The
first one is raised, so a rule may rely on all the rules before it, and nothing is allocated on the way.
"""

from __future__ import annotations

import gc
import math
import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias, assert_never

import msgspec

from engine.experiment.activation_traits import ACTIVATION_TRAITS, REALS
from engine.experiment.data_shape import DataShape, declared_shape
from engine.experiment.errors import (
    UNNAMED,
    ExperimentError,
    choice,
    count,
    mismatch,
    quoted,
    suggestion,
    value_in_words,
)
from engine.experiment.memory_needed import SMALL, memory_by_key, memory_limit, memory_needed
from engine.experiment.notation_spec import NotationSpec, notation_problems
from engine.experiment.spec import (
    BceLoss,
    BlobsData,
    CirclesData,
    CsvData,
    Experiment,
    HuberLoss,
    InitSpec,
    InlineData,
    LayerSpec,
    LossSpec,
    Matrix,
    MoonsData,
    NpzData,
    Orientation,
    RandomData,
    SpiralsData,
    TrainSpec,
    View,
    WineData,
    XorData,
)
from engine.formula.numbers_in_words import bytes_in_words
from engine.formula.parser import ParseError, parse_symbol
from engine.formula.untrusted_text import is_plain

Problem: TypeAlias = tuple[str, str]
"""A key's path, and what is wrong there."""

LARGEST_INTEGER = 2**63 - 1  # what TOML promises to hold
LARGEST_FLOAT32 = 3.4028234663852886e38
LONGEST_TITLE = 200
# Labels that should sum to 1 were often rounded by hand or by another program.
SUM_TOLERANCE = 1e-6


def validate(experiment: Experiment, source: str = UNNAMED) -> None:
    """Raises ExperimentError, in the name of `source`, for the first rule that `experiment` breaks."""
    for key, problem in problems(experiment):
        raise ExperimentError(source, key, problem)


def validate_loaded(experiment: Experiment, shape: DataShape, source: str = UNNAMED) -> None:
    """Checks an experiment once more against the shape of its data, now that a file has told it."""
    for key, problem in (*layer_problems(experiment, shape), *shape_problems(experiment, shape)):
        raise ExperimentError(source, key, problem)


def problems(experiment: Experiment) -> Iterator[Problem]:
    """Every problem of an experiment, in order; each assumes that those before it are solved."""
    yield from number_problems(experiment)
    yield from text_problems(experiment)
    yield from data_problems(experiment)
    yield from layer_problems(experiment, declared_shape(experiment))
    yield from init_problems(experiment.network.init)
    yield from loss_problems(experiment)
    yield from train_problems(experiment.train)
    yield from notation_problems(experiment.notation, names_in_use(experiment))
    yield from view_problems(experiment.view, experiment.notation)
    yield from shape_problems(experiment, declared_shape(experiment))


# --------------------------------------------------------------------------------- numbers and text


def number_problems(experiment: Experiment) -> Iterator[Problem]:
    """Problems of numbers: infinite, undefined, or too large for what must hold them."""
    for key, value in _leaves(msgspec.to_builtins(experiment), ""):
        if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
            yield key, mismatch(value_in_words(value), f"a whole number within ±{LARGEST_INTEGER}")
        elif isinstance(value, float) and not math.isfinite(value):
            yield key, mismatch(value_in_words(value), "a finite number")
        elif isinstance(value, float) and experiment.dtype == "float32" and abs(value) > LARGEST_FLOAT32:
            yield key, mismatch(value_in_words(value), 'a number that dtype = "float32" can hold')
    yield from _at_least("seed", experiment.seed, 0)


def text_problems(experiment: Experiment) -> Iterator[Problem]:
    """Problems of texts that could not be shown on one line of a terminal."""
    for key, value in _leaves(msgspec.to_builtins(experiment), ""):
        if isinstance(value, str) and not is_plain(value):
            yield key, mismatch(quoted(value), "one line of text without control characters")
    if len(experiment.title) > LONGEST_TITLE:
        yield "title", mismatch(f"{len(experiment.title)} characters", f"at most {LONGEST_TITLE}")


# ---------------------------------------------------------------------------------------------- data


def data_problems(experiment: Experiment) -> Iterator[Problem]:
    """Problems of the data's sizes and labels, as far as the experiment itself tells them."""
    data = experiment.data
    if not 0 <= data.test_share < 1:
        yield "data.test_share", mismatch(value_in_words(data.test_share), "a number from 0 to below 1")
    match data:
        case InlineData():
            yield from _inline_problems(data, experiment.loss)
        case CsvData():
            yield from _path_problems("data.path", data.path, "a CSV file")
            yield from _column_problems(data)
        case NpzData():
            yield from _path_problems("data.path", data.path, "a NumPy archive (.npz)")
        case RandomData():
            yield from _at_least("data.n", data.n, 1)
            yield from _at_least("data.features", data.features, 1)
            yield from _at_least("data.outputs", data.outputs, 1)
        case WineData():
            yield from _at_least("data.n", data.n, 1)
        case XorData() | MoonsData() | CirclesData():
            yield from _at_least("data.n", data.n, 1)
            yield from _at_least("data.noise", data.noise, 0)
        case SpiralsData() | BlobsData():
            yield from _at_least("data.n", data.n, 1)
            yield from _at_least("data.noise", data.noise, 0)
            yield from _at_least("data.classes", data.classes, 2)
        case _:
            assert_never(data)


def _inline_problems(data: InlineData, loss: LossSpec) -> Iterator[Problem]:
    nouns = ("feature", "output") if data.layout == "columns" else ("sample", "sample")
    for key, matrix, noun in zip(("data.X", "data.Y"), (data.X, data.Y), nouns, strict=True):
        yield from _rectangle_problems(key, matrix, noun)
    if data.layout == "columns" and len(data.Y[0]) != len(data.X[0]):
        expected = f"{len(data.X[0])}, one for each column of data.X"
        turned = ' (layout = "rows" has one sample a row)' if len(data.Y) == len(data.X) else ""
        yield "data.Y", mismatch(count(len(data.Y[0]), "column"), expected + turned)
    if data.layout == "rows" and len(data.Y) != len(data.X):
        expected = f"{len(data.X)}, one for each row of data.X"
        turned = ' (layout = "columns" has one sample a column)' if len(data.Y[0]) == len(data.X[0]) else ""
        yield "data.Y", mismatch(count(len(data.Y), "row"), expected + turned)
    yield from _label_problems(data, loss)


def _path_problems(key: str, path: str, what: str) -> Iterator[Problem]:
    if not path:
        yield key, mismatch(quoted(""), f"the path of {what}")


def _column_problems(data: CsvData) -> Iterator[Problem]:
    for name, columns in (
        ("features", data.features),
        ("label", data.labels),
        ("categorical", data.categorical),
    ):
        if not columns and name != "categorical":
            yield f"data.{name}", mismatch("an empty list", "the names of one or more columns")
        for index, column in enumerate(columns):
            if not isinstance(columns, str) and column in columns[:index]:
                yield f"data.{name}[{index}]", mismatch(f"{quoted(column)} again", "each column once")
    for index, label in enumerate(data.labels):
        if label in data.features:
            key = "data.label" if isinstance(data.label, str) else f"data.label[{index}]"
            yield key, mismatch(f"{quoted(label)}, which is a feature", "a column of its own")
    if data.delimiter is not None and (len(data.delimiter) != 1 or data.delimiter in '"\r\n'):
        yield "data.delimiter", mismatch(quoted(data.delimiter), 'one character, such as ";"')
    if data.delimiter == data.decimal:
        yield "data.delimiter", mismatch(f"{quoted(data.decimal)} for both", "another than the decimal")


def _label_problems(data: InlineData, loss: LossSpec) -> Iterator[Problem]:
    Y, sample = data.Y, "column" if data.layout == "columns" else "row"
    for row, column, label in _entries(Y):
        if label not in loss.labels:
            expected = f"{loss.label_words} for {loss.kind}"
            yield f"data.Y[{row}][{column}]", mismatch(str(label), expected)
    if loss.takes_distributions:
        for number, labels in enumerate(zip(*Y, strict=True) if sample == "column" else Y):
            if abs(sum(labels) - 1) > SUM_TOLERANCE:
                found = f"{sample} {number} with the sum {sum(labels):.6g}"
                numbers = len(labels) == 1 and float(labels[0]).is_integer()
                hint = " (not the class's number: of three classes the last is 0, 0, 1)" if numbers else ""
                yield "data.Y", mismatch(found, f"{sample}s that sum to 1 for {loss.kind}{hint}")


# ------------------------------------------------------------------------------------------- network


def layer_problems(experiment: Experiment, shape: DataShape) -> Iterator[Problem]:
    """Problems of each layer on its own and against the width below it.

    What depends on the number of features is left for later where only a file can tell it.
    """
    layers = experiment.network.layers
    if not layers:
        yield "network.layers", mismatch("an empty list", "one layer or more")
    fan_in = shape.features
    below = "row of X, the row of ones included" if experiment.data.ones_row else "row of X"
    for index, layer in enumerate(layers):
        key = f"network.layers[{index}]"
        yield from _at_least(f"{key}.units", layer.units, 1)
        yield from _at_least(f"{key}.repeat", layer.repeat, 1)
        if layer.activation not in ACTIVATION_TRAITS:
            problem = mismatch(quoted(layer.activation), choice(ACTIVATION_TRAITS))
            yield f"{key}.activation", problem + suggestion(layer.activation, ACTIVATION_TRAITS)
        if layer.slope is not None and ACTIVATION_TRAITS[layer.activation].default_slope is None:
            found = f"a slope for the activation {quoted(layer.activation)}"
            with_slope = [one.name for one in ACTIVATION_TRAITS.values() if one.default_slope is not None]
            yield f"{key}.slope", mismatch(found, f"a slope only with {choice(with_slope)}")
        if layer.residual and fan_in is not None and fan_in != layer.units:
            expected = f"{fan_in}, because residual = true adds the layer's input, which is {fan_in} wide"
            yield f"{key}.units", mismatch(count(layer.units, "unit"), expected)
        yield from _norm_problems(key, layer)
        yield from _given_parameter_problems(key, layer, fan_in, below, experiment.network.weights)
        if "b" in layer.frozen and not experiment.network.has_bias(layer):
            expected = "parameters that the layer has (network.bias is false and no b is given)"
            yield f"{key}.frozen", mismatch(quoted("b"), expected)
        for name in ("scale", "shift"):
            if name in layer.frozen and not layer.affine:
                expected = "parameters that the layer has (affine is false)"
                yield f"{key}.frozen", mismatch(quoted(name), expected)
        fan_in, below = layer.units, "unit of the layer below"


def _norm_problems(key: str, layer: LayerSpec) -> Iterator[Problem]:
    if layer.norm is None:
        if layer.affine:
            yield f"{key}.affine", mismatch("true without a norm", 'norm = "batch" or "layer" beside it')
        return
    if layer.norm_eps < 0:
        yield f"{key}.norm_eps", mismatch(value_in_words(layer.norm_eps), "a number of 0 or more")
    if layer.norm_variance == "unbiased" and layer.norm == "layer" and layer.units == 1:
        expected = '"biased", or 2 units or more, because it divides by their number less 1'
        yield f"{key}.norm_variance", mismatch('"unbiased" over 1 unit', expected)


def _given_parameter_problems(
    key: str, layer: LayerSpec, fan_in: int | None, below: str, orientation: Orientation
) -> Iterator[Problem]:
    if layer.W is not None and fan_in is not None:
        if layer.repeat > 1 and fan_in != layer.units:
            found = f"one W for {layer.repeat} layers of which the first is {fan_in}×{layer.units}"
            yield f"{key}.W", mismatch(found, "a width that stays the same, or no W")
        inputs, units = (fan_in, f"one for each {below}"), (layer.units, "one for each unit of this layer")
        (rows, of_rows), (columns, of_columns) = (
            (inputs, units) if orientation == "in_out" else (units, inputs)
        )
        turned = "" if orientation == "in_out" else ' (weights = "out_in")'
        if rows != columns and len(layer.W) == columns and all(len(weights) == rows for weights in layer.W):
            other = "out_in" if orientation == "in_out" else "in_out"
            turned = f'; weights = "{other}" in [network] has it the way it stands here'
        if len(layer.W) != rows:
            yield f"{key}.W", mismatch(count(len(layer.W), "row"), f"{rows}, {of_rows}{turned}")
        for row, weights in enumerate(layer.W):
            if len(weights) != columns:
                expected = f"{columns}, {of_columns}{turned}"
                yield f"{key}.W[{row}]", mismatch(count(len(weights), "value"), expected)
    for name in ("b", "scale", "shift"):
        given = getattr(layer, name)
        if given is not None and name != "b" and not layer.affine:
            yield f"{key}.{name}", mismatch(f"{name} without affine", "affine = true beside it")
        if given is not None and len(given) != layer.units:
            expected = f"{layer.units}, one for each unit of this layer"
            yield f"{key}.{name}", mismatch(count(len(given), "value"), expected)


def init_problems(init: InitSpec) -> Iterator[Problem]:
    """Problems of the weights' initialisation."""
    yield from _at_least("network.init.gain", init.gain, 0)
    if init.scheme == "file" and not init.path:
        yield "network.init.path", "missing; expected the path of a .npz or .safetensors file"
    for name in ("path", "names", "layout"):
        if init.scheme != "file" and getattr(init, name) is not None:
            found = f"{name} for the scheme {quoted(init.scheme)}"
            yield f"network.init.{name}", mismatch(found, 'it with "file" only')
    if init.std is None:
        return
    yield from _at_least("network.init.std", init.std, 0)
    if init.scheme in ("uniform", "orthogonal", "zeros", "pytorch", "file"):
        found = f"a standard deviation for the scheme {quoted(init.scheme)}, which has none"
        yield "network.init.std", mismatch(found, "gain, or one of the normal schemes")


# ---------------------------------------------------------------------------------- loss and training


def loss_problems(experiment: Experiment) -> Iterator[Problem]:
    """Problems of the loss, and whether it takes what the output layer gives."""
    loss, layers = experiment.loss, experiment.network.layers
    match loss:
        case BceLoss():
            for name, weight in (("alpha", loss.alpha), ("beta", loss.beta)):
                if weight is not None:
                    yield from _at_least(f"loss.{name}", weight, 0)
        case HuberLoss() if loss.delta <= 0:
            yield "loss.delta", mismatch(value_in_words(loss.delta), "a number above 0")
    yield from _at_least("loss.l2", loss.l2, 0)
    if loss.takes_distributions and loss.outputs == "mean":
        expected = f'"sum", because {loss.kind} compares whole distributions'
        yield "loss.outputs", mismatch('"mean"', expected)
    for index, layer in enumerate(layers):
        hidden = index < len(layers) - 1 or layer.repeat > 1
        if ACTIVATION_TRAITS[layer.activation].by_column and hidden:
            expected = f"{layer.activation} in the output layer only"
            found = f"{quoted(layer.activation)} in a hidden layer"
            yield f"network.layers[{index}].activation", mismatch(found, expected)
    yield from _output_problems(f"network.layers[{len(layers) - 1}]", layers[-1], loss)


def _output_problems(key: str, output: LayerSpec, loss: LossSpec) -> Iterator[Problem]:
    """Whether the loss takes every value that the output layer can give."""
    traits = ACTIVATION_TRAITS[output.activation]
    if not loss.predictions.covers(traits.values) or (loss.takes_distributions and not traits.by_column):
        fitting = [
            one.name
            for one in ACTIVATION_TRAITS.values()
            if loss.predictions.covers(one.values) and (one.by_column or not loss.takes_distributions)
        ]
        expected = f"{choice(fitting)} in the output layer, because the loss is {loss.kind}"
        yield f"{key}.activation", mismatch(quoted(output.activation), expected)
    if output.residual and (loss.predictions != REALS or loss.takes_distributions):
        expected = f"false, because {loss.kind} needs the {output.activation} itself as the prediction"
        yield f"{key}.residual", mismatch("true", expected)


def train_problems(train: TrainSpec) -> Iterator[Problem]:
    """Problems of the training settings."""
    yield from _at_least("train.learning_rate", train.learning_rate, 0)
    yield from _at_least("train.steps", train.steps, 0)
    if train.batch != "full":
        yield from _at_least("train.batch", train.batch, 1)
    if train.clip_norm is not None and train.clip_norm <= 0:
        yield "train.clip_norm", mismatch(value_in_words(train.clip_norm), "a number above 0")
    for name in train.settings():
        yield from _optimizer_setting_problems(f"train.{name}", getattr(train, name))


def _optimizer_setting_problems(key: str, value: object) -> Iterator[Problem]:
    """Shares of what was before are from 0 to below 1, all other numbers not negative."""
    match value:
        case bool():
            return
        case tuple():
            for index, one in enumerate(value):
                yield from _share_problems(f"{key}[{index}]", one)
        case int() | float() if key in ("train.momentum", "train.alpha"):
            yield from _share_problems(key, value)
        case int() | float():
            yield from _at_least(key, value, 0)


def _share_problems(key: str, value: float) -> Iterator[Problem]:
    if not 0 <= value < 1:
        yield key, mismatch(value_in_words(value), "a number from 0 to below 1")


def names_in_use(experiment: Experiment) -> dict[str, str]:
    """The names that stand in formulas and texts about this network, each with what it is, in words."""
    network, loss = experiment.network, experiment.loss
    names = dict.fromkeys(("X", "Y", "W", "f", "a", "Y_hat", "E", "delta", "eta"), "")
    if isinstance(loss, BceLoss):  # a weight that is not given is left out of formulas
        names |= {} if loss.alpha is None else {"alpha": "the weight of the Y = 1 term"}
        names |= {} if loss.beta is None else {"beta": "the weight of the Y = 0 term"}
    for layer in network.layers:
        names |= {"b": ""} if network.has_bias(layer) else {}
        names |= {"h": ""} if layer.norm is not None else {}
        names |= {"u": "", "scale": "", "shift": ""} if layer.affine else {}
        names |= {"g": ""} if layer.residual else {}
    return names


def view_problems(view: View, notation: NotationSpec) -> Iterator[Problem]:
    """Problems of the [view] table, as far as they show without a graph."""
    for key, text, example in (("target", view.target, "W[1][0,0]"), ("of", view.of, "Y_hat[0,0]")):
        if text is not None:
            try:
                parse_symbol(text, notation.own_names())
            except ParseError:
                yield f"view.{key}", mismatch(quoted(text), f"the name of an entry, such as {example}")
    if (
        view.follow is not None
        and re.fullmatch(r"\d{1,6}\.\d{1,6}(?:,\d{1,6}\.\d{1,6})*", view.follow) is None
    ):
        wanted = "branches such as 2.1,4.3: a step from the target, and a term of it"
        yield "view.follow", mismatch(quoted(view.follow), wanted)
    least = {"sample": 0, "step": 1, "term": 1, "layer": 1, "unit": 0}
    for key, smallest in least.items():
        if (number := getattr(view, key)) is not None:
            yield from _at_least(f"view.{key}", number, smallest)


# --------------------------------------------------------------------------------- the data's shape


def shape_problems(experiment: Experiment, shape: DataShape) -> Iterator[Problem]:
    """Problems that depend on the shape of the data: the output's width, the batch, and the memory."""
    if shape.n is not None and shape.n <= 0 < shape.held_out:
        found = f"{experiment.data.test_share}, which holds out all {shape.held_out} samples"
        yield "data.test_share", mismatch(found, "a share that leaves some to learn from")
    last = len(experiment.network.layers) - 1
    units = experiment.network.layers[last].units
    if shape.outputs is not None and units != shape.outputs:
        expected = f"{shape.outputs}, one for each row of the labels Y"
        yield f"network.layers[{last}].units", mismatch(count(units, "unit"), expected)
    sample = experiment.view.sample
    if shape.n is not None and sample is not None and sample >= shape.n:
        yield "view.sample", mismatch(str(sample), f"at most {shape.n - 1}, counted from 0")
    batch = experiment.train.batch
    if shape.n is not None and batch != "full" and batch > shape.n:
        expected = f'"full" or at most {shape.n}, the number of samples'
        yield "train.batch", mismatch(str(batch), expected)
    yield from _norm_batch_problems(experiment, shape.n)
    for index, layer in enumerate(experiment.network.layers):
        if layer.norm == "batch" and layer.norm_variance == "unbiased" and shape.n == 1:
            expected = '"biased", or 2 samples or more, because it divides by their number less 1'
            key = f"network.layers[{index}].norm_variance"
            yield key, mismatch('"unbiased" over 1 sample', expected)
    needed, total = memory_by_key(experiment, shape), memory_needed(experiment, shape)
    if total > SMALL and total > (limit := _most_memory(total)):
        expected = f"at most {bytes_in_words(limit)} on this machine"
        largest = max(needed, key=needed.__getitem__)
        yield largest, mismatch(f"an experiment that would take {bytes_in_words(total)} of memory", expected)


def _most_memory(wanted: int) -> int:
    """What there is to be had; where that is too little, with what was let go of and not collected yet."""
    limit = memory_limit()
    if wanted > limit:
        gc.collect()  # an experiment that was closed is large for the machine, not for Python's collector
        limit = memory_limit()
    return limit


def _norm_batch_problems(experiment: Experiment, n: int | None) -> Iterator[Problem]:
    """Batch norm of one sample is 0 whatever the sample: no batch may have one, unless there is only one in all."""
    batch = experiment.train.batch
    if n is None or n == 1 or batch == "full":
        return
    normalised = [index for index, layer in enumerate(experiment.network.layers) if layer.norm == "batch"]
    alone = "batches of 1 sample" if batch == 1 else "a last batch of 1 sample"
    if normalised and (batch == 1 or n % batch == 1):
        found = f"{batch}, which makes {alone} of the {n}"
        expected = f"2 samples or more in each batch, because network.layers[{normalised[0]}] has batch norm"
        yield "train.batch", mismatch(found, expected)


# ------------------------------------------------------------------------------------------- helpers


def _leaves(tree: object, key: str) -> Iterator[tuple[str, object]]:
    """Every value that is neither a table nor a list, with the path of its key."""
    if isinstance(tree, dict):
        for name, branch in tree.items():
            yield from _leaves(branch, f"{key}.{name}" if key else name)
    elif isinstance(tree, list):
        for index, branch in enumerate(tree):
            yield from _leaves(branch, f"{key}[{index}]")
    else:
        yield key, tree


def _at_least(key: str, value: float, least: int) -> Iterator[Problem]:
    if value < least:
        kind = "a whole number" if isinstance(value, int) else "a number"
        yield key, mismatch(value_in_words(value), f"{kind} of {least} or more")


def _rectangle_problems(key: str, matrix: Matrix, row_noun: str) -> Iterator[Problem]:
    """A matrix needs at least one row and one column, and rows of one length."""
    if not matrix:
        yield key, mismatch("an empty list", f"one row for each {row_noun}")
    for index, row in enumerate(matrix):
        if not row:
            yield f"{key}[{index}]", mismatch("an empty list", "one number for each sample")
        if len(row) != len(matrix[0]):
            expected = f"{len(matrix[0])}, as many as {key}[0] has"
            yield f"{key}[{index}]", mismatch(count(len(row), "value"), expected)


def _entries(matrix: Sequence[Sequence[float]]) -> Iterator[tuple[int, int, float]]:
    for row, values in enumerate(matrix):
        for column, value in enumerate(values):
            yield row, column, value
