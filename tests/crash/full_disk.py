"""A disk that is filled to so many free bytes while a store works on it, again at its next start, and emptied then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from edge_agent.clock import SystemClock
from edge_agent.store import Entry, Store, StoreError, journal
from edge_agent.store.outbox import JournalOutbox, queue
from sync.contract import Applied
from tests.crash.small_disk import fill, mounted
from tests.store.making import produced

_PAGE = 4096  # bytes: finer than that no disk of this kind is full
_ODD = (0, 1, 4096, 20_000, 300_000, 2_000_000)
LEAVES = tuple(dict.fromkeys((*_ODD, *range(0, 2 * 2**20 + 1, _PAGE))))  # bytes that are left free
_DISK = 24  # megabytes
_BEFORE, _BATCH, _MOST = 50, 20, 20_000  # facts


async def filled(folder: Path, leaves: Sequence[int]) -> Counter[str]:
    """One life of a store for each. `lost`, `broken`, `unsent`, `untold`, `stuck` and `refused_starts` must be 0.

    Raises NoSmallDisk.
    """
    counts = Counter[str]()
    for leave in leaves:
        with mounted(folder / "disk", _DISK) as disk:
            found = await _Life(disk).lived(leave)
        (folder / "disk").rmdir()
        counts.update(found)
        for what in ("lost", "broken", "unsent", "untold", "stuck", "refused_starts"):
            if found[what]:
                counts[f"{what} with {leave} bytes free"] = 1
    return counts


class _Life:
    """A store on a disk that somebody else fills."""

    def __init__(self, disk: Path) -> None:
        self._filler = disk / "somebody.log"
        self._path = disk / "data" / "journal.db"
        self._saved: list[str] = []
        self._sent = 0
        self.counts = Counter(fills=1)

    async def lived(self, leave: int) -> Counter[str]:
        self._path.parent.mkdir()
        store = await self._opened()
        for _ in range(_BEFORE):
            await self._report(store)
        fill(self._filler, leave)
        for _ in range(_MOST):
            if not await self._report(store):
                break
        self.counts["untold"] += "full" not in " ".join(await store.problems())
        await self._send(store)
        await self._report(store)
        await store.close()
        fill(self._filler)  # a start with no byte free
        try:
            store = await self._opened()
        except StoreError:
            return self.counts + Counter(refused_starts=1)
        state = await store.read(lambda conn: queue(conn, "erp"))
        self.counts["unsent"] += state.delivered_seq != self._sent
        await self._report(store)
        await self._send(store)
        self._filler.unlink()
        self.counts["stuck"] += not await self._report(store) or await store.problems() != ()
        found = [fact.id for fact in await store.read(lambda conn: journal.facts(conn, 0, _MOST * 2))]
        self.counts["lost"] += len({*self._saved} - {*found})
        self.counts["broken"] += found != self._saved or await store.read(journal.verify) is not None
        await store.close()
        return self.counts

    async def _opened(self) -> Store:
        return await Store.open(self._path, "agent-1", SystemClock())

    async def _report(self, store: Store) -> bool:
        """Whether it was called saved. Raises StoreError when the answer is another than that the disk is full."""
        clock, entry = SystemClock(), Entry(SystemClock().new_id(), produced())
        try:
            await store.write(lambda conn: store.record(conn, [entry], clock.now(), "T1", "P1"))
        except StoreError as error:
            if error.kind != "full":
                raise
            self.counts["refused"] += 1
            return False
        self.counts["saved"] += 1
        self._saved.append(entry.id)
        return True

    async def _send(self, store: Store) -> None:
        """What is saved goes on to the ERP, and is noted, while the disk is full."""
        outbox = JournalOutbox(store, "erp", SystemClock())
        batch = await outbox.pending(_BATCH)
        try:
            await outbox.settle([Applied(fact.id, "B") for fact in batch])
        except StoreError:
            self.counts["unsent"] += 1
            return
        self._sent += len(batch)
