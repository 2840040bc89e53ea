"""The Modbus driver against a hand-written server that can misbehave: pymodbus judges neither side here."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from device_drivers.contract import (
    BadReply,
    DataValue,
    DeviceError,
    Observation,
    StatusCode,
    TimedOut,
    Unreachable,
)
from device_drivers.modbus import Driver, Options
from device_drivers.modbus.options import Point, Table, Type
from edge_agent.clock import SystemClock
from tests.device_drivers.observing import Running, running


@dataclass
class Request:
    """One request as it came over the wire."""

    transaction: int
    unit: int
    function: int
    address: int
    count: int


def registers(request: Request) -> bytes:
    """An honest answer: every register holds its own address."""
    words = range(request.address, request.address + request.count)
    return bytes([request.function, 2 * request.count]) + b"".join(struct.pack(">H", word) for word in words)


def short(request: Request) -> bytes:
    """One register, whatever was asked."""
    return bytes([request.function, 2]) + struct.pack(">H", 7)


def refused(code: int) -> Callable[[Request], bytes]:
    """An exception answer to every request for an address from 100 on."""
    return lambda request: (
        bytes([request.function | 0x80, code]) if request.address >= 100 else registers(request)
    )


def other_function(request: Request) -> bytes:
    """Input registers where holding registers were asked for."""
    return registers(Request(request.transaction, request.unit, 4, request.address, request.count))


def silence(request: Request) -> bytes:
    """Nothing, and the connection stays open."""
    return b""


def hang_up(request: Request) -> bytes:
    """End the connection instead of an answer."""
    raise ConnectionAbortedError


def garbage(request: Request) -> bytes:
    """A function code that does not exist."""
    return b"\x63\x00"


@dataclass
class Device:
    """A Modbus TCP device that answers as `answer` says."""

    answer: Callable[[Request], bytes]
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while True:
                head = await reader.readexactly(12)
                transaction, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", head)
                self.requests.append(Request(transaction, unit, function, address, count))
                if body := self.answer(self.requests[-1]):
                    writer.write(struct.pack(">HHHB", transaction, 0, len(body) + 1, unit) + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def device(answer: Callable[[Request], bytes]) -> AsyncIterator[Device]:
    """A device on a free port."""
    made = Device(answer)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


NEAR = Point(name="near", address=2)
FAR = Point(name="far", address=100, type=Type.UINT32)


def driver(to: Device, *points: Point, **options: Any) -> Driver:
    """A quick driver to a device."""
    return Driver(
        Options(host="127.0.0.1", port=to.port, interval=0.02, timeout=0.2, points=points, **options),
        SystemClock(),
    )


async def test_reads_in_blocks_and_tells_values() -> None:
    async with device(registers) as peer, running(driver(peer, NEAR, FAR, unit=7)) as run:
        assert (await run.value("near")).value == 2
        assert (await run.value("far")).value == 100 << 16 | 101
        assert [(r.unit, r.address, r.count) for r in peer.requests[:2]] == [(7, 2, 1), (7, 100, 2)]


async def test_a_refused_block_is_bad_and_the_others_go_on() -> None:
    async with device(refused(2)) as peer, running(driver(peer, NEAR, FAR)) as run:
        far, near = await run.value("far"), await run.value("near")
        assert (far.value, far.status) == (None, StatusCode.BAD)
        assert (near.value, near.status) == (2, StatusCode.GOOD)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (short, BadReply),
        (other_function, BadReply),
        (refused(0x0B), Unreachable),
        (silence, TimedOut),
        (hang_up, Unreachable),
        (garbage, DeviceError),
    ],
)
async def test_what_is_no_answer_ends_the_driver_and_is_never_a_value(
    answer: Callable[[Request], bytes], kind: type[DeviceError]
) -> None:
    async with device(answer) as peer, running(driver(peer, FAR)) as run:
        assert isinstance(await run.lost(), kind)
        assert not any(isinstance(observation, DataValue) for observation in run.seen)


async def test_a_late_answer_is_never_taken_for_the_next_one() -> None:
    """When nothing is answered the connection is given up; nothing is asked on it again."""
    async with device(silence) as peer, running(driver(peer, NEAR, FAR)) as run:
        await run.lost()
        assert [request.address for request in peer.requests] == [2, 100]


class SteppedClock(SystemClock):
    """A clock whose wall time is counted by its readings, and whose monotonic time jumps by sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.at = 0.0
        self.pauses: list[float] = []

    def now(self) -> datetime:
        self.reads += 1
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.reads)

    def monotonic(self) -> float:
        return self.at

    async def sleep_until(self, monotonic: float) -> None:
        self.pauses.append(monotonic - self.at)
        self.at = monotonic
        await asyncio.sleep(0)


async def test_the_source_time_is_the_moment_of_the_request() -> None:
    clock = SteppedClock()
    asked: list[int] = []

    def answer(request: Request) -> bytes:
        asked.append(clock.reads)
        clock.now()  # time goes on while the device thinks
        return registers(request)

    async with device(answer) as peer:
        made = Driver(Options(host="127.0.0.1", port=peer.port, points=(NEAR,)), clock)
        async with running(made) as run:
            value = await run.value("near")
    assert value.source_time == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=asked[0])


async def test_the_pace_is_the_interval() -> None:
    clock = SteppedClock()
    async with device(registers) as peer:
        made = Driver(Options(host="127.0.0.1", port=peer.port, interval=2, points=(NEAR,)), clock)
        async with running(made) as run:
            await run.until(lambda seen: len(seen) > 4)
    assert set(clock.pauses) == {2.0}


@pytest.mark.parametrize("turns", range(8))
async def test_a_cancellation_in_the_moment_of_an_answer_is_not_lost(turns: int) -> None:
    """Whatever turn of the loop after an answer the cancellation falls on, the poll ends."""
    loop = asyncio.get_running_loop()

    def cancel_later(left: int) -> None:
        if left:
            loop.call_soon(cancel_later, left - 1)
        else:
            run.task.cancel()

    def answer(request: Request) -> bytes:
        if len(peer.requests) == 5:
            cancel_later(turns)
        return registers(request)

    async with device(answer) as peer:
        run = Running(driver(peer, NEAR, FAR))
        done, _ = await asyncio.wait([run.task], timeout=1)
        assert done
        assert run.task.cancelled()


async def test_coils_and_discrete_inputs() -> None:
    def bits(request: Request) -> bytes:
        return bytes([request.function, -(-request.count // 8)]) + b"\x05\x02"[: -(-request.count // 8)]

    coils = [Point(name=f"c{n}", address=n, table=Table.COIL) for n in (0, 1, 2, 9)]
    async with device(bits) as peer, running(driver(peer, *coils)) as run:
        await run.value("c9")
        assert values(run.seen[:5]) == {"c0": True, "c1": False, "c2": True, "c9": True}
        assert [(r.function, r.count) for r in peer.requests[:1]] == [(1, 10)]


def values(seen: list[Observation]) -> dict[str, object]:
    """The values by item."""
    return {observation.item: observation.value for observation in seen if isinstance(observation, DataValue)}
