"""How much of the samples is kept: the oldest go first, and are told to readers as a gap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from edge_agent.machines.by_exception import MICROSECOND, Gap
from edge_agent.store.database import Connection

BLOCK_SAMPLES = 60_000  # of a lane in one block: bounds the memory and the time that a block takes
TAIL_SAMPLES = 1_000_000  # some 12 MB
TAIL_AGE = timedelta(minutes=30)
LOG_BYTES = 4 * 1024 * 1024  # what SQLite's log may keep beside the database
_MOST_GAPS = 10_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept: bytes of all files of the database, and the age since it was stored."""

    bytes: int
    age: timedelta
    tail_age: timedelta = TAIL_AGE
    tail_samples: int = TAIL_SAMPLES
    block_samples: int = BLOCK_SAMPLES

    @property
    def database_bytes(self) -> int:
        """What the database may take beside its log."""
        return self.bytes - min(LOG_BYTES, self.bytes // 4)


def limit(conn: Connection, bounds: Bounds, now: int) -> None:
    """Hold the file to its size: the operating system's word is the last one, even against our own sums."""
    (page,) = conn.execute("PRAGMA page_size").fetchone()
    pages = bounds.database_bytes // page
    conn.execute("BEGIN IMMEDIATE")
    while drop_aged(conn, bounds, now):
        pass
    make_room(conn, bounds)
    conn.execute("COMMIT")
    (size,) = conn.execute("PRAGMA page_count").fetchone()
    if size > pages:
        conn.execute("VACUUM")  # the site file allows less than before
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    conn.execute(f"PRAGMA max_page_count = {pages:d}")


def make_room(conn: Connection, bounds: Bounds) -> None:
    """Drop the oldest until there is room for a commit and a block."""
    (page,) = conn.execute("PRAGMA page_size").fetchone()
    allowed = bounds.database_bytes - bounds.database_bytes // 32
    while _pages(conn) * page > allowed and (_drop(conn, "block") or _drop(conn, "tail")):
        pass


def _pages(conn: Connection) -> int:
    (all_pages,) = conn.execute("PRAGMA page_count").fetchone()
    (free,) = conn.execute("PRAGMA freelist_count").fetchone()
    return int(all_pages - free)


def drop_aged(conn: Connection, bounds: Bounds, now: int) -> bool:
    """Drop the oldest block if it is too old; whether it was."""
    oldest = now - bounds.age // MICROSECOND
    found = conn.execute("SELECT stored FROM block ORDER BY id LIMIT 1").fetchone()
    return found is not None and found[0] < oldest and _drop(conn, "block")


def _drop(conn: Connection, table: Literal["block", "tail"]) -> bool:
    """Drop the oldest row of a table and count it, if it is in no block; False when there is none."""
    key = "id" if table == "block" else "seq"
    found = conn.execute(
        f"SELECT {key}, seq, lane, first, last, count FROM {table} ORDER BY {key} LIMIT 1"  # noqa: S608 - names of ours
    ).fetchone()
    if found is None:
        return False
    number, seq, lane, first, last, count = found
    conn.execute(f"DELETE FROM {table} WHERE {key} = ?", (number,))  # noqa: S608 - as above
    if table == "tail" and conn.execute(
        "SELECT folded FROM lane WHERE id = ?", (lane,)
    ).fetchone()[0] >= seq:
        return True
    device = device_of(conn, lane)
    widened = conn.execute(
        "UPDATE gap SET since = min(since, ?), until = max(until, ?), count = count + ?"
        " WHERE reason = 'dropped' AND device = ?",
        (first, last, count, device),
    )
    if not widened.rowcount:
        mark(conn, Gap(first, last, "dropped", device, count=count))
    return True


def mark(conn: Connection, gap: Gap) -> None:
    """Record a gap. A device may tell one gap in pieces that overlap: they become one."""
    if gap.reason == "device" and conn.execute(
        "UPDATE gap SET since = min(since, ?2), until = max(until, ?3) WHERE since <= ?3 AND until >= ?2 AND id ="
        " (SELECT max(id) FROM gap WHERE reason = 'device' AND device = ?1 AND item = ?4)",
        (gap.device, gap.since, gap.until, gap.item),
    ).rowcount:
        return
    conn.execute(
        "INSERT INTO gap (device, item, since, until, reason, count) VALUES (?, ?, ?, ?, ?, ?)",
        (gap.device, gap.item, gap.since, max(gap.since, gap.until), gap.reason, gap.count),
    )
    if _gaps(conn) > _MOST_GAPS:
        _forget_gaps(conn)


def _gaps(conn: Connection) -> int:
    (count,) = conn.execute("SELECT count(*) FROM gap WHERE reason <> 'dropped'").fetchone()
    return int(count)


def _forget_gaps(conn: Connection) -> None:
    """Forget the gaps of a time of which no sample is left; where all are needed, two of the oldest become one.

    The one covers both and the time between them: less is then known than could be, but nothing looks whole that is
    not.
    """
    conn.execute(
        "DELETE FROM gap WHERE reason <> 'dropped' AND until <"
        " (SELECT min(first) FROM (SELECT first FROM block UNION ALL SELECT first FROM tail))"
    )
    while _gaps(conn) > _MOST_GAPS:
        found = conn.execute(
            "SELECT id, since, until, count, next FROM (SELECT *, (SELECT n.id FROM gap n WHERE n.id > g.id AND"
            " n.device = g.device AND n.item = g.item AND n.reason = g.reason ORDER BY n.id LIMIT 1) AS next"
            " FROM gap g WHERE reason <> 'dropped') WHERE next IS NOT NULL ORDER BY id LIMIT 1"
        ).fetchone()
        if found is None:
            return  # one of each item, and no more
        old, since, until, count, neighbour = found
        conn.execute(
            "UPDATE gap SET since = min(since, ?), until = max(until, ?), count = count + ? WHERE id = ?",
            (since, until, count, neighbour),
        )
        conn.execute("DELETE FROM gap WHERE id = ?", (old,))


def device_of(conn: Connection, lane: int) -> str:
    """The device that a lane is of."""
    (device,) = conn.execute("SELECT device FROM lane WHERE id = ?", (lane,)).fetchone()
    return str(device)
