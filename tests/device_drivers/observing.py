"""Run a driver in a test and wait for what it observes, never for a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

import device_drivers
from device_drivers.contract import DataValue, DataValues, DeviceError, Driver, Observation, Scan
from edge_agent.clock import SystemClock

T = TypeVar("T")


class Running:
    """A driver at work and all that it has observed so far, in order."""

    def __init__(self, driver: Driver) -> None:
        self.seen: list[Observation] = []
        self._news = asyncio.Event()
        self.task = asyncio.create_task(driver.run(self._emit))

    def _emit(self, observation: Observation) -> None:
        self.seen += observation if isinstance(observation, DataValues) else [observation]
        self._news.set()

    async def until(self, find: Callable[[list[Observation]], T | None], within: float = 10.0) -> T:
        """The first true thing that `find` makes of the observations. Fails when the driver ends first."""
        async with asyncio.timeout(within):
            while True:
                if found := find(self.seen):
                    return found
                self._news.clear()
                news = asyncio.create_task(self._news.wait())
                try:
                    await asyncio.wait([news, self.task], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    news.cancel()
                if self.task.done():
                    await self.task

    async def value(self, item: str, within: float = 10.0) -> DataValue:
        """The newest value of an item."""

        def newest(seen: list[Observation]) -> DataValue | None:
            return next((o for o in reversed(seen) if isinstance(o, DataValue) and o.item == item), None)

        return await self.until(newest, within)

    async def scans(self, count: int, within: float = 10.0) -> list[bytes]:
        """The raw bytes of the first `count` scans."""

        def enough(seen: list[Observation]) -> list[bytes] | None:
            raw = [o.raw for o in seen if isinstance(o, Scan)]
            return raw if len(raw) >= count else None

        return await self.until(enough, within)

    async def lost(self, within: float = 5.0) -> DeviceError:
        """The error that ends the driver; any other kind of end fails the test."""
        async with asyncio.timeout(within):
            try:
                await asyncio.shield(self.task)
            except DeviceError as error:
                return error
        raise AssertionError("a driver returns only by raising")


@asynccontextmanager
async def running(driver: Driver) -> AsyncIterator[Running]:
    """A driver that is cancelled, and gone, at the end of the block."""
    run = Running(driver)
    try:
        yield run
    finally:
        run.task.cancel()
        async with asyncio.timeout(3):
            await asyncio.gather(run.task, return_exceptions=True)


def make(name: str, options: Mapping[str, Any]) -> Driver:
    """A driver with options as the site file says them."""
    return device_drivers.load(name).Driver(options_of(name, options), SystemClock())


def options_of(name: str, options: Mapping[str, Any]) -> Any:
    """The options of a driver, as the loader of the site file makes them."""
    return msgspec.convert(options, device_drivers.load(name).Options, strict=False, dec_hook=_path)


async def eventually(condition: Callable[[], bool], within: float = 2.0) -> bool:
    """Whether a condition comes true in time; looks again whenever the loop has done something."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not condition():
        if loop.time() > deadline:
            return False
        await asyncio.sleep(0)
    return True


def _path(wanted: type, value: object) -> object:
    """As the site file's loader makes paths."""
    return Path(str(value)) if wanted is Path else value
