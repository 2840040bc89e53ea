"""Connectors that were taken out of the site file: what waits for them is told, and stops nothing for the others."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from edge_agent.display import many
from edge_agent.store.cursor import cursor
from edge_agent.store.database import Connection
from edge_agent.store.journal import last_seq, time_text

# Never had: those behind the cursor, and those that wait behind a refused one or to go again.
_WAITING = """
    SELECT (SELECT count(*) FROM journal j WHERE j.seq > :cursor
            AND NOT EXISTS (SELECT 1 FROM parked k WHERE k.connector = :connector AND k.seq = j.seq))
        + (SELECT count(*) FROM parked WHERE connector = :connector AND state IN ('held', 'retry', 'unsure'))
"""
# From where on they wait. What was lost before is told with them, and then what was held is not looked for.
_FORMER = """
    INSERT INTO former VALUES (
        :connector, :at, min(:cursor, coalesce((
            SELECT min(seq) - 1 FROM parked WHERE connector = :connector AND state IN ('held', 'retry', 'unsure')
        ), :cursor)), :waiting, :last
    )
    ON CONFLICT DO UPDATE SET at = excluded.at, seq = :cursor, facts = facts + excluded.facts, behind = excluded.behind
"""
# Those that are offered again, and those that it refused and that are not.
_STILL = """
    SELECT (SELECT count(*) FROM journal WHERE seq > :from AND seq <= :behind)
            - (SELECT count(*) FROM stranded WHERE connector = :connector AND seq > :from AND seq <= :behind),
        (SELECT count(*) FROM stranded WHERE connector = :connector AND seq > :seq AND seq <= :base)
"""
_STRAND = """
    INSERT OR REPLACE INTO stranded
    SELECT k.connector, j.id, j.seq, j.agent, j.event_time, j.record_time, j.clock_ok, j.terminal, j.person, j.payload,
        k.code, k.reason, k.attempts, k.since, :last
    FROM parked k JOIN journal j ON j.seq = k.seq WHERE k.connector = :connector AND k.state = 'refused'
"""


def serve(conn: Connection, connectors: Collection[str], now: datetime) -> None:
    """These are the connectors of the site file now; inside a transaction, before anything is sent.

    Where another one was, its place in the journal is given up: what it refused stays in the list of exceptions, whole,
    and how many facts it never had. One that comes back is offered again all that the journal still has.
    """
    named = set(connectors)
    known = conn.execute("SELECT connector FROM delivered UNION SELECT connector FROM parked").fetchall()
    for connector in sorted({name for (name,) in known} - named):
        _take_out(conn, connector, now)
    for connector in named:
        _comes_back(conn, connector)
        # One that never answers has a place as well: when it goes, it is told what it never had.
        conn.execute("INSERT OR IGNORE INTO delivered SELECT ?, seq, hash FROM base", (connector,))


def _comes_back(conn: Connection, connector: str) -> None:
    """What the journal still has is offered again: told is what it never had and what is no longer there.

    Said of one that is there all along, nothing changes.
    """
    (base,) = conn.execute("SELECT seq FROM base").fetchone()
    row = conn.execute("SELECT seq, facts, behind FROM former WHERE connector = ?", (connector,)).fetchone()
    if row is not None:
        lost = _lost(conn, connector, base, *row)
        if lost > 0:
            conn.execute("UPDATE former SET seq = behind, facts = ? WHERE connector = ?", (lost, connector))
        else:
            conn.execute("DELETE FROM former WHERE connector = ?", (connector,))
    conn.execute("DELETE FROM stranded WHERE connector = ? AND seq > ?", (connector, base))


def _lost(conn: Connection, connector: str, base: int, seq: int, facts: int, behind: int) -> int:
    """How many of the facts that are told have left the journal.

    Which ones behind `seq` it had already, because only facts before them were held, nobody knows any more: rather
    one too many is told than one too few.
    """
    names = {"connector": connector, "from": max(base, seq), "behind": behind, "seq": seq, "base": base}
    still, refused = conn.execute(_STILL, names).fetchone()
    return int(max(facts - still, min(facts, base - seq - refused)))


def _take_out(conn: Connection, connector: str, now: datetime) -> None:
    names = {"connector": connector, "cursor": cursor(conn, connector), "last": last_seq(conn)}
    conn.execute(_STRAND, names)
    (waiting,) = conn.execute(_WAITING, names).fetchone()
    if waiting:
        conn.execute(_FORMER, names | {"at": time_text(now), "waiting": waiting})
    # Its plans were made with receipts that are forgotten here: they are pulled anew when it comes back.
    for table in ("parked", "delivered", "pulled"):
        conn.execute(f"DELETE FROM {table} WHERE connector = ?", (connector,))  # noqa: S608 - our own names
    conn.execute("UPDATE plan SET generation = 0 WHERE connector = ?", (connector,))  # those that do not come again go


def problems(conn: Connection) -> list[str]:
    """Which connectors are gone while facts wait for them, in words."""
    rows = conn.execute(
        "SELECT connector, sum(never), sum(refused) FROM ("
        " SELECT connector, facts AS never, 0 AS refused FROM former"
        " UNION ALL SELECT connector, 0, count(*) FROM stranded GROUP BY connector"
        ") GROUP BY connector ORDER BY connector"
    ).fetchall()
    return [
        f"Connector {connector} is no longer in the site file, and {many(never + refused, 'report', 'reports')} "
        f"wait{'s' * (never + refused == 1)} for it" + (f", {refused} of them refused" if refused else "")
        + ". Put it back, or settle them on the exceptions screen (V): hand over, or acknowledge."
        for connector, never, refused in rows
    ]
