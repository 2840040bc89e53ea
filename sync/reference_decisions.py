"""What the reference ERP has decided, fact by fact: the table that holds the key of each and what became of it.

Part of the books: every call runs inside a transaction of `sync.reference_books`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from sync.contract import Duplicate, Fact, FactLost, Receipt, Refused
from sync.exceptions import about
from sync.reference_rules import No
from sync.reference_views import reference
from sync.same_fact import booked, digest

if TYPE_CHECKING:
    from sqlite3 import Connection

SCHEMA = """
CREATE TABLE IF NOT EXISTS decision (
  number INTEGER PRIMARY KEY AUTOINCREMENT, fact TEXT NOT NULL UNIQUE,
  agent TEXT NOT NULL, seq INTEGER NOT NULL, about TEXT NOT NULL, payload TEXT NOT NULL,
  accepted_at TEXT NOT NULL, outcome TEXT NOT NULL CHECK (outcome IN ('applied', 'refused')),
  code TEXT NOT NULL, reason TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0,
  CHECK ((outcome = 'refused') = (code <> ''))) STRICT;
CREATE INDEX IF NOT EXISTS decision_agent ON decision (agent, seq);
CREATE INDEX IF NOT EXISTS decision_about ON decision (about, number);
"""

_AT_ONCE = 500  # values in one question: below what any SQLite takes

_facts = msgspec.json.Decoder(Fact)


@dataclass(frozen=True)
class Decision:
    """One row of what was decided."""

    number: int
    payload: str
    applied: bool
    code: str
    reason: str
    undone: bool

    def is_of(self, payload: str) -> bool:
        """Whether it was about this fact: what a later version of the agent adds empty makes no other of it."""
        return self.payload == payload or digest(msgspec.json.decode(self.payload)) == digest(
            msgspec.json.decode(payload)
        )

    def answer(self, fact: str) -> Receipt:
        """What a question about the fact is told."""
        known = booked(msgspec.json.decode(self.payload))
        if self.applied:
            return Duplicate(fact, reference(self.number), known)
        return Refused(fact, self.code, self.reason, known)


class Decisions:
    """One row for each fact that was ever decided, in order of arrival."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def of(self, fact: str) -> Decision | None:
        """What was decided under an id."""
        row = self._db.execute(
            "SELECT number, payload, outcome = 'applied', code, reason, undone FROM decision WHERE fact = ?",
            (fact,),
        ).fetchone()
        if row is None:
            return None
        return Decision(row[0], row[1], bool(row[2]), row[3], row[4], bool(row[5]))

    def keep(self, fact: Fact, payload: str, accepted_at: str, refusal: No | None) -> int:
        """A new row, `payload` is the fact as it travels; returns its number."""
        code, reason = (refusal.code, refusal.reason) if refusal else ("", "")
        number = self._db.execute(
            "INSERT INTO decision (fact, agent, seq, about, payload, accepted_at, outcome, code, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                fact.id, fact.agent, fact.seq, fact.body.about, payload, accepted_at,
                "refused" if refusal else "applied", code, reason,
            ),
        ).lastrowid  # fmt: skip
        return number or 0

    def forget(self, fact: str) -> None:
        """A refusal makes way for a new judgement."""
        self._db.execute("DELETE FROM decision WHERE fact = ?", (fact,))

    def undo(self, fact: str) -> None:
        """What was booked was taken back."""
        self._db.execute("UPDATE decision SET undone = 1 WHERE fact = ?", (fact,))

    def number_taken(self, fact: Fact) -> bool:
        """Whether another fact has the number; what says that one was lost takes the number of that one."""
        if isinstance(fact.body, FactLost):
            return False
        taken = (
            "SELECT 1 FROM decision WHERE agent = ? AND seq = ? AND fact <> ?"
            " AND json_extract(payload, '$.body.kind') <> 'FactLost'"
        )
        return self._db.execute(taken, (fact.agent, fact.seq, fact.id)).fetchone() is not None

    def booked(self, about: str) -> list[Fact]:
        """The facts about a thing that were booked and not taken back, in order."""
        rows = self._db.execute(
            "SELECT payload FROM decision WHERE about = ? AND outcome = 'applied' AND NOT undone ORDER BY number",
            (about,),
        )
        return [_facts.decode(payload) for (payload,) in rows]

    def unheard_of(self, facts: Sequence[Fact]) -> set[str]:
        """The ids of those facts of which nothing is known, neither the id nor the number nor a decision of people
        on them, and which are alone in this with what comes beside them: nothing more is to be asked of them.

        A few questions for all of them; a fact that is not named here may still be new.
        """
        ids = Counter(fact.id for fact in facts)
        numbers = Counter((fact.agent, fact.seq) for fact in facts)
        known = {*self._found("SELECT fact FROM decision WHERE fact IN", [*ids])}
        on_them: set[str | int] = {fact.body.about for fact in facts}
        on_them.update(self._found("SELECT about FROM decision WHERE about IN", [about(id) for id in ids]))
        taken = {
            (agent, seq) for agent in {fact.agent for fact in facts}
            for seq in self._found(
                "SELECT seq FROM decision WHERE agent = ? AND seq IN", [s for a, s in numbers if a == agent], agent
            )
        }  # fmt: skip
        return {
            fact.id for fact in facts
            if ids[fact.id] == 1 and numbers[number := (fact.agent, fact.seq)] == 1
            and fact.id not in known and number not in taken and about(fact.id) not in on_them
        }  # fmt: skip

    def _found(self, select: str, values: Sequence[str | int], *more: str) -> Iterator[str | int]:
        for start in range(0, len(values), _AT_ONCE):
            part = values[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(part))
            yield from (value for (value,) in self._db.execute(f"{select} ({marks})", (*more, *part)))
