"""Letters that rot in the texts of tables and triggers, or in the kinds of facts: no check of SQLite reads them, and
each write needs them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge_agent.store import Entry, Store, journal, schema
from tests.store.making import empty, produced
from tests.support.manual_clock import ManualClock

TEXTS = {
    "a trigger": (b"prev_hash <> coalesce(", b"prev_hash <> co?lesce("),
    "a guard": (b"NEW.prev_hash <> ", b"NEW.prev_hash >= "),
    "a table": (b"prev_hash BLOB", b"prev_hash BLO@"),
    "a kind of fact": (b"MachineWriteRefused", b"MachineWriteRefuseg"),
    "no letter at all": (b"prev_hash <> coalesce(", b"prev_hash <> co\xfflesce("),
}


async def opened(path: Path) -> Store:
    return await Store.open(path, "agent-1", ManualClock())


async def put(store: Store, clock: ManualClock, count: int) -> list[str]:
    entries = [Entry(clock.new_id(), produced()) for _ in range(count)]
    await store.write(lambda conn: store.record(conn, entries, clock.now(), "T1", "P1"))
    return [entry.id for entry in entries]


@pytest.mark.parametrize("name", TEXTS)
async def test_a_letter_that_rots_is_found_at_the_start_and_mended(name: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    clock = ManualClock()
    store = await opened(path)
    saved = await put(store, clock, 3)
    await store.close()
    sound, rotten = TEXTS[name]
    content = path.read_bytes()
    assert content.count(sound) == 1, "or something else rots as well"
    path.write_bytes(content.replace(sound, rotten))
    store = await opened(path)
    try:
        assert await store.problems(), "somebody is told"
        assert (tmp_path / "damaged").is_dir(), "and the file is kept"
        saved += await put(store, clock, 1)
        assert [fact.id for fact in await store.read(lambda conn: journal.facts(conn, 0, 9))] == saved
    finally:
        await store.close()


async def test_a_sound_file_is_called_sound_at_every_step(tmp_path: Path) -> None:
    """Made by all steps at once or one program after the other, as long as each step is what it was."""
    steps = sorted(schema._STEPS.glob("[0-9]*.sql"))
    conn = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    for number, step in enumerate(steps, start=1):
        (tmp_path / step.name).write_text(step.read_text())
        schema.upgrade(conn, tmp_path)
        assert schema.is_as_made(conn), f"after step {number}"
    conn.close()


@pytest.mark.parametrize(
    "change",
    [
        "DROP TRIGGER journal_chain", "DROP INDEX journal_about", "CREATE TABLE more (x)",
        "ALTER TABLE counter ADD COLUMN more TEXT", "PRAGMA user_version = 3", "PRAGMA user_version = 0",
    ],
)  # fmt: skip
def test_whatever_differs_is_seen(change: str) -> None:
    conn = empty()
    assert schema.is_as_made(conn)
    conn.execute(change)
    assert not schema.is_as_made(conn)
    conn.close()


def test_the_file_of_a_newer_program_is_not_called_damaged() -> None:
    conn = empty()
    conn.executescript("CREATE TABLE newer (x); PRAGMA user_version = 99;")
    assert schema.is_as_made(conn)
    conn.close()
