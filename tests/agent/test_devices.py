"""Devices: what drivers emit reaches the bus, and no value of a lost device is believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

import device_drivers
from device_drivers.contract import (
    BadReply,
    Clock,
    DataValue,
    DataValues,
    DeviceError,
    DriverModule,
    Emit,
    Gap,
    Misconfigured,
    Notice,
    Observation,
    Online,
    PointRead,
    Scan,
    StatusCode,
    TimedOut,
    Unreachable,
)
from device_drivers.opcua.options import Options
from edge_agent.bus import Bus, Subscription
from edge_agent.devices.kept_alive import CanNotRead, Devices, DeviceSettings
from edge_agent.events import DeviceChanged, GapArrived, ScanArrived, ValuesArrived
from edge_agent.supervisor import Supervisor
from edge_agent.views.status import DeviceStatus, ItemValue
from tests.support.manual_clock import START, ManualClock

Event = ScanArrived | ValuesArrived | DeviceChanged


class _Line:
    """The far end of a driver's wire: the test says what is observed and when the wire breaks."""

    def __init__(self) -> None:
        self.connected = asyncio.Event()
        self._emit: Emit | None = None
        self._cut: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, emit: Emit) -> None:
        self._emit = emit
        self._cut = asyncio.get_running_loop().create_future()
        self.connected.set()
        await self._cut

    async def observe(self, *observations: Observation) -> None:
        await asyncio.wait_for(self.connected.wait(), 5)
        assert self._emit is not None
        for observation in observations:
            self._emit(observation)

    round_trip = None

    async def read_now(self, within: float) -> tuple[PointRead, ...]:
        raise Unreachable("10.0.0.9:502 is not connected now.")

    def cut(self, reason: str | DeviceError) -> None:
        self.connected.clear()
        self._cut.set_exception(reason if isinstance(reason, DeviceError) else Unreachable(reason))


class Floor:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.bus = Bus()
        self.lines = {"plc": _Line(), "gun": _Line()}
        self.devices = Devices(
            [
                DeviceSettings("plc", "modbus", "plc", equipment="E1"),
                DeviceSettings("gun", "serial_scanner", "gun", terminal="T1"),
            ],
            self._load,
            self.clock,
            self.bus,
            Supervisor(self.clock, Random(1), strict=True),
        )
        self.events: Subscription[Any] = self.bus.subscribe(ScanArrived, ValuesArrived, DeviceChanged)
        self.task = asyncio.ensure_future(self.devices.run())

    def _load(self, name: str) -> DriverModule:
        def driver(options: str, clock: Clock) -> _Line:
            assert clock is self.clock
            return self.lines[options]

        assert name in ("modbus", "serial_scanner")
        return cast("DriverModule", SimpleNamespace(Options=str, Driver=driver))

    async def until(self, wanted: Callable[[Event], bool]) -> list[Event]:
        """The events up to the first that is wanted."""
        seen: list[Event] = []
        while not seen or not wanted(seen[-1]):
            seen.append(await asyncio.wait_for(anext(self.events), 5))
        return seen

    async def until_state(self, name: str, state: str) -> list[Event]:
        return await self.until(
            lambda event: (
                isinstance(event, DeviceChanged) and (event.status.name, event.status.state) == (name, state)
            )
        )

    def status(self, name: str) -> DeviceStatus:
        return next(status for status in self.devices.statuses() if status.name == name)


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    floor = Floor()
    yield floor
    floor.task.cancel()
    await asyncio.gather(floor.task, return_exceptions=True)


def value(item: str, value: float, status: StatusCode = StatusCode.GOOD) -> DataValue:
    return DataValue(item, None if status is StatusCode.BAD else value, status, START)


async def test_a_device_comes_online_with_its_identity(floor: Floor) -> None:
    assert [status.state for status in floor.devices.statuses()] == ["starting", "starting"]
    floor.clock.advance(3)
    await floor.lines["plc"].observe(Online("Simatic S7", only_changes=True))
    await floor.until_state("plc", "online")
    status = floor.status("plc")
    assert (status.identity, status.equipment, status.since) == ("Simatic S7", "E1", floor.clock.now())
    assert status.only_changes
    assert floor.status("gun").state == "starting"


async def test_values_and_scans_reach_the_bus(floor: Floor) -> None:
    scan = Scan("id-1", b"B:1001", START)
    await floor.lines["plc"].observe(Online(""), value("count", 7))
    await floor.lines["gun"].observe(Online(""), scan)
    seen = await floor.until(lambda event: isinstance(event, ScanArrived))
    assert ValuesArrived("plc", DataValues.of(value("count", 7))) in seen
    assert seen[-1] == ScanArrived("gun", "T1", scan)
    assert floor.status("gun").last_good == START


async def test_a_lost_device_takes_its_values_with_it_before_anybody_hears_of_the_loss(floor: Floor) -> None:
    await floor.lines["plc"].observe(Online(""), value("count", 7), value("speed", 1.5))
    floor.clock.advance(60)
    floor.lines["plc"].cut("The cable is out.")
    seen = await floor.until_state("plc", "lost")
    bad = [value for event in seen if isinstance(event, ValuesArrived) for value in event.values][-2:]
    assert bad == [DataValue(item, None, StatusCode.BAD, floor.clock.now()) for item in ("count", "speed")]
    assert isinstance(seen[-1], DeviceChanged)
    assert (seen[-1].status.reason, seen[-1].status.tries) == ("The cable is out.", 1)
    assert seen[-1].status.last_good == START
    assert floor.devices.items("plc")["count"] == ItemValue(
        name="count", value=7, status="Bad", source_time=START
    )


async def test_a_notice_stands_until_it_is_taken_back_or_the_device_is_lost(floor: Floor) -> None:
    await floor.lines["plc"].observe(Online(""), Notice("Unit 7 does not answer."))
    seen = await floor.until(lambda event: isinstance(event, DeviceChanged) and bool(event.status.notice))
    assert isinstance(seen[-1], DeviceChanged)
    assert (seen[-1].status.notice, seen[-1].status.state) == ("Unit 7 does not answer.", "online")
    await floor.lines["plc"].observe(Notice(""))
    assert floor.status("plc").notice == ""
    await floor.lines["plc"].observe(Notice("Slow."))
    floor.lines["plc"].cut("The cable is out.")
    await floor.until_state("plc", "lost")
    assert floor.status("plc").notice == ""


async def test_failing_again_says_nothing_new_about_the_values(floor: Floor) -> None:
    await floor.lines["plc"].observe(Online(""), value("count", 7))
    floor.lines["plc"].cut("first")
    await floor.until_state("plc", "lost")
    since = floor.status("plc").since
    floor.clock.advance(1)
    await asyncio.wait_for(floor.lines["plc"].connected.wait(), 5)
    floor.lines["plc"].cut("second")
    seen = await floor.until_state("plc", "lost")
    assert [type(event) for event in seen] == [DeviceChanged]
    assert (floor.status("plc").reason, floor.status("plc").tries) == ("second", 2)
    assert floor.status("plc").since == since


async def test_a_device_that_returns_is_good_again(floor: Floor) -> None:
    await floor.lines["plc"].observe(Online("A"), value("count", 7))
    floor.lines["plc"].cut("gone")
    await floor.until_state("plc", "lost")
    await floor.clock.sleeping()
    floor.clock.advance(5)
    await floor.lines["plc"].observe(Online("B"), value("count", 9))
    await floor.until_state("plc", "online")
    status = floor.status("plc")
    assert (status.identity, status.reason, status.tries) == ("B", "", 0)
    assert floor.devices.items("plc")["count"].status == "Good"


async def test_after_a_loss_the_gap_runs_from_when_the_device_was_last_heard_until_it_is_back(
    floor: Floor,
) -> None:
    gaps = floor.bus.subscribe(GapArrived)
    plc = floor.lines["plc"]
    await plc.observe(Online("A"), value("count", 7))
    floor.clock.advance(3)
    told = Gap(None, START + timedelta(seconds=1), floor.clock.now())
    await plc.observe(told)
    assert await asyncio.wait_for(anext(gaps), 5) == GapArrived("plc", told)
    plc.cut("gone")
    await floor.until_state("plc", "lost")
    await floor.clock.sleeping()
    floor.clock.advance(5)
    await plc.observe(Online("A"))
    gap = (await asyncio.wait_for(anext(gaps), 5)).gap
    assert gap == Gap(None, told.since, floor.clock.now())


async def test_warnings_are_shown_while_the_device_works_and_when_they_change(floor: Floor) -> None:
    gaps = floor.bus.subscribe(GapArrived)
    await floor.lines["plc"].observe(Online("A"))
    await floor.until_state("plc", "online")
    await floor.lines["plc"].observe(Online("A", ("The certificate expires.",)), Gap("count", START, START))
    await floor.until(lambda event: isinstance(event, DeviceChanged) and bool(event.status.warnings))
    assert floor.status("plc").warnings == ("The certificate expires.",)
    assert (await asyncio.wait_for(anext(gaps), 5)).gap.item == "count"


async def test_a_bad_item_keeps_its_last_good_value_and_its_age(floor: Floor) -> None:
    await floor.lines["plc"].observe(
        Online(""), value("count", 7), value("count", 0, StatusCode.BAD), value("never", 0, StatusCode.BAD)
    )
    assert floor.devices.items("plc")["count"] == ItemValue(
        name="count", value=7, status="Bad", source_time=START
    )
    assert floor.devices.items("plc")["never"].value is None


async def test_without_a_device_there_is_nothing_to_do_and_no_end() -> None:
    clock = ManualClock()
    devices = Devices([], lambda name: cast("DriverModule", None), clock, Bus(), Supervisor(clock, Random(1)))
    task = asyncio.create_task(devices.run())
    for _ in range(3):
        await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_what_is_insecure_and_where_it_is_looked_for_stands_in_the_status() -> None:
    point = {"name": "state", "node": "i=2259"}
    far, near = "opc.tcp://10.0.0.9:4840", "opc.tcp://127.0.0.1:4840"
    options = [
        msgspec.convert({"endpoint": endpoint, "insecure": insecure, "points": [point]}, Options)
        for endpoint, insecure in ((far, True), (far, False), (near, True))
    ]
    clock, bus = ManualClock(), Bus()
    told = [DeviceSettings(f"plc{number}", "opcua", each) for number, each in enumerate(options)]
    devices = Devices(told, device_drivers.load, clock, bus, Supervisor(clock, Random(1)))
    assert [(each.insecure, each.endpoint, each.round_trip) for each in devices.statuses()] == [
        (True, far, None), (False, far, None), (False, near, None),
    ]


async def test_the_newest_of_many_reads_counts_and_a_bad_one_keeps_the_last_good(floor: Floor) -> None:
    names, later = ("a", "b"), START + timedelta(seconds=1)
    await floor.lines["plc"].observe(
        Online(""),
        DataValues(names, [1, 1], StatusCode.GOOD, START),
        value("b", 5),
        DataValues(names, [2, 2], StatusCode.GOOD, later),
        DataValues(("b",), [None], StatusCode.BAD, later),
    )
    found = floor.devices.items("plc")
    assert [(found[each].value, found[each].status, found[each].source_time) for each in names] == [
        (2, "Good", later), (2, "Bad", later),
    ]  # fmt: skip


async def test_a_lost_device_that_is_read_says_why_it_is_lost(floor: Floor) -> None:
    line = floor.lines["plc"]
    await line.observe(Online(""))
    with pytest.raises(CanNotRead, match="not connected now") as refused:
        await floor.devices.read_now("plc")
    assert refused.value.kind == "unreachable"
    line.cut(TimedOut("Nobody answers at 10.0.0.9:502. Check the power."))
    await floor.until_state("plc", "lost")
    with pytest.raises(
        CanNotRead, match=r"^plc does not answer, so it can not be read now\. Nobody answers at 10"
    ) as refused:
        await floor.devices.read_now("plc")
    assert refused.value.kind == "timed_out"


async def test_a_lost_device_has_the_kind_of_its_loss_and_none_when_it_is_back(floor: Floor) -> None:
    line = floor.lines["plc"]
    await line.observe(Online(""))
    for error in (BadReply("Not Modbus."), Misconfigured("No such register.")):
        line.cut(error)
        await floor.until_state("plc", "lost")
        status = floor.status("plc")
        assert (status.kind, status.reason) == (error.kind, str(error))
        floor.clock.advance(60)
        await line.observe(Online(""))
        assert floor.status("plc").kind == ""
