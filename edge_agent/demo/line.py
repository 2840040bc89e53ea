"""The terminal line that the demo was started on: as it was before, when the terminal program could not see to it."""

from __future__ import annotations

import sys
import termios
from typing import Any

# What the terminal program switches on and a killed one can not switch off: keyboard protocol, mouse, focus, paste and
# resize reports, then the other screen; the cursor comes back.
_PLAIN = (
    "\x1b[<u\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l\x1b[?2004l\x1b[?2048l"
    "\x1b[?2026l\x1b[?1049l\x1b[?25h\x1b[0m"
)


class Line:
    """The line of standard input. It is remembered as it is; nothing is done where there is none."""

    def __init__(self) -> None:
        there = sys.stdin is not None and sys.stdin.isatty()
        self._before: list[Any] | None = termios.tcgetattr(sys.stdin) if there else None

    def mend(self) -> None:
        """Give the line back as it was: echo, lines, the first screen and a cursor."""
        if self._before is None:
            return
        termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, self._before)
        if sys.stderr.isatty():
            sys.stderr.write(_PLAIN)
            sys.stderr.flush()
