"""One kept-alive task for each device and scanner; what they observe goes onto the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from device_drivers.contract import DataValue, DriverModule, Observation, Online, Scan, StatusCode
from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.events import DeviceChanged, ScanArrived, ValueArrived
from edge_agent.items import kept
from edge_agent.supervisor import State, Supervisor
from edge_agent.views import DeviceStatus, ItemValue


@dataclass(frozen=True)
class DeviceSettings:
    """A device or a scanner. `options` are the driver's own Options.

    `equipment` is the id of the machine it speaks for, `terminal` the id of the terminal whose scanner
    it is; both may be empty.
    """

    name: str
    driver: str
    options: Any
    equipment: str = ""
    terminal: str = ""


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
        self._devices = {one.name: _Device(one, load, clock, bus, supervisor) for one in settings}

    async def run(self) -> None:
        """Keep every device connected; with none, do nothing for just as long."""
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.Event().wait())
            for name, device in self._devices.items():
                group.create_task(self._supervisor.keep(f"device {name}", device.session, device.on_state))

    def statuses(self) -> tuple[DeviceStatus, ...]:
        """How each device is doing now, in the order of the site file."""
        return tuple(device.status() for device in self._devices.values())

    def items(self, device: str) -> Mapping[str, ItemValue]:
        """The items that the device ever gave; one that is Bad keeps its last good value and its time."""
        return self._devices[device].items


class _Device:
    """One connection after the other to one device, and what came of them."""

    def __init__(
        self,
        settings: DeviceSettings,
        load: Callable[[str], DriverModule],
        clock: Clock,
        bus: Bus,
        supervisor: Supervisor,
    ) -> None:
        self.items: dict[str, ItemValue] = {}
        self._settings = settings
        self._load = load
        self._clock = clock
        self._bus = bus
        self._supervisor = supervisor
        self._last_good: datetime | None = None
        self._status = DeviceStatus(
            name=settings.name, driver=settings.driver, equipment=settings.equipment,
            state="starting", since=clock.now(),
        )  # fmt: skip

    async def session(self) -> None:
        """One connection, until it is lost."""
        driver = self._load(self._settings.driver).Driver(self._settings.options, self._clock)
        await driver.run(self._emit)

    def status(self) -> DeviceStatus:
        return msgspec.structs.replace(self._status, last_good=self._last_good)

    def on_state(self, state: State) -> None:
        """Told by the supervisor. No value of a lost device is believed, before anybody hears of the loss."""
        if state.phase == "lost" and self._status.state != "lost":
            now = self._clock.now()
            for item in tuple(self.items):
                self._take_value(DataValue(item, None, StatusCode.BAD, now))
        since = self._status.since if state.phase == self._status.state else self._clock.now()
        self._change(state=state.phase, reason=state.reason, tries=state.tries, since=since)

    def _emit(self, observation: Observation) -> None:
        if isinstance(observation, Online):
            self._status = msgspec.structs.replace(self._status, identity=observation.identity)
        self._supervisor.alive(f"device {self._settings.name}")
        match observation:
            case DataValue():
                self._take_value(observation)
            case Scan():
                self._last_good = observation.received_at
                self._bus.publish(ScanArrived(self._settings.name, self._settings.terminal, observation))

    def _take_value(self, value: DataValue) -> None:
        self.items[value.item] = kept(self.items.get(value.item), value)
        if value.status is StatusCode.GOOD:
            self._last_good = self._clock.now()
        self._bus.publish(ValueArrived(self._settings.name, value))

    def _change(self, **changes: Any) -> None:
        self._status = msgspec.structs.replace(self._status, **changes)
        self._bus.publish(DeviceChanged(self.status()))
