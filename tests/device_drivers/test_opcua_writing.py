"""Writes of the OPC UA driver: with the data type of the node, read back, and never twice."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import DeviceError, NotWritten, TimedOut, Writes, Written
from device_drivers.opcua.coding import agrees, coded
from device_drivers.simulators.process import Simulator
from tests.device_drivers.observing import make, running

NODE = "nsu=urn:floorhand:machining-centre;s=MachiningCentre."
NAMES = ("SpeedSetpoint", "BatchSize", "RecipeName", "Lamp", "Temperature")
WRITE_REQUEST = b"\x01\x00" + struct.pack("<H", 673)  # the node id of its encoding (part 6, annex A)


@pytest.fixture(scope="module")
def machine() -> Iterator[Simulator]:
    """A machining centre."""
    with Simulator.start("opcua_machine") as started:
        yield started


@asynccontextmanager
async def connected(endpoint: str) -> AsyncIterator[Writes]:
    """A driver that has values."""
    points = [{"name": name, "node": NODE + name} for name in NAMES]
    driver = make("opcua", {"endpoint": endpoint, "insecure": True, "timeout": 1.0, "points": points})
    assert isinstance(driver, Writes)
    async with running(driver) as run:
        await run.value("Lamp")
        yield driver


@pytest.mark.parametrize(
    ("item", "value", "held"),
    [
        ("SpeedSetpoint", 0.1, struct.unpack(">f", struct.pack(">f", 0.1))[0]), ("SpeedSetpoint", 12, 12.0),
        ("BatchSize", 500, 500), ("BatchSize", 7.0, 7), ("RecipeName", "Flange 12", "Flange 12"),
        ("Lamp", True, True), ("Lamp", False, False),
    ],
)  # fmt: skip
async def test_a_write_arrives_with_the_type_of_its_node(
    machine: Simulator, item: str, value: Any, held: Any
) -> None:
    async with connected(machine.ready["endpoint"]) as driver:
        assert await driver.write_item(item, value) == Written(held, True)


@pytest.mark.parametrize(
    ("item", "value", "words"),
    [
        ("BatchSize", 70000, "UInt16 can not hold it"), ("BatchSize", 1.5, "UInt16 can not hold it"),
        ("BatchSize", True, "holds a UInt16"), ("Lamp", 1, "holds a Boolean"), ("RecipeName", 5, "holds a String"),
        ("SpeedSetpoint", "fast", "holds a Float"), ("Temperature", 20.0, "refuses to write"),
        ("Nothing", 1, "no point 'Nothing'"),
    ],
)  # fmt: skip
async def test_what_can_not_be_written_says_why(machine: Simulator, item: str, value: Any, words: str) -> None:
    async with connected(machine.ready["endpoint"]) as driver:
        with pytest.raises(NotWritten, match=words):
            await driver.write_item(item, value)


async def test_nothing_is_written_to_a_server_that_is_lost_or_frozen() -> None:
    with await asyncio.to_thread(Simulator.start, "opcua_machine") as machine:
        async with connected(machine.ready["endpoint"]) as driver:
            machine.freeze()
            with pytest.raises(NotWritten, match="does not answer in time"):
                await driver.write_item("BatchSize", 5)
            machine.thaw()
        with pytest.raises(NotWritten, match="not connected"):
            await driver.write_item("BatchSize", 5)


@pytest.mark.parametrize(("ending", "kind"), [("silent", TimedOut), ("close", DeviceError)])
async def test_a_write_without_an_answer_is_doubtful(machine: Simulator, ending: str, kind: type[Exception]) -> None:
    """The request arrives, its answer does not come back: the machine has the value, and nobody knows."""
    swallowed = asyncio.Event()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        down, up = await asyncio.open_connection("127.0.0.1", machine.ready["port"])

        async def back() -> None:
            while data := await down.read(65536):
                if not swallowed.is_set():
                    writer.write(data)
            writer.close()

        task = asyncio.create_task(back())
        while data := await reader.read(65536):
            if WRITE_REQUEST in data:
                swallowed.set()
            up.write(data)
            if swallowed.is_set() and ending == "close":
                writer.close()
        up.close()
        await task

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, connected(f"opc.tcp://127.0.0.1:{port}/machining-centre") as driver:
        with pytest.raises(kind) as told:
            await driver.write_item("BatchSize", 321)
    assert not isinstance(told.value, NotWritten)
    async with connected(machine.ready["endpoint"]) as driver:
        assert await driver.write_item("Lamp", True) == Written(True, True)


@given(st.sampled_from(["SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64"]), st.data())
def test_whole_numbers_fit_their_type_or_are_refused(kind: str, data: st.DataObject) -> None:
    value = data.draw(st.integers(-(2**66), 2**66) | st.integers(-200, 70_000))
    bits = {"SByte": 8, "Byte": 8}.get(kind) or int(kind.lstrip("UInt"))
    low, high = (0, 2**bits) if kind.startswith(("U", "B")) else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    if low <= value < high:
        assert coded(value, kind) == value
    else:
        with pytest.raises(ValueError, match="can not hold"):
            coded(value, kind)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e39])
def test_what_is_no_number_of_the_type_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="Float can not hold"):
        coded(value, "Float")
    with pytest.raises(ValueError, match="can only be read"):
        coded(1, "DateTime")


def test_true_is_not_one() -> None:
    assert not agrees(True, 1)
    assert not agrees(1, True)
    assert agrees(1.0, 1)
