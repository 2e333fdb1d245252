"""From the bytes of a terminal to events: pastes with escapes in them, in pieces, and without an end."""

from __future__ import annotations

import itertools
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

if sys.platform == "win32":
    pytest.skip("Windows keeps Textual's driver", allow_module_level=True)

from textual import events

from tui.shell.terminal_driver import (
    ESCAPE_SECONDS,
    LARGEST_WINDOW,
    LATE_SECONDS,
    MOST_ESCAPE_SECONDS,
    PASTE_SECONDS,
    READ_SECONDS,
    REMOTE_ESCAPE_SECONDS,
    _TerminalFeed,
    escape_seconds,
    within,
)

BEGIN, END = "\x1b[200~", "\x1b[201~"


def parsed(pieces: list[str], silence: int = 0) -> list[events.Event]:
    given_events: list[events.Event] = []
    feed = _TerminalFeed(False, given_events.append)
    for piece in pieces:
        feed.take(piece)
    for _ in range(silence):
        feed.nothing_came()
    return given_events


TEXT = st.text(st.sampled_from("ab\x1b[]201~52;cq"), max_size=60).filter(
    lambda text: END not in text + END[:-1]
)


@given(TEXT, st.lists(st.integers(0, 80), max_size=4))
def test_a_paste_is_one_paste_and_no_keys_whatever_is_in_it_and_however_it_comes(text, cuts):
    whole = f"{BEGIN}{text}{END}q"
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[begin:end] for begin, end in itertools.pairwise(places)]
    paste, key = parsed(pieces)
    assert isinstance(paste, events.Paste)
    assert paste.text == (text + END).partition(END)[0].replace("\x1b", "")
    assert isinstance(key, events.Key)
    assert key.key == "q"


def test_a_paste_without_an_end_is_over_when_nothing_more_comes():
    waits = round(PASTE_SECONDS / READ_SECONDS) + 1
    (paste,) = parsed([f"{BEGIN}half\x1b[20"], silence=waits)
    assert isinstance(paste, events.Paste)
    assert paste.text == "half"
    assert parsed([f"{BEGIN}half"], silence=1) == []


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[99999999999999999999u",
        "\x1b[1114112u",
        "\x1b[55296u",
        "\x1b[<0;99999999;1M",
        "\x1b[M\ufffd\ufffd\ufffd",
    ],
)
def test_what_no_terminal_sends_is_dropped_and_the_next_key_is_read(text):
    key = parsed([text, "x"])[-1]
    assert isinstance(key, events.Key)
    assert key.key == "x"


@pytest.mark.parametrize(
    "answer",
    [
        "\x1b]52;c;" + "q" * 50_000 + "\x07",
        "\x1b]11;rgb:00/00/00\x1b\\",
        "\x1bP1$r" + "q" * 9_000 + "\x1b\\",
        "\x1b[" + "1;" * 5_000 + "m",
    ],
)
@pytest.mark.parametrize("cut", [1_000_000, 4_096, 40])
def test_the_letters_of_an_answer_that_nobody_asked_for_are_no_keys(answer, cut):
    whole = f"a{answer}b"
    given_events = parsed([whole[place : place + cut] for place in range(0, len(whole), cut)])
    assert [event.key for event in given_events if isinstance(event, events.Key)] == ["a", "b"]


def test_an_answer_that_never_ends_is_over_when_nothing_more_comes():
    given_events: list[events.Event] = []
    feed = _TerminalFeed(False, given_events.append)
    for _ in range(2):
        feed.take("\x1b]half")
        feed.nothing_came()
    feed.take(f"\x1b]half{BEGIN}pasted{END}")
    feed.take("c")
    assert [type(event) for event in given_events] == [events.Paste, events.Key]


@pytest.mark.parametrize("size", [(9999, 9999), (0, 0), (80, 24), (10**9, 1)])
def test_a_window_is_no_larger_than_windows_are(size):
    columns, lines = within(size)
    assert 1 <= columns <= LARGEST_WINDOW[0]
    assert 1 <= lines <= LARGEST_WINDOW[1]
    assert within((80, 24)) == (80, 24)


# ── keys that come in two parts ─────────────────────────────────────────────────────────────────────

KEYS_SENT = (
    "\x1b[A", "\x1bOB", "\x1b[1;5C", "\x1b[15~", "\x1b[<0;10;5M", "\x1b[<35;10;5M", "\x1b[I", "\x1bx", "q", "[", "O",
)  # fmt: skip
PATIENCE_OF_SSH = round(REMOTE_ESCAPE_SECONDS / READ_SECONDS)


@pytest.fixture
def over_ssh(monkeypatch):
    monkeypatch.delenv("ESCDELAY", raising=False)
    monkeypatch.setenv("SSH_TTY", "/dev/pts/0")


def told(given_events: list[events.Event]) -> list[str]:
    """The events in words, without the moment that each has."""
    return [f"{type(one).__name__} {getattr(one, 'key', '')} {getattr(one, 'x', '')}" for one in given_events]


@pytest.mark.usefixtures("over_ssh")
@given(
    st.lists(st.sampled_from(KEYS_SENT), min_size=1, max_size=6),
    st.integers(0, 60),
    st.integers(0, PATIENCE_OF_SSH - 1),
)
def test_a_key_that_comes_in_two_parts_is_the_key(keys, cut, silence):
    whole = "".join(keys)
    cut = min(cut, len(whole))
    given_events: list[events.Event] = []
    feed = _TerminalFeed(False, given_events.append)
    feed.take(whole[:cut])
    for _ in range(silence):
        feed.nothing_came()
    feed.take(whole[cut:])
    assert told(given_events) == told(parsed([whole]))


@pytest.mark.usefixtures("over_ssh")
def test_an_escape_is_an_escape_when_nothing_more_comes():
    assert parsed(["\x1b"], PATIENCE_OF_SSH - 1) == []
    assert told(parsed(["\x1b"], PATIENCE_OF_SSH)) == ["Key escape "]
    assert told(parsed(["\x1b", "\x1b"], PATIENCE_OF_SSH)) == ["Key escape "] * 2


@pytest.mark.usefixtures("over_ssh")
@pytest.mark.parametrize("rest", ["[A", "OB", "[1;5C", "[<35;10;5M"])
def test_what_comes_of_a_key_too_late_presses_nothing_but_that_escape(rest):
    given_events: list[events.Event] = []
    feed = _TerminalFeed(False, given_events.append)
    feed.take("\x1b")
    for _ in range(PATIENCE_OF_SSH):
        feed.nothing_came()
    feed.take(f"{rest}x")
    assert told(given_events) == ["Key escape ", "Key x "]
    feed.take("\x1b")
    for _ in range(PATIENCE_OF_SSH + round(LATE_SECONDS / READ_SECONDS)):
        feed.nothing_came()
    feed.take("[A")  # so long after it somebody has typed that
    assert [one.split()[1] for one in told(given_events)[2:]] == ["escape", "left_square_bracket", "A"]


@pytest.mark.usefixtures("over_ssh")
def test_of_a_longer_sequence_that_broke_off_no_letter_is_a_key():
    assert told(parsed(["\x1b[<35;1"], PATIENCE_OF_SSH + 1)) == []
    pasted = parsed([f"{BEGIN}half\x1b", f"[A more{END}"])
    assert [one.text for one in pasted] == ["half[A more"]


def test_the_environment_says_how_long_an_escape_is_waited_after():
    assert escape_seconds({}) == ESCAPE_SECONDS
    assert escape_seconds({"SSH_CONNECTION": "10.0.0.1 5000 10.0.0.2 22"}) == REMOTE_ESCAPE_SECONDS
    assert escape_seconds({"SSH_TTY": "/dev/pts/0", "ESCDELAY": "25"}) == 0.025
    assert escape_seconds({"ESCDELAY": "5001"}) == MOST_ESCAPE_SECONDS
    for strange in ("", "-5", "ten", "9" * 5000, "٣"):
        assert escape_seconds({"ESCDELAY": strange}) == ESCAPE_SECONDS
