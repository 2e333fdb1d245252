"""The run log: whatever happens to the writer or the file, every complete record comes back, and nothing else."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bptui
from engine.experiment.datasets import load_data
from engine.experiment.layer_info import LayerInfo
from engine.experiment.loading import load_experiment
from engine.metrics.step_record import MAGNITUDES, MEASURES, StepRecord
from engine.runs.run_log import (
    LONGEST_LINE,
    RunLogError,
    RunLogHeader,
    RunLogReader,
    RunLogWriter,
    read_run_log,
)
from engine.runs.run_log_lines import (
    FIELDS_1_0,
    _record_decoder,
    decode_header,
    decode_record,
    encode_header,
    encode_record,
)
from engine.runs.run_log_reader import READ_BYTES
from engine.training.trainer import Trainer
from tests.engine.step_records import as_read_back, assert_same, record, records

HEADER = RunLogHeader(
    ("W[1]", "W[2]", "W[3]"), "A run", ("relu", "relu", "sigmoid"), (4, 4, 1), "2026-01-01T00:00:00"
)
ROOT = Path(__file__).parents[3]


def small_log(path: Path, count: int = 3) -> bytes:
    with RunLogWriter(path, HEADER) as writer:
        for step in range(count):
            writer.append(record(step))
    return path.read_bytes()


def steps(found: list[StepRecord]) -> list[int]:
    return [one.step for one in found]


# ── what stands in a line ───────────────────────────────────────────────────────────────────────────


def test_a_line_may_have_exactly_the_fields_of_a_step_record():
    every = [field.name for field in dataclasses.fields(StepRecord)]
    assert list(_record_decoder(tuple(MEASURES)).type.__struct_fields__) == [*every, "skipped"]
    first = [name for name in every if name == "step" or name in FIELDS_1_0]
    assert list(json.loads(encode_record(record()))) == [*first, "nulls"]


def no_constant(text: str) -> float:
    raise AssertionError(f"{text} is not JSON")


@given(records())
def test_a_record_becomes_one_line_of_strict_json_and_comes_back(written):
    line = encode_record(written)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    parsed = json.loads(line, parse_constant=no_constant)
    read = decode_record(line, 3)
    assert_same(read, as_read_back(written, FIELDS_1_0))
    assert not read.grad_l2.flags.writeable

    def nulls(value: object) -> int:
        return sum(map(nulls, value)) if isinstance(value, list) else value is None

    kept = {key: value for key, value in parsed.items() if key not in ("accuracy", "problem")}
    assert parsed["nulls"] == sum(nulls(value) for value in kept.values())


def test_unknown_fields_are_ignored_and_newer_versions_refused():
    line = json.dumps({**json.loads(encode_record(record(7))), "colour": [[{"a": 1}]]}).encode()
    assert decode_record(line, 3).step == 7
    header = json.loads(encode_header(HEADER))
    newer_minor = json.dumps({**header, "schema": "1.7", "extra": 1}).encode()
    assert decode_header(newer_minor, "run.jsonl") == HEADER
    for schema, words in (("2.0", "newer"), ("99999999999999999999.0", "newer"), ("one", "not a version")):
        with pytest.raises(RunLogError, match=words) as caught:
            decode_header(json.dumps({**header, "schema": schema}).encode(), "run.jsonl")
        assert str(caught.value).startswith("run.jsonl: ")
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"{}",
        b"[1]",
        b"\xff\xfe",
        b'{"format":"other","schema":"1.0","layers":[]}',
        encode_record(record()),
        b"[" * 10_000,
    ],
)
def test_a_file_that_begins_otherwise_is_no_run_log(tmp_path, first):
    path = tmp_path / "run.jsonl"
    path.write_bytes(first.rstrip(b"\n") + b"\n" + encode_record(record()))
    with pytest.raises(RunLogError) as caught:
        read_run_log(path)
    assert str(caught.value).startswith(f"{path}: not a run log")


# ── schema 1.1 ──────────────────────────────────────────────────────────────────────────────────────

FIELDS = tuple(MEASURES)
SHORT = ("loss", "grad_l2", "nonfinite", "clipped", "problem")


@given(records())
def test_a_short_line_of_every_field_comes_back_to_nine_digits(written):
    line = encode_record(written, FIELDS)
    json.loads(line, parse_constant=no_constant)
    read = decode_record(line, 3, None, FIELDS)
    expected = as_read_back(written, FIELDS, digits=9)
    # What is not finite is counted, whether or not the writer did.
    bad = int(not np.isfinite(expected.loss))
    bad += sum(int((~np.isfinite(getattr(expected, name))).sum()) for name in MAGNITUDES)
    assert_same(read, dataclasses.replace(expected, nonfinite=max(expected.nonfinite, bad)))


def test_a_field_that_is_listed_and_missing_has_its_default_and_one_that_is_not_listed_is_not_there():
    read = decode_record(b'{"step":7,"grad_l2":[1,2,3]}', 3, None, SHORT)
    assert (read.step, read.nonfinite, read.clipped, read.problem) == (7, 0, 1.0, None)
    assert np.isnan(read.loss)
    assert read.fields == {"step", *SHORT}
    assert np.isnan(read.delta_l2).all()
    assert list(read.dead) == [-1, -1, -1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"grad_l2":[1,2,3]}', "missing required field `step`"),
        (b'{"step":1,"loss":0.5}', "none of grad_max, grad_mean, grad_l2, delta_l2"),
        (b'{"step":1,"grad_l2":[1,2]}', "grad_l2 has 2 entries, not 3"),
        (b'{"step":1,"grad_l2":[1,"x",3]}', "$.grad_l2[1]"),
    ],
)
def test_a_short_line_that_cannot_be_read_names_the_field(tmp_path, line, words):
    path = tmp_path / "run.jsonl"
    header = dataclasses.replace(HEADER, fields=SHORT)
    path.write_bytes(encode_header(header) + b'{"step":0,"grad_l2":[1,2,3]}\n' + line + b"\n")
    (damage,) = read_run_log(path).damaged
    assert damage.line == 3
    assert words in damage.reason


def test_a_null_is_counted_as_not_finite_unless_its_layer_is_frozen(tmp_path):
    path = tmp_path / "run.jsonl"
    header = dataclasses.replace(HEADER, fields=SHORT, frozen=("W[1]",))
    path.write_bytes(
        encode_header(header)
        + b'{"step":0,"loss":1,"grad_l2":[null,2,3]}\n{"step":1,"loss":null,"grad_l2":[null,null,3]}\n'
        + b'{"step":2,"loss":null,"grad_l2":[null,null,3],"skipped":true}\n'
    )
    with RunLogReader(path) as reader:
        news = reader.poll()
    assert [one.nonfinite for one in news.records] == [0, 2]
    assert news.skipped == 1
    assert news.damaged == []


def test_a_1_1_header_comes_back_and_one_without_a_magnitude_is_refused(tmp_path):
    header = dataclasses.replace(
        HEADER,
        fields=SHORT,
        shapes=((4, 2), (4, 4), (4,)),
        measured="after clipping",
        every=10,
        ordered=False,
    )
    assert decode_header(encode_header(header), "log") == header
    assert json.loads(encode_header(header))["schema"] == "1.1"
    with pytest.raises(RunLogError, match='"fields" without any of grad_max'):
        decode_header(encode_header(dataclasses.replace(header, fields=("loss",))), "log")


def test_what_bptui_itself_records_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "run.jsonl"
    with bptui.RunLog(path, layers=["w1", "w2"], title="by hand", frozen=["w2"]) as log:
        log.step(0, loss=0.5, grad_l2=[1e-30, None], grad_max=[2.0, None], quiet_window=[3, -1])
        log.step(4, loss=0.25, grad_l2=[0.1, None], grad_max=[2.0, None], quiet_window=[3, -1], clipped=0.5)
    read = read_run_log(path)
    assert read.damaged == []
    assert read.header.layers == ("w1", "w2")
    assert [one.step for one in read.records] == [0, 4]
    assert read.records[1].clipped == 0.5
    assert read.records[1].nonfinite == 0
    assert list(read.records[0].quiet_window) == [3, -1]
    assert read.records[0].grad_l2[0] == 1e-30


def test_a_line_of_51_layers_with_every_field_takes_at_most_6200_bytes():
    experiment = load_experiment("vanishing-sigmoid-50")
    trainer = Trainer(experiment, load_data(experiment))
    trainer.limit = 20
    assert len(trainer.network.layers) == 51
    assert max(len(encode_record(record, FIELDS_1_0)) for record in trainer) <= 6200


# ── damage ──────────────────────────────────────────────────────────────────────────────────────────


def test_cut_at_every_byte_all_complete_records_come_back(tmp_path):
    path = tmp_path / "run.jsonl"
    content = encode_header(RunLogHeader(("W[1]",))) + b"".join(
        encode_record(record(step, 1)) for step in range(2)
    )
    # A line is complete with its closing brace; the newline after it may be missing.
    ends = [index for index, byte in enumerate(content) if byte == ord("\n")]
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        complete = sum(end <= length for end in ends)
        if 0 < length < ends[0]:
            with pytest.raises(RunLogError):
                read_run_log(path)
            continue
        log = read_run_log(path)
        assert steps(log.records) == list(range(max(complete - 1, 0)))
        whole = length == 0 or length in ends or length - 1 in ends
        assert [damage.line for damage in log.damaged] == ([] if whole else [complete + 1])
        with RunLogReader(path) as reader:  # nothing is said of a line that is still being written
            assert reader.poll().damaged == []


DAMAGED = [
    (b"{", "truncated"),
    (b"not json", "malformed"),
    (b"\0" * 50, "malformed"),
    (b"\xff", ""),
    (b"[]", "Expected `object`"),
    (b"{}", "missing required field `step`"),
    (b"[" * 100_000, ""),
    (encode_record(record(layers=2)).strip(), "grad_max has 2 entries, not 3"),
    (encode_record(record()).replace(b'"loss":0.5', b'"loss":"low"').strip(), "$.loss"),
    (encode_record(record()).replace(b'"loss":0.5', b'"loss":NaN').strip(), "malformed"),
    (encode_record(record()).replace(b'"step":0', b'"step":-3').strip(), "$.step"),
    (encode_record(record()).replace(b'"quiet":[0', b'"quiet":[99999999999999999999').strip(), "$.quiet"),
]


@pytest.mark.parametrize(("bad", "words"), DAMAGED)
def test_a_bad_line_is_reported_and_those_around_it_are_read(tmp_path, bad, words):
    path = tmp_path / "run.jsonl"
    lines = small_log(path, 4).splitlines()
    lines.insert(2, bad)
    path.write_bytes(b"\n".join(lines) + b"\n")
    log = read_run_log(path)
    assert steps(log.records) == [0, 1, 2, 3]
    (damage,) = log.damaged
    assert damage.line == 3
    assert words in damage.reason
    assert len(damage.reason) <= 200


@given(st.binary(max_size=200), st.integers(1, 3))
def test_any_bytes_between_the_lines_leave_the_other_records(tmp_path_factory, junk, at):
    path = tmp_path_factory.mktemp("log") / "run.jsonl"
    lines = small_log(path).splitlines()
    lines.insert(at, junk)
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert steps(read_run_log(path).records) == [0, 1, 2]


def test_a_line_that_is_too_long_is_passed_over_in_bounded_pieces(tmp_path):
    path = tmp_path / "run.jsonl"
    content = small_log(path)
    header, first, *rest = content.splitlines(keepends=True)
    path.write_bytes(header + first + b"x" * (LONGEST_LINE + READ_BYTES) + b"\n" + b"".join(rest))
    log = read_run_log(path)
    assert steps(log.records) == [0, 1, 2]
    assert [(damage.line, "longer than" in damage.reason) for damage in log.damaged] == [(3, True)]


def test_what_is_not_there_or_no_file_is_refused_in_one_line(tmp_path):
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(RunLogError) as caught:
            read_run_log(path)
        assert str(path) in str(caught.value)
    path = tmp_path / "empty.jsonl"
    path.touch()
    assert read_run_log(path).header is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RunLogError, match="not a regular file"):
        RunLogReader(tmp_path / "pipe").poll()


# ── following ───────────────────────────────────────────────────────────────────────────────────────


def test_a_growing_file_is_followed_byte_by_byte(tmp_path):
    source, path = tmp_path / "whole.jsonl", tmp_path / "run.jsonl"
    content = small_log(source)
    with RunLogReader(path) as reader, path.open("wb", buffering=0) as file:
        found: list[StepRecord] = []
        for index in range(len(content)):
            file.write(content[index : index + 1])
            news = reader.poll()
            assert not news.damaged
            assert not news.restarted
            found += news.records
        assert steps(found) == [0, 1, 2]
        assert reader.header == HEADER
        assert reader.poll().records == []


def test_the_reader_may_come_first(tmp_path):
    path = tmp_path / "run.jsonl"
    with RunLogReader(path) as reader:
        assert reader.poll().records == []
        assert not reader.found
        small_log(path)
        assert steps(reader.poll().records) == [0, 1, 2]


def test_a_replaced_file_is_read_to_its_end_and_then_the_new_one(tmp_path):
    path = tmp_path / "run.jsonl"
    with RunLogReader(path) as reader:
        first = RunLogWriter(path, HEADER)
        first.append(record(0))
        first.flush()
        assert steps(reader.poll().records) == [0]
        first.append(record(1))
        first.close()
        path.unlink()
        with RunLogWriter(path, RunLogHeader(("W[1]", "W[2]", "W[3]"), "Another")) as second:
            second.append(record(5))
        news = reader.poll()
        assert (steps(news.records), news.restarted) == ([1], False)
        news = reader.poll()
        assert (steps(news.records), news.restarted) == ([5], True)
        assert reader.header is not None
        assert reader.header.title == "Another"
        path.unlink()
        assert reader.poll().records == []


@pytest.mark.parametrize("grown", [False, True])
def test_a_file_that_was_emptied_and_written_again_is_another_run(tmp_path, grown):
    path = tmp_path / "run.jsonl"
    small_log(path)
    with RunLogReader(path) as reader:
        assert steps(reader.poll().records) == [0, 1, 2]
        again = encode_header(dataclasses.replace(HEADER, started="later"))
        again += b"".join(encode_record(record(step)) for step in range(9 if grown else 1))
        path.write_bytes(again)
        news = reader.poll()
        assert news.restarted
        assert steps(news.records) == list(range(9 if grown else 1))


def test_half_a_line_that_is_taken_back_is_no_new_run(tmp_path):
    path = tmp_path / "run.jsonl"
    content = small_log(path)
    with RunLogReader(path) as reader:
        path.write_bytes(content + b'{"step":3,"lo')
        assert steps(reader.poll().records) == [0, 1, 2]
        os.truncate(path, len(content))
        news = reader.poll()
        assert (news.records, news.restarted) == ([], False)
        with path.open("ab") as file:
            file.write(encode_record(record(9)))
        assert steps(reader.poll().records) == [9]


def test_a_long_log_comes_in_several_polls(tmp_path):
    path = tmp_path / "run.jsonl"
    count = 3 * READ_BYTES // len(encode_record(record(1000)))
    small_log(path, count)
    with RunLogReader(path) as reader:
        first = reader.poll()
        assert first.more
        assert 0 < len(first.records) < count
    assert steps(read_run_log(path).records) == list(range(count))


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────


def test_lines_go_to_the_system_together_and_whole(tmp_path, monkeypatch):
    written: list[bytes] = []
    real_write = os.write

    def watched(descriptor: int, block: bytes) -> int:
        written.append(bytes(block))
        return real_write(descriptor, block)

    monkeypatch.setattr(os, "write", watched)
    small_log(tmp_path / "run.jsonl", 500)
    assert all(block.endswith(b"\n") for block in written)
    assert len(written) < 10
    assert max(map(len, written)) < 2 * 64 * 2**10


def test_a_file_is_never_overwritten(tmp_path):
    path = tmp_path / "run.jsonl"
    content = small_log(path)
    with pytest.raises(FileExistsError):
        RunLogWriter(path, HEADER)
    assert path.read_bytes() == content


def test_a_closed_log_takes_no_records(tmp_path):
    writer = RunLogWriter(tmp_path / "run.jsonl", HEADER)
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.append(record())


class FullDisk:
    """An os.write that takes only so many bytes in all, and as many at a time."""

    def __init__(self, room: int, at_once: int = 2**20) -> None:
        self.room, self.at_once = room, at_once
        self.real_write = os.write

    def __call__(self, descriptor: int, block: bytes) -> int:
        taken = min(len(block), self.room, self.at_once)
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= taken
        return self.real_write(descriptor, bytes(block[:taken]))


def no_truncation(descriptor: int, length: int) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("at_once", [7, 2**20])
@pytest.mark.parametrize("truncates", [True, False])
def test_a_full_disk_leaves_whole_lines_one_warning_and_goes_on_when_there_is_room(
    tmp_path, monkeypatch, at_once, truncates
):
    path = tmp_path / "run.jsonl"
    lines = [encode_header(HEADER), *(encode_record(record(step)) for step in range(4))]
    total = sum(map(len, lines))
    # A header that is cut off and can be neither finished nor taken back leaves no readable file.
    for room in range(0 if truncates else len(lines[0]), total, 11):
        path.unlink(missing_ok=True)
        warnings: list[str] = []
        disk = FullDisk(room, at_once)
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", disk)
            if not truncates:
                patch.setattr(os, "ftruncate", no_truncation)
            writer = RunLogWriter(path, HEADER, warn=warnings.append)
            for step in range(4):
                writer.append(record(step))
            writer.flush()
            content = path.read_bytes()
            if truncates:
                assert content == b"" or content.endswith(b"\n")
            disk.room = 2**20
            writer.append(record(9))
            writer.close()
        log = read_run_log(path)
        kept = steps(log.records)
        assert kept == [*range(len(kept) - 1), 9]
        # A record that lacked only its newline is complete after all when that cannot be taken back.
        assert writer.lost - (4 - (len(kept) - 1)) in ((0,) if truncates else (0, 1))
        assert len(warnings) == 1
        assert "No space left" in warnings[0]
        assert len(log.damaged) <= (0 if truncates else 1)


def test_a_header_cut_off_for_good_makes_no_wrong_records(tmp_path, monkeypatch):
    path = tmp_path / "run.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", FullDisk(10))
        with RunLogWriter(path, HEADER) as writer:
            writer.append(record())
            assert path.read_bytes() == b""
    assert not path.exists()  # it would be in the way of the next attempt
    assert writer.lost == 1


def test_a_record_longer_than_readers_accept_is_lost(tmp_path):
    warnings: list[str] = []
    with RunLogWriter(tmp_path / "run.jsonl", HEADER, warn=warnings.append) as writer:
        writer.append(record(problem="x" * LONGEST_LINE))
        writer.append(record(1))
    assert (writer.lost, len(warnings)) == (1, 1)
    assert steps(read_run_log(writer.path).records) == [1]


LIMITED = """
import resource, sys
from pathlib import Path
from engine.runs.run_log import RunLogWriter
from engine.training.trainer import Trainer
from tests.engine.step_records import record
from tests.engine.runs.test_run_log import HEADER
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
writer = RunLogWriter(Path(sys.argv[1]), HEADER, warn=lambda text: print(text))
for step in range(1000):
    writer.append(record(step))
writer.close()
print(writer.lost)
"""


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no limit on the size of a file")
def test_a_file_that_the_system_will_not_let_grow(tmp_path):
    path = tmp_path / "run.jsonl"
    with python(LIMITED, str(path)) as process:
        output = process.communicate()[0].splitlines()
    assert process.returncode == 0
    assert len(output) == 2
    log = read_run_log(path)
    assert log.damaged == []
    assert path.stat().st_size <= 20_000
    assert path.read_bytes().endswith(b"\n")
    assert len(log.records) + int(output[1]) == 1000


ENDLESS = """
import itertools, sys, time
from pathlib import Path
from engine.runs.run_log import RunLogWriter
from engine.training.trainer import Trainer
from tests.engine.step_records import record
from tests.engine.runs.test_run_log import HEADER
writer = RunLogWriter(Path(sys.argv[1]), HEADER)
for step in itertools.count():
    writer.append(record(step))
    if step == 2000:
        print("running", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no SIGKILL")
def test_a_killed_writer_leaves_every_record_it_wrote_and_the_reader_saw_them_grow(tmp_path):
    path = tmp_path / "run.jsonl"
    with python(ENDLESS, str(path)) as process, RunLogReader(path) as reader:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        found = reader.poll().records
        deadline = time.monotonic() + 60
        while len(found) < 3000 and time.monotonic() < deadline:
            found += reader.poll().records
        process.send_signal(signal.SIGKILL)
        process.wait()
        news = reader.poll()
        found += news.records
        while news.more:
            news = reader.poll()
            found += news.records
        rest = reader.finish()
    assert len(found) >= 3000
    assert rest.damaged == []
    assert np.array_equal(steps(found), np.arange(len(found)))
    assert path.read_bytes().endswith(b"\n")


# ── another program's log ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layers": []}, "length >= 1"),
        ({"activations": ["relu"]}, "1 activations, not one for each of 3 layers"),
        ({"units": [4, 4, 1, 1]}, "4 units, not one for each of 3 layers"),
        ({"units": [4, 0, 1]}, ">= 1"),
        ({"norms": ["batch"]}, "1 norms"),
        ({"residuals": [True, False]}, "2 residuals"),
    ],
)
def test_a_header_that_does_not_fit_itself_is_refused_in_one_line(tmp_path, changes, words):
    path = tmp_path / "run.jsonl"
    path.write_text(json.dumps({**json.loads(encode_header(HEADER)), **changes}) + "\n")
    with pytest.raises(RunLogError) as caught:
        read_run_log(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{path}: not a run log: line 1 ")
    assert "\n" not in str(caught.value)


def test_norms_and_shortcuts_come_back_and_an_older_log_has_none(tmp_path):
    header = RunLogHeader(("W[1]", "W[2]"), norms=("batch", ""), residuals=(False, True))
    assert decode_header(encode_header(header), "log") == header
    older = json.loads(encode_header(header))
    del older["norms"], older["residuals"]
    found = decode_header(json.dumps(older).encode(), "log")
    assert (found.norms, found.residuals) == ((), ())
    assert [info.norm for info in header.infos] == ["batch", ""]
    assert [info.norm for info in found.infos] == [None, None]


def test_a_header_is_made_of_layers_and_says_them_again(tmp_path):
    infos = (
        LayerInfo("W[1]", "ReLU with batch norm", 4, "batch", False),
        LayerInfo("W[2]", "sigmoid", 1, "", False),
    )
    assert decode_header(encode_header(RunLogHeader.of(infos)), "log").infos == infos


def test_a_recall_of_another_number_of_classes_is_damage(tmp_path):
    path = tmp_path / "run.jsonl"
    with RunLogWriter(path, HEADER) as log:
        for step, recall in enumerate([(0.5, 1.0), (), (0.5, 1.0), (0.1, 0.2, 0.3)]):
            log.append(record(step, recall=recall))
    found = read_run_log(path)
    assert steps(found.records) == [0, 2]
    assert [(one.line, one.reason) for one in found.damaged] == [
        (3, "recall has 0 entries, not 2 as in the first record"),
        (5, "recall has 3 entries, not 2 as in the first record"),
    ]
