"""A file that people named, and nothing else that bears a name: a pipe would be waited for without an end."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def open_now(path: str | Path, flags: int) -> int:
    """An `opener` for `open` that never waits for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def is_regular(descriptor: int) -> bool:
    """Whether an open file is a file with a content of its own."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode)
