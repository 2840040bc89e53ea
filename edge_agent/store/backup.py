"""A copy of the journal while the agent works, and what makes a journal of such a copy on another PC.

The numbers of a restored journal: the old PC may have sent facts after the backup, and the ERP counts by
those numbers what its plans hold. So the ERP is asked how far it knows this agent, every number up to there
is taken (`FactLost`, and not sent to whom knows better), and new facts begin behind it. What the backup
does not know of receipts is asked for again: the ERP knows the ids, nothing is booked twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

from edge_agent.store import journal, schema
from edge_agent.store.database import Connection, connect
from edge_agent.store.disk import Disk
from edge_agent.store.errors import StoreError, store_error
from edge_agent.store.journal import time_text
from edge_agent.store.parking import hold
from edge_agent.store.rebuilding import filler, put_lost
from edge_agent.store.records import chained

KEPT = 5  # copies in the folder: whoever asks for one takes it away
_ROOM = 2**24  # bytes that must be free beside a copy: people go on working


def back_up(conn: Connection, file: Path, disk: Disk) -> int:
    """Write the whole database to a new file of mode 0600, synced; how many bytes. Outside a transaction.

    Of the copies beside it the oldest go, so that 5 stay. Raises StoreError: the file is there, there is no room
    for it, or it can not be written; nothing is left of it then.
    """
    if disk.exists(file):
        raise StoreError("io", f"{file} is there already: a backup never overwrites. Name a new file.")
    try:
        disk.make_folder(file.parent)
        _room_for(conn, file, disk)
        copy = disk.append(file)
    except OSError as error:
        raise StoreError("io", f"The agent can not write {file}: {error.strerror}.") from error
    try:
        conn.execute("VACUUM INTO ?", (str(file),))  # into a file of nothing, with the rights that it has
        copy.sync()
        for old in disk.names(file.parent, "journal-*.db")[:-KEPT]:  # their names begin with the time
            disk.remove(old)
        disk.sync_folder(file.parent)
        return copy.size
    except (OSError, sqlite3.Error) as error:
        disk.remove(file)
        raise StoreError("io", f"The backup to {file} failed: {error}.") from error
    finally:
        copy.close()


def _room_for(conn: Connection, file: Path, disk: Disk) -> None:
    (size,) = conn.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()
    if (free := disk.free(file.parent)) < size + _ROOM:
        raise StoreError(
            "io",
            f"A backup takes {size // 2**20 + 1} MiB and {_ROOM // 2**20} MiB must stay free, the disk has "
            f"{free // 2**20} MiB. Take old files away from {file.parent}, or make room.",
        )


def opened(copy: Path, agent: str) -> int:
    """Bring a copy of a backup to the schema of this program; the number of its last fact.

    Raises StoreError: it is no backup, it is damaged, or of another agent.
    """
    try:
        with closing(connect(copy)) as conn:
            schema.upgrade(conn)
            broken = journal.verify(conn)
            last = journal.tail(conn, 1)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        kind = store_error(error) if isinstance(error, sqlite3.Error) else None
        raise StoreError("corrupt", f"That is no backup of Floorhand, or it is damaged ({error}).") from kind
    if broken is not None:
        raise StoreError("corrupt", f"The backup is damaged: fact {broken} is not what was written. Take another.")
    if last and last[0].agent != agent:
        raise StoreError(
            "other_agent",
            f"The backup is of agent {last[0].agent!r}, the site file says {agent!r}. Take the site file of "
            "that agent, or another backup.",
        )
    return last[0].seq if last else 0


def continue_behind(copy: Path, agent: str, known: Mapping[str, int], now: datetime) -> tuple[int, int]:
    """Make the copy the journal of a new PC; the numbers that were filled, as the first and the last.

    `known` is for each connector the highest number of this agent that its ERP has decided.
    """
    with closing(connect(copy)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        first, last = journal.last_seq(conn) + 1, max(known.values(), default=0)
        _fill(conn, agent, last, now)
        _in_one_doubt(conn, first, last)
        # Plans come anew and hold what was booked; what was refused may be booked by now: ask, do not count.
        conn.execute("DELETE FROM plan")
        conn.execute("DELETE FROM pulled")
        conn.execute("DELETE FROM parked WHERE state = 'booked'")
        conn.execute("UPDATE parked SET state = 'unsure', held_back_by = NULL WHERE state <> 'done'")
        conn.execute("DELETE FROM session")  # an input that a terminal had in hand may have been taken since
        for connector, upto in known.items():
            _settled(conn, connector, first, upto, now)
        conn.execute("COMMIT")
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return first, last


def _fill(conn: Connection, agent: str, last: int, now: datetime) -> None:
    seq, previous = conn.execute("SELECT seq, hash FROM base").fetchone()
    row = conn.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = row or (seq, previous)
    for number in range(seq + 1, last + 1):
        record = chained(filler(number, agent, now), previous)
        put_lost(conn, record)
        previous = record.hash


def _in_one_doubt(conn: Connection, first: int, last: int) -> None:
    """The ERP has what the numbers were: people look at all of them once, and not at each."""
    conn.execute("DELETE FROM doubt WHERE kind = 'lost' AND seq > ? AND seq <= ?", (first, last))
    conn.execute(
        "UPDATE doubt SET last = ?, facts = ? WHERE kind = 'lost' AND seq = ?", (last, last - first + 1, first)
    )


def _settled(conn: Connection, connector: str, first: int, upto: int, now: datetime) -> None:
    """The ERP of this connector knows better what the filled numbers were: they are not sent to it."""
    conn.execute(
        "INSERT INTO parked (connector, seq, about, state, since)"
        " SELECT ?, seq, about, 'done', ? FROM journal WHERE seq >= ? AND seq <= ?",
        (connector, time_text(now), first, upto),
    )
    hold(conn, connector, now)
