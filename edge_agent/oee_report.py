"""Time elements and OEE of a machine from what is on disk, as the local API tells them."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from edge_agent.oee import oee, pieces, times
from edge_agent.store import Connection
from edge_agent.store.ledger import KEPT, minutes, scrapped, switches
from edge_agent.store.stops import spans, stops
from edge_agent.views import EquipmentStatus, OeeReport, TimePiece


def report(conn: Connection, machine: EquipmentStatus, began: datetime, ended: datetime) -> OeeReport:
    """What the machine did between two moments, piece by piece.

    Good pieces are those that the ledger has for jobs, by the minute; scrap is what people reported.
    """
    found = pieces(
        spans(conn, machine.id, began, ended), switches(conn, machine.id, began),
        [stop for stop in stops(conn, machine.id, began - KEPT) if stop.ended is None or stop.ended > began],
        began, ended,
    )  # fmt: skip
    elements = times(found)
    good = sum(parts for _, job, parts in minutes(conn, machine.id, began, ended) if job)
    scrap = scrapped(conn, machine.id, began, ended)
    factors = oee(elements, good, scrap, machine.cycle_time)
    return OeeReport(
        equipment=machine.id, began=began, ended=ended, good=good, scrap=float(scrap),
        elements={element.value: lasted.total_seconds() for element, lasted in elements.items()},
        availability=_told(factors.availability), performance=_told(factors.performance),
        quality=_told(factors.quality), oee=_told(factors.oee),
        pieces=tuple(
            TimePiece(
                element=each.element.value, began=each.began, ended=each.ended, state=each.state,
                mode=each.mode, alarm=each.alarm, job=each.job, stop=each.stop, reason=each.reason,
            )
            for each in found
        ),
    )  # fmt: skip


def _told(factor: Fraction | None) -> float | None:
    return None if factor is None else float(factor)
