"""A disk that fails in mid-work: `python -m tests.crash.io_errors LIBRARY FOLDER FIRST COUNT`, one line of JSON.

The store works on a real file system behind a preloaded library (libfault.c) that lets the n-th write, flush or
read of database, log or mirror fail: EIO, ENOSPC, half a write. A seed is one life of a store with several faults.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import json
import logging
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from random import Random
from typing import Any

from edge_agent.clock import SystemClock
from edge_agent.store import Connection, Entry, Store, StoreError, journal
from tests.sim.bugs import load
from tests.store.making import produced

FILES = DATABASE, LOG, MIRROR = 0, 1, 2
WRITE, SYNC, READ = 0, 1, 2
SHORT, LIE = -1, -2
FACTS = 40  # of a seed
_AGAIN = 30  # times that a report is tried
_ERRORS = {WRITE: (errno.EIO, errno.ENOSPC, SHORT), SYNC: (errno.EIO,), READ: (errno.EIO,)}


def failing(made: Path, folder: Path, first: int, count: int, *more: str) -> Counter[str]:
    """So many seeds in a process behind the library; what it counted. Raises RuntimeError with its last words."""
    command = [sys.executable, "-m", "tests.crash.io_errors", str(folder), str(first), str(count), *more]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "LD_PRELOAD": str(made)}
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return Counter(json.loads(done.stdout.splitlines()[-1]))


# ------------------------------------------------------------ behind the library


class _Faults:
    """The switches of the library."""

    def __init__(self) -> None:
        self._c: Any = ctypes.CDLL(None)
        self._c.fault_arm.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long, ctypes.c_int]
        self._c.fault_fired.restype = ctypes.c_long

    def arm(self, dice: Random) -> None:
        """Some calls of one kind on one of the files are going to fail."""
        call = dice.choice((WRITE, WRITE, SYNC, SYNC, READ))
        after, times = dice.choice((0, 0, 1, 2, 5, 20)), dice.choice((1, 1, 2, 3, 10, 1000))
        self._c.fault_arm(dice.choice(FILES), call, after, times, dice.choice(_ERRORS[call]))

    def lie(self) -> None:
        """From now on no flush of the log is one."""
        self._c.fault_arm(LOG, SYNC, 0, 1_000_000_000, LIE)

    def disarm(self) -> None:
        """The disk works again."""
        self._c.fault_disarm()

    def clean(self) -> None:
        """A seed begins: nothing is on its way."""
        self._c.fault_clean()

    @property
    def fired(self) -> int:
        """How many calls have failed so far."""
        return int(self._c.fault_fired())

    def unsafe(self, file: int) -> bool:
        """Whether a power cut would take something of what was written to it."""
        return bool(self._c.fault_dirty(file))


class _Seed:
    """One life of a store on a disk that fails."""

    def __init__(self, folder: Path, seed: int, faults: _Faults, counts: Counter[str], lies: bool) -> None:
        self._path = folder / "journal.db"
        self._dice = Random(seed)
        self._faults, self._counts, self._lies = faults, counts, lies
        self._clock = SystemClock()
        self._saved: list[str] = []
        self._store: Store | None = None
        self._new = False  # whether the last try has written the report, or an older one had

    async def live(self) -> None:
        """Work, restart at times, and be judged on a disk that works again."""
        self._faults.clean()
        self._store = await self._opened()
        if self._lies:
            self._faults.lie()
        for _ in range(FACTS):
            if self._dice.random() < 0.25 and not self._lies:
                self._faults.arm(self._dice)
            await self._report(Entry(self._clock.new_id(), produced()))
            if self._dice.random() < 0.1:
                await self._restart()
        self._faults.disarm()
        await self._restart()
        assert self._store is not None
        await self._judge(self._store)
        await self._store.close()

    async def _report(self, entry: Entry) -> None:
        """A person reports, and again with the same id as long as it is not saved."""

        def once(conn: Connection) -> None:
            if not conn.execute("SELECT 1 FROM journal WHERE id = ?", (entry.id,)).fetchone():
                assert self._store is not None
                self._new = True
                self._store.record(conn, [entry], self._clock.now(), "T1", "P1")

        for tried in range(_AGAIN):
            self._new = False
            if tried == _AGAIN - 5:
                self._faults.disarm()
            assert self._store is not None
            try:
                await self._store.write(once)
            except StoreError as error:
                self._counts["refused"] += 1
                self._counts[f"refused_{error.kind}"] += 1
                if error.kind in ("corrupt", "io") and self._dice.random() < 0.2:
                    await self._restart()
                continue
            self._counts["unsafe"] += self._faults.unsafe(LOG) and (self._new or not self._is_mirrored())
            self._saved.append(entry.id)
            return
        self._counts["stuck"] += 1

    def _is_mirrored(self) -> bool:
        """Whether all that was saved is safe in the second copy: that counts for what an older life has left."""
        assert self._store is not None
        return not (self._store.mirror_behind or self._faults.unsafe(MIRROR))

    async def _restart(self) -> None:
        if self._store is not None:
            await self._store.close()
        self._store = await self._opened()

    async def _opened(self) -> Store:
        for tried in range(_AGAIN):
            if tried == 5:
                self._faults.disarm()
            try:
                return await Store.open(self._path, "agent-1", self._clock)
            except StoreError:
                self._counts["refused_starts"] += 1
        raise RuntimeError("the store does not open on a disk that works again")

    async def _judge(self, store: Store) -> None:
        ids = [fact.id for fact in await store.read(lambda conn: journal.facts(conn, 0, 10_000))]
        mirrored = {line.content[1] for line in store._mirror.lines()}
        self._counts.update(
            seeds=1, saved=len(self._saved), lost=len(set(self._saved) - set(ids)),
            double=len(ids) - len(set(ids)), not_mirrored=len(set(self._saved) - mirrored),
            broken=(await store.read(journal.verify)) is not None,
            mended=any("mended" in each for each in await store.problems()),
        )  # fmt: skip


@contextmanager
def _planted(name: str) -> Iterator[None]:
    with load()[name].plant() if name else nullcontext():
        yield


def main(arguments: Sequence[str]) -> int:
    """0; what a seed did wrong is in the counts."""
    folder, first, count, *more = arguments
    lies = "lie" in more
    bug = next((each for each in more if each != "lie"), "")
    logging.disable(logging.CRITICAL)
    faults, counts = _Faults(), Counter[str]()
    with _planted(bug):
        for seed in range(int(first), int(first) + int(count)):
            place = Path(folder) / f"seed-{seed}"
            place.mkdir()
            asyncio.run(_Seed(place, seed, faults, counts, lies).live())
            shutil.rmtree(place)
    counts["fired"] = faults.fired
    sys.stdout.write(json.dumps(counts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
