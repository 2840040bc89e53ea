"""How far a job is, from the views over plans and journal."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from edge_agent.planbook import Progress
from edge_agent.store.database import Connection
from sync.contract import AnyFact

_body: msgspec.json.Decoder[AnyFact] = msgspec.json.Decoder(AnyFact)


def progress(conn: Connection, job: str) -> Progress:
    """What the ERP has booked for the job plus our facts that it had not seen; zero for a job without a plan.

    `lines` has every requirement of the plan. Quantities are exact to six decimals.
    """
    figures = "SELECT good, scrap, started, completed FROM job_progress WHERE job = ?"
    row = conn.execute(figures, (job,)).fetchone()
    if row is None:
        return Progress()
    good, scrap, started, completed = row
    by_line = "SELECT requirement, sum(done), sum(short) FROM line_effect WHERE job = ? GROUP BY requirement"
    lines = conn.execute(by_line, (job,)).fetchall()
    return Progress(
        good=_decimal(good),
        scrap=_decimal(scrap),
        started=bool(started),
        completed=bool(completed),
        lines={requirement: _decimal(done) for requirement, done, _ in lines},
        shorts={requirement: _decimal(short) for requirement, _, short in lines if short > 0},
    )


def last_reports(
    conn: Connection, job: str, *, terminal: str | None = None, person: str | None = None, limit: int = 10
) -> tuple[tuple[str, AnyFact], ...]:
    """Reports of good and scrap that nobody corrected yet, newest first, as (id, fact).

    `terminal` and `person` narrow it to what was reported there or by them.
    """
    rows = conn.execute(
        """
        SELECT j.id, j.payload FROM journal j
        WHERE j.about = :job AND j.kind IN ('MaterialProduced', 'MaterialScrapped')
            AND (:terminal IS NULL OR j.terminal = :terminal) AND (:person IS NULL OR j.person = :person)
            AND NOT EXISTS (SELECT 1 FROM journal c WHERE c.corrects = j.id)
        ORDER BY j.seq DESC LIMIT :limit
        """,
        {"job": job, "terminal": terminal, "person": person, "limit": limit},
    )
    return tuple((id, _body.decode(payload)) for id, payload in rows)


def _decimal(millionths: int) -> Decimal:
    """The quantity, without needless zeros: 12000000 is 12."""
    return Decimal(millionths) / 1_000_000
