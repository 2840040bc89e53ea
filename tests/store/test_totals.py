"""Totals that rot are summed up again from the facts; what rots of the plans is pulled anew."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from edge_agent.store import Entry, Store
from edge_agent.store.outbox import JournalOutbox
from edge_agent.store.plans import PlanInbox
from edge_agent.store.progress import progress
from sync.contract import AnyFact, Applied
from tests.store.making import correction, job, moved, page, produced, scrapped
from tests.support.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def opened(folder: Path, clock: ManualClock) -> Store:
    return await Store.open(folder / "journal.db", "agent-1", clock)


async def report(store: Store, clock: ManualClock, *bodies: AnyFact) -> list[str]:
    entries = [Entry(clock.new_id(), body) for body in bodies]
    await store.write(lambda conn: store.record(conn, entries, clock.now(), "T1", "P1"))
    return [entry.id for entry in entries]


async def worked(store: Store, clock: ManualClock) -> None:
    await PlanInbox(store, "erp", clock, lambda book: None).take(page(job("J1", L1="0"), job("J2")))
    for _ in range(6):
        first, *_ = await report(store, clock, produced(), scrapped(), moved(), produced("J2", "2"))
        await report(store, clock, correction(first), produced(quantity="3"))


async def totals(store: Store) -> list[tuple[object, ...]]:
    query = "SELECT job, kind, requirement, seq, amount FROM job_total ORDER BY 1, 2, 3, 4"
    return await store.read(lambda conn: conn.execute(query).fetchall())


async def round_over(store: Store) -> None:
    for _ in range(100):
        if await store.look_over(5):
            return
    raise AssertionError("the round does not end")


OF_J1 = "job = 'J1' AND kind = 'MaterialProduced'"
ROTS = {
    "the last total": f"UPDATE job_total SET amount = amount + 4194304 WHERE {OF_J1}"
    f" AND seq = (SELECT max(seq) FROM job_total WHERE {OF_J1})",
    "one in the middle": "UPDATE job_total SET amount = -amount WHERE seq = 7",
    "a row is gone": "DELETE FROM job_total WHERE seq IN (9, 10)",
    "a row has another number": "UPDATE job_total SET seq = seq + 1000 WHERE job = 'J2' AND seq > 20",
}


@pytest.mark.parametrize("rot", ROTS)
async def test_a_total_that_rots_is_right_again_behind_a_round(
    rot: str, tmp_path: Path, clock: ManualClock
) -> None:
    store = await opened(tmp_path, clock)
    try:
        await worked(store, clock)
        right, done = await totals(store), await store.read(lambda conn: progress(conn, "J1"))
        assert done.good == Decimal(18)
        await store.write(lambda conn: conn.execute(ROTS[rot]))
        assert await totals(store) != right
        await round_over(store)
        assert await totals(store) == right
        assert await store.read(lambda conn: progress(conn, "J1")) == done
        assert (store.damage, await store.problems()) == ("", ())
    finally:
        await store.close()


@pytest.mark.parametrize("which", [
    "(SELECT max(seq) FROM journal)",
    f"(SELECT max(seq) FROM job_total WHERE {OF_J1} AND seq <= (SELECT seq FROM base))",
])  # fmt: skip
async def test_a_total_of_which_the_first_facts_have_left_the_journal(
    which: str, tmp_path: Path, clock: ManualClock
) -> None:
    store = await opened(tmp_path, clock)
    try:
        await worked(store, clock)
        outbox = JournalOutbox(store, "erp", clock)
        while facts := await outbox.pending(100):
            await outbox.settle([Applied(fact.id, "B") for fact in facts])
        clock.advance(40 * 86_400.0)
        while await store.let_go(["erp"], clock.now() - timedelta(days=1)):
            pass
        await report(store, clock, produced(), produced(), produced())
        right = await totals(store)
        rot = f"UPDATE job_total SET amount = amount + 64 WHERE {OF_J1} AND seq = {which}"
        await store.write(lambda conn: conn.execute(rot))
        await round_over(store)
        assert await totals(store) == right
    finally:
        await store.close()


@pytest.mark.parametrize("set", [
    "plan SET payload = '{\"kind\":\"JobOrder\"}' WHERE id = 'J1'",
    "plan SET payload = CAST(x'7b226122203a2022ff227d' AS TEXT) WHERE id = 'J1'",
    "pulled SET at = '2026-xx'",
    "pulled SET at = CAST(x'ff' AS TEXT)",
])  # fmt: skip
async def test_what_rots_of_the_plans_is_pulled_anew(set: str, tmp_path: Path, clock: ManualClock) -> None:
    store = await opened(tmp_path, clock)
    await worked(store, clock)
    await store.close()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as conn:
        conn.execute("PRAGMA ignore_check_constraints = ON")
        conn.execute(f"UPDATE {set}")
        conn.commit()
    store = await opened(tmp_path, clock)
    try:
        inbox = PlanInbox(store, "erp", clock, lambda book: None)
        assert await inbox.cursor() is None, "all is asked for again"
        await inbox.take(page(job("J1", L1="0"), job("J2"), reset=True))
        assert sorted(store.book.jobs) == ["J1", "J2"]
        assert (await store.read(lambda conn: progress(conn, "J1"))).good == Decimal(18)
    finally:
        await store.close()
