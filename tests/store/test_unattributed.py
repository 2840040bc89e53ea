"""Parts that were counted while no job was open, on disk: asked for once, and taken or left in the same commit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_agent.machines.ledger import Evidence, Reading, Standing, Step
from edge_agent.store import Connection, Entry, Store, ledger
from sync.contract import CountAssigned
from tests.support.manual_clock import ManualClock

MINUTE = timedelta(minutes=1)


def step(began: datetime, at: datetime, value: int, parts: int) -> Step:
    return Step(Standing(Reading(value, at), 2**16), Evidence.COUNTED, began, parts)


class Hall:
    """A store with the books of one machine."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store, self.clock, self.value, self.steps = store, clock, 0, 0

    async def makes(self, parts: int) -> None:
        """The machine makes parts in one minute from now."""
        began = self.clock.now()
        self.clock.advance(60)
        self.value, self.steps = self.value + parts, self.steps + 1
        made = step(began, self.clock.now(), self.value, parts)
        await self.store.write(lambda conn: ledger.enter(conn, "M", [made], self.steps))

    async def answer(self, parts: int, since: datetime, job: str) -> None:
        body = CountAssigned(about="equipment/M", equipment="M", parts=parts, since=since, job=job)
        entry, now = Entry(self.clock.new_id(), body), self.clock.now()

        def write(conn: Connection) -> None:
            self.store.record(conn, [entry], now, terminal="T1", person="p1")

        await self.store.write(write)

    async def loose(self) -> tuple[int, datetime] | None:
        return await self.store.read(lambda conn: ledger.unattributed(conn, "M"))

    async def of_job(self, job: str) -> int:
        return await self.store.read(lambda conn: ledger.since_report(conn, "M", job))


async def test_parts_are_taken_or_left_and_the_sum_stays(tmp_path: Path) -> None:
    clock = ManualClock(datetime(2026, 11, 23, 10, 2, tzinfo=UTC))
    hall = Hall(await Store.open(tmp_path / "journal.db", "pc-1", clock), clock)
    assert await hall.loose() is None
    began = clock.now()
    await hall.makes(5)
    await hall.makes(7)
    assert await hall.loose() == (12, began + MINUTE)  # the minute in which the first were finished
    await hall.answer(12, began, "J-1")
    assert (await hall.loose(), await hall.of_job("J-1")) == (None, 12)

    clock.advance(600)
    again = clock.now()
    await hall.makes(3)
    assert await hall.loose() == (3, again + MINUTE)
    await hall.answer(3, again, "")
    assert (await hall.loose(), await hall.of_job("J-1")) == (None, 12)
    await hall.makes(2)
    assert (await hall.loose() or (0,))[0] == 2
    tally = (await hall.store.read(ledger.tallies))["M"]
    assert (tally.counted, tally.unattributed) == (17, 5)
    await hall.store.close()


async def test_an_answer_for_more_than_there_is_takes_what_there_is(tmp_path: Path) -> None:
    clock = ManualClock()
    hall = Hall(await Store.open(tmp_path / "journal.db", "pc-1", clock), clock)
    since = clock.now()
    await hall.makes(4)
    await hall.answer(9, since, "J-1")
    assert (await hall.loose(), await hall.of_job("J-1")) == (None, 4)
    await hall.store.close()
