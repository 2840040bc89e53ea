"""All that this PC keeps: the journal, the plans, where the terminals stand."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from edge_agent.clock import Clock
from edge_agent.planbook import PlanBook
from edge_agent.store import journal, schema
from edge_agent.store.database import Connection, Database, Opened, Opening
from edge_agent.store.disk import DISK, Disk
from edge_agent.store.errors import StoreError
from edge_agent.store.journal import Entry
from edge_agent.store.mirror import Mirror
from edge_agent.store.plans import forget_unreadable, load_book
from edge_agent.store.records import after
from edge_agent.store.recovery import Incident, recover
from edge_agent.store.reserve import Reserve
from sync.contract import Fact

__all__ = ["Connection", "Entry", "Store", "StoreError"]

T = TypeVar("T")

_TOLD = timedelta(days=7)  # how long people are told of a database that was mended
_MIRRORED = 1000  # lines written before the next sync, when the mirror has to catch up

_log = logging.getLogger(__name__)


class Store:
    """The database of one agent. `book` is the current PlanBook; whoever takes plans sets the new one."""

    def __init__(self, agent: str, clock: Clock, folder: Path, disk: Disk = DISK) -> None:
        self.agent = agent
        self.book = PlanBook()
        self._clock = clock
        self._mirror = Mirror(folder / "mirror", disk=disk)
        self._reserve = Reserve(folder, disk)
        self._mirror_behind = False
        self._database: Opened

    @classmethod
    async def open(
        cls, path: Path, agent: str, clock: Clock, disk: Disk = DISK, opening: Opening = Database.open
    ) -> Store:
        """Open or create the file, mend it first where it is damaged, bring it to the schema of this program,
        read the plans.

        Raises StoreError; `other_agent` when the journal in it is not of this agent: its numbers count
        the facts of one agent only.
        """
        store = cls(agent, clock, path.parent, disk)
        await asyncio.to_thread(store._mend, path)
        store._database = await opening(path, schema.upgrade, store._committed, store._failed, disk)
        try:
            await store.read(lambda conn: _same_agent(conn, agent))
            await store.write(lambda conn: None)  # the mirror catches up before anybody works
            store.book = await store._loaded()
        except BaseException:
            await store.close()
            raise
        return store

    async def _loaded(self) -> PlanBook:
        try:
            return await self.read(load_book)
        except msgspec.MsgspecError:
            await self.write(forget_unreadable)
            return await self.read(load_book)

    def _mend(self, path: Path) -> None:
        """Before the database is opened: room for it, and nothing in it damaged or missing."""
        try:
            incident = self._recovered(path)
        except StoreError as error:
            if error.kind != "full":
                raise
            self._reserve.drop()
            incident = self._recovered(path)
        self._reserve.ensure()
        if incident is not None:
            told = {"why": incident.why, "kept": incident.kept, "facts": incident.facts, "lost": incident.lost}
            _log.error("store.mended", extra=told)

    def _recovered(self, path: Path) -> Incident | None:
        try:
            return recover(path, self.agent, self._mirror, self._clock.now())
        except OSError as error:
            raise StoreError("full" if error.errno == errno.ENOSPC else "io") from error

    def _committed(self, conn: Connection) -> None:
        """In the thread of the database, after each commit: the mirror gets what is new."""
        try:
            while records := [*after(conn, self._mirror.reached, _MIRRORED)]:
                self._mirror.append(records)
        except OSError as error:
            if not self._mirror_behind:  # said once; the facts themselves are safe in the database
                _log.error("mirror.behind", extra={"what": str(error)})
            self._mirror_behind = True
            return
        self._mirror_behind = False

    def _failed(self, error: StoreError) -> None:
        """In the same thread, after a commit that was not: a full disk gives up a part of its reserve."""
        if error.kind == "full" and not self._reserve.tight:
            self._reserve.drop()

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction; returns after its commit. See `Database.write`."""
        return await self._database.write(fn)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on committed rows. See `Database.read`."""
        return await self._database.read(fn)

    def record(
        self, conn: Connection, entries: Sequence[Entry], event_time: datetime, terminal: str, person: str
    ) -> tuple[Fact, ...]:
        """Append facts of this agent, now; inside `write`. See `journal.append`.

        Raises StoreError `full` while the disk has no room to be sure of.
        """
        if entries and self._reserve.tight and not self._reserve.ensure():
            raise StoreError("full")
        now, trusted = self._clock.now(), self._clock.trusted()
        return journal.append(conn, self.agent, entries, event_time, now, trusted, terminal, person)

    async def close(self) -> None:
        """Finish what waits and close the files."""
        await self._database.close()
        self._mirror.close()

    async def problems(self) -> tuple[str, ...]:
        """What a person should know of the disk and the database, in words."""
        told = []
        if self._reserve.tight:
            told.append("The disk of this PC is full: reports are refused. Free some space on it.")
        if self._mirror_behind:
            told.append("The second copy of the reports can not be written: check the disk of this PC.")
        since = self._clock.now() - _TOLD
        incidents = await self.read(lambda conn: _incidents(conn, since))
        return (*told, *map(_words, incidents))


def _same_agent(conn: Connection, agent: str) -> None:
    last = journal.tail(conn, 1)
    if last and last[0].agent != agent:
        raise StoreError(
            "other_agent",
            f"The journal in the data folder is of agent {last[0].agent!r}, the site file says {agent!r}. "
            "Put the old id back into the site file, or choose an empty data folder.",
        )


def _incidents(conn: Connection, since: datetime) -> list[Incident]:
    rows = conn.execute(
        "SELECT at, why, kept, facts, lost FROM incident WHERE at >= ? ORDER BY at", (since.isoformat(),)
    )
    return [
        Incident(datetime.fromisoformat(at), why, kept, facts, tuple(json.loads(lost)))
        for at, why, kept, facts, lost in rows
    ]


def _words(incident: Incident) -> str:
    lost = ", ".join(map(str, incident.lost[:20])) + (" ..." if len(incident.lost) > 20 else "")
    found = f"{incident.facts} reports were brought back" + (f", lost: number {lost}" if lost else ", none was lost")
    return (
        f"The database was mended at {incident.at:%Y-%m-%d %H:%M} UTC. {incident.why} {found}. "
        f"The damaged files are in {incident.kept}; have the disk of this PC checked."
    )
