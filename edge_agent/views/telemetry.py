"""How the store of machine values is doing, as the health of the agent tells it."""

from __future__ import annotations

from datetime import datetime

import msgspec


class TelemetryStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The stored machine values: how many, in how many of the bytes they may take, and since when.

    `dropped` had to make room or were too old; `trouble` says why nothing is kept now, empty while all is well.
    """

    samples: int
    bytes: int
    max_bytes: int
    oldest: datetime | None = None
    dropped: int = 0
    trouble: str = ""
