"""`python -m bench.scanner_unplugs`: scanners are pulled out and plugged in again, most of them in mid-scan.

The device room of the agent (drivers, supervisor, bus) reads simulated scanners on pseudo-terminals and
behind serial servers, all at once. Every code is digits only and of its own, so that half of one would
pass for another if anybody let it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

import device_drivers
from bench.figures import Figure, Goals
from bench.report import options, report, tell
from device_drivers.simulators.scanner_ports import PtyPort, ScannerPort, TcpPort
from edge_agent.bus import Bus
from edge_agent.clock import SystemClock
from edge_agent.devices.kept_alive import Devices, DeviceSettings
from edge_agent.events import DeviceChanged, ScanArrived
from edge_agent.supervisor import Supervisor

UNPLUGS, SCANNERS = 1000, 20
WAYS = ("idle", "half", "slow half", "rest after the plug", "whole")
_LONGEST_OUT = 0.6  # seconds without the plug
_LOST = 10.0  # seconds after which a scanner will not come back any more
_BETWEEN = 0.01  # seconds between two bytes of a slow scanner


@dataclass
class Gun:
    """One scanner, what it sent whole, and what arrived of it."""

    name: str
    port: ScannerPort
    dice: random.Random
    sent: set[bytes] = field(default_factory=set)
    arrived: list[bytes] = field(default_factory=list)
    times_online: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def code(self) -> bytes:
        """A code that no scanner has sent before."""
        body = b"%s%06d%s" % (
            self.name[-2:].encode(), len(self.sent), b"%d" % self.dice.randrange(10 ** self.dice.randrange(6, 30))
        )  # fmt: skip
        self.sent.add(body)
        return body

    def told(self) -> None:
        """Something has changed."""
        self.news.set()

    async def until_online(self, times: int) -> None:
        """Return when it has come online so often. Raises TimeoutError."""
        async with asyncio.timeout(_LOST):
            while self.times_online < times:
                self.news.clear()
                await self.news.wait()

    async def until_arrived(self, code: bytes) -> bool:
        """Whether the code arrives within a second."""
        try:
            async with asyncio.timeout(1):
                while code not in self.arrived:
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            return False
        return True


@dataclass
class Outcome:
    """What came of it. `ready`: seconds from the plug to the scanner being at work, each time."""

    unplugs: int = 0
    mid_scan: int = 0
    lost: int = 0
    ready: list[float] = field(default_factory=list)
    wrong: list[bytes] = field(default_factory=list)
    merged: list[bytes] = field(default_factory=list)


async def unplug(folder: Path, unplugs: int = UNPLUGS, scanners: int = SCANNERS, seed: int = 1) -> Outcome:
    """Pull so many plugs at so many scanners, the same number at each."""
    outcome = Outcome()
    async with _at_work(folder, scanners, seed) as guns:
        await asyncio.gather(*(_at_one(gun, unplugs // scanners, outcome) for gun in guns))
    for gun in guns:
        wrong = [raw for raw in gun.arrived if raw not in gun.sent]
        outcome.wrong += wrong
        outcome.merged += [raw for raw in wrong if not any(raw in code for code in gun.sent)]
        outcome.lost += len(gun.arrived) - len(set(gun.arrived))  # one code twice is one too many
    return outcome


async def _at_one(gun: Gun, unplugs: int, outcome: Outcome) -> None:
    await gun.until_online(1)
    for _ in range(unplugs):
        way, times = gun.dice.choice(WAYS), gun.times_online
        rest = await _pull(gun, way)
        outcome.unplugs += 1
        outcome.mid_scan += way not in ("idle", "whole")
        await asyncio.sleep(gun.dice.uniform(0, _LONGEST_OUT))
        gun.port.plug()
        plugged = time.perf_counter()
        late = asyncio.create_task(_slowly(gun, rest))
        await gun.until_online(times + 1)
        outcome.ready.append(time.perf_counter() - plugged)
        await late
        code = gun.code()
        gun.port.send(code + b"\r")
        outcome.lost += not await gun.until_arrived(code)


async def _pull(gun: Gun, way: str) -> bytes:
    """Pull the plug; the rest that the scanner will still send once it is plugged in."""
    code = gun.code() + b"\r"
    cut = gun.dice.randrange(1, len(code) - 1)
    match way:
        case "half" | "rest after the plug":
            gun.port.send(code[:cut])
        case "slow half":
            await _slowly(gun, code[:cut])
        case "whole":
            gun.port.send(code)
    if gun.dice.random() < 0.5:
        await asyncio.sleep(gun.dice.uniform(0, 0.05))  # the agent may have read it, or not
    gun.port.unplug()
    return code[cut:] if way == "rest after the plug" else b""


async def _slowly(gun: Gun, data: bytes) -> None:
    for value in data:
        gun.port.send(bytes([value]))
        await asyncio.sleep(_BETWEEN)


@asynccontextmanager
async def _at_work(folder: Path, scanners: int, seed: int) -> AsyncIterator[list[Gun]]:
    """Plugged-in scanners, every second one behind a serial server, and the device room that reads them."""
    clock, bus = SystemClock(), Bus()
    guns = [_gun(folder, number, seed) for number in range(scanners)]
    for gun in guns:
        gun.port.plug()
    devices = Devices(
        [_settings(gun, folder) for gun in guns], device_drivers.load, clock, bus,
        Supervisor(clock, random.Random(seed)),
    )  # fmt: skip
    tasks = [asyncio.create_task(_listen(bus, {gun.name: gun for gun in guns})), asyncio.create_task(devices.run())]
    try:
        yield guns
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for gun in guns:
            gun.port.unplug()


def _gun(folder: Path, number: int, seed: int) -> Gun:
    def unheard(data: bytes) -> None:
        """Nothing is sent to these scanners."""

    name = f"scanner-{number:02}"
    port: ScannerPort = TcpPort(0, unheard) if number % 2 else PtyPort(folder / name, unheard)
    return Gun(name, port, random.Random(f"{seed} {number}"))


def _settings(gun: Gun, folder: Path) -> DeviceSettings:
    said: dict[str, Any]
    if isinstance(gun.port, TcpPort):
        driver, said = "tcp_scanner", {"host": "127.0.0.1", "port": gun.port.number}
    else:
        driver, said = "serial_scanner", {"port": str(folder / gun.name)}
    settings: Any = msgspec.convert(said, device_drivers.load(driver).Options)
    return DeviceSettings(gun.name, driver, settings, terminal=f"T-{gun.name}")


async def _listen(bus: Bus, guns: dict[str, Gun]) -> None:
    online: set[str] = set()
    with bus.subscribe(DeviceChanged, ScanArrived, limit=100_000) as events:
        async for event in events:
            if isinstance(event, ScanArrived):
                gun = guns[event.scanner]
                assert event.terminal == f"T-{gun.name}", "a scan went to another terminal"
                gun.arrived.append(event.scan.raw)
                gun.told()
            elif isinstance(event, DeviceChanged):
                name = event.status.name
                if event.status.state == "online" and name not in online:
                    online.add(name)
                    guns[name].times_online += 1
                    guns[name].told()
                elif event.status.state != "online":
                    online.discard(name)


async def measure(folder: Path) -> list[Figure]:
    """The figures of all unplugs."""
    tell(f"{UNPLUGS} unplugs of {SCANNERS} scanners")
    logging.getLogger("edge_agent.supervisor").setLevel(logging.ERROR)  # a thousand losses are expected
    outcome = await unplug(folder)
    tell(f"{outcome.mid_scan} of them in mid-scan")
    values = {
        "unplugs": outcome.unplugs, "unplug_wrong": len(outcome.wrong), "unplug_merged": len(outcome.merged),
        "unplug_lost": outcome.lost, "unplug_ready": max(outcome.ready),
    }  # fmt: skip
    goals = Goals()
    return [goals.figure(name, value) for name, value in values.items()]


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed."""
    given = options("Scanners pulled out and plugged in, in about a minute.").parse_args(arguments)
    return report(measure, given.strict)


if __name__ == "__main__":
    sys.exit(main())
