"""Sees to it that a database that is damaged at work is mended without a person: the agent starts again.

A start is what mends (`store.recovery`): it looks at everything, builds the database anew and takes it into use
before anybody works. So all that is done here is to be sure that there is damage, and to end in order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge_agent.clock import Clock
from edge_agent.store import Store, StoreError

# Errors of damage where nothing is found: the next start looks at more than can be looked at here. One that goes by
# now and then, over months, is none of a damaged file.
_UNEXPLAINED = 3
_TOGETHER = 3600.0  # seconds
_TRIED = 60.0  # seconds until a restart that could not be noted is tried again

_log = logging.getLogger(__name__)


class Mender:
    """Waits for damage; `again` is called when the agent is to end and to start again."""

    def __init__(self, store: Store, clock: Clock, again: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._again = again
        self._unexplained: list[float] = []  # when, monotonic

    async def run(self) -> None:
        """Until damage is certain and a restart may be made; returns behind `again`. Raises nothing of the disk."""
        while not await self._certain():
            pass
        while (seconds := self._restart_in()) > 0:
            self._store.stays_damaged(seconds)
            await self._clock.sleep_until(self._clock.monotonic() + seconds)
        _log.warning("agent.restarts", extra={"why": self._store.damage})
        self._again()

    async def _certain(self) -> bool:
        error = await self._store.doubted()
        if self._store.damage:
            return True
        now = self._clock.monotonic()
        self._unexplained = [at for at in self._unexplained if at > now - _TOGETHER] + [now]
        try:
            found = await self._store.look_again()
        except StoreError as trouble:
            found = str(trouble) if trouble.kind == "corrupt" else ""
        if not found and len(self._unexplained) < _UNEXPLAINED:
            _log.warning("store.doubted", extra={"what": error})
            return False
        await self._store.believe(found or f"The database can not be read ({error}).")
        return True

    def _restart_in(self) -> float:
        """Seconds until a restart may be made; 0: it may be made now, and is noted."""
        try:
            seconds = self._store.restarts.wait()
            if not seconds:
                self._store.restarts.note()
        except OSError as error:
            _log.error("agent.restart_not_noted", extra={"what": str(error)})
            return _TRIED
        return seconds
