"""As much of an MQTT 5 broker as a gateway needs to believe that its server is there."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self


class Broker:
    """Listens on a free `port` of this PC, takes everything and passes nothing on; gone when it is left."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Close the port and every connection; safe to call twice."""
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._open):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    head = (await reader.readexactly(1))[0]
                    body = await reader.readexactly(await _length(reader))
                    if answer := answered(head, body):
                        writer.write(answer)
        finally:
            self._open.discard(writer)
            writer.close()


async def _length(reader: asyncio.StreamReader) -> int:
    """Seven bits a byte, the lowest first; the highest bit says that there are more (MQTT 5.0, 1.5.5)."""
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return length
        shift += 7


def answered(head: int, body: bytes) -> bytes:
    """What the broker says to a packet; nothing to most.

    >>> answered(0x82, bytes([0, 7, 0]) + bytes([0, 1]) + b"a" + bytes([1])).hex(" ")
    '90 04 00 07 00 00'
    """
    match head >> 4:
        case 1:  # CONNECT
            return bytes([0x20, 3, 0, 0, 0])
        case 3 if head >> 1 & 3:  # PUBLISH that wants an answer
            topic = int.from_bytes(body[:2], "big")
            return bytes([0x40, 2]) + body[2 + topic : 4 + topic]
        case 8 | 10:  # SUBSCRIBE, UNSUBSCRIBE
            topics, at = 0, 3 + body[2]
            while at < len(body):
                at += 2 + int.from_bytes(body[at : at + 2], "big") + (head >> 4 == 8)
                topics += 1
            return bytes([0x90 if head >> 4 == 8 else 0xB0, 3 + topics]) + body[:2] + bytes(1 + topics)
        case 12:  # PINGREQ
            return bytes([0xD0, 0])
        case _:
            return b""
