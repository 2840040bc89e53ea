"""Polling that stops silently: a device that says it is there and gives nothing. Pure; time comes in.

Readings are those of the monotonic clock, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

INTERVALS = 5  # of the device; fewer would call a busy controller silent
LEAST = 10.0  # seconds; a device that is read ten times a second may pause for longer than half a second


@dataclass(slots=True)
class Watchdog:
    """The last sign of life, and the last good one, of one device.

    `rhythm` is the device's own (`Online.rhythm`), None while its silence says nothing. `silent`: it has
    given nothing good for `limit`; it stays so until something good comes, however often the device is
    connected anew in between.
    """

    rhythm: float | None = None
    silent: bool = False
    _heard: float = 0.0
    _good: float = 0.0

    @property
    def limit(self) -> float:
        """Seconds without anything good after which something is wrong; infinite without a rhythm.

        >>> Watchdog(rhythm=0.1).limit, Watchdog(rhythm=60).limit, Watchdog().limit
        (10.0, 300, inf)
        """
        return float("inf") if self.rhythm is None else max(LEAST, INTERVALS * self.rhythm)

    def online(self, rhythm: float | None, now: float) -> None:
        """The device is there; from here on it is expected to speak."""
        self.rhythm = rhythm
        self._heard = self._good = now

    def heard(self, now: float) -> None:
        """It said something."""
        self._heard = now

    def good(self, now: float) -> bool:
        """It said something good; whether that ended a silence."""
        ended, self.silent = self.silent, False
        self._heard = self._good = now
        return ended

    def due(self) -> float:
        """When to look next."""
        return (self._heard if self.silent else self._good) + self.limit

    def hangs(self, now: float) -> bool:
        """Whether it has said nothing at all for too long: whoever speaks with it is stuck."""
        return now >= self._heard + self.limit

    def falls_silent(self, now: float) -> bool:
        """Whether a silence begins to be told now."""
        if self.silent or now < self._good + self.limit:
            return False
        self.silent = True
        return True
