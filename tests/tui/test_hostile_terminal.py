"""Whatever a terminal sends, and however it goes away, the app goes on, or ends with a status and no traceback."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are a thing of Unix", allow_module_level=True)

import termios

from tests.tui.pseudo_terminal import PATIENCE, ROOT, Terminal
from tests.tui.signal_situations import home_environment, wait

NO_KEYS = {
    "Latin-1": b"\xe9\xfc\xff\xfe",
    "half a character": b"\xe2\x82",
    "an old mouse report": b"\x1b[M\xff\xff\xff\x1b[M \xe0\xe1",
    "a key of a number that no character has": b"\x1b[99999999999999999999u\x1b[55555555555;5:9u",
    "a key of a surrogate": b"\x1b[55296u\x1b[57344;1;55296u",
    "positions that nobody has": b"\x1b[<0;99999999;99999999M\x1b[<0;-5;-5m\x1b[999999;999999R",
    "a window of 9999 by 9999": b"\x1b[48;9999;9999;9999;9999t",
    "answers to questions that nobody asked": b"\x1b[?2048;1$y\x1b[?2026;2$y\x1bP1$r0m\x1b\\",
    "an escape sequence without an end": b"\x1b[" + b"1;" * 200,
    "zero bytes": b"\x00\x00\x00",
}


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    started = Terminal(
        ["-m", "tui", "open", "tutorial-b"], {**home_environment(), "COLUMNS": "99999", "LINES": "99999"}
    )
    started.wait_for("step 1 of")
    yield started
    started.program.close(force=True)


def test_no_bytes_end_the_app_and_it_still_obeys(terminal: Terminal):
    for name, data in NO_KEYS.items():
        terminal.program.write(data)
        wait(terminal, 0.1)
        assert terminal.program.isalive(), name
    terminal.program.write(b"\x1b[200~a paste that never ends \xff")
    wait(terminal, 1.0)  # it is over when nothing comes any more
    terminal.program.write(b"\x1b\x1b")
    wait(terminal, 0.3)
    # A window as large as this would take minutes to draw.
    fcntl.ioctl(terminal.program.child_fd, termios.TIOCSWINSZ, struct.pack("HHHH", 9999, 9999, 0, 0))
    wait(terminal, 0.5)
    terminal.resize(120, 40)
    wait(terminal, 1.0)
    terminal.press("\r")  # Escape may have left the experiment: then into it again
    terminal.wait_for("Network")
    terminal.press("\x1b[C")
    terminal.wait_for("step 2 of")
    terminal.press("q")
    assert terminal.wait_for_the_end() == 0
    terminal.assert_restored()
    assert b"Traceback" not in terminal.output


NOHUP = """
import signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
from tui.__main__ import main
sys.argv[1:] = ["open", "relu-50"]
main()
"""


@pytest.mark.parametrize("heeds", ["SIGHUP", "nothing"])
def test_a_terminal_that_is_gone_ends_the_app(heeds):
    """With nohup nobody tells the app: it must notice by itself, and not ask a dead terminal for ever."""
    program = ["-m", "tui", "open", "relu-50"] if heeds == "SIGHUP" else ["-c", NOHUP]
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, *program],
        cwd=ROOT,
        env=home_environment(),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    seen = b""
    end = time.monotonic() + PATIENCE
    while b"relu-50" not in seen:
        seen += os.read(master, 65536)
        assert time.monotonic() < end
    os.write(master, b" ")  # it trains now
    os.close(master)
    assert process.wait(timeout=PATIENCE) == 129


BEGUN = "from tui.__main__ import main; print('begun', flush=True); main()"


@pytest.mark.parametrize("arguments", [["open", "tutorial-b"], ["check", "tutorial-b"]])
def test_an_interrupt_at_the_start_leaves_no_traceback(arguments):
    """At four moments of the first 0.3 seconds. (Python's own start, before ours, is not in our hands.)"""
    for moment in range(4):
        process = Terminal(["-c", BEGUN, *arguments], home_environment())
        try:
            process.wait_for("begun")
            wait(process, 0.07 * moment)
            process.press("\x03")
            wait(process, 0.3)
            process.press("\x03")
            assert process.wait_for_the_end(by_signal=True) in (0, 130)
            assert b"Traceback" not in process.output, process.output.decode()
            process.assert_restored()
        finally:
            process.program.close(force=True)


CLOSED = [
    ("presets >&-", 1, "stdout is closed"),
    ("grads tutorial-b >/dev/full", 1, "stdout cannot be written: No space left on device"),
    ("train xor --steps 3 --json >/dev/full", 1, "stdout cannot be written: No space left on device"),
    ("--help >/dev/full", 1, "the output cannot be written: No space left on device"),
    ("open xor <&-", 2, "the app needs a terminal"),
    ("open xor >&-", 2, "the app needs a terminal"),
    ("grads nosuch 2>&-", 2, ""),
    ("grads nosuch 2>/dev/full", 2, ""),
    ("presets <&- >/dev/null", 0, ""),
    ("check tutorial-b 2>&- >/dev/null", 0, ""),
    ("run -- sh -c 'kill -9 $$' 2>&- >&-", 137, ""),
]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_closed_and_full_streams_are_one_line_or_none():
    for command, status, words in CLOSED:
        done = subprocess.run(
            ["sh", "-c", f'"{sys.executable}" -m tui {command}'],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, command
        assert done.stderr.count("\n") == bool(words), (command, done.stderr)
        assert words in done.stderr, command
