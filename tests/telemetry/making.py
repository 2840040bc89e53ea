"""Stores with small bounds, samples that can be told apart, and what a store holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from device_drivers.contract import Value
from edge_agent.clock import Clock
from edge_agent.machines.by_exception import Columns, Gap
from edge_agent.store.samples import SampleStore
from edge_agent.store.samples_bounds import Bounds

T0 = 1_790_000_000_000_000  # microseconds since 1970
SECOND = 1_000_000
SMALL = Bounds(50_000_000, timedelta(hours=72), timedelta(minutes=5), tail_samples=200, block_samples=60)


def columns(*samples: tuple[str, int, Value]) -> Columns:
    """Good samples: item, seconds after T0, value."""
    return Columns(
        [item for item, _, _ in samples], [T0 + at * SECOND for _, at, _ in samples], [0] * len(samples),
        [value for _, _, value in samples],
    )  # fmt: skip


async def opened(path: Path, clock: Clock, bounds: Bounds = SMALL) -> SampleStore:
    """The store in a folder."""
    return await SampleStore.open(path / "samples.db", clock, bounds)


async def held(store: SampleStore, *patterns: str, **span: int) -> dict[str, list[tuple[int, Value]]]:
    """(seconds after T0, value) of each item that there is."""
    found: dict[str, list[tuple[int, Value]]] = {}
    async for each in store.read(patterns or ("*",), **span):
        if not isinstance(each, Gap):
            times = [(time - T0) // SECOND for time in each.series.times]
            found.setdefault(f"{each.device}/{each.item}", []).extend(zip(times, each.series.values, strict=True))
    return found


async def gaps(store: SampleStore, *patterns: str, **span: int) -> list[Gap]:
    """What is told to be missing."""
    return [each async for each in store.read(patterns or ("*",), **span) if isinstance(each, Gap)]


async def settled(store: SampleStore) -> int:
    """Let the store do all its housekeeping; how many steps that took."""
    steps = 0
    while await store.tidy():
        steps += 1
        assert steps < 10_000, "housekeeping does not end"
    return steps
