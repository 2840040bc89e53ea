"""The network between the PC and the ERP, as a transport of httpx: it loses, delays, doubles and garbles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

import httpx
from starlette.types import Message

from tests.sim.clock import Process, passing
from tests.sim.platter import PowerCut

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
_NEVER = 3600.0  # longer than anybody waits
_PORTAL = b"<html><body>Welcome to the guest network. Please log in.</body></html>"


class Server(Protocol):
    """Who is asked."""

    def ask(self, request: httpx.Request, reply: asyncio.Future[Answer | None]) -> None:
        """The request has arrived; `reply` gets the answer, None when nobody is there (any more)."""
        ...


@dataclass
class Weather:
    """What the network does now. Chances are those of one request."""

    cut: bool = False
    portal: bool = False
    lose: float = 0.0
    lose_reply: float = 0.0
    double: float = 0.0
    garble: float = 0.0
    delay: float = 0.02


class Wire(httpx.AsyncBaseTransport):
    """The line of one life of the agent."""

    def __init__(self, weather: Weather, server: Server, dice: Random, process: Process) -> None:
        self._weather, self._server, self._dice, self._process = weather, server, dice, process

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._process.alive:
            raise PowerCut
        await request.aread()
        sky, dice = self._weather, self._dice
        if sky.cut:
            await passing(dice.uniform(0.0, 0.5))
            raise httpx.ConnectError("no route to host")
        if sky.portal:
            return self._page()
        await passing(0 if dice.random() >= sky.lose else _NEVER)
        reply = self._sent(request)
        if dice.random() < sky.double:
            self._sent(request)  # a packet that comes twice; nobody hears its answer
        answer = await reply
        if answer is None:
            raise httpx.ReadError("connection reset by peer") if dice.random() < 0.5 else httpx.ConnectError("refused")
        await passing(self._way() if dice.random() >= sky.lose_reply else _NEVER)
        if dice.random() < sky.garble:
            return self._cut(answer)
        return httpx.Response(answer[0], headers=answer[1], content=answer[2])

    def _sent(self, request: httpx.Request) -> asyncio.Future[Answer | None]:
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Answer | None] = loop.create_future()
        loop.call_later(self._way(), self._server.ask, request, reply)
        return reply

    def _way(self) -> float:
        """Seconds to the other side; now and then longer than the agent waits for the answer."""
        return self._dice.random() * self._dice.choice((0.01, 0.01, self._weather.delay, self._weather.delay * 8))

    def _page(self) -> httpx.Response:
        """What a log-in page in between answers to everything."""
        kind = self._dice.choice(("text/html", "application/json"))
        return httpx.Response(200, headers={"content-type": kind}, content=_PORTAL if kind == "text/html" else b"{}")

    def _cut(self, answer: Answer) -> httpx.Response:
        """The line breaks somewhere in the answer: with an error, or as if that had been all."""
        left = answer[2][: self._dice.randint(0, max(0, len(answer[2]) - 1))]
        headers = [each for each in answer[1] if each[0] != b"content-length"]
        stream = _Broken(left, breaks=self._dice.random() < 0.5)
        return httpx.Response(answer[0], headers=headers, stream=stream)


class _Broken(httpx.AsyncByteStream):
    def __init__(self, left: bytes, breaks: bool) -> None:
        self._left, self._breaks = left, breaks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._left
        if self._breaks:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


async def call(app: Any, request: httpx.Request) -> Answer:
    """One request to an ASGI application, and its whole answer."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method,
        "scheme": "http", "path": request.url.path, "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query, "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip
    sent: list[Message] = []
    body = [{"type": "http.request", "body": request.content, "more_body": False}]

    async def receive() -> Any:
        return body.pop() if body else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    return start["status"], list(start["headers"]), b"".join(part.get("body", b"") for part in sent[1:])
