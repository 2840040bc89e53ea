"""How far a job is, from the views over plans and journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import msgspec

from edge_agent.planbook import Progress
from edge_agent.store.database import Connection
from sync.contract import AnyFact

_AT_ONCE = 500  # jobs in one query

_Figures = dict[tuple[str, str], tuple[int, int]]  # (kind, requirement) -> done, reported

_body: msgspec.json.Decoder[AnyFact] = msgspec.json.Decoder(AnyFact)


class ProgressOf:
    """How far each job is, on one state of the database; each is read once.

    Whoever asks for a second job is about to ask for a whole list: all that `listed_with` it are read
    together then.
    """

    def __init__(self, conn: Connection, listed_with: Callable[[str], Iterable[str]]) -> None:
        self._conn = conn
        self._listed_with = listed_with
        self._known: dict[str, Progress] = {}

    def __call__(self, job: str) -> Progress:
        """As `progress`."""
        if job not in self._known:
            together = self._listed_with(job) if self._known else ()
            self._known |= progress_of(self._conn, (job, *together))
        return self._known[job]


def progress(conn: Connection, job: str) -> Progress:
    """What the ERP has booked for the job plus our facts that it had not seen; zero for a job without a plan.

    `lines` has every requirement of the plan. Quantities are exact to six decimals.
    """
    return progress_of(conn, (job,))[job]


def progress_of(conn: Connection, jobs: Iterable[str]) -> dict[str, Progress]:
    """As `progress`, for each of the jobs; of many at once it takes a fifth of the time."""
    asked = tuple(dict.fromkeys(jobs))
    found = dict.fromkeys(asked, Progress())
    for first in range(0, len(asked), _AT_ONCE):
        found |= _progress_of(conn, asked[first : first + _AT_ONCE])
    return found


def _progress_of(conn: Connection, jobs: Sequence[str]) -> dict[str, Progress]:
    marks = ", ".join("?" * len(jobs))  # SQLite takes a list into the view, and no other form of them
    figures = f"SELECT job, kind, requirement, done, reported FROM job_progress WHERE job IN ({marks})"  # noqa: S608
    found: defaultdict[str, _Figures] = defaultdict(dict)
    for job, kind, requirement, done, reported in conn.execute(figures, jobs):
        found[job][kind, requirement] = done, reported
    return {job: _of_figures(each) for job, each in found.items()}


def _of_figures(figures: _Figures) -> Progress:
    return Progress(
        good=_decimal(figures["MaterialProduced", ""][0]),
        scrap=_decimal(figures["MaterialScrapped", ""][0]),
        started=figures["JobStarted", ""][1] > 0,
        completed=figures["JobCompleted", ""][0] > 0,
        finished_here=figures["JobCompleted", ""][1] > 0,
        lines={line: _decimal(done) for (kind, line), (done, _) in figures.items() if kind == "MaterialMoved"},
        shorts={
            line: _decimal(reported) for (kind, line), (_, reported) in figures.items()
            if kind == "MaterialShort" and reported > 0
        },
    )  # fmt: skip


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
    return Decimal(millionths) / 1_000_000 if millionths else Decimal(0)
