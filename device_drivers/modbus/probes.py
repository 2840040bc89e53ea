"""When what did not answer may be asked again, so that it never holds up what does. Pure: time is seconds.

A question that nobody answers costs the line a time-out, and a serial line one more of quiet. Between two such
probes every unit that answers therefore has a whole round, and what failed before gets a fifth of the time.

>>> probes = Probes()
>>> probes.failed(began=10.0, free_at=11.0, owed={1})
>>> probes.may(13.0), probes.may(15.0)  # unit 1 was not read since
(False, False)
>>> probes.round_of(1, began=11.0)
>>> probes.may(13.0), probes.may(13.0, soon=True), probes.may(15.0)
(False, True, True)
"""

from __future__ import annotations

from collections.abc import Iterable

_SHARE = 5  # probes take one part in so many of the time of a line
_FIRST = 2.0  # seconds until the first try of what did not answer


class Probes:
    """One probe at a time. `flying`: whether one is on its way."""

    def __init__(self) -> None:
        self.flying = False
        self._ended = 0.0
        self._rested = 0.0  # when the share of the probes is kept again
        self._owed: set[int] = set()

    def may(self, now: float, *, soon: bool = False) -> bool:
        """Whether a probe may go now; `soon`: of what should be known at once, whatever share it takes."""
        return not self.flying and not self._owed and (soon or now >= self._rested)

    def failed(self, began: float, free_at: float, owed: Iterable[int]) -> None:
        """Nobody answered; the line is free again at `free_at`, and a whole round is owed to these units."""
        self._ended, self._owed = free_at, set(owed)
        self._rested = free_at + (free_at - began) * (_SHARE - 1)

    def round_of(self, unit: int, began: float) -> None:
        """A unit was read in a whole round that began at a moment."""
        if began >= self._ended:
            self._owed.discard(unit)

    def owes(self, units: Iterable[int]) -> None:
        """Only these units answer now: to no other is a round owed."""
        self._owed.intersection_update(units)


def pause(tries: int, longest: float) -> float:
    """Seconds until what failed so often in a row (1 or more) is asked again: doubling, at most `longest`.

    >>> [pause(tries, 30.0) for tries in (1, 2, 4, 5, 5000)]
    [2.0, 4.0, 16.0, 30.0, 30.0]
    """
    return min(longest, _FIRST * 2.0 ** min(tries - 1, 16))
