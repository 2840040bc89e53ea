"""The terminal program on a real terminal line, as a person sees it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pyte
import pytest

_PACE = 0.08  # seconds between two keys of a person; a keyboard-wedge scanner is faster than 0.05


class Line:
    """One terminal line: what the program paints, and the keys that go to it."""

    def __init__(self, master: int, columns: int, rows: int, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._master = master
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            self._stream.feed(os.read(self._master, 65536))
        except OSError:  # the program has closed its end
            asyncio.get_running_loop().remove_reader(self._master)

    def type(self, keys: bytes) -> None:
        """Keys as fast as those of a scanner that pretends to be a keyboard."""
        os.write(self._master, keys)

    async def press(self, key: bytes) -> None:
        """One key, and the pause of a hand before the next."""
        self.type(key)
        loop = asyncio.get_running_loop()
        over = loop.time() + _PACE
        while loop.time() < over:
            await asyncio.sleep(0.01)

    def cut(self) -> None:
        """The cable, the window or the SSH session is gone; there is no session to send a SIGHUP to."""
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        self._master = -1

    @property
    def intact(self) -> bool:
        return self._master >= 0

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    async def shows(self, condition: Callable[[], object], seconds: float = 15.0) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            pytest.fail(f"The screen shows:\n{self.text}")


@asynccontextmanager
async def line(address: Path, columns: int = 80, rows: int = 24) -> AsyncIterator[Line]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    program = [sys.executable, "-m", "terminal_ui", "--terminal", "T1", "--address", f"unix:{address}"]
    environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONUTF8": "1"}
    process = await asyncio.create_subprocess_exec(
        *program, "--language", "en", stdin=slave, stdout=slave, stderr=slave, env=environment,
        cwd=Path(__file__).parents[2], start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    terminal = Line(master, columns, rows, process)
    try:
        yield terminal
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if terminal.intact:
            terminal.cut()
