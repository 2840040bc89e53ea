"""A Modbus server by hand, that can misbehave: `python -m device_drivers.simulators.modbus_peer`.

It speaks Modbus TCP, RTU over TCP, and RTU on the far end of a pseudo-terminal, as many units as it is
given, and answers one request after the other, as a device on a serial line does. It knows nothing of the
driver and nothing of its libraries: each can be judged by the other.

    peer = Peer(units=[1, 7])
    async with peer.on_tcp():            # or on_tcp(rtu=True), or on_line("a link to the port")
        peer.fault = Fault("late", seconds=0.3)

Registers and bits are what `Peer.word` and `Peer.bit` say; by default every register holds its address.
What is written into them (function codes 5, 6 and 16, when it is `writable`) is in `Peer.written` from then on.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import os
import struct
import tty
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from device_drivers.simulators.process import announce, hear_lines, termination

Kind = Literal[
    "none", "late", "hung", "close", "short", "long", "wrong_unit", "wrong_function", "wrong_transaction",
    "cut", "busy", "refuse", "gateway", "garbage", "check_sum",
]  # fmt: skip
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as it came; `number` counts from 1. `count` of a write of one is what is written."""

    number: int
    transaction: int
    unit: int
    function: int
    address: int
    count: int
    at: float
    data: bytes = b""

    @property
    def size(self) -> int:
        """How many addresses it is about."""
        return 1 if self.function in (5, 6) else self.count


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an answer. `seconds`: how long the device thinks, whatever the fault. `code`: the exception
    of a "refuse".
    """

    kind: Kind = "none"
    seconds: float = 0.0
    code: int = 2


Send = Callable[[bytes], None]


@dataclass
class Peer:
    """The device, or the devices of a line. `fault` is one for all, or chosen for each request.

    `asked` has every request in order of arrival; `limit` is the first address that is not there.
    `writable` are the function codes that it knows of those that write. `written` holds what was written,
    by unit, whether it is a register, and address. `on_the_way` is what becomes of the bytes of an answer.
    """

    units: Iterable[int] = (1,)
    fault: Fault | Callable[[Ask], Fault] = Fault()
    word: Callable[[Ask, int], int] = lambda ask, address: address & 0xFFFF
    bit: Callable[[Ask, int], bool] = lambda ask, address: address % 3 == 0
    limit: int = 0x10000
    asked: list[Ask] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    writable: Iterable[int] = (5, 6, 16)
    written: dict[tuple[int, bool, int], int] = field(default_factory=dict)
    on_the_way: Callable[[Ask, bytes], bytes] = lambda ask, frame: frame

    @asynccontextmanager
    async def on_tcp(self, rtu: bool = False) -> AsyncIterator[Peer]:
        """Listen on 127.0.0.1, at `port` or any free one."""
        ends: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            task = asyncio.current_task()
            assert task
            ends.add(task)
            try:
                await _serve(self, reader, writer.write, writer.close, rtu)
            except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                pass
            finally:
                ends.discard(task)
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await _end(ends)

    @asynccontextmanager
    async def on_line(self, link: Path) -> AsyncIterator[Peer]:
        """Be on the far end of a serial port, whose name is put at `link`."""
        far, near = os.openpty()
        tty.setraw(near)
        _replace(link, os.ttyname(near))
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()

        def readable() -> None:
            try:
                reader.feed_data(os.read(far, 4096))
            except OSError:
                loop.remove_reader(far)

        loop.add_reader(far, readable)
        task = asyncio.create_task(_serve(self, reader, lambda data: _write(far, data), lambda: None, True))
        try:
            yield self
        finally:
            await _end({task})
            loop.remove_reader(far)
            _replace(link, "")
            os.close(far)
            os.close(near)

    def answers(self, ask: Ask) -> bool:
        """Whether there is a unit that answers at all."""
        return ask.unit in self.units

    def chosen(self, ask: Ask) -> Fault:
        """The fault for a request."""
        return self.fault if isinstance(self.fault, Fault) else self.fault(ask)


async def _serve(
    peer: Peer, reader: asyncio.StreamReader, send: Send, close: Callable[[], None], rtu: bool
) -> None:
    """Take requests as they come and answer them in order."""
    requests: asyncio.Queue[Ask] = asyncio.Queue()
    answering = asyncio.create_task(_answer_all(peer, requests, send, close, rtu))
    try:
        while True:
            if rtu:
                unit, function, address, count, _ = struct.unpack(">BBHHH", head := await reader.readexactly(8))
                transaction, data = 0, b""
                if function == 16:  # of eight bytes the last two are no check sum, but byte count and data
                    data = (head[7:] + await reader.readexactly(head[6] + 1))[:-2]
            else:
                head = await reader.readexactly(12)
                transaction, _, length, unit, function, address, count = struct.unpack(">HHHBBHH", head)
                data = (await reader.readexactly(length - 6))[1:]
            at = asyncio.get_running_loop().time()
            ask = Ask(len(peer.asked) + 1, transaction, unit, function, address, count, at, data)
            peer.asked.append(ask)
            requests.put_nowait(ask)
    finally:
        await _end({answering})


async def _answer_all(
    peer: Peer, requests: asyncio.Queue[Ask], send: Send, close: Callable[[], None], rtu: bool
) -> None:
    while True:
        ask = await requests.get()
        fault = peer.chosen(ask)
        if fault.seconds:
            # Not a guess of anybody: this is how long the device thinks.
            await asyncio.sleep(fault.seconds)
        if fault.kind == "close":
            close()
        elif fault.kind != "hung" and peer.answers(ask):
            send(peer.on_the_way(ask, answer(peer, ask, fault.kind, rtu, fault.code)))


def answer(peer: Peer, ask: Ask, kind: Kind, rtu: bool, code: int = 2) -> bytes:
    """The bytes of an answer, right or wrong; `code` is the exception of a refusal."""
    unit, transaction, pdu = ask.unit, ask.transaction, _pdu(peer, ask, kind, code)
    if kind == "wrong_unit":
        unit += 1
    if kind == "wrong_transaction":
        transaction = transaction + 1000 & 0xFFFF
    body = bytes([unit]) + pdu
    if rtu:
        frame = body + check_sum(body)
        if kind in ("check_sum", "wrong_transaction"):
            frame = frame[:-1] + bytes([frame[-1] ^ 0xFF])
    else:
        frame = struct.pack(">HHH", transaction, 1 if kind == "check_sum" else 0, len(body)) + body
    return frame[: len(frame) // 2] if kind == "cut" else frame


def _pdu(peer: Peer, ask: Ask, kind: Kind, refusal: int) -> bytes:
    refusals = {"busy": 6, "refuse": refusal, "gateway": 11}
    code = refusals.get(kind) or (2 if ask.address + ask.size > peer.limit else 0)
    if code or ask.function not in (1, 2, 3, 4, *peer.writable):
        return bytes([ask.function | 0x80, code or 1])
    if ask.function > 4:
        return _take(peer, ask, kind)
    if kind == "garbage":
        return b"\x63\x00\x01"
    count = ask.count + {"short": -1, "long": 1}.get(kind, 0)
    addresses = range(ask.address, ask.address + count)
    if ask.function <= 2:
        bits = [peer.written.get((ask.unit, False, each), peer.bit(ask, each)) for each in addresses]
        packed = sum(bool(bit) << at for at, bit in enumerate(bits))
        data = packed.to_bytes(-(-count // 8), "little")
        data = data[:-1] if kind == "short" else data + b"\0" if kind == "long" else data
    else:
        words = [peer.written.get((ask.unit, True, each), peer.word(ask, each)) for each in addresses]
        data = struct.pack(f">{len(words)}H", *words)
    function = ask.function ^ 1 if kind == "wrong_function" else ask.function
    return bytes([function, len(data)]) + data


def _take(peer: Peer, ask: Ask, kind: Kind) -> bytes:
    """Keep what is written, and repeat it; a wrong answer repeats something else."""
    if ask.function == 16:
        words = struct.unpack(f">{ask.count}H", ask.data)
        peer.written |= {(ask.unit, True, ask.address + at): word for at, word in enumerate(words)}
    else:
        peer.written[ask.unit, ask.function == 6, ask.address] = ask.count
    wrong = kind in ("short", "long", "garbage", "wrong_function")
    return struct.pack(">BHH", ask.function, ask.address ^ wrong, ask.count)


def check_sum(data: bytes) -> bytes:
    """CRC-16/MODBUS, bit by bit."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            carry, value = value & 1, value >> 1
            if carry:
                value ^= 0xA001
    return struct.pack("<H", value)


def _write(descriptor: int, data: bytes) -> None:
    with suppress(OSError):  # nobody has the port open
        os.write(descriptor, data)


def _replace(link: Path, name: str) -> None:
    """Let the link lead to a name; without a name, remove it."""
    link.unlink(missing_ok=True)
    if name:
        link.symlink_to(name)


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def serve(peer: Peer, transport: str, link: Path | None, commands: Path | None) -> None:
    """Serve until SIGTERM."""
    ended = termination()
    if commands is not None:
        hear_lines(commands, functools.partial(_misbehave, peer))
    if transport == "rtu":
        assert link
        async with peer.on_line(link):
            announce(link=str(link))
            await ended.wait()
    else:
        async with peer.on_tcp(rtu=transport == "rtu_over_tcp"):
            announce(port=peer.port)
            await ended.wait()


def _misbehave(peer: Peer, line: bytes) -> None:
    kind, _, seconds = line.decode("ascii").partition(" ")
    if kind in KINDS:
        peer.fault = Fault(kind, float(seconds or 0))


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A Modbus server that can misbehave.")
    parser.add_argument("--transport", choices=("tcp", "rtu", "rtu_over_tcp"), default="tcp")
    parser.add_argument("--port", type=int, default=0, help="0: any free one, told in the ready line")
    parser.add_argument("--link", type=Path, help="where the name of the serial port is put")
    parser.add_argument("--units", type=int, nargs="+", default=[1])
    parser.add_argument("--limit", type=int, default=0x10000, help="the first address that is not there")
    parser.add_argument("--fault", choices=KINDS, default="none")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long it thinks about each answer")
    parser.add_argument("--commands", type=Path, help="a FIFO; each line `FAULT SECONDS` is the fault from then on")
    told = parser.parse_args()
    if told.transport == "rtu" and told.link is None:
        parser.error("--transport rtu needs --link")
    peer = Peer(told.units, Fault(told.fault, told.seconds), limit=told.limit, port=told.port)
    asyncio.run(serve(peer, told.transport, told.link, told.commands))


if __name__ == "__main__":
    main()
