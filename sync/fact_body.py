"""What every fact of the contract has."""

from __future__ import annotations

import msgspec


class FactBody(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=True):
    """What happened. `about` is the ordering key: facts with the same `about` arrive in order."""

    about: str
