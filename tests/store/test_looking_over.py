"""What a start has no time for is looked at right after it, and nobody is told that all is well before."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from edge_agent.clock import SystemClock
from edge_agent.housekeeping import Housekeeper, Keep
from edge_agent.store import Entry, Store, looking_over
from edge_agent.store.looking_over import begun, stepped
from edge_agent.store.records import after, first_unsound
from edge_agent.supervisor import Supervisor
from tests.store.making import altered, empty, produced, record
from tests.support.manual_clock import ManualClock

FACTS = 120


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal of which a start looks at the end only."""
    for module in ("recovery", "looking_over"):
        monkeypatch.setattr(f"edge_agent.store.{module}.CHECKED", 50)
    for name in ("_WHOLE", "_QUICK"):
        monkeypatch.setattr(f"edge_agent.store.recovery.{name}", 0)
    return tmp_path / "journal.db"


async def opened(path: Path) -> Store:
    return await Store.open(path, "agent-1", ManualClock())


async def filled(path: Path) -> None:
    store = await opened(path)
    clock = ManualClock()
    for _ in range(FACTS // 20):
        entries = [Entry(clock.new_id(), produced()) for _ in range(20)]
        await store.write(lambda conn, new=entries: store.record(conn, new, clock.now(), "T1", "P1"))  # type: ignore[misc]
    await store.close()


async def rounds(store: Store) -> None:
    """Until a whole round is over."""
    for _ in range(100):
        if await store.look_over(50):
            return
    raise AssertionError("the round does not end")


async def test_nobody_says_that_all_is_well_before_every_row_was_seen(path: Path) -> None:
    await filled(path)
    store = await opened(path)
    try:
        assert store.unseen == FACTS
        assert await store.problems() == (f"The journal is still being looked over: {FACTS} rows of it are left.",)
        await store.look_over(50)
        assert store.unseen == FACTS - 50
        await rounds(store)
        assert (store.unseen, await store.problems()) == (0, ())
    finally:
        await store.close()


async def test_the_housekeeper_sees_all_of_it_before_its_daily_work(path: Path) -> None:
    await filled(path)
    store = await opened(path)
    keeper = Housekeeper(store, SystemClock(), ["erp"], Keep(timedelta(days=30), timedelta(days=1)))
    running = asyncio.create_task(keeper.run(Supervisor(SystemClock(), Random(1))))
    try:
        async with asyncio.timeout(10):
            while store.unseen:
                await asyncio.sleep(0)
        assert await store.problems() == ()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await store.close()


async def test_a_short_journal_was_seen_by_the_start(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await filled(path)
    store = await opened(path)
    assert (store.unseen, await store.problems()) == (0, ())
    await store.close()


async def test_an_old_row_that_was_changed_is_told_at_once(path: Path) -> None:
    await filled(path)
    altered(path, "UPDATE journal SET person = 'P2' WHERE seq = 40")
    store = await opened(path)
    try:
        await rounds(store)
        (told,) = await store.problems()
        assert told.startswith("Row 40 of the journal is not what was written.")
        assert path.with_name("journal.suspect").exists()
    finally:
        await store.close()


@pytest.mark.parametrize("name", ["sqlite_autoindex_journal_1", "journal_about", "job_total"])
async def test_a_damaged_index_is_found_and_mended_by_the_next_start(path: Path, name: str) -> None:
    await filled(path)
    with closing(sqlite3.connect(path)) as conn:
        (page,), (size,) = (
            conn.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone(),
            conn.execute("PRAGMA page_size").fetchone(),
        )
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))
    with closing(sqlite3.connect(path)) as conn:
        now = begun(conn)
        while not now.over:
            now = stepped(conn, now, 50)
    assert now.wrong
    path.with_name("journal.suspect").write_text(now.wrong)
    store = await opened(path)
    try:
        assert any("mended" in told for told in await store.problems())
        await rounds(store)
        assert store.damage == ""
        assert await store.read(lambda conn: conn.execute("SELECT count(*) FROM journal").fetchone()) == (FACTS,)
    finally:
        await store.close()


def test_an_index_that_has_lost_entries_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = looking_over._WALKS
    monkeypatch.setattr(looking_over, "_WALKS", (
        ("the index of ids", "SELECT id, seq FROM (SELECT * FROM journal WHERE seq <> 7)", ("id",), ("",)), *walks[1:],
    ))  # fmt: skip
    with closing(empty()) as conn:
        record(conn, *[produced() for _ in range(20)])
        now = begun(conn)
        while not now.over:
            now = stepped(conn, now, 6)
    assert now.wrong == "The index of ids has lost some: rows of the journal can not be found."


@pytest.mark.parametrize("text", ["", "x" * 10_000])
@pytest.mark.parametrize("column", ["id", "agent", "event_time", "terminal", "person", "payload", "prev_hash", "hash"])
def test_a_change_of_any_column_is_seen_at_its_row(column: str, text: str) -> None:
    with closing(empty()) as conn:
        record(conn, *[produced(f"J1{text}") for _ in range(5)])
        assert first_unsound(conn, 0, bytes(32), 100) is None
        assert first_unsound(conn, 2, None, 2) is None
        (three,) = after(conn, 2, 1)
        assert first_unsound(conn, 2, three.previous, 9) is None
        assert first_unsound(conn, 2, bytes(32), 9) == 3
        conn.execute("DROP TRIGGER journal_update")
        conn.execute("PRAGMA ignore_check_constraints = ON")
        changed = "zeroblob(32)" if column.endswith("hash") else f"replace({column}, '1', '2') || ' '"
        conn.execute(f"UPDATE journal SET {column} = {changed} WHERE seq = 3")
        assert first_unsound(conn, 0, bytes(32), 100) == 3
        assert first_unsound(conn, 0, bytes(32), 2) is None


async def test_a_row_that_no_line_can_hold_is_told_and_the_next_start_mends_it(path: Path) -> None:
    """What asks for it is a mirror that begins anew: the row is older than those that a start looks at."""
    await filled(path)
    month = "substr(event_time, 1, 5) || '9' || substr(event_time, 7)"
    altered(path, f"UPDATE journal SET event_time = {month} WHERE seq = 7")
    shutil.rmtree(path.with_name("mirror"))
    store = await asyncio.wait_for(opened(path), 10)
    try:
        (problem,) = [each for each in await store.problems() if "The agent starts again" in each]
        assert "Row 7 of the journal is not what was written." in problem
        entry = Entry("one-more", produced())
        now = ManualClock().now()
        (fact,) = await store.write(lambda conn: store.record(conn, [entry], now, "T1", "P1"))
        assert fact.seq == FACTS + 1
    finally:
        await asyncio.wait_for(store.close(), 10)
    store = await opened(path)
    try:
        (problem,) = [each for each in await store.problems() if "was mended" in each]
        assert "lost: number 7." in problem
        assert store.damage == ""
    finally:
        await store.close()
