"""What leaves the journal: facts from its front that every connector has delivered long ago.

Triggers hold the rule (see the migration `base`); only the age is judged here. The totals of the jobs stay
right: of each the newest that a plan or a later report builds on is kept.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from edge_agent.store.cursor import cursor
from edge_agent.store.database import Connection
from edge_agent.store.journal import time_text
from edge_agent.store.parking import REPLACED
from edge_agent.store.records import FIRST

STEP = 200  # facts of one purge: a full disk has no room for the log of a large one

_YOUNG = "SELECT min(seq) FROM journal WHERE seq > ? AND seq <= ? AND record_time >= ? AND clock_ok = 1"

# A fact whose clock was not trusted may be of any age, up to that of the next one whose clock was.
_SURE = "SELECT max(seq) FROM journal WHERE seq > ? AND seq <= ? AND clock_ok = 1"

# The first fact up to a seq that is taken back by a later one.
_SPLIT = """
    SELECT min(f.seq) FROM journal c JOIN journal f ON f.id = c.corrects
    WHERE c.corrects IS NOT NULL AND c.seq > ?1 AND f.seq <= ?1
"""

# A plan counts from the total that stood at its as_of_seq; everything else from the last one.
_TOTALS = """
    DELETE FROM job_total AS t
    WHERE seq <= :upto AND job IN (SELECT about FROM journal WHERE seq > :base AND seq <= :upto)
    AND EXISTS (
        SELECT 1 FROM job_total l
        WHERE l.job = t.job AND l.kind = t.kind AND l.requirement = t.requirement AND l.seq > t.seq
            AND l.seq <= min(:upto, coalesce(
                (SELECT as_of_seq FROM plan p WHERE p.kind = 'JobOrder' AND p.id = t.job), :upto
            ))
    )
"""

# Waits for the figures of a plan that is no longer there: the next plan will have them.
_NO_PLAN = """
    DELETE FROM parked WHERE state = 'booked' AND seq <= ?
    AND NOT EXISTS (SELECT 1 FROM plan WHERE kind = 'JobOrder' AND id = parked.about)
"""


@dataclass(frozen=True, slots=True)
class Base:
    """The last fact that left the journal; `seq` 0: none did. The chain begins behind its `hash`."""

    seq: int = 0
    hash: bytes = FIRST


def base_of(conn: Connection) -> Base:
    """Where the journal begins."""
    return Base(*conn.execute("SELECT seq, hash FROM base").fetchone())


def purge(conn: Connection, connectors: Collection[str], before: datetime) -> Base | None:
    """Let about STEP of the oldest facts go, inside a transaction; the new base, None: none may go.

    A fact goes when all `connectors` have delivered it, it was recorded before `before`, nothing that is parked (but a
    decision that a later one stands for) and no request of maintenance that is open is as old, and it is not taken
    back by a fact that stays.
    One whose clock was not trusted goes with the next one whose clock was.
    The last fact always stays.
    """
    base = base_of(conn)
    limit = min((cursor(conn, each) for each in connectors), default=0)
    if limit <= base.seq:
        return None
    conn.execute(_NO_PLAN, (limit,))
    upto = _upto(conn, base.seq, _free(conn, limit), before)
    if upto <= base.seq:
        return None
    (hash,) = conn.execute("SELECT hash FROM journal WHERE seq = ?", (upto,)).fetchone()
    conn.execute(_TOTALS, {"base": base.seq, "upto": upto})
    conn.execute("DELETE FROM parked WHERE state = 'done' AND code = ? AND seq <= ?", (REPLACED, upto))
    conn.execute("UPDATE base SET seq = ?, hash = ?", (upto, hash))
    conn.execute("DELETE FROM journal WHERE seq <= ?", (upto,))
    return Base(upto, hash)


def _free(conn: Connection, limit: int) -> int:
    """The last fact up to `limit` that nobody needs: no connector, former ones included, no parked fact that is still
    to be settled, and no request that is open."""
    (limit,) = conn.execute(
        "SELECT min(?, coalesce((SELECT min(seq) FROM delivered), 0), (SELECT max(seq) FROM journal) - 1,"
        " coalesce((SELECT min(seq) FROM parked WHERE state <> 'done' OR code <> ?) - 1, ?),"
        " coalesce((SELECT min(seq) FROM open_request) - 1, ?))",
        (limit, REPLACED, limit, limit),
    ).fetchone()
    return int(limit)


def _upto(conn: Connection, base: int, free: int, before: datetime) -> int:
    """How far this purge goes: a step, or more where a fact and its correction are further apart."""
    window = STEP
    while True:
        upto = min(free, base + window)
        (young,) = conn.execute(_YOUNG, (base, upto, time_text(before))).fetchone()
        whole = young is None and upto < free
        upto = upto if young is None else young - 1
        (sure,) = conn.execute(_SURE, (base, upto)).fetchone()
        upto = base if sure is None else sure
        while (split := conn.execute(_SPLIT, (upto,)).fetchone()[0]) is not None:
            upto = split - 1
        if upto > base or not whole:
            return upto
        window *= 4
