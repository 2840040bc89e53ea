"""Writes to machines in the journal: what was let through, and what came of it."""

from __future__ import annotations

from datetime import datetime

from edge_agent.store.database import Connection
from edge_agent.store.journal import SELECT, time_text, to_fact
from sync.contract import Fact

_UNFINISHED = (
    " WHERE kind = 'MachineWriteRequested' AND NOT EXISTS (SELECT 1 FROM journal f"
    " WHERE f.kind = 'MachineWriteFinished' AND json_extract(f.payload, '$.request') = journal.id) ORDER BY seq"
)


def fact_of(conn: Connection, id: str) -> Fact | None:
    """The fact of this id, of whatever kind; None when there is none."""
    return _one(conn, " WHERE id = ?", id)


def finish_of(conn: Connection, request: str) -> Fact | None:
    """The MachineWriteFinished that names a request; None while nobody knows what came of it."""
    found = " WHERE kind = 'MachineWriteFinished' AND json_extract(payload, '$.request') = ?"
    return _one(conn, found, request)


def unfinished(conn: Connection) -> tuple[Fact, ...]:
    """The requests of which nobody knows what came of them, in order."""
    rows = conn.execute(SELECT + _UNFINISHED)
    return tuple(map(to_fact, rows))


def let_through(conn: Connection, since: datetime) -> tuple[Fact, ...]:
    """The requests that happened after `since`, in order."""
    rows = conn.execute(
        SELECT + " WHERE kind = 'MachineWriteRequested' AND event_time > ? ORDER BY seq", (time_text(since),)
    )
    return tuple(map(to_fact, rows))


def _one(conn: Connection, where: str, id: str) -> Fact | None:
    row = conn.execute(SELECT + where, (id,)).fetchone()
    return None if row is None else to_fact(row)
