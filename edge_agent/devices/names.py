"""Names of hosts, looked up so that one that nobody knows holds up nothing but itself.

The system's resolver blocks its thread for many seconds when DNS is silent, whoever waits has long given up.
In a pool of threads a few such names, tried again and again, take every thread there is: then no device that
is well is found any more either, and the program can not end before they come back. So a name has one thread
of its own while it is looked up, never a second one, and nobody waits for it at the end.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

Found = list[Any]  # as socket.getaddrinfo gives them


class NamesLoop(asyncio.SelectorEventLoop):
    """The event loop of the agent: as asyncio's own, but for `getaddrinfo`.

    Whoever asks for a name that is being looked up waits for that answer. One that comes when everybody has
    given up is kept for the next who asks: a slow resolver is waited for in parts.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lookups: dict[object, asyncio.Future[Found | Exception]] = {}

    async def getaddrinfo(
        self, host: bytes | str | None, port: bytes | str | int | None, *, family: int = 0, type: int = 0,
        proto: int = 0, flags: int = 0,
    ) -> Found:  # fmt: skip
        """As socket.getaddrinfo, with its errors."""
        asked = (host, port, family, type, proto, flags)
        lookup = self._lookups.get(asked)
        if lookup is None:
            lookup = self._lookups[asked] = self.create_future()
            # A daemon: the end of the program does not wait for it.
            threading.Thread(target=self._look_up, args=(asked, lookup), name=f"name {host!r}", daemon=True).start()
        answer = await asyncio.shield(lookup)
        if self._lookups.get(asked) is lookup:
            del self._lookups[asked]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _look_up(self, asked: tuple[Any, ...], lookup: asyncio.Future[Found | Exception]) -> None:
        """In a thread of its own."""
        answer: Found | Exception
        try:
            answer = socket.getaddrinfo(*asked)
        except (OSError, ValueError) as error:  # ValueError: what can not be a name at all
            answer = error
        with suppress(RuntimeError):  # the loop is closed
            self.call_soon_threadsafe(self._answered, asked, lookup, answer)

    def _answered(
        self, asked: tuple[Any, ...], lookup: asyncio.Future[Found | Exception], answer: Found | Exception
    ) -> None:
        if isinstance(answer, Exception):
            self._lookups.pop(asked, None)  # whoever asks later asks anew
        lookup.set_result(answer)


def run(work: Coroutine[Any, Any, T]) -> T:
    """As asyncio.run, on such a loop."""
    with asyncio.Runner(loop_factory=NamesLoop) as runner:
        return runner.run(work)
