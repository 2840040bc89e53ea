"""A scanner in the test's own loop, on either wire, that is plugged in and out as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from device_drivers.contract import Driver, Online
from device_drivers.simulators.scanner_ports import PtyPort, ScannerPort, TcpPort
from tests.device_drivers.observing import Running, make, running

WireKind = Literal["serial", "tcp"]
WIRES: tuple[WireKind, ...] = ("serial", "tcp")


class Gun:
    """One scanner. `heard` is all that was sent to it."""

    def __init__(self, wire: WireKind, folder: Path, **options: Any) -> None:
        self.heard = b""
        self._news = asyncio.Event()
        self._wire = wire
        self._folder = folder
        self._options = options
        self.port: ScannerPort = (
            PtyPort(folder / "scanner", self._hear) if wire == "serial" else TcpPort(0, self._hear)
        )

    def _hear(self, data: bytes) -> None:
        self.heard += data
        self._news.set()

    async def hears(self, what: Callable[[bytes], bool], within: float = 5.0) -> None:
        """Return when what was sent to it is so."""
        async with asyncio.timeout(within):
            while not what(self.heard):
                self._news.clear()
                await self._news.wait()

    def driver(self) -> Driver:
        """A driver for it, as the site file would say."""
        if isinstance(self.port, TcpPort):
            return make("tcp_scanner", {"host": "127.0.0.1", "port": self.port.number, **self._options})
        return make("serial_scanner", {"port": str(self._folder / "scanner"), **self._options})

    @asynccontextmanager
    async def read(self) -> AsyncIterator[tuple[Running, Driver]]:
        """A driver that is online."""
        driver = self.driver()
        async with running(driver) as run:
            await run.until(lambda seen: any(isinstance(each, Online) for each in seen))
            yield run, driver


@asynccontextmanager
async def plugged_in(wire: WireKind, folder: Path, **options: Any) -> AsyncIterator[Gun]:
    """A scanner that is plugged in, and out at the end."""
    gun = Gun(wire, folder, **options)
    gun.port.plug()
    try:
        yield gun
    finally:
        gun.port.unplug()
