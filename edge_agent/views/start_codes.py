"""What crosses the local socket when somebody is given a PIN to begin with."""

from __future__ import annotations

import msgspec


class StartCode(msgspec.Struct, frozen=True):
    """With this `code` in place of a PIN a person signs on once, and then chooses a PIN. It is told only here."""

    person: str
    code: str
