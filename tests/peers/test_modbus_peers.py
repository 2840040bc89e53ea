"""The Modbus driver against servers that others wrote, and our simulators against readers that others wrote."""

from __future__ import annotations

import asyncio
import re
import struct
from pathlib import Path
from typing import Any

import pytest

from device_drivers.contract import DataValue, Observation, StatusCode, Writes, Written
from device_drivers.simulators.modbus_peer import Peer
from device_drivers.simulators.process import Simulator
from tests.device_drivers.observing import Running, make, running
from tests.peers.others import joined_ports, need_node_package, node_server
from tests.support.optional import need

POINTS = [
    {"name": "holding", "address": 7},
    {"name": "wide", "address": 20, "type": "uint32", "order": "CDAB"},
    {"name": "input", "address": 30, "table": "input"},
    {"name": "coil", "address": 4, "table": "coil"},
    {"name": "uncoil", "address": 5, "table": "coil"},
    {"name": "discrete", "address": 9, "table": "discrete"},
]
EXPECTED = {
    "holding": 1007, "wide": 1021 << 16 | 1020, "input": 31, "coil": True, "uncoil": False, "discrete": True,
}  # fmt: skip


async def polled(run: Running, polls: int) -> dict[str, set[object]]:
    """The good values of each point after so many polls."""

    def enough(seen: list[Observation]) -> bool:
        return len(good(seen)) >= polls * len(POINTS)

    await run.until(enough, within=10)
    values: dict[str, set[object]] = {}
    for value in good(run.seen):
        values.setdefault(value.item, set()).add(value.value)
    return values


def good(seen: list[Observation]) -> list[DataValue]:
    """The good values."""
    return [one for one in seen if isinstance(one, DataValue) and one.status is StatusCode.GOOD]


@pytest.mark.parametrize("package", ["modbus-serial", "jsmodbus"])
@pytest.mark.parametrize("manners", [{}, {"max_in_flight": 4, "one_request_per_point": True}])
async def test_servers_on_tcp(package: str, manners: dict[str, Any]) -> None:
    need_node_package(package)
    with node_server(package, "modbus_server.js", "tcp") as server:
        options = {"host": "127.0.0.1", "port": server["port"], "interval": 0.02, "points": POINTS, **manners}
        async with running(make("modbus", options)) as run:
            found = await polled(run, 20)
    assert found == {name: {value} for name, value in EXPECTED.items()}


WRITES = {"holding": 4711, "wide": 0x12345678, "coil": False, "uncoil": True}


async def written(run: Running, driver: object) -> None:
    """Write each kind of point, and see the values arrive by the polls as well."""
    assert isinstance(driver, Writes)
    for item, value in WRITES.items():
        await run.value(item)
        assert await driver.write_item(item, value) == Written(value, True)

    def arrived(seen: list[Observation]) -> bool:
        return all(any((one.item, one.value) == pair for one in good(seen)) for pair in WRITES.items())

    await run.until(arrived)


@pytest.mark.parametrize("package", ["modbus-serial", "jsmodbus"])
async def test_servers_on_tcp_are_written_to(package: str) -> None:
    need_node_package(package)
    with node_server(package, "modbus_server.js", "tcp") as server:
        options = {"host": "127.0.0.1", "port": server["port"], "interval": 0.02, "points": POINTS}
        driver = make("modbus", options)
        async with running(driver) as run:
            await written(run, driver)


async def test_a_server_on_a_serial_line_is_written_to() -> None:
    need_node_package("modbus-serial")
    async with joined_ports() as (theirs, ours):
        with node_server("modbus-serial", "modbus_server.js", "rtu", theirs):
            serial = {"port": ours, "baudrate": 115200, "parity": "N"}
            options = {"transport": "rtu", "serial": serial, "interval": 0.02, "timeout": 0.5, "points": POINTS}
            driver = make("modbus", options)
            async with running(driver) as run:
                await written(run, driver)


async def test_a_server_on_a_serial_line() -> None:
    need_node_package("modbus-serial")
    async with joined_ports() as (theirs, ours):
        with node_server("modbus-serial", "modbus_server.js", "rtu", theirs):
            serial = {"port": ours, "baudrate": 115200, "parity": "N"}
            options = {
                "transport": "rtu",
                "serial": serial,
                "interval": 0.02,
                "timeout": 0.5,
                "points": POINTS,
            }
            async with running(make("modbus", options)) as run:
                found = await polled(run, 20)
    assert found == {name: {value} for name, value in EXPECTED.items()}


async def mbpoll(*arguments: str) -> list[str]:
    """What mbpoll reads, once: the values as it prints them."""
    process = await asyncio.create_subprocess_exec(
        need("mbpoll"), "-0", "-1", "-o", "2", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    return re.findall(r"^\[\d+\]:\s*(\S+)", told.decode(), re.MULTILINE)


async def test_a_reader_of_others_sees_our_press() -> None:
    need("mbpoll")
    with Simulator.start("modbus_machine", "--begin", "600") as press:
        place = ("127.0.0.1", "-m", "tcp", "-p", str(press.ready["port"]))
        name = await mbpoll(*place, "-t", "4:hex", "-r", "16", "-c", "8")
        assert b"".join(struct.pack(">H", int(word, 16)) for word in name).rstrip(b"\0") == b"FH-PRESS-250"
        assert await mbpoll(*place, "-t", "4", "-r", "1") == ["1"]


async def test_a_reader_of_others_and_our_driver_read_the_same_of_a_peer(tmp_path: Path) -> None:
    need("mbpoll")
    peer, link = Peer(units=[1, 7], word=lambda ask, address: 1000 * ask.unit + address), tmp_path / "line"
    async with peer.on_line(link):
        line = ("-m", "rtu", "-b", "115200", "-P", "none", str(link))
        assert await mbpoll(*line, "-a", "7", "-r", "3", "-c", "2", "-t", "3") == ["7003", "7004"]
    async with peer.on_tcp():
        place = ("127.0.0.1", "-m", "tcp", "-p", str(peer.port))
        assert await mbpoll(*place, "-r", "20", "-c", "1", "-t", "4:int") == [str(1021 << 16 | 1020)]
        options = {"host": "127.0.0.1", "port": peer.port, "points": [POINTS[1]], "interval": 0.02}
        async with running(make("modbus", options)) as run:
            assert (await run.value("wide")).value == 1021 << 16 | 1020
