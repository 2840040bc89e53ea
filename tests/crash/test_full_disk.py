"""A full disk: nothing is called saved, what is saved goes on to the ERP, and room alone mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.store import Entry, Store, StoreError, journal
from edge_agent.store.outbox import JournalOutbox, queue
from edge_agent.store.reserve import PARTS, SIZE, Reserve
from sync.contract import Applied
from tests.crash.small_disk import fill, small_disk
from tests.store.making import produced


async def _report(store: Store) -> str:
    clock, entry = SystemClock(), Entry(SystemClock().new_id(), produced())
    await store.write(lambda conn: store.record(conn, [entry], clock.now(), "T1", "P1"))
    return entry.id


async def _report_until_full(store: Store) -> list[str]:
    saved = []
    for _ in range(20_000):
        try:
            saved.append(await _report(store))
        except StoreError as error:
            if error.kind != "full":
                raise
            return saved
    raise AssertionError("the disk was never full")


@pytest.mark.parametrize("leave", [0, 1, 4096, 20_000, 300_000, 2_000_000])
async def test_a_full_disk_refuses_sends_and_mends(tmp_path: Path, leave: int) -> None:
    with small_disk(tmp_path / "disk", 24) as disk:
        filler = disk / "somebody.log"
        path = disk / "data" / "journal.db"
        path.parent.mkdir()
        store = await Store.open(path, "agent-1", SystemClock())
        saved = [await _report(store) for _ in range(50)]
        fill(filler, leave)
        saved += await _report_until_full(store)
        assert "full" in " ".join(await store.problems())

        # What is saved goes on to the ERP, and is noted, while new reports are refused.
        outbox = JournalOutbox(store, "erp", SystemClock())
        batch = await outbox.pending(20)
        await outbox.settle([Applied(fact.id, "B") for fact in batch])
        with pytest.raises(StoreError, match="full"):
            await _report(store)
        await store.close()

        # A start with no byte free.
        fill(filler)
        store = await Store.open(path, "agent-1", SystemClock())
        state = await store.read(lambda conn: queue(conn, "erp"))
        assert state.delivered_seq == len(batch)
        with pytest.raises(StoreError, match="full"):
            await _report(store)
        batch = await (outbox := JournalOutbox(store, "erp", SystemClock())).pending(20)
        await outbox.settle([Applied(fact.id, "B") for fact in batch])

        filler.unlink()
        saved.append(await _report(store))
        assert await store.problems() == ()
        found = await store.read(lambda conn: journal.facts(conn, 0, 100_000))
        assert [fact.id for fact in found] == saved
        assert await store.read(journal.verify) is None
        await store.close()


def test_the_reserve_does_not_come_and_go(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 20) as disk:
        reserve = Reserve(disk)
        assert reserve.ensure()
        parts = sorted(disk.glob("reserve-*"))
        assert [part.stat().st_blocks * 512 >= SIZE for part in parts] == [True] * PARTS
        fill(disk / "somebody.log")
        reserve.drop()
        assert reserve.tight
        assert not reserve.ensure()  # just as much as the part itself is free, and nothing beside it
        (disk / "somebody.log").unlink()
        assert reserve.ensure()
        assert not reserve.tight
