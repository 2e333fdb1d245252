"""Every key of every table, written and read back: the same experiment, whatever was chosen."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.experiment.file_schema import document_type
from engine.experiment.loading import parse_experiment
from engine.experiment.spec import Experiment
from engine.experiment.toml_writing import experiment_toml
from engine.experiment.validation import problems

NUMBERS = st.floats(1e-6, 10.0, allow_subnormal=False) | st.sampled_from((0.5, 1.0, 1e-12, 1 / 3))
SHARES = st.floats(0.0, 0.999)
WORDS = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=12)


def optional(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


COMMON = {
    "ones_row": st.booleans(),
    "standardize": st.booleans(),
    "test_share": st.sampled_from((0.0, 0.25, 0.5)),
}
MATRIX = st.lists(st.lists(NUMBERS, min_size=4, max_size=4), min_size=4, max_size=4)
DATA = st.one_of(
    st.tuples(
        st.fixed_dictionaries({"kind": st.just("inline"), "X": MATRIX, "Y": MATRIX}),
        optional(layout=st.sampled_from(("rows", "columns")), **COMMON),
    ),
    st.tuples(
        st.fixed_dictionaries({
            "kind": st.just("csv"),
            "path": WORDS,
            "features": st.just("*") | st.lists(WORDS.map("f{}".format), min_size=1, max_size=3, unique=True),
            "label": WORDS.map("y{}".format) | st.just(["y1", "y2"]),
        }),
        optional(delimiter=st.sampled_from((";", "\t", "|")), decimal=st.sampled_from((".", ",")),
                 header=st.booleans(), **COMMON),
    ),
    st.tuples(
        st.fixed_dictionaries({"kind": st.just("npz"), "path": WORDS}),
        optional(X=WORDS, Y=WORDS, layout=st.sampled_from(("rows", "columns")), **COMMON),
    ),
    st.tuples(
        st.fixed_dictionaries({"kind": st.just("random"), "n": st.integers(4, 9), "features": st.integers(1, 4),
                               "outputs": st.just(4)}),
        optional(**COMMON),
    ),
)  # fmt: skip
LAYERS = st.lists(
    st.tuples(
        st.fixed_dictionaries({"units": st.integers(1, 4), "activation": st.sampled_from(("tanh", "relu", "linear"))}),
        optional(
            norm=st.sampled_from(("batch", "layer")), affine=st.just(True), norm_eps=NUMBERS,
            norm_variance=st.sampled_from(("biased", "unbiased")), repeat=st.integers(1, 3),
            frozen=st.lists(st.sampled_from(("W",)), max_size=1),
        ),
    ),
    max_size=2,
)  # fmt: skip
INIT = st.one_of(
    optional(scheme=st.sampled_from(("he", "xavier", "lecun", "normal", "uniform", "orthogonal", "zeros", "pytorch")),
             bias=st.sampled_from(("zeros", "uniform")), gain=NUMBERS),
    optional(std=NUMBERS),
)  # fmt: skip
LOSS = st.one_of(
    st.tuples(st.just({"kind": "squared_error"}), optional(half=st.booleans())),
    st.tuples(st.just({"kind": "huber"}), optional(delta=NUMBERS)),
    st.tuples(st.just({"kind": "absolute_error"}), st.just({})),
)
SUMS = optional(
    outputs=st.sampled_from(("sum", "mean")),
    samples=st.sampled_from(("sum", "mean")),
    l2=NUMBERS | st.just(0.0),
)
TRAIN = st.tuples(
    st.one_of(
        st.just({}),
        st.tuples(st.just({"optimizer": "momentum"}), optional(momentum=SHARES, nesterov=st.booleans())),
        st.tuples(st.just({"optimizer": "rmsprop"}), optional(alpha=SHARES, eps=NUMBERS)),
        st.tuples(st.sampled_from(({"optimizer": "adam"}, {"optimizer": "adamw"})),
                  optional(betas=st.lists(SHARES, min_size=2, max_size=2), eps=NUMBERS)),
    ),
    optional(weight_decay=NUMBERS | st.just(0.0), order=st.sampled_from(("given", "shuffled")), learning_rate=NUMBERS,
             batch=st.sampled_from(("full", 2)), steps=st.integers(0, 9), clip_norm=NUMBERS),
)  # fmt: skip
NOTATION = optional(
    preactivation=st.sampled_from(("z", "a_hat", "ψ")),
    loss=st.sampled_from(("L", "ℒ", "J")),
    prediction=st.just("ŷ"),
)
VIEW = optional(
    screen=st.sampled_from(("stepper", "gradients", "relu")), target=st.just("W[1][0,0]"), sample=st.integers(0, 1),
    step=st.integers(1, 3), metric=st.sampled_from(("max", "mean", "l2", "delta")),
)  # fmt: skip


def merged(parts: Any) -> dict[str, Any]:
    """Nested tuples of dictionaries as one dictionary."""
    if isinstance(parts, dict):
        return parts
    return {key: value for part in parts for key, value in merged(part).items()}


@given(
    data=DATA, layers=LAYERS, init=INIT, loss=st.tuples(LOSS, SUMS), train=TRAIN, notation=NOTATION, view=VIEW,
    network=optional(bias=st.booleans(), weights=st.sampled_from(("in_out", "out_in"))),
    rest=optional(title=WORDS, about=WORDS, seed=st.integers(0, 2**32), dtype=st.sampled_from(("float32", "float64"))),
)  # fmt: skip
def test_what_is_written_reads_back_the_same(
    data: Any,
    layers: Any,
    init: Any,
    loss: Any,
    train: Any,
    notation: Any,
    view: Any,
    network: Any,
    rest: Any,
):
    document = {
        "data": merged(data),
        "network": {**network, "layers": [*map(merged, layers), {"units": 4}], "init": init},
        "loss": merged(loss),
        "train": {"optimizer": "sgd", **merged(train)},
        "notation": notation,
        "view": view,
        **rest,
    }
    experiment: Experiment = msgspec.convert(document, document_type())
    assume(not any(True for _ in problems(experiment)))
    assert parse_experiment(experiment_toml(experiment), "again") == experiment
