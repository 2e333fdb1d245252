"""keys.toml and the recent files: what is right is used, and nothing wrong ever stops the program."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tui
from tui.shell.user_settings import (
    LARGEST_SETTINGS,
    RECENT_FILES,
    keys_path,
    recent_files,
    remember_file,
    user_keys,
)

ROOT = Path(tui.__file__).parents[1]
KNOWN = ("next", "previous", "home.open")


def write_keys(text: str | bytes) -> Path:
    path = keys_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────


def test_settings_lie_in_the_test_s_own_folder(tmp_path):
    assert tmp_path in keys_path().parents


def test_without_a_file_nothing_is_changed_and_nothing_said():
    assert user_keys(KNOWN) == ({}, None)


def test_keys_are_read_by_command():
    write_keys('next = "l,right"\nprevious = "h"\n')
    assert user_keys(KNOWN) == ({"next": "l,right", "previous": "h"}, None)


@pytest.mark.parametrize("line", ['"home.open" = "x"', 'home.open = "x"', '[home]\nopen = "x"'])
def test_an_id_with_a_dot_may_be_written_as_toml_likes_it(line):
    write_keys(line)
    assert user_keys(KNOWN) == ({"home.open": "x"}, None)


@pytest.mark.parametrize(
    ("text", "kept", "expected"),
    [
        ('next = "l"\nnexxt = "m"\n', {"next": "l"}, "there is no command named nexxt; the help screen lists them"),
        ('next = 5\nprevious = "h"\n', {"previous": "h"}, 'next: expected keys as text, such as next = "l,right"'),
        ('next = ["l"]\n', {}, 'next: expected keys as text, such as next = "l,right"'),
        ("next = \n", {}, "Invalid value (at line 1, column 8)"),
        (b"next = '\xff'\n", {}, "found bytes that are not text (at byte 9); expected a text file in UTF-8"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line_and_the_rest_is_used(text, kept, expected):
    path = write_keys(text)
    keys, problem = user_keys(KNOWN)
    assert keys == kept
    assert problem is not None
    assert problem.startswith(f"{path}: ")
    assert expected in problem
    assert "\n" not in problem


def test_a_folder_in_the_place_of_the_file_is_said():
    keys_path().mkdir(parents=True)
    keys, problem = user_keys(KNOWN)
    assert keys == {}
    assert problem == f"{keys_path()}: found a folder; expected a file"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file_is_said():
    path = write_keys('next = "l"\n')
    path.chmod(0)
    assert user_keys(KNOWN) == ({}, f"{path}: cannot be read: Permission denied")


HOSTILE_KEYS = {
    "a number of 5,000 digits": "next = " + "9" * 5000,
    "3,000 brackets": "next = " + "[" * 3000,
    "1,500 parts": ".".join(["a"] * 1500) + ' = "l"',
    "1,500 parts of a table": "[" + ".".join(["a"] * 1500) + "]",
    "1,500 parts, in quotes": ".".join(['"a"'] * 1500) + ' = "l"',
    "a name that a terminal would obey": '"\\u001b]52;c;eA==\\u0007\\u202e" = "l"',
    "a name of 10,000 letters": "a" * 10_000 + ' = "l"',
    "more than settings ever are": "# " + "x" * LARGEST_SETTINGS,
}


@pytest.mark.parametrize("text", HOSTILE_KEYS.values(), ids=HOSTILE_KEYS)
def test_hostile_keys_are_a_notice_of_one_short_line(text):
    path = write_keys(text)
    keys, problem = user_keys(KNOWN)
    assert keys == {}
    assert problem is not None
    assert problem.startswith(f"{path}: ")
    assert problem.isprintable()
    assert len(problem) < len(str(path)) + 130


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_settings_that_are_no_files_are_not_waited_for(tmp_path):
    path = keys_path()
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert user_keys(KNOWN) == ({}, f"{path}: found a device, pipe or socket; expected a regular file")
    path.unlink()
    path.symlink_to("/dev/zero")
    assert user_keys(KNOWN) == ({}, f"{path}: found a device, pipe or socket; expected a regular file")
    remember_file(lab(tmp_path, "lab.toml"))
    (recent,) = (tmp_path / "state").rglob("recent.json")
    recent.unlink()
    os.mkfifo(recent)
    assert recent_files() == []
    assert remember_file(lab(tmp_path, "lab.toml")) == recent_files() == [str(tmp_path / "lab.toml")]


# ── recent files ────────────────────────────────────────────────────────────────────────────────────


def lab(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text("", "utf-8")
    return str(path)


def test_recent_files_come_back_latest_first_and_once_each(tmp_path):
    first, second = lab(tmp_path, "first.toml"), lab(tmp_path, "second.toml")
    assert recent_files() == []
    for name in (first, second, first):
        remember_file(name)
    assert recent_files() == [first, second]


def test_only_the_latest_are_kept_and_those_that_are_gone_left_out(tmp_path):
    names = [lab(tmp_path, f"{number}.toml") for number in range(RECENT_FILES + 3)]
    for name in names:
        remember_file(name)
    assert recent_files() == names[: -RECENT_FILES - 1 : -1]
    Path(names[-1]).unlink()
    assert names[-1] not in recent_files()


def test_a_relative_path_is_remembered_as_an_absolute_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab(tmp_path, "lab.toml")
    remember_file("lab.toml")
    assert recent_files() == [str(tmp_path / "lab.toml")]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[1, null]",
        '{"a": 1}',
        '"text"',
        "\x00",
        "[" * 100_000,
        "[" * 3000,
        '["\\u0000"]',
        "9" * 5000,
    ],
)
def test_a_broken_list_is_no_list(tmp_path, content):
    remember_file(lab(tmp_path, "lab.toml"))
    (path,) = (tmp_path / "state").rglob("recent.json")
    path.write_text(content, "utf-8")
    assert recent_files() == []
    remember_file(lab(tmp_path, "lab.toml"))
    assert recent_files() == [str(tmp_path / "lab.toml")]


def test_where_nothing_can_be_written_nothing_is_remembered(tmp_path, monkeypatch):
    blocked = tmp_path / "blocked"
    blocked.write_text("", "utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    remember_file(lab(tmp_path, "lab.toml"))
    assert recent_files() == []


REMEMBER = """
import sys
from tui.shell.user_settings import remember_file
for name in sys.argv[1:]:
    remember_file(name)
"""


def test_apps_at_once_lose_no_entry(tmp_path):
    names = [lab(tmp_path, f"{number}.toml") for number in range(RECENT_FILES)]
    halves = (names[::2], names[1::2])
    programs = [subprocess.Popen([sys.executable, "-c", REMEMBER, *half], cwd=ROOT) for half in halves]
    assert [program.wait(60) for program in programs] == [0, 0]
    assert sorted(recent_files()) == sorted(names)
    (folder,) = {path.parent for path in (tmp_path / "state").rglob("recent.json")}
    assert {path.name for path in folder.iterdir()} == {"recent.json", "recent.json.lock"}


def test_a_full_disk_leaves_the_list_as_it_was(tmp_path, monkeypatch):
    first = lab(tmp_path, "first.toml")
    remember_file(first)
    second = lab(tmp_path, "second.toml")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert remember_file(second) == [second, first]
    assert recent_files() == [first]
    assert not list((tmp_path / "state").rglob("*.tmp"))
