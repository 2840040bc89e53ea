"""Where a simulated scanner hangs: on a pseudo-terminal, or behind a serial server on raw TCP.

Both can be unplugged and plugged in again while somebody reads them. `heard` gets what is sent to the
scanner.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

Heard = Callable[[bytes], None]


class ScannerPort(Protocol):
    """The scanner's end of a wire. It begins unplugged."""

    @property
    def plugged(self) -> bool:
        """Whether it can be reached now."""
        ...

    def plug(self) -> None:
        """Be there, at the same place as before."""
        ...

    def unplug(self) -> None:
        """Be gone, whoever reads; what was not read yet is lost."""
        ...

    def send(self, data: bytes) -> None:
        """Send; lost when nobody is there to read, as on a real wire."""
        ...


class PtyPort:
    """A pseudo-terminal; `link` leads to it while it is plugged in, as a name under /dev/serial/by-id does."""

    def __init__(self, link: Path, heard: Heard) -> None:
        self._link = link
        self._heard = heard
        self._ends: tuple[int, int] | None = None

    @property
    def plugged(self) -> bool:
        """Whether the link is there."""
        return self._ends is not None

    def plug(self) -> None:
        """A new terminal under the same name. Raises FileExistsError when something else has that name."""
        if self._ends is not None:
            return
        master, slave = os.openpty()
        for descriptor in (master, slave):
            tty.setraw(descriptor)
        os.set_blocking(master, False)
        replace_link(self._link, os.ttyname(slave))
        asyncio.get_running_loop().add_reader(master, self._readable, master)
        self._ends = master, slave

    def unplug(self) -> None:
        """Both ends are closed; a program that has the terminal open finds it gone."""
        if self._ends is None:
            return
        ends, self._ends = self._ends, None
        self._link.unlink(missing_ok=True)
        asyncio.get_running_loop().remove_reader(ends[0])
        for descriptor in ends:
            os.close(descriptor)

    def send(self, data: bytes) -> None:
        """Write to whoever has the terminal open."""
        if self._ends is not None:
            with suppress(BlockingIOError):  # nobody reads and the terminal is full
                os.write(self._ends[0], data)

    def _readable(self, master: int) -> None:
        self._heard(os.read(master, 4096))


class TcpPort:
    """A serial server on 127.0.0.1 that takes one connection at a time; `number` is known once plugged in."""

    def __init__(self, number: int, heard: Heard) -> None:
        self.number = number
        self._heard = heard
        self._listener: socket.socket | None = None
        self._line: socket.socket | None = None

    @property
    def plugged(self) -> bool:
        """Whether it listens."""
        return self._listener is not None

    def plug(self) -> None:
        """Listen, at the same port number after the first time."""
        if self._listener is not None:
            return
        listener = socket.create_server(("127.0.0.1", self.number))
        listener.setblocking(False)
        self.number = listener.getsockname()[1]
        self._listener = listener
        asyncio.get_running_loop().add_reader(listener, self._connected, listener)

    def unplug(self) -> None:
        """Nobody listens any more and the connection is cut."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        self._cut()

    def send(self, data: bytes) -> None:
        """Write to whoever is connected."""
        if self._line is not None:
            with suppress(OSError):
                self._line.send(data)

    def _connected(self, listener: socket.socket) -> None:
        line, _ = listener.accept()
        if self._line is not None:
            line.close()
            return
        line.setblocking(False)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line = line
        asyncio.get_running_loop().add_reader(line, self._readable, line)

    def _readable(self, line: socket.socket) -> None:
        try:
            data = line.recv(4096)
        except OSError:
            data = b""
        if data:
            self._heard(data)
        else:
            self._cut()

    def _cut(self) -> None:
        if self._line is not None:
            asyncio.get_running_loop().remove_reader(self._line)
            self._line.close()
            self._line = None


def replace_link(link: Path, target: str) -> None:
    """Let `link` point to `target`. Raises FileExistsError when something else than a link is there."""
    if link.is_symlink():
        link.unlink()
    link.symlink_to(target)
