"""TensorBoard's event files, read without TensorBoard: framed protobuf messages, of which a few fields are needed.

    length (8 bytes) | its crc | Event | crc         Event: step = 2, summary = 5 { value = 1 { tag = 1, number } }

A number is a simple_value, a tensor of one entry, or a histogram, of which the root of the sum of squares is taken: the
L2 norm of what was histogrammed. The length's crc tells where a file is damaged. `add_scalars` writes a subfolder a
line, which belongs to the run above it.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.runs.other_logs.tagged_scalars import ScalarTable
from engine.runs.run_log_lines import RunLogError, RunLogHeader
from engine.runs.run_log_reader import READ_BYTES, Damage, News

PREFIX = "events.out.tfevents."

LONGEST_EVENT = 64 * 2**20
"""In bytes: a longer one is damage (pictures of more than this are logged by nobody)."""

_CASTAGNOLI = 0x82F63B78


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (_CASTAGNOLI if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_TABLE = _crc_table()


def masked_crc(data: bytes) -> int:
    """The masked CRC-32C of TFRecord files: rotated and shifted."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@dataclass
class _File:
    """One event file, as far as it has been read. `folder` is the add_scalars subfolder it stands in, "" for none."""

    path: Path
    folder: str
    at: int = 0
    events: int = 0
    broken: bool = False


class TensorBoardEvents:
    """Reads TensorBoard's event files of one run while they grow: a folder with its subfolders, or a single file."""

    def __init__(self, path: Path, names: str | None = None) -> None:
        self.path = path
        self.header: RunLogHeader | None = None
        self._table = ScalarTable(str(path), names)
        self._files: dict[Path, _File] = {}
        self._quiet = True

    @property
    def found(self) -> bool:
        """Whether there is an event file."""
        return bool(self._files)

    def poll(self) -> News:
        """The records of the steps that are whole."""
        news = News()
        self._look()
        budget = READ_BYTES
        for file in self._files.values():
            if budget > 0 and not file.broken:
                budget -= self._read(file, news)
        news.more = budget <= 0
        self._give(news, final=not news.more and self._quiet)
        self._quiet = True
        return news

    def finish(self) -> News:
        """The record of the newest step."""
        news = News()
        self._give(news, final=True)
        return news

    def close(self) -> None:
        """Closes nothing: no file stays open."""

    def _give(self, news: News, *, final: bool) -> None:
        title = self.path.name if self.path.is_dir() else self.path.parent.name
        self.header, records, restarted = self._table.take(title, final=final)
        news.records += records
        news.restarted = news.restarted or restarted

    def _look(self) -> None:
        """Finds files that are new, oldest first; begins again where one was cut short."""
        try:
            for path, folder in _event_files(self.path):
                file = self._files.get(path)
                if file is None:
                    self._files[path] = _File(path, folder)
                elif path.stat().st_size < file.at:
                    file.at, file.broken = 0, False
        except OSError as error:
            raise RunLogError(f"{self.path}: cannot be read: {error.strerror or error}") from None

    def _read(self, file: _File, news: News) -> int:
        """Takes what is new in a file; returns how many bytes that was."""
        with file.path.open("rb") as stream:
            stream.seek(file.at)
            data = stream.read(READ_BYTES)
            if len(data) == READ_BYTES:
                (length,) = struct.unpack_from("<Q", data)
                if READ_BYTES < length + 16 <= LONGEST_EVENT:
                    data += stream.read(length + 16 - READ_BYTES)
        at = 0
        while len(data) - at >= 12:
            length, crc = struct.unpack_from("<QI", data, at)
            if masked_crc(data[at : at + 8]) != crc or length > LONGEST_EVENT:
                file.broken = True
                reason = f"the length of event {file.events + 1} is damaged; the rest of the file is not read"
                news.damaged.append(Damage(file.events + 1, f"{file.path.name}: {reason}"))
                break
            if len(data) - at < length + 16:
                break  # not written to its end yet
            self._take(data[at + 12 : at + 12 + length], file, news)
            file.events += 1
            at += length + 16
        file.at += at
        return at

    def _take(self, event: bytes, file: _File, news: News) -> None:
        try:
            step, pairs = _numbers_of(event)
        except (ValueError, IndexError, struct.error, UnicodeDecodeError) as error:
            news.damaged.append(Damage(file.events + 1, f"{file.path.name}: no event ({error})"))
            return
        for tag, value in pairs:
            name = f"{tag}/{_line_of(tag, file.folder)}" if file.folder else tag
            self._table.add(step, name, value)
            self._quiet = False


def is_event_file(path: Path) -> bool:
    """Whether a file is named as TensorBoard's writers name them."""
    return PREFIX in path.name


def _event_files(path: Path) -> list[tuple[Path, str]]:
    if not path.is_dir():
        return [(path, "")] if path.exists() else []
    own = [(one, "") for one in sorted(path.iterdir()) if one.is_file() and is_event_file(one)]
    below = [
        (one, folder.name)
        for folder in path.iterdir()
        if folder.is_dir()
        for one in folder.iterdir()
        if is_event_file(one)
    ]
    # Their names end in time, host, process and a counter: that is the order in which add_scalars made them.
    below.sort(key=lambda pair: [int(part) for part in re.findall(r"\d+", pair[0].name)])
    return own + below if own else own


def _line_of(tag: str, folder: str) -> str:
    """The line's name in what add_scalars calls its subfolder: the tag, an underscore, the name."""
    return folder.removeprefix(tag.replace("/", "_") + "_")


# ── protobuf ────────────────────────────────────────────────────────────────────────────────────────


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: number and value, 8 and 4 byte values as their bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        value: int | bytes
        if wire == 0:
            value, at = _varint(message, at)
        elif wire == 1:
            value, at = message[at : at + 8], at + 8
        elif wire == 2:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        elif wire == 5:
            value, at = message[at : at + 4], at + 4
        else:
            raise ValueError(f"wire type {wire}")
        if at > len(message):
            raise ValueError("cut off")
        yield number, value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")


def _numbers_of(event: bytes) -> tuple[int, list[tuple[str, float]]]:
    """The step of an event and its tagged numbers."""
    step, pairs = 0, []
    for number, value in _fields(event):
        if number == 2 and isinstance(value, int):
            step = value if value < 2**63 else 0
        elif number == 5 and isinstance(value, bytes):
            for kind, entry in _fields(value):
                if kind == 1 and isinstance(entry, bytes):
                    pair = _tagged(entry)
                    if pair is not None:
                        pairs.append(pair)
    return step, pairs


def _tagged(value: bytes) -> tuple[str, float] | None:
    """The tag of a summary's value and its number, if it has one."""
    tag, number = "", None
    for kind, content in _fields(value):
        if not isinstance(content, bytes):
            continue
        if kind == 1:
            tag = content.decode()
        elif kind == 2:
            (number,) = struct.unpack("<f", content)
        elif kind == 5:
            number = _root_of_squares(content)
        elif kind == 8:
            number = _single_entry(content)
    return None if number is None or not tag else (tag, number)


def _root_of_squares(histogram: bytes) -> float | None:
    for kind, content in _fields(histogram):
        if kind == 5 and isinstance(content, bytes):
            return math.sqrt(struct.unpack("<d", content)[0])
    return None


def _single_entry(tensor: bytes) -> float | None:
    """The number of a float or double tensor of one entry."""
    kinds = {1: "<f", 2: "<d"}
    dtype = next((value for kind, value in _fields(tensor) if kind == 1), None)
    form = kinds.get(dtype) if isinstance(dtype, int) else None
    if form is None:
        return None
    for kind, content in _fields(tensor):
        if kind in (4, 5, 6) and isinstance(content, bytes) and len(content) == struct.calcsize(form):
            return float(struct.unpack(form, content)[0])
    return None
