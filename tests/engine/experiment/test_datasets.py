"""The samples: their shapes, their seeds, the statistics they promise, and CSV files good and bad."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.experiment import csv_file, validation
from engine.experiment.data_shape import declared_shape
from engine.experiment.datasets import load_data, standardized
from engine.experiment.errors import ExperimentError
from engine.experiment.generated_datasets import VARIETY_A, VARIETY_B, wine
from engine.experiment.loading import parse_experiment
from engine.experiment.spec import (
    BceLoss,
    BlobsData,
    CirclesData,
    CrossEntropyLoss,
    CsvData,
    Data,
    Experiment,
    InlineData,
    LayerSpec,
    Loss,
    MoonsData,
    NetworkSpec,
    RandomData,
    SgdTraining,
    SpiralsData,
    SquaredErrorLoss,
    WineData,
    XorData,
)
from engine.formula.untrusted_text import is_plain
from tests.engine.experiment_texts import SMALLEST

BCE, SQUARED, CROSS = BceLoss(), SquaredErrorLoss(), CrossEntropyLoss()


def experiment(data: Data, loss: Loss = BCE, units: int = 1, **settings: object) -> Experiment:
    activation = {"bce": "sigmoid", "cross_entropy": "softmax"}.get(loss.kind, "linear")
    network = NetworkSpec(layers=[LayerSpec(units=units, activation=activation)])
    return msgspec.structs.replace(Experiment(data=data, network=network, loss=loss), **settings)


EVERY_GENERATOR = [
    WineData(n=33),
    XorData(n=9, noise=0.1),
    MoonsData(n=7),
    CirclesData(n=8),
    SpiralsData(n=9),
    BlobsData(n=10),
    RandomData(n=6, features=3),
]


# --------------------------------------------------------------------------- what holds for all of them


@pytest.mark.parametrize("data", EVERY_GENERATOR, ids=lambda data: data.kind)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("ones_row", [False, True])
def test_the_arrays_have_the_declared_shape_type_and_order(data, dtype, ones_row):
    wanted = experiment(msgspec.structs.replace(data, ones_row=ones_row), dtype=dtype)
    made = load_data(wanted)
    shape = declared_shape(wanted)
    assert made.X.shape == (shape.features, shape.n)
    assert made.Y.shape == (shape.outputs, shape.n)
    assert len(made.feature_names) == shape.features
    for array in (made.X, made.Y):
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert not array.flags.writeable
    if ones_row:
        assert made.feature_names[0] == "1"
        assert np.all(made.X[0] == 1)


@pytest.mark.parametrize("data", EVERY_GENERATOR, ids=lambda data: data.kind)
def test_the_seed_and_nothing_else_decides_the_draw(data):
    made = load_data(experiment(data, seed=3))
    again = load_data(experiment(data, seed=3, train=SgdTraining(learning_rate=9.0), title="another"))
    other = load_data(experiment(data, seed=4))
    assert np.array_equal(made.X, again.X)
    assert np.array_equal(made.Y, again.Y)
    assert not np.array_equal(made.X, other.X) or isinstance(data, SpiralsData | MoonsData)


def test_float32_data_are_the_float64_data_rounded():
    wide = load_data(experiment(WineData(n=50)))
    narrow = load_data(experiment(WineData(n=50), dtype="float32"))
    assert np.array_equal(narrow.X, wide.X.astype("float32"))


@pytest.mark.parametrize("data", EVERY_GENERATOR, ids=lambda data: data.kind)
def test_one_sample_is_enough(data):
    assert load_data(experiment(msgspec.structs.replace(data, n=1))).X.shape[1] == 1


@pytest.mark.parametrize(
    ("loss", "classes", "rows"), [(BCE, 2, 1), (SQUARED, 2, 1), (SQUARED, 3, 3), (CROSS, 2, 2), (CROSS, 3, 3)]
)
def test_labels_take_the_form_that_the_loss_wants(loss, classes, rows):
    made = load_data(experiment(BlobsData(n=9, classes=classes), loss, units=rows))
    turns = np.arange(9) % classes
    assert made.Y.shape == (rows, 9)
    if rows == 1:
        assert np.array_equal(made.Y[0], turns)
    else:
        assert np.array_equal(made.Y, np.eye(classes)[:, turns])
    assert made.class_names == tuple(f"blob {index}" for index in range(classes))


def test_noise_that_overflows_is_refused():
    with pytest.raises(ExperimentError, match=r"data: found numbers too large .* float32 can hold") as caught:
        load_data(experiment(XorData(n=400, noise=3e38), dtype="float32"), source="lab.toml")
    assert caught.value.source == "lab.toml"


# ------------------------------------------------------------------------------------------- each kind


def test_inline_data_are_taken_as_they_are():
    made = load_data(experiment(InlineData(X=[[1, 2], [3, 4]], Y=[[0, 1]], ones_row=True)))
    assert made.X.tolist() == [[1, 1], [1, 2], [3, 4]]
    assert made.Y.tolist() == [[0, 1]]
    assert made.feature_names == ("1", "x0", "x1")
    assert made.class_names == ("0", "1")
    assert load_data(experiment(InlineData(X=[[1]], Y=[[7]]), SQUARED)).class_names == ()


def test_xor_is_the_truth_table():
    made = load_data(experiment(XorData()))
    assert made.X.tolist() == [[0, 0, 1, 1], [0, 1, 0, 1]]
    assert made.Y.tolist() == [[0, 1, 1, 0]]


def test_noisy_xor_repeats_the_corners():
    made = load_data(experiment(XorData(n=400, noise=0.05)))
    exact = load_data(experiment(XorData(n=400)))
    assert np.array_equal(made.Y, exact.Y)
    assert np.std(made.X - exact.X) == pytest.approx(0.05, rel=0.15)


def test_moons_circles_spirals_and_blobs_lie_on_their_curves():
    moons = load_data(experiment(MoonsData(n=21, noise=0)))
    upper, lower = moons.X[:, moons.Y[0] == 0], moons.X[:, moons.Y[0] == 1]
    assert np.hypot(*upper) == pytest.approx(1)
    assert np.hypot(1 - lower[0], 0.5 - lower[1]) == pytest.approx(1)
    assert upper[:, [0, -1]] == pytest.approx(np.array([[1, -1], [0, 0]]))
    circles = load_data(experiment(CirclesData(n=20, noise=0)))
    assert np.hypot(*circles.X) == pytest.approx(np.where(circles.Y[0] == 0, 1, 0.5))
    spirals = load_data(experiment(SpiralsData(n=20, noise=0)))
    assert spirals.X[:, :2] == pytest.approx(0)
    assert spirals.X[:, -2:] == pytest.approx(np.array([[1, -1], [0, 0]]))
    blobs = load_data(experiment(BlobsData(n=20, noise=0)))
    assert pytest.approx(np.stack([1 - 2 * blobs.Y[0], np.zeros(20)])) == blobs.X


def test_random_labels_suit_the_loss():
    coins = load_data(experiment(RandomData(n=500, features=2, outputs=2), units=2))
    assert set(np.unique(coins.Y)) == {0, 1}
    assert coins.Y.mean() == pytest.approx(0.5, abs=0.1)
    one_hot = load_data(experiment(RandomData(n=500, features=2, outputs=3), CROSS, units=3))
    assert np.all(one_hot.Y.sum(axis=0) == 1)
    assert set(np.unique(one_hot.Y)) == {0, 1}
    normal = load_data(experiment(RandomData(n=500, features=2), SQUARED))
    assert abs(normal.Y.mean()) < 0.2
    assert normal.Y.std() == pytest.approx(1, abs=0.15)
    assert coins.X.std() == pytest.approx(1, abs=0.1)


# ------------------------------------------------------------------------------------------------ wine


def test_wine_has_a_hundred_of_a_and_a_thousand_of_b():
    made = load_data(experiment(WineData(ones_row=True)))
    assert made.feature_names == ("1", "colour intensity", "alcohol")
    assert made.class_names == ("variety B", "variety A")
    assert made.X.shape == (3, 1100)
    assert made.Y.sum() == 100
    assert 0 < made.Y[0, :220].sum() < 100  # in random order: any part has some of both
    assert load_data(experiment(WineData(n=3))).Y.sum() == 1


@pytest.mark.parametrize(("label", "variety"), [(1, VARIETY_A), (0, VARIETY_B)])
def test_wine_follows_the_statistics_of_the_uci_data_within_sampling_error(label, variety):
    X, classes = wine(1100 * 20, np.random.default_rng(5))
    rows = X[:, classes == label]
    n = rows.shape[1]
    four_errors = 4 / np.sqrt(n)  # of a mean, in standard deviations
    assert rows.mean(axis=1) == pytest.approx(variety.mean, abs=four_errors * max(variety.std))
    assert (rows.mean(axis=1) - variety.mean) / variety.std == pytest.approx(0, abs=four_errors)
    assert rows.std(axis=1) / variety.std == pytest.approx(1, abs=four_errors / np.sqrt(2))
    assert np.corrcoef(rows)[0, 1] == pytest.approx(variety.correlation, abs=four_errors)


def test_standardize_gives_each_feature_mean_zero_and_deviation_one():
    made = load_data(experiment(WineData(standardize=True, ones_row=True)))
    assert np.all(made.X[0] == 1)
    assert made.X[1:].mean(axis=1) == pytest.approx(0)
    assert made.X[1:].std(axis=1) == pytest.approx(1)
    assert standardized(np.full((1, 5), 7.0)).tolist() == [[0.0] * 5]


# -------------------------------------------------------------------------------------------------- csv

WINES = """alcohol, colour ,variety
13.1,5.6,A

12.2, 3.1 ,B
12.5,2.8,B
"""


def csv_data(**changes: object) -> CsvData:
    data = CsvData(path="wines.csv", features=["colour", "alcohol"], label="variety")
    return msgspec.structs.replace(data, **changes)


def read_csv(folder: Path, text: str | bytes, loss: Loss = BCE, units: int = 1, **changes: object):
    (folder / "wines.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_data(experiment(csv_data(**changes), loss, units), folder, "lab.toml")


def test_csv_columns_are_chosen_by_name_in_the_order_asked_for(tmp_path):
    made = read_csv(tmp_path, WINES, ones_row=True)
    assert made.X.tolist() == [[1, 1, 1], [5.6, 3.1, 2.8], [13.1, 12.2, 12.5]]
    assert made.feature_names == ("1", "colour", "alcohol")
    assert made.Y.tolist() == [[0, 1, 1]]  # A before B
    assert made.class_names == ("A", "B")


def test_csv_labels_follow_the_loss(tmp_path):
    three = WINES.replace("2.8,B", "2.8,C")
    one_hot = read_csv(tmp_path, three, CROSS, units=3)
    assert one_hot.Y.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert one_hot.class_names == ("A", "B", "C")
    assert read_csv(tmp_path, three, SQUARED, units=3).Y.tolist() == one_hot.Y.tolist()
    numbers = "colour,alcohol,variety\n1,2,10\n3,4,9\n5,6,10\n"
    assert read_csv(tmp_path, numbers, SQUARED).Y.tolist() == [[10, 9, 10]]
    by_size = read_csv(tmp_path, numbers, CROSS, units=2)
    assert by_size.class_names == ("9", "10")
    assert by_size.Y.tolist() == [[0, 1, 0], [1, 0, 1]]
    shares = read_csv(tmp_path, "colour,alcohol,variety\n1,2,0.25\n3,4,1\n")
    assert shares.Y.tolist() == [[0.25, 1]]
    assert shares.class_names == ("0", "1")


def test_csv_may_be_standardized_and_may_begin_with_a_byte_order_mark(tmp_path):
    made = read_csv(tmp_path, WINES.encode("utf-8-sig"), standardize=True)
    assert made.X.mean(axis=1) == pytest.approx(0)
    assert made.X.std(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "changes", "source", "key", "problem"),
    [
        (
            WINES,
            {"features": ["colour", "alcohl"]},
            "lab.toml",
            "data.features[1]",
            'found "alcohl"; expected a column of wines.csv; did you mean "alcohol"?',
        ),
        (WINES, {"label": "kind"}, "lab.toml", "data.label", 'found "kind"; expected a column of wines.csv'),
        (
            WINES.replace("12.5", " "),
            {},
            "wines.csv",
            'line 5, column "alcohol"',
            "found nothing; expected a finite number",
        ),
        ("alcohol,variety,colour\n1,A,2\n1,B\n", {}, "wines.csv", 'line 3, column "colour"', "found nothing"),
        (
            WINES.replace("12.5", "high"),
            {},
            "wines.csv",
            'line 5, column "alcohol"',
            'found "high"; expected a',
        ),
        (
            WINES.replace("12.5", "nan"),
            {},
            "wines.csv",
            'line 5, column "alcohol"',
            'found "nan"; expected a',
        ),
        (
            WINES.replace("12.5", "1e999"),
            {},
            "wines.csv",
            'line 5, column "alcohol"',
            'found "1e999"; expected',
        ),
        (
            WINES.replace("2.8,B", "2.8,"),
            {},
            "wines.csv",
            'line 5, column "variety"',
            "found nothing; expected",
        ),
        (WINES.replace("2.8,B", "2.8,\x1b"), {}, "wines.csv", 'line 5, column "variety"', r'found "\x1b"'),
        (WINES.replace("2.8,B", "2.8,B,C"), {}, "wines.csv", "line 5", "found 4 cells; expected 3, as many"),
        (WINES.replace("2.8,B", "2.8,C"), {}, "wines.csv", "", "found 3 different labels in column"),
        (WINES.replace("B", "A"), {}, "wines.csv", "", "found 1 different label"),
        ("colour,alcohol,variety\n", {}, "wines.csv", "", "found no rows below the header"),
        ("", {}, "wines.csv", "", "found an empty file; expected a header row"),
        (" \n\n", {}, "wines.csv", "", "found an empty file; expected a header row"),
        (
            "colour,colour\n1,2\n",
            {},
            "wines.csv",
            "line 1",
            'found two columns "colour"; expected one of each',
        ),
        (
            'colour,alcohol,variety\n1,2,"A',
            {},
            "wines.csv",
            "line 2",
            "not valid CSV: unexpected end of data",
        ),
        (b"colour,alcohol\n\xff\xfe", {}, "wines.csv", "", "found bytes that are not text (at byte 16)"),
        (
            "colour,alcohol,variety\n1,2,0\n1,2,2\n",
            {},
            "wines.csv",
            'line 3, column "variety"',
            'found "2"; expected a label from 0 to 1 for bce',
        ),
        (
            "colour,alcohol,variety\n1,2,0\n1,2,one\n",
            {},
            "wines.csv",
            'line 3, column "variety"',
            'found "one"; expected a finite number, as in line 2',
        ),
    ],
)
def test_a_csv_file_that_cannot_be_used_is_refused_by_place(tmp_path, text, changes, source, key, problem):
    with pytest.raises(ExperimentError) as caught:
        read_csv(tmp_path, text, **changes)
    error = caught.value
    assert error.source == ("lab.toml" if source == "lab.toml" else str(tmp_path / source))
    assert error.key == key
    assert problem in error.problem
    assert is_plain(str(error))


def test_csv_files_that_cannot_be_read_are_refused(tmp_path, monkeypatch):
    with pytest.raises(ExperimentError, match="no such file"):
        load_data(experiment(csv_data(path="none.csv")), tmp_path)
    with pytest.raises(ExperimentError, match="found a folder; expected a file"):
        load_data(experiment(csv_data(path=".")), tmp_path)
    monkeypatch.setattr(csv_file, "LARGEST_CSV_FILE", 10)
    with pytest.raises(ExperimentError, match="found a file of 70 bytes; expected at most 10 bytes"):
        read_csv(tmp_path, WINES + " " * (70 - len(WINES)))


def test_what_only_the_csv_file_can_tell_is_checked_once_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "wines.csv").write_text(WINES)
    wanted = experiment(csv_data(), CROSS, units=3)
    with pytest.raises(
        ExperimentError, match=r"lab.toml: network\.layers\[0\]\.units: found 3 units; expected 2"
    ):
        load_data(wanted, tmp_path, "lab.toml")
    with pytest.raises(ExperimentError, match=r"train\.batch: found 4; expected \"full\" or at most 3"):
        load_data(experiment(csv_data(), train=SgdTraining(batch=4)), tmp_path)
    monkeypatch.setattr(validation, "SMALL", 0)
    monkeypatch.setattr(validation, "memory_limit", lambda: 10)
    with pytest.raises(ExperimentError, match="would take"):
        load_data(experiment(csv_data()), tmp_path)


def test_bce_takes_one_output_for_each_of_several_classes():
    text = SMALLEST.replace('kind = "xor"', 'kind = "blobs"\nclasses = 3').replace("units = 1", "units = 3")
    experiment = parse_experiment(text, "test")
    assert isinstance(experiment.loss, BceLoss)
    data = load_data(experiment)
    np.testing.assert_array_equal(data.Y.sum(axis=0), np.ones(data.Y.shape[1]))
    assert data.Y.shape[0] == len(data.class_names) == 3
