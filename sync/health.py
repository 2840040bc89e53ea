"""How one task of a connector is doing: tells the link, counts failures, logs a change once."""

from __future__ import annotations

from random import Random

import structlog

from sync import backoff
from sync.ports import Link, NotAllowed, SyncError

log = structlog.get_logger()


class Health:
    """Good manners in the log: one line for each kind of loss, one on return, none between."""

    def __init__(self, task: str, link: Link, rng: Random) -> None:
        self._log = log.bind(task=task)
        self._link = link
        self._rng = rng
        self._failures = 0
        self._told: set[str] = set()

    def good(self) -> None:
        """The other side answered as the contract says."""
        if self._told:
            self._log.info("sync.back", failures=self._failures)
        self._failures = 0
        self._told.clear()
        self._link.up()

    def bad(self, error: Exception) -> float:
        """It did not, or we have a fault; returns the seconds to wait before the next try."""
        expected = isinstance(error, SyncError)
        kind = error.kind if isinstance(error, SyncError) else "internal"
        reason = str(error) if expected else f"A fault of ours, see the log: {type(error).__name__}: {error}"
        self._failures += 1
        if kind not in self._told:
            self._log.warning("sync.lost", kind=kind, reason=reason, exc_info=None if expected else error)
            self._told.add(kind)
        self._link.down(kind, reason)
        return backoff.delay(self._failures, self._rng, longest=isinstance(error, NotAllowed))
