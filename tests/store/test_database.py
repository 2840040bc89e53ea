"""The thread with the one connection: group commit, failures, reads, the end."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.store.database import Connection, Database
from edge_agent.store.errors import StoreError


def _prepare(conn: Connection) -> None:
    conn.execute("CREATE TABLE t (k TEXT PRIMARY KEY) STRICT")
    conn.execute("CREATE TABLE child (k TEXT REFERENCES t (k) DEFERRABLE INITIALLY DEFERRED) STRICT")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(tmp_path / "a.db", _prepare)
    yield database
    await database.close()


async def _put(database: Database, key: str) -> str:
    def put(conn: Connection) -> str:
        conn.execute("INSERT INTO t VALUES (?)", (key,))
        return key

    return await database.write(put)


def _keys(conn: Connection) -> list[str]:
    return [key for (key,) in conn.execute("SELECT k FROM t ORDER BY k")]


class _Gate:
    """Holds the thread inside a read until the test has queued what it wants in one batch."""

    def __init__(self, database: Database) -> None:
        self._open = threading.Event()
        self._held = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold(conn: Connection) -> bool:
            loop.call_soon_threadsafe(self._held.set)
            return self._open.wait(10)

        self._task = asyncio.ensure_future(database.read(hold))

    async def shut(self) -> None:
        """Return when the thread is held: what is queued from now on waits together."""
        await self._held.wait()

    async def release(self) -> None:
        await asyncio.sleep(0)  # the tasks that queue run first
        self._open.set()
        assert await self._task


async def test_it_is_safe_against_a_power_cut(database: Database, tmp_path: Path) -> None:
    def pragmas(conn: Connection) -> tuple[object, ...]:
        return tuple(
            conn.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        )

    assert await database.read(pragmas) == ("wal", 2, 1, 1)
    assert stat.S_IMODE((tmp_path / "a.db").stat().st_mode) == 0o600


async def test_what_waits_shares_one_commit_and_one_failure_hurts_nobody_else(database: Database) -> None:
    statements: list[str] = []
    await database.read(lambda conn: conn.set_trace_callback(statements.append))
    await database.read(lambda conn: None)
    gate = _Gate(database)
    await gate.shut()
    jobs = asyncio.gather(*(_put(database, key) for key in ("a", "b", "b", "c")), return_exceptions=True)
    await gate.release()
    a, b, again, c = await jobs
    assert (a, b, c) == ("a", "b", "c")
    assert isinstance(again, StoreError)
    assert again.kind == "conflict"
    assert statements.count("COMMIT") == 1
    assert await database.read(_keys) == ["a", "b", "c"]


async def test_an_exception_of_the_job_comes_out_as_it_is_and_leaves_nothing(database: Database) -> None:
    def half(conn: Connection) -> None:
        conn.execute("INSERT INTO t VALUES ('half')")
        raise LookupError("no such plan")

    with pytest.raises(LookupError, match="no such plan"):
        await database.write(half)
    assert await database.read(_keys) == []


async def test_a_look_that_sqlite_does_not_understand_is_a_mistake_of_ours(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await database.read(lambda conn: conn.execute("SELECT * FROM nowhere"))


async def test_a_write_that_sqlite_does_not_understand_is_not_saved(database: Database) -> None:
    """What a rotten trigger says of itself: `no such function`."""
    with pytest.raises(StoreError, match=r"NOT SAVED.*no such table") as caught:
        await database.write(lambda conn: conn.execute("INSERT INTO nowhere VALUES (1)"))
    assert caught.value.kind == "corrupt"
    assert await _put(database, "next") == "next"


async def test_a_commit_that_fails_is_not_saved_for_anybody(database: Database) -> None:
    gate = _Gate(database)
    await gate.shut()
    jobs = asyncio.gather(
        _put(database, "innocent"),
        database.write(lambda conn: conn.execute("INSERT INTO child VALUES ('orphan')")),
        return_exceptions=True,
    )
    await gate.release()
    for outcome in await jobs:
        assert isinstance(outcome, StoreError)
        assert "NOT SAVED" in str(outcome)
    assert await database.read(_keys) == []
    assert await _put(database, "next") == "next"


async def test_a_full_disk_fails_all_of_the_batch_and_goes_by(database: Database) -> None:
    def fill(conn: Connection) -> None:
        (pages,) = conn.execute("PRAGMA page_count").fetchone()
        conn.execute(f"PRAGMA max_page_count = {pages}")

    await database.write(lambda conn: conn.execute("INSERT INTO t VALUES ('before')"))
    await database.read(fill)
    gate = _Gate(database)
    await gate.shut()
    jobs = asyncio.gather(_put(database, "small"), _put(database, "x" * 50_000), return_exceptions=True)
    await gate.release()
    outcomes = await jobs
    assert isinstance(outcomes[1], StoreError)
    assert outcomes[1].kind == "full"
    kept = await database.read(_keys)
    assert ("small" in kept) is (outcomes[0] == "small"), "what is called saved is there, and nothing else"
    await database.read(lambda conn: conn.execute("PRAGMA max_page_count = 100000").fetchone())
    assert await _put(database, "y" * 50_000)


async def test_another_program_that_holds_the_file_is_named(database: Database, tmp_path: Path) -> None:
    await database.read(lambda conn: conn.execute("PRAGMA busy_timeout = 20").fetchone())
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="Another program") as caught:
        await _put(database, "a")
    assert caught.value.kind == "busy"
    other.execute("ROLLBACK")
    other.close()
    assert await _put(database, "a") == "a"


async def test_who_only_looks_does_not_wait_for_another_program(database: Database, tmp_path: Path) -> None:
    await _put(database, "before")
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        gate = _Gate(database)
        await gate.shut()
        writing = asyncio.ensure_future(_put(database, "a"))
        looking = asyncio.ensure_future(database.read(_keys))
        await gate.release()
        done, _ = await asyncio.wait([writing, looking], return_when=asyncio.FIRST_COMPLETED)
        assert done == {looking}
        assert looking.result() == ["before"]
        with pytest.raises(StoreError, match="Another program"):
            await writing


async def test_another_program_holds_up_a_write_for_less_than_a_blink(database: Database) -> None:
    (patience,) = await database.read(lambda conn: conn.execute("PRAGMA busy_timeout").fetchone())
    assert 0 < patience <= 250


async def test_a_read_can_not_write(database: Database) -> None:
    with pytest.raises(StoreError) as caught:
        await database.read(lambda conn: conn.execute("INSERT INTO t VALUES ('sly')"))
    assert caught.value.kind == "readonly"
    assert await _put(database, "a") == "a"


async def test_a_caller_that_goes_away_does_not_stop_the_others(database: Database) -> None:
    gate = _Gate(database)
    await gate.shut()
    gone = asyncio.ensure_future(_put(database, "gone"))
    stays = asyncio.ensure_future(_put(database, "stays"))
    await asyncio.sleep(0)
    gone.cancel()
    await gate.release()
    assert await stays == "stays"
    assert "stays" in await database.read(_keys)


async def test_a_thread_that_dies_answers_all_who_wait_and_those_who_come(tmp_path: Path) -> None:
    def committed(conn: Connection) -> None:
        raise ValueError("no date")

    database = await Database.open(tmp_path / "a.db", _prepare, committed)
    gate = _Gate(database)
    await gate.shut()
    waiting = asyncio.gather(*(_put(database, f"{n:03}") for n in range(250)), return_exceptions=True)
    await gate.release()
    outcomes = await asyncio.wait_for(waiting, 5)  # more than one batch: the others wait in the queue
    assert {each.kind for each in outcomes if isinstance(each, StoreError)} == {"io"}
    assert len([each for each in outcomes if isinstance(each, StoreError)]) == 250
    with pytest.raises(StoreError, match="Restart the agent") as caught:
        await asyncio.wait_for(database.read(_keys), 5)
    assert caught.value.kind == "io"
    await asyncio.wait_for(database.close(), 5)
    assert not (tmp_path / "a.db-wal").exists(), "the file is closed all the same"


async def test_close_finishes_what_waits_and_refuses_what_comes(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "a.db", _prepare)
    waiting = [asyncio.ensure_future(_put(database, f"{n:03}")) for n in range(450)]
    await asyncio.sleep(0)
    await database.close()
    assert len(await asyncio.gather(*waiting)) == 450
    with pytest.raises(StoreError) as caught:
        await _put(database, "late")
    assert caught.value.kind == "closed"
    await database.close()
    assert not (tmp_path / "a.db-wal").exists(), "the log is folded into the file"


async def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"a shopping list, long enough to look like a header" * 20)
    with pytest.raises(StoreError, match="damaged") as caught:
        await Database.open(tmp_path / "a.db")
    assert caught.value.kind == "corrupt"


async def test_a_folder_that_is_missing_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="can not be opened: No such file or directory"):
        await Database.open(tmp_path / "nowhere" / "a.db")


async def test_a_failing_preparation_closes_the_file_again(tmp_path: Path) -> None:
    def fails(conn: Connection) -> None:
        raise StoreError("newer", "too new")

    with pytest.raises(StoreError, match="too new"):
        await Database.open(tmp_path / "a.db", fails)
