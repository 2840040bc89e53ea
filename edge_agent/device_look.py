"""One look at one device, by its driver, without the agent: what it says it is and what its points read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from device_drivers.contract import DataValue, DeviceError, DriverModule, Observation, Online, StatusCode
from edge_agent.clock import Clock


@dataclass
class Look:
    """What was seen of a device.

    `answered` is how many seconds it took to connect and to get the first answer, None when there was
    none; `error` why the look ended early. An item without a value gave none in time.
    """

    identity: str = ""
    answered: float | None = None
    values: dict[str, DataValue] = field(default_factory=dict)
    error: DeviceError | None = None

    def good(self, item: str) -> bool:
        """Whether the item has a value that can be used, certain or not."""
        return item in self.values and self.values[item].status is not StatusCode.BAD


async def look_at(
    module: DriverModule, options: Any, clock: Clock, items: Collection[str], patience: float
) -> Look:
    """Run the driver until every item has told a value, it ends, or `patience` seconds are over."""
    seen, started, enough = Look(), clock.monotonic(), asyncio.Event()
    missing = set(items)

    def take(observation: Observation) -> None:
        if isinstance(observation, Online) and seen.answered is None:
            seen.identity, seen.answered = observation.identity, clock.monotonic() - started
        elif isinstance(observation, DataValue):
            seen.values[observation.item] = observation
            missing.discard(observation.item)
            if not missing:
                enough.set()

    running = asyncio.create_task(module.Driver(options, clock).run(take))
    waiting = asyncio.create_task(enough.wait())
    try:
        await asyncio.wait([running, waiting], timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
    except DeviceError as error:
        seen.error = error
    finally:
        running.cancel()
        waiting.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
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
