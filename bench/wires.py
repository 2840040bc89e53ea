"""Both ends of what a person sees and does: the pseudo-terminal of a screen, and that of a scanner."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
import time
import tty
from types import TracebackType
from typing import Self

from bench.processes import end, environment

# Control sequences, strings of the operating system kind, other strings, and what is left (ECMA-48).
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_].*?\x1b\\|[@-Z\\-_])", re.DOTALL
)
_KEPT = 64 * 1024  # bytes of what was painted last


class Screen:
    """`python -m terminal_ui` on a pseudo-terminal, 80x24, read as fast as it paints."""

    def __init__(self, terminal: str, address: str) -> None:
        self._arguments = ["-m", "terminal_ui", "--terminal", terminal, "--address", address]
        self._painted = bytearray()
        self._wanted: tuple[bytes, asyncio.Future[float]] | None = None
        self._master = -1
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, *self._arguments], stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, env=environment(),
        )  # fmt: skip
        os.close(slave)
        asyncio.get_running_loop().add_reader(self._master, self._read)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        await asyncio.to_thread(end, self._process)
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def painted(self, text: str) -> asyncio.Future[float]:
        """The perf_counter of the moment when `text` will have been painted: the last byte of it was read.

        What was painted before does not count. Ask before the cause of it, one text at a time.
        """
        self._painted.clear()
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._wanted = text.encode(), future
        return future

    def _read(self) -> None:
        try:
            data = os.read(self._master, _KEPT)
        except OSError:  # the terminal is gone
            data = b""
        now = time.perf_counter()
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
            self._fail()
            return
        self._painted += data
        if self._wanted is not None:
            text, future = self._wanted
            if text in _ESCAPES.sub(b"", self._painted) and not future.done():
                future.set_result(now)
                self._wanted = None
        del self._painted[:-_KEPT]

    def _fail(self) -> None:
        if self._wanted is not None and not self._wanted[1].done():
            said = _ESCAPES.sub(b"", self._painted).decode("utf-8", "replace")
            self._wanted[1].set_exception(ConnectionError(f"The terminal ended. It wrote: {said[-1500:]}"))


class Scanner:
    """A scanner of our own: the agent opens `port`, `scan` pulls the trigger."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)

    def scan(self, text: str) -> float:
        """The whole frame in one write; the perf_counter of the moment just before it."""
        frame = text.encode("ascii") + b"\r"
        now = time.perf_counter()
        os.write(self._master, frame)
        return now

    def close(self) -> None:
        """Unplug it."""
        os.close(self._slave)
        os.close(self._master)
