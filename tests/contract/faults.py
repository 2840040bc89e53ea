"""The faults of a device, and how one is played against a driver that runs as it does in the agent."""

from __future__ import annotations

import asyncio
import itertools
import re
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import device_drivers
from device_drivers.contract import DataValue, Scan, StatusCode
from device_drivers.simulators.modbus_peer import Peer
from edge_agent.bus import Bus, Subscription
from edge_agent.clock import SystemClock
from edge_agent.devices.kept_alive import Devices, DeviceSettings
from edge_agent.events import DeviceChanged, ScanArrived, ValuesArrived
from edge_agent.supervisor import Supervisor
from edge_agent.views.status import DeviceStatus
from tests.device_drivers.observing import options_of

FAULTS: Mapping[str, str] = {
    "slow": "answers slowly, and still in time",
    "late": "answers, but not in time",
    "hung": "takes requests and answers none",
    "frozen": "its program stands still; its connections stay open",
    "dead": "its program was killed",
    "unplugged": "the plug is out",
    "name does not resolve": "was killed, and DNS does not answer for its name any more",
    "short": "answers with less than it was asked for",
    "wrong unit": "answers in the name of another unit",
    "cut": "falls silent in the middle of a frame",
    "namespace shift": "has numbered its names anew after a restart",
}
BYSTANDER = "bystander"  # a healthy device beside the one with the fault
BYSTANDER_INTERVAL = 0.05  # seconds between two reads of it


@dataclass
class Heard:
    """All that two devices said, and when (monotonic). `pulse`: when a thread beside the loop had its turn, at the pace
    of the bystander: what a PC that has other things to do misses is no fault of a driver."""

    values: list[tuple[float, ValuesArrived]] = field(default_factory=list)
    scans: list[Scan] = field(default_factory=list)
    statuses: list[tuple[float, DeviceStatus]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    bystander: Peer = field(default_factory=Peer)
    pulse: list[float] = field(default_factory=list)

    def take(self, event: ValuesArrived | ScanArrived | DeviceChanged) -> None:
        """One event of the bus."""
        now = time.monotonic()
        match event:
            case ValuesArrived():
                self.values.append((now, event))
            case ScanArrived():
                self.scans.append(event.scan)
            case DeviceChanged():
                self.statuses.append((now, event.status))
        self.news.set()

    def of(self, device: str, since: float = 0.0) -> list[DataValue]:
        """The values of a device since a moment, in order."""
        return [
            value for at, each in self.values if each.device == device and at >= since for value in each.values
        ]  # fmt: skip

    def last(self, device: str) -> Mapping[str, DataValue]:
        """The newest value of each item of a device."""
        return {value.item: value for value in self.of(device)}

    def good(self, device: str, since: float = 0.0) -> list[DataValue]:
        """The good ones of them."""
        return [value for value in self.of(device, since) if value.status is StatusCode.GOOD]

    def lost(self, device: str, since: float = 0.0) -> list[str]:
        """Why a device was lost, each time since a moment."""
        return [
            status.reason for at, status in self.statuses
            if at >= since and status.name == device and status.state == "lost"
        ]  # fmt: skip

    def told(self, device: str, words: str, since: float) -> bool:
        """Whether it was lost with these words (a regular expression), once at least since a moment."""
        return any(re.search(words, reason) for reason in self.lost(device, since))

    def longest_pause(self, device: str, since: float) -> float:
        """Seconds between two good values of a device, at most, since a moment until now."""
        good = (
            at for at, each in self.values
            if at >= since and each.device == device and each.values.status is StatusCode.GOOD
        )  # fmt: skip
        times = [since, *good, time.monotonic()]
        return max(after - before for before, after in itertools.pairwise(times))

    def missed(self, since: float) -> tuple[float, float]:
        """How many polls the bystander, which counts them, did not get since a moment; and how many were due."""
        due = sum(at >= since for at in self.pulse)
        return due - sum(ask.at >= since for ask in self.bystander.asked), due

    async def until(self, true: Any, what: str, within: float) -> None:
        """Return when something is true that only an event can change. Fails, saying what never came."""
        try:
            async with asyncio.timeout(within):
                while not true():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            raise AssertionError(f"waited {within:g} s for: {what}; lost: {self.lost('device')}") from None


@asynccontextmanager
async def two_devices(driver: str, options: Mapping[str, Any]) -> AsyncIterator[Heard]:
    """A device as the agent keeps it, and a healthy one beside it. A bug of either ends the test."""
    clock, bus, heard = SystemClock(), Bus(), Heard()
    async with heard.bystander.on_tcp() as peer:
        told = {
            "host": "127.0.0.1", "port": peer.port, "interval": BYSTANDER_INTERVAL,
            "points": [{"name": "x", "address": 2}],
        }  # fmt: skip
        devices = Devices(
            [
                DeviceSettings("device", driver, options_of(driver, options), terminal=_terminal(driver)),
                DeviceSettings(BYSTANDER, "modbus", options_of("modbus", told)),
            ],
            device_drivers.load, clock, bus, Supervisor(clock, Random(1), strict=True),
        )  # fmt: skip
        tasks = [asyncio.create_task(_listen(bus, heard)), asyncio.create_task(devices.run())]
        try:
            with _pulse(heard.pulse):
                yield heard
            for task in tasks:
                assert not task.done(), task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def _pulse(beats: list[float]) -> Iterator[None]:
    """Note the time once in each interval of the bystander, in a thread that no driver can hold up."""
    over = threading.Event()

    def beat() -> None:
        due = time.monotonic()
        while not over.wait(max(0.0, due - time.monotonic())):
            beats.append(time.monotonic())
            due = max(due, beats[-1] - BYSTANDER_INTERVAL) + BYSTANDER_INTERVAL

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _terminal(driver: str) -> str:
    return "T1" if "scanner" in driver else ""


async def _listen(bus: Bus, heard: Heard) -> None:
    wanted: Subscription[Any] = bus.subscribe(ValuesArrived, ScanArrived, DeviceChanged, limit=100_000)
    with wanted as events:
        async for event in events:
            heard.take(event)


def items(options: Mapping[str, Any]) -> Iterable[str]:
    """The items of a device's options."""
    return {point["name"] for point in options.get("points", ())}
