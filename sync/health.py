"""How one task of a connector is doing: tells the link, counts failures, logs a change once."""

from __future__ import annotations

import logging
from random import Random

from sync import backoff
from sync.ports import Link, NotAllowed, SyncError
from sync.receipts import shortened

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
        words = str(error) if expected else f"A fault of ours, see the log: {type(error).__name__}: {error}"
        asked = error.after if isinstance(error, SyncError) else None
        reason = shortened(words) + _pause(asked)
        self._failures += 1
        if kind not in self._told:
            told = {"task": self._task, "kind": kind, "reason": reason}
            _log.warning("sync.lost", extra=told, exc_info=None if expected else error)
            self._told.add(kind)
        self._link.down(kind, reason)
        return backoff.delay(self._failures, self._rng, longest=isinstance(error, NotAllowed), asked=asked)


def _pause(asked: float | None) -> str:
    """What people are told of a pause that the other side asks for; nothing of one that is no longer than our own."""
    if asked is None or asked <= backoff.LONGEST:
        return ""
    told = f" It asks for a pause of {asked:.0f} s"
    if asked > backoff.ASKED:
        told += f", of which {backoff.ASKED:.0f} s are waited for"
    return told + ": until then nothing is tried again."
