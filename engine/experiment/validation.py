"""Whether an experiment makes sense: every rule that types alone cannot state.

Each `…_problems` function yields (key, problem) pairs in the order in which a reader should hear of them. The
first one is raised, so a rule may rely on all the rules before it, and nothing is allocated on the way.
"""

from __future__ import annotations

import gc
import math
import re
from collections.abc import Iterator

import msgspec

from engine.experiment.data_shape import DataShape, declared_shape
from engine.experiment.data_validation import data_problems
from engine.experiment.errors import UNNAMED, ExperimentError, count, mismatch, quoted, value_in_words
from engine.experiment.memory_needed import SMALL, memory_by_key, memory_limit, memory_needed
from engine.experiment.network_validation import init_problems, layer_problems
from engine.experiment.notation_spec import NotationSpec, notation_problems
from engine.experiment.spec import BceLoss, Experiment, View
from engine.experiment.training_validation import loss_problems, train_problems
from engine.experiment.validation_rules import Problem, at_least
from engine.formula.numbers_in_words import bytes_in_words
from engine.formula.parser import ParseError, parse_symbol
from engine.formula.untrusted_text import is_plain

LARGEST_INTEGER = 2**63 - 1  # what TOML promises to hold
LARGEST_FLOAT32 = 3.4028234663852886e38
LONGEST_TITLE = 200


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
    yield from at_least("seed", experiment.seed, 0)


def text_problems(experiment: Experiment) -> Iterator[Problem]:
    """Problems of texts that could not be shown on one line of a terminal."""
    for key, value in _leaves(msgspec.to_builtins(experiment), ""):
        if isinstance(value, str) and not is_plain(value):
            yield key, mismatch(quoted(value), "one line of text without control characters")
    if len(experiment.title) > LONGEST_TITLE:
        yield "title", mismatch(f"{len(experiment.title)} characters", f"at most {LONGEST_TITLE}")


# ------------------------------------------------------------------------------------- names and view


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
            yield from at_least(f"view.{key}", number, smallest)


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
