"""What crosses the local socket when somebody wants a machine to have a value."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec


class WriteOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody at a terminal wants an item of a machine to have a value. Sent again with the same `id`, a
    UUID, it gets the same answer. Who wants it is who is signed on at `terminal`."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    terminal: str
    value: bool | int | float | Annotated[str, msgspec.Meta(max_length=256)]


class WriteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a write that the gate let through.

    `outcome` written: confirmed, and read back as written; differs: confirmed, and `read_back` is
    something else; not_written: nothing was changed; doubtful: nobody knows, look at the machine.
    `reason` says why. `seq` is the fact that says the same; 0 while none does.
    """

    outcome: Literal["written", "differs", "not_written", "doubtful"]
    read_back: bool | int | float | str | None = None
    reason: str = ""
    seq: int = 0
