"""The totals of the jobs, compared with the facts that they are the sums of, and summed up again where they differ.

Nothing in a total says that it is what was written: a bit that rots in one is another quantity on a screen. Of a job
whose first facts have left the journal the sum of those is known from the totals alone: what most of them agree on.
"""

from __future__ import annotations

from collections import Counter
from itertools import accumulate

from edge_agent.store.database import Connection
from edge_agent.store.retention import base_of

Total = tuple[str, str, str]  # job, kind, requirement

_DIFFERING = """
    SELECT DISTINCT e.job, e.kind, e.requirement
    FROM effect e
    LEFT JOIN job_total t ON t.job = e.job AND t.kind = e.kind AND t.requirement = e.requirement AND t.seq = e.seq
    WHERE e.seq > ? AND e.seq <= ? AND t.amount IS NOT e.amount + coalesce((
        SELECT amount FROM job_total b
        WHERE b.job = e.job AND b.kind = e.kind AND b.requirement = e.requirement AND b.seq < e.seq
        ORDER BY b.seq DESC LIMIT 1
    ), 0)
"""
_OF = "WHERE job = ? AND kind = ? AND requirement = ?"


def differing(conn: Connection, after: int, upto: int) -> tuple[Total, ...]:
    """The totals that are not what they were plus what a fact did, for the facts behind `after` up to `upto`."""
    return tuple(conn.execute(_DIFFERING, (after, upto)).fetchall())


def sum_up(conn: Connection, total: Total) -> None:
    """Have every row of a total right again; inside a transaction."""
    base = base_of(conn).seq
    effects = conn.execute(f"SELECT seq, amount FROM effect {_OF} AND seq > ? ORDER BY seq", (*total, base)).fetchall()  # noqa: S608
    sums = dict(zip((seq for seq, _ in effects), accumulate(amount for _, amount in effects), strict=True))
    told = dict(conn.execute(f"SELECT seq, amount FROM job_total {_OF}", total).fetchall())  # noqa: S608
    gone = max((seq for seq in told if seq <= base), default=0)
    before = _before(told, sums, gone) if base else 0
    conn.execute(f"DELETE FROM job_total {_OF} AND seq > ?", (*total, base))  # noqa: S608
    if gone:
        conn.execute(f"UPDATE job_total SET amount = ? {_OF} AND seq = ?", (before, *total, gone))  # noqa: S608
    rows = [(*total, seq, before + amount) for seq, amount in sums.items()]
    conn.executemany("INSERT INTO job_total (job, kind, requirement, seq, amount) VALUES (?, ?, ?, ?, ?)", rows)


def _before(told: dict[int, int], sums: dict[int, int], gone: int) -> int:
    """What the facts that left the journal came to: most of the totals agree on it."""
    votes = [told[gone]] if gone else []
    votes += [amount - sums[seq] for seq, amount in told.items() if seq in sums]
    return Counter(votes).most_common(1)[0][0] if votes else 0
