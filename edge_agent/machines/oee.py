"""What a machine did with its time, and how well: time elements and OEE after ISO 22400-2. Pure.

An interval is cut wherever state, job or stop changes. Each piece belongs to one element, so the
elements add up to the interval, and every minute can say why it counts as it does.

Of ISO 22400-2: production is the actual production time (APT); short_stop, delay and maintenance are the
delays (ADOT) of the planned busy time; planned (PBT) is what had an order: all four. planned_downtime (PDOT)
is a stop whose reason is a planned one, such as a break: no part of the planned busy time. Time without an
order is not planned. Time without data is neither planned nor lost: it is named, and left out.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TypeVar

from edge_agent.machines.ledger import Switch, running
from edge_agent.machines.stops import EXECUTE, NO_DATA, UNKNOWN, Span, Stop


class Element(enum.StrEnum):
    """Where a piece of time belongs."""

    PRODUCTION = "production"
    SHORT_STOP = "short_stop"
    DELAY = "delay"
    MAINTENANCE = "maintenance"
    PLANNED_DOWNTIME = "planned_downtime"
    RUN_WITHOUT_ORDER = "run_without_order"
    NO_ORDER = "no_order"
    NO_DATA = "no_data"


PLANNED = (Element.PRODUCTION, Element.SHORT_STOP, Element.DELAY, Element.MAINTENANCE)
MAINTENANCE = "MAINTENANCE"
_STOOD = (Element.DELAY, Element.MAINTENANCE, Element.NO_ORDER)  # there may be a stop, and a reason, in it
_DELAYS = (Element.DELAY, Element.MAINTENANCE)
_ZERO = timedelta()

_T = TypeVar("_T", Span, Stop)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of time and why it belongs to its element: state, mode and alarm of the machine, the job, and
    the stop with the reason that was said for this part of it."""

    element: Element
    began: datetime
    ended: datetime
    state: str
    mode: str = ""
    alarm: str = ""
    job: str = ""
    stop: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Oee:
    """The factors, exact; None where there is nothing to divide by. `oee` is their product.

    `performance` (ISO 22400: effectiveness) needs the ideal cycle time; it may be above 1 when that is
    wrong, and is told as it is.
    """

    availability: Fraction | None
    performance: Fraction | None
    quality: Fraction | None

    @property
    def oee(self) -> Fraction | None:
        """Availability times performance times quality."""
        if self.availability is None or self.performance is None or self.quality is None:
            return None
        return self.availability * self.performance * self.quality


def pieces(
    spans: Sequence[Span], switches: Sequence[Switch], stops: Sequence[Stop], began: datetime, ended: datetime,
    planned: Collection[str] = (),
) -> tuple[Piece, ...]:  # fmt: skip
    """The interval in pieces, in order, without a gap: what no span covers is NO DATA. `planned` are the reasons of
    stops that were meant to be."""
    told = (
        *(moment for span in spans for moment in (span.began, span.ended)),
        *(switch.at for switch in switches),
        *(moment for stop in stops for moment in (stop.began, stop.ended)),
        *(split.at for stop in stops for split in stop.splits),
    )
    cuts = sorted({began, ended, *(moment for moment in told if moment and began < moment < ended)})
    found: list[Piece] = []
    for (start, end), span, stop in zip(itertools.pairwise(cuts), _each(spans, cuts), _each(stops, cuts), strict=False):
        piece = _piece(start, end, span, running(switches, start), stop, planned)
        if found and _alike(found[-1], piece):
            found[-1] = replace(found[-1], ended=end)
        else:
            found.append(piece)
    return tuple(found)


def times(found: Sequence[Piece]) -> Mapping[Element, timedelta]:
    """How long each element lasted; all of them, so that they add up to the interval."""
    return {
        element: sum((each.ended - each.began for each in found if each.element is element), _ZERO)
        for element in Element
    }


def oee(elements: Mapping[Element, timedelta], good: Fraction | int, scrap: Fraction, cycle: float) -> Oee:
    """The factors of a time. `good` and `scrap` are pieces of orders, `cycle` ideal seconds for one."""
    planned = sum((elements[element] for element in PLANNED), _ZERO)
    production = elements[Element.PRODUCTION]
    made = good + scrap
    return Oee(
        availability=_share(production, planned),
        performance=Fraction(cycle) * made / _seconds(production) if production and cycle else None,
        quality=Fraction(good) / made if made else None,
    )


def why(found: Sequence[Piece], minute: datetime) -> tuple[Piece, ...]:
    """What a minute was made of: its pieces, cut to it, the longest first."""
    end = minute + timedelta(minutes=1)
    inside = [
        replace(each, began=max(each.began, minute), ended=min(each.ended, end))
        for each in found
        if each.began < end and each.ended > minute
    ]
    return tuple(sorted(inside, key=lambda each: each.began - each.ended))


def _piece(
    began: datetime, ended: datetime, span: Span | None, job: str, stop: Stop | None, planned: Collection[str]
) -> Piece:
    if span is None:
        return Piece(Element.NO_DATA, began, ended, NO_DATA, job=job)
    element = _element(span, job, stop)
    if element not in _STOOD or stop is None:
        return Piece(element, began, ended, span.state, span.mode, span.alarm, job)
    reason = next((cut.reason for cut in reversed(stop.splits) if cut.at <= began), stop.reason)
    if reason in planned and element in _DELAYS:
        element = Element.PLANNED_DOWNTIME
    return Piece(element, began, ended, span.state, span.mode, span.alarm, job, stop.id, reason)


def _element(span: Span, job: str, stop: Stop | None) -> Element:
    if span.state in UNKNOWN:
        return Element.NO_DATA
    if span.state == EXECUTE:
        return Element.PRODUCTION if job else Element.RUN_WITHOUT_ORDER
    if not job:
        return Element.NO_ORDER
    if span.mode == MAINTENANCE:
        return Element.MAINTENANCE
    return Element.SHORT_STOP if stop is None else Element.DELAY


def _each(told: Sequence[_T], moments: Sequence[datetime]) -> Iterator[_T | None]:
    """Of each of the ascending moments the one that it lies in; of two, the one that began last."""
    waiting = sorted(told, key=lambda each: each.began, reverse=True)
    begun: list[_T] = []
    for moment in moments:
        while waiting and waiting[-1].began <= moment:
            begun.append(waiting.pop())
        while begun and (over := begun[-1].ended) is not None and over <= moment:
            begun.pop()
        yield begun[-1] if begun else None


def _alike(one: Piece, other: Piece) -> bool:
    return one == replace(other, began=one.began, ended=one.ended)


def _share(part: timedelta, whole: timedelta) -> Fraction | None:
    return _seconds(part) / _seconds(whole) if whole else None


def _seconds(time: timedelta) -> Fraction:
    return Fraction(time // timedelta(microseconds=1), 1_000_000)
