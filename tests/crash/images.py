"""The folder of an agent that was killed at work, to be damaged: most of its facts are still in the log."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_agent.clock import SystemClock
from edge_agent.store import Entry, Store
from edge_agent.store.outbox import JournalOutbox
from sync.contract import Applied
from tests.store.making import produced

FACTS = 400
DELIVERED = 100  # of them


@dataclass(frozen=True)
class Image:
    """`ids` in the order of their seqs."""

    folder: Path
    ids: tuple[str, ...]


async def image(folder: Path) -> Image:
    """A folder as a kill left it."""
    clock, ids = SystemClock(), []
    living = folder / "living"
    living.mkdir()
    store = await Store.open(living / "journal.db", "agent-1", clock)
    try:
        for number in range(FACTS):
            entry = Entry(clock.new_id(), produced(quantity=str(number % 7 + 1)))
            await store.write(lambda conn, one=entry: store.record(conn, [one], clock.now(), "T1", "P1"))  # type: ignore[misc]
            ids.append(entry.id)
            if number == 200:
                await JournalOutbox(store, "erp", clock).settle([Applied(id, "B1") for id in ids[:DELIVERED]])
        shutil.copytree(living, folder / "killed")
    finally:
        await store.close()
    return Image(folder / "killed", tuple(ids))


Damage = Callable[[Path, random.Random], None]


def _flip(name: str, bits: int) -> Damage:
    def damage(folder: Path, dice: random.Random) -> None:
        path = folder / name
        data = bytearray(path.read_bytes())
        for _ in range(bits):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        path.write_bytes(data)

    return damage


def _truncate(name: str) -> Damage:
    def damage(folder: Path, dice: random.Random) -> None:
        path = folder / name
        data = path.read_bytes()
        path.write_bytes(data[: dice.randrange(1, len(data))])

    return damage


def _remove(name: str) -> Damage:
    def damage(folder: Path, dice: random.Random) -> None:
        (folder / name).unlink()

    return damage


def _fill(name: str, begin: int, length: int, page: int = 0) -> Damage:
    """Zeros; with `page` on a random page of that size."""

    def damage(folder: Path, dice: random.Random) -> None:
        path = folder / name
        data = bytearray(path.read_bytes())
        start = dice.randrange(len(data) // page) * page if page else begin
        data[start : start + length] = bytes(min(length, len(data) - start))
        path.write_bytes(data)

    return damage


def _garbage(name: str) -> Damage:
    def damage(folder: Path, dice: random.Random) -> None:
        path = folder / name
        path.write_bytes(dice.randbytes(path.stat().st_size))

    return damage


DB, WAL, SHM = "journal.db", "journal.db-wal", "journal.db-shm"

# Every way in which a file was seen to rot.
DAMAGES: dict[str, Damage] = {
    "log removed": _remove(WAL),
    "log header zeroed": _fill(WAL, 0, 32),
    "log truncated": _truncate(WAL),
    "log one bit": _flip(WAL, 1),
    "log twenty bits": _flip(WAL, 20),
    "log garbage": _garbage(WAL),
    "index removed": _remove(SHM),
    "index garbage": _garbage(SHM),
    "database one bit": _flip(DB, 1),
    "database twenty bits": _flip(DB, 20),
    "database header zeroed": _fill(DB, 0, 100),
    "database page zeroed": _fill(DB, 0, 4096, page=4096),
    "database truncated": _truncate(DB),
    "database removed": _remove(DB),
    "database garbage": _garbage(DB),
}
