"""A TCP proxy on the loopback that breaks a wire on purpose; its faults are switched while it runs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType

HOST = "127.0.0.1"


class FaultProxy:
    """Stands between a client and `upstream` (a port); `async with` it, then aim the client at `port`.

    `latency` delays every part of a reply by so many seconds. `rate` is how many bytes go in a second, each way, on all
    connections together; 0: as many as come. `blackhole` takes what is sent and
    answers nothing. `cut_reply_after` ends each connection after so many bytes of reply.
    `drop_replies` counts how many replies the peer gives and the client does not get. `answer` is sent
    in place of asking the peer. `last_reply` is what the peer sent on the newest connection, `heard` all that clients
    have sent on any, whether or not it went on.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.latency = 0.0
        self.rate = 0
        self.blackhole = False
        self.cut_reply_after: int | None = None
        self.drop_replies = 0
        self.answer: bytes | None = None
        self.last_reply = bytearray()
        self.heard = bytearray()
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._dropped = asyncio.Event()
        self._clear = {"there": 0.0, "back": 0.0}  # when the line has passed on what it was given; monotonic

    async def __aenter__(self) -> FaultProxy:
        await self.accept()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()

    async def accept(self) -> None:
        """Listen, again on the same port."""
        self._server = await asyncio.start_server(self._connected, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Nobody listens any more, and open connections end."""
        if self._server is not None:
            self._server.close()
        self._server = None
        await self.break_all()

    async def break_all(self) -> None:
        """End all connections, as a switch that restarts."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def dropped(self) -> None:
        """Wait until a reply was dropped: the peer has done what it was asked."""
        await self._dropped.wait()
        self._dropped.clear()

    def heal(self) -> None:
        """No more faults."""
        self.latency = 0.0
        self.rate = 0
        self.blackhole = False
        self.cut_reply_after = None
        self.drop_replies = 0
        self.answer = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # a broken wire is what this is for
        finally:
            self._tasks.discard(task)
            await _closed(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.blackhole:
            while await self._hear(reader):
                pass
            return
        if self.answer is not None:
            await self._hear(reader)
            writer.write(self.answer)
            await writer.drain()
            return
        up_reader, up_writer = await asyncio.open_connection(HOST, self.upstream)
        self.last_reply.clear()
        there = asyncio.ensure_future(self._requests(reader, up_writer))
        back = asyncio.ensure_future(self._replies(up_reader, writer))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.cancel()
            back.cancel()
            try:
                await asyncio.gather(there, back, return_exceptions=True)
            finally:
                await _closed(up_writer)

    async def _hear(self, reader: asyncio.StreamReader) -> bytes:
        data = await reader.read(65536)
        self.heard += data
        return data

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await self._hear(reader):
            if self.blackhole or self.answer is not None:  # switched on while the connection was open
                continue
            await self._passed("there", len(data))
            writer.write(data)
            await writer.drain()

    async def _passed(self, way: str, size: int) -> None:
        """Return when a line of this rate has carried so many bytes behind those that it has already."""
        if self.rate:
            loop = asyncio.get_running_loop()
            self._clear[way] = max(self._clear[way], loop.time()) + size / self.rate
            await asyncio.wait({loop.create_future()}, timeout=self._clear[way] - loop.time())

    async def _replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = 0
        while data := await reader.read(65536):
            if self.blackhole:  # also what was asked before: an OPC UA server answers many requests later
                continue
            self.last_reply += data
            if self.drop_replies:
                self.drop_replies -= 1
                self._dropped.set()
                return
            if self.latency:
                await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=self.latency)
            if self.cut_reply_after is not None:
                data = data[: self.cut_reply_after - sent]
            await self._passed("back", len(data))
            writer.write(data)
            await writer.drain()
            sent += len(data)
            if self.cut_reply_after is not None and sent >= self.cut_reply_after:
                return


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
