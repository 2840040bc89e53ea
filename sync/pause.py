"""A wait on the monotonic clock that somebody else may end early."""

from __future__ import annotations

import asyncio

from sync.ports import Clock


class Pause:
    """Waits until a moment or a poke, whichever is first. A poke while nobody waits ends the next wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._poked = asyncio.Event()

    def poke(self) -> None:
        """End the wait now."""
        self._poked.set()

    async def until(self, monotonic: float) -> None:
        """Return when the clock reads `monotonic`, or at a poke."""
        waits = {
            asyncio.ensure_future(self._clock.sleep_until(monotonic)),
            asyncio.ensure_future(self._poked.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        self._poked.clear()
