"""How far a counter went between two readings."""

from __future__ import annotations

# A counter that fell is taken to have run over when this part of its range explains it, else for a reset.
_ROLLOVER_SHARE = 8


def delta(previous: int, current: int, width: int) -> int | None:
    """How far a counter of `width` bits went from `previous` to `current`; None when it looks like a reset.

    A counter that fell ran over if it was near its end, and was reset otherwise.

    >>> delta(65_530, 4, 16), delta(100, 130, 16), delta(30_000, 4, 16)
    (10, 30, None)
    """
    span = 1 << width
    went = (current - previous) % span
    if current % span >= previous % span or went <= span // _ROLLOVER_SHARE:
        return went
    return None
