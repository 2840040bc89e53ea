"""Refused facts that people have corrected: settled in the books of the reference ERP, and never booked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sync.contract import Booked, Duplicate, Fact
from sync.exceptions import PREFIX, ExceptionDecided, about
from sync.reference_views import reference
from sync.same_fact import booked

if TYPE_CHECKING:
    import sqlite3

_facts = msgspec.json.Decoder(Fact)


class StruckOut:
    """Over the decisions of the books, in their transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def strike_out(self, decided: ExceptionDecided) -> None:
        """The refused fact that a correction is about is shown as taken back from now on."""
        if decided.choice == "correct":
            self._db.execute(
                "UPDATE decision SET undone = 1 WHERE fact = ? AND outcome = 'refused'", (decided.exception,)
            )

    def answer(self, fact: str) -> Duplicate | None:
        """What is answered for a fact that was not booked and that people have corrected; None for any other."""
        if self._db.execute("SELECT 1 FROM decision WHERE fact = ? AND outcome = 'applied'", (fact,)).fetchone():
            return None
        rows = self._db.execute(
            "SELECT number, payload FROM decision WHERE about = ? AND outcome = 'applied' ORDER BY number",
            (about(fact),),
        )
        for number, payload in rows.fetchall():
            body = _facts.decode(payload).body
            if isinstance(body, ExceptionDecided) and body.choice == "correct":
                return Duplicate(fact, reference(number), self._known(fact))
        return None

    def _known(self, fact: str) -> Booked | None:
        """What was refused under this id: whoever asks compares it with what they have."""
        row = self._db.execute("SELECT payload FROM decision WHERE fact = ? ORDER BY number DESC", (fact,)).fetchone()
        return booked(msgspec.json.decode(row[0])) if row is not None else None

    def latest(self, limit: int) -> list[tuple[str, str]]:
        """The `about` of the decisions of late and what each is on, newest first."""
        rows = self._db.execute(
            "SELECT about FROM decision WHERE about LIKE ? GROUP BY about ORDER BY max(number) DESC LIMIT ?",
            (PREFIX + "%", limit),
        )
        return [(about, about.removeprefix(PREFIX)) for (about,) in rows]
