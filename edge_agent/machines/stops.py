"""The states of a machine one after the other, and the stops in them. Pure.

A stop is a time in which the machine did not EXECUTE, at least as long as the plant's limit. What nobody
knows is no stop: a state without a meaning, and NO DATA that is as long as the limit, end it where knowledge
ends, and when the machine still stands afterwards another one begins.

Over a shorter NO DATA a stand goes on, when the machine is in the same state and mode before and after it: a line
that was lost for a moment makes no two stops of one, and hides none. NO DATA stays a span of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sync.contract import DowntimeRecorded, DowntimeSplit

NO_DATA = "NO DATA"  # a state of its own: never idle, never a stop
UNDEFINED = "UNDEFINED"  # PackML's word for a state that the map does not know
EXECUTE = "EXECUTE"
UNKNOWN = (NO_DATA, UNDEFINED)


@dataclass(frozen=True, slots=True)
class Span:
    """A machine in one state (PackML or NO DATA) and mode. `alarm` is the first in it; `ended` None: still."""

    state: str
    began: datetime
    raw: str = ""
    mode: str = ""
    alarm: str = ""
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop that is long enough to be asked for. `state` is the one that it was in when it was.

    What people said of it: `reason` empty while nobody did; `said` numbers the fact that says it.
    """

    id: str
    began: datetime
    state: str
    alarm: str = ""
    ended: datetime | None = None
    reason: str = ""
    late: bool = False
    splits: tuple[DowntimeSplit, ...] = ()
    said: int = 0

    def fact(self, equipment: str) -> DowntimeRecorded:
        """What is known of it, as a fact."""
        return DowntimeRecorded(
            about=f"equipment/{equipment}", stop=self.id, equipment=equipment, began=self.began,
            ended=self.ended, state=self.state, alarm=self.alarm, reason=self.reason, late=self.late,
            splits=self.splits,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Watch:
    """A machine as it is watched: the state it is in, since when it stands, and the stop that this is.

    `alarm` is the first since it stands. In NO DATA `held` is how it was watched before, for as long as it may go on.
    """

    span: Span | None = None
    stands_since: datetime | None = None
    alarm: str = ""
    stop: Stop | None = None
    held: Watch | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What a value changed: spans that began or ended, and the stop that ended."""

    watch: Watch
    spans: tuple[Span, ...] = ()
    ended: Stop | None = None


def stands(state: str) -> bool:
    """Whether a machine in this state is known to make nothing."""
    return state != EXECUTE and state not in UNKNOWN


def turned(watch: Watch, now: Span, limit: timedelta = timedelta()) -> Turn:
    """The machine is in this state (`began` is when it was found so); nothing comes of what was known.

    A stand goes on over a NO DATA that is shorter than the limit.
    """
    before = watch.span
    if before is not None and (before.state, before.mode) == (now.state, now.mode):
        return _alarmed(watch, before, now.alarm)
    at = max(now.began, before.began) if before is not None else now.began
    span = replace(now, began=at)
    closed = (replace(before, ended=at),) if before is not None and before.began < at else ()
    if watch.held is not None and before is not None:
        return _after_no_data(watch.held, before.began, span, closed, limit)
    if span.state == NO_DATA and watch.stands_since is not None and limit:
        return Turn(Watch(span, held=watch), (*closed, span))
    if not stands(span.state):
        return Turn(Watch(span), (*closed, span), _ended(watch, at))
    since = watch.stands_since or at
    return Turn(Watch(span, since, watch.alarm or span.alarm, watch.stop), (*closed, span))


def due(watch: Watch, now: datetime, limit: timedelta, id: str) -> Watch | None:
    """The watch with a stop, when it is time to ask for one; None when not."""
    if watch.stop is not None or watch.stands_since is None or watch.span is None:
        return None
    if now - watch.stands_since < limit:
        return None
    return replace(watch, stop=Stop(id, watch.stands_since, watch.span.state, watch.alarm))


def given_up(watch: Watch, now: datetime, limit: timedelta) -> Turn | None:
    """The stop that ended where knowledge did, once NO DATA lasts as long as the limit; None when it is not so."""
    held, span = watch.held, watch.span
    if held is None or span is None or now - span.began < limit:
        return None
    return Turn(Watch(span), (), _ended(held, span.began))


def _after_no_data(held: Watch, lost: datetime, span: Span, closed: tuple[Span, ...], limit: timedelta) -> Turn:
    """Something is known again: the stand from before goes on, or ended when NO DATA began."""
    was = held.span
    if was is not None and (was.state, was.mode) == (span.state, span.mode) and span.began - lost < limit:
        return Turn(replace(held, span=span, alarm=held.alarm or span.alarm), (*closed, span))
    anew = Watch(span, span.began, span.alarm) if stands(span.state) else Watch(span)
    return Turn(anew, (*closed, span), _ended(held, lost))


def _ended(watch: Watch, at: datetime) -> Stop | None:
    return replace(watch.stop, ended=at) if watch.stop is not None else None


def _alarmed(watch: Watch, before: Span, alarm: str) -> Turn:
    """An alarm may come after the state that it explains."""
    if not alarm or before.alarm:
        return Turn(watch)
    span = replace(before, alarm=alarm)
    standing = stands(span.state)
    return Turn(replace(watch, span=span, alarm=watch.alarm or alarm if standing else ""), (span,))
