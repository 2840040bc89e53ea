"""The cursor of a connector and the facts that are not simply before or behind it (table `parked`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter

from edge_agent.store.cursor import cursor, reach
from edge_agent.store.database import Connection
from edge_agent.store.errors import StoreError, Unsound
from edge_agent.store.journal import checked, last_seq, time_text
from edge_agent.store.records import AS_BYTES
from sync.contract import HELD_BACK, UNCLEAR, Applied, Duplicate, Fact, Receipt, Refused
from sync.exceptions import PREFIX
from sync.receipts import shortened

_CODE = 64  # characters
REPLACED = "replaced"  # the code of a decision that the ERP refused, and a later one stands for; its state is done
_WITHOUT = "SELECT value FROM json_each(:without)"
_AGAIN = (
    " JOIN parked ON parked.seq = journal.seq"
    " WHERE parked.connector = :connector AND parked.state IN ('retry', 'unsure')"
    " AND journal.about NOT IN (" + _WITHOUT + ") ORDER BY journal.seq LIMIT :limit"
)
_NEW = (
    " LEFT JOIN parked ON parked.connector = :connector AND parked.seq = journal.seq"
    " WHERE journal.seq > :cursor AND parked.seq IS NULL"
    " AND journal.about NOT IN (" + _WITHOUT + ") ORDER BY journal.seq LIMIT :limit"
)

# Later facts about what a refused one is about, as long as nobody has decided them.
# Never looks at those that are held already: they may be many, and this is asked with every report. Left to itself
# SQLite would read them all by another index.
_TO_HOLD = """
    WITH first (about, seq) AS MATERIALIZED (
        SELECT about, min(seq) FROM parked INDEXED BY parked_state
        WHERE connector = :connector AND state = 'refused' GROUP BY about
    ), behind (seq, about, attempts, since, first) AS (
        SELECT j.seq, j.about, 0, :now, first.seq
        FROM first CROSS JOIN journal j ON j.about = first.about AND j.seq > max(first.seq, :cursor)
        WHERE NOT EXISTS (SELECT 1 FROM parked o WHERE o.connector = :connector AND o.seq = j.seq)
        UNION ALL
        SELECT o.seq, o.about, o.attempts, o.since, first.seq
        FROM parked o INDEXED BY parked_state CROSS JOIN first ON first.about = o.about AND first.seq < o.seq
        WHERE o.connector = :connector AND o.state IN ('retry', 'unsure')
    )
    SELECT :connector, seq, about, 'held', :code, 'waits for fact ' || first || ' about the same job', attempts,
        since, first
    FROM behind WHERE true
"""
_HOLD = (
    "INSERT INTO parked (connector, seq, about, state, code, reason, attempts, since, held_back_by) "
    + _TO_HOLD
    + " ON CONFLICT DO UPDATE SET state = 'held', code = excluded.code, reason = excluded.reason,"
    " held_back_by = excluded.held_back_by"
)


def must_hold(conn: Connection, connector: str) -> bool:
    """Whether `hold` has something to do."""
    return conn.execute(_TO_HOLD + " LIMIT 1", _hold_names(conn, connector, "")).fetchone() is not None


def hold(conn: Connection, connector: str, now: datetime) -> None:
    """Park what is behind a refused fact: before it is offered, and before a plan says it was decided."""
    conn.execute(_HOLD, _hold_names(conn, connector, time_text(now)))
    _advance(conn, connector)


def pending(conn: Connection, connector: str, limit: int, without: Sequence[str] = ()) -> tuple[Fact, ...]:
    """To send, in seq order: facts that go again, and those above the cursor that are not parked; none about
    what is in `without`, and none behind one that is not what was written.

    Raises StoreError, an `Unsound`, when that one is the first.
    """
    names = _names(conn, connector, limit, without)
    rows = [row for query in (_AGAIN, _NEW) for row in conn.execute(AS_BYTES + query, names)]
    facts: list[Fact] = []
    for row in sorted(rows, key=itemgetter(0))[:limit]:
        try:
            facts.append(checked(row))
        except Unsound:
            if not facts:
                raise
            break
    return tuple(facts)


def waits_since(conn: Connection, connector: str) -> datetime | None:
    """When the first of `pending` was recorded; None: nothing waits, or its time can not be read."""
    names = _names(conn, connector, 1, ())
    times = "SELECT journal.seq, CAST(record_time AS BLOB) FROM journal"
    rows = [row for query in (_AGAIN, _NEW) for row in conn.execute(times + query, names)]
    try:
        return datetime.fromisoformat(min(rows)[1].decode()) if rows else None
    except ValueError:
        return None


def _names(conn: Connection, connector: str, limit: int, without: Sequence[str]) -> dict[str, str | int]:
    return {
        "connector": connector, "cursor": cursor(conn, connector), "limit": limit, "without": json.dumps(without),
    }  # fmt: skip


def unclear(conn: Connection, connector: str) -> tuple[Fact, ...]:
    """To send again, and nobody knows whether the ERP has it: in seq order. Raises as `pending`."""
    query = (
        AS_BYTES + " JOIN parked ON parked.seq = journal.seq WHERE parked.connector = ?"
        " AND parked.state IN ('retry', 'unsure') AND parked.code = ? ORDER BY journal.seq"
    )
    return tuple(checked(row) for row in conn.execute(query, (connector, UNCLEAR)))


def settle(conn: Connection, connector: str, receipts: Sequence[Receipt], now: datetime) -> None:
    """Keep the answers (the first that accepts a fact stands). A foreign id is StoreError `conflict`."""
    reached = cursor(conn, connector)
    for receipt in receipts:
        row = conn.execute(
            """
            SELECT j.seq, j.about, j.kind, k.state FROM journal j
            LEFT JOIN parked k ON k.connector = ? AND k.seq = j.seq WHERE j.id = ?
            """,
            (connector, receipt.fact),
        ).fetchone()
        if row is None:
            raise StoreError("conflict", f"The ERP answered about {receipt.fact!r}: no fact of this PC.")
        seq, about, kind, state = row
        if state in ("booked", "done") or (state is None and seq <= reached):
            continue
        if isinstance(receipt, Refused) and kind == "ExceptionDecided" and _about_a_decision(conn, seq):
            receipt = Applied(receipt.fact, "")  # the ERP takes none: nobody needs to decide on that for ever
        if state is None and seq == reached + 1 and not isinstance(receipt, Refused):
            reached = seq  # by far the most: the next one was accepted, and nothing else is to be known of it
        else:
            _keep(conn, (connector, seq, about), state, receipt, now)
        if kind == "ExceptionDecided" and not isinstance(receipt, Refused):
            _correct(conn, connector, seq)
        elif isinstance(receipt, Refused):
            _correct_again(conn, connector, receipt.fact, reached)
    reach(conn, connector, reached)
    hold(conn, connector, now)


def _keep(
    conn: Connection, row: tuple[str, int, str], state: str | None, receipt: Receipt, now: datetime
) -> None:
    if isinstance(receipt, Refused):
        change, code, reason = "refused", shortened(receipt.code, _CODE), shortened(receipt.reason)
    else:
        # The plan that we have was made without a fact that stood here, unless it came since. Of what the ERP had
        # before nobody knows: less is shown until the next plan then; the other way round it would be twice, for ever.
        in_plan = state in (None, "unsure") or isinstance(receipt, Duplicate)
        change, code, reason = ("done" if in_plan else "booked"), "", ""
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
    reach(conn, connector, reached)
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
    conn.execute("UPDATE parked SET state = 'retry' WHERE connector = ? AND seq = ?", (connector, seq))
    _let_go(conn, connector, about, seq, later[0] if later else None)


def give_up(conn: Connection, connector: str, seq: int) -> None:
    """A refused decision stays without the ERP: it is settled, and what waited for it goes on. Its row stays as long
    as the fact does: nobody may take it for one that the ERP has."""
    (about,) = conn.execute("SELECT about FROM parked WHERE connector = ? AND seq = ?", (connector, seq)).fetchone()
    conn.execute(
        "UPDATE parked SET state = 'done', code = ?, reason = '' WHERE connector = ? AND seq = ?",
        (REPLACED, connector, seq),
    )
    (later,) = conn.execute(
        "SELECT min(seq) FROM parked WHERE connector = ? AND about = ? AND state = 'refused' AND seq > ?",
        (connector, about, seq),
    ).fetchone()
    _let_go(conn, connector, about, seq, later)
    _forget_done(conn, connector)


def _about_a_decision(conn: Connection, seq: int) -> bool:
    return conn.execute(
        "SELECT 1 FROM journal d JOIN journal j ON j.id = json_extract(d.payload, '$.exception')"
        " WHERE d.seq = ? AND j.kind = 'ExceptionDecided'",
        (seq,),
    ).fetchone() is not None


def _let_go(conn: Connection, connector: str, about: str, seq: int, refused: int | None) -> None:
    """What waited for a fact goes again, up to the next refused one about the same thing; the rest waits for that."""
    after = last_seq(conn) + 1 if refused is None else refused
    conn.execute(
        """
        UPDATE parked SET state = 'retry', held_back_by = NULL WHERE connector = ? AND about = ?
            AND seq > ? AND seq < ? AND state = 'held'
        """,
        (connector, about, seq, after),
    )
    conn.execute(
        """
        UPDATE parked SET held_back_by = ?3, reason = 'waits for fact ' || ?3 || ' about the same job'
        WHERE connector = ?1 AND about = ?2 AND seq > ?3 AND state = 'held'
        """,
        (connector, about, after),
    )


# A refused fact that a decision, which the ERP has taken, says is never to be booked; and the refused ones about
# the same thing before and after it.
_CORRECTED = """
    SELECT k.seq, k.about, (
        SELECT min(f.seq) FROM parked f
        WHERE f.connector = k.connector AND f.about = k.about AND f.state = 'refused' AND f.seq < k.seq
    ), (
        SELECT min(f.seq) FROM parked f
        WHERE f.connector = k.connector AND f.about = k.about AND f.state = 'refused' AND f.seq > k.seq
    )
    FROM journal d
    JOIN journal j ON j.id = json_extract(d.payload, '$.exception')
    JOIN parked k ON k.connector = ? AND k.seq = j.seq AND k.state = 'refused'
    WHERE d.seq = ? AND json_extract(d.payload, '$.choice') = 'correct'
"""

# It counts as long as the figures of the job do not hold the fact that takes it back.
_SETTLED = """
    UPDATE parked SET code = '', reason = '', state = CASE WHEN EXISTS (
        SELECT 1 FROM journal j
        JOIN journal c ON c.corrects = j.id
        JOIN plan p ON p.kind = 'JobOrder' AND p.id = j.about
        WHERE j.seq = parked.seq AND c.seq > p.as_of_seq
    ) THEN 'booked' ELSE 'done' END
    WHERE connector = ? AND seq = ?
"""


def _correct(conn: Connection, connector: str, decision: int) -> None:
    """The ERP has taken a decision: when it was to correct a refused fact, that one is settled."""
    for seq, about, earlier, later in conn.execute(_CORRECTED, (connector, decision)).fetchall():
        conn.execute(_SETTLED, (connector, seq))
        if earlier is None:
            _let_go(conn, connector, about, seq, later)
            continue
        conn.execute(
            """
            UPDATE parked SET held_back_by = ?3, reason = 'waits for fact ' || ?3 || ' about the same job'
            WHERE connector = ?1 AND held_back_by = ?2
            """,
            (connector, seq, earlier),
        )


def _correct_again(conn: Connection, connector: str, fact: str, reached: int) -> None:
    """After a mend everything is asked anew, and a decision may be answered before the fact that it is about. One
    that the ERP never took settles nothing."""
    taken = """
        SELECT d.seq FROM journal d LEFT JOIN parked k ON k.connector = ?1 AND k.seq = d.seq
        WHERE d.about = ?2 AND d.kind = 'ExceptionDecided'
            AND (k.state IN ('done', 'booked') AND k.code <> ?4 OR k.seq IS NULL AND d.seq <= ?3)
    """
    for (decision,) in conn.execute(taken, (connector, PREFIX + fact, reached, REPLACED)).fetchall():
        _correct(conn, connector, decision)


# Few rows: one for each decision that was ever made; and those that the ERP never took.
_NEVER_BOOKED = """
    WITH never (seq, id) AS (
        SELECT j.seq, j.id FROM decided d JOIN journal j ON j.id = d.exception
        LEFT JOIN parked k ON k.connector = :connector AND k.seq = j.seq
        WHERE d.choice = 'correct' AND coalesce(k.state, 'done') IN ('booked', 'done')
        UNION
        SELECT j.seq, j.id FROM parked k INDEXED BY parked_state CROSS JOIN journal j ON j.seq = k.seq
        WHERE k.connector = :connector AND k.state = 'done' AND k.code = :replaced
    )
    SELECT seq FROM never
"""


def never_booked(conn: Connection, connector: str, limit: int) -> tuple[int, ...]:
    """The facts that were refused and settled by a correction, and the decisions that were refused and settled by a
    later one: the ERP never has them. The newest, newest first."""
    query = _NEVER_BOOKED + " ORDER BY seq DESC LIMIT :limit"
    return tuple(seq for (seq,) in conn.execute(query, {"connector": connector, "replaced": REPLACED, "limit": limit}))


def is_never_booked(conn: Connection, connector: str, id: str) -> bool:
    """Whether the fact of this id is one of `never_booked`."""
    query = _NEVER_BOOKED + " WHERE id = :id"
    names = {"connector": connector, "replaced": REPLACED, "id": id}
    return conn.execute(query, names).fetchone() is not None


def _hold_names(conn: Connection, connector: str, now: str) -> dict[str, str | int]:
    return {"connector": connector, "cursor": cursor(conn, connector), "code": HELD_BACK, "now": now}


def _forget_done(conn: Connection, connector: str) -> None:
    """Drop what the cursor has passed and nobody needs to know of any more."""
    conn.execute(
        "DELETE FROM parked INDEXED BY parked_state WHERE connector = ?1 AND state = 'done' AND code <> ?2"
        " AND seq <= (SELECT seq FROM delivered WHERE connector = ?1)",
        (connector, REPLACED),
    )
