"""One kept-alive task for each device and scanner; what they observe goes onto the bus."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from device_drivers.contract import (
    DataValue,
    DataValues,
    DeviceError,
    Driver,
    DriverModule,
    Gap,
    Notice,
    NotWritten,
    Observation,
    Online,
    Reads,
    Scan,
    Signal,
    StatusCode,
    Tap,
    Tapped,
    TimedOut,
    Unchanged,
    Value,
    Writes,
    Written,
)  # fmt: skip
from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.devices.pulse import Pulse
from edge_agent.devices.watchdog import Watchdog
from edge_agent.events import DeviceChanged, GapArrived, ScanArrived, ValuesArrived
from edge_agent.machines.items import kept
from edge_agent.machines.map_fit import MapFit
from edge_agent.supervisor import LONGEST, State, Supervisor
from edge_agent.views.maintenance import DeviceReading, PointReading
from edge_agent.views.status import DeviceStatus, ItemValue

_READ_SECONDS = 10.0  # that a person waits for a test read
SCANNER_PAUSE = 0.4  # seconds; to look for a port that is not there costs nothing
_INTERNAL = "internal"  # the kind of a loss that is no DeviceError
_NEWS = 100  # reads of different items


class CanNotRead(Exception):
    """A device can not be read now; the text is a sentence for people.

    `kind` as in DeviceStatus; no_reading where the driver can not do it at all.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True)
class DeviceSettings:
    """A device or a scanner. `options` are the driver's own Options.

    `equipment` is the id of the machine it speaks for, `terminal` the id of the terminal whose scanner
    it is; both may be empty. `expect`: what its points read when it is the machine of its map.
    """

    name: str
    driver: str
    options: Any
    equipment: str = ""
    terminal: str = ""
    expect: Mapping[str, Sequence[Value]] = field(default_factory=dict)


class Devices:
    """All devices of this agent. `run` until cancelled."""

    def __init__(
        self,
        settings: Iterable[DeviceSettings],
        load: Callable[[str], DriverModule],
        clock: Clock,
        bus: Bus,
        supervisor: Supervisor,
    ) -> None:
        self._supervisor = supervisor
        pulse = self._pulse = Pulse(clock)
        self._devices = {one.name: _Device(one, load, clock, bus, supervisor, pulse) for one in settings}

    async def run(self) -> None:
        """Keep every device connected; with none, do nothing for just as long."""
        async with asyncio.TaskGroup() as group:
            scanners = any(device.terminal for device in self._devices.values())
            group.create_task(self._pulse.run() if scanners else asyncio.Event().wait())
            for name, device in self._devices.items():
                keeping = self._supervisor.keep(
                    f"device {name}", device.session, device.on_state, longest=device.longest_pause
                )
                group.create_task(keeping)

    def statuses(self) -> tuple[DeviceStatus, ...]:
        """How each device is doing now, in the order of the site file."""
        return tuple(device.status() for device in self._devices.values())

    def items(self, device: str) -> Mapping[str, ItemValue]:
        """The items that the device ever gave; one that is Bad keeps its last good value and its time."""
        return self._devices[device].items

    def last(self, device: str, item: str) -> ItemValue | None:
        """An item as it was last read; None when there is no such device, or it never gave the item."""
        known = self._devices.get(device)
        return known.items.get(item) if known else None

    async def write_item(self, device: str, item: str, value: bool | int | float | str) -> Written:
        """Give an item another value, for the write gate; see device_drivers.contract.Writes."""
        if device not in self._devices:
            raise NotWritten(f"There is no device {device}.")
        return await self._devices[device].write_item(item, value)

    async def read_now(self, name: str) -> DeviceReading:
        """Every point of a device, read once. Raises LookupError (no such device), CanNotRead (why, in words)."""
        return await self._devices[name].read_now()

    def signal(self, name: str, verdict: Signal) -> None:
        """Let a scanner say what came of its scan; nothing where it can not, or is lost."""
        self._devices[name].signal(verdict)

    def tap(self, name: str, take: Tap | None) -> None:
        """Let a scanner hand over its bytes as they come, and none of them as a scan; None: scans again."""
        self._devices[name].tap(take)


class _Device:
    """One connection after the other to one device, and what came of them."""

    def __init__(
        self,
        settings: DeviceSettings,
        load: Callable[[str], DriverModule],
        clock: Clock,
        bus: Bus,
        supervisor: Supervisor,
        pulse: Pulse,
    ) -> None:
        self.terminal = settings.terminal  # whose scanner it is; empty: it is none
        self._pulse = pulse
        self._items: dict[str, ItemValue] = {}
        self._news: dict[tuple[str, ...], DataValues] = {}  # the newest good reads that are not in it yet
        self._settings = settings
        self._task = f"device {settings.name}"  # as the supervisor knows it
        self._load = load
        self._clock = clock
        self._bus = bus
        self._supervisor = supervisor
        self._driver: Driver | None = None
        self._answering: Callable[[Signal], None] | None = None  # of the driver, where it has one (Signals)
        self._taking: Tap | None = None
        self._reads: Reads | None = None  # the driver, where it can read
        self._kind = ""  # of the end of the session before
        self._last_good: datetime | None = None
        self._heard: datetime | None = None  # up to when nothing can be missing
        self._missing_since: datetime | None = None  # since the device was lost
        self._fit = MapFit(settings.expect)
        self._warned: tuple[str, ...] = ()  # by the driver
        self._watchdog = Watchdog()
        self._expected = asyncio.Event()  # the device is there, and has a rhythm to keep
        self._paced = asyncio.Event()  # it has another rhythm than before
        self._status = DeviceStatus(
            name=settings.name, driver=settings.driver, equipment=settings.equipment,
            state="starting", since=clock.now(), insecure=bool(getattr(settings.options, "exposed", False)),
            endpoint=str(getattr(settings.options, "where", "")),
        )  # fmt: skip

    async def session(self) -> None:
        """One connection, until it is lost or its driver says nothing any more."""
        self._kind = _INTERNAL  # whatever ends it otherwise is a fault of ours
        try:
            await self._connection()
        except DeviceError as error:
            self._kind = error.kind
            raise

    async def _connection(self) -> None:
        driver = self._load(self._settings.driver).Driver(self._settings.options, self._clock)
        self._driver = driver
        self._answering = getattr(driver, "signal", None)
        self.tap(self._taking)
        self._reads = driver if isinstance(driver, Reads) else None
        tasks = [asyncio.create_task(driver.run(self._emit)), asyncio.create_task(self._watch())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    await task
        finally:
            self._expected.clear()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        """Tell when nothing good comes for too long. Raises TimedOut when nothing comes at all."""
        dog = self._watchdog
        while True:
            await self._expected.wait()
            if await self._paced_anew(dog.due()):
                continue
            now = self._clock.monotonic()
            if dog.falls_silent(now):
                self._lose_values()
                self._change(silent_since=self._last_good or self._status.since)
            if dog.hangs(now):
                raise TimedOut(
                    f"{self._settings.name} seemed to be there and has said nothing for {dog.limit:g} s: "
                    "the connection is made anew."
                )

    async def _paced_anew(self, due: float) -> bool:
        """Sleep until then, or until the device has another rhythm; whether it has."""
        self._paced.clear()
        paced = asyncio.create_task(self._paced.wait())
        tasks = (paced, asyncio.create_task(self._clock.sleep_until(due)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return paced.done()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def read_now(self) -> DeviceReading:
        """See Devices.read_now."""
        if self._reads is None:
            never = f"The driver {self._settings.driver} can not read at the press of a key."
            raise CanNotRead(self._status.kind or "no_reading", self._status.reason or never)
        try:
            points = await self._reads.read_now(_READ_SECONDS)
        except DeviceError as error:
            raise self._unread(error) from error
        told = tuple(
            PointReading(
                item=each.item, raw=each.raw, value=each.value, status=each.status.value,
                round_trip=each.round_trip, reason=each.reason,
            )
            for each in points
        )  # fmt: skip
        return DeviceReading(device=self._settings.name, at=self._clock.now(), points=told)

    def _unread(self, error: DeviceError) -> CanNotRead:
        """Of a device that is lost it counts why, not that there is no connection."""
        lost = self._status
        if lost.state != "lost" or not lost.reason:
            return CanNotRead(error.kind, str(error))
        return CanNotRead(lost.kind, f"{lost.name} does not answer, so it can not be read now. {lost.reason}")

    @property
    def longest_pause(self) -> float:
        """Seconds between two tries at most. A scanner is at work a second after its plug is in."""
        return SCANNER_PAUSE if self._settings.terminal else LONGEST

    def signal(self, verdict: Signal) -> None:
        if self._answering is not None:
            self._answering(verdict)

    async def write_item(self, item: str, value: bool | int | float | str) -> Written:
        name, driver = self._settings.name, self._driver
        if driver is None or self._status.state != "online":
            raise NotWritten(f"{name} is not connected.{' ' + self._status.reason if self._status.reason else ''}")
        if not isinstance(driver, Writes):
            raise NotWritten(f"{name} can only be read: its driver does not write.")
        return await driver.write_item(item, value)

    def tap(self, take: Tap | None) -> None:
        self._taking = take
        driver: object = self._driver
        if isinstance(driver, Tapped):
            driver.tap(take)

    def status(self) -> DeviceStatus:
        round_trip = self._reads.round_trip if self._reads is not None else None
        return msgspec.structs.replace(self._status, last_good=self._last_good, round_trip=round_trip)

    def on_state(self, state: State) -> None:
        """Told by the supervisor. No value of a lost device is believed, before anybody hears of the loss."""
        if state.phase == "lost" and self._status.state != "lost":
            self._missing_since = self._missing_since or self._heard
            self._lose_values()
        since = self._status.since if state.phase == self._status.state else self._clock.now()
        notice = self._status.notice if state.phase == "online" else ""
        kind = self._kind if state.phase == "lost" else ""
        self._change(state=state.phase, reason=state.reason, kind=kind, tries=state.tries, since=since, notice=notice)

    def _lose_values(self) -> None:
        now = self._clock.now()
        if items := tuple(self.items):
            self._take_values(DataValues(items, (None,) * len(items), StatusCode.BAD, now), now)

    def _emit(self, observation: Observation) -> None:
        now = self._clock.now()
        if isinstance(observation, Online):
            self._take_online(observation, now)
        self._heard = observation.since if isinstance(observation, Gap) else now
        self._watchdog.heard(self._clock.monotonic())
        self._supervisor.alive(self._task)
        match observation:
            case DataValues():
                self._take_values(observation, now)
            case DataValue():
                self._take_values(DataValues.of(observation), now)
            case Unchanged():
                self._take_unchanged(now)
            case Notice(text):
                self._change(notice=text)
            case Gap():
                self._bus.publish(GapArrived(self._settings.name, observation))
            case Scan():
                self._last_good = observation.received_at
                self._watchdog.good(self._clock.monotonic())
                waited = observation.waited + self._pulse.unread()
                scan = dataclasses.replace(observation, waited=waited) if waited else observation
                self._bus.publish(ScanArrived(self._settings.name, self.terminal, scan))

    def _take_online(self, online: Online, now: datetime) -> None:
        """The device is there, again or still; whatever changed since it was lost is gone."""
        if self._watchdog.rhythm != online.rhythm or not self._expected.is_set():
            self._watchdog.online(online.rhythm, self._clock.monotonic())
            self._paced.set()
        if online.rhythm is not None:
            self._expected.set()
        self._warned = online.warnings
        said = (online.identity, self._fit.words + self._warned)
        changed = said != (self._status.identity, self._status.warnings)
        self._status = msgspec.structs.replace(
            self._status, identity=said[0], warnings=said[1], only_changes=online.only_changes
        )
        if changed and self._status.state == "online":
            self._change()
        if self._missing_since:
            gap = Gap(None, self._missing_since, now)
            self._missing_since = None
            self._bus.publish(GapArrived(self._settings.name, gap))

    @property
    def items(self) -> Mapping[str, ItemValue]:
        """Every item that it ever gave."""
        self._keep()
        return self._items

    def _keep(self, *more: DataValues) -> None:
        """Look at what came since the last time: many reads come before anybody wants to know."""
        newest: dict[str, tuple[Value, datetime]] = {}
        for read in self._news.values():
            newest.update(zip(read.items, zip(read.values, read.times, strict=True), strict=True))
        self._news.clear()
        good = (DataValue(item, value, StatusCode.GOOD, time) for item, (value, time) in newest.items())
        for value in itertools.chain(good, *more):
            self._items[value.item] = kept(self._items.get(value.item), value)

    def _take_values(self, values: DataValues, now: datetime) -> None:
        if values.status is StatusCode.GOOD:
            self._news.pop(values.items, None)  # what is newer goes behind what other reads said since
            self._news[values.items] = values
            if len(self._news) > _NEWS:
                self._keep()
            self._take_good(now)
        else:
            self._keep(values)
            if values.status is StatusCode.UNCERTAIN:
                self._wake()
        self._bus.publish(ValuesArrived(self._settings.name, values))
        if self._fit.take(values):
            self._change(warnings=self._fit.words + self._warned)

    def _take_unchanged(self, now: datetime) -> None:
        """What it said last still holds: a value that is uncertain is one, too."""
        statuses = {item.status for item in self.items.values()}
        if "Good" in statuses:
            self._take_good(now)
        elif "Uncertain" in statuses:
            self._wake()

    def _take_good(self, now: datetime) -> None:
        self._last_good = now
        self._wake()

    def _wake(self) -> None:
        """It gives values: no silence is told any more."""
        if self._watchdog.good(self._clock.monotonic()):
            self._change(silent_since=None)

    def _change(self, **changes: Any) -> None:
        self._status = msgspec.structs.replace(self._status, **changes)
        self._bus.publish(DeviceChanged(self.status()))
