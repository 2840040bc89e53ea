"""Power cuts on a real ext4: a file system in a file, shut down without a flush of its log. Needs root.

EXT4_IOC_SHUTDOWN with NOLOGFLUSH drops at once all that was written and not synced, as a power cut does: the next mount
plays the log of the file system and has what is left. The writer is killed a moment before: a sync that is
answered behind the cut would be an artefact.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import multiprocessing
import os
import shutil
import struct
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from edge_agent.clock import Clock, SystemClock
from edge_agent.store import Entry, Store, StoreError, journal
from edge_agent.store.outbox import JournalOutbox
from sync.contract import Applied
from tests.sim.bugs import load
from tests.store.making import produced

_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
_WITHOUT_FLUSH = 2  # EXT4_GOING_FLAGS_NOLOGFLUSH
_SIZE = 96 * 2**20  # bytes: the reserve of the store and its spare room have to fit
_WRITERS = 4
_MOST = 60  # reports of one life


class NoRealDisk(Exception):
    """This PC can not mount a file system of its own; the text says why."""


class RealDisk:
    """An ext4 of its own in a file, mounted at `place`. `with` it."""

    def __init__(self, folder: Path) -> None:
        self._image, self.place = folder / "disk.img", folder / "disk"

    def __enter__(self) -> RealDisk:
        if os.geteuid() != 0:
            raise NoRealDisk("only root can mount a disk")
        if (tool := shutil.which("mkfs.ext4", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")) is None:
            raise NoRealDisk("mkfs.ext4 is not installed: apt install e2fsprogs")
        self.place.mkdir()
        with self._image.open("wb") as file:
            file.truncate(_SIZE)
        subprocess.run([tool, "-q", "-F", str(self._image)], check=True, capture_output=True)
        self._mount()
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "--lazy", str(self.place)], check=True)

    def cut(self) -> None:
        """The power goes, and comes back."""
        descriptor = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _WITHOUT_FLUSH))
        except OSError as error:
            raise NoRealDisk(f"this kernel does not shut a file system down: {error}") from error
        finally:
            os.close(descriptor)
        subprocess.run(["umount", str(self.place)], check=True)
        self._mount()

    def _mount(self) -> None:
        done = subprocess.run(
            ["mount", "-t", "ext4", "-o", "loop", str(self._image), str(self.place)], capture_output=True, text=True
        )
        if done.returncode:
            raise NoRealDisk(f"this system mounts no file: {done.stderr.strip()}")


async def cut_off(folder: Path, cuts: int, seed: int, *bugs: str) -> Counter[str]:
    """So many power cuts while a store works: `lost` and `damaged` must be 0. `bugs` are planted in the store.

    Raises NoRealDisk.
    """
    dice, counts, saved = Random(seed), Counter[str](), list[str]()
    with RealDisk(folder) as disk:
        path = disk.place / "data" / "journal.db"
        path.parent.mkdir()
        for _ in range(cuts):
            saved += _life(path, dice.randint(1, _MOST), bugs)
            disk.cut()
            counts["cuts"] += 1
            counts.update(await _judged(path, saved))
    counts["saved"] = len(saved)
    return counts


async def _judged(path: Path, saved: list[str]) -> Counter[str]:
    """What a start behind the cut finds. What is lost counts once: it is taken out of `saved`."""
    path.parent.mkdir(exist_ok=True)
    try:
        store = await Store.open(path, "agent-1", SystemClock())
    except StoreError:
        return Counter(lost=len(saved), refused_starts=1)
    try:
        ids = {fact.id for fact in await store.read(lambda conn: journal.facts(conn, 0, 1_000_000))}
        broken = await store.read(journal.verify)
        mended = await store.write(lambda conn: conn.execute("DELETE FROM incident RETURNING why").fetchall())
    finally:
        await store.close()
    lost = [id for id in saved if id not in ids]
    saved[:] = [id for id in saved if id in ids]
    return Counter(lost=len(lost), broken=broken is not None, damaged=len(mended))


def _life(path: Path, reports: int, bugs: tuple[str, ...]) -> list[str]:
    """A process that works until it was killed; the ids that it called saved."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_write, args=(str(path), theirs, bugs), daemon=True)
    process.start()
    theirs.close()
    saved = []
    with contextlib.suppress(EOFError):
        saved += [ours.recv_bytes().decode() for _ in range(reports)]
        process.kill()
        while True:  # what was told before the kill arrived counts too
            saved.append(ours.recv_bytes().decode())
    process.join()
    process.close()
    ours.close()
    return saved


async def report(store: Store, clock: Clock) -> str:
    """One report; its id, as soon as it may be called saved."""
    entry = Entry(clock.new_id(), produced())
    await store.write(lambda conn: store.record(conn, [entry], clock.now(), "T1", "P1"))
    return entry.id


def _write(path: str, told: Connection, bugs: tuple[str, ...]) -> None:
    logging.disable(logging.CRITICAL)
    with _planted(bugs):
        asyncio.run(_work(Path(path), told))


async def _work(path: Path, told: Connection) -> None:
    clock = SystemClock()
    store = await Store.open(path, "agent-1", clock)
    outbox = JournalOutbox(store, "erp", clock)

    async def people() -> None:
        while True:
            told.send_bytes((await report(store, clock)).encode())

    async def relay() -> None:
        while True:
            await outbox.settle([Applied(fact.id, "B1") for fact in await outbox.pending(20)])

    await asyncio.gather(relay(), *(people() for _ in range(_WRITERS)))


@contextlib.contextmanager
def _planted(bugs: tuple[str, ...]) -> Iterator[None]:
    with ExitStack() as stack:
        for name in bugs:
            stack.enter_context(load()[name].plant())
        yield
