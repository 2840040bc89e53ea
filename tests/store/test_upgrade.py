"""A database of every schema that ever was, with facts in it, opens with this program and goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import msgspec
import pytest

from edge_agent.clock import SystemClock
from edge_agent.machines.ledger import Reading, Standing
from edge_agent.store import Entry, Store, cursor, journal, schema
from edge_agent.store.database import connect
from edge_agent.store.ledger import Tally, entered, standings, tallies, unattributed
from edge_agent.store.looking_over import begun, stepped
from edge_agent.store.mirror import Mirror
from edge_agent.store.outbox import JournalOutbox, queue
from edge_agent.store.plans import PlanInbox
from edge_agent.store.progress import progress
from edge_agent.store.records import FIRST, chained, put
from sync.contract import AnyFact, Fact, Receipt
from sync.relay import Relay
from tests.store.making import altered, correction, job, moved, page, produced, scrapped
from tests.support.manual_clock import START, ManualClock
from tests.sync.plant import RecordingLink
from tests.sync.scripted import ScriptedConnector

STEPS = sorted(Path(schema.__file__).with_name("migrations").glob("[0-9]*.sql"))
AGENT = "agent-1"
_NAMES_ITS_FACT = 14  # from this step on a cursor has the hash of its fact
DELIVERED = 2  # facts that the ERP had when the old program ended

OLD: tuple[AnyFact, ...] = (
    produced(quantity="5"), scrapped(quantity="1"), moved(line="L1", quantity="2"), produced(quantity="7"),
    correction("f1"), moved(about="J2", line="L9", quantity="3"),
)  # fmt: skip


def old_database(path: Path, version: int, folder: Path) -> None:
    """As a program with the first so many steps left it: facts in their chain, and how far the ERP was."""
    for step in STEPS[:version]:
        (folder / step.name).write_text(step.read_text(encoding="utf-8"), encoding="utf-8")
    with closing(connect(path)) as conn:
        schema.upgrade(conn, folder)
        conn.execute("BEGIN IMMEDIATE")
        previous = FIRST
        for seq, body in enumerate(OLD, 1):
            at = journal.time_text(START + timedelta(minutes=seq))
            told = msgspec.json.encode(body).decode()
            record = chained((seq, f"f{seq}", AGENT, at, at, 1, "T1", "P1", told), previous)
            put(conn, record)
            previous = record.hash
        conn.execute("INSERT INTO delivered (connector, seq) VALUES ('erp', ?)", (DELIVERED,))
        if version >= _NAMES_ITS_FACT:
            cursor.reach(conn, "erp", DELIVERED)
        conn.execute("COMMIT")


@pytest.fixture(params=range(1, len(STEPS) + 1), ids=lambda version: STEPS[version - 1].stem)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "steps"
    folder.mkdir()
    old_database(tmp_path / "journal.db", request.param, folder)
    return tmp_path / "journal.db"


class _Erp(ScriptedConnector):
    """Keeps what it was sent; it has what the old program delivered."""

    def __init__(self) -> None:
        super().__init__()
        self.booked = [f"f{seq}" for seq in range(1, DELIVERED + 1)]
        self.got: list[Fact] = []

    async def push(self, facts: Sequence[Fact]) -> Sequence[Receipt]:
        self.got += facts
        return await super().push(facts)


async def sent(store: Store) -> list[Fact]:
    """What a relay sends of it, until nothing waits."""
    erp, clock = _Erp(), SystemClock()
    outbox = JournalOutbox(store, "erp", clock)
    relay = asyncio.create_task(Relay(outbox, erp, RecordingLink(), clock, Random(1)).run())
    try:
        async with asyncio.timeout(10):
            while (await store.read(lambda conn: queue(conn, "erp"))).unsent:
                await asyncio.sleep(0)
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
    return erp.got


async def test_it_opens_with_the_newest_schema_and_every_fact_as_it_was(path: Path) -> None:
    store = await Store.open(path, AGENT, ManualClock())
    try:
        facts = await store.read(lambda conn: journal.facts(conn, 0, 100))
        assert [fact.seq for fact in facts] == list(range(1, len(OLD) + 1))
        assert tuple(fact.body for fact in facts) == OLD
        assert {fact.person for fact in facts} == {"P1"}
        assert await store.read(journal.verify) is None
        assert await store.read(lambda conn: conn.execute("PRAGMA user_version").fetchone()) == (len(STEPS),)
        assert await store.read(lambda conn: conn.execute("PRAGMA integrity_check").fetchone()) == ("ok",)
        assert await store.read(lambda conn: conn.execute("PRAGMA foreign_key_check").fetchall()) == []
        assert await store.problems() == ()
    finally:
        await store.close()
    mirror = Mirror(path.parent / "mirror")
    assert [line.content[1] for line in mirror.lines()] == [f"f{seq}" for seq in range(1, len(OLD) + 1)]


async def test_its_schema_is_that_of_a_new_database(path: Path, tmp_path: Path) -> None:
    await (await Store.open(path, AGENT, ManualClock())).close()
    new = tmp_path / "new" / "journal.db"
    new.parent.mkdir()
    await (await Store.open(new, AGENT, ManualClock())).close()
    assert schema_of(path) == schema_of(new)


def schema_of(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as conn:
        return conn.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()


async def test_what_was_not_delivered_is_sent_and_work_goes_on(path: Path) -> None:
    clock = ManualClock()
    store = await Store.open(path, AGENT, clock)
    try:
        entry = Entry("f-new", produced(quantity="4"))
        (fact,) = await store.write(lambda conn: store.record(conn, [entry], clock.now(), "T1", "P1"))
        assert fact.seq == len(OLD) + 1
        got = await sent(store)
        assert [each.id for each in got] == [*(f"f{seq}" for seq in range(DELIVERED + 1, len(OLD) + 1)), "f-new"]
        assert tuple(each.body for each in got) == (*OLD[DELIVERED:], entry.body)
    finally:
        await store.close()


_COUNTED = 2  # from this step on there are counters
_STEPS = 8  # ... with the number of their steps
_ASSIGNED = 12  # from this step on people are asked for parts that no job has
_BY_CAUSE = 15  # ... by their cause


@pytest.mark.parametrize("version", range(_COUNTED, len(STEPS) + 1))
async def test_a_file_that_is_damaged_before_its_update_keeps_what_the_machines_counted(
    version: int, tmp_path: Path
) -> None:
    folder, path, at = tmp_path / "steps", tmp_path / "journal.db", journal.time_text(START)
    folder.mkdir()
    old_database(path, version, folder)
    with closing(sqlite3.connect(path)) as conn:
        conn.execute(
            "INSERT INTO counter (equipment, width, epoch, reading, at) VALUES ('PRESS-03', 16, 2, '1234', ?)", (at,)
        )
        if version >= _STEPS:
            conn.execute("UPDATE counter SET steps = 77")
        conn.execute("INSERT INTO tally VALUES ('PRESS-03', '', '', 500, 0, ?, ?)", (at, at))
        if version >= _ASSIGNED:
            cause = "''," if version >= _BY_CAUSE else ""
            conn.execute(f"INSERT INTO assigned VALUES ('PRESS-03', {cause} 400, ?)", (at,))
        conn.commit()
    altered(path, "UPDATE journal SET person = 'P9' WHERE seq = 3")
    store = await Store.open(path, AGENT, ManualClock())
    try:
        (told,) = await store.problems()
        assert "Row 3 of the journal is not what was written" in told
        reading = Reading(1234, START)
        assert await store.read(standings) == {"PRESS-03": Standing(reading, 1 << 16, 2)}
        steps = 77 if version >= _STEPS else 0
        assert await store.read(lambda conn: entered(conn)) == {"PRESS-03": steps}
        assert await store.read(tallies) == {"PRESS-03": Tally(500, 500)}
        left = 400 if version >= _ASSIGNED else 0
        assert await store.read(lambda conn: unattributed(conn, "PRESS-03")) == (500 - left, START)
    finally:
        await store.close()


async def test_the_totals_of_the_jobs_hold_what_was_reported_before(path: Path) -> None:
    store = await Store.open(path, AGENT, ManualClock())
    try:
        await PlanInbox(store, "erp", ManualClock(), lambda book: None).take(page(job(L1="0"), as_of=0))
        done = await store.read(lambda conn: progress(conn, "J1"))
        assert (done.good, done.scrap) == (Decimal(7), Decimal(1))
        now = await store.read(begun)
        while not now.over:
            now = await store.read(lambda conn, at=now: stepped(conn, at, 3))  # type: ignore[misc]
        assert now.wrong == ""
    finally:
        await store.close()
