"""Writes of the Modbus driver: coded as the item is read, before the polls, read back, and never twice."""

from __future__ import annotations

import asyncio
import math
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU

from device_drivers.contract import DeviceError, NotWritten, TimedOut, Writes, Written
from device_drivers.modbus.decoding import read
from device_drivers.modbus.encoding import encode, unwritable
from device_drivers.modbus.frames import Frame, WriteRequest, judge, rtu_frame, take_rtu, take_tcp, tcp_frame
from device_drivers.modbus.points import Order, Point, Table, Type, place
from device_drivers.modbus.writing import plan_write
from device_drivers.simulators.modbus_peer import Ask, Fault, Kind, Peer
from tests.device_drivers.modbus_rig import TRANSPORTS
from tests.device_drivers.observing import Running, eventually, make, running

POINTS = [
    {"name": "speed", "address": 2},
    {"name": "wide", "address": 5, "type": "uint32", "order": "CDAB"},
    {"name": "hot", "address": 8, "type": "int16", "scale": 0.1},
    {"name": "flag", "address": 3, "table": "coil"},
    {"name": "sensor", "address": 3, "table": "input"},
    {"name": "bit", "address": 9, "type": "bool", "bit": 3},
]

RANGES = {
    Type.UINT16: (0, 2**16), Type.INT16: (-(2**15), 2**15), Type.UINT32: (0, 2**32),
    Type.INT32: (-(2**31), 2**31), Type.UINT64: (0, 2**64), Type.INT64: (-(2**63), 2**63),
    Type.BCD16: (0, 10**4), Type.BCD32: (0, 10**8),
}  # fmt: skip


@asynccontextmanager
async def connected(
    peer: Peer, folder: Path, transport: str = "tcp", **options: Any
) -> AsyncIterator[tuple[Running, Writes]]:
    """A driver that has every value of the peer."""
    link = folder / "line"
    said: dict[str, Any] = {"transport": transport, "interval": 0.02, "timeout": 0.15, "points": POINTS}
    async with peer.on_line(link) if transport == "rtu" else peer.on_tcp(rtu=transport == "rtu_over_tcp"):
        if transport == "rtu":
            said["serial"] = {"port": str(link), "baudrate": 115200, "parity": "N"}
        else:
            said |= {"host": "127.0.0.1", "port": peer.port}
        driver = make("modbus", said | options)
        assert isinstance(driver, Writes)
        async with running(driver) as run:
            for point in {**said, **options}["points"]:
                await run.value(point["name"])
            yield run, driver


async def refused(writing: Any) -> DeviceError:
    """What a write raises."""
    with pytest.raises(DeviceError) as told:
        await writing
    return told.value


@given(st.sampled_from(sorted(RANGES)), st.sampled_from(Order), st.data())
def test_whole_numbers_come_back_as_they_were_written(kind: Type, order: Order, data: st.DataObject) -> None:
    low, high = RANGES[kind]
    value = data.draw(st.integers(low, high - 1))
    point = Point(name="p", address=0, type=kind, order=order)
    assert read(point, encode(point, value)) == value
    for beyond in (low - 1, high):
        with pytest.raises(ValueError, match="can not hold it"):
            encode(point, beyond)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(Order))
def test_fractions_come_back_as_they_were_written(value: float, order: Order) -> None:
    for kind in (Type.FLOAT32, Type.FLOAT64):
        point = Point(name="p", address=0, type=kind, order=order)
        assert read(point, encode(point, value)) == value


@given(st.integers(-(2**15), 2**15 - 1), st.sampled_from([0.1, 0.01, 0.5, 2.0, -1.0, 0.003]), st.integers(-50, 50))
def test_scaled_numbers_come_back_as_they_were_written(raw: int, scale: float, offset: int) -> None:
    point = Point(name="p", address=0, type=Type.INT16, scale=scale, offset=offset)
    value = read(point, struct.pack(">h", raw))
    assert isinstance(value, (int, float))
    assert encode(point, value) == struct.pack(">h", raw)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8))
def test_text_comes_back_as_it_was_written(text: str) -> None:
    for order in (Order.ABCD, Order.BADC):
        point = Point(name="p", address=0, type=Type.STRING, length=16, order=order)
        assert read(point, encode(point, text)) == text.rstrip()


@pytest.mark.parametrize(
    ("said", "value", "words"),
    [
        ({}, True, "a number"),
        ({}, 2e-305, "can only hold 0"),
        ({}, "7", "a number"),
        ({}, 1.5, "step of 1"),
        ({}, math.nan, "can not hold"),
        ({}, math.inf, "can not hold"),
        ({"type": "float32"}, math.inf, "for none"),
        ({"type": "float32"}, 1e300, "can not hold"),
        ({"scale": 0.1}, 7.25, "step of 0.1"),
        ({"not_available": 65535}, 65535, "not_available"),
        ({"type": "string", "length": 2}, "ABCDE", "room for 4 bytes"),
        ({"type": "string", "length": 2}, "A\0B", "text"),
        ({"type": "string", "length": 2}, 5, "text"),
        ({"table": "coil"}, 1, "true or false"),
    ],
)
def test_what_a_point_can_not_hold_is_no_value_of_it(said: dict[str, Any], value: Any, words: str) -> None:
    point = msgspec.convert({"name": "p", "address": 0} | said, Point)
    with pytest.raises(ValueError, match=words):
        encode(point, value)


def test_what_can_only_be_read_says_why() -> None:
    for said, words in (
        ({"table": Table.INPUT}, "only be read"),
        ({"table": Table.DISCRETE}, "only be read"),
        ({"type": Type.BOOL, "bit": 3}, "neighbours"),
        ({"bit": 3, "bits": 4}, "neighbours"),
        ({"scale_from": "factor"}, "scale factor"),
        ({"scale": 0.0}, "scale 0"),
    ):
        assert words in unwritable(Point(name="p", address=0, **said))
    with pytest.raises(NotWritten, match="every unit of the line"):
        plan_write(place(Point(name="p", address=0), 0, 0), 5, of_a_line=True)


@given(
    st.integers(1, 247), st.integers(0, 0xFF00), st.integers(1, 0xFFFF),
    st.one_of(
        st.tuples(st.just(5), st.sampled_from([b"\xff\0", b"\0\0"])),
        st.tuples(st.just(6), st.binary(min_size=2, max_size=2)),
        st.tuples(st.just(16), st.integers(1, 20).flatmap(lambda n: st.binary(min_size=2 * n, max_size=2 * n))),
    ),
)  # fmt: skip
def test_a_library_understands_our_writes_and_we_its_answers(
    unit: int, address: int, transaction: int, what: tuple[int, bytes]
) -> None:
    request = WriteRequest(unit, what[0], address, what[1])
    for framer, frame in (
        (FramerSocket(DecodePDU(True)), tcp_frame(transaction, request)),
        (FramerRTU(DecodePDU(True)), rtu_frame(request)),
    ):
        used, asked = framer.handleFrame(frame, 0, 0)
        assert used == len(frame)
        assert asked
        assert (asked.dev_id, asked.function_code, asked.address) == (unit, what[0], address)
        assert asked.encode() == request.pdu[1:]
    answer = Frame(transaction, unit, request.echo)
    assert judge(request, answer) == request.echo[1:]
    body = bytes([unit]) + request.echo
    tcp = struct.pack(">HHH", transaction, 0, len(body)) + body
    assert take_tcp(bytearray(tcp)) == answer
    rtu = FramerRTU(DecodePDU(False))
    assert take_rtu(bytearray(body + rtu.compute_CRC(body).to_bytes(2, "big"))) == Frame(0, unit, request.echo)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_write_arrives_as_it_is_read(transport: str, tmp_path: Path) -> None:
    peer = Peer()
    async with connected(peer, tmp_path, transport) as (run, driver):
        assert await driver.write_item("speed", 77) == Written(77, True)
        assert await driver.write_item("wide", 0x12345678) == Written(0x12345678, True)
        assert await driver.write_item("hot", -0.3) == Written(-0.3, True)
        assert await driver.write_item("flag", True) == Written(True, True)
        await run.until(lambda seen: any(getattr(one, "value", None) == 0x12345678 for one in seen))
    assert peer.written == {
        (1, True, 2): 77, (1, True, 5): 0x5678, (1, True, 6): 0x1234, (1, True, 8): 0xFFFD,
        (1, False, 3): 0xFF00,
    }  # fmt: skip
    assert [ask.function for ask in peer.asked if ask.function > 4] == [6, 16, 6, 5]


async def test_a_device_that_knows_only_one_of_the_two_writes_of_registers(tmp_path: Path) -> None:
    peer = Peer(writable=(16,))
    async with connected(peer, tmp_path) as (_, driver):
        assert await driver.write_item("speed", 77) == Written(77, True)
        assert "no such write" in str(await refused(driver.write_item("flag", True)))
    assert peer.written == {(1, True, 2): 77}


async def test_what_the_device_makes_of_it_is_told(tmp_path: Path) -> None:
    peer = Peer()

    def clamps(ask: Ask) -> Fault:
        if (1, True, 2) in peer.written:
            peer.written[1, True, 2] = 50
        return Fault()

    peer.fault = clamps
    async with connected(peer, tmp_path) as (_, driver):
        assert await driver.write_item("speed", 77) == Written(50, False)


@pytest.mark.parametrize(
    ("item", "value", "words"),
    [
        ("speed", 70000, "can not hold"), ("sensor", 1, "only be read"), ("bit", True, "neighbours"),
        ("nothing", 1, "no point 'nothing'"),
    ],
)  # fmt: skip
async def test_what_can_not_be_written_is_not_sent(item: str, value: Any, words: str, tmp_path: Path) -> None:
    peer = Peer()
    async with connected(peer, tmp_path) as (_, driver):
        error = await refused(driver.write_item(item, value))
    assert isinstance(error, NotWritten)
    assert words in str(error)
    assert all(ask.function <= 4 for ask in peer.asked)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("kind", "sure"),
    [("refuse", True), ("busy", True), ("hung", False), ("wrong_unit", False), ("cut", False), ("short", False)],
)
async def test_after_a_fault_it_is_known_or_doubtful(
    kind: Kind, sure: bool, transport: str, tmp_path: Path
) -> None:
    peer = Peer(units=[1, 7], fault=lambda ask: Fault(kind if ask.function > 4 else "none"))
    async with connected(peer, tmp_path, transport) as (_, driver):
        error = await refused(driver.write_item("speed", 77))
    assert isinstance(error, NotWritten) is sure, error
    assert len([ask for ask in peer.asked if ask.function > 4]) == 1, "a write is never tried twice"


async def test_a_hung_device_is_lost_by_a_write_as_by_a_poll(tmp_path: Path) -> None:
    peer = Peer(fault=lambda ask: Fault("hung" if any(each.function > 4 for each in peer.asked) else "none"))
    async with connected(peer, tmp_path) as (run, driver):
        assert isinstance(await refused(driver.write_item("speed", 77)), TimedOut)
        assert isinstance(await run.lost(), TimedOut)
        assert isinstance(await refused(driver.write_item("speed", 77)), NotWritten)


async def test_a_device_that_answers_all_but_a_write_is_not_lost(tmp_path: Path) -> None:
    peer = Peer(fault=lambda ask: Fault("hung" if ask.function > 4 else "none"))
    async with connected(peer, tmp_path) as (run, driver):
        for _ in range(2):
            assert isinstance(await refused(driver.write_item("speed", 77)), TimedOut)
            asked = len(peer.asked)
            assert await eventually(lambda asked=asked: len(peer.asked) > asked + 5)  # type: ignore[misc]
        assert not run.task.done()


async def test_a_lost_line_ends_a_write_that_waits(tmp_path: Path) -> None:
    peer = Peer(fault=lambda ask: Fault("close" if ask.function > 4 else "none"))
    async with connected(peer, tmp_path) as (run, driver):
        error = await refused(asyncio.wait_for(driver.write_item("speed", 77), 2))
        assert not isinstance(error, NotWritten)
        await run.lost()


async def test_a_late_answer_to_a_write_is_not_that_to_the_next(tmp_path: Path) -> None:
    """On a line two equal writes have equal answers: the second is not sent before the doubts are cleared."""
    late = Fault(seconds=0.25)
    peer = Peer(fault=lambda ask: late if ask.function > 4 and not peer.written else Fault())
    async with connected(peer, tmp_path, "rtu_over_tcp") as (_, driver):
        assert isinstance(await refused(driver.write_item("speed", 77)), TimedOut)
        assert await driver.write_item("speed", 77) == Written(77, True)
    first, second = [ask for ask in peer.asked if ask.function > 4]
    between = [ask for ask in peer.asked if first.number < ask.number < second.number]
    assert len(between) >= 2, "no clean polls before it"
    assert second.at - first.at >= 0.25


@pytest.mark.parametrize("manners", [{}, {"max_in_flight": 3}])
async def test_a_write_does_not_wait_behind_a_long_poll_cycle(manners: dict[str, Any], tmp_path: Path) -> None:
    """60 reads of 30 ms are a round of 1.8 s; a write waits for the reads on their way, and no more."""
    thinks = 0.03
    points = [{"name": f"p{n}", "address": n, "alone": True} for n in range(60)]
    peer = Peer(fault=Fault(seconds=thinks))
    async with connected(peer, tmp_path, points=points, timeout=1.0, interval=0.05, **manners) as (_, driver):
        took = []
        for value in range(8):
            began = time.monotonic()
            assert (await driver.write_item("p7", value)).agrees
            took.append(time.monotonic() - began)
    # A write and its reading back, each behind the reads on their way.
    waits = manners.get("max_in_flight", 1)
    assert sorted(took)[4] < (2 * waits + 2) * thinks * 2, took


async def test_polls_go_on_between_writes(tmp_path: Path) -> None:
    peer = Peer(fault=Fault(seconds=0.005))
    async with connected(peer, tmp_path) as (_, driver):
        before = len(peer.asked)
        await asyncio.gather(*(driver.write_item("speed", value) for value in range(20)))
    asked = peer.asked[before:]
    writes = [ask for ask in asked if ask.function == 6]
    assert len(writes) == 20
    assert len([ask for ask in asked if ask.number < writes[-1].number]) - 39 > 5, "the polls starve"
