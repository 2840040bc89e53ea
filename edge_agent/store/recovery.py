"""A damaged database at the start: found, put aside, and its facts brought back, without a person.

What is believed only after a second look: SQLite calls a file damaged after a read that failed and goes
by. What can be wrong: the file does not open, its pages do not fit together, rows are not what was
written, or its end is missing although the mirror has it (one wrong bit in the write-ahead log drops
every commit behind it, and no check of SQLite notices).

The new file is built beside the old one and takes its place in one rename. Facts come from the mirror and
from the pages of the old file; each counts only when its hash fits. A number that nothing brings back is
filled with `FactLost`: the journal has no gap, and the office is told.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import msgspec

from edge_agent.store import schema
from edge_agent.store.carving import carve_commits, carve_database, carve_log
from edge_agent.store.database import Connection, connect
from edge_agent.store.disk import Disk
from edge_agent.store.errors import StoreError, store_error
from edge_agent.store.mirror import Content, Mirror, mark_of
from edge_agent.store.records import FIRST, after, chained, put
from sync.contract import AnyFact, FactLost

CHECKED = 10_000  # the newest rows, whose chain is checked before anybody works; the others meanwhile

_WHOLE = 16_384  # pages of 4 kB: a database of up to 64 MB is checked whole before anybody works

_SIDES = ("", "-wal", "-shm")
_REBUILT = "journal.rebuilt"  # whole, and on its way into place
# Built anew. Where people stood is not trusted, and what was sent and pulled neither: a cursor may have
# survived where the refused facts or the plans that belong to it have not. The ERP is asked for all again.
_OURS = (
    "journal", "job_total", "reported", "open_request", "fact_kind", "session", "incident",
    "delivered", "parked", "pulled",
)  # fmt: skip

_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)  # damaged text is no UTF-8, in errors of SQLite as well

_body: msgspec.json.Decoder[AnyFact] = msgspec.json.Decoder(AnyFact)


@dataclass(frozen=True, slots=True)
class Incident:
    """What was found and done. `kept` is the folder with the damaged files, `lost` the seqs without a fact."""

    at: datetime
    why: str
    kept: str
    facts: int
    lost: tuple[int, ...]


def recover(path: Path, agent: str, mirror: Mirror, now: datetime) -> Incident | None:
    """Leave a database at `path` that can be opened and misses nothing; None: it was whole.

    Raises StoreError when the disk does not allow it, OSError as well.
    """
    _finish(path, mirror)
    mirror.open()
    # SQLite empties the log when it closes a database, with all that it could not read in it.
    log = mirror.disk.read(_side(path, "-wal"))
    why = examine(path, mirror, log) and examine(path, mirror, log)
    if not why:
        return None
    try:
        return _rebuilt(path, agent, mirror, log, why, now)
    except sqlite3.Error as error:  # no room for it, most often
        raise store_error(error) or StoreError("io", f"The database can not be mended: {error}.") from error


def examine(path: Path, mirror: Mirror, log: bytes = b"") -> str:
    """What is wrong with the database, as a sentence; empty: nothing. Raises StoreError for other troubles.

    `log` is the write-ahead log as it was found: without a mirror, it alone tells what SQLite drops of it.
    """
    if not mirror.disk.exists(path):
        return "The database is gone." if mirror.last is not None else ""
    try:
        with closing(connect(path, mirror.disk)) as conn:
            wrong = _wrong(conn, mirror)
            return wrong or ("" if mirror.last is not None else _dropped(conn, log))
    except (sqlite3.Error, StoreError, UnicodeDecodeError) as error:
        trouble = store_error(error) if isinstance(error, sqlite3.Error) else error
        if isinstance(trouble, StoreError) and trouble.kind != "corrupt":
            raise trouble from error
        return f"The database can not be read ({error})."


def _wrong(conn: Connection, mirror: Mirror) -> str:
    (pages,) = conn.execute("PRAGMA page_count").fetchone()
    check = "integrity_check" if pages <= _WHOLE else "quick_check"  # which of the two looks into indexes
    (said,) = conn.execute(f"PRAGMA {check}(1)").fetchone()
    if said != "ok":
        return f"The pages of the database do not fit together ({said})."
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'journal'").fetchone():
        return "The database has lost its journal." if mirror.last is not None else ""
    (last,) = conn.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()
    if (broken := first_broken(conn, max(0, last - CHECKED))) is not None:
        return f"Row {broken} of the journal is not what was written."
    if mirror.last is None:
        return ""
    row = conn.execute("SELECT hash FROM journal WHERE seq = ?", (mirror.last.seq,)).fetchone()
    if row is None and mirror.last.seq > last:
        return f"The end of the journal is missing: it has {last} facts, {mirror.last.seq} were saved."
    if row is not None and mark_of(row[0]) != mirror.last.mark:
        return f"Row {mirror.last.seq} of the journal is not the one that was saved."
    return ""


def _dropped(conn: Connection, log: bytes) -> str:
    """Whether SQLite leaves out commits of the log that were confirmed; in words.

    The last one does not count: a power cut tears it before anybody is told of it.
    """
    *confirmed, _ = [*carve_commits(log)] or [[]]
    saved = max((record.seq for commit in confirmed for record in commit), default=0)
    if not saved:
        return ""
    (last,) = conn.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()
    return f"The end of the journal is missing: it has {last} facts, its log {saved}." if saved > last else ""


def first_broken(conn: Connection, start: int, limit: int = 1_000_000) -> int | None:
    """The first seq after `start` that is not what was written, looking at `limit` rows at most; None: all are."""
    expected, previous = start + 1, None
    for record in after(conn, start, limit):
        if record.seq != expected or not record.sound or previous not in (None, record.previous):
            return expected
        expected, previous = record.seq + 1, record.hash
    return None


def _rebuilt(path: Path, agent: str, mirror: Mirror, log: bytes, why: str, now: datetime) -> Incident:
    disk, found, kept = mirror.disk, _found(path, log, mirror), _kept(path, now)
    disk.make_folder(kept)
    if log:
        disk.write(kept / "journal.db-wal.found", log)
    building = path.with_name("journal.building")
    for side in _SIDES:
        disk.remove(_side(building, side))
    with closing(connect(building, disk)) as conn:
        schema.upgrade(conn)
        conn.execute("BEGIN IMMEDIATE")
        lost = _write(conn, found, agent, now)
        told = (now.isoformat(), why, str(kept), len(found), json.dumps(lost))
        conn.execute("INSERT INTO incident VALUES (?, ?, ?, ?, ?)", told)
        conn.execute("COMMIT")
        _copy_rest(conn, path, disk)
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    disk.rename(building, path.with_name(_REBUILT))
    disk.sync_folder(path.parent)
    _finish(path, mirror, kept)
    mirror.open()
    return Incident(now, why, str(kept), len(found), lost)


def _finish(path: Path, mirror: Mirror, kept: Path | None = None) -> None:
    """Put a database that was built whole into its place: also after a power cut in the middle of it.

    The old mirror goes aside with the old database: behind a fact that was lost it names other hashes.
    """
    disk, rebuilt = mirror.disk, path.with_name(_REBUILT)
    if not disk.exists(rebuilt):
        return
    kept = kept or _kept(path, datetime.fromtimestamp(disk.changed(rebuilt), UTC))
    disk.make_folder(kept)
    for file in (*(_side(path, side) for side in _SIDES), mirror.folder):
        if disk.exists(file):
            disk.rename(file, kept / file.name)
    disk.rename(rebuilt, path)
    disk.sync_folder(path.parent)


def _kept(path: Path, at: datetime) -> Path:
    return path.with_name("damaged") / at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _side(path: Path, side: str) -> Path:
    return path.with_name(path.name + side)


def _found(path: Path, log: bytes, mirror: Mirror) -> dict[int, Content]:
    """The columns of every fact that was saved, by seq: as the mirror has it, else as the pages do."""
    carved = (*carve_database(mirror.disk.read(path)), *carve_log(log))
    found: dict[int, Content] = {record.seq: record.content for record in carved}
    found.update({line.seq: line.content for line in mirror.lines()})
    return found


def _write(conn: Connection, found: Mapping[int, Content], agent: str, now: datetime) -> tuple[int, ...]:
    """Every fact in a chain from 1 to the last; the seqs that had to be filled."""
    previous, lost = FIRST, []
    for seq in range(1, max(found, default=0) + 1):
        content = found.get(seq)
        if content is None or not _understood(content):
            lost.append(seq)
            content = _filler(seq, agent, now)
        record = chained(content, previous)
        try:
            put(conn, record)
        except sqlite3.IntegrityError:  # it corrects a fact that was lost, or its id stands twice
            lost.append(seq)
            record = chained(_filler(seq, agent, now), previous)
            put(conn, record)
        previous = record.hash
    return tuple(lost)


def _understood(content: Content) -> bool:
    try:
        _body.decode(content[8])
    except (msgspec.MsgspecError, TypeError):
        return False
    return True


def _filler(seq: int, agent: str, now: datetime) -> Content:
    at = now.astimezone(UTC).isoformat(timespec="microseconds")
    body = msgspec.json.encode(FactLost(about=f"journal/{agent}")).decode()
    id = str(uuid5(NAMESPACE_OID, f"{agent}/{seq}/{at}"))
    return (seq, id, agent, at, at, 1, "", "", body)


def _copy_rest(conn: Connection, damaged: Path, disk: Disk) -> None:
    """What else the old file gives: counters, states of machines, plans. Each can be missing.

    Its plans are worked with until the ERP has told all of them anew; those that do not come again go then.
    """
    try:
        with closing(disk.look(damaged)) as old:
            names = [name for (name,) in conn.execute(_TABLES) if name not in _OURS]
            for name in names:
                _copy_table(conn, old, name)
        conn.execute("UPDATE plan SET generation = 0")
    except _UNREADABLE:
        return  # nothing of it can be read


_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " AND name NOT LIKE '\\_%' ESCAPE '\\'"
)


def _copy_table(conn: Connection, old: Connection, name: str) -> None:
    columns = [row[1] for row in conn.execute(f"PRAGMA table_info({name})")]
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names
    conn.execute("BEGIN IMMEDIATE")
    try:
        for row in old.execute(f"SELECT {', '.join(columns)} FROM {name}"):  # noqa: S608
            conn.execute(insert, row)
    except _UNREADABLE:
        pass  # a damaged page, or a row that no longer fits: what was read before it stays
    conn.execute("COMMIT")
