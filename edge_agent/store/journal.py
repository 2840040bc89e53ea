"""The append-only journal: facts in, in a chain of hashes, and the same facts out."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from edge_agent.store.database import Connection
from edge_agent.store.errors import StoreError, Unsound, store_error
from edge_agent.store.records import AS_BYTES, chained, is_whole, link, put
from sync.contract import AnyFact, Fact

# Rows for `to_fact`; a condition and an order go behind it.
SELECT = (
    "SELECT journal.seq, id, agent, event_time, record_time, clock_ok, terminal, person, payload FROM journal"
)

_VERIFY = AS_BYTES + " ORDER BY seq"

_body: msgspec.json.Decoder[AnyFact] = msgspec.json.Decoder(AnyFact)


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact before it is recorded. `id` was minted when the intent began and stays its key for ever."""

    id: str
    body: AnyFact


def append(
    conn: Connection,
    agent: str,
    entries: Sequence[Entry],
    event_time: datetime,
    record_time: datetime,
    clock_ok: bool,
    terminal: str,
    person: str,
) -> tuple[Fact, ...]:
    """Append the entries, in order; inside a transaction of `Database.write`.

    An id that is there already with the same body is not appended again: its fact is returned. With
    another body it raises StoreError `conflict`, as does a correction of what can not be corrected.
    Times must be aware.
    """
    last = conn.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = last or conn.execute("SELECT seq, hash FROM base").fetchone()
    facts = []
    for entry in entries:
        fact = _known(conn, entry)
        if fact is None:
            seq += 1
            fact = Fact(
                id=entry.id, seq=seq, agent=agent, event_time=event_time, record_time=record_time,
                clock_ok=clock_ok, terminal=terminal, person=person, body=entry.body,
            )  # fmt: skip
            previous = _insert(conn, fact, previous)
        facts.append(fact)
    return tuple(facts)


def facts(conn: Connection, after: int, limit: int, about: str | None = None) -> tuple[Fact, ...]:
    """The facts with a seq above `after`, in order, at most `limit`; with `about`, only those about it."""
    if about is None:
        rows = conn.execute(SELECT + " WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
    else:
        chosen = " WHERE about = ? AND seq > ? ORDER BY seq LIMIT ?"
        rows = conn.execute(SELECT + chosen, (about, after, limit))
    return tuple(map(to_fact, rows))


def tail(conn: Connection, limit: int) -> tuple[Fact, ...]:
    """The last facts, in order, at most `limit`."""
    rows = conn.execute(SELECT + " ORDER BY seq DESC LIMIT ?", (limit,)).fetchall()
    return tuple(map(to_fact, reversed(rows)))


def last_trusted(conn: Connection) -> datetime | None:
    """When the newest fact with a trusted clock was recorded; None: there is none."""
    row = conn.execute("SELECT record_time FROM journal WHERE clock_ok = 1 ORDER BY seq DESC LIMIT 1").fetchone()
    return None if row is None else datetime.fromisoformat(row[0])


def last_seq(conn: Connection) -> int:
    """The seq of the last fact; 0 when there is none."""
    (seq,) = conn.execute("SELECT coalesce(max(seq), (SELECT seq FROM base)) FROM journal").fetchone()
    return int(seq)


def verify(conn: Connection) -> int | None:
    """The first seq where the journal is not what was written (edited, missing, cut off); None: it is whole.

    It begins behind its base: what left it is not asked for. A tail that is missing together with SQLite's
    own count of rows can not be told from here.
    """
    gone: int
    gone, previous = conn.execute("SELECT seq, hash FROM base").fetchone()
    expected = gone + 1
    for seq, before, hash, *parts in conn.execute(_VERIFY):
        if seq != expected or before != previous or hash != link(previous, parts):
            return expected
        expected, previous = seq + 1, hash
    counted = conn.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").fetchone()
    return expected if counted is not None and counted[0] != expected - 1 else None


def to_fact(row: tuple[int, str, str, str, str, int, str, str, str]) -> Fact:
    """The fact of a row of `SELECT`."""
    seq, id, agent, event_time, record_time, clock_ok, terminal, person, payload = row
    return Fact(
        id=id, seq=seq, agent=agent, terminal=terminal, person=person, clock_ok=bool(clock_ok),
        event_time=datetime.fromisoformat(event_time), record_time=datetime.fromisoformat(record_time),
        body=_body.decode(payload),
    )  # fmt: skip


def checked(row: tuple[int, bytes, bytes, *tuple[bytes, ...]]) -> Fact:
    """The fact of a row of `AS_BYTES`, for somebody who takes our word for it.

    Raises StoreError, an `Unsound`, when the row is not what was written.
    """
    seq, previous, hash, *parts = row
    if not is_whole(previous, hash, parts):
        raise Unsound(seq)
    _, id, agent, event_time, record_time, clock_ok, terminal, person, payload = (part.decode() for part in parts)
    return to_fact((seq, id, agent, event_time, record_time, int(clock_ok), terminal, person, payload))


def time_text(moment: datetime) -> str:
    """How a moment is kept: UTC, microseconds, always the same length, so that text order is time order."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _known(conn: Connection, entry: Entry) -> Fact | None:
    row = conn.execute(SELECT + " WHERE id = ?", (entry.id,)).fetchone()
    if row is None:
        return None
    fact = to_fact(row)
    if fact.body != entry.body:
        raise StoreError("conflict", f"The id {entry.id} already stands for something else: NOT SAVED.")
    return fact


def _insert(conn: Connection, fact: Fact, previous: bytes) -> bytes:
    """Write the row; returns its hash."""
    content = (
        fact.seq, fact.id, fact.agent, time_text(fact.event_time), time_text(fact.record_time),
        int(fact.clock_ok), fact.terminal, fact.person, msgspec.json.encode(fact.body).decode(),
    )  # fmt: skip
    record = chained(content, previous)
    try:
        put(conn, record)
    except sqlite3.IntegrityError as error:
        raise (store_error(error) or error) from error
    return record.hash
