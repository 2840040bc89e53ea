"""The one source of time, ids and waiting. Everything else gets a `Clock` handed in."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time as the house knows it; tests inject one that they move by hand."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC: data only, never for timers, never for order."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump: for timers, time-outs and back-off."""
        ...

    def new_id(self) -> str:
        """A new UUIDv7 (RFC 9562): 48 bits of milliseconds, then random."""
        ...

    async def sleep_until(self, monotonic: float) -> None:
        """Return when `monotonic()` has reached the given reading."""
        ...

    def trusted(self) -> bool:
        """Whether the wall clock is believed: it kept step with the monotonic one since the start."""
        ...


class SystemClock:
    """The clock of this PC."""

    _STEP_LIMIT = 2.0  # seconds of disagreement between wall and monotonic clock that a slew can explain

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def new_id(self) -> str:
        return uuid7(int(time.time() * 1000), os.urandom(10))

    async def sleep_until(self, monotonic: float) -> None:
        await asyncio.sleep(max(0.0, monotonic - time.monotonic()))

    def trusted(self) -> bool:
        drift = abs(time.time() - time.monotonic() - self._offset)
        return drift < self._STEP_LIMIT and time.time() > _EARLIEST


def uuid7(milliseconds: int, random: bytes) -> str:
    """The UUIDv7 of a moment and ten random bytes (RFC 9562, 5.7).

    >>> uuid7(0x017F22E279B0, bytes(range(10)))
    '017f22e2-79b0-7001-8203-040506070809'
    """
    raw = bytearray(milliseconds.to_bytes(6, "big") + random)
    raw[6] = raw[6] & 0x0F | 0x70
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


# A PC whose battery died starts in the past; nothing was ever recorded before this.
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
