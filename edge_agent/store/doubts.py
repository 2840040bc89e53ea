"""What is in doubt, read from the journal and what stands beside it; and the decisions that act on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

import msgspec

from edge_agent.doubts import Decided, Doubt
from edge_agent.store import parking
from edge_agent.store.database import Connection
from edge_agent.store.journal import Entry, to_fact
from sync.contract import AnyFact, Fact
from sync.exceptions import ExceptionDecided, about

SHOWN = 99  # of a page: numbers of two digits
_HELD = 20  # facts behind a refused one that are named

# All of them, or (where a key is named) that one: what waits for a decision first, each part the oldest first.
_ALL = """
    SELECT o.kind, o.key, o.connector, o.seq
    FROM (
        SELECT 'refused' AS kind, j.id AS key, k.connector AS connector, k.seq AS seq, k.since AS since
        FROM parked k JOIN journal j ON j.seq = k.seq WHERE k.state = 'refused'
        UNION ALL SELECT kind, key, '', seq, at FROM doubt
        UNION ALL SELECT 'gone', id, connector, seq, since FROM stranded
        UNION ALL SELECT 'gone', 'connector/' || connector, connector, 0, at FROM former
        UNION ALL SELECT 'incident', 'incident/' || at, '', 0, at FROM incident WHERE NOT EXISTS (
            SELECT 1 FROM decided WHERE exception = 'incident/' || incident.at AND choice = 'acknowledge')
    ) o LEFT JOIN decided d ON d.exception = o.key
    WHERE ? IN ('', o.key)
    ORDER BY coalesce(d.choice = 'hand_over' OR (o.kind = 'refused' AND d.choice = 'correct'), 0), o.since, o.seq
    LIMIT ? OFFSET ?
"""

_REFUSED = """
    SELECT journal.seq, journal.id, journal.agent, journal.event_time, journal.record_time, journal.clock_ok,
        journal.terminal, journal.person, journal.payload,
        k.connector, k.code, k.reason, k.attempts, k.since,
        (SELECT min(f.seq) FROM parked f
         WHERE f.connector = k.connector AND f.about = k.about AND f.state = 'refused' AND f.seq < k.seq),
        EXISTS (SELECT 1 FROM journal c WHERE c.corrects = journal.id)
    FROM parked k JOIN journal ON journal.seq = k.seq
    WHERE k.connector = ? AND k.seq = ?
"""

_OPEN = """
    SELECT (SELECT count(*) FROM parked WHERE state = 'refused') + (SELECT count(*) FROM doubt)
        + (SELECT count(*) FROM stranded) + (SELECT count(*) FROM former)
        + (SELECT count(*) FROM incident WHERE NOT EXISTS (
            SELECT 1 FROM decided WHERE exception = 'incident/' || incident.at AND choice = 'acknowledge'))
"""

_body: msgspec.json.Decoder[AnyFact] = msgspec.json.Decoder(AnyFact)
_decision = msgspec.json.Decoder(ExceptionDecided)


def doubts(conn: Connection, skip: int = 0) -> tuple[Doubt, ...]:
    """What is in doubt, 99 from number `skip` on, which counts from 0.

    What waits for a decision first; behind it what was handed over, or corrected and the ERP has only to hear of it.
    """
    return tuple(_read(conn, *row) for row in conn.execute(_ALL, ("", SHOWN, skip)).fetchall())


def doubt_of(conn: Connection, key: str) -> Doubt | None:
    """The one of this key, wherever it stands in the list; None: others, or the ERP, have answered it."""
    row = conn.execute(_ALL, (key, 1, 0)).fetchone() if key else None
    return _read(conn, *row) if row is not None else None


def open_doubts(conn: Connection) -> int:
    """How many there are; cheap."""
    (count,) = conn.execute(_OPEN).fetchone()
    return int(count)


def carry_out(conn: Connection, facts: Sequence[Fact]) -> None:
    """What the decisions among these facts, recorded in the same transaction, let happen: refused facts go again.

    A decision that the ERP did not take is settled by a later one on the same exception, and when it is acknowledged.
    """
    for fact in facts:
        if not isinstance(body := fact.body, ExceptionDecided):
            continue
        for connector, seq in conn.execute(_NOT_TAKEN, (body.about, fact.seq, body.choice, body.exception)).fetchall():
            parking.give_up(conn, connector, seq)
        if body.choice == "resend":
            for connector, seq in conn.execute(_FIRST, (body.exception,)).fetchall():
                parking.resend(conn, connector, seq)


# Decisions that were refused: earlier ones about the same, and one that is left at that.
_NOT_TAKEN = """
    SELECT k.connector, k.seq FROM parked k JOIN journal j ON j.seq = k.seq
    WHERE k.state = 'refused' AND j.kind = 'ExceptionDecided'
        AND ((k.about = ? AND k.seq < ?) OR (? = 'acknowledge' AND j.id = ?))
    ORDER BY k.seq
"""


# Where a fact is refused, and no earlier one about the same job is.
_FIRST = """
    SELECT k.connector, k.seq FROM journal j JOIN parked k ON k.seq = j.seq AND k.state = 'refused'
    WHERE j.id = ? AND NOT EXISTS (
        SELECT 1 FROM parked f
        WHERE f.connector = k.connector AND f.about = k.about AND f.state = 'refused' AND f.seq < k.seq
    )
"""


def decision_to_resend(conn: Connection, connector: str, seq: int, note: str = "") -> Entry:
    """The decision to send a refused fact again that was made at no screen: one for each refusal. `note`: who made it,
    where that is no person of the ERP."""
    id, attempts = conn.execute(
        "SELECT j.id, k.attempts FROM journal j JOIN parked k ON k.seq = j.seq WHERE k.connector = ? AND k.seq = ?",
        (connector, seq),
    ).fetchone()
    body = ExceptionDecided(about=about(id), exception=id, choice="resend", note=note)
    return Entry(str(uuid5(NAMESPACE_OID, f"{id}/resend/{attempts}")), body)


def _read(conn: Connection, kind: str, key: str, connector: str, seq: int) -> Doubt:
    match kind:
        case "refused":
            return _refused(conn, connector, seq)
        case "incident":
            return _incident(conn, key)
        case "gone":
            return _gone(conn, key, connector)
        case _:
            return _beside(conn, key)


def _refused(conn: Connection, connector: str, seq: int) -> Doubt:
    row = conn.execute(_REFUSED, (connector, seq)).fetchone()
    _, code, reason, attempts, since, first, taken_back = row[9:]
    fact = to_fact(row[:9])
    held = conn.execute(
        "SELECT seq FROM parked WHERE connector = ? AND state = 'held' AND held_back_by = ? ORDER BY seq LIMIT ?",
        (connector, seq, _HELD),
    )
    correction, not_taken = _corrected(conn, connector, fact.id)
    return Doubt(
        fact.id, "refused", datetime.fromisoformat(since), fact, code, reason, attempts,
        tuple(each for (each,) in held), first or 0, seq=fact.seq, decided=_decided(conn, fact.id),
        correction=correction, not_taken=not_taken, taken_back=bool(taken_back),
    )  # fmt: skip


def _corrected(conn: Connection, connector: str, id: str) -> tuple[ExceptionDecided | None, bool]:
    """The last decision to correct a refused fact, and whether the ERP refuses the last decision on it."""
    rows = conn.execute(
        "SELECT j.payload, k.state FROM journal j LEFT JOIN parked k ON k.connector = ? AND k.seq = j.seq"
        " WHERE j.about = ? AND j.kind = 'ExceptionDecided' ORDER BY j.seq DESC",
        (connector, about(id)),
    ).fetchall()
    decisions = [_decision.decode(payload) for payload, _ in rows]
    correction = next((each for each in decisions if each.choice == "correct"), None)
    return correction, bool(rows) and rows[0][1] == "refused"


def _gone(conn: Connection, key: str, connector: str) -> Doubt:
    """What waits for a connector that is not in the site file: one fact that it refused, or all that it never had."""
    row = conn.execute(_STRANDED, (connector, key)).fetchone()
    if row is None:
        at, facts = conn.execute("SELECT at, facts FROM former WHERE connector = ?", (connector,)).fetchone()
        return Doubt(key, "gone", datetime.fromisoformat(at), facts=facts, connector=connector)
    code, reason, attempts, since = row[9:]
    fact = to_fact(row[:9])
    return Doubt(
        key, "gone", datetime.fromisoformat(since), fact, code, reason, attempts, seq=fact.seq, connector=connector
    )


_STRANDED = """
    SELECT seq, id, agent, event_time, record_time, clock_ok, terminal, person, payload, code, reason, attempts, since
    FROM stranded WHERE connector = ? AND id = ?
"""


def _beside(conn: Connection, key: str) -> Doubt:
    kind, seq, last, facts, at, terminal, person, payload = conn.execute(
        "SELECT kind, seq, last, facts, at, terminal, person, payload FROM doubt WHERE key = ?", (key,)
    ).fetchone()
    since = datetime.fromisoformat(at)
    fact = None if kind == "clock" else Fact(
        id=key, seq=seq, agent="", event_time=since, record_time=since, clock_ok=True, terminal=terminal,
        person=person, body=_body.decode(payload),
    )  # fmt: skip
    return Doubt(key, kind, since, fact, seq=seq, last=last, facts=facts, decided=_decided(conn, key))


def _incident(conn: Connection, key: str) -> Doubt:
    at = key.removeprefix("incident/")
    why, kept, facts, lost = conn.execute("SELECT why, kept, facts, lost FROM incident WHERE at = ?", (at,)).fetchone()
    return Doubt(
        key, "incident", datetime.fromisoformat(at), reason=why, facts=facts, lost=tuple(json.loads(lost)),
        again=not kept, decided=_decided(conn, key),
    )  # fmt: skip


def _decided(conn: Connection, key: str) -> Decided | None:
    row = conn.execute(
        "SELECT choice, at, person, second, note FROM decided WHERE exception = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    choice, at, person, second, note = row
    return Decided(choice, datetime.fromisoformat(at), person, second, note)
