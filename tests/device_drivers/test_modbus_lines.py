"""Several units on one line, paces, and devices with manners of their own; over real wires."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from device_drivers.contract import Online, StatusCode, Unreachable
from device_drivers.simulators.modbus_peer import Ask, Fault, Peer
from edge_agent.clock import SystemClock
from tests.device_drivers.modbus_rig import TIMEOUT, TRANSPORTS, kept
from tests.device_drivers.observing import make, running

every_wire = pytest.mark.parametrize("transport", TRANSPORTS)

TWO_UNITS = [{"name": "one", "address": 2}, {"name": "seven", "address": 3, "unit": 7}]


@every_wire
async def test_units_on_one_line_are_told_apart(transport: str, tmp_path: Path) -> None:
    peer = Peer(units=(1, 7), word=lambda ask, address: ask.unit * 100 + address)
    async with kept(peer, transport, tmp_path, points=TWO_UNITS) as rig:
        await rig.all_good("one", "seven")
        assert ({v.value for v in rig.good("one")}, {v.value for v in rig.good("seven")}) == ({102}, {703})
        assert peer.connections <= 1


@every_wire
async def test_a_dead_unit_is_left_out_and_the_others_keep_their_rate(transport: str, tmp_path: Path) -> None:
    peer = Peer(units=[1, 7])
    async with kept(peer, transport, tmp_path, points=TWO_UNITS, retry_dead_unit=0.5) as rig:
        await rig.all_good("one", "seven")
        peer.units = [1]
        await rig.until(lambda: rig.values("seven")[-1].status is StatusCode.BAD)
        died = SystemClock().now()
        await rig.until(lambda: any("Unit 7 does not answer" in text for text in rig.notices()))
        await rig.until(lambda: len(rig.good("one", died + timedelta(seconds=1.0))) > 20)
        assert rig.good("seven", died) == []
        span = rig.good("one")[-1].source_time - died
        probes = [ask for ask in peer.asked if ask.unit == 7 and ask.at > peer.asked[-1].at - 1.0]
        assert 1 <= len(probes) <= 4
        # Each probe costs the line a time-out, and a serial one a time-out of quiet; the rest is its own.
        rate = len(rig.good("one", died)) / span.total_seconds()
        assert rate > 25
        peer.units = [1, 7]
        await rig.all_good("one", "seven")
        await rig.until(lambda: rig.notices()[-1] == "")
        assert rig.losses == []


async def test_a_unit_that_is_dead_from_the_start_is_bad_and_comes_after_the_online(tmp_path: Path) -> None:
    points = [{"name": "dead", "address": 1, "unit": 1}, {"name": "alive", "address": 1, "unit": 2}]
    async with kept(Peer(units=[2]), "tcp", tmp_path, points=points) as rig:
        await rig.all_good("alive")
        assert isinstance(rig.seen[0], Online)
        assert {value.status for value in rig.values("dead")} == {StatusCode.BAD}


async def test_a_gateway_that_misses_one_unit_does_not_end_the_others(tmp_path: Path) -> None:
    peer = Peer(units=[1, 7], fault=lambda ask: Fault("gateway" if ask.unit == 7 else "none"))
    async with kept(peer, "tcp", tmp_path, points=TWO_UNITS, retry_dead_unit=60) as rig:
        for _ in range(5):
            await rig.all_good("one")
        await rig.until(lambda: rig.values("seven"))
        assert rig.losses == []
        assert {value.status for value in rig.values("seven")} == {StatusCode.BAD}
        tries = [ask.at for ask in peer.asked if ask.unit == 7]
        assert all(after - before > 1.9 for before, after in pairwise(tries))


@every_wire
async def test_an_odd_unit_does_not_end_the_others(transport: str, tmp_path: Path) -> None:
    peer = Peer(units=[1, 7], fault=lambda ask: Fault("short" if ask.unit == 7 else "none"))
    async with kept(peer, transport, tmp_path, points=TWO_UNITS, retry_dead_unit=60) as rig:
        for _ in range(3):
            await rig.all_good("one")
        await rig.until(lambda: rig.values("seven"))
        assert rig.losses == []
        assert {value.status for value in rig.values("seven")} == {StatusCode.BAD}


async def test_groups_have_their_own_pace(tmp_path: Path) -> None:
    peer = Peer()
    points = [
        {"name": "quick", "address": 1, "group": "fast"},
        {"name": "idle", "address": 2, "group": "slow"},
    ]
    groups = {"fast": 0.02, "slow": 0.4}
    async with kept(peer, "tcp", tmp_path, points=points, groups=groups) as rig:
        await rig.until(lambda: len(rig.good("idle")) >= 3)
        counts = Counter(ask.address for ask in peer.asked)
        assert 15 <= counts[1] <= 45
        assert rig.notices() == []


async def test_the_rhythm_is_that_of_the_most_frequent_group_that_gives_values(tmp_path: Path) -> None:
    peer = Peer(units=[1, 7], limit=1000)
    points = [
        {"name": "slow", "address": 1, "group": "slow"},
        {"name": "fast", "address": 2, "group": "fast", "unit": 7},
        {"name": "refused", "address": 2000, "group": "faster"},
    ]
    groups = {"slow": 3600, "fast": 0.02, "faster": 0.01}

    def rhythms() -> list[float]:
        told = (one.rhythm for one in rig.seen if isinstance(one, Online) and one.rhythm is not None)
        return [round(rhythm - TIMEOUT, 3) for rhythm in told]

    async with kept(peer, "tcp", tmp_path, points=points, groups=groups, retry_dead_unit=0.1) as rig:
        await rig.all_good("fast")
        await rig.until(lambda: rhythms()[-1] == 0.02)
        peer.units = [1]
        await rig.until(lambda: rhythms()[-1] == 3600)
        peer.units = [1, 7]
        await rig.until(lambda: rhythms()[-1] == 0.02)
        assert rig.losses == []


async def test_a_group_that_can_not_keep_its_pace_says_so_once_and_takes_it_back(tmp_path: Path) -> None:
    peer = Peer(fault=Fault(seconds=0.04))
    points = [{"name": "quick", "address": 1, "group": "fast"}]
    async with kept(peer, "tcp", tmp_path, points=points, groups={"fast": 0.02}, timeout=1.0) as rig:
        await rig.until(rig.notices)
        assert re.fullmatch(r"Group fast: 0\.\d+ s from poll to poll, not 0\.02 s\.", rig.notices()[0])
        peer.fault = Fault()
        await rig.until(lambda: rig.notices()[-1] == "")
        assert len(rig.notices()) <= 4


async def test_pauses_are_kept(tmp_path: Path) -> None:
    peer = Peer()
    points = [{"name": f"p{n}", "address": n} for n in range(3)]
    started = asyncio.get_running_loop().time()
    async with kept(
        peer, "tcp", tmp_path, points=points,
        pause_after_connect=0.15, pause_between_requests=0.03, one_request_per_point=True,
    ) as rig:  # fmt: skip
        await rig.all_good("p0", "p1", "p2")
        await rig.all_good("p0", "p1", "p2")
        assert peer.asked[0].at - started >= 0.15
        assert min(after.at - before.at for before, after in pairwise(peer.asked)) >= 0.029
        assert {ask.count for ask in peer.asked} == {1}


async def test_as_many_requests_are_on_their_way_as_the_device_takes(tmp_path: Path) -> None:
    """Eight reads that take 20 ms each: the peer answers in order, and it is never asked more than four."""
    flying: list[int] = []

    def count(ask: Ask) -> Fault:
        flying.append(len(peer.asked) - ask.number + 1)
        return Fault(seconds=0.005)

    peer = Peer(fault=count)
    points = [{"name": f"p{n}", "address": n * 200, "type": "uint32"} for n in range(8)]
    async with kept(peer, "tcp", tmp_path, points=points, max_in_flight=4, timeout=1.0) as rig:
        await rig.all_good(*(f"p{n}" for n in range(8)))
        await rig.all_good(*(f"p{n}" for n in range(8)))
        for n in range(8):
            assert {value.value for value in rig.good(f"p{n}")} == {n * 200 << 16 | n * 200 + 1}
        assert max(flying) == 4
        peer.fault = Fault("hung")
        await rig.until(lambda: rig.losses)
        peer.fault = Fault()
        await rig.all_good("p0", "p7")


async def test_a_block_that_is_refused_for_one_address_is_read_in_parts(tmp_path: Path) -> None:
    peer = Peer(limit=6)
    points = [{"name": name, "address": address} for name, address in (("a", 1), ("b", 3), ("beyond", 8))]
    async with kept(peer, "tcp", tmp_path, points=points) as rig:
        await rig.all_good("a", "b")
        await rig.until(lambda: len(rig.values("beyond")) >= 3)
        assert {value.status for value in rig.values("beyond")} == {StatusCode.BAD}
        assert [(ask.address, ask.count) for ask in peer.asked[:4]] == [(1, 8), (1, 1), (3, 1), (8, 1)]


async def test_a_factor_read_at_run_time_scales_and_spoils(tmp_path: Path) -> None:
    factor = {"now": 0xFFFF}
    peer = Peer(word=lambda ask, address: factor["now"] if address == 300 else 1234)
    points = [
        {"name": "power", "address": 10, "type": "int16", "scale_from": "sf"},
        {"name": "sf", "address": 300, "type": "int16", "not_available": -32768},
    ]
    async with kept(peer, "tcp", tmp_path, points=points) as rig:
        await rig.all_good("power")
        assert {value.value for value in rig.good("power")} == {123.4}
        factor["now"] = 0x8000
        await rig.until(lambda: rig.values("power")[-1].status is StatusCode.BAD)
        factor["now"] = 1
        await rig.until(lambda: rig.good("power")[-1].value == 12340)
        assert {value.value for value in rig.good("power")} == {123.4, 12340}


async def test_a_modicon_number_finds_its_table(tmp_path: Path) -> None:
    peer = Peer()
    points = [{"name": str(number), "address": number} for number in (1, 10001, 30003, 40005)]
    async with kept(peer, "tcp", tmp_path, points=points, base="modicon") as rig:
        await rig.all_good("1", "10001", "30003", "40005")
        assert {(ask.function, ask.address) for ask in peer.asked} == {(1, 0), (2, 0), (4, 2), (3, 4)}


async def test_a_serial_port_that_is_pulled_out_is_unreachable_in_words(tmp_path: Path) -> None:
    peer, link = Peer(), tmp_path / "line"
    options = {
        "transport": "rtu", "interval": 0.01, "timeout": TIMEOUT, "points": [{"name": "x", "address": 1}],
        "serial": {"port": str(link), "baudrate": 115200, "parity": "N"},
    }  # fmt: skip
    async with peer.on_line(link):
        run = running(make("modbus", options))
        at_work = await run.__aenter__()
        await at_work.until(lambda seen: bool(seen))
        held = running(make("modbus", options))
        async with held as second:
            assert "Another program holds" in str(await second.lost())
    error = await at_work.lost()
    assert isinstance(error, Unreachable)
    assert str(error) == f"The serial port {link} is gone. Plug its adapter in again; check its cable."
    await run.__aexit__(None, None, None)
    async with running(make("modbus", options)) as absent:
        assert "There is no port" in str(await absent.lost())
