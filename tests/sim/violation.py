"""What a run found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """What is not true: a short name, and which facts."""

    kind: str
    what: str
