"""The terminal program on a line of its own: what it paints, the keys that go to it, the line that breaks."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pyte

from tests.agent.running import PATIENCE

ROWS, COLUMNS = 24, 80
_HAND = 0.1  # seconds between two keys of a person at least; a scanner is faster than 0.05


class Screen:
    """One terminal program; it hangs up when its line is closed, as over SSH."""

    def __init__(self, address: str, terminal: str, *more: str) -> None:
        self._line, far = os.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        program = [sys.executable, "-m", "terminal_ui", "--terminal", terminal, "--address", address]
        self.process = subprocess.Popen(
            [*program, "--language", "en", *more], stdin=far, stdout=far, stderr=far, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1"},
        )  # fmt: skip
        os.close(far)
        self._painted = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._painted)
        self._typed = 0.0

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(row.rstrip() for row in self._painted.display)

    def shows(self, *words: str) -> None:
        """Wait until all of these stand on the screen."""
        give_up = time.monotonic() + PATIENCE
        while not all(word in self.text for word in words):
            assert time.monotonic() < give_up, f"waited for {words}; the screen shows:\n{self.text}"
            self._read(0.01)

    def type(self, keys: str) -> None:
        """Press keys as fast as a scanner that pretends to be a keyboard."""
        os.write(self._line, keys.encode())
        self._typed = time.monotonic()

    def press(self, key: str) -> None:
        """One key of a person, who is slower than any scanner: the screen is watched since the key before."""
        while (left := self._typed + _HAND - time.monotonic()) > 0:
            self._read(left)
        self.type(key)

    def hang_up(self) -> None:
        """The line is gone: the window was closed, SSH broke."""
        os.close(self._line)
        self._line = -1

    def end(self) -> None:
        """Kill what is left of it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._line >= 0:
            self.hang_up()

    def _read(self, seconds: float) -> None:
        """Paint what comes within so many seconds; returns at the first piece."""
        if select.select([self._line], [], [], seconds)[0]:
            try:
                self._stream.feed(os.read(self._line, 65536))
            except OSError as error:  # the program has closed its end
                raise AssertionError(f"the terminal ended; its screen was:\n{self.text}") from error


@contextmanager
def screen_of(address: str, terminal: str, *more: str) -> Iterator[Screen]:
    """A terminal program with `more` options, ended afterwards."""
    screen = Screen(address, terminal, *more)
    try:
        yield screen
    finally:
        screen.end()
