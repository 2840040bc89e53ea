"""A look at all that a start has no time for: every row of the journal, the indexes that find them, and their totals.

In steps, on the one connection, between the jobs of others. What is found is told; a start mends it.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.store.database import Connection
from edge_agent.store.errors import UNREADABLE
from edge_agent.store.records import first_unsound
from edge_agent.store.recovery import CHECKED
from edge_agent.store.retention import base_of
from edge_agent.store.totals import Total, differing

# Where each walk goes, by what: every page of the tree is read, and each entry leads to its row.
_WALKS = (
    ("the index of ids", "SELECT id, seq FROM journal INDEXED BY sqlite_autoindex_journal_1", ("id",), ("",)),
    ("the index of jobs", "SELECT about, seq FROM journal INDEXED BY journal_about", ("about", "seq"), ("", 0)),
    (
        "the totals of the jobs", "SELECT job, kind, requirement, seq FROM job_total",
        ("job", "kind", "requirement", "seq"), ("", "", "", 0),
    ),
)  # fmt: skip

Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """How far a look at everything has come: rows up to `checked`, then the walks one after the other.

    `upto` is the last row that was there when it began. `over`: all was seen. `wrong` says what is, in words; `totals`
    are those that this step found to differ from their facts, which is no damage: they are summed up again.
    """

    checked: int
    upto: int
    walk: int = 0
    after: Key = ()
    counted: int = 0
    over: bool = False
    wrong: str = ""
    totals: tuple[Total, ...] = ()

    @property
    def rows_left(self) -> int:
        """Rows whose hash was not looked at yet in this round."""
        return max(0, self.upto - self.checked)


def begun(conn: Connection) -> Round:
    """A round from the front of the journal to where its end is now."""
    base = base_of(conn).seq
    (last,) = conn.execute("SELECT coalesce(max(seq), ?) FROM journal", (base,)).fetchone()
    return Round(base, last)


def rows_to_see(conn: Connection) -> int:
    """How many rows no start has looked at."""
    first = begun(conn)
    return first.rows_left if first.rows_left > CHECKED else 0


def stepped(conn: Connection, now: Round, limit: int) -> Round:
    """The same round after a look at `limit` rows or entries more."""
    try:
        if now.rows_left:
            return _rows(conn, now, limit)
        return _walked(conn, now, limit) if now.walk < len(_WALKS) else _summed(conn, now, limit)
    except UNREADABLE as error:
        return _ended(now, f"The journal can not be read behind row {now.checked} ({error}).")


def stepped_again(conn: Connection, now: Round, limit: int) -> Round:
    """The same from the disk: SQLite calls a file damaged after a read that failed and goes by."""
    conn.execute("PRAGMA shrink_memory")
    return stepped(conn, now, limit)


def _rows(conn: Connection, now: Round, limit: int) -> Round:
    base = base_of(conn)
    start = max(base.seq, now.checked - 1)  # the row before joins what was seen with what comes
    broken = first_unsound(conn, start, base.hash if start == base.seq else None, limit)
    seen = min(start + limit, now.upto)
    if broken is not None and broken <= now.upto:
        return _ended(now, f"Row {broken} of the journal is not what was written.")
    return Round(seen, now.upto)


def _walked(conn: Connection, now: Round, limit: int) -> Round:
    name, select, key, first = _WALKS[now.walk]
    columns, marks = ", ".join(key), ", ".join("?" * len(key))
    query = f"{select} WHERE ({columns}) > ({marks}) ORDER BY {columns} LIMIT ?"  # texts of this file
    rows = conn.execute(query, (*(now.after or first), limit)).fetchall()
    counted = now.counted + sum(row[-1] <= now.upto for row in rows)
    if len(rows) == limit:
        return Round(now.checked, now.upto, now.walk, tuple(rows[-1][: len(key)]), counted)
    if now.walk < 2 and counted < now.upto - base_of(conn).seq:
        return _ended(now, f"{name.capitalize()} has lost some: rows of the journal can not be found.")
    return Round(now.checked, now.upto, now.walk + 1)


def _summed(conn: Connection, now: Round, limit: int) -> Round:
    """The last walk: the totals that belong to the next facts."""
    start = now.counted or base_of(conn).seq
    end = min(start + limit, now.upto)
    found = differing(conn, start, end)
    return Round(now.checked, now.upto, now.walk, counted=end, over=end >= now.upto, totals=found)


def _ended(now: Round, wrong: str = "") -> Round:
    return Round(now.checked, now.upto, now.walk, over=True, wrong=wrong)
