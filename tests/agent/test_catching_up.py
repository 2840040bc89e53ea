"""Machines know what their devices know, also after more came than could wait, and after a fault of the pump."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from device_drivers.contract import DataValue, DataValues, StatusCode
from edge_agent import pumps
from edge_agent.bookkeeping import Bookkeeper
from edge_agent.events import ValuesArrived
from edge_agent.machines.equipment import Equipment
from edge_agent.machines.items import kept
from edge_agent.pumps import Machines, Pumps
from edge_agent.supervisor import Supervisor
from edge_agent.views.status import ItemValue
from tests.agent.hall import Hall, hall_in
from tests.support.manual_clock import START

STATES = {"6": "EXECUTE", "4": "IDLE"}


class Floor:
    """Three machines, each with a device that the test speaks for; the pump keeps few reads."""

    def __init__(self, hall: Hall, books: Bookkeeper) -> None:
        self.hall = hall
        self.items: dict[str, dict[str, ItemValue]] = {name: {} for name in ("plc1", "plc2", "plc3")}
        made = (
            Equipment(id=f"M{number}", device=f"plc{number}", state="state", states=STATES, count="parts")
            for number in (1, 2, 3)
        )
        self.machines = Machines([*made, Equipment(id="BENCH")], books)
        hall.supervisor = Supervisor(hall.clock, Random(1))
        self.pumps = Pumps(
            hall.bus, self.machines, hall.terminals, hall.supervisor, hall.clock, items=self.of
        )  # fmt: skip

    def of(self, device: str) -> Mapping[str, ItemValue]:
        """As Devices.items."""
        return self.items[device]

    def say(self, device: str, status: StatusCode = StatusCode.GOOD, **values: int | None) -> None:
        """A read of the device: kept by it, and published."""
        now = self.hall.clock.now()
        read = DataValues(tuple(values), tuple(values.values()), status, now)
        for value in read:
            self.items[device][value.item] = kept(self.items[device].get(value.item), value)
        self.hall.bus.publish(ValuesArrived(device, read))

    def told(self) -> dict[str, tuple[str, int | None]]:
        """State and count of each machine."""
        return {each.id: (each.state, each.count) for each in self.machines.statuses() if each.device}

    async def settled(self) -> None:
        """When the pump has taken what waits: it never waits for anything but events."""
        for _ in range(50):
            await asyncio.sleep(0)


@pytest.fixture
async def floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Floor]:
    """The machines, and their pump at work."""
    monkeypatch.setattr(pumps, "_WAITING", 4)
    async with hall_in(tmp_path, pumps=False) as hall:
        floor = Floor(hall, await Bookkeeper.open(hall.store, hall.clock, hall.bus, 60))
        task = asyncio.create_task(floor.pumps.run())
        await floor.settled()
        yield floor
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_after_an_overflow_no_machine_is_stale(floor: Floor) -> None:
    for number, device in enumerate(floor.items, 1):
        floor.say(device, state=4, parts=number)
        await floor.settled()
    assert floor.told() == {"M1": ("IDLE", 1), "M2": ("IDLE", 2), "M3": ("IDLE", 3)}
    floor.hall.clock.advance(1.0)
    for device in floor.items:  # each of them changes once, and then one of them says very much
        floor.say(device, state=6, parts=10)
    floor.say("plc2", StatusCode.BAD, state=None)
    for parts in range(11, 20):
        floor.say("plc3", parts=parts)
    await floor.settled()
    assert floor.told() == {"M1": ("EXECUTE", 10), "M2": ("NO DATA", 10), "M3": ("EXECUTE", 19)}
    first = floor.machines.status_of("M1")
    assert first
    assert (first.counted, first.state_since) == (9, floor.hall.clock.now())


async def test_a_pump_that_failed_begins_with_what_the_devices_know(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(event: object) -> None:
        raise RuntimeError("planted")

    with monkeypatch.context() as patch:
        patch.setattr(floor.pumps, "_take_all", broken)
        for parts in range(9):  # more than can wait
            floor.say("plc1", state=6, parts=parts)
        await floor.settled()
    floor.say("plc2", state=6, parts=3)
    floor.hall.clock.advance(5.0)
    await floor.settled()
    assert floor.told() == {"M1": ("EXECUTE", 8), "M2": ("EXECUTE", 3), "M3": ("NO DATA", None)}


def test_a_machine_takes_only_what_it_does_not_know() -> None:
    machine, clock = Equipment(id="M", device="d", count="parts"), START
    good = DataValue("parts", 7, StatusCode.GOOD, clock)
    item = kept(None, good)
    assert machine.behind(item, clock) == good
    machine.take(good)
    assert machine.behind(item, clock) is None
    lost = kept(item, DataValue("parts", None, StatusCode.BAD, clock))
    later = clock + timedelta(seconds=3)
    bad = machine.behind(lost, later)
    assert bad == DataValue("parts", None, StatusCode.BAD, later)
    machine.take(bad)
    assert machine.behind(lost, later) is None
    assert machine.behind(kept(None, DataValue("other", 1, StatusCode.GOOD, clock)), later) is None
