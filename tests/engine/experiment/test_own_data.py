"""Data that people bring: rows or columns, csv in all its shapes, NumPy archives, samples held out for testing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.experiment.data_shape import held_out_count
from engine.experiment.datasets import DataSet, load_data
from engine.experiment.errors import ExperimentError
from engine.experiment.loading import parse_experiment

REGRESSION = '\n[[network.layers]]\nunits = {units}\n[loss]\nkind = "squared_error"\n'
TWO_CLASSES = '\n[[network.layers]]\nunits = {units}\nactivation = "sigmoid"\n[loss]\nkind = "bce"\n'
CLASSES = '\n[[network.layers]]\nunits = {units}\nactivation = "softmax"\n[loss]\nkind = "cross_entropy"\n'


def load(data: str, folder: Path, rest: str = REGRESSION, units: int = 1) -> DataSet:
    experiment = parse_experiment(f"[data]\n{data}{rest.format(units=units)}", "lab.toml", folder)
    return load_data(experiment, source="lab.toml")


def csv(folder: Path, text: str, keys: str, rest: str = REGRESSION, units: int = 1) -> DataSet:
    (folder / "t.csv").write_text(text, "utf-8")
    return load(f'kind = "csv"\npath = "t.csv"\n{keys}', folder, rest, units)


def refusal(data: str, folder: Path, rest: str = REGRESSION, units: int = 1) -> str:
    with pytest.raises(ExperimentError) as caught:
        load(data, folder, rest, units)
    return str(caught.value)


# ------------------------------------------------------------------------------------ rows and columns


def test_rows_are_the_same_data_as_columns(tmp_path):
    columns = load('kind = "inline"\nX = [[1, 2, 3], [4, 5, 6]]\nY = [[7, 8, 9]]', tmp_path)
    rows = load(
        'kind = "inline"\nlayout = "rows"\nX = [[1, 4], [2, 5], [3, 6]]\nY = [[7], [8], [9]]', tmp_path
    )
    assert rows.X.tolist() == columns.X.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert rows.Y.tolist() == columns.Y.tolist() == [[7, 8, 9]]
    assert rows.X.flags.c_contiguous


@pytest.mark.parametrize(
    ("data", "rest", "line"),
    [
        (
            "X = [[1, 4], [2, 5]]\nY = [[7]]",
            REGRESSION,
            "lab.toml: data.Y: found 1 row; expected 2, one for each row of data.X",
        ),
        (
            "X = [[1, 4], [2]]\nY = [[7], [8]]",
            REGRESSION,
            "lab.toml: data.X[1]: found 1 value; expected 2, as many as data.X[0] has",
        ),
        (
            "X = [[1], [2]]\nY = [[0], [3]]",
            TWO_CLASSES,
            "lab.toml: data.Y[1][0]: found 3.0; expected a label from 0 to 1 for bce",
        ),
        (
            "X = [[1], [2]]\nY = [[0, 1], [1, 1]]",
            CLASSES,
            "lab.toml: data.Y: found row 1 with the sum 2; expected rows that sum to 1 for cross_entropy",
        ),
    ],
)
def test_what_is_wrong_in_rows_is_named_as_the_file_has_it(tmp_path, data, rest, line):
    units = 2 if rest is CLASSES else 1
    assert refusal(f'kind = "inline"\nlayout = "rows"\n{data}', tmp_path, rest, units) == line


# -------------------------------------------------------------------------------------------------- csv


def test_all_columns_but_the_label_are_features_and_an_index_without_a_name_is_not(tmp_path):
    made = csv(tmp_path, ",a,y,b\n0,1,2,3\n1,4,5,6\n", 'features = "*"\nlabel = "y"')
    assert made.feature_names == ("a", "b")
    assert made.X.tolist() == [[1, 4], [3, 6]]


def test_patterns_and_names_are_taken_in_the_order_asked_for_and_each_column_once(tmp_path):
    made = csv(tmp_path, "px0,py,px1,y\n1,2,3,4\n", 'features = ["py", "px*", "p*"]\nlabel = "y"')
    assert made.feature_names == ("py", "px0", "px1")


def test_several_labels_are_several_outputs(tmp_path):
    text = "a,y1,y2\n1,0.5,2\n3,4,6\n"
    assert csv(tmp_path, text, 'features = "*"\nlabel = ["y2", "y1"]', units=2).Y.tolist() == [
        [2, 6],
        [0.5, 4],
    ]


def test_several_labels_are_the_probabilities_of_cross_entropy(tmp_path):
    made = csv(tmp_path, "a,p,q\n1,0.25,0.75\n3,1,0\n", 'features = "*"\nlabel = ["p", "q"]', CLASSES, 2)
    assert made.class_names == ("p", "q")
    with pytest.raises(ExperimentError, match=r"t\.csv: line 3: found labels with the sum 1\.5; expected"):
        csv(tmp_path, "a,p,q\n1,0.25,0.75\n3,1,0.5\n", 'features = "*"\nlabel = ["p", "q"]', CLASSES, 2)


def test_categories_become_rows_of_zeros_and_ones(tmp_path):
    text = "colour,a,y\nred,1,0\nblue,2,1\nred,3,1\n"
    made = csv(tmp_path, text, 'features = "*"\nlabel = "y"\ncategorical = ["colour"]')
    assert made.feature_names == ("colour=blue", "colour=red", "a")
    assert made.X.tolist() == [[0, 1, 0], [1, 0, 1], [1, 2, 3]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(tmp_path, delimiter):
    text = "a,b,y\n1.5,2,3\n4,5,6\n".replace(",", delimiter)
    assert csv(tmp_path, text, 'features = ["b", "a"]\nlabel = "y"').X.tolist() == [[2, 5], [1.5, 4]]


def test_decimal_commas_are_read_where_they_are_announced(tmp_path):
    text = 'a;b;y\n1,5;-2,25e1;3\n"4,0";5;6,5\n'
    made = csv(tmp_path, text, 'features = "*"\nlabel = "y"\ndecimal = ","')
    assert made.X.tolist() == [[1.5, 4], [-22.5, 5]]
    assert made.Y.tolist() == [[3, 6.5]]
    with pytest.raises(ExperimentError) as caught:
        csv(tmp_path, text, 'features = "*"\nlabel = "y"')
    assert str(caught.value).endswith(
        't.csv: line 2, column "a": found "1,5"; expected a finite number '
        '(is it a decimal comma? decimal = "," reads it)'
    )


def test_without_a_header_row_no_row_is_lost_and_columns_have_numbers(tmp_path):
    made = csv(tmp_path, "1,2,3\n4,5,6\n", 'features = "*"\nlabel = "c2"\nheader = false')
    assert made.feature_names == ("c0", "c1")
    assert made.X.tolist() == [[1, 4], [2, 5]]
    with pytest.raises(ExperimentError, match="holds only numbers; without a header row, header = false"):
        csv(tmp_path, "1,2,3\n4,5,6\n", 'features = "*"\nlabel = "c2"')


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (
            'features = ["q*"]\nlabel = "y"',
            'data.features[0]: found "q*"; expected a pattern that matches columns',
        ),
        ('features = ["a"]\nlabel = ["z"]', 'data.label[0]: found "z"; expected a column of t.csv'),
        (
            'features = ["a"]\nlabel = []',
            "data.label: found an empty list; expected the names of one or more",
        ),
        ('features = ["a"]\nlabel = ["y", "y"]', 'data.label[1]: found "y" again; expected each column once'),
        (
            'features = ["a", "y"]\nlabel = ["y"]',
            'data.label[0]: found "y", which is a feature; expected a column',
        ),
        (
            'features = ["a"]\nlabel = "y"\ncategorical = ["b"]',
            'data.categorical[0]: found "b"; expected one of the features',
        ),
        (
            'features = ["a"]\nlabel = "y"\ndelimiter = ";;"',
            'data.delimiter: found ";;"; expected one character',
        ),
        (
            'features = ["a"]\nlabel = "y"\ndelimiter = ","\ndecimal = ","',
            'data.delimiter: found "," for both; expected another than the decimal',
        ),
        (
            'features = ["a"]\nlabel = "y"\ntest_share = 1.0',
            "data.test_share: found 1.0; expected a number from 0",
        ),
        ('features = ["a"]\nlabel = "y"\ndecimal = ";"', 'data.decimal: found ";"; expected "," or "."'),
    ],
)
def test_keys_that_make_no_sense_are_refused_by_name(tmp_path, keys, line):
    (tmp_path / "t.csv").write_text("a,b,y\n1,2,3\n")
    assert refusal(f'kind = "csv"\npath = "t.csv"\n{keys}', tmp_path).startswith(f"lab.toml: {line}")


def test_given_weights_are_held_against_the_table_once_it_is_read(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,y\n1,2,3\n")
    layer = '\n[[network.layers]]\nunits = 1\nW = [[1.0]]\n[loss]\nkind = "squared_error"\n'
    told = refusal('kind = "csv"\npath = "t.csv"\nfeatures = "*"\nlabel = "y"', tmp_path, layer)
    assert told == "lab.toml: network.layers[0].W: found 1 row; expected 2, one for each row of X"


# -------------------------------------------------------------------------------------------------- npz


def test_a_numpy_archive_in_both_layouts(tmp_path):
    X, Y = np.arange(6.0).reshape(2, 3), np.arange(3.0)[None, :]
    np.savez(tmp_path / "columns.npz", X=X, Y=Y)
    np.savez_compressed(tmp_path / "rows.npz", inputs=X.T.astype("f4"), labels=Y[0].astype("i8"))
    columns = load('kind = "npz"\npath = "columns.npz"', tmp_path)
    names = 'kind = "npz"\npath = "rows.npz"\nX = "inputs"\nY = "labels"\nlayout = "rows"'
    rows = load(names, tmp_path)
    for made in (columns, rows):
        assert made.X.tolist() == X.tolist()
        assert made.Y.tolist() == Y.tolist()


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"X": np.ones((2, 3))}, 'data.Y: found "Y"; expected an array of numbers in d.npz'),
        (
            {"X": np.ones((2, 3)), "Y": np.ones((2, 2, 2))},
            "Y: found an array of shape (2, 2, 2); expected a matrix",
        ),
        (
            {"X": np.ones((2, 3)), "Y": np.ones((1, 2))},
            "found 3 samples in X and 2 samples in Y; expected as many",
        ),
        (
            {"X": np.full((2, 3), np.nan), "Y": np.ones(3)},
            "X: found numbers that are not finite; expected finite",
        ),
        (
            {"X": np.array([["a"]]), "Y": np.ones(3)},
            'data.X: found "X"; expected an array of numbers in d.npz',
        ),
        (
            {"X": np.array([None]), "Y": np.ones(3)},
            'data.X: found "X"; expected an array of numbers in d.npz',
        ),
    ],
)
def test_an_archive_that_cannot_be_used_is_refused_in_one_line(tmp_path, arrays, told):
    np.savez(tmp_path / "d.npz", **arrays)
    assert told in refusal('kind = "npz"\npath = "d.npz"', tmp_path)


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "d.npz").write_text("no archive")
    told = refusal('kind = "npz"\npath = "d.npz"', tmp_path)
    assert told.endswith(
        "d.npz: found something else; expected a NumPy archive (.npz), as numpy.savez writes it"
    )
    assert refusal('kind = "npz"\npath = "none.npz"', tmp_path).endswith("none.npz: no such file")
    assert "expected a NumPy archive" in refusal('kind = "npz"\npath = "."', tmp_path)


# -------------------------------------------------------------------------------------- held-out samples


@given(st.floats(0, 0.99), st.integers(1, 10**6))
def test_the_held_out_samples_are_the_share_rounded_up(share, n):
    assert share * n - 1e-6 <= held_out_count(share, n) < share * n + 1 + 1e-6


def test_a_share_is_taken_as_it_is_written():
    assert held_out_count(0.07, 100) == 7  # 0.07 * 100 is 7.000000000000001


def test_every_sample_is_either_learned_from_or_held_out_and_the_seed_says_which(tmp_path):
    whole = load('kind = "moons"\nn = 10', tmp_path, TWO_CLASSES)
    parts = load('kind = "moons"\nn = 10\ntest_share = 0.25', tmp_path, TWO_CLASSES)
    again = load('kind = "moons"\nn = 10\ntest_share = 0.25', tmp_path, TWO_CLASSES)
    assert parts.held_out is not None
    assert (parts.X.shape[1], parts.held_out.X.shape[1]) == (7, 3)
    together = {*map(tuple, parts.X.T.tolist()), *map(tuple, parts.held_out.X.T.tolist())}
    assert together == {*map(tuple, whole.X.T.tolist())}
    assert parts.X.tolist() == again.X.tolist()


def test_held_out_samples_are_standardized_as_the_others_are(tmp_path):
    text = "a,y\n" + "".join(f"{value},0\n" for value in range(20))
    made = csv(tmp_path, text, 'features = "*"\nlabel = "y"\nstandardize = true\ntest_share = 0.3')
    raw = csv(tmp_path, text, 'features = "*"\nlabel = "y"\ntest_share = 0.3')
    assert made.held_out is not None
    assert raw.held_out is not None
    assert made.X.mean() == pytest.approx(0)
    assert pytest.approx((raw.held_out.X - raw.X.mean()) / raw.X.std()) == made.held_out.X


def test_a_share_that_leaves_nothing_to_learn_from_is_refused(tmp_path):
    assert refusal('kind = "xor"\ntest_share = 0.8', tmp_path, TWO_CLASSES).startswith(
        "lab.toml: data.test_share: found 0.8, which holds out all 4 samples; expected"
    )


def test_the_line_by_which_a_spreadsheet_is_told_the_delimiter_is_no_sample(tmp_path):
    data = csv(tmp_path, "sep=;\r\na;y\r\n1,5;2\r\n", 'features = "*"\nlabel = "y"\ndecimal = ","')
    assert data.X.tolist() == [[1.5]]
    assert data.feature_names == ("a",)


def test_a_spreadsheet_s_unicode_text_is_read(tmp_path):
    (tmp_path / "u.txt").write_bytes("größe\tziel\r\n1.5\t2\r\n".encode("utf-16"))
    keys = 'kind = "csv"\npath = "u.txt"\nfeatures = ["größe"]\nlabel = "ziel"'
    assert load(keys, tmp_path).X.tolist() == [[1.5]]
