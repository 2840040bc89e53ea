"""The network between the agent and the demo's ERP: a TCP relay that can lose a reply."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self


class Network:
    """Passes bytes both ways on loopback. `lose_next_reply` cuts one connection after the ERP has answered."""

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        self.lost_replies = 0  # answers to deliveries that the ERP took
        self.away_calls = 0  # connections that found no ERP
        self._lose = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where the agent connects."""
        assert self._server is not None, "the network is used within `async with`"
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def lose_next_reply(self) -> None:
        """The next reply to a delivery of facts is dropped after the ERP has booked them."""
        self._lose = True

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._relay(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # a cut line is what this class is for; the agent's side notices
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        except OSError:
            self.away_calls += 1
            raise
        delivering = False

        async def out() -> None:
            nonlocal delivering
            while data := await reader.read(65536):
                if data.startswith((b"GET ", b"POST ")):  # else it is the rest of a body
                    delivering = data.startswith(b"POST /v1/facts")
                far_writer.write(data)
                await far_writer.drain()

        async def back() -> None:
            while data := await far_reader.read(65536):
                if self._lose and delivering and data.startswith(b"HTTP/1.1 200 "):
                    self._lose = False
                    self.lost_replies += 1
                    return
                writer.write(data)
                await writer.drain()

        tasks = [asyncio.ensure_future(out()), asyncio.ensure_future(back())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(OSError):
                far_writer.close()
