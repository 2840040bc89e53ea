"""Lets the tasks of one connector go to the ERP one after the other, no faster than the site file says."""

from __future__ import annotations

from sync.pace import Bucket
from sync.ports import Clock


class Turns:
    """Shared by the relay and the puller of a connector. A limit of 0 is none.

    As many as fit into a second may go at once after a rest, so that a limit is not felt while little is to do.
    """

    def __init__(self, clock: Clock, requests: float = 0.0, facts: float = 0.0) -> None:
        """`requests` and `facts`: how many in a second."""
        self._clock = clock
        self._requests = Bucket(requests, max(1.0, requests))
        self._facts = Bucket(facts, max(1.0, facts))

    async def take(self, facts: int = 0) -> None:
        """Return when one request, with so many facts, may go."""
        while (due := self._due(facts)) > self._clock.monotonic():
            await self._clock.sleep_until(due)
        now = self._clock.monotonic()
        self._requests = self._requests.taken(now)
        if facts:
            self._facts = self._facts.taken(now, facts)

    def _due(self, facts: int) -> float:
        return max(self._requests.free_at(), self._facts.free_at() if facts else float("-inf"))
