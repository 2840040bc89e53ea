"""What is not answered, or refused, while the rest is: the rest goes on, and people are told; over real wires.

Polls are counted at the device, so a busy PC changes nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from device_drivers.contract import Notice, StatusCode
from device_drivers.simulators.modbus_peer import Ask, Fault, Peer
from edge_agent.clock import SystemClock
from tests.device_drivers.modbus_rig import TRANSPORTS, Kept, kept
from tests.device_drivers.observing import make, running

every_wire = pytest.mark.parametrize("transport", TRANSPORTS)
ON_TCP = pytest.mark.parametrize("transport", TRANSPORTS[:2])


def without(*addresses: int) -> Peer:
    """A device that never answers a read with one of these addresses in it."""

    def fault(ask: Ask) -> Fault:
        return Fault("hung" if any(ask.address <= each < ask.address + ask.count for each in addresses) else "none")

    return Peer(fault=fault)


def is_bad(rig: Kept, item: str) -> bool:
    """Whether an item was told last, and to be bad."""
    return bool(rig.values(item)) and rig.values(item)[-1].status is StatusCode.BAD


@every_wire
async def test_a_register_that_is_never_answered_is_bad_and_the_others_are_read(
    transport: str, tmp_path: Path
) -> None:
    peer = without(50)
    points = [{"name": "state", "address": 2}, {"name": "b", "address": 50}, {"name": "c", "address": 90}]
    async with kept(peer, transport, tmp_path, points=points) as rig:
        for _ in range(20):
            await rig.all_good("state", "c")
        assert rig.losses == []
        assert rig.good("b") == []
        assert is_bad(rig, "b")
        words = "The device does not answer for holding 50: b has no value. It is asked again, later each time."
        await rig.until(lambda: words in (rig.notices() or [""])[-1])
        asked = [ask.address for ask in peer.asked]
        assert asked.count(50) <= 3 < 20 < asked.count(2)
        peer.fault = Fault()
        await rig.all_good("b", within=20)
        await rig.until(lambda: "holding" not in rig.notices()[-1])
        assert rig.losses == []


@every_wire
async def test_the_register_that_is_first_and_never_answered_keeps_no_other_from_being_read(
    transport: str, tmp_path: Path
) -> None:
    points = [{"name": name, "address": address} for name, address in (("a", 2), ("b", 50), ("c", 90))]
    async with kept(without(2, 50), transport, tmp_path, points=points) as rig:
        for _ in range(5):
            await rig.all_good("c")
        assert rig.losses == []


@ON_TCP
async def test_of_a_block_that_is_never_answered_the_culprit_is_found(transport: str, tmp_path: Path) -> None:
    peer = without(51)
    points = [{"name": f"p{n}", "address": n} for n in (2, 50, 51, 52)]
    async with kept(peer, transport, tmp_path, points=points) as rig:
        await rig.all_good("p2", "p50", "p52", within=25)
        assert rig.good("p51") == []
        await rig.until(lambda: "holding 51: p51 has no value" in rig.notices()[-1])
        assert rig.losses == []


@every_wire
async def test_a_device_that_answers_nothing_any_more_is_lost(transport: str, tmp_path: Path) -> None:
    points = [{"name": "a", "address": 2}, {"name": "b", "address": 50}, {"name": "c", "address": 90}]
    peer = Peer()
    async with kept(peer, transport, tmp_path, points=points) as rig:
        await rig.all_good("a", "b", "c")
        peer.fault = Fault("hung")
        before = len(peer.asked)
        await rig.until(lambda: rig.losses)
        assert len(peer.asked) - before <= 3
        peer.fault = Fault()
        await rig.all_good("a", "b", "c")


def line_of(dead: Sequence[int]) -> list[dict[str, object]]:
    """A good unit 1 with two blocks, and dead ones."""
    return [
        {"name": "near", "address": 2}, {"name": "far", "address": 90},
        *({"name": f"x{unit}", "address": 2, "unit": unit} for unit in dead),
    ]  # fmt: skip


@every_wire
async def test_between_two_probes_of_dead_units_the_good_one_has_a_whole_round(
    transport: str, tmp_path: Path
) -> None:
    dead = range(2, 10)
    peer = Peer(units=[1])
    async with kept(peer, transport, tmp_path, points=line_of(dead), retry_dead_unit=0.2) as rig:
        await rig.until(lambda: all(f"Unit {unit} does not" in (rig.notices() or [""])[-1] for unit in dead), 30)
        since = len(peer.asked)
        await rig.until(lambda: sum(ask.unit != 1 for ask in peer.asked[since:]) > 2 * len(dead), 60)
        assert rig.losses == []
    good = next(at for at, ask in enumerate(peer.asked) if ask.unit == 1)
    found = [list(group) for other, group in itertools.groupby(peer.asked[good:], lambda ask: ask.unit == 1) if other]
    assert all(len(group) >= 2 for group in found[1:-1]), "of both blocks"
    assert set(dead) == {ask.unit for ask in peer.asked[since:] if ask.unit != 1}
    assert all(1 in (before.unit, after.unit) for before, after in itertools.pairwise(peer.asked[good:]))


async def test_a_probe_waits_beside_the_polls_where_a_device_takes_more_at_a_time(tmp_path: Path) -> None:
    peer = Peer(units=[1])
    answered: list[Ask] = []

    def fault(ask: Ask) -> Fault:
        answered.append(ask)
        return Fault()

    peer.fault = fault
    points, timeout = line_of([2, 3]), 1.0
    async with kept(
        peer, "tcp", tmp_path, points=points, retry_dead_unit=0.2, max_in_flight=2, timeout=timeout
    ) as rig:
        await rig.all_good("near", "far")
        await rig.until(lambda: sum(ask.unit != 1 for ask in peer.asked) >= 3, 30)
        asked = peer.asked
        probes = [at for at, ask in enumerate(asked) if ask.unit != 1]
        for probe, after in itertools.pairwise(probes[-2:]):
            meanwhile = [ask for ask in asked[probe:after] if ask.unit == 1 and ask.at < asked[probe].at + timeout]
            assert len(meanwhile) >= 4, "the good unit is polled while nobody answers the probe"


@pytest.mark.parametrize("code", [1, 2, 3, 4])
async def test_a_hole_in_a_block_that_is_refused_hides_no_point(code: int, tmp_path: Path) -> None:
    def fault(ask: Ask) -> Fault:
        return Fault("refuse" if ask.address <= 3 < ask.address + ask.count else "none", code=code)

    points = [{"name": "a", "address": 2}, {"name": "b", "address": 5}]
    async with kept(Peer(fault=fault), "tcp", tmp_path, points=points) as rig:
        await rig.all_good("a", "b")
        assert rig.losses == []
        assert not any("refuses" in text for text in rig.notices())


@every_wire
async def test_what_is_refused_is_told_until_it_is_right(transport: str, tmp_path: Path) -> None:
    refused = {"now": True}

    def fault(ask: Ask) -> Fault:
        return Fault("refuse" if refused["now"] and ask.address + ask.count > 120 else "none", code=4)

    points = [{"name": "a", "address": 2}, {"name": "b", "address": 105}, {"name": "c", "address": 120}]
    async with kept(Peer(fault=fault), transport, tmp_path, points=points) as rig:
        await rig.all_good("a", "b")
        words = "The device refuses holding 120 (exception 4: it failed while it read): c has no value."
        await rig.until(lambda: words in rig.notices())
        assert is_bad(rig, "c")
        refused["now"] = False
        await rig.all_good("c")
        await rig.until(lambda: "holding" not in rig.notices()[-1])
        assert rig.losses == []


async def test_a_device_that_is_busy_for_a_moment_is_not_told_and_for_long_it_is(tmp_path: Path) -> None:
    peer = Peer()
    points = [{"name": "a", "address": 2}, {"name": "b", "address": 5}]
    async with kept(peer, "tcp", tmp_path, points=points) as rig:
        await rig.all_good("a")
        peer.fault, busy = Fault("busy"), SystemClock().now()
        await rig.until(lambda: len(rig.values("a", busy)) > 5)
        assert not any("busy" in text for text in rig.notices())
        words = "The device refuses holding 2, holding 5 (exception 6: it is busy): a, b have no value."
        await rig.until(lambda: any(words in text for text in rig.notices()), within=20)
        peer.fault = Fault()
        await rig.all_good("a", "b")
        assert {(ask.address, ask.count) for ask in peer.asked} == {(2, 4)}
        await rig.until(lambda: "busy" not in rig.notices()[-1])


async def test_places_are_told_as_the_site_file_writes_them() -> None:
    peer = Peer(limit=6)
    async with peer.on_tcp():
        points = [{"name": "a", "address": 40002}, {"name": "c", "address": 30021, "unit": 7}]
        peer.units = [1, 7]
        said = {"host": "127.0.0.1", "port": peer.port, "interval": 0.02, "base": "modicon", "points": points}
        async with running(make("modbus", said)) as run:
            notice = await run.until(lambda seen: next((one for one in seen if isinstance(one, Notice)), None))
    assert "refuses 30021 of unit 7 (exception 2: it has no such address): c has no value" in notice.text
