"""How one task of a connector is doing: tells the link, counts failures, logs a change once."""

from __future__ import annotations

import logging
from random import Random

from sync import backoff
from sync.ports import Link, NotAllowed, SyncError

_log = logging.getLogger(__name__)


class Health:
    """Good manners in the log: one line for each kind of loss, one on return, none between."""

    def __init__(self, task: str, link: Link, rng: Random) -> None:
        self._task = task
        self._link = link
        self._rng = rng
        self._failures = 0
        self._told: set[str] = set()

    def good(self) -> None:
        """The other side answered as the contract says."""
        if self._told:
            _log.info("sync.back", extra={"task": self._task, "failures": self._failures})
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
            told = {"task": self._task, "kind": kind, "reason": reason}
            _log.warning("sync.lost", extra=told, exc_info=None if expected else error)
            self._told.add(kind)
        self._link.down(kind, reason)
        return backoff.delay(self._failures, self._rng, longest=isinstance(error, NotAllowed))
