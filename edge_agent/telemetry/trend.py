"""Samples of one item folded into buckets of one length, for a plot. Pure; it costs what is read, not what is kept.

A value holds until the next one comes, or until something is known to be missing: so a bucket without a
sample has the value that holds in it, and one in a gap has none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from device_drivers.contract import Value
from edge_agent.machines.by_exception import Gap
from edge_agent.store.samples_blocks import STATUSES, Series
from edge_agent.views.histories import SampleGap, Trend

_NOTHING = -1  # no status: nothing is known
_WORDS = {_NOTHING: "", **{place: status.value for place, status in enumerate(STATUSES)}}


@dataclass(slots=True)
class _Bucket:
    low: float | None = None
    high: float | None = None
    last: float | None = None
    status: int = _NOTHING

    def take(self, status: int, value: float | None) -> None:
        """One sample, or the value that holds when it begins."""
        self.status = max(self.status, status)
        self.last = value
        if value is not None:
            self.low = value if self.low is None else min(self.low, value)
            self.high = value if self.high is None else max(self.high, value)


@dataclass
class Folding:
    """Takes the samples of an item in the order in which they came, and gaps in any; `trend` is the result.

    `since` and `until` in microseconds; samples before `since` are those that hold when it begins.
    """

    device: str
    item: str
    since: int
    until: int
    points: int
    gaps: list[Gap] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.step = max(1, -(-(self.until - self.since) // self.points))
        self._count = max(1, -(-(self.until - self.since) // self.step))
        self._buckets = [_Bucket() for _ in range(self._count)]
        self._ends: dict[int, tuple[int, int, float | None]] = {}  # of a bucket: its last sample
        self._before: tuple[int, int, float | None] | None = None

    def take(self, series: Series) -> None:
        """Some samples."""
        since, until, step, buckets = self.since, self.until, self.step, self._buckets
        for time, status, value in zip(*series, strict=True):
            number = plain(value)
            if time < since:
                self._before = (time, status, number)
            elif time < until:
                at = (time - since) // step
                buckets[at].take(status, number)
                self._ends[at] = (time, status, number)

    def trend(self) -> Trend:
        """The buckets, with what holds in those that have no sample."""
        holds, lost = self._before, sorted(gap.since for gap in self.gaps)
        for at, bucket in enumerate(self._buckets):
            begin = self.since + at * self.step
            if holds is not None and any(holds[0] < gap <= begin for gap in lost):
                holds = None  # what came after the gap began is not known
            if bucket.status == _NOTHING and holds is not None:
                bucket.take(*holds[1:])
            holds = self._ends.get(at, holds)
        return Trend(
            device=self.device, item=self.item, since=self.since, until=self.until, step=self.step,
            times=[self.since + at * self.step for at in range(self._count)],
            low=[each.low for each in self._buckets], high=[each.high for each in self._buckets],
            last=[each.last for each in self._buckets],
            status=[_WORDS[each.status] for each in self._buckets],  # type: ignore[misc]  # the words of STATUSES
            gaps=[_told(gap) for gap in sorted(self.gaps, key=lambda gap: gap.since)],
        )  # fmt: skip


def plain(value: Value) -> float | None:
    """A value that can be drawn; None for text, no value, and what is no number.

    >>> plain(True), plain("RUN"), plain(float("nan")), plain(3)
    (1.0, None, None, 3.0)
    """
    if isinstance(value, bool | int | float) and math.isfinite(value):
        return float(value)
    return None


def _told(gap: Gap) -> SampleGap:
    return SampleGap(
        device=gap.device, item=gap.item, since=gap.since, until=gap.until, reason=gap.reason, count=gap.count
    )
