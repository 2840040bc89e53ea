"""The journal as an outbox: order, receipts, refusals, what waits behind them, and what people are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest

from edge_agent.store import Connection, Store, StoreError
from edge_agent.store.journal import Entry
from edge_agent.store.listing import sent_again
from edge_agent.store.outbox import JournalOutbox, QueueState, queue
from edge_agent.views import JournalRow
from sync.contract import AnyFact, Applied, Duplicate, Fact, Receipt, Refused
from sync.relay import Relay
from tests.store.making import produced
from tests.support.manual_clock import START, ManualClock
from tests.sync.plant import RecordingLink
from tests.sync.scripted import ScriptedConnector, stumble_on

T = TypeVar("T")


class _Floor:
    """A store with one outbox; facts get the ids f1, f2, ... by seq."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store = store
        self.clock = clock
        self.outbox = JournalOutbox(store, "erp", clock)

    async def report(self, *abouts: str) -> None:
        for about in abouts:
            seq = (await self.queue()).safe_seq + 1
            body: AnyFact = produced(about)
            await self.store.write(
                lambda conn, seq=seq, body=body: self.store.record(  # type: ignore[misc]
                    conn, [Entry(f"f{seq}", body)], self.clock.now(), "T1", "P1"
                )
            )
        self.outbox.notify()

    async def pending(self, limit: int = 100) -> list[int]:
        return [fact.seq for fact in await self.outbox.pending(limit)]

    async def accept(self, *seqs: int) -> None:
        await self.outbox.settle([Applied(f"f{seq}", "B-1") for seq in seqs])

    async def refuse(self, *seqs: int) -> None:
        await self.outbox.settle([Refused(f"f{seq}", "closed_order", "Order is closed") for seq in seqs])

    async def resend(self, seq: int) -> JournalRow:
        row = await self.store.write(lambda conn: sent_again(conn, "erp", seq))
        self.outbox.notify()
        return row

    async def queue(self) -> QueueState:
        return await self.store.read(lambda conn: queue(conn, "erp"))

    async def parked(self) -> list[tuple[object, ...]]:
        columns = "SELECT seq, state, code, reason, attempts, held_back_by FROM parked ORDER BY seq"
        return await self.store.read(lambda conn: conn.execute(columns).fetchall())


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[_Floor]:
    clock = ManualClock()
    store = await Store.open(tmp_path / "journal.db", "agent-1", clock)
    yield _Floor(store, clock)
    await store.close()


async def test_facts_go_in_order_until_each_has_a_receipt(floor: _Floor) -> None:
    await floor.report("J1", "J2", "J1", "J2")
    assert await floor.pending(3) == [1, 2, 3]
    await floor.accept(1, 2)
    assert await floor.pending() == [3, 4]
    await floor.outbox.settle([Duplicate("f3", "B-1"), Applied("f4", "B-2")])
    assert await floor.pending() == []
    assert await floor.parked() == []


async def test_a_receipt_ahead_of_the_others_is_kept(floor: _Floor) -> None:
    await floor.report("J1", "J2", "J3", "J4")
    await floor.accept(2, 4)
    assert await floor.pending() == [1, 3]
    assert (await floor.queue()).delivered_seq == 0
    assert (await floor.queue()).unsent == 2
    await floor.accept(1)
    assert (await floor.queue()).delivered_seq == 2
    await floor.accept(3)
    assert (await floor.queue()).delivered_seq == 4
    assert await floor.parked() == [], "nothing is remembered that the cursor has passed"


async def test_a_refused_fact_holds_back_only_its_own_job(floor: _Floor) -> None:
    await floor.report("J1", "J1", "J2", "J1")
    await floor.refuse(1)
    assert await floor.pending() == [3]
    assert await floor.parked() == [
        (1, "refused", "closed_order", "Order is closed", 1, None),
        (2, "held", "held_back", "waits for fact 1 about the same job", 0, 1),
        (4, "held", "held_back", "waits for fact 1 about the same job", 0, 1),
    ]
    await floor.accept(3)
    await floor.report("J1", "J3")
    assert await floor.pending() == [6]


async def test_a_fact_before_the_refused_one_is_not_held_back(floor: _Floor) -> None:
    await floor.report("J1", "J1", "J1")
    await floor.refuse(2)
    assert await floor.pending() == [1]
    await floor.accept(1)
    assert await floor.pending() == []
    assert (await floor.queue()).parked == (3, 2)


async def test_resend_sends_it_and_what_it_held_back_in_order_before_anything_new(floor: _Floor) -> None:
    await floor.report("J1", "J1", "J2", "J1")
    await floor.refuse(1)
    assert await floor.pending() == [3]
    await floor.resend(1)
    await floor.report("J1")
    assert await floor.pending(2) == [1, 2]
    assert await floor.pending() == [1, 2, 3, 4, 5]
    await floor.accept(1, 2, 3, 4, 5)
    assert await floor.pending() == []
    assert (await floor.queue()).delivered_seq == 5
    assert (await floor.queue()).unsent == 0


async def test_refused_again_holds_back_again(floor: _Floor) -> None:
    await floor.report("J1", "J1", "J1")
    await floor.refuse(1)
    assert await floor.pending() == []
    await floor.resend(1)
    assert await floor.pending(1) == [1]
    await floor.refuse(1)
    assert await floor.pending() == []
    assert [row[:2] + row[4:] for row in await floor.parked()] == [
        (1, "refused", 2, None), (2, "held", 0, 1), (3, "held", 0, 1),
    ]  # fmt: skip


async def test_two_refused_facts_of_a_job_go_one_after_the_other(floor: _Floor) -> None:
    await floor.report("J1", "J1", "J1", "J1")
    await floor.refuse(1, 3)
    assert await floor.pending() == []
    with pytest.raises(StoreError, match="Fact 3 waits for fact 1"):
        await floor.resend(3)
    await floor.resend(1)
    assert await floor.pending() == [1, 2]
    assert [row[:2] + row[5:] for row in await floor.parked()][2:] == [(3, "refused", None), (4, "held", 3)]
    await floor.accept(1, 2)
    await floor.resend(3)
    assert await floor.pending() == [3, 4]


@pytest.mark.parametrize(
    ("seq", "words"), [(2, "Fact 2 waits for fact 1"), (3, "is not one that was refused"), (99, "is not one")]
)
async def test_only_a_refused_fact_is_sent_again(floor: _Floor, seq: int, words: str) -> None:
    await floor.report("J1", "J1", "J2")
    await floor.refuse(1)
    await floor.pending()
    with pytest.raises(StoreError, match=words):
        await floor.resend(seq)


async def test_what_is_sent_again_is_on_its_way_until_it_is_answered(floor: _Floor) -> None:
    await floor.report("J1")
    await floor.refuse(1)
    row = await floor.resend(1)
    assert (row.seq, row.about, row.sent, row.reason) == (1, "J1", "no", "")
    with pytest.raises(StoreError, match="is not one that was refused"):
        await floor.resend(1)


async def test_the_first_acceptance_stands(floor: _Floor) -> None:
    await floor.report("J1", "J2")
    await floor.accept(1)
    await floor.refuse(1)
    assert await floor.pending() == [2]
    assert (await floor.queue()).parked == ()


async def test_an_answer_about_a_foreign_id_is_kept_by_nobody(floor: _Floor) -> None:
    await floor.report("J1")
    receipts: Sequence[Receipt] = [Applied("f1", "B-1"), Applied("not-ours", "B-2")]
    with pytest.raises(StoreError, match="no fact of this PC"):
        await floor.outbox.settle(receipts)
    assert await floor.pending() == [1]


async def test_connectors_do_not_know_each_other(floor: _Floor) -> None:
    broker = JournalOutbox(floor.store, "broker", floor.clock)
    await floor.report("J1", "J1")
    await floor.refuse(1)
    assert [fact.seq for fact in await broker.pending(9)] == [1, 2]
    assert await floor.pending() == []


async def test_everything_survives_a_restart(floor: _Floor, tmp_path: Path) -> None:
    await floor.report("J1", "J1", "J2")
    await floor.refuse(1)
    await floor.store.close()
    store = await Store.open(tmp_path / "journal.db", "agent-1", floor.clock)
    assert [fact.seq for fact in await JournalOutbox(store, "erp", floor.clock).pending(9)] == [3]
    await store.close()


async def test_wait_returns_when_something_was_committed(floor: _Floor) -> None:
    await asyncio.wait_for(floor.outbox.wait(), 5)  # before the first look there may be something
    assert await floor.pending() == []
    waiting = asyncio.ensure_future(floor.outbox.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    await floor.report("J1")
    await asyncio.wait_for(waiting, 5)
    assert await floor.pending() == [1]


async def test_a_fact_that_is_committed_during_the_look_is_not_slept_over(floor: _Floor) -> None:
    looking = asyncio.ensure_future(floor.pending())
    await asyncio.sleep(0)
    floor.outbox.notify()
    await looking
    await asyncio.wait_for(floor.outbox.wait(), 5)


async def test_people_are_told_where_every_fact_is(floor: _Floor) -> None:
    assert await floor.queue() == QueueState(0, 0, 0, None, (), 0)
    await floor.report("J1", "J1")
    floor.clock.advance(60)
    await floor.report("J2", "J3")
    assert await floor.queue() == QueueState(4, 0, 4, START, (), 0)
    await floor.refuse(1)
    await floor.pending()
    assert await floor.queue() == QueueState(4, 2, 2, START + timedelta(seconds=60), (2, 1), 2, held=(2,))
    await floor.accept(3, 4)
    assert await floor.queue() == QueueState(4, 4, 0, None, (2, 1), 2, held=(2,))
    await floor.resend(1)
    assert await floor.queue() == QueueState(4, 0, 2, START, (), 0)
    await floor.accept(1, 2)
    assert await floor.queue() == QueueState(4, 4, 0, None, (), 0)


async def test_below_the_parked_facts_that_can_be_named_nothing_looks_delivered(floor: _Floor) -> None:
    await floor.report(*(f"J{n}" for n in range(60)))
    await floor.refuse(*range(5, 60))
    await floor.accept(1, 2, 3, 4, 60)
    state = await floor.queue()
    assert state.parked == tuple(range(59, 9, -1))
    assert (state.parked_count, state.unsent, state.delivered_seq) == (55, 0, 8)


async def test_a_long_way_back_is_sent_in_small_steps(floor: _Floor) -> None:
    entries = [Entry(f"f{n}", produced(f"J{n % 7}")) for n in range(1, 1001)]
    await floor.store.write(lambda conn: floor.store.record(conn, entries, START, "T1", "P1"))
    sent: list[Fact] = []
    while facts := await floor.outbox.pending(100):
        assert len(facts) <= 100
        sent += facts
        await floor.outbox.settle([Applied(fact.id, "B") for fact in facts])
    assert [fact.seq for fact in sent] == list(range(1, 1001))


class _Busy:
    """A store in which somebody reports about J1 before every look, for a while."""

    def __init__(self, floor: _Floor, times: int) -> None:
        self._floor = floor
        self._times = times
        self.write = floor.store.write

    async def read(self, fn: Callable[[Connection], T]) -> T:
        if self._times:
            self._times -= 1
            await self._floor.report("J1")
        return await self._floor.store.read(fn)


async def test_a_fact_that_comes_between_two_looks_does_not_pass_the_refused_one(floor: _Floor) -> None:
    await floor.report("J1", "J2")
    await floor.refuse(1)
    outbox = JournalOutbox(_Busy(floor, 3), "erp", floor.clock)
    assert [fact.seq for fact in await outbox.pending(100)] == [2]


async def test_a_fact_that_never_gets_a_clear_answer_waits_for_people_and_is_asked_for_when_it_goes_again(
    floor: _Floor,
) -> None:
    erp = ScriptedConnector()
    erp.script = [stumble_on("f1")]
    await floor.report("J1", "J2", "J1", "J3")
    relay = asyncio.create_task(Relay(floor.outbox, erp, RecordingLink(), floor.clock, Random(1)).run())
    async with asyncio.timeout(10):
        while (await floor.queue()).parked != (3, 1):
            floor.clock.advance(60)
            await asyncio.sleep(0)
        assert erp.booked == ["f2", "f4"]
        (first, *_) = await floor.parked()
        assert first[:3] == (1, "refused", "unclear")
        erp.script, before = [], len(erp.calls)
        await floor.resend(1)
        while (await floor.queue()).delivered_seq < 4:
            await asyncio.sleep(0)
    assert erp.calls[before:] == [("ask", ["f1"]), ("push", ["f1", "f3"])]
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)
