"""What `floorhand doctor` looks at on a PC: each thing by itself, with what to do about it in words.

Nothing is changed: a file is written into the data folder and taken away again. While the agent runs,
devices and the ERP are asked of it: it holds their lines.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import stat
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

import config
import device_drivers
from device_drivers.contract import DeviceError
from edge_agent.client import AgentAway, AgentClient, InputRefused
from edge_agent.clock import SystemClock
from edge_agent.command_line.installed import look_at_install
from edge_agent.store.database import sqlite_version
from edge_agent.views.status import DeviceStatus
from sync.ports import Connector, SyncError

_SPARE = 500 * 2**20  # bytes; less is a matter of days
_PATIENCE = 5.0  # seconds for a device to say its first word
_SYNCS = 20
_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)

_State = Literal["good", "look", "bad"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `look`: it works, and a person should know; `bad`: it does not."""

    what: str
    state: _State
    words: str


def of_this_pc() -> Iterator[Finding]:
    """What needs no site file."""
    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < (3, 11)
    needed = ": 3.11 or newer is needed." if old else "."
    yield Finding("python", "bad" if old else "good", f"Python {version}{needed}")
    sqlite, new_enough = sqlite_version()
    yield Finding(
        "sqlite", "good" if new_enough else "bad",
        f"SQLite {sqlite}" + ("." if new_enough else ": 3.38 or newer is needed."),
    )  # fmt: skip
    install = look_at_install()
    yield Finding("install", "bad" if install.state == "changed" else "good", install.words)
    yield _clock()


def of_the_disk(data: Path) -> Iterator[Finding]:
    """The folder of the journal, or the one that it would be made in."""
    folder = next(path for path in (data, *data.parents) if path.exists())
    try:
        rights = folder.stat().st_mode
        if folder == data and rights & (stat.S_IRWXG | stat.S_IRWXO):
            yield Finding("data folder", "look", f"Others on this PC may look into {data}: chmod 700 {data}")
        else:
            yield Finding("data folder", "good", f"{data}" + ("." if folder == data else ": made at the first start."))
        disk = os.statvfs(folder)
        free = disk.f_bavail * disk.f_frsize
        room = f"{free / 2**30:.1f} GiB are free at {folder}."
        more = "" if free >= _SPARE else " Free some: without room reports are refused."
        yield Finding("disk room", "good" if free >= _SPARE else "bad", room + more)
        yield _syncing(folder)
    except OSError as error:
        yield Finding("data folder", "bad", f"{error.filename or folder}: {error.strerror}. Check its rights.")


def _syncing(folder: Path) -> Finding:
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    middle, worst = statistics.median(took) * 1000, max(took) * 1000
    words = f"A write reaches the disk in {middle:.2f} ms, {worst:.1f} ms at worst."
    if middle < 0.005:
        return Finding("disk sync", "look", f"{words} That is memory, not a disk: a power cut loses reports.")
    if middle > 100:
        return Finding("disk sync", "look", f"{words} That is slow: people wait for it with every report.")
    return Finding("disk sync", "good", words)


def _clock() -> Finding:
    if not SystemClock().trusted():
        now = SystemClock().now()
        return Finding("clock", "bad", f"It is {now:%Y-%m-%d %H:%M} UTC here, which can not be. Set date and time.")
    try:
        answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # all zero: it only tells
    except (OSError, AttributeError):
        answer = -1
    if answer == _UNSYNCHRONISED:
        return Finding("clock", "look", "Nothing keeps the clock right: switch on NTP (timedatectl set-ntp true).")
    if answer < 0:
        return Finding("clock", "good", "The time is plausible; whether NTP keeps it right can not be told here.")
    return Finding("clock", "good", "The time is plausible, and NTP keeps it right.")


def of_the_ports(settings: config.Settings) -> Iterator[Finding]:
    """Serial ports of scanners and devices: there, and this user may use them."""
    named: list[config.Scanner | config.Device] = [*settings.scanners, *settings.devices]
    for each in named:
        port = getattr(each.options, "port", None)
        if not isinstance(port, str) or not port.startswith("/"):
            continue
        if not Path(port).exists():
            yield Finding(each.name, "bad", f"{port} is not there: is it plugged in? ls /dev/serial/by-id")
        elif not os.access(port, os.R_OK | os.W_OK):
            yield Finding(each.name, "bad", f"This user may not use {port}: usermod -a -G dialout USER, log in again.")
        else:
            yield Finding(each.name, "good", f"{port} is there, and this user may use it.")


async def of_the_others(settings: config.Settings, connectors: dict[str, Connector]) -> list[Finding]:
    """Devices and ERPs: as the running agent knows them, or asked by ourselves."""
    try:
        async with AgentClient(f"unix:{settings.site.socket}") as agent:
            health = await agent.health()
    except (AgentAway, InputRefused):
        asked = [*map(_device, settings.devices), *(_erp(*each) for each in connectors.items())]
        return [Finding("agent", "look", "The agent does not run."), *await asyncio.gather(*asked)]
    found = [Finding("agent", "good" if health.ok else "look", " ".join(("The agent runs.", *health.problems)))]
    found += [known(each) for each in health.devices]
    found += [
        Finding(link.name, "good" if link.state == "up" else "bad", link.reason or f"The ERP is {link.state}.")
        for link in health.links
    ]
    return found


def known(device: DeviceStatus) -> Finding:
    """A device as the running agent knows it."""
    if device.state != "online":
        return Finding(device.name, "bad", f"{device.state} {device.reason}".strip())
    odd = [*filter(None, (device.notice, *device.warnings))]
    return Finding(device.name, "look" if odd else "good", " ".join(("online", *odd)))


async def _device(device: config.Device) -> Finding:
    """Whether a device says anything within a few seconds; read only."""
    heard = asyncio.Event()
    driver: Any = device_drivers.load(device.driver).Driver(device.options, SystemClock())
    running = asyncio.ensure_future(driver.run(lambda observation: heard.set()))
    waiting = asyncio.ensure_future(heard.wait())
    try:
        await asyncio.wait({running, waiting}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if running.done() and not heard.is_set():
            running.result()
    except DeviceError as error:
        return Finding(device.name, "bad", str(error))
    finally:
        running.cancel()
        waiting.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
    if heard.is_set():
        return Finding(device.name, "good", "It answers.")
    return Finding(device.name, "bad", f"It did not answer within {_PATIENCE:g} seconds.")


async def _erp(name: str, connector: Connector) -> Finding:
    """Whether the ERP answers to our token; a question about a fact that there is not."""
    try:
        await connector.ask(["doctor"])
    except SyncError as error:
        return Finding(name, "bad", str(error))
    finally:
        await connector.close()
    return Finding(name, "good", "The ERP answers, and takes the token.")
