"""The cursor of a connector and the facts that are not simply before or behind it (table `parked`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from edge_agent.store.database import Connection
from edge_agent.store.errors import StoreError
from edge_agent.store.journal import SELECT, last_seq, time_text, to_fact
from sync.contract import HELD_BACK, Fact, Receipt, Refused

_AGAIN = (
    SELECT + " JOIN parked ON parked.seq = journal.seq"
    " WHERE parked.connector = :connector AND parked.state IN ('retry', 'unsure')"
    " ORDER BY journal.seq LIMIT :limit"
)
_NEW = (
    SELECT + " LEFT JOIN parked ON parked.connector = :connector AND parked.seq = journal.seq"
    " WHERE journal.seq > :cursor AND parked.seq IS NULL"
    " ORDER BY journal.seq LIMIT :limit"
)

# Later facts about what a refused one is about, as long as nobody has decided them.
_TO_HOLD = """
    SELECT :connector, j.seq, j.about, 'held', :code,
        'waits for fact ' || min(k.seq) || ' about the same job', coalesce(o.attempts, 0),
        coalesce(o.since, :now), min(k.seq)
    FROM parked k
    JOIN journal j ON j.about = k.about AND j.seq > k.seq
    LEFT JOIN parked o ON o.connector = k.connector AND o.seq = j.seq
    WHERE k.connector = :connector AND k.state = 'refused'
        AND (o.state IN ('retry', 'unsure') OR (o.seq IS NULL AND j.seq > :cursor))
    GROUP BY j.seq
"""
_HOLD = (
    "INSERT INTO parked (connector, seq, about, state, code, reason, attempts, since, held_back_by) "
    + _TO_HOLD
    + " ON CONFLICT DO UPDATE SET state = 'held', code = excluded.code, reason = excluded.reason,"
    " held_back_by = excluded.held_back_by"
)


def cursor(conn: Connection, connector: str) -> int:
    """Every fact up to this seq has a receipt or a row in `parked`."""
    row = conn.execute("SELECT seq FROM delivered WHERE connector = ?", (connector,)).fetchone()
    return 0 if row is None else int(row[0])


def must_hold(conn: Connection, connector: str) -> bool:
    """Whether `hold` has something to do."""
    return conn.execute(_TO_HOLD + " LIMIT 1", _hold_names(conn, connector, "")).fetchone() is not None


def hold(conn: Connection, connector: str, now: datetime) -> None:
    """Park what is behind a refused fact: before it is offered, and before a plan says it was decided."""
    conn.execute(_HOLD, _hold_names(conn, connector, time_text(now)))
    _advance(conn, connector)


def pending(conn: Connection, connector: str, limit: int) -> tuple[Fact, ...]:
    """To send, in seq order: facts that go again, and those above the cursor that are not parked."""
    names = {"connector": connector, "cursor": cursor(conn, connector), "limit": limit}
    facts = [to_fact(row) for query in (_AGAIN, _NEW) for row in conn.execute(query, names)]
    return tuple(sorted(facts, key=lambda fact: fact.seq)[:limit])


def settle(conn: Connection, connector: str, receipts: Sequence[Receipt], now: datetime) -> None:
    """Keep the answers (the first that accepts a fact stands). A foreign id is StoreError `conflict`."""
    reached = cursor(conn, connector)
    for receipt in receipts:
        row = conn.execute(
            """
            SELECT j.seq, j.about, k.state FROM journal j
            LEFT JOIN parked k ON k.connector = ? AND k.seq = j.seq WHERE j.id = ?
            """,
            (connector, receipt.fact),
        ).fetchone()
        if row is None:
            raise StoreError("conflict", f"The ERP answered about {receipt.fact!r}: no fact of this PC.")
        seq, about, state = row
        if state not in ("booked", "done") and (state is not None or seq > reached):
            _keep(conn, (connector, seq, about), state, receipt, now)
    hold(conn, connector, now)


def _keep(
    conn: Connection, row: tuple[str, int, str], state: str | None, receipt: Receipt, now: datetime
) -> None:
    if isinstance(receipt, Refused):
        change, code, reason = "refused", receipt.code, receipt.reason
    else:
        # The plan that we have was made without a fact that stood here, unless it came since.
        change, code, reason = ("done" if state in (None, "unsure") else "booked"), "", ""
    conn.execute(
        """
        INSERT INTO parked (connector, seq, about, state, code, reason, attempts, since)
        VALUES (?, ?, ?, ?, ?, ?, 1, ?)
        ON CONFLICT DO UPDATE SET state = excluded.state, code = excluded.code, reason = excluded.reason,
            attempts = attempts + 1, held_back_by = NULL
        """,
        (*row, change, code, reason, time_text(now)),
    )


def _advance(conn: Connection, connector: str) -> None:
    """Move the cursor over everything that has a receipt or a row in `parked`."""
    row = conn.execute(
        """
        SELECT seq FROM journal WHERE seq > ?
            AND NOT EXISTS (SELECT 1 FROM parked k WHERE k.connector = ? AND k.seq = journal.seq)
        ORDER BY seq LIMIT 1
        """,
        (cursor(conn, connector), connector),
    ).fetchone()
    reached = last_seq(conn) if row is None else row[0] - 1
    conn.execute("INSERT OR REPLACE INTO delivered (connector, seq) VALUES (?, ?)", (connector, reached))
    _forget_done(conn, connector)


def plans_came(conn: Connection, connector: str, jobs: Iterable[str]) -> None:
    """New figures of jobs: they hold what was booked of them, and perhaps what is on its way again."""
    waiting = {
        about for (about,) in conn.execute(
            "SELECT DISTINCT about FROM parked WHERE connector = ? AND state IN ('booked', 'retry')",
            (connector,),
        )
    }  # fmt: skip
    conn.executemany(
        """
        UPDATE parked SET state = CASE state WHEN 'booked' THEN 'done' ELSE 'unsure' END
        WHERE connector = ? AND about = ? AND state IN ('booked', 'retry')
        """,
        [(connector, job) for job in jobs if job in waiting],
    )
    _forget_done(conn, connector)


def resend(conn: Connection, connector: str, seq: int) -> None:
    """Let a refused fact go again, and what it held back up to the next refused one.

    Raises StoreError `conflict` when it is not refused, or waits for an earlier refused one.
    """
    row = conn.execute(
        """
        SELECT about FROM parked WHERE connector = ? AND seq = ? AND state IN ('refused', 'held')
        """,
        (connector, seq),
    ).fetchone()
    if row is None:
        raise StoreError(
            "conflict", f"Fact {seq} is not one that was refused: there is nothing to send again."
        )
    (about,) = row
    first, *later = (
        each for (each,) in conn.execute(
            "SELECT seq FROM parked WHERE connector = ? AND about = ? AND state = 'refused' ORDER BY seq",
            (connector, about),
        )
    )  # fmt: skip
    if seq != first:
        raise StoreError(
            "conflict", f"Fact {seq} waits for fact {first} about the same job: send that first."
        )
    after = later[0] if later else last_seq(conn) + 1
    conn.execute(
        """
        UPDATE parked SET state = 'retry', held_back_by = NULL WHERE connector = ? AND about = ?
            AND seq >= ? AND seq < ? AND state IN ('refused', 'held')
        """,
        (connector, about, seq, after),
    )
    # The rest waits for the next refused one from now on.
    conn.execute(
        """
        UPDATE parked SET held_back_by = ?3, reason = 'waits for fact ' || ?3 || ' about the same job'
        WHERE connector = ?1 AND about = ?2 AND seq > ?3 AND state = 'held'
        """,
        (connector, about, after),
    )


def _hold_names(conn: Connection, connector: str, now: str) -> dict[str, str | int]:
    return {"connector": connector, "cursor": cursor(conn, connector), "code": HELD_BACK, "now": now}


def _forget_done(conn: Connection, connector: str) -> None:
    """Drop what the cursor has passed and nobody needs to know of any more."""
    conn.execute(
        "DELETE FROM parked WHERE connector = ?1 AND state = 'done'"
        " AND seq <= (SELECT seq FROM delivered WHERE connector = ?1)",
        (connector,),
    )
