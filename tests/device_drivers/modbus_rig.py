"""A Modbus driver, started again as often as it is lost, on each of its three wires to a peer by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from device_drivers.contract import DataValue, DataValues, DeviceError, Notice, Observation, StatusCode
from device_drivers.simulators.modbus_peer import Peer
from edge_agent.clock import SystemClock
from tests.device_drivers.observing import make

TRANSPORTS = ("tcp", "rtu_over_tcp", "rtu")
TIMEOUT = 0.08
POINTS = [
    {"name": "near", "address": 2},
    {"name": "wide", "address": 5, "type": "uint32"},
    {"name": "flag", "address": 3, "table": "coil"},
]


class Kept:
    """The observations and the losses of a driver that is always started again."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.seen: list[Observation] = []
        self.losses: list[DeviceError] = []
        self._news = asyncio.Event()
        self._options = options

    async def keep(self) -> None:
        """Run it, again and again."""
        while True:
            try:
                await make("modbus", self._options).run(self._emit)
            except DeviceError as error:
                self.losses.append(error)
                self._news.set()
                await asyncio.sleep(0.01)

    async def until(self, true: Callable[[], object], within: float = 15.0) -> None:
        """Return when something is true that can only change by an observation or a loss."""
        async with asyncio.timeout(within):
            while not true():
                self._news.clear()
                await self._news.wait()

    def values(self, item: str, after: datetime | None = None) -> list[DataValue]:
        """The values of an item, in order; only those whose source time is after a moment."""
        return [
            one for one in self.seen
            if isinstance(one, DataValue) and one.item == item and (after is None or one.source_time > after)
        ]  # fmt: skip

    def good(self, item: str, after: datetime | None = None) -> list[DataValue]:
        """The good ones of them."""
        return [value for value in self.values(item, after) if value.status is StatusCode.GOOD]

    def notices(self) -> list[str]:
        """The notices, in order."""
        return [one.text for one in self.seen if isinstance(one, Notice)]

    async def all_good(self, *items: str, within: float = 5.0) -> None:
        """Return when each of the items has a good value that is newer than this call."""
        now = SystemClock().now()
        await self.until(lambda: all(self.good(item, now) for item in items), within)

    def _emit(self, observation: Observation) -> None:
        self.seen += observation if isinstance(observation, DataValues) else [observation]
        self._news.set()


@asynccontextmanager
async def kept(peer: Peer, transport: str, folder: Path, **options: Any) -> AsyncIterator[Kept]:
    """A driver on a wire to the peer, quick and without patience."""
    said: dict[str, Any] = {"transport": transport, "interval": 0.01, "timeout": TIMEOUT, "points": POINTS}
    link = folder / f"line-{id(peer)}"
    wire = peer.on_line(link) if transport == "rtu" else peer.on_tcp(rtu=transport == "rtu_over_tcp")
    async with wire:
        if transport == "rtu":
            said["serial"] = {"port": str(link), "baudrate": 115200, "parity": "N"}
        else:
            said |= {"host": "127.0.0.1", "port": peer.port}
        rig = Kept(said | options)
        task = asyncio.create_task(rig.keep())
        try:
            yield rig
            assert not task.done(), "the driver ended with something else than DeviceError"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
