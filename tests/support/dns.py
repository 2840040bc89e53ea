"""A resolver that tests command: names of hosts that DNS knows, does not know, or never answers for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# For a program of its own: put a folder with it first on PYTHONPATH. DNS never answers for these names.
SILENT_FOR_DEAD = """
import socket, threading
real = socket.getaddrinfo
def looked_up(host, *more, **options):
    if str(host).endswith(".dead"):
        threading.Event().wait()
    return real(host, *more, **options)
socket.getaddrinfo = looked_up
"""


class Dns:
    """Knows `name`, which stands for this PC; while `silent` it does not answer for it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = 0
        self._answers = threading.Event()
        self._answers.set()
        self._real = socket.getaddrinfo

    @property
    def silent(self) -> bool:
        """Whether it does not answer."""
        return not self._answers.is_set()

    @silent.setter
    def silent(self, silent: bool) -> None:
        (self._answers.clear if silent else self._answers.set)()

    def __call__(self, host: Any, *more: Any, **options: Any) -> Any:
        """In place of socket.getaddrinfo."""
        if host == self.name:
            self.asked += 1
            self._answers.wait()
            host = "127.0.0.1"
        return self._real(host, *more, **options)


@contextmanager
def dns(name: str) -> Iterator[Dns]:
    """In place of the system's, for the programs and threads of this process. At the end it answers."""
    resolver = Dns(name)
    real, socket.getaddrinfo = socket.getaddrinfo, resolver
    try:
        yield resolver
    finally:
        resolver.silent = False
        socket.getaddrinfo = real
