"""From the bus into the store: in groups, to the last one, and what is missing is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

import config
from device_drivers.contract import DataValues, StatusCode, Value
from edge_agent.bus import Bus
from edge_agent.events import ValuesArrived
from edge_agent.machines.by_exception import ByException, microseconds
from edge_agent.store import StoreError
from edge_agent.store.samples import SampleStore
from edge_agent.store.samples_reading import Chunk
from edge_agent.supervisor import Supervisor
from edge_agent.telemetry.pump import GROUP_SECONDS, SamplePump, telemetry
from tests.support.manual_clock import START, ManualClock
from tests.telemetry.making import gaps, opened


@dataclass
class Line:
    """A pump between a bus and a store, with a clock that the test moves."""

    bus: Bus
    store: SampleStore
    clock: ManualClock
    task: asyncio.Task[None]
    pump: SamplePump

    def say(self, value: Value, item: str = "x") -> None:
        """A device gives a value now."""
        self.bus.publish(ValuesArrived("plc", DataValues((item,), [value], StatusCode.GOOD, self.clock.now())))

    async def group(self) -> None:
        """Let one group be committed."""
        await self.noticed()
        self.clock.advance(GROUP_SECONDS)
        await self.clock.sleeping()

    async def noticed(self) -> None:
        """Return when the pump waits for the end of a group, not for its first value."""
        while not (due := self.clock.sleepers) or due[0] > self.clock.monotonic() + GROUP_SECONDS:
            await asyncio.sleep(0)

    async def settled(self) -> None:
        """Return when the pump waits for something to come; time passes until then."""
        while (await self.clock.sleeping())[0] <= self.clock.monotonic() + GROUP_SECONDS:
            await self.group()


async def values(store: SampleStore) -> list[Value]:
    """All values of x."""
    return [value async for each in store.read(["plc/x"]) if isinstance(each, Chunk) for value in each.series.values]


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    bus, clock = Bus(), ManualClock()
    store = await opened(tmp_path, clock)
    pump = SamplePump(bus, store, ByException(60), clock)
    line = Line(bus, store, clock, asyncio.create_task(pump.run()), pump)
    await clock.sleeping()
    yield line
    line.task.cancel()
    await asyncio.gather(line.task, return_exceptions=True)
    await store.close()


async def test_a_value_is_kept_within_a_quarter_of_a_second(line: Line) -> None:
    line.say(1)
    line.say(1)
    line.say(2)
    assert await values(line.store) == []
    await line.group()
    assert await values(line.store) == [1, 2]
    assert GROUP_SECONDS <= 0.25


async def test_a_pump_to_which_nothing_comes_waits_and_a_group_begins_with_its_first_value(line: Line) -> None:
    await line.settled()
    (due,) = line.clock.sleepers
    assert due - line.clock.monotonic() >= 3
    line.clock.advance(1)
    assert line.clock.sleepers == [due]
    line.say(1)
    await line.noticed()
    line.clock.advance(GROUP_SECONDS / 2)
    line.say(2)
    await asyncio.sleep(0)
    line.clock.advance(GROUP_SECONDS / 2)
    await line.settled()
    assert await values(line.store) == [1, 2]


async def test_what_comes_while_the_pump_starts_is_kept_too(tmp_path: Path) -> None:
    bus, clock = Bus(), ManualClock()
    store = await opened(tmp_path, clock)
    pump = SamplePump(bus, store, ByException(60), clock)
    line = Line(bus, store, clock, asyncio.create_task(pump.run()), pump)
    await asyncio.sleep(0)
    line.say(1)
    await line.group()
    assert await values(store) == [1]
    line.task.cancel()
    await asyncio.gather(line.task, return_exceptions=True)
    await store.close()


async def test_the_last_group_is_kept_when_the_agent_stops(line: Line) -> None:
    line.say(1)
    line.task.cancel()
    await asyncio.gather(line.task, return_exceptions=True)
    assert await values(line.store) == [1]


async def test_a_first_start_has_no_gap(line: Line) -> None:
    assert await gaps(line.store) == []


async def test_the_time_in_which_no_agent_ran_is_a_gap(line: Line) -> None:
    line.say(1)
    await line.group()
    line.task.cancel()
    await asyncio.gather(line.task, return_exceptions=True)
    stopped = line.clock.now()
    line.clock.advance(3600)
    again = asyncio.create_task(SamplePump(line.bus, line.store, ByException(60), line.clock).run())
    await line.clock.sleeping()
    (gap,) = await gaps(line.store)
    assert (gap.reason, gap.device) == ("stopped", "")
    assert microseconds(stopped) - 1_000_000 <= gap.since <= microseconds(stopped)
    assert gap.until == microseconds(line.clock.now())
    line.say(1)
    await line.group()
    assert await values(line.store) == [1, 1], "after a gap every item is told anew"
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)


async def test_values_that_come_too_fast_are_a_gap_and_it_goes_on(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.telemetry.pump._WAITING", 10)
    line.task.cancel()
    await asyncio.gather(line.task, return_exceptions=True)
    again = asyncio.create_task(SamplePump(line.bus, line.store, ByException(60), line.clock).run())
    await line.clock.sleeping()
    for number in range(50):
        line.say(number)
    await line.group()
    line.say(50)
    await line.group()
    (gap,) = await gaps(line.store)
    assert gap.reason == "too_many"
    assert microseconds(START) <= gap.since <= gap.until <= microseconds(line.clock.now())
    assert await values(line.store) == [50]
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)


async def test_what_the_disk_refuses_is_a_counted_gap_and_said_once(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    line.say(0)
    await line.group()
    pages = await pages_at_most(line.store, 1)
    for number in range(1, 4):
        line.say("x" * 50_000 + str(number))
        await line.group()
    assert await values(line.store) == [0]
    assert "full" in (await line.pump.status()).trouble
    await pages_at_most(line.store, pages * 1000)
    line.say("x" * 50_000 + "3")  # reported once, refused once: it is told anew
    await line.group()
    assert await values(line.store) == [0, "x" * 50_000 + "3"]
    status = await line.pump.status()
    assert (status.samples, status.trouble, status.oldest) == (2, "", START + timedelta(seconds=GROUP_SECONDS))
    assert 0 < status.bytes < status.max_bytes
    (gap,) = await gaps(line.store)
    assert (gap.reason, gap.count) == ("not_saved", 3)
    said = [record.message for record in caplog.records if record.message.startswith("telemetry")]
    assert said == ["telemetry.not_saved", "telemetry.saved_again"]


async def test_a_stop_that_the_disk_refuses_to_note_is_noted_later(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.say(1)
    await line.group()
    line.task.cancel()
    await asyncio.gather(line.task, return_exceptions=True)
    line.clock.advance(3600)
    began = microseconds(line.clock.now())

    async def refuse(what: object) -> None:
        raise StoreError("full", "The disk is full.")

    with monkeypatch.context() as patch:
        for method in ("append", "mark"):
            patch.setattr(line.store, method, refuse)
        again = asyncio.create_task(SamplePump(line.bus, line.store, ByException(60), line.clock).run())
        await line.clock.sleeping()
        line.say(2)
        await line.group()
    assert await gaps(line.store) == []
    line.clock.advance(60)
    line.say(3)
    await line.group()
    await line.group()
    found = {gap.reason: gap for gap in await gaps(line.store)}
    assert found.keys() == {"stopped", "not_saved"}
    assert (found["stopped"].until, found["not_saved"].count) == (began, 1)
    assert found["stopped"].since < began - 3_500_000_000, "from the last value before it, not from the first after"
    assert await values(line.store) == [1, 3]
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)


async def pages_at_most(store: SampleStore, pages: int) -> int:
    """Let the file have so many pages (what it has at least); how many it has."""
    await store._database.read(lambda conn: conn.execute(f"PRAGMA max_page_count = {pages}").fetchone())
    (count,) = await store._database.read(lambda conn: conn.execute("PRAGMA page_count").fetchone())
    return int(count)


def settings(folder: Path) -> config.Settings:
    """A site whose data folder this is."""
    return config.Settings(
        site=config.Site(name="X", agent="x", data=folder), terminals=(config.Terminal(id="T1"),)
    )


async def test_a_damaged_file_is_put_aside_and_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "samples.db").write_bytes(b"a shopping list, long enough to look like a header" * 20)
    clock = ManualClock()
    async with telemetry(settings(tmp_path), clock, Bus(), Supervisor(clock, Random(1), strict=True)) as kept:
        assert (await kept[0].usage()).samples == 0
    assert (tmp_path / "samples.damaged").exists()
    assert "telemetry.damaged" in caplog.text


async def test_a_file_of_a_newer_program_is_not_touched(tmp_path: Path) -> None:
    clock = ManualClock()
    store = await opened(tmp_path, clock)
    await store._database.write(lambda conn: conn.execute("PRAGMA user_version = 99").fetchone())
    await store.close()
    with pytest.raises(StoreError, match="newer"):
        async with telemetry(settings(tmp_path), clock, Bus(), Supervisor(clock, Random(1))):
            pass
    assert not (tmp_path / "samples.damaged").exists()


async def test_housekeeping_goes_on_while_nothing_comes(line: Line) -> None:
    line.say(1)
    await line.group()
    await line.settled()
    line.clock.advance(timedelta(minutes=6).total_seconds())
    await line.settled()
    (blocks,) = await line.store._database.read(
        lambda conn: conn.execute("SELECT count(*) FROM block").fetchone()
    )
    assert blocks == 1
