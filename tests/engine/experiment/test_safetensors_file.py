"""Safetensors files: what NumPy and PyTorch write is read to the last bit; what is damaged is refused in one line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.experiment.errors import ExperimentError
from engine.experiment.safetensors_file import read_safetensors

numpy_writer = pytest.importorskip("safetensors.numpy", reason="needs safetensors, of the extra `test`")


def test_what_numpy_writes_is_read_in_the_natural_order_of_names(tmp_path):
    generator = np.random.default_rng(0)
    wrote = {
        "fc10.weight": generator.standard_normal((2, 3)),
        "fc2.weight": generator.standard_normal((3, 2)).astype("f4"),
        "half": generator.standard_normal(4).astype("f2"),
        "whole": np.arange(3),
        "none": np.zeros((0, 2)),
    }
    numpy_writer.save_file(wrote, tmp_path / "m.safetensors")
    found = read_safetensors(tmp_path / "m.safetensors")
    assert list(found) == ["fc2.weight", "fc10.weight", "half", "none", "whole"]
    for name, array in wrote.items():
        assert found[name].dtype == np.float64
        np.testing.assert_array_equal(found[name], array)


def test_what_pytorch_writes_is_read_also_in_bfloat16(tmp_path):
    torch = pytest.importorskip("torch", reason="needs PyTorch, of the extra `torch`")
    writer = pytest.importorskip("safetensors.torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    writer.save_file(model.state_dict() | {"rough": torch.randn(5).bfloat16()}, tmp_path / "m.safetensors")
    found = read_safetensors(tmp_path / "m.safetensors")
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(found[name], value.numpy())
    rough = writer.load_file(tmp_path / "m.safetensors")["rough"]
    np.testing.assert_array_equal(found["rough"], rough.float().numpy())


def packed(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


FITTING = {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "found something else; expected a safetensors file"),
        (b"\xff" * 30, "found something else; expected a safetensors file"),
        (packed([1, 2]), "found something else; expected a safetensors file"),
        (packed({"w": FITTING}, b"1234"), '"w": found an entry that does not fit the file'),
        (
            packed({"w": {**FITTING, "shape": [2]}}, b"12345678"),
            '"w": found an entry that does not fit the file',
        ),
        (packed({"w": {**FITTING, "shape": [-1, -1]}}, b"12345678"), '"w": found an entry that does not fit'),
        (packed({"w": "\x1b"}, b"12345678"), '"w": found an entry that does not fit the file'),
        (
            packed({"w": {**FITTING, "dtype": "F8_E4M3"}}, b"1"),
            '"w": found numbers of kind "F8_E4M3"; expected F32',
        ),
        (packed({"w": FITTING})[:-3], "found something else; expected a safetensors file"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(tmp_path, content, told):
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(ExperimentError) as caught:
        read_safetensors(tmp_path / "m.safetensors")
    assert told in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path):
    for path, told in ((tmp_path / "none", "no such file"), (tmp_path, "no regular file")):
        with pytest.raises(ExperimentError, match=told):
            read_safetensors(path)
