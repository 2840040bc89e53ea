"""The states and stops of the machines on disk, and what the journal says of each stop."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from edge_agent.machines.stops import Span, Stop
from edge_agent.store.database import Connection
from edge_agent.store.journal import time_text
from sync.contract import DowntimeRecorded

_body = msgspec.json.Decoder(DowntimeRecorded)

# A stop and the last fact about it.
_STOPS = """
    SELECT s.id, s.began, s.ended, s.state, s.alarm, j.seq, j.payload FROM stop s
    LEFT JOIN journal j ON j.seq = (
        SELECT max(f.seq) FROM journal f INDEXED BY journal_stop
        WHERE json_extract(f.payload, '$.stop') = s.id AND f.kind = 'DowntimeRecorded'
    )
"""


def keep_span(conn: Connection, equipment: str, span: Span, seen: datetime) -> None:
    """A state that began or ended; inside a transaction."""
    conn.execute(
        "INSERT OR REPLACE INTO equipment_state (equipment, began, ended, seen, state, raw, mode, alarm)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            equipment, time_text(span.began), _text(span.ended), time_text(span.ended or seen), span.state,
            span.raw, span.mode, span.alarm,
        ),
    )  # fmt: skip


def keep_seen(conn: Connection, seen: datetime) -> None:
    """All machines are still in the state that they were in; inside a transaction."""
    conn.execute("UPDATE equipment_state SET seen = max(seen, ?) WHERE ended IS NULL", (time_text(seen),))


def keep_stop(conn: Connection, equipment: str, stop: Stop) -> None:
    """A stop that began or ended; inside a transaction."""
    conn.execute(
        "INSERT OR REPLACE INTO stop (id, equipment, began, ended, state, alarm) VALUES (?, ?, ?, ?, ?, ?)",
        (stop.id, equipment, time_text(stop.began), _text(stop.ended), stop.state, stop.alarm),
    )


def close_all(conn: Connection) -> Mapping[str, Stop]:
    """Nobody has listened since the last `seen`: what was open ended there. Inside a transaction.

    Returns the stops that were open, by machine, as they ended.
    """
    rows = conn.execute(
        "SELECT s.equipment, s.id, coalesce(max(e.seen), s.began) FROM stop s LEFT JOIN equipment_state e"
        " ON e.equipment = s.equipment AND e.began >= s.began WHERE s.ended IS NULL GROUP BY s.id"
    ).fetchall()
    conn.execute("UPDATE equipment_state SET ended = seen WHERE ended IS NULL")
    ended = {}
    for equipment, id, seen in rows:
        conn.execute("UPDATE stop SET ended = ? WHERE id = ?", (seen, id))
        ended[equipment] = stop_of(conn, id)
    return {equipment: stop for equipment, stop in ended.items() if stop is not None}


def stop_of(conn: Connection, id: str) -> Stop | None:
    """One stop, with what was said of it; None when it is not kept (any more)."""
    row = conn.execute(_STOPS + " WHERE s.id = ?", (id,)).fetchone()
    return None if row is None else _stop(row)


def stops(conn: Connection, equipment: str, since: datetime) -> tuple[Stop, ...]:
    """The stops of a machine that were not over at `since`, with what was said of them, newest first.

    One that goes on is one of them however long ago it began.
    """
    rows = conn.execute(
        _STOPS + " WHERE s.equipment = ? AND (s.ended IS NULL OR s.ended > ?) ORDER BY s.began DESC",
        (equipment, time_text(since)),
    )
    return tuple(_stop(row) for row in rows)


def spans(conn: Connection, equipment: str, began: datetime, ended: datetime) -> tuple[Span, ...]:
    """The states of a machine that lie in the interval, in part or whole, in order."""
    rows = conn.execute(
        "SELECT state, began, raw, mode, alarm, coalesce(ended, seen) FROM equipment_state"
        " WHERE equipment = ? AND began < ? AND (ended IS NULL OR ended > ?) ORDER BY began",
        (equipment, time_text(ended), time_text(began)),
    )
    return tuple(
        Span(state, datetime.fromisoformat(start), raw, mode, alarm, datetime.fromisoformat(end))
        for state, start, raw, mode, alarm, end in rows
    )


def known_since(conn: Connection, equipment: str) -> datetime | None:
    """When the oldest state began that is kept of a machine; None when there is none."""
    row = conn.execute("SELECT min(began) FROM equipment_state WHERE equipment = ?", (equipment,)).fetchone()
    return None if row[0] is None else datetime.fromisoformat(row[0])


def _stop(row: tuple[str, str, str | None, str, str, int | None, str | None]) -> Stop:
    id, began, ended, state, alarm, seq, payload = row
    stop = Stop(
        id, datetime.fromisoformat(began), state, alarm, datetime.fromisoformat(ended) if ended else None
    )
    if payload is None or seq is None:
        return stop
    body = _body.decode(payload)
    return Stop(
        stop.id, stop.began, stop.state, stop.alarm, stop.ended, body.reason, body.late, body.splits, seq
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)
