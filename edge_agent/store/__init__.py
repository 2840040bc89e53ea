"""All that this PC keeps: the journal, the plans, where the terminals stand."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import TypeVar

import msgspec

from edge_agent.clock import Clock
from edge_agent.planbook import PlanBook
from edge_agent.store import former, journal, schema
from edge_agent.store.backup import back_up
from edge_agent.store.commit_times import CommitTimes
from edge_agent.store.damage import Damage
from edge_agent.store.database import Connection, Database, Opened, Opening
from edge_agent.store.disk import DISK, Disk
from edge_agent.store.errors import UNREADABLE, StoreError
from edge_agent.store.journal import Entry
from edge_agent.store.looking_over import Round, begun, rows_to_see, stepped, stepped_again
from edge_agent.store.mirror import Mirror
from edge_agent.store.mirror_round import MirrorRound, mirror_stepped
from edge_agent.store.outliving import told
from edge_agent.store.plans import forget_unreadable, load_book, load_sound
from edge_agent.store.rebuilding import Incident
from edge_agent.store.records import after
from edge_agent.store.recovery import look_again, recover
from edge_agent.store.reserve import Reserve
from edge_agent.store.restarts import Restarts
from edge_agent.store.retention import base_of, purge
from edge_agent.store.totals import sum_up
from edge_agent.views.upkeep import BackupMade
from sync.contract import Fact

__all__ = ["Connection", "Entry", "Store", "StoreError"]

T = TypeVar("T")

_SPARE = 2**20  # bytes of the quota that no new fact gets: what is saved can still be delivered and go
_MIRRORED = 1000  # lines written before the next sync, when the mirror has to catch up

_AT_QUOTA = (
    "The journal has the size that the site file allows: reports are refused. Raise journal_max_bytes, or "
    "see why the ERP does not take the reports that wait."
)

_log = logging.getLogger(__name__)


class Store:
    """The database of one agent. `book` is the current PlanBook; whoever takes plans sets the new one."""

    def __init__(self, agent: str, clock: Clock, path: Path, quota: int = 0, disk: Disk = DISK) -> None:
        self.agent = agent
        self.book = PlanBook()
        self.restarts = Restarts(path, clock, disk)
        self.mirror_behind = False
        self.commits = CommitTimes()
        self.backing_up = 0  # how many copies are being made: meanwhile nobody else is answered
        self._clock = clock
        self._path = path
        self._disk = disk
        self._quota = quota
        self._damage = Damage(path, disk)
        self._begun = 0.0
        self._unseen = 0
        self.round: Round | None = None
        self.mirror_round = MirrorRound()
        self._mirror = Mirror(path.parent / "mirror", disk=disk)
        self._reserve = Reserve(path.parent, disk)
        self._database: Opened

    @classmethod
    async def open(
        cls, path: Path, agent: str, clock: Clock, disk: Disk = DISK, opening: Opening = Database.open,
        quota: int = 0,
    ) -> Store:  # fmt: skip
        """Open or create the file, mend it first where it is damaged, bring it to the schema of this program,
        read the plans. `quota` is how many bytes it may grow to; 0: as far as the disk goes.

        Raises StoreError; `other_agent` when the journal in it is not of this agent: its numbers count
        the facts of one agent only.
        """
        store = cls(agent, clock, path, quota, disk)
        await asyncio.to_thread(store._mend, path)
        store._database = await opening(
            path, store._prepare, store._committed, store._failed, disk, store._begins
        )
        try:
            await store.read(lambda conn: _same_agent(conn, agent))
            await store.write(lambda conn: None)  # the mirror catches up before anybody works
            await store.read(store._remember)
            store._unseen = await store.read(rows_to_see)
            store.book = await store._loaded()
        except BaseException:
            await store.close()
            raise
        return store

    async def _loaded(self) -> PlanBook:
        try:
            return await self.read(load_sound)
        except (msgspec.MsgspecError, ValueError):  # a cache that rotted: all of it is pulled again
            await self.write(forget_unreadable)
            return await self.read(load_book)

    def _mend(self, path: Path) -> None:
        """Before the database is opened: room for it, and nothing in it damaged or missing."""
        try:
            incident = self._recovered(path)
        except StoreError as error:
            if error.kind != "full":
                raise
            _log.error("disk.full", extra={"what": str(error)})
            self._reserve.drop()
            incident = self._recovered(path)
        self._reserve.ensure()
        if incident is not None:
            found = {"why": incident.why, "kept": incident.kept, "facts": incident.facts, "lost": incident.lost}
            _log.error("store.mended", extra=found)

    def _recovered(self, path: Path) -> Incident | None:
        try:
            return recover(path, self.agent, self._mirror, self._clock.now())
        except OSError as error:
            raise StoreError("full" if error.errno == errno.ENOSPC else "io") from error

    def _prepare(self, conn: Connection) -> None:
        schema.upgrade(conn)
        if self._quota:
            (size,) = conn.execute("PRAGMA page_size").fetchone()
            conn.execute(f"PRAGMA max_page_count = {self._quota // size:d}")

    def _begins(self) -> None:
        self._begun = self._clock.monotonic()

    def _committed(self, conn: Connection) -> None:
        """In the thread of the database, after each commit: the mirror gets what is new."""
        self._mirror_on(conn)
        self.commits.took(self._clock.monotonic() - self._begun)

    def _mirror_on(self, conn: Connection) -> None:
        try:
            while records := [*after(conn, self._mirror.reached, _MIRRORED)]:
                sound = [*takewhile(lambda record: record.sound, records)]
                self._mirror.append(sound)
                if sound != records:  # never a second copy of what was not written; nor of what is behind it
                    self.mirror_behind = True
                    self._damage.believe(f"Row {self._mirror.reached + 1} of the journal is not what was written.")
                    return
        except OSError as error:
            if not self.mirror_behind:  # said once; the facts themselves are safe in the database
                _log.error("mirror.behind", extra={"what": str(error)})
            self.mirror_behind = True
            return
        except (*UNREADABLE, ValueError, TypeError) as error:  # a row of before that nobody has looked at yet
            self._damage.believe(f"The journal can not be copied behind row {self._mirror.reached} ({error}).")
            return
        if self.mirror_behind:
            _log.info("mirror.back")
        self.mirror_behind = False

    async def doubted(self) -> str:
        """Return when an answer of the database looked like damage, with its words, or when there is `damage`."""
        return await self._damage.doubted()

    async def look_again(self) -> str:
        """What is wrong with the database, in words, when two looks in a row find something; empty: nothing does.

        Raises StoreError.
        """
        found = ""
        for _ in range(2):
            found = await self._database.read(lambda conn: look_again(conn, self._mirror))
            if not found:
                break
        return found

    async def believe(self, words: str) -> None:
        """The database is damaged, as the words say: from now on that is `damage`."""
        await asyncio.to_thread(self._damage.believe, words)

    def stays_damaged(self, seconds: float) -> None:
        """Nobody mends it for so many seconds; it is told with the damage."""
        self._damage.stays(seconds)

    @property
    def damage(self) -> str:
        """What is certain to be wrong with the database, in words; a start mends it."""
        return self._damage.words

    def _failed(self, error: StoreError) -> None:
        """In the same thread, after a commit that was not: a full disk gives up a part of its reserve."""
        if error.kind == "full" and not self._reserve.tight:
            _log.error("disk.full", extra={"what": str(error)})
            self._reserve.drop()

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction; returns after its commit. See `Database.write`."""
        return await self._damage.seen_in(self._database.write(fn))

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on committed rows. See `Database.read`."""
        return await self._damage.seen_in(self._database.read(fn))

    def record(
        self, conn: Connection, entries: Sequence[Entry], event_time: datetime, terminal: str, person: str
    ) -> tuple[Fact, ...]:
        """Append facts of this agent, now; inside `write`. See `journal.append`.

        Raises StoreError `full` while the disk, or the quota, has no room to be sure of.
        """
        if entries and self._reserve.tight:
            if not self._reserve.ensure():
                raise StoreError("full")
            _log.info("disk.back")
        if entries and self._crowded(conn):
            raise StoreError("full", _AT_QUOTA)
        now, trusted = self._clock.now(), self._clock.trusted()
        return journal.append(conn, self.agent, entries, event_time, now, trusted, terminal, person)

    async def serve(self, connectors: Collection[str]) -> None:
        """These are the connectors of the site file; before anything is sent. See `former.serve`. Raises StoreError."""
        now = self._clock.now()
        await self.write(lambda conn: former.serve(conn, connectors, now))
        await self.read(self._remember)

    async def back_up(self) -> BackupMade:
        """Copy the database to a new file in `backups`; all others wait for it. Raises StoreError."""
        file = self._path.with_name("backups") / f"journal-{self._clock.new_id()}.db"
        self.backing_up += 1
        try:
            size = await self._database.alone(lambda conn: back_up(conn, file, self._disk))
        finally:
            self.backing_up -= 1
        facts = await self.read(journal.last_seq)
        _log.info("store.backed_up", extra={"file": str(file), "facts": facts})
        return BackupMade(str(file), facts, size)

    @property
    def tight(self) -> bool:
        """Whether new facts are refused because there is no room for them."""
        return self._reserve.tight

    async def crowded(self) -> bool:
        """Whether the quota has no room for new facts."""
        return await self.read(self._crowded)

    async def let_go(self, connectors: Collection[str], before: datetime) -> bool:
        """Let some facts go that all connectors have delivered and that are older; whether any went.

        Raises StoreError. See `retention.purge`.
        """

        def step(conn: Connection) -> bool:
            return purge(conn, connectors, before) is not None

        went = await self.write(step)
        if went:
            await self.read(self._forget)
        return went

    async def look_over(self, limit: int) -> bool:
        """Look at the next rows; whether the round is over. What is wrong, twice, is `damage` from then on."""
        before = self.round
        if before is None or before.over:
            before = await self.read(begun)
        now = await self.read(lambda conn: stepped(conn, before, limit))
        if now.wrong:
            now = await self.read(lambda conn: stepped_again(conn, before, limit))
        self.round = now
        self._unseen = min(self._unseen, 0 if now.over else now.rows_left)
        if now.wrong:
            await self.believe(now.wrong)
        for total in now.totals:
            await self.write(lambda conn, total=total: sum_up(conn, total))  # type: ignore[misc]
            _log.error("totals.mended", extra={"job": total[0], "of": total[1]})
        return now.over

    async def look_over_mirror(self, limit: int) -> bool:
        """The same with the second copy: what rotted of it is written again, unless it is the journal that rotted."""
        now = self.mirror_round
        try:
            now = await self.read(lambda conn: mirror_stepped(conn, self._mirror, now, limit))
        except OSError as error:
            _log.warning("mirror.not_looked_over", extra={"what": str(error)})
            now = MirrorRound(mended=now.mended, over=True)
        if now.wrong:
            await self.believe(now.wrong)
        if now.over and now.mended:
            _log.error("mirror.mended", extra={"lines": now.mended})
        self.mirror_round = MirrorRound() if now.over else now
        return now.over

    @property
    def unseen(self) -> int:
        """Rows of the journal that nobody has looked at since the start: it is not known yet that all is well."""
        return self._unseen

    def _crowded(self, conn: Connection) -> bool:
        if not self._quota:
            return False
        (size,), (pages,), (free,) = (
            conn.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count", "freelist_count")
        )
        return bool((pages - free) * size + _SPARE > self._quota)

    def _remember(self, conn: Connection) -> None:
        """A mirror that does not know where the journal begins, or what outlives it, is told."""
        self._forget(conn, at_start=True)

    def _forget(self, conn: Connection, at_start: bool = False) -> None:
        """In the thread of the database: the mirror need not keep what left the journal."""
        base = base_of(conn)
        try:
            open_ones = told(conn, base.seq)
            known = self._mirror.outliving() == open_ones and (self._mirror.base() or (0, b""))[0] >= base.seq
            if not (at_start and known):
                self._mirror.forget(base.seq, base.hash, open_ones)
        except (OSError, *UNREADABLE) as error:  # it keeps more than it has to; the next step tries again
            _log.warning("mirror.not_forgotten", extra={"what": str(error)})

    async def close(self) -> None:
        """Finish what waits and close the files."""
        await self._database.close()
        self._mirror.close()

    @property
    def disk_free(self) -> int:
        """Bytes that are left on the disk of the journal."""
        return self._disk.free(self._path.parent)

    async def problems(self) -> tuple[str, ...]:
        """What a person should know of the disk and the database, in words."""
        return (await self.read(self.found))[0]

    def without_database(self, error: Exception) -> tuple[str, ...]:
        """What a person should know when the database does not answer but with this error, in words."""
        return (f"The database can not be read: {error}", *self._damage.told())

    def found(self, conn: Connection) -> tuple[tuple[str, ...], int]:
        """`problems`, inside a `read`; and how many databases were mended that nobody has acknowledged."""
        words = []
        if self._reserve.tight:
            words.append("The disk of this PC is full: reports are refused. Free some space on it.")
        if self.mirror_behind:
            words.append("The second copy of the reports can not be written: check the disk of this PC.")
        if self._crowded(conn):
            words.append(_AT_QUOTA)
        if self.unseen and not self.damage:
            words.append(f"The journal is still being looked over: {self.unseen} rows of it are left.")
        words += self._damage.told()
        words += former.problems(conn)
        incidents = _incidents(conn)
        return (*words, *map(_words, incidents)), sum(bool(each.kept) for each in incidents)


def _same_agent(conn: Connection, agent: str) -> None:
    last = journal.tail(conn, 1)
    if last and last[0].agent != agent:
        raise StoreError(
            "other_agent",
            f"The journal in the data folder is of agent {last[0].agent!r}, the site file says {agent!r}. "
            "Put the old id back into the site file, or choose an empty data folder.",
        )


def _incidents(conn: Connection) -> list[Incident]:
    """Those that nobody has acknowledged, however old."""
    rows = conn.execute(
        "SELECT at, why, kept, facts, lost FROM incident WHERE NOT EXISTS ("
        " SELECT 1 FROM decided WHERE exception = 'incident/' || incident.at AND choice = 'acknowledge') ORDER BY at"
    )
    return [
        Incident(datetime.fromisoformat(at), why, kept, facts, tuple(json.loads(lost)))
        for at, why, kept, facts, lost in rows
    ]


def _words(incident: Incident) -> str:
    if not incident.kept:
        return (
            f"{incident.why} All {incident.facts} reports that this PC still has are offered to the ERP again "
            f"since {incident.at:%Y-%m-%d %H:%M} UTC, it books none of them twice. Acknowledge it (V)."
        )
    lost = ", ".join(map(str, incident.lost[:20])) + (" ..." if len(incident.lost) > 20 else "")
    found = f"{incident.facts} reports were brought back" + (f", lost: number {lost}" if lost else ", none was lost")
    return (
        f"The database was mended at {incident.at:%Y-%m-%d %H:%M} UTC. {incident.why} {found}. "
        f"The damaged files are in {incident.kept}; have the disk of this PC checked."
    )
