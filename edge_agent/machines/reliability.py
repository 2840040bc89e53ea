"""What the history of a machine comes to for whoever repairs it: strip, MTBF and MTTR, downtime by reason. Pure.

MTBF and MTTR (ISO 22400-2) of an interval: operating time divided by failures, and time to repair divided
by failures. Operating time is the time in EXECUTE, with or without an order. A failure is a stop of the
machine itself that began in the interval: one that was ABORTING or ABORTED when it was long enough to be
asked for (PackML: a machine fault), or STOPPING or STOPPED with an alarm; STOPPED without one was somebody's
wish, HELD and SUSPENDED wait for material or for others. Time to repair is how long such a stop lasted inside
the interval. What nobody knows is neither.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge_agent.machines.stops import EXECUTE, NO_DATA, Span, Stop, stands
from edge_agent.views.maintenance import StateSpan

_FAULT = ("ABORTING", "ABORTED")
_FAULT_WITH_ALARM = ("STOPPING", "STOPPED")
_CELLS = 240  # stretches of a strip at most; twice what a terminal can draw
_ZERO = timedelta()


@dataclass(frozen=True, slots=True)
class Reliability:
    """`mtbf` and `mttr` as in the module; None without a failure."""

    failures: int
    mtbf: timedelta | None
    mttr: timedelta | None


@dataclass(frozen=True, slots=True)
class Lost:
    """Time lost to one reason; `reason` empty: nobody said. `stops`: how many it had a part in."""

    reason: str
    time: timedelta
    stops: int


def strip(spans: Sequence[Span], began: datetime, ended: datetime) -> tuple[StateSpan, ...]:
    """The states of an interval, in order and without a gap: NO DATA where nothing is known.

    `spans` in the order in which they began; one that is not over lasts, and none lasts into the next.
    Neighbours differ. Where there are more stretches than anybody could draw, each of 240 cells shows the
    state that took most of it.
    """
    found = list(_joined(_covered(spans, began, ended)))
    if len(found) > _CELLS:
        found = list(_joined(_cells(found, began, ended)))
    return tuple(found)


def stood(stops: Sequence[Stop], began: datetime, ended: datetime) -> tuple[StateSpan, ...]:
    """When a machine stood in an interval, in order, by its stops; those as close as a cell of `strip` are one."""
    step, found = (ended - began) / _CELLS, list[StateSpan]()
    for stop in sorted(stops, key=lambda stop: stop.began):
        start, over = max(stop.began, began), min(stop.ended or ended, ended)
        if over <= start:
            continue
        if found and start - found[-1].ended < step:
            last = found.pop()
            found.append(StateSpan(last.state, last.began, max(last.ended, over)))
        else:
            found.append(StateSpan(stop.state, start, over))
    return tuple(found)


def short_stops(spans: Sequence[Span], recent: Sequence[Stop]) -> tuple[datetime, ...]:
    """When each time ended in which a machine stood and that was too short to be one of its stops.

    `spans` in the order in which they began. What is known to go on is none yet, and neither is what ends
    where knowledge ends.
    """
    over: list[datetime] = []
    began: datetime | None = None
    for span, after in itertools.pairwise(spans):
        if not stands(span.state):
            began = None
            continue
        began = began or span.began
        if span.ended == after.began and after.state == EXECUTE:
            if not any(stop.began < after.began and began < (stop.ended or after.began) for stop in recent):
                over.append(after.began)
        if span.ended != after.began:
            began = None
    return tuple(over)


def is_failure(stop: Stop) -> bool:
    """Whether the machine itself failed; the rule stands above."""
    return stop.state in _FAULT or (stop.state in _FAULT_WITH_ALARM and bool(stop.alarm))


def reliability(
    spans: Sequence[Span], stops: Sequence[Stop], began: datetime, ended: datetime
) -> Reliability:
    """MTBF and MTTR of an interval."""
    failed = [stop for stop in stops if is_failure(stop) and began <= stop.began < ended]
    if not failed:
        return Reliability(0, None, None)
    operating = [_inside(span.began, span.ended, began, ended) for span in spans if span.state == EXECUTE]
    repair = [_inside(stop.began, stop.ended, began, ended) for stop in failed]
    count = len(failed)
    return Reliability(count, sum(operating, _ZERO) / count, sum(repair, _ZERO) / count)


def downtime(stops: Sequence[Stop], began: datetime, ended: datetime) -> tuple[Lost, ...]:
    """Time lost in an interval by reason, the longest first. A stop that was split counts for each part."""
    lasted: defaultdict[str, timedelta] = defaultdict(timedelta)
    counted: defaultdict[str, int] = defaultdict(int)
    for stop in stops:
        parts = dict[str, timedelta]()
        for reason, start, end in _parts(stop, ended):
            if (inside := _inside(start, end, began, ended)) > _ZERO:
                parts[reason] = parts.get(reason, _ZERO) + inside
        for reason, time in parts.items():
            lasted[reason] += time
            counted[reason] += 1
    rows = (Lost(reason, time, counted[reason]) for reason, time in lasted.items())
    return tuple(sorted(rows, key=lambda row: (-row.time, row.reason)))


def _parts(stop: Stop, now: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """A stop by reason: the first until the first split, then that of each split until the next."""
    over = stop.ended or max(now, stop.began)
    cuts = [(stop.began, stop.reason), *((split.at, split.reason) for split in sorted(stop.splits, key=lambda s: s.at))]
    ends = [*(at for at, _ in cuts[1:]), over]
    for (start, reason), end in zip(cuts, ends, strict=True):
        yield reason, min(max(start, stop.began), over), min(max(end, stop.began), over)


def _inside(start: datetime, end: datetime | None, began: datetime, ended: datetime) -> timedelta:
    """How much of a time lies in the interval; one without an end lasts."""
    return max(min(end or ended, ended) - max(start, began), _ZERO)


def _covered(spans: Sequence[Span], began: datetime, ended: datetime) -> Iterator[StateSpan]:
    at = began
    for span, after in itertools.zip_longest(spans, spans[1:]):
        over = min(span.ended or ended, after.began if after is not None else ended, ended)
        start = max(span.began, at)
        if over <= start:
            continue
        if at < start:
            yield StateSpan(NO_DATA, at, start)
        yield StateSpan(span.state, start, over)
        at = over
    if at < ended:
        yield StateSpan(NO_DATA, at, ended)


def _joined(spans: Iterator[StateSpan]) -> Iterator[StateSpan]:
    """The same with neighbours of one state as one."""
    for state, run in itertools.groupby(spans, key=lambda span: span.state):
        first, *rest = run
        yield StateSpan(state, first.began, rest[-1].ended if rest else first.ended)


def _cells(spans: Sequence[StateSpan], began: datetime, ended: datetime) -> Iterator[StateSpan]:
    """As many cells of one length as may be drawn, each in the state that took most of it."""
    step, at = (ended - began) / _CELLS, 0
    for cell in range(_CELLS):
        start = began + step * cell
        end = ended if cell == _CELLS - 1 else began + step * (cell + 1)
        took = defaultdict[str, timedelta](timedelta)
        while spans[at].ended <= start:
            at += 1
        for number in range(at, len(spans)):
            if spans[number].began >= end:
                break
            took[spans[number].state] += _inside(spans[number].began, spans[number].ended, start, end)
        yield StateSpan(_most(took), start, end)


def _most(took: Mapping[str, timedelta]) -> str:
    return max(took, key=lambda state: took[state])
