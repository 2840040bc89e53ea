"""A program on a terminal line: keys in, and what stands on the screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyte
import pytest

PATIENCE = 30.0  # seconds; what takes longer never comes
_LOOK = 0.02  # seconds between two looks
_PACE = 0.08  # seconds between two keys of a person; a keyboard-wedge scanner is faster than 0.05

_OTHER_SCREEN = 1049 << 5  # as pyte keeps a private mode

KEYS = {
    "Enter": b"\r", "Esc": b"\x1b", "Ctrl+C": b"\x03",
    "F1": b"\x1bOP", "F2": b"\x1bOQ", "F3": b"\x1bOR", "F4": b"\x1bOS", "F5": b"\x1b[15~", "F6": b"\x1b[17~",
    "F7": b"\x1b[18~", "F8": b"\x1b[19~", "F9": b"\x1b[20~", "F10": b"\x1b[21~", "F11": b"\x1b[23~",
    "F12": b"\x1b[24~",
}  # fmt: skip


class TerminalOnPty:
    """A program that was started on a terminal of its own; `end` it."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], columns: int = 80, rows: int = 24
    ) -> None:  # fmt: skip
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.set_blocking(self._master, False)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=environment, start_new_session=True
        )  # fmt: skip
        os.close(slave)

    @property
    def text(self) -> str:
        """What stands on the screen now."""
        self._look(0.0)
        return "\n".join(row.rstrip() for row in self._screen.display)

    @property
    def given_back(self) -> bool:
        """Whether the line is one for a shell again: it echoes whole lines, on the first screen, with a cursor."""
        self._look(0.0)
        echoes = termios.tcgetattr(self._master)[3] & (termios.ECHO | termios.ICANON)
        plain = echoes == termios.ECHO | termios.ICANON
        return plain and not self._screen.cursor.hidden and _OTHER_SCREEN not in self._screen.mode

    def press(self, keys: str) -> None:
        """Press keys by their names, at the pace of a person."""
        for key in keys.split():
            os.write(self._master, KEYS[key] if key in KEYS else key.encode())
            over = time.monotonic() + _PACE
            while (left := over - time.monotonic()) > 0:
                self._look(left)

    def shows(self, *words: str) -> None:
        """Wait until each of the words stands on the screen (see `pattern`)."""
        patterns = [pattern(each) for each in words]
        give_up = time.monotonic() + PATIENCE
        while missing := [each.pattern for each in patterns if not each.search(plain(self.text))]:
            if time.monotonic() > give_up:
                pytest.fail(f"waited for {missing}; the screen shows:\n{self.text}")
            self._look(_LOOK)

    def ended(self) -> int:
        """Wait until the program has ended; its exit status."""
        give_up = time.monotonic() + PATIENCE
        while (status := self.process.poll()) is None:
            assert time.monotonic() < give_up, f"the program goes on; the screen shows:\n{self.text}"
            self._look(_LOOK)
        return status

    def end(self) -> None:
        """End the program, whatever it does, and give the line back."""
        if self.process.poll() is None:
            self.process.terminate()
            self.ended()
        os.close(self._master)

    def _look(self, seconds: float) -> None:
        """Take what the program paints, until it pauses; wait at most so long for the first of it."""
        while select.select([self._master], [], [], seconds)[0]:
            try:
                self._stream.feed(os.read(self._master, 65536))
            except OSError:  # the program has closed its end: nothing more will come
                time.sleep(0.02)
                return
            seconds = 0.0


def plain(text: str) -> str:
    """Text with every run of spaces and line ends as one space: how wide a screen is does not matter.

    >>> plain("HELD  J-201 is\\n      held")
    'HELD J-201 is held'
    """
    return " ".join(text.split())


def pattern(words: str) -> re.Pattern[str]:
    """What finds words in plain text; `...` stands for up to sixty other characters, ticks excepted.

    >>> bool(pattern("++ ... J-1").search("1 ++ 12:01:02 T1 J-1")), bool(pattern("2 pc").search("2 J-1 pc"))
    (True, False)
    >>> pattern("++ ... J-2").search("1 ++ 12:01:02 T1 J-1 2 + 12:01:03 T1 J-2")
    """
    return re.compile("[^✓+]{1,60}?".join(re.escape(part.strip()) for part in plain(words).split("...")))
