"""Requests out, answers in: one connection, over TCP or over a serial line.

A wire keeps no opinion: it waits for the answer to a request as long as it is told, and says what came.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import cast

from device_drivers.contract import BadReply, DeviceError, Unreachable
from device_drivers.modbus.frames import (
    Answer,
    Asked,
    Failure,
    Frame,
    Garbled,
    judge,
    rtu_frame,
    take_rtu,
    take_tcp,
    tcp_frame,
)
from device_drivers.modbus.noise import find_rtu, take_echo

_LONGEST_FRAME = 260  # bytes (Modbus messaging on TCP/IP, 4.1)
_REMEMBERED = 64  # requests given up whose late answers are no surprise
_ECHOED = "what is sent comes back, and no answer behind it: switch the echo of the adapter off, and look for the unit"


class Wire(asyncio.Protocol, ABC):
    """One connection to `where`. `gone` is the sentence for its end by the other side.

    `echoes`: what is sent comes back before the answer, from an adapter on the way. `torn`: only a part of an answer
    came in time, and where the next one begins can not be told for sure.
    """

    echoes = False
    torn = False

    def __init__(self, where: str, gone: str) -> None:
        self.made: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._where = where
        self._gone = gone
        self._lost: DeviceError | None = None
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()

    @abstractmethod
    async def ask(self, request: Asked, timeout: float) -> Answer:
        """The answer to a request, or a Failure after `timeout` seconds. Raises DeviceError without a line."""

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Told by the loop."""
        self._transport = cast("asyncio.Transport", transport)
        if not self.made.done():
            self.made.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Told by the loop."""
        self._end(Unreachable(self._gone))

    def _end(self, error: DeviceError) -> None:
        if self._lost is None:
            self._lost = error
        self._wake_all()

    @abstractmethod
    def _wake_all(self) -> None:
        """Let every request end with None: there will be no answer."""

    async def _wait(self, frame: bytes, future: asyncio.Future[Answer | None]) -> Answer:
        """Send and wait. Raises what ended the line."""
        if self._lost is None and self._transport is not None:
            self._transport.write(frame)
            answer = await future
            if answer is not None:
                return answer
        raise self._lost or Unreachable(self._gone)


class TcpWire(Wire):
    """Modbus TCP: answers carry the transaction number of their request, so several may be on their way."""

    def __init__(self, where: str, gone: str) -> None:
        super().__init__(where, gone)
        self._transaction = 0
        self._waiting: dict[int, tuple[Asked, asyncio.Future[Answer | None], float]] = {}
        self._given_up: deque[int] = deque(maxlen=_REMEMBERED)
        self._stray = False
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, request: Asked, timeout: float) -> Answer:
        """See Wire."""
        loop = asyncio.get_running_loop()
        self._transaction = transaction = self._transaction % 0xFFFF + 1
        future: asyncio.Future[Answer | None] = loop.create_future()
        self._waiting[transaction] = (request, future, loop.time() + timeout)
        if self._timer is None:
            self._timer = loop.call_later(timeout, self._look_at_time)
        try:
            return await self._wait(tcp_frame(transaction, request), future)
        finally:
            if self._waiting.pop(transaction, None):
                self._given_up.append(transaction)

    def data_received(self, data: bytes) -> None:
        """Told by the loop."""
        self._buffer += data
        try:
            while frame := take_tcp(self._buffer):
                self._take(frame)
        except Garbled:
            self._end(BadReply(f"{self._where} answers something that is not Modbus TCP."))
            self.close()

    def _take(self, frame: Frame) -> None:
        request, future, _ = self._waiting.pop(frame.transaction, (None, None, 0.0))
        if request is None or future is None:
            self._stray = self._stray or frame.transaction not in self._given_up
        elif not future.done():
            self._stray = False
            future.set_result(judge(request, frame))

    def _look_at_time(self) -> None:
        """Give up what is late. One timer for a connection: most requests are answered long before it rings."""
        loop = asyncio.get_running_loop()
        now, self._timer = loop.time(), None
        for transaction in [number for number, (_, _, due) in self._waiting.items() if due <= now]:
            self._give_up(transaction)
        if self._waiting:
            self._timer = loop.call_at(min(due for _, _, due in self._waiting.values()), self._look_at_time)

    def _give_up(self, transaction: int) -> None:
        _, future, _ = self._waiting.pop(transaction)
        self._given_up.append(transaction)
        self.torn = bool(self._buffer)
        if not future.done():
            words = "the answer has the number of another request"
            future.set_result(Failure("odd", words) if self._stray else Failure("silent"))

    def _wake_all(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for _, future, _ in self._waiting.values():
            if not future.done():
                future.set_result(None)


class RtuWire(Wire):
    """Frames of a serial line, on one or through a TCP connection: one request at a time.

    Noise around an answer is passed over, and so is the request itself where an adapter sends it back; an answer
    is only what fits the request to its last bit. `on_late` is told of each whole frame that is not the answer to
    the request on its way.
    """

    def __init__(self, where: str, gone: str, on_late: Callable[[Frame], None]) -> None:
        super().__init__(where, gone)
        self._on_late = on_late
        self._request: Asked | None = None
        self._frame = b""
        self._future: asyncio.Future[Answer | None] | None = None
        self._odd = ""

    async def ask(self, request: Asked, timeout: float) -> Answer:
        """See Wire."""
        loop = asyncio.get_running_loop()
        self._buffer.clear()
        self._odd = ""
        self._frame = rtu_frame(request)
        self._request, self._future = request, loop.create_future()
        timer = loop.call_later(timeout, self._give_up)
        try:
            return await self._wait(rtu_frame(request), self._future)
        finally:
            timer.cancel()
            self._request = self._future = None

    def data_received(self, data: bytes) -> None:
        """Told by the loop."""
        self._buffer += data
        while self._buffer and self._take_next():
            pass
        if len(self._buffer) > _LONGEST_FRAME:  # noise
            del self._buffer[:-_LONGEST_FRAME]

    def _take_next(self) -> bool:
        """Take what comes next out of the buffer; whether there may be more to take."""
        request = self._request
        if request is not None and self._frame and self._is_echo(request) and take_echo(self._buffer, self._frame):
            self.echoes, self._frame, self._odd = True, b"", _ECHOED
            return True
        try:
            frame = take_rtu(self._buffer)
        except Garbled as error:
            if request is None:
                self._buffer.clear()
                return False
            frame, self._odd = None, self._odd or str(error)
        if frame is None and request is not None:
            frame = find_rtu(self._buffer, request)
        if frame is not None:
            self._take(frame)
        return frame is not None

    def _is_echo(self, request: Asked) -> bool:
        """Whether what was sent may come back once more: a write of one register is answered by the same bytes."""
        return self.echoes or not request.repeated

    def _take(self, frame: Frame) -> None:
        if self._request is None:
            self._on_late(frame)
            return
        answer = judge(self._request, frame)
        if isinstance(answer, Failure):  # the right one may still come
            self._odd = answer.words
            self._on_late(frame)
        else:
            self.echoes = not self._frame
            self._answer(answer)

    def _answer(self, answer: Answer | None) -> None:
        self._request = None
        if self._future and not self._future.done():
            self._future.set_result(answer)

    def _give_up(self) -> None:
        self._answer(Failure("odd", self._odd) if self._odd else Failure("silent"))

    def _wake_all(self) -> None:
        self._answer(None)
