"""The journal as people read it: each fact with what became of it."""

from __future__ import annotations

from typing import Any

import msgspec

from edge_agent.store.cursor import cursor
from edge_agent.store.database import Connection
from edge_agent.store.journal import facts, tail
from edge_agent.store.parking import is_never_booked, resend
from edge_agent.views import JournalRow, Sent
from sync.contract import Fact


def journal_rows(conn: Connection, connector: str, limit: int, after: int | None) -> list[JournalRow]:
    """The newest facts, or those after a seq; oldest first, at most `limit`."""
    rows = tail(conn, limit) if after is None else facts(conn, after, limit)
    reached = cursor(conn, connector)
    return [_row(conn, connector, reached, fact) for fact in rows]


def sent_again(conn: Connection, connector: str, seq: int) -> JournalRow:
    """Let a refused fact go again, as `parking.resend`; the fact as it stands now. Inside a transaction."""
    resend(conn, connector, seq)
    (row,) = journal_rows(conn, connector, 1, seq - 1)
    return row


def _row(conn: Connection, connector: str, reached: int, fact: Fact) -> JournalRow:
    parked = conn.execute(
        "SELECT state, reason FROM parked WHERE connector = ? AND seq = ?", (connector, fact.seq)
    ).fetchone()
    state, reason = parked or ("", "")
    refused = state in ("refused", "held")
    accepted = state in ("booked", "done") or (not state and fact.seq <= reached)
    sent: Sent = "refused" if refused else "yes" if accepted else "no"
    if accepted and is_never_booked(conn, connector, fact.id):
        sent = "settled"
    body: dict[str, Any] = msgspec.to_builtins(fact.body)
    return JournalRow(
        seq=fact.seq, id=fact.id, kind=type(fact.body).__name__, about=fact.body.about,
        event_time=fact.event_time, record_time=fact.record_time, terminal=fact.terminal, person=fact.person,
        sent=sent, reason=reason if refused else "", body=body,
    )  # fmt: skip
