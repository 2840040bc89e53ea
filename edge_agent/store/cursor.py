"""How far a connector is: a number, and the hash of the fact that it names.

One flipped bit in a number would make a thousand facts look delivered. A cursor whose hash is not that of its fact
counts for nothing: everything that the journal has is offered again, from the front. The ERP knows the ids and books
nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from edge_agent.store.database import Connection

# The cursor, if it is what was written. Also a journal that has let its fact go names it: as its base.
_REACHED = """
    SELECT seq FROM delivered d WHERE connector = :connector AND hash = coalesce(
        (SELECT hash FROM journal WHERE seq = d.seq), (SELECT hash FROM base WHERE seq = d.seq)
    )
"""
_REACH = """
    INSERT OR REPLACE INTO delivered (connector, seq, hash) SELECT :connector, :seq, coalesce(
        (SELECT hash FROM journal WHERE seq = :seq), (SELECT hash FROM base WHERE seq = :seq)
    )
"""

# What the ERP took without a word. What stands in for a fact that was lost it may never have seen.
_ACCEPTED = """
    SELECT seq, id FROM journal WHERE seq <= ? AND kind <> 'FactLost'
        AND NOT EXISTS (SELECT 1 FROM parked k WHERE k.connector = ? AND k.seq = journal.seq)
    ORDER BY seq DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A fact that the ERP has."""

    seq: int
    id: str


def cursor(conn: Connection, connector: str) -> int:
    """Every fact up to this seq has a receipt or a row in `parked`, or has left the journal."""
    reached = conn.execute(_REACHED, {"connector": connector}).fetchone()
    (seq,) = reached or conn.execute("SELECT seq FROM base").fetchone()
    return int(seq)


def is_sound(conn: Connection, connector: str) -> bool:
    """Whether the cursor is what was written; none at all is."""
    there = conn.execute("SELECT 1 FROM delivered WHERE connector = ?", (connector,)).fetchone()
    return there is None or conn.execute(_REACHED, {"connector": connector}).fetchone() is not None


def reach(conn: Connection, connector: str, seq: int) -> None:
    """The connector is at this fact of the journal, or at its base; inside a transaction."""
    conn.execute(_REACH, {"connector": connector, "seq": seq})


def accepted(conn: Connection, connector: str, upto: int | None = None) -> Accepted | None:
    """The last fact, with a seq up to `upto`, that the ERP has taken at once; None: the journal has none."""
    reached = cursor(conn, connector)
    row = conn.execute(_ACCEPTED, (reached if upto is None else min(reached, upto), connector)).fetchone()
    return Accepted(*row) if row is not None else None


def mend(conn: Connection, connector: str, now: datetime) -> None:
    """Begin anew where the cursor is not what was written; inside a transaction."""
    if not is_sound(conn, connector):
        why = f"How far connector {connector} was is no longer known: the number has rotted on the disk."
        _begin_anew(conn, connector, why, now)


def forgotten(conn: Connection, connector: str, as_of_seq: int, now: datetime) -> None:
    """The ERP has the facts up to `as_of_seq` and no longer all behind it: begin anew; inside a transaction."""
    (base,) = conn.execute("SELECT seq FROM base").fetchone()
    had = cursor(conn, connector)
    why = (
        f"The ERP of connector {connector} had answered the reports of this PC up to number {had} and now has them "
        f"up to number {as_of_seq} only: was an old backup of it restored?"
    )
    if as_of_seq < base:
        why += (
            f" Numbers {as_of_seq + 1} to {base} have left this PC, nobody can send them again: compare the books of "
            "the ERP with a backup of this PC."
        )
    # What it took out of turn it may have lost as well. What it refused, and what waits, stands as it is.
    conn.execute("DELETE FROM parked WHERE connector = ? AND state IN ('done', 'booked')", (connector,))
    _begin_anew(conn, connector, why, now)


def _begin_anew(conn: Connection, connector: str, why: str, now: datetime) -> None:
    """Everything that the journal has is offered again, and people are told of it."""
    (base,) = conn.execute("SELECT seq FROM base").fetchone()
    (facts,) = conn.execute("SELECT coalesce(max(seq), ?1) - ?1 FROM journal", (base,)).fetchone()
    reach(conn, connector, base)
    told = "SELECT 1 FROM incident WHERE at = ?1 UNION ALL SELECT 1 FROM decided WHERE exception = 'incident/' || ?1"
    while conn.execute(told, (now.isoformat(),)).fetchone():
        now += timedelta(microseconds=1)
    conn.execute("INSERT INTO incident VALUES (?, ?, '', ?, '[]')", (now.isoformat(), why, facts))
