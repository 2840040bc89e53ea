"""Damage is looked for twice before it is believed, and an agent does not start itself again without end."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent.mender import Mender
from edge_agent.store import Connection, Entry, Store, StoreError
from edge_agent.store.carving import Pages
from edge_agent.store.disk import DISK
from edge_agent.store.outbox import JournalOutbox
from edge_agent.store.restarts import MOST, WITHIN, Restarts
from sync.contract import Applied
from tests.store.making import altered, produced
from tests.support.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "journal.db", "agent-1", clock)
    entries = [Entry(f"id-{number}", produced()) for number in range(20)]
    await opened.write(lambda conn: opened.record(conn, entries, clock.now(), "T1", "P1"))
    yield opened
    await opened.close()


def corrupt(conn: Connection) -> None:
    """As a read that failed and goes by."""
    raise StoreError("corrupt")


async def doubt(store: Store) -> None:
    with pytest.raises(StoreError):
        await store.read(corrupt)


class Watched(Mender):
    """Tells when a doubt was looked into."""

    def __init__(self, store: Store, clock: ManualClock, again: list[str]) -> None:
        super().__init__(store, clock, lambda: again.append("again"))
        self._looks = asyncio.Semaphore(0)

    async def _certain(self) -> bool:
        found = await super()._certain()
        self._looks.release()
        return found

    async def looked(self) -> None:
        """Return when the next one was."""
        await asyncio.wait_for(self._looks.acquire(), 10)


def mender(store: Store, clock: ManualClock) -> tuple[asyncio.Task[None], list[str], Watched]:
    again: list[str] = []
    watched = Watched(store, clock, again)
    return asyncio.create_task(watched.run()), again, watched


async def test_errors_that_go_by_once_in_a_while_start_nothing_again(store: Store, clock: ManualClock) -> None:
    running, again, watched = mender(store, clock)
    for _ in range(6):
        await doubt(store)
        await watched.looked()
        clock.advance(1900)
    assert (again, store.damage, running.done()) == ([], "", False)
    running.cancel()


async def test_an_error_that_goes_by_starts_nothing_again(store: Store, clock: ManualClock) -> None:
    running, again, watched = mender(store, clock)
    for _ in range(2):
        await doubt(store)
        await watched.looked()
    assert (again, store.damage) == ([], "")
    await doubt(store)
    await asyncio.wait_for(running, 10)
    assert again == ["again"], "what comes a third time is looked at by a start, which looks at more"
    assert store.damage.startswith("The database can not be read")


async def test_damage_that_two_looks_find_is_believed_at_once(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    running, again, _ = mender(store, clock)
    altered(tmp_path / "journal.db", "UPDATE journal SET person = 'P2' WHERE seq = 7")
    await doubt(store)
    await asyncio.wait_for(running, 10)
    assert (again, store.damage) == (["again"], "Row 7 of the journal is not what was written.")
    assert (tmp_path / "journal.suspect").exists()


async def test_text_that_is_no_text_is_a_doubt(store: Store, clock: ManualClock) -> None:
    running, _, watched = mender(store, clock)
    for _ in range(3):
        with pytest.raises(sqlite3.OperationalError):
            await store.read(lambda conn: conn.execute("SELECT CAST(x'ff' AS TEXT)").fetchone())
        await watched.looked()
    await asyncio.wait_for(running, 10)
    assert store.damage


async def test_so_many_restarts_in_an_hour_and_then_the_next_when_it_is_over(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    restarts = Restarts(tmp_path / "journal.db", clock, DISK)
    for _ in range(MOST):
        assert restarts.wait() == 0
        restarts.note()
        clock.advance(60.0)
    assert 0 < restarts.wait() <= WITHIN
    running, again, _ = mender(store, clock)
    await store.believe("Row 1 of the journal is not what was written.")
    await asyncio.wait_for(clock.sleeping(), 10)
    assert "as often as it may" in " ".join(await store.problems())
    assert not again
    clock.advance(WITHIN)
    await asyncio.wait_for(running, 10)
    assert again == ["again"]


def test_restarts_of_another_boot_and_lines_that_nobody_wrote_do_not_count(tmp_path: Path) -> None:
    clock = ManualClock()
    now = clock.monotonic()
    (tmp_path / "journal.restarts").write_bytes(b"other %r\n" % now * 9 + b"\xff\xfe garbage\n" * 9)
    assert Restarts(tmp_path / "journal.db", clock, DISK).wait() == 0


async def test_an_old_page_of_a_long_journal_is_found_mended_and_all_of_it_sent_once(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is longer than what a start looks at: the look over finds the page, and the start that it asks for mends."""
    for module in ("recovery", "looking_over"):
        monkeypatch.setattr(f"edge_agent.store.{module}.CHECKED", 50)
    for name in ("_WHOLE", "_QUICK"):
        monkeypatch.setattr(f"edge_agent.store.recovery.{name}", 0)
    path, ids = tmp_path / "long.db", [f"id-{number}" for number in range(600)]
    opened = await Store.open(path, "agent-1", clock)
    entries = [Entry(id, produced()) for id in ids]
    await opened.write(lambda conn: opened.record(conn, entries, clock.now(), "T1", "P1"))
    await opened.close()
    place = next(place for low, _, place in Pages(path, b"", DISK)._narrow if low > 200)
    with path.open("r+b") as file:
        file.seek(place * 4096)
        file.write(bytes(4096))
    opened = await Store.open(path, "agent-1", clock)
    assert opened.unseen == 600
    running, again, _ = mender(opened, clock)
    while not await opened.look_over(50):
        pass
    await asyncio.wait_for(running, 10)
    assert again == ["again"]
    await opened.close()
    opened = await Store.open(path, "agent-1", clock)
    try:
        assert "600 reports were brought back, none was lost" in " ".join(await opened.problems())
        outbox, sent = JournalOutbox(opened, "erp", clock), list[str]()
        while facts := await outbox.pending(100):
            sent += [fact.id for fact in facts]
            await outbox.settle([Applied(fact.id, "B") for fact in facts])
        assert sent == ids
    finally:
        await opened.close()
