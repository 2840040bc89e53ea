"""How long nobody listened: what is read right after may have lain unread for all of that time."""

from __future__ import annotations

from edge_agent.clock import Clock

BEAT = 1.0  # seconds
_MISSED = 3 * BEAT  # a PC that is busy misses one or two
# What lay unread is read at once when the agent goes on; a person needs longer than this for a new scan.
_CATCHING_UP = 1.0  # seconds


class Pulse:
    """Beats as long as the event loop turns. An agent that was stopped, swapped out or held up did not hear itself.

    A clock that is put forward does not count: time is monotonic. Nor does a PC that slept, which loses its USB
    scanners by that and drops what they have sent.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beat = clock.monotonic()
        self._deaf_since = self._until = float("-inf")

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self.unread()
            await self._clock.sleep_until(self._clock.monotonic() + BEAT)

    def unread(self) -> float:
        """How many seconds what is read now may have waited for a reader; 0.0: it was read as it came."""
        now = self._clock.monotonic()
        if now - self._beat >= _MISSED:
            self._deaf_since, self._until = self._beat, now + _CATCHING_UP
        self._beat = now
        return now - self._deaf_since if now < self._until else 0.0
