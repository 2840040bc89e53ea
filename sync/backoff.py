"""How long to wait before the next try: pure, the randomness comes in."""

from __future__ import annotations

from random import Random

FIRST = 0.2  # seconds: most losses are one dropped connection
LONGEST = 60.0  # seconds: a floor that is back must not wait longer than a person would
# Seconds that another side gets that asks for a pause: it knows its load. A wrong header must not stop a day's reports.
ASKED = 600.0
_APART = 0.1  # of what was asked for, at most, comes on top: all PCs were told the same


def delay(
    failures: int, rng: Random, *, longest: bool = False, asked: float | None = None
) -> float:
    """Seconds to wait after so many failures in a row (1 or more): doubling, never above LONGEST, but for `asked`.

    The upper half of each step is random, so that many PCs do not come back in one wave. `longest`
    jumps to the last step: nothing but a person will help.

    >>> [round(delay(n, Random(7)), 2) for n in (1, 2, 3, 9, 500)]
    [0.13, 0.26, 0.53, 33.89, 39.71]
    """
    doublings = max(0, min(failures - 1, 16))
    step = LONGEST if longest else min(LONGEST, FIRST * 2**doublings)
    own = step * (0.5 + 0.5 * rng.random())
    return own if asked is None else max(own, min(asked, ASKED) * (1 + _APART * rng.random()))
