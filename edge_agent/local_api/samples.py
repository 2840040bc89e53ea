"""What is asked of stored machine values in an address of the local API, and the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from edge_agent.machines.by_exception import microseconds
from edge_agent.store.samples import SampleStore
from edge_agent.telemetry.sample_stream import parse_time, sample_lines, trend_of
from edge_agent.views.histories import Trend

_HOUR = 3_600_000_000  # microseconds


class Asked(Protocol):
    """The query of an address: names with one value or several."""

    def get(self, key: str, /) -> str | None:
        """The value of a name."""
        ...

    def getlist(self, key: str) -> list[str]:
        """All values of a name."""
        ...


def stored_lines(samples: SampleStore | None, asked: Asked) -> AsyncIterator[bytes]:
    """Samples and gaps of a time, a line each; nothing without a store. Raises ValueError for a time that is none."""
    since, until = parse_time(asked.get("from")), parse_time(asked.get("to"))
    return sample_lines(samples, since, until, asked.getlist("items")) if samples is not None else _nothing()


async def _nothing() -> AsyncIterator[bytes]:
    for line in tuple[bytes, ...]():
        yield line


async def stored_trend(samples: SampleStore | None, asked: Asked, now: datetime) -> Trend:
    """One item in buckets, up to now when no time is given. Raises ValueError for a time or number that is none."""
    until = parse_time(asked.get("to"))
    until = microseconds(now) if until is None else until
    since = parse_time(asked.get("from"))
    since = until - _HOUR if since is None else since
    device, item, points = asked.get("device") or "", asked.get("item") or "", int(asked.get("points") or "240")
    return await trend_of(samples, device, item, since, until, points)
