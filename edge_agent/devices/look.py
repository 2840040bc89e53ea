"""One look at one device, by its driver, without the agent: what it says it is and what its points read."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from device_drivers.contract import (
    DataValue,
    DataValues,
    DeviceError,
    DriverModule,
    Notice,
    Observation,
    Online,
    StatusCode,
)
from edge_agent.clock import Clock

_SURE = 4  # times that a point is bad before it counts: a driver may ask otherwise after the first refusal
_SETTLE = 3.0  # seconds after which a point that was told counts as it was; drivers that tell changes tell once


@dataclass
class Look:
    """What was seen of a device.

    `answered` is how many seconds it took to connect and to get the first answer, None when there was
    none; `error` why the look ended early. `warnings` are sentences about what needs a person, `notice` is
    about what does not work as it should. An item without a value gave none in time.
    """

    identity: str = ""
    answered: float | None = None
    warnings: tuple[str, ...] = ()
    notice: str = ""
    values: dict[str, DataValue] = field(default_factory=dict)
    error: DeviceError | None = None

    def good(self, item: str) -> bool:
        """Whether the item has a value that can be used, certain or not."""
        return item in self.values and self.values[item].status is not StatusCode.BAD


async def look_at(
    module: DriverModule, options: Any, clock: Clock, items: Collection[str], patience: float
) -> Look:
    """Run the driver until every item is good, or bad for sure, it ends, or `patience` seconds are over."""
    seen, started = Look(), clock.monotonic()
    told, settled = asyncio.Event(), asyncio.Event()
    missing, doubtful, times = set(items), set(items), Counter[str]()

    def take_value(value: DataValue) -> None:
        seen.values[value.item] = value
        times[value.item] += 1
        missing.discard(value.item)
        if seen.good(value.item) or times[value.item] >= _SURE:
            doubtful.discard(value.item)

    def take(observation: Observation) -> None:
        match observation:
            case Online(identity, warnings):
                seen.identity, seen.warnings = identity, warnings
                seen.answered = clock.monotonic() - started if seen.answered is None else seen.answered
            case Notice(text):
                seen.notice = text
            case DataValue():
                take_value(observation)
            case DataValues():
                for value in observation:
                    take_value(value)
        if not missing:
            told.set()
        if not doubtful:
            settled.set()

    running = asyncio.create_task(module.Driver(options, clock).run(take))
    waits = [asyncio.create_task(each.wait()) for each in (told, settled)]
    try:
        for wait, limit in zip(waits, (patience, _SETTLE), strict=True):
            await asyncio.wait([running, wait], timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running
            if not told.is_set():
                break
    except DeviceError as error:
        seen.error = error
    finally:
        for task in (running, *waits):
            task.cancel()
        await asyncio.gather(running, *waits, return_exceptions=True)
    return seen


def agent_runs(address: Path) -> bool:
    """Whether somebody listens on the agent's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(address))
        except OSError:
            return False
    return True
