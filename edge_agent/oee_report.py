"""Time elements and OEE of a machine from what is on disk, as the local API tells them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from edge_agent.machines.oee import Piece, oee, pieces, times, why
from edge_agent.store import Connection
from edge_agent.store.ledger import minutes, scrap_of, scrapped, switches
from edge_agent.store.plans import planned_reasons
from edge_agent.store.stops import spans, stops
from edge_agent.views.oee import OeeReport, TimePiece
from edge_agent.views.status import EquipmentStatus


def report(conn: Connection, machine: EquipmentStatus, began: datetime, ended: datetime) -> OeeReport:
    """What the machine did between two moments, piece by piece.

    Pieces are those that the ledger has for jobs, by the minute. Scrap is what people reported, or what the machine
    counted as defective where that is more: people report those as well, and none is scrap twice.
    """
    return _told_of(conn, machine, began, ended, lambda found: found)


def minute_of(text: str, now: datetime) -> datetime:
    """The beginning of the minute that an ISO 8601 moment lies in, UTC.

    Raises ValueError without a time zone, and for a minute that has not begun at `now`.

    >>> minute_of("2026-11-22T07:12:40+01:00", datetime(2026, 11, 22, 6, 13, tzinfo=UTC)).isoformat()
    '2026-11-22T06:12:00+00:00'
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"`minute` needs a time zone, such as {moment.isoformat()}Z or {moment.isoformat()}+01:00")
    if (began := moment.astimezone(UTC).replace(second=0, microsecond=0)) >= now:
        raise ValueError("`minute` has not begun yet; ask for one that has.")
    return began


def report_of_minute(conn: Connection, machine: EquipmentStatus, minute: datetime, now: datetime) -> OeeReport:
    """Why a minute was as it was: a report of it, or of what there is of it yet, with the longest piece first."""
    return _told_of(conn, machine, minute, min(minute + timedelta(minutes=1), now), lambda found: why(found, minute))


def _told_of(
    conn: Connection, machine: EquipmentStatus, began: datetime, ended: datetime,
    ordered: Callable[[tuple[Piece, ...]], tuple[Piece, ...]],
) -> OeeReport:  # fmt: skip
    found = pieces(
        spans(conn, machine.id, began, ended), switches(conn, machine.id, began),
        stops(conn, machine.id, began), began, ended, planned_reasons(conn),
    )  # fmt: skip
    elements = times(found)
    good, scrap = _quantities(conn, machine, began, ended)
    factors = oee(elements, good, scrap, machine.cycle_time)
    return OeeReport(
        equipment=machine.id, began=began, ended=ended, good=float(good), scrap=float(scrap),
        elements={element.value: lasted.total_seconds() for element, lasted in elements.items()},
        availability=_told(factors.availability), performance=_told(factors.performance),
        quality=_told(factors.quality), oee=_told(factors.oee),
        pieces=tuple(
            TimePiece(
                element=each.element.value, began=each.began, ended=each.ended, state=each.state,
                mode=each.mode, alarm=each.alarm, job=each.job, stop=each.stop, reason=each.reason,
            )
            for each in ordered(found)
        ),
    )  # fmt: skip


def _quantities(
    conn: Connection, machine: EquipmentStatus, began: datetime, ended: datetime
) -> tuple[Fraction, Fraction]:
    """Good pieces and scrap; their sum is what was made."""

    def of_jobs(book: str) -> int:
        return sum(parts for _, job, parts in minutes(conn, book, began, ended) if job)

    told, counted = scrapped(conn, machine.id, began, ended), of_jobs(machine.id)
    defective = of_jobs(scrap_of(machine.id)) if machine.counts_scrap else 0
    scrap = max(told, Fraction(defective))
    if machine.counts == "all":
        return max(Fraction(0), counted - scrap), scrap
    # What people find beyond what the machine sorted out itself, it had counted as good.
    sorted_out = defective if machine.counts_scrap else scrap
    return max(Fraction(0), counted + sorted_out - scrap), scrap


def _told(factor: Fraction | None) -> float | None:
    return None if factor is None else float(factor)
