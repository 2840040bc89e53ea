"""Which PC speaks as an agent: the part of the contract that tells a PC from its copy."""

from __future__ import annotations

import msgspec


class Device(msgspec.Struct, frozen=True):
    """The PC that speaks as an agent. Of one agent only one PC may be at work.

    `key` is made at random where the data folder is made; `epoch` rises when a backup is restored on
    another PC. The highest epoch is the agent; a lower one, and another key in the same one, is a copy.
    """

    key: str
    epoch: int = 0
