"""Time for the terminal: where it comes from, and how it is told to people."""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol


class Clock(Protocol):
    """Where the terminal takes time, waiting and ids from; tests move their own by hand."""

    def now(self) -> datetime:
        """The wall clock of this PC, aware: only until the agent has told its time."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    def new_id(self) -> str:
        """An id for an input, minted when the intent starts."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...


class PcClock:
    """The clock of this PC."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def new_id(self) -> str:
        return str(uuid.uuid4())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def hour_minute(moment: datetime, zone: tzinfo | None) -> str:
    """The time of day at the plant (`zone` None: the PC's own)."""
    return moment.astimezone(zone).strftime("%H:%M")


def due_words(moment: datetime, now: datetime, zone: tzinfo | None, weekdays: tuple[str, ...]) -> str:
    """A date as near as it is: `14:00` today, `Fri 14:00` within a week, else `2027-03-01`."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return local.strftime("%H:%M")
    if abs(local - today) < timedelta(days=7):
        return f"{weekdays[local.weekday()]} {local:%H:%M}"
    return f"{local:%Y-%m-%d}"


def age_words(since: datetime | None, now: datetime) -> str:
    """How long ago, in one unit: `8 s`, `3 min`, `5 h`, `12 d`; empty when it is not known.

    >>> age_words(datetime(2026, 1, 1, 12, 0, tzinfo=UTC), datetime(2026, 1, 1, 12, 3, 20, tzinfo=UTC))
    '3 min'
    """
    if since is None:
        return ""
    seconds = max(0, int((now - since).total_seconds()))
    for limit, size, unit in ((100, 1, "s"), (6000, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds // size} {unit}"
    return f"{seconds // 86400} d"


def since_words(moment: datetime, now: datetime, zone: tzinfo | None) -> str:
    """Since when, in seven cells: the time of day when it is today's, else how long ago.

    >>> now = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
    >>> since_words(now - timedelta(hours=3), now, UTC), since_words(now - timedelta(days=3), now, UTC)
    ('09:00', '3 d')
    """
    if moment.astimezone(zone).date() == now.astimezone(zone).date():
        return hour_minute(moment, zone)
    return age_words(moment, now)


def duration_words(seconds: float) -> str:
    """How long something took, in one unit.

    >>> duration_words(42), duration_words(750), duration_words(11_520), duration_words(400_000)
    ('42 s', '12 min', '3.2 h', '4.6 d')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} d"
