"""What crosses the socket about the upkeep of the journal."""

from __future__ import annotations

import msgspec


class Commits(msgspec.Struct, frozen=True):
    """How many commits took how long since the start: one count for each bound, one for longer ones."""

    counts: tuple[int, ...] = ()
    seconds: float = 0.0


class BackupMade(msgspec.Struct, frozen=True):
    """A copy of the journal, whole and synced, that whoever asked for it takes away."""

    file: str
    facts: int
    bytes: int
