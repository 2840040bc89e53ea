"""What is kept of each person's PIN: its hash, the wrong tries, a lock-out."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

import msgspec

from edge_agent.pin_rules import PinRecord, PinRules, carried_over
from edge_agent.store.database import Connection
from sync.person_facts import PinChanged, PinFact, PinRefused, SignedOn

_ANOTHER_BOOT = "-"  # which none is: a lock-out of it begins once more
_ABOUT_PINS = "SELECT id, payload FROM journal WHERE kind IN ('PinChanged', 'PinRefused', 'SignedOn') ORDER BY seq"
_body: msgspec.json.Decoder[PinFact | SignedOn] = msgspec.json.Decoder(PinFact | SignedOn)


def load(conn: Connection, person: str) -> PinRecord | None:
    """The record of a person; None: they have no PIN."""
    kept = "SELECT person, hash, start, wrong, boot, until FROM pin WHERE person = ?"
    row = conn.execute(kept, (person,)).fetchone()
    return None if row is None else PinRecord(row[0], row[1], bool(row[2]), *row[3:])


def carry_over(conn: Connection, rules: PinRules, boot: str, now: float) -> None:
    """Have the lock-outs of another boot begin once more on the clock of this one; inside a transaction."""
    others = "SELECT person FROM pin WHERE boot NOT IN ('', ?)"
    for (person,) in conn.execute(others, (boot,)).fetchall():
        if (record := load(conn, person)) is not None:
            save(conn, carried_over(record, rules, boot, now))


def save(conn: Connection, record: PinRecord) -> None:
    """Replace it; in the transaction of the facts that go with it."""
    conn.execute(
        "INSERT OR REPLACE INTO pin (person, hash, start, wrong, boot, until) VALUES (?, ?, ?, ?, ?, ?)",
        (record.person, record.hash, record.start, record.wrong, record.boot, record.until),
    )


def without(conn: Connection, persons: Collection[str]) -> tuple[str, ...]:
    """Those of these people who have no PIN."""
    known = {person for (person,) in conn.execute("SELECT person FROM pin")}
    return tuple(sorted(set(persons) - known))


def last_known(conn: Connection, old: Connection) -> None:
    """Bring what was copied from a damaged file, into `conn`, up to what the facts in it say, in their order.

    A PIN that was replaced by one which is lost would be good again: it goes, and the person needs a start code. Wrong
    tries and a lock-out count on.
    """
    copied = {f"person/{person}" for (person,) in conn.execute("SELECT person FROM pin")}
    for id, payload in conn.execute(_ABOUT_PINS).fetchall() if copied else ():
        body = _body.decode(payload)
        if body.about not in copied or _has(old, id):
            continue
        person = body.about.removeprefix("person/")
        record = load(conn, person)
        match body:
            case PinChanged():
                conn.execute("DELETE FROM pin WHERE person = ?", (person,))
            case PinRefused(tries=tries, locked=locked) if record is not None:
                boot = _ANOTHER_BOOT if locked else ""
                save(conn, PinRecord(person, record.hash, record.start, tries, boot))
            case SignedOn() if record is not None:
                save(conn, PinRecord(person, record.hash, record.start))


def _has(old: Connection, fact: str) -> bool:
    """Whether the old file has the fact, and with it what was kept in the same commit."""
    try:
        return old.execute("SELECT 1 FROM journal WHERE id = ?", (fact,)).fetchone() is not None
    except (sqlite3.Error, UnicodeDecodeError):
        return False
