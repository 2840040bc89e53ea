"""Plans: replaced page by page, kept with their cursor, never half a list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from edge_agent.planbook import PlanBook
from edge_agent.store import Entry, Store, StoreError, sessions
from edge_agent.store.plans import PlanInbox, load_book, pulled_at
from sync.contract import Person, PlanKey, PlanPage
from tests.store.making import job, page, produced
from tests.support.manual_clock import START, ManualClock


@dataclass
class _Office:
    store: Store
    clock: ManualClock
    inbox: PlanInbox
    books: list[PlanBook]

    def jobs(self) -> list[str]:
        return sorted(self.books[-1].jobs)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[_Office]:
    clock = ManualClock()
    store = await Store.open(tmp_path / "journal.db", "agent-1", clock)
    books: list[PlanBook] = []
    yield _Office(store, clock, PlanInbox(store, "erp", clock, books.append), books)
    await store.close()


async def test_a_page_brings_plans_and_the_cursor(office: _Office) -> None:
    assert await office.inbox.cursor() is None
    assert await office.store.read(pulled_at) is None
    await office.inbox.take(page(job("J1"), job("J2", good="3"), cursor="c7"))
    assert await office.inbox.cursor() == "c7"
    assert await office.store.read(pulled_at) == START
    assert office.books[-1].jobs["J2"] == job("J2", good="3")
    assert (await office.store.read(load_book)).jobs == office.books[-1].jobs


async def test_a_newer_plan_replaces_the_old_one_whole_and_a_withdrawn_one_goes(office: _Office) -> None:
    await office.inbox.take(page(job("J1", L1="1"), job("J2")))
    withdrawn = (PlanKey("JobOrder", "J2"),)
    await office.inbox.take(PlanPage(cursor="c2", as_of_seq=0, plans=(job("J1"),), withdrawn=withdrawn))
    assert dict(office.books[-1].jobs) == {"J1": job("J1")}


async def test_kinds_do_not_share_their_ids(office: _Office) -> None:
    person = Person(id="J1", name="Ana", badge="1001")
    await office.inbox.take(PlanPage(cursor="c", as_of_seq=0, plans=(job("J1"), person)))
    withdrawn = (PlanKey("Person", "J1"),)
    await office.inbox.take(PlanPage(cursor="c2", as_of_seq=0, plans=(), withdrawn=withdrawn))
    assert list(office.books[-1].jobs) == ["J1"]
    assert list(office.books[-1].persons) == []


async def test_a_page_without_news_makes_no_new_book_but_is_remembered(office: _Office) -> None:
    await office.inbox.take(page(job("J1")))
    office.clock.advance(5)
    await office.inbox.take(page(cursor="c2"))
    assert len(office.books) == 1
    assert await office.inbox.cursor() == "c2"
    assert await office.store.read(pulled_at) == START + timedelta(seconds=5)


async def test_a_new_beginning_drops_the_rest_only_when_it_is_complete(office: _Office) -> None:
    await office.inbox.take(page(job("J1"), job("J2"), job("J3")))
    await office.inbox.take(page(job("J1"), cursor="r1", reset=True, more=True))
    assert office.jobs() == ["J1", "J2", "J3"], "the ERP may go away between two pages"
    await office.inbox.take(page(job("J3"), cursor="r2"))
    assert office.jobs() == ["J1", "J3"]


async def test_connectors_keep_their_own_cursor_and_plans(office: _Office) -> None:
    other = PlanInbox(office.store, "warehouse", office.clock, office.books.append)
    await office.inbox.take(page(job("J1"), cursor="a"))
    await other.take(page(job("W1"), cursor="b"))
    await other.take(page(cursor="b2", reset=True))
    assert office.jobs() == ["J1"]
    assert (await office.inbox.cursor(), await other.cursor()) == ("a", "b2")


async def test_the_store_opens_with_its_book_and_its_sessions(office: _Office, tmp_path: Path) -> None:
    session = sessions.Session(b'{"step":"idle"}', "input-1", b"{}")
    await office.inbox.take(page(job("J1")))
    await office.store.write(lambda conn: sessions.save(conn, "T1", session))
    await office.store.close()
    store = await Store.open(tmp_path / "journal.db", "agent-1", office.clock)
    assert list(store.book.jobs) == ["J1"]
    assert await store.read(lambda conn: sessions.load(conn, "T1")) == session
    assert await store.read(lambda conn: sessions.load(conn, "T2")) is None
    await store.close()


async def test_the_journal_of_another_agent_is_refused(office: _Office, tmp_path: Path) -> None:
    entry = Entry("f1", produced())
    (fact,) = await office.store.write(lambda conn: office.store.record(conn, [entry], START, "T1", "P1"))
    assert (fact.agent, fact.record_time, fact.clock_ok) == ("agent-1", START, True)
    await office.store.close()
    with pytest.raises(StoreError, match="is of agent 'agent-1'") as caught:
        await Store.open(tmp_path / "journal.db", "agent-2", office.clock)
    assert caught.value.kind == "other_agent"


async def test_many_pages_at_once_leave_the_last_book(office: _Office) -> None:
    await asyncio.gather(*(office.inbox.take(page(job(f"J{n}"), cursor=str(n))) for n in range(20)))
    assert len(office.jobs()) == 20


async def test_a_plan_that_can_not_be_read_is_asked_for_again(office: _Office, tmp_path: Path) -> None:
    await office.inbox.take(page(job("J1"), job("J2")))
    rotten = """UPDATE plan SET payload = replace(payload, 'work_type', 'work_tyqe') WHERE id = 'J1'"""
    await office.store.write(lambda conn: conn.execute(rotten).rowcount)
    await office.store.close()
    store = await Store.open(tmp_path / "journal.db", "agent-1", office.clock)
    try:
        assert list(store.book.jobs) == ["J2"]
        inbox = PlanInbox(store, "erp", office.clock, office.books.append)
        assert await inbox.cursor() is None
        await inbox.take(page(job("J1"), job("J2"), reset=True))
        assert sorted(store.book.jobs) == ["J1", "J2"]
    finally:
        await store.close()


@pytest.mark.parametrize(
    "rot",
    [
        "UPDATE plan SET payload = replace(payload, 'work_type', 'work_tyqe') WHERE id = 'J1'",
        "UPDATE pulled SET at = '2026-1x'",
    ],
)
async def test_what_the_erp_withdrew_before_plans_are_asked_for_again_goes(
    rot: str, office: _Office, tmp_path: Path
) -> None:
    await office.inbox.take(page(job("J1"), job("J2"), job("J3"), reset=True))
    await office.store.write(lambda conn: conn.execute(rot).rowcount)
    await office.store.close()
    store = await Store.open(tmp_path / "journal.db", "agent-1", office.clock)
    try:
        assert {"J2", "J3"} <= set(store.book.jobs), "people work with them until all have come"
        inbox = PlanInbox(store, "erp", office.clock, office.books.append)
        await inbox.take(page(job("J1"), reset=True, more=True))
        assert sorted(store.book.jobs) == ["J1", "J2", "J3"]
        await inbox.take(page(job("J2"), cursor="c2"))
        assert sorted(store.book.jobs) == ["J1", "J2"]
        assert sorted((await store.read(load_book)).jobs) == ["J1", "J2"]
    finally:
        await store.close()


async def test_what_the_erp_withdrew_while_it_was_out_of_the_site_file_goes(office: _Office) -> None:
    await office.store.serve(["erp"])
    await office.inbox.take(page(job("J1"), job("J2"), reset=True))
    await office.inbox.take(page(job("J1"), job("J2"), reset=True))
    await office.store.serve([])
    await office.store.serve(["erp"])
    assert await office.inbox.cursor() is None
    await office.inbox.take(page(job("J1"), reset=True))
    assert office.jobs() == ["J1"]
