"""The server under the local API: uvicorn, which sleeps while nobody asks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge_agent.local_api.access import Access, App


class Server(uvicorn.Server):
    """uvicorn without its signal handlers and its tick: the agent decides when to stop, and says so.

    The tick looks ten times a second for what is not used here, or does not change: the date of a header,
    the most requests of a process, whether to stop.
    """

    def __init__(self, app: App, access: Access) -> None:
        super().__init__(uvicorn.Config(
            app, log_level="critical", access_log=False, lifespan="off",
            timeout_graceful_shutdown=1, server_header=False, date_header=False, ws="none",
            http=_protocol(access), loop="asyncio", proxy_headers=False,
        ))  # fmt: skip
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Let `serve` end, also one that has not begun. Open streams are ended within a second of it."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        """Called by uvicorn, between the begin of its listening and the end."""
        await self.on_tick(0)  # the headers of every answer
        await self._stopped.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Called by uvicorn: signals are the agent's."""
        yield


def _protocol(access: Access) -> type[H11Protocol]:
    """HTTP that asks the kernel who is at the other end: it takes the place of an address, the user that of a
    port."""

    class Known(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            line = transport.get_extra_info("socket")
            self.client = (access.peer(line), access.user(line))

    return Known
