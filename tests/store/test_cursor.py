"""How far the ERP is, on a disk that rots: nothing looks delivered that was not, and a person is told."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import pytest

from edge_agent.exception_rows import row_of
from edge_agent.store import Connection, Entry, Store, cursor, parking
from edge_agent.store.doubts import doubts
from edge_agent.store.outbox import JournalOutbox, queue
from edge_agent.store.plans import PlanInbox
from sync.contract import Applied, Refused
from tests.store.making import produced
from tests.support.manual_clock import ManualClock

FACTS, DELIVERED = 40, 5
ERP = "erp"


class _Pc:
    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store, self.clock = store, clock
        self.outbox = JournalOutbox(store, ERP, clock)
        self.woken = 0
        self.inbox = PlanInbox(store, ERP, clock, lambda book: None, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    async def report(self, count: int) -> None:
        entries = [Entry(self.clock.new_id(), produced(f"J{number}")) for number in range(count)]
        await self.store.write(lambda conn: self.store.record(conn, entries, self.clock.now(), "T1", "P1"))

    async def deliver(self, count: int) -> None:
        await self.outbox.settle([Applied(fact.id, "B") for fact in await self.outbox.pending(count)])

    async def answer(self, *refused: int, silent: Sequence[int] = ()) -> None:
        """To all that waits: these numbers are refused, and of those nothing is said."""
        facts = [fact for fact in await self.outbox.pending(100) if fact.seq not in silent]
        await self.outbox.settle(
            [Refused(each.id, "closed", "no") if each.seq in refused else Applied(each.id, "B") for each in facts]
        )

    async def parked(self) -> list[tuple[int, str]]:
        query = "SELECT seq, state FROM parked ORDER BY seq"
        return await self.store.read(lambda conn: conn.execute(query).fetchall())

    async def pending(self) -> list[int]:
        return [fact.seq for fact in await self.outbox.pending(100)]


@asynccontextmanager
async def pc(path: Path) -> AsyncIterator[_Pc]:
    clock = ManualClock()
    store = await Store.open(path, "agent-1", clock)
    try:
        await store.serve((ERP,))
        yield _Pc(store, clock)
    finally:
        await store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def flip(path: Path, bit: int) -> None:
    """One bit of the number, in the bytes of the file."""
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'delivered'").fetchone()
        (size,) = conn.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    at = content.index(ERP.encode() + bytes([DELIVERED]), (root - 1) * size) + len(ERP)
    content[at] ^= 1 << bit
    path.write_bytes(content)


@pytest.mark.parametrize("bit", range(7))
async def test_one_bit_in_the_cursor_loses_no_report(path: Path, bit: int) -> None:
    async with pc(path) as floor:
        await floor.report(FACTS)
        await floor.deliver(DELIVERED)
        assert (await floor.pending())[0] == DELIVERED + 1
    flip(path, bit)
    async with pc(path) as floor:
        assert (await floor.store.read(lambda conn: queue(conn, ERP))).unsent == FACTS
        assert not await floor.store.let_go((ERP,), floor.clock.now() + timedelta(days=1)), "nothing may go"
        assert await floor.pending() == list(range(1, FACTS + 1))
        (told,) = await floor.store.problems()
        (doubt,) = await floor.store.read(doubts)
        assert "the number has rotted on the disk" in told
        assert f"All {FACTS} reports" in told
        assert (row_of(doubt, floor.store.book).what, doubt.choices) == ("offered_again", ("acknowledge", "hand_over"))
        await floor.deliver(FACTS)
        assert await floor.pending() == []
    async with pc(path) as floor:
        assert len(await floor.store.read(doubts)) == 1, "it is told once"
        assert await floor.pending() == []


async def test_a_cursor_at_the_base_of_the_journal_is_sound(path: Path) -> None:
    async with pc(path) as floor:
        await floor.report(FACTS)
        await floor.deliver(FACTS)
        while await floor.store.let_go((ERP,), floor.clock.now() + timedelta(days=1)):
            pass
        await floor.store.write(lambda conn: cursor.reach(conn, ERP, FACTS - 1))
        assert await floor.pending() == [FACTS]
        assert await floor.store.problems() == ()


async def test_what_an_erp_has_forgotten_goes_again_and_what_is_gone_is_named(path: Path) -> None:
    async with pc(path) as floor:
        await floor.report(FACTS)
        await floor.deliver(FACTS)
        accepted = await floor.inbox.accepted()
        assert accepted is not None
        assert accepted.seq == FACTS
        await floor.inbox.forgotten(7)
        assert floor.woken == 1
        assert await floor.pending() == list(range(1, FACTS + 1))
        (told,) = await floor.store.problems()
        assert f"up to number {FACTS} and now has them up to number 7 only" in told
        assert "have left this PC" not in told

        await floor.deliver(FACTS)
        await floor.store.let_go((ERP,), floor.clock.now() + timedelta(days=1))
        await floor.inbox.forgotten(7)
        assert f"Numbers 8 to {FACTS - 1} have left this PC" in " ".join(await floor.store.problems())


async def test_what_an_erp_had_taken_before_the_facts_in_front_of_it_goes_again(path: Path) -> None:
    async with pc(path) as floor:
        await floor.report(10)
        await floor.answer(silent=[3])
        assert await floor.parked() == [(seq, "done") for seq in range(4, 11)]
        await floor.inbox.forgotten(1)
        assert await floor.pending() == list(range(1, 11))
        await floor.answer()
        assert (await floor.pending(), await floor.parked()) == ([], [])


async def test_what_an_erp_had_booked_at_a_second_try_goes_again_and_what_it_refused_waits(path: Path) -> None:
    async with pc(path) as floor:
        await floor.report(10)
        await floor.answer(3, 5)
        await floor.store.write(lambda conn: parking.resend(conn, ERP, 3))
        await floor.answer()
        assert await floor.parked() == [(3, "booked"), (5, "refused")]
        await floor.inbox.forgotten(0)
        assert await floor.pending() == [1, 2, 3, 4, 6, 7, 8, 9, 10]
        assert await floor.parked() == [(5, "refused")]


async def test_only_what_the_erp_took_itself_is_asked_for(path: Path) -> None:
    """It may never have heard of what is held behind a refused fact, or refused without a look."""
    async with pc(path) as floor:
        await floor.report(3)
        first, *others = await floor.outbox.pending(3)
        refused = [Refused(each.id, "not_understood", "?") for each in others]
        await floor.outbox.settle([Applied(first.id, "B"), *refused])

        def look(conn: Connection) -> tuple[int, int, int]:
            last, none = cursor.accepted(conn, ERP), cursor.accepted(conn, ERP, 0)
            return cursor.cursor(conn, ERP), last.seq if last else 0, none.seq if none else 0

        assert await floor.store.read(look) == (3, 1, 0)


async def test_whoever_sends_is_told_of_a_cursor_that_rots_while_nothing_is_to_be_sent(path: Path) -> None:
    async with pc(path) as at:
        await at.report(FACTS)
        await at.deliver(FACTS)
        assert await at.inbox.accepted() is not None
        assert at.woken == 0
        await at.store.write(lambda conn: conn.execute("UPDATE delivered SET seq = seq + 64"))
        await at.inbox.accepted()
        assert at.woken == 1
        assert len(await at.outbox.pending(1000)) == FACTS
