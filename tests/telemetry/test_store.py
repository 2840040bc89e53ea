"""The store of samples: nothing is lost or doubled by housekeeping, and what is dropped is told."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from device_drivers.contract import Value
from edge_agent.machines.by_exception import Columns, Gap
from edge_agent.store import StoreError
from edge_agent.store.samples import LANE_ITEMS, SampleStore
from edge_agent.store.samples_bounds import LOG_BYTES, Bounds
from tests.support.manual_clock import ManualClock
from tests.telemetry.making import SECOND, SMALL, T0, columns, gaps, held, opened, settled


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SampleStore]:
    store = await opened(tmp_path, clock)
    yield store
    await store.close()


async def fill(store: SampleStore, seconds: range, items: int = 10, device: str = "plc") -> None:
    """Every item counts the seconds, one commit for each."""
    for at in seconds:
        await store.append({device: columns(*((f"i{n:03}", at, at) for n in range(items)))})


def counted(seconds: range, items: int = 10, device: str = "plc") -> dict[str, list[tuple[int, Value]]]:
    """What `fill` has put there."""
    return {f"{device}/i{n:03}": [(at, at) for at in seconds] for n in range(items)}


async def test_what_is_appended_is_there_with_its_status(store: SampleStore) -> None:
    given = Columns(["a", "b", "a"], [T0, T0, T0 + 5], [0, 2, 1], [1.5, None, "x"])
    await store.append({"plc": given})
    got = {each.item: each.series async for each in store.read() if not isinstance(each, Gap)}
    assert got["a"] == ([T0, T0 + 5], [0, 1], [1.5, "x"])
    assert got["b"] == ([T0], [2], [None])


async def test_it_commits_at_full_and_says_what_the_connection_really_does(store: SampleStore) -> None:
    assert await store.durability() == "FULL"
    await store._database.alone(lambda conn: conn.execute("PRAGMA synchronous = NORMAL").fetchall())
    assert await store.durability() == "NORMAL"


async def test_housekeeping_neither_loses_nor_doubles(store: SampleStore) -> None:
    await fill(store, range(100))
    assert await settled(store) > 3
    await fill(store, range(100, 150))
    await settled(store)
    await fill(store, range(150, 153))
    assert await held(store) == counted(range(153))
    assert (await store.usage()).samples == 1530


async def test_between_any_two_steps_of_housekeeping_everything_is_there_once(store: SampleStore) -> None:
    await fill(store, range(60))
    await fill(store, range(30), device="other")
    expected = counted(range(60)) | counted(range(30), device="other")
    steps = 0
    while await store.tidy():
        steps += 1
        assert await held(store) == expected
        assert (await store.usage()).samples == 900
    assert steps > 4


async def test_reading_is_not_disturbed_by_housekeeping_in_between(store: SampleStore) -> None:
    await fill(store, range(60), items=2 * LANE_ITEMS)
    found: dict[str, list[tuple[int, Value]]] = {}
    async for each in store.read():
        assert not isinstance(each, Gap)
        times = [(time - T0) // SECOND for time in each.series.times]
        found.setdefault(f"{each.device}/{each.item}", []).extend(zip(times, each.series.values, strict=True))
        await store.tidy()
    assert found == counted(range(60), 2 * LANE_ITEMS)


async def test_a_span_has_its_beginning_and_not_its_end(store: SampleStore) -> None:
    await fill(store, range(100), items=2)
    await settled(store)
    await fill(store, range(100, 110), items=2)
    for first, last in ((0, 110), (17, 23), (95, 105), (103, 104), (50, 50)):
        span = {"since": T0 + first * SECOND, "until": T0 + last * SECOND}
        found = await held(store, **span)
        assert found == (counted(range(first, last), 2) if first < last else {})


async def test_items_are_chosen_by_pattern(store: SampleStore) -> None:
    await fill(store, range(3), items=12)
    await fill(store, range(3), device="press")
    assert set(await held(store, "plc/i01*")) == {"plc/i010", "plc/i011"}
    assert set(await held(store, "press/i000", "plc/i000")) == {"press/i000", "plc/i000"}
    assert await held(store, "nothing/*") == {}


async def test_a_device_may_have_more_items_than_a_lane_and_new_ones_at_any_time(store: SampleStore) -> None:
    await fill(store, range(3), items=LANE_ITEMS - 1)
    await fill(store, range(3, 6), items=3 * LANE_ITEMS + 1)
    found = await held(store)
    assert len(found) == 3 * LANE_ITEMS + 1
    assert found["plc/i000"] == [(at, at) for at in range(6)]
    assert found[f"plc/i{3 * LANE_ITEMS:03}"] == [(at, at) for at in range(3, 6)]


async def test_what_was_open_is_there_after_a_restart_and_is_folded_then(tmp_path: Path, clock: ManualClock) -> None:
    store = await opened(tmp_path, clock)
    await fill(store, range(30))
    await store.tidy()
    await store.tidy()  # in the middle of a round
    await store.close()
    store = await opened(tmp_path, clock)
    assert await held(store) == counted(range(30))
    await fill(store, range(30, 60))
    await settled(store)
    assert await held(store) == counted(range(60))
    await store.close()


async def test_a_lane_that_is_quiet_is_folded_by_age(store: SampleStore, clock: ManualClock) -> None:
    await fill(store, range(3))
    await settled(store)
    assert (await counts(store))["block"] == 0
    clock.advance(SMALL.tail_age.total_seconds())
    await settled(store)
    assert await counts(store) == {"block": 1, "tail": 0}
    assert await held(store) == counted(range(3))


async def test_the_file_keeps_below_its_size_and_the_oldest_goes_first(tmp_path: Path, clock: ManualClock) -> None:
    bounds = replace(SMALL, bytes=400_000, tail_samples=2000, block_samples=1000)
    store = await opened(tmp_path, clock, bounds)
    total, largest = 0, 0
    for at in range(1500):
        noise = [(f"i{n}", at, hash((n, at)) / 7.0) for n in range(50)]
        await store.append({"plc": columns(*noise)})
        total += len(noise)
        await store.tidy()
        largest = max(largest, (tmp_path / "samples.db").stat().st_size)
    (gap,) = await gaps(store)
    found = await held(store)
    present = sum(map(len, found.values()))
    oldest = min(samples[0][0] for samples in found.values())
    assert largest <= bounds.database_bytes
    assert (tmp_path / "samples.db-wal").stat().st_size <= LOG_BYTES
    assert present > 5000, "it must not drop more than it has to"
    assert gap.count == total - present == (await store.usage()).dropped
    assert (gap.reason, gap.device, gap.since) == ("dropped", "plc", T0)
    assert T0 + oldest * SECOND - 2 * SECOND <= gap.until <= T0 + oldest * SECOND
    assert found["plc/i3"] == [(at, hash((3, at)) / 7.0) for at in range(oldest, 1500)]
    await store.close()


async def test_what_is_too_old_is_dropped_and_told(store: SampleStore, clock: ManualClock) -> None:
    await fill(store, range(30))
    clock.advance(600)
    await settled(store)
    clock.advance(71.5 * 3600)
    await fill(store, range(90_000, 90_003))
    await settled(store)
    assert len((await held(store))["plc/i000"]) == 33
    clock.advance(3600)
    await settled(store)
    assert await held(store) == counted(range(90_000, 90_003))
    assert await gaps(store, "plc/i000") == [Gap(T0, T0 + 29 * SECOND, "dropped", "plc", count=300)]
    assert await gaps(store, since=T0 + 40_000 * SECOND) == [], "the gap is before what was asked for"


async def test_a_machine_with_a_wrong_clock_is_not_dropped_for_it(store: SampleStore, clock: ManualClock) -> None:
    await store.append({"plc": Columns(["x"], [0], [0], [1])})
    clock.advance(600)
    await settled(store)
    assert (await store.usage()).samples == 1


async def test_a_site_file_that_allows_less_makes_the_file_smaller(tmp_path: Path, clock: ManualClock) -> None:
    large = Bounds(50_000_000, timedelta(hours=72), tail_samples=2000, block_samples=1000)
    store = await opened(tmp_path, clock, large)
    for at in range(1000):
        await store.append({"plc": columns(*((f"i{n}", at, hash((n, at)) / 7.0) for n in range(50)))})
        await store.tidy()
    await store.close()
    assert (tmp_path / "samples.db").stat().st_size > 400_000
    store = await opened(tmp_path, clock, replace(large, bytes=200_000))
    assert (tmp_path / "samples.db").stat().st_size <= 200_000
    assert sum(map(len, (await held(store)).values())) + (await store.usage()).dropped == 50_000
    await store.append({"plc": columns(("i0", 2000, 1.0))})
    await store.close()


async def test_gaps_are_told_for_what_they_are_about(store: SampleStore) -> None:
    await fill(store, range(2))
    await fill(store, range(2), device="press")
    everything, device, item = (
        Gap(T0, T0 + 1, "stopped"), Gap(T0, T0 + 2, "too_many", "plc"), Gap(T0, T0 + 3, "device", "plc", "i001", 7),
    )  # fmt: skip
    for gap in (everything, device, item):
        await store.mark(gap)
    assert await gaps(store) == [everything, device, item]
    assert await gaps(store, "plc/i000") == [everything, device]
    assert await gaps(store, "press/*") == [everything]


@pytest.mark.parametrize("folded", [False, True])
async def test_a_damaged_row_costs_itself_only_and_is_told(tmp_path: Path, clock: ManualClock, folded: bool) -> None:
    store = await opened(tmp_path, clock)
    await fill(store, range(20))
    if folded:
        await settled(store)
    await store.close()
    table = "block" if folded else "tail"
    with closing(sqlite3.connect(tmp_path / "samples.db")) as other, other:
        other.execute(
            f"UPDATE {table} SET body = x'01ff00' WHERE rowid = (SELECT min(rowid) + 1 FROM {table})"
        )
    store = await opened(tmp_path, clock)
    (gap,) = await gaps(store)
    assert (gap.reason, gap.device) == ("not_saved", "plc")
    assert sum(map(len, (await held(store)).values())) == 200 - gap.count
    clock.advance(600)
    await settled(store)
    assert [each.count for each in await gaps(store)] == [gap.count]
    assert sum(map(len, (await held(store)).values())) == 200 - gap.count
    await store.close()


async def test_a_full_disk_is_said_and_goes_by(store: SampleStore) -> None:
    await fill(store, range(2))
    (pages,) = await store._database.read(lambda conn: conn.execute("PRAGMA page_count").fetchone())
    await store._database.read(lambda conn: conn.execute(f"PRAGMA max_page_count = {pages}").fetchone())
    with pytest.raises(StoreError) as caught:
        await store.append({"new": columns(*((f"i{n}", 5, "x" * 500) for n in range(90)))})
    assert caught.value.kind == "full"
    assert await held(store) == counted(range(2))
    await store._database.read(lambda conn: conn.execute("PRAGMA max_page_count = 100000").fetchone())
    await fill(store, range(3), device="new")
    assert (await held(store, "new/*")) == counted(range(3), device="new")


async def test_readers_and_writers_take_turns(store: SampleStore) -> None:
    await fill(store, range(50))

    async def read_all() -> int:
        return sum(map(len, (await held(store)).values()))

    sizes, _ = await asyncio.gather(asyncio.gather(*(read_all() for _ in range(5))), fill(store, range(50, 80)))
    assert all(500 <= size <= 800 for size in sizes)
    assert await held(store) == counted(range(80))


async def counts(store: SampleStore) -> dict[str, int]:
    """The rows of the tables."""

    def look(conn: sqlite3.Connection) -> dict[str, int]:
        return {
            table: conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("block", "tail")
        }

    return await store._database.read(look)
