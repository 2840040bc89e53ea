"""Stored samples as they cross the local socket: one JSON document a line."""

from __future__ import annotations

import glob
import math
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from device_drivers.contract import Value
from edge_agent.machines.by_exception import Gap, microseconds
from edge_agent.store.samples import SampleStore
from edge_agent.store.samples_blocks import STATUSES
from edge_agent.store.samples_reading import Chunk
from edge_agent.telemetry.trend import Folding
from edge_agent.views.histories import SampleGap, Samples, Trend

_BEFORE, _LONGEST, _POINTS = 600_000_000, 40 * 86_400_000_000, 2000  # microseconds; buckets

_WORDS: list[Any] = [status.value for status in STATUSES]


async def sample_lines(
    store: SampleStore, since: int | None, until: int | None, patterns: Sequence[str]
) -> AsyncIterator[bytes]:
    """Lines of SampleGap, then of Samples. Times in microseconds, None without an end; no pattern: all items."""
    async for each in store.read(patterns or ("*",), since, until):
        yield msgspec.json.encode(_told(each)) + b"\n"


async def trend_of(
    store: SampleStore | None, device: str, item: str, since: int, until: int, points: int
) -> Trend:
    """One item in at most so many buckets. What holds at the beginning is known from ten minutes before.

    Raises ValueError for a time that is none, or of which nothing could be drawn.
    """
    if not 0 < until - since <= _LONGEST or not 1 <= points <= _POINTS:
        raise ValueError(f"a trend is of 1 us to 40 days, in 1 to {_POINTS} points")
    folding = Folding(device, item, since, until, points)
    if store is not None:
        async for each in store.read((glob.escape(f"{device}/{item}"),), since - _BEFORE, until):
            if isinstance(each, Gap):
                folding.gaps.append(each)
            else:
                folding.take(each.series)
    return folding.trend()


def parse_time(text: str | None) -> int | None:
    """An ISO 8601 moment as microseconds since 1970 UTC; None for none. Raises ValueError without a time zone.

    >>> parse_time("2026-11-22T06:00:00+01:00") == parse_time("2026-11-22T05:00Z")
    True
    >>> parse_time("2026-11-22")
    Traceback (most recent call last):
    ValueError: 2026-11-22 needs a time zone, such as 2026-11-22T00:00:00Z or 2026-11-22T00:00:00+01:00
    """
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} needs a time zone, such as {moment.isoformat()}Z or {moment.isoformat()}+01:00")
    return microseconds(moment)


def _told(each: Chunk | Gap) -> Samples | SampleGap:
    if isinstance(each, Gap):
        return SampleGap(
            device=each.device, item=each.item, since=each.since, until=each.until, reason=each.reason,
            count=each.count,
        )  # fmt: skip
    times, statuses, values = each.series
    return Samples(
        device=each.device, item=each.item, times=times, statuses=[_WORDS[number] for number in statuses],
        values=[*map(_json, values)],
    )  # fmt: skip


def _json(value: Value) -> bool | int | float | str | list[str] | None:
    """A value that JSON can write; it has no words for what is no number."""
    if type(value) is not float or math.isfinite(value):
        return value
    return ["NaN"] if value != value else ["Infinity" if value > 0 else "-Infinity"]
