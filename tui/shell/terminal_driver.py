r"""The app's hold on a POSIX terminal, and how it lets go of it whatever happens. (Windows keeps Textual's own.)

    keys ──bytes──> input thread ──events──> app ──text──> writer thread ──bytes──> terminal
                      │ end of file, EIO: the terminal is gone, the app ends
                      │ bytes that are no text, absurd sizes, answers unasked for, a paste without an end: made harmless
    SIGTERM SIGHUP SIGINT SIGQUIT ──> the app is left as with q, and exits with 128 + the signal
    SIGTSTP ──> the terminal is given back, then the program stops;  SIGCONT ──> it is taken again

A signal's handler only notes what is to be done; the event loop does it between two other things, so that nothing is
interrupted half-way. A loop that does not come to it within a few seconds is not waited for: the terminal is restored
from the handler of an alarm, and the program ends.
"""

from __future__ import annotations

import codecs
import contextvars
import os
import re
import selectors
import signal
import sys
import termios
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message

if TYPE_CHECKING:
    from textual.app import App

LARGEST_WINDOW = (1000, 400)
"""Columns and lines. No terminal has more; one that says so would have the app draw for minutes."""

ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
GONE = 128 + signal.SIGHUP
"""The exit status where the terminal is gone, with or without the signal that says so."""

PATIENCE_SECONDS = 6
"""So long the app may take to end by itself; ending a training waits for two of them at most."""

READ_SECONDS = 0.1
PASTE_SECONDS = 0.5
"""A paste from which nothing has come for so long is over, though its end was never sent."""

ESCAPE = "\x1b"

ESCAPE_SECONDS, REMOTE_ESCAPE_SECONDS, MOST_ESCAPE_SECONDS = 0.1, 0.3, 5.0
"""So long an Escape may still be the first byte of another key, here and over SSH, which cuts keys in two where it is
slow. The environment's ESCDELAY, in milliseconds, goes before both, as in every program that uses curses."""

LATE_SECONDS = 2.0
"""What comes so soon after an Escape and looks like the rest of a key is the rest of a key."""

LEAVE = (
    "\x1b[<u"  # the Kitty keyboard protocol
    "\x1b[?2004l"  # bracketed paste
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # the mouse
    "\x1b[?1004l"  # reports of the focus
    "\x1b[?2048l"  # reports of the size
    "\x1b[?2026l"  # synchronised output, which a kill may leave begun
    "\x1b[?7h"  # lines wrap
    "\x1b[0m\x1b[?1049l\x1b[?25h"  # plain, the usual screen, with a cursor
)
"""What gives a terminal back, whatever of it had been taken."""


class TerminalDriver(LinuxDriver):
    """Textual's driver, made sturdy."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._size = size or self._get_terminal_size()
        stream = sys.__stderr__ if sys.__stderr__ is not None and sys.__stderr__.isatty() else sys.__stdout__
        assert stream is not None  # the app is not started without a terminal
        self._file = cast(Any, TerminalFile(stream.fileno()))
        self._at_first = self._attributes()
        self._raw: list[Any] | None = None
        self._active = self._suspended = False
        self._status = 0
        self._context = contextvars.copy_context()  # a handler's own may be that of any task
        for number in ENDING_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                signal.signal(number, self._end_signal)
        signal.signal(signal.SIGALRM, self._alarm)
        signal.signal(signal.SIGTSTP, lambda *_: self._soon(self._suspend))
        signal.signal(signal.SIGCONT, lambda *_: self._soon(self._continue))

    # ── ending ──────────────────────────────────────────────────────────────────────────────────────

    def _end_signal(self, number: int, frame: FrameType | None) -> None:
        """Leaves the app soon; at once where its loop has ended, or where the signal comes again and again."""
        if self._loop.is_closed():
            self._exit_at_once(128 + number)
        if not self._status:
            self._status = 128 + number
            signal.alarm(PATIENCE_SECONDS)
        self._soon(self._leave)

    def _leave(self) -> None:
        self._app.exit(return_code=self._status)

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        self._exit_at_once(self._status or 128 + number)

    def _exit_at_once(self, status: int) -> None:
        self.restore_terminal()
        os._exit(status)

    def terminal_gone(self) -> None:
        """Ends the app: there is nobody any more to show it to. Called by the threads that read and write."""
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._hang_up, context=self._context)

    def _hang_up(self) -> None:
        self._status = self._status or GONE
        signal.alarm(PATIENCE_SECONDS)
        self._leave()

    def restore_terminal(self) -> None:
        """Gives the terminal back as it was found, without help of anything that may be stuck, and without waiting."""
        if self._at_first is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self._at_first)
        if self._active:
            cast(TerminalFile, self._file).write_now(LEAVE)

    def _soon(self, action: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: there is nothing left to do
            self._loop.call_soon_threadsafe(action, context=self._context)

    # ── stopping and going on ───────────────────────────────────────────────────────────────────────

    def _suspend(self) -> None:
        """Gives the terminal back and stops, until somebody says SIGCONT."""
        if self._suspended or self._status:
            return
        if self._active:
            self._suspended = True
            self.suspend_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _continue(self) -> None:
        """Takes the terminal again: after SIGTSTP all of it, after SIGSTOP what the shell has changed meanwhile."""
        if self._status or not self._auto_restart:
            return
        if self._suspended:
            self._suspended = False
            self.resume_application_mode()
        elif self._active:
            self._take_again()
        self._app.refresh(layout=True)
        self.send_size()

    def _take_again(self) -> None:
        """Raw mode, the full screen and its reports, on threads that have only been asleep."""
        if self._raw is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self._raw)
        self.write("\x1b[?1049h\x1b[?25l\x1b[?1004h\x1b[?7l\x1b[2J")
        self._enable_bracketed_paste()
        self._enable_mouse_support()

    def start_application_mode(self) -> None:
        """Takes the terminal, and remembers how it is then."""
        self._active = True
        super().start_application_mode()  # type: ignore[no-untyped-call]
        signal.signal(
            signal.SIGWINCH, lambda *_: self._soon(self.send_size)
        )  # also where reports should come
        self._raw = self._attributes()
        if self._at_first is not None:
            self.attrs_before = self._at_first  # not what another stop left behind

    def stop_application_mode(self) -> None:
        """Gives the terminal back."""
        if self._mouse_pixels:
            self.write("\x1b[?1016l")  # which Textual switches on where it can, and leaves
        super().stop_application_mode()
        self._active = False

    def write(self, data: str) -> None:
        """Hands text to the thread that writes; drops it while the terminal is not ours."""
        if self._writer_thread is not None and self._writer_thread.is_alive():
            self._writer_thread.write(data)

    def _attributes(self) -> list[Any] | None:
        try:
            return termios.tcgetattr(self.fileno)
        except termios.error:
            return None

    # ── sizes ───────────────────────────────────────────────────────────────────────────────────────

    def _get_terminal_size(self) -> tuple[int, int]:
        return within(window_size(self.fileno))

    def send_size(self) -> None:
        """Tells the app how large the window is now."""
        size = Size(*self._get_terminal_size())
        self.send_message(events.Resize(size, size))

    def process_message(self, message: Message) -> None:
        """Passes on what the terminal said, where it can be."""
        if isinstance(message, events.Resize):  # a report in the input, which may say anything
            size = Size(*self._get_terminal_size())
            message = events.Resize(size, size, size, message.pixel_size)
        super().process_message(message)

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────

    def run_input_thread(self) -> None:
        """Reads keys until it is told to end, or the terminal is gone."""
        decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        feed = _TerminalFeed(self._debug, self.process_message)
        with selectors.SelectSelector() as selector:  # macOS has no other for terminals
            try:
                selector.register(self.fileno, selectors.EVENT_READ)
            except (OSError, ValueError):  # there is no input
                return
            while not self.exit_event.is_set():
                if not selector.select(READ_SECONDS):
                    feed.nothing_came()
                    continue
                try:
                    data = os.read(self.fileno, 4096)
                except OSError:
                    data = b""
                if not data:
                    self.terminal_gone()
                    return
                feed.take(decode(data))


_BEGUN = re.compile(r"\x1b+(?:\[[0-?]{0,29}|O)?\Z")
"""The beginning of a key, of which more may come."""

_REST_OF_A_KEY = re.compile(r"\A(?:\[[0-?]*[@-~]|O[A-Za-z])")


def escape_seconds(environment: Mapping[str, str]) -> float:
    """So long a lone Escape is waited after."""
    asked = environment.get("ESCDELAY", "")
    if asked.isascii() and asked.isdigit() and len(asked) <= len("5000"):
        return min(int(asked) / 1000.0, MOST_ESCAPE_SECONDS)
    remote = environment.get("SSH_TTY") or environment.get("SSH_CONNECTION")
    return REMOTE_ESCAPE_SECONDS if remote else ESCAPE_SECONDS


class _TerminalFeed:
    """From text to events, in spite of text that is no key, no report and no end of a paste.

    Textual takes a long escape sequence within a paste for keys that were pressed. What is pasted here has none.
    """

    def __init__(self, debug: bool, give: Callable[[Message], None]) -> None:
        self._debug, self._give = debug, give
        self._parser = XTermParser(debug)
        self._replies = _TerminalReplies()
        self._pasting = False
        self._patience = escape_seconds(os.environ)
        self._begun = ""  # of a key, of which the rest may come
        self._cut = False  # whether the last key was an Escape that may have been the beginning of another
        self._tail = ""  # of what was typed, where a paste may begin
        self._held = ""  # of what is pasted, where the paste may end
        self._silence = 0.0

    def take(self, text: str) -> None:
        """Takes what was read."""
        self._silence = 0.0
        if self._cut:
            self._cut, text = False, _REST_OF_A_KEY.sub("", text)
        text, self._begun = self._begun + text, ""
        while text:
            text = self._pasted(text) if self._pasting else self._typed(text)

    def nothing_came(self) -> None:
        """Lets an Escape be an Escape, and a paste that has broken off be over."""
        self._parse(self._parser.tick)
        self._replies.over()
        self._silence += READ_SECONDS
        if self._begun and self._silence > self._patience - READ_SECONDS / 2:
            self._rest_is_lost()
        if self._silence >= LATE_SECONDS:
            self._cut = False
        if self._pasting and self._silence >= PASTE_SECONDS:
            self._held = ""
            self.take(BRACKETED_PASTE_END)

    def _rest_is_lost(self) -> None:
        """What has begun is an Escape, or Alt and a key; of a longer sequence nobody knows what it was."""
        begun, self._begun = self._begun, ""
        if not begun.strip(ESCAPE):
            for _ in begun:
                self._give(events.Key("escape", ESCAPE))
            self._cut = True
        elif len(begun) == len("\x1b["):
            self._feed(begun)

    def _typed(self, text: str) -> str:
        """Takes text up to the beginning of a paste, and returns the rest."""
        begin = (self._tail + text).find(BRACKETED_PASTE_START)
        if begin < 0:
            if (unfinished := _BEGUN.search(text)) is not None:
                text, self._begun = text[: unfinished.start()], unfinished[0]
            self._tail = (self._tail + text)[1 - len(BRACKETED_PASTE_START) :]
            self._feed(self._replies.without(text))
            return ""
        begin -= len(self._tail)  # below 0 where it came in two parts
        after = begin + len(BRACKETED_PASTE_START)
        self._tail, self._pasting = "", True
        self._feed(self._replies.without(text[: max(begin, 0)]))
        self._replies.over()
        self._feed(text[max(begin, 0) : after])
        return text[after:]

    def _pasted(self, text: str) -> str:
        """Takes text up to the end of the paste, and returns the rest."""
        pasted, end, rest = (self._held + text).partition(BRACKETED_PASTE_END)
        if end:
            self._held, self._pasting = "", False
        else:  # the end may have come in part
            ends = (BRACKETED_PASTE_END[:length] for length in range(len(BRACKETED_PASTE_END) - 1, 0, -1))
            self._held = next((part for part in ends if pasted.endswith(part)), "")
            pasted = pasted.removesuffix(self._held)
        self._feed(pasted.replace(ESCAPE, "") + end)
        return rest

    def _feed(self, text: str) -> None:
        if text:  # the parser takes nothing for the end of all
            self._parse(lambda: self._parser.feed(text))

    def _parse(self, parsed: Callable[[], Any]) -> None:
        try:
            for event in parsed():
                self._give(event)
        except Exception:  # a sequence that no terminal sends, such as a key of number 10^12: it is dropped
            self._parser = XTermParser(self._debug)
            if self._pasting:
                for _ in self._parser.feed(BRACKETED_PASTE_START):
                    pass


class _TerminalReplies:
    """Takes out of what a terminal sends what is no key: its answers in strings (OSC, DCS, …), and endless sequences.

    Textual would take every letter of them for a key that was pressed.
    """

    _BEGIN = re.compile(r"\x1b[\]P_^X]|\x1b\[[0-?]{30,}")
    _STRING_ENDS = re.compile(r"\x07|\x1b\\|(?=\x1b)|\x9c")
    _SEQUENCE_ENDS = re.compile(r"[^ -?]|(?=\x1b)")

    def __init__(self) -> None:
        self._until: re.Pattern[str] | None = None

    def without(self, text: str) -> str:
        """What is left of the text."""
        kept = []
        while text:
            if self._until is None:
                begin = self._BEGIN.search(text)
                if begin is None:
                    kept.append(text)
                    break
                kept.append(text[: begin.start()])
                self._until = self._SEQUENCE_ENDS if begin[0][1] == "[" else self._STRING_ENDS
                text = text[begin.end() :]
            end = self._until.search(text)
            if end is None:
                break
            self._until, text = None, text[end.end() :]
        return "".join(kept)

    def over(self) -> None:
        """Nothing more came of it: what comes next are keys again."""
        self._until = None


class TerminalFile:
    """What the writer thread writes to: all of a text, or nothing once the terminal is gone."""

    encoding = "utf-8"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: list[str] = []

    def fileno(self) -> int:
        """The terminal's file descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """True: it is a terminal."""
        return True

    def write(self, text: str) -> int:
        """Keeps text for the next flush."""
        self._waiting.append(text)
        return len(text)

    def flush(self) -> None:
        """Writes what is kept."""
        data = "".join(self._waiting).encode("utf-8", "backslashreplace")
        self._waiting.clear()
        with suppress(OSError):  # it is gone; who reads from it notices
            while data:
                try:
                    data = data[os.write(self._descriptor, data) :]
                except BlockingIOError:  # another program has set it so
                    _wait_to_write(self._descriptor)

    def write_now(self, text: str) -> None:
        """Writes without waiting for a terminal that takes nothing."""
        with suppress(OSError):
            os.set_blocking(self._descriptor, False)
            try:
                os.write(self._descriptor, text.encode())
            finally:
                os.set_blocking(self._descriptor, True)


def _wait_to_write(descriptor: int) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_WRITE)
        selector.select(READ_SECONDS)


def window_size(descriptor: int) -> tuple[int, int]:
    """The window's columns and lines, as the terminal itself says; 80 by 24 where it does not."""
    try:
        columns, lines = os.get_terminal_size(descriptor)
    except OSError:
        columns = lines = 0
    return columns or 80, lines or 24


def within(size: tuple[int, int]) -> tuple[int, int]:
    """A size, no larger than LARGEST_WINDOW and no smaller than one cell."""
    columns, lines = size
    most_columns, most_lines = LARGEST_WINDOW
    return min(max(columns, 1), most_columns), min(max(lines, 1), most_lines)
