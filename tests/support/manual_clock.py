"""A clock that only the test moves."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta, tzinfo

from edge_agent.clock import uuid7

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class ManualClock:
    """Stands still until `advance`; ids come in a fixed order. `trust` is what `trusted()` and `confirmed()` answer;
    `zone` is where the PC stands."""

    def __init__(self, now: datetime = START, zone: tzinfo = UTC) -> None:
        self.trust = True
        self.zone = zone
        self.booted = "boot-1"
        self._now = now
        self._monotonic = 1000.0
        self._ids = 0
        self._sleepers: dict[asyncio.Future[None], float] = {}
        self._fell_asleep = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def today(self) -> date:
        return self._now.astimezone(self.zone).date()

    def monotonic(self) -> float:
        return self._monotonic

    def boot(self) -> str:
        return self.booted

    def new_id(self) -> str:
        self._ids += 1
        return uuid7(int(self._now.timestamp() * 1000), self._ids.to_bytes(10, "big"))

    def continues(self, last: datetime | None) -> None:
        """What it is trusted for the test says."""

    def compared(self, source: str, theirs: datetime) -> None:
        """The same."""

    def trusted(self) -> bool:
        return self.trust

    def doubt(self) -> str:
        return "" if self.trust else "The clock of this PC is wrong."

    def confirmed(self) -> bool:
        return self.trust

    async def sleep_until(self, monotonic: float) -> None:
        if monotonic <= self._monotonic:
            await asyncio.sleep(0)
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers[waiter] = monotonic
        self._fell_asleep.set()
        try:
            await waiter
        finally:
            self._sleepers.pop(waiter, None)

    @property
    def sleepers(self) -> list[float]:
        """The monotonic readings that somebody waits for, earliest first."""
        return sorted(self._sleepers.values())

    async def sleeping(self, count: int = 1) -> list[float]:
        """Wait until at least `count` tasks sleep; returns the readings they wait for, earliest first."""
        while len(self._sleepers) < count:
            self._fell_asleep.clear()
            await self._fell_asleep.wait()
        return self.sleepers

    def advance(self, seconds: float) -> None:
        """Move both clocks on and wake whoever is due; they run when the test next awaits."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
        for waiter, due in list(self._sleepers.items()):
            if due <= self._monotonic and not waiter.done():
                self._sleepers.pop(waiter)
                waiter.set_result(None)

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock on or back, as NTP or a dead battery does; the monotonic one does not move."""
        self._now += timedelta(seconds=seconds)
