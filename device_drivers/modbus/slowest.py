"""Whether `timeout` leaves room for the slowest answer of a line, or of one connection. Pure.

>>> slowest = Slowest(timeout=1.0)
>>> for moment in range(3):
...     slowest.took(0.42, now=moment)
>>> slowest.warning(now=3.0)
'The slowest answer took 0.42 s. Set `timeout` to at least three times that, 1.3 s; it is 1 s. \
A late answer counts as none, and the values are bad until the next ones.'
>>> slowest.warning(now=4000.0)
''
"""

from __future__ import annotations

import math

_TIMES = 3.0  # a time-out is as many times the slowest answer
_SURE = 3  # slow answers; one or two may have waited here, while this PC was busy
_KEPT = 3600.0  # seconds without a slow answer after which those before count no more
_SAME = 1.25  # an answer that is slower by less is no news


class Slowest:
    """Remembers the slowest answer among those that `timeout` (seconds) has too little room for."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._slow = 0
        self._last = -math.inf
        self._slowest = 0.0
        self._told = 0.0

    def took(self, seconds: float, now: float) -> None:
        """How long an answer took that came at `now` (monotonic seconds)."""
        if seconds * _TIMES <= self._timeout:
            return
        if now - self._last > _KEPT:
            self._slow, self._slowest, self._told = 0, 0.0, 0.0
        self._slow += 1
        self._last = now
        self._slowest = max(self._slowest, seconds)
        if self._slowest > self._told * _SAME:
            self._told = self._slowest

    def warning(self, now: float) -> str:
        """A sentence for people; empty when all answers come in good time."""
        if self._slow < _SURE or now - self._last > _KEPT:
            return ""
        return (
            f"The slowest answer took {self._told:.2g} s. Set `timeout` to at least three times that, "
            f"{_up(self._told * _TIMES):g} s; it is {self._timeout:g} s. A late answer counts as none, and the values "
            "are bad until the next ones."
        )


def _up(seconds: float) -> float:
    """Two digits, never less: 1.26 is 1.3."""
    digit: float = 10.0 ** (math.floor(math.log10(seconds)) - 1)
    return round(math.ceil(seconds / digit - 1e-9) * digit, 6)
