"""The read of every point at the press of a key, where a part of the line is dead or slow; over real wires."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from device_drivers.contract import PointRead, Reads, StatusCode
from device_drivers.modbus.line import CLEAN_POLLS
from device_drivers.simulators.modbus_peer import Fault, Peer
from tests.device_drivers.modbus_rig import TIMEOUT, TRANSPORTS
from tests.device_drivers.observing import Running, make, running

ONE = [{"name": f"one{n}", "address": n, "alone": True} for n in range(3)]
SEVEN = [{"name": f"seven{n}", "address": n, "unit": 7, "alone": True} for n in range(12)]


def options(peer: Peer, transport: str, **said: object) -> dict[str, object]:
    wanted = {"transport": transport, "host": "127.0.0.1", "port": peer.port, "interval": 0.05, "timeout": TIMEOUT}
    return wanted | {"points": [*SEVEN, *ONE], "retry_dead_unit": 3600} | said


async def read(run: Running, driver: object, within: float) -> dict[str, PointRead]:
    await run.value("one2")
    assert isinstance(driver, Reads)
    return {each.item: each for each in await asyncio.wait_for(driver.read_now(within), 8)}


@pytest.mark.parametrize("transport", TRANSPORTS[:2])
async def test_a_dead_unit_costs_a_read_of_everything_one_time_out(transport: str) -> None:
    peer = Peer(units=[1])
    async with peer.on_tcp(rtu=transport != "tcp"):
        driver = make("modbus", options(peer, transport))
        async with running(driver) as run:
            await run.value("seven0")
            before = len(peer.asked)
            came = await read(run, driver, 5)
            assert [ask.unit for ask in peer.asked[before:]].count(7) == 1
    assert list(came) == [point["name"] for point in (*SEVEN, *ONE)]
    assert {came[f"one{n}"].value for n in range(3)} == {0, 1, 2}
    bad = [came[f"seven{n}"] for n in range(12)]
    assert {each.status for each in bad} == {StatusCode.BAD}
    assert Counter(each.reason for each in bad) == {
        "The device does not answer in time.": 1, "Not asked: unit 7 did not answer the read before.": 11,
    }  # fmt: skip


async def test_when_the_time_is_over_it_tells_what_it_has() -> None:
    peer = Peer(units=[1, 7], fault=lambda ask: Fault("none" if ask.unit == 1 else "hung"))
    async with peer.on_tcp():
        driver = make("modbus", options(peer, "tcp", timeout=3, max_in_flight=16))
        async with running(driver) as run:
            came = await read(run, driver, 0.3)
    assert {came[f"seven{n}"].reason for n in range(12)} == {"Not read: the 0.3 s for it were over."}
    assert {came[f"one{n}"].status for n in range(3)} == {StatusCode.GOOD}


async def test_the_answer_to_a_read_that_was_given_up_is_not_that_to_the_next_poll() -> None:
    """What the device still owes could fit the next request: the unit is in doubt until it answered other lengths."""
    peer = Peer(units=[1])
    points = [{"name": "one2", "address": 2}]
    async with peer.on_tcp(rtu=True):
        driver = make("modbus", options(peer, "rtu_over_tcp", points=points, timeout=0.4, interval=3600))
        async with running(driver) as run:
            await run.value("one2")
            peer.fault, asked = Fault("late", seconds=0.1), len(peer.asked)
            came = await read(run, driver, 0.05)
            assert (await read(run, driver, 5))["one2"].value == 2
            counts = [ask.count for ask in peer.asked[asked:]]
    assert came["one2"].reason == "Not read: the 0.05 s for it were over."
    assert [count == 1 for count in counts] == [True, *[False] * CLEAN_POLLS, True]
