"""The one source of time, ids and waiting. Everything else gets a `Clock` handed in."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Protocol

from edge_agent.clock_trust import Trust

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # proc(5)


class Clock(Protocol):
    """Time as the house knows it; tests inject one that they move by hand."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC: data only, never for timers, never for order."""
        ...

    def today(self) -> date:
        """The day that it is now where the PC stands: what the dates on labels are compared with."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump: for timers, time-outs and back-off."""
        ...

    def boot(self) -> str:
        """Which start of the PC `monotonic` counts from; where a PC does not tell, which start of the agent."""
        ...

    def new_id(self) -> str:
        """A new UUIDv7 (RFC 9562): 48 bits of milliseconds, then random."""
        ...

    async def sleep_until(self, monotonic: float) -> None:
        """Return when `monotonic()` has reached the given reading."""
        ...

    def continues(self, last: datetime | None) -> None:
        """When the newest fact with a trusted clock was recorded; None: there is none. Told at each
        start of the agent; one within the same process makes no jump plausible that is known."""
        ...

    def compared(self, source: str, theirs: datetime) -> None:
        """Another computer, the ERP most often, says that it is `theirs` now."""
        ...

    def trusted(self) -> bool:
        """Whether the wall clock is believed: nothing speaks against it. See `clock_trust`."""
        ...

    def doubt(self) -> str:
        """Why it is not, as a sentence; empty: it is."""
        ...

    def confirmed(self) -> bool:
        """Whether another computer agrees as well: what can not be taken back waits for that."""
        ...


class SystemClock:
    """The clock of this PC."""

    def __init__(
        self, wall: Callable[[], float] = lambda: time.time(), monotonic: Callable[[], float] = time.monotonic,
        zone: tzinfo | None = None,
    ) -> None:  # fmt: skip
        """`wall` and `monotonic` are where the two readings come from, in seconds. `zone` is where the PC stands; None:
        as it is set there."""
        self._wall = wall
        self._monotonic = monotonic
        self._zone = zone
        self._trust = Trust(wall(), monotonic())
        self._process = os.urandom(16).hex()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._wall(), UTC)

    def today(self) -> date:
        return self.now().astimezone(self._zone).date()

    def monotonic(self) -> float:
        return self._monotonic()

    def boot(self) -> str:
        try:
            return _BOOT_ID.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return self._process

    def new_id(self) -> str:
        return uuid7(int(self._wall() * 1000), os.urandom(10))

    async def sleep_until(self, monotonic: float) -> None:
        await asyncio.sleep(max(0.0, monotonic - self._monotonic()))

    def continues(self, last: datetime | None) -> None:
        self._trust.continues(None if last is None else last.timestamp(), self._wall(), self._monotonic())

    def compared(self, source: str, theirs: datetime) -> None:
        self._trust.compared(source, theirs.timestamp(), self._wall(), self._monotonic())

    def trusted(self) -> bool:
        return not self.doubt()

    def doubt(self) -> str:
        return self._trust.doubt(self._wall(), self._monotonic())

    def confirmed(self) -> bool:
        return self._trust.confirmed(self._wall(), self._monotonic())


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

