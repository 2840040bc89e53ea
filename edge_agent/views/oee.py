"""What a machine's time was spent on, as the local API tells it."""

from __future__ import annotations

from datetime import datetime

import msgspec


class TimePiece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a machine's time. `element` is one of those in `OeeReport.elements`; the rest says why."""

    element: str
    began: datetime
    ended: datetime
    state: str
    mode: str = ""
    alarm: str = ""
    job: str = ""
    stop: str = ""
    reason: str = ""


class OeeReport(msgspec.Struct, frozen=True, kw_only=True):
    """Time elements and OEE of a machine (ISO 22400-2). Seconds by element; factors None when not known.

    The elements add up to the interval, the pieces cover it without a gap, and no_data is neither planned
    nor lost. `good` and `scrap` are what was made, each piece in one of them.
    """

    equipment: str
    began: datetime
    ended: datetime
    good: float
    scrap: float
    elements: dict[str, float]
    availability: float | None
    performance: float | None
    quality: float | None
    oee: float | None
    pieces: tuple[TimePiece, ...]
