"""One round: a program at one work, its CPU over a window, its end by SIGKILL, and what it had stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.landed import ours, thingsboard
from bench.landed.broker import Broker
from bench.landed.devices import ModbusDevices
from bench.landed.running import Program, Taken
from bench.landed.stored import Judged, Stored, judged
from bench.landed.work import Work

_PATIENCE = 60.0  # seconds until all devices are polled
_AFTER = 1.0  # seconds between the end of the window and the kill: all that was served in it should be stored
_LOOK = 0.2


@dataclass(frozen=True)
class Side:
    """A program under measurement: how it is started at a work, with the port of its server; what it stored; and
    the CPU-seconds of what it does with all of that later, when it is at it for longer than a window."""

    name: str
    durability: str
    program: Callable[[Work, Sequence[int], Path, int], Program]
    stored: Callable[[Path], Awaitable[Stored]]
    later: Callable[[Path], Awaitable[float]]


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds of a work, and the seconds of a window of those that are no longer."""

    rounds: int = 3
    window: float = 6.0
    settle: float = 2.0


@dataclass(frozen=True)
class Round:
    """What came of it; `landed` samples in a second and in a CPU-second, over the window.

    In `per_cpu` is `later` as well: CPU-seconds for a million samples that are spent on them after the window.
    """

    landed: float
    per_cpu: float
    later: float
    memory: float
    judged: Judged

    @property
    def cpu_per_million(self) -> float:
        """CPU-seconds for a million samples."""
        return 1e6 / self.per_cpu


OURS = Side(
    "ours", ours.DURABILITY, lambda work, ports, folder, _: ours.program(work, ports, folder), ours.stored, ours.folded
)


def peer(python: Path) -> Side:
    """ThingsBoard, in its environment."""

    async def stored(folder: Path) -> Stored:
        return thingsboard.stored(folder)

    async def nothing(folder: Path) -> float:
        return 0.0  # it sends what it stored and deletes it, which is not counted either

    return Side(
        "ThingsBoard", thingsboard.DURABILITY,
        lambda work, ports, folder, broker: thingsboard.program(work, ports, folder, python, broker), stored, nothing,
    )  # fmt: skip


async def round_of(
    side: Side, work: Work, devices: Path, folder: Path, effort: Effort, *, offline: bool = False
) -> Round:
    """Start it, let it settle, look twice, kill it, and count. `offline`: its server was never there."""
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(
            ModbusDevices(devices, work.devices, work.width, work.stride, work.delay, work.hung)
        )
        broker = await stack.enter_async_context(Broker())
        if offline:
            await broker.leave()
        program = stack.enter_context(side.program(work, served.ports, folder, broker.port))
        await _until_polled(work, served, program)
        await asyncio.sleep(effort.settle)
        await broker.leave()  # from now on all of it has to be stored
        await asyncio.sleep(effort.settle)
        early, before, since = await served.served(), program.taken(), time.time()
        await asyncio.sleep(effort.window * work.longer)
        late, after, until = await served.served(), program.taken(), time.time()
        await asyncio.sleep(_AFTER)
        program.kill()
        await asyncio.sleep(_LOOK)  # what was asked just before is answered
        end = await served.served()
    found = await side.stored(folder)
    what = judged(work, found, early, late, end, (since, until))
    later = await side.later(folder) / max(found.count, 1)
    return _round(found.within(since, until), before, after, until - since, later, what)


def _round(landed: Stored, before: Taken, after: Taken, seconds: float, later: float, what: Judged) -> Round:
    """`later`: CPU-seconds for each sample after the window."""
    count = max(landed.count, 1)
    cpu = after.cpu - before.cpu + later * count
    return Round(landed.count / seconds, count / cpu, later * 1e6, after.memory, what)


async def _until_polled(work: Work, served: ModbusDevices, program: Program) -> None:
    """Return when every device that answers was scanned three times. Raises RuntimeError when it is not."""
    give_up = time.monotonic() + _PATIENCE
    while time.monotonic() < give_up:
        program.taken()  # raises when it has ended
        scans = [each.scans for number, each in enumerate(await served.served()) if number != work.hung]
        if min(scans) >= 3:
            return
        await asyncio.sleep(_LOOK)
    raise RuntimeError(f"{program.name} does not poll every device of {work.name}.")
