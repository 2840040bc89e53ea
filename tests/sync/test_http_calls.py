"""What a request without an answer is told as, by real servers that break it: words, and no name of a library."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from sync.http_calls import HttpCalls
from sync.ports import Ambiguous

_EARLY = "The connection to the ERP broke off before the whole answer came. It is tried again by itself."
_ODD = "What the ERP answers is not HTTP, or was damaged on its way. It is tried again by itself."
_SENT = "The connection to the ERP broke off while we sent. It is tried again by itself."
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets the connection


@asynccontextmanager
async def server(answer: bytes, reset: bool) -> AsyncIterator[int]:
    """Answers each request with these bytes and closes, or resets, its connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield running.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "reset", "words"),
    [
        (b"", True, _EARLY),
        (b"", False, _EARLY),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", False, _EARLY),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf", False, _EARLY),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnone\r\n", False, _ODD),
        (b"220 mail.example ESMTP\r\n\r\n", False, _ODD),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nhalf", False, _ODD),
    ],
    ids=["reset", "closed", "half", "half_chunk", "no_chunk", "no_http", "no_gzip"],
)  # fmt: skip
async def test_a_request_that_broke_off_is_told_in_words(answer: bytes, reset: bool, words: str) -> None:
    async with server(answer, reset) as port:
        calls = HttpCalls("the ERP", 5.0, None)
        with pytest.raises(Ambiguous) as told:
            await calls.call("GET", f"http://127.0.0.1:{port}/", {})
        await calls.close()
    assert str(told.value) == words


@pytest.mark.parametrize("kind", [*httpx.HTTPError.__subclasses__(), httpx.WriteError, httpx.CloseError])
async def test_no_failure_is_told_by_the_name_of_its_class(kind: type[httpx.HTTPError]) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise kind("") if kind is not httpx.HTTPStatusError else httpx.RequestError("")

    calls = HttpCalls("the ERP", 5.0, None, httpx.MockTransport(broken))
    with pytest.raises(Ambiguous) as told:
        await calls.call("GET", "http://127.0.0.1/", {})
    await calls.close()
    assert not re.search(r"[a-z](Error|Exception)", str(told.value))
    assert str(told.value).endswith("It is tried again by itself.")
    assert (str(told.value) == _SENT) == (kind is httpx.WriteError)
