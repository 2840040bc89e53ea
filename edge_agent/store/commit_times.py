"""How long commits take, in the steps of a histogram."""

from __future__ import annotations

from bisect import bisect_left

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds


class CommitTimes:
    """Counts since the start: `counts` has one more than BOUNDS, for what took longer than all of them."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def took(self, seconds: float) -> None:
        """One commit, mirror included, from its begin to the moment when people are told."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds
