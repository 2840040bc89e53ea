"""How fast an ERP is asked: a bucket of tokens on the monotonic clock. Pure; who waits is `sync.turns`.

The bucket is kept as one number, the moment at which it would be full again (the generic cell rate
algorithm of ITU-T I.371): nothing is counted while nobody asks, and no step of a wall clock is in it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bucket:
    """`rate` tokens come in a second, `burst` of them fit in; `rate` 0: no limit. `full_at` is monotonic.

    >>> bucket = Bucket(rate=2.0, burst=1.0)
    >>> bucket.free_at(), bucket.taken(0.0).free_at(), bucket.taken(0.0).taken(0.5).free_at()
    (-inf, 0.5, 1.0)
    """

    rate: float
    burst: float
    full_at: float = float("-inf")

    def free_at(self) -> float:
        """From when on something may be taken: the bucket has a whole token, or all that fits in."""
        if self.rate <= 0 or self.full_at == float("-inf"):
            return float("-inf")
        return self.full_at - (self.burst - min(1.0, self.burst)) / self.rate

    def taken(self, now: float, cost: float = 1.0) -> Bucket:
        """The bucket after something was taken. A cost above what is in it is paid by whoever comes next."""
        if self.rate <= 0:
            return self
        return Bucket(self.rate, self.burst, max(self.full_at, now) + cost / self.rate)
