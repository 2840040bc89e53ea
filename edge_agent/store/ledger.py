"""The counter ledger on disk: last readings, parts by job, and which job a machine had open when.

Readings and the parts they stand for go in together, in one transaction: whatever is lost with the
agent is counted again from the last reading that is here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from edge_agent.machines.ledger import (
    UNATTRIBUTED,
    Evidence,
    Reading,
    Share,
    Standing,
    Step,
    Switch,
    running,
    split,
)
from edge_agent.store.database import Connection
from edge_agent.store.journal import time_text

UNSURE = "unsure"  # the cause of parts of which a person says whether they were made
_SCRAP = "\x1fscrap"  # no id of a machine has this character, which separates units
KEPT = timedelta(days=40)  # how long minutes, states and stops stay: a month can be looked back on

_CAUSES = {Evidence.RESET: "reset", Evidence.JUMP: "jump", Evidence.UNSURE: UNSURE}


@dataclass(frozen=True, slots=True)
class Tally:
    """Parts of a machine so far: all, and those of them that no job has. What is `unsure` is none of them."""

    counted: int = 0
    unattributed: int = 0


def scrap_of(equipment: str) -> str:
    """Where the counter of defective parts of a machine has its pages: beside those of the machine, under its jobs."""
    return f"{equipment}{_SCRAP}"


def standings(conn: Connection) -> Mapping[str, Standing]:
    """The last reading of every counter, by machine."""
    rows = conn.execute("SELECT equipment, modulus, width, epoch, reading, at, suspect, suspect_at FROM counter")
    return {
        equipment: Standing(
            _reading(value, at), modulus or 1 << width, epoch,
            _reading(suspect, suspect_at) if suspect is not None else None,
        )
        for equipment, modulus, width, epoch, value, at, suspect, suspect_at in rows
    }  # fmt: skip


def tallies(conn: Connection) -> Mapping[str, Tally]:
    """What was counted so far, by machine."""
    rows = conn.execute(
        "SELECT equipment, sum(parts), coalesce(sum(parts) FILTER (WHERE job = ''), 0) FROM tally"
        " WHERE cause <> ? GROUP BY equipment",
        (UNSURE,),
    )
    return {equipment: Tally(counted, unattributed) for equipment, counted, unattributed in rows}


def unattributed(conn: Connection, equipment: str, cause: str = "") -> tuple[int, datetime] | None:
    """Parts that a machine counted while no job was open, as far as nobody was asked for them, and since when.

    With the cause `UNSURE` those that may not have been made at all.
    """
    row = conn.execute(
        "SELECT t.parts - coalesce(a.left_alone, 0), coalesce(a.answered, t.began) FROM tally t"
        " LEFT JOIN assigned a ON (a.equipment, a.cause) = (t.equipment, t.cause)"
        " WHERE t.equipment = ? AND t.job = '' AND t.cause = ?",
        (equipment, cause),
    ).fetchone()
    if row is None or row[0] <= 0:
        return None
    parts, answered = int(row[0]), datetime.fromisoformat(row[1])
    minute, later = conn.execute(
        "SELECT min(minute), sum(parts) FROM counted WHERE equipment = ? AND job = '' AND cause = ? AND minute > ?",
        (equipment, cause, time_text(answered.replace(second=0, microsecond=0))),
    ).fetchone()
    # Some of the minute of the last answer may be new as well: then it is since that answer.
    return parts, answered if minute is None or later < parts else datetime.fromisoformat(minute)


def since_report(conn: Connection, equipment: str, job: str) -> int:
    """Parts of a job that a machine counted and nobody has reported yet; less than 0 when more was reported.

    A report stands for what the machine had counted then (`machine_count`), whatever was reported, and
    where that was not known for its quantity. One that was taken back stands for nothing.
    """
    row = conn.execute(
        "SELECT coalesce((SELECT parts FROM tally WHERE equipment = :machine AND job = :job AND cause = ''), 0)"
        " - coalesce((SELECT parts FROM reported WHERE equipment = :machine AND job = :job), 0)",
        {"machine": equipment, "job": job},
    ).fetchone()
    return int(row[0])


def scrap_since_report(conn: Connection, equipment: str, job: str) -> int:
    """Scrap of a job that was reported at a machine since the last report of good pieces that took what the machine had
    counted (`machine_count`), in whole pieces, rounded up: how many of `since_report` are known to be no good ones.

    What was taken back counts for nothing, scrap and report alike.
    """
    (millionths,) = conn.execute(
        """
        SELECT coalesce(sum(j.millionths), 0) FROM journal j
        WHERE j.about = :job AND j.kind = 'MaterialScrapped' AND json_extract(j.payload, '$.equipment') = :machine
            AND NOT EXISTS (SELECT 1 FROM journal c WHERE c.corrects = j.id)
            AND j.seq > coalesce((
                SELECT g.seq FROM journal g WHERE g.about = :job AND g.kind = 'MaterialProduced'
                    AND json_extract(g.payload, '$.equipment') = :machine
                    AND json_extract(g.payload, '$.machine_count') IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM journal c WHERE c.corrects = g.id)
                ORDER BY g.seq DESC LIMIT 1
            ), 0)
        """,
        {"machine": equipment, "job": job},
    ).fetchone()
    return -(-int(millionths) // 1_000_000)


def minutes(
    conn: Connection, equipment: str, began: datetime, ended: datetime
) -> tuple[tuple[datetime, str, int], ...]:
    """Minute, job and parts of a machine, for the minutes that begin in the interval; in order."""
    rows = conn.execute(
        "SELECT minute, job, sum(parts) FROM counted WHERE equipment = ? AND minute >= ? AND minute < ?"
        " GROUP BY minute, job",
        (equipment, time_text(began), time_text(ended)),
    )
    return tuple((datetime.fromisoformat(minute), job, parts) for minute, job, parts in rows)


def scrapped(conn: Connection, equipment: str, began: datetime, ended: datetime) -> Fraction:
    """The scrap that people reported at a machine in the interval, less what they took back."""
    (millionths,) = conn.execute(
        "SELECT coalesce(sum(millionths), 0) FROM journal j WHERE kind = 'MaterialScrapped'"
        " AND event_time >= ? AND event_time < ? AND json_extract(payload, '$.equipment') = ?"
        " AND NOT EXISTS (SELECT 1 FROM journal c WHERE c.corrects = j.id)",
        (time_text(began), time_text(ended), equipment),
    ).fetchone()
    return Fraction(millionths, 1_000_000)


def enter(conn: Connection, equipment: str, steps: Sequence[Step], first: int) -> None:
    """Take the steps of a counter, in order, and its last reading; inside a transaction.

    `first` is the number of the first of them: those that were entered before are left out, because a
    commit that was cancelled or that failed may stand all the same.
    """
    known, machine = entered(conn).get(equipment, 0), equipment.removesuffix(_SCRAP)
    last = None
    for step in steps[max(0, known - first + 1) :]:
        last = step.standing
        if step.parts:
            shares = split(step.parts, step.began, last.last.at, switches(conn, machine, step.began))
            for share in shares:
                _count(conn, equipment, share, "", step.began)
        if step.doubtful:
            doubt = Share(UNATTRIBUTED, step.doubtful, last.last.at)
            _count(conn, equipment, doubt, _CAUSES[step.evidence], step.began)
    if last is not None:
        _keep(conn, equipment, last, first + len(steps) - 1)


def entered(conn: Connection) -> Mapping[str, int]:
    """How many steps of each counter were entered, by machine."""
    return dict(conn.execute("SELECT equipment, steps FROM counter"))


def switches(conn: Connection, equipment: str, since: datetime) -> tuple[Switch, ...]:
    """Which job each terminal of the machine had open at `since`, and what changed after it; in order."""
    rows = conn.execute(
        """
        SELECT terminal, job, at FROM opened o WHERE equipment = :equipment AND (
            at > :since OR at = (
                SELECT max(at) FROM opened p
                WHERE p.equipment = o.equipment AND p.terminal = o.terminal AND p.at <= :since
            )
        ) ORDER BY at
        """,
        {"equipment": equipment, "since": time_text(since)},
    )
    return tuple(Switch(terminal, job, datetime.fromisoformat(at)) for terminal, job, at in rows)


def note_job(
    conn: Connection, equipment: str, terminal: str, job: str | None, at: datetime, anew: bool = False
) -> None:
    """A terminal of the machine has this job open now (empty: none, None: the one that it had); in the
    transaction of the input. `anew`: a person opened it this moment, so that it goes before that of other terminals.
    """
    newest = "SELECT equipment, job, at FROM opened WHERE terminal = ? ORDER BY at DESC LIMIT 1"
    last = conn.execute(newest, (terminal,)).fetchone()
    if job is None:
        job, anew = last[1] if last is not None and last[0] == equipment else UNATTRIBUTED, False
    if last is not None and last[0] == equipment:
        if last[1] == job and not (anew and job and running(switches(conn, equipment, at), at) != job):
            return
        # A wall clock that was set back must not put the switch before the one that it follows.
        at = max(at, datetime.fromisoformat(last[2]) + timedelta(microseconds=1))
    elif last is not None and last[1]:  # the terminal stands at another machine now
        _open(conn, last[0], terminal, UNATTRIBUTED, at)
    if job or last is not None:
        _open(conn, equipment, terminal, job, at)


def end_job(conn: Connection, job: str, at: datetime) -> None:
    """A job is done: no terminal has it open any more; in the transaction of the fact that says so."""
    rows = conn.execute(
        "SELECT equipment, terminal FROM opened o WHERE job = ? AND at ="
        " (SELECT max(at) FROM opened p WHERE p.terminal = o.terminal)",
        (job,),
    ).fetchall()
    for equipment, terminal in rows:
        note_job(conn, equipment, terminal, UNATTRIBUTED, at)


def prune(conn: Connection, now: datetime) -> None:
    """Drop what is older than it is kept; inside a transaction. Tallies and last readings stay."""
    limit = time_text(now - KEPT)
    conn.execute("DELETE FROM counted WHERE minute < ?", (limit,))
    conn.execute("DELETE FROM equipment_state WHERE ended < ?", (limit,))
    conn.execute("DELETE FROM stop WHERE ended < ?", (limit,))
    conn.execute(
        "DELETE FROM opened WHERE at < ? AND EXISTS (SELECT 1 FROM opened p WHERE p.terminal = opened.terminal"
        " AND p.equipment = opened.equipment AND p.at > opened.at AND p.at < ?)",
        (limit, limit),
    )


def _open(conn: Connection, equipment: str, terminal: str, job: str, at: datetime) -> None:
    conn.execute(
        "INSERT OR REPLACE INTO opened (equipment, terminal, at, job) VALUES (?, ?, ?, ?)",
        (equipment, terminal, time_text(at), job),
    )


def _count(conn: Connection, equipment: str, share: Share, cause: str, began: datetime) -> None:
    estimated = share.parts if share.estimated else 0
    conn.execute(
        "INSERT INTO tally (equipment, job, cause, parts, estimated, began, ended) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET parts = parts + excluded.parts,"
        " estimated = estimated + excluded.estimated, ended = excluded.ended",
        (equipment, share.job, cause, share.parts, estimated, time_text(began), time_text(share.at)),
    )
    conn.execute(
        "INSERT INTO counted (equipment, minute, job, cause, parts) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET parts = parts + excluded.parts",
        (equipment, time_text(share.at.replace(second=0, microsecond=0)), share.job, cause, share.parts),
    )


def _keep(conn: Connection, equipment: str, standing: Standing, steps: int) -> None:
    suspect, numbers = standing.suspect, standing.modulus
    width = min(max((numbers - 1).bit_length(), 8), 64)
    conn.execute(
        "INSERT OR REPLACE INTO counter (equipment, width, modulus, epoch, reading, at, suspect, suspect_at, steps)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            equipment, width, None if numbers == 1 << width else numbers, standing.epoch,
            str(standing.last.value), time_text(standing.last.at),
            str(suspect.value) if suspect else None, time_text(suspect.at) if suspect else None,
            steps,
        ),
    )  # fmt: skip


def _reading(value: str, at: str) -> Reading:
    return Reading(int(value), datetime.fromisoformat(at))
