"""A damaged database at the start: found, put aside, and its facts brought back, without a person.

What is believed only after a second look: SQLite calls a file damaged after a read that failed and goes
by. What can be wrong: the file does not open, its pages do not fit together, the texts of its tables and
triggers are not those that were made, rows are not what was written, or its end is missing although the
mirror has it (one wrong bit in the write-ahead log drops every commit behind it, and no check of SQLite
notices).

The new file is built beside the old one and takes its place in one rename. Facts come from the mirror and
from the pages of the old file; each counts only when its hash fits. A number that nothing brings back is
filled with `FactLost`: the journal has no gap, and the office is told. What left the journal for good,
because it was delivered long ago, is not brought back.

The rows that are older than those looked at here are looked at while the agent works. What is found then is
written into a file, and this start looks at all of them.
"""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from edge_agent.store import schema
from edge_agent.store.carving import carve_commits
from edge_agent.store.database import Connection, connect
from edge_agent.store.disk import Disk, replace
from edge_agent.store.errors import UNREADABLE, StoreError, store_error
from edge_agent.store.mirror import Mirror
from edge_agent.store.mirror_lines import mark_of
from edge_agent.store.rebuilding import Incident, base_in, build
from edge_agent.store.records import first_unsound

_ALL = 1_000_000_000
CHECKED = 10_000  # the newest rows, whose chain is checked before anybody works; the others meanwhile

# Pages of 4 kB: a database of up to 64 MB is checked whole before anybody works, one of up to 128 MB in its pages.
# A larger one takes too long: `Round` looks at it meanwhile.
_WHOLE = 16_384
_QUICK = 32_768

_SIDES = ("", "-wal", "-shm")
_REBUILT = "journal.rebuilt"  # whole, and on its way into place
_BESIDE_ITS_MIRROR = "journal.mended"  # the same, and the mirror stays
_SUSPECT = "journal.suspect"  # what was found while the agent worked

def recover(path: Path, agent: str, mirror: Mirror, now: datetime) -> Incident | None:
    """Leave a database at `path` that can be opened and misses nothing; None: it was whole.

    Raises StoreError when the disk does not allow it, OSError as well.
    """
    _finish(path, mirror)
    mirror.open()
    # SQLite empties the log when it closes a database, with all that it could not read in it.
    log = mirror.disk.read(_side(path, "-wal"))
    suspected = path.with_name(_SUSPECT)
    checked = _ALL if mirror.disk.exists(suspected) else CHECKED
    why = examine(path, mirror, log, checked) and examine(path, mirror, log, checked)
    try:
        found = _rebuilt(path, agent, mirror, log, why, now) if why else None
    except sqlite3.Error as error:  # no room for it, most often
        raise store_error(error) or StoreError("io", f"The database can not be mended: {error}.") from error
    mirror.disk.remove(suspected)
    return found


def suspect(path: Path, words: str, disk: Disk) -> None:
    """Damage was found while the agent works: the next start is to look at every row. Raises OSError."""
    replace(disk, path.with_name(_SUSPECT), f"{words}\n".encode())


def examine(path: Path, mirror: Mirror, log: bytes = b"", checked: int = CHECKED) -> str:
    """What is wrong with the database, as a sentence; empty: nothing. Raises StoreError for other troubles.

    `log` is the write-ahead log as it was found: without a mirror, it alone tells what SQLite drops of it.
    `checked` is how many of the newest rows are looked at.
    """
    if not mirror.disk.exists(path):
        return "The database is gone." if mirror.last is not None else ""
    try:
        with closing(connect(path, mirror.disk)) as conn:
            wrong = _wrong(conn, mirror, checked)
            return wrong or ("" if mirror.last is not None else _dropped(conn, log))
    except (StoreError, *UNREADABLE) as error:
        return _unreadable(error)


def look_again(conn: Connection, mirror: Mirror) -> str:
    """The same of a database that is open and answers as if it were damaged. Raises StoreError for other troubles."""
    conn.execute("PRAGMA shrink_memory")  # what is looked at comes from the disk
    try:
        return _wrong(conn, mirror, CHECKED)
    except (StoreError, *UNREADABLE) as error:
        return _unreadable(error)


def _unreadable(error: Exception) -> str:
    trouble = store_error(error) if isinstance(error, sqlite3.Error) else error
    if isinstance(trouble, StoreError) and trouble.kind != "corrupt":
        raise trouble from error
    return f"The database can not be read ({error})."


def _wrong(conn: Connection, mirror: Mirror, checked: int) -> str:
    (pages,) = conn.execute("PRAGMA page_count").fetchone()
    every = checked >= _ALL
    check = "integrity_check" if every or pages <= _WHOLE else "quick_check"  # the first looks into indexes
    (said,) = conn.execute(f"PRAGMA {check}(1)").fetchone() if every or pages <= _QUICK else ("ok",)
    if said != "ok":
        return f"The pages of the database do not fit together ({said})."
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'journal'").fetchone():
        return "The database has lost its journal." if mirror.last is not None else ""
    if not schema.is_as_made(conn):
        return "The tables of the database, or what guards them, are not as they were made."
    base = base_in(conn)
    (last,) = conn.execute("SELECT coalesce(max(seq), ?) FROM journal", (base.seq,)).fetchone()
    if (broken := first_broken(conn, max(base.seq, last - checked))) is not None:
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
    (last,) = conn.execute("SELECT coalesce(max(seq), ?) FROM journal", (base_in(conn).seq,)).fetchone()
    return f"The end of the journal is missing: it has {last} facts, its log {saved}." if saved > last else ""


def first_broken(conn: Connection, start: int, limit: int = _ALL) -> int | None:
    """The first seq after `start` that is not what was written, looking at `limit` rows at most; None: all are."""
    base = base_in(conn)
    return first_unsound(conn, start, base.hash if start == base.seq else None, limit)


def _rebuilt(path: Path, agent: str, mirror: Mirror, log: bytes, why: str, now: datetime) -> Incident:
    disk, kept = mirror.disk, _kept(path, now)
    disk.make_folder(kept)
    if log:
        disk.write(_free(disk, kept / "journal.db-wal.found"), log)
    building = path.with_name("journal.building")
    for side in _SIDES:
        disk.remove(_side(building, side))
    found, as_mirrored = build(building, path, mirror, log, agent, Incident(now, why, str(kept), 0, ()))
    disk.rename(building, path.with_name(_BESIDE_ITS_MIRROR if as_mirrored else _REBUILT))
    disk.sync_folder(path.parent)
    _finish(path, mirror, kept)
    mirror.open()
    return found


def _finish(path: Path, mirror: Mirror, kept: Path | None = None) -> None:
    """Put a database that was built whole into its place: also after a power cut in the middle of it.

    The old mirror goes aside with the old database, unless it has each row of the new one as it is: behind a fact
    that was lost it names other hashes.
    """
    disk = mirror.disk
    for name, aside in ((_REBUILT, (mirror.folder,)), (_BESIDE_ITS_MIRROR, ())):
        rebuilt = path.with_name(name)
        if not disk.exists(rebuilt):
            continue
        kept = kept or _kept(path, datetime.fromtimestamp(disk.changed(rebuilt), UTC))
        disk.make_folder(kept)
        for file in (*(_side(path, side) for side in _SIDES), *aside):
            if disk.exists(file):
                disk.rename(file, _free(disk, kept / file.name))
        disk.rename(rebuilt, path)
        disk.sync_folder(path.parent)


def _kept(path: Path, at: datetime) -> Path:
    return path.with_name("damaged") / at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _free(disk: Disk, path: Path) -> Path:
    """The path, or one beside it that nothing has yet: a PC whose clock begins anew at each start has a second
    file that was damaged at the same moment, and the first is kept as well."""
    numbers = itertools.count(2)
    free = path
    while disk.exists(free):
        free = path.with_name(f"{path.name}.{next(numbers)}")
    return free


def _side(path: Path, side: str) -> Path:
    return path.with_name(path.name + side)
