"""What a unit refuses while it answers: what is read in parts because of that, and what people are told. Pure.

Exceptions of the application protocol, 7. With 1, 2 and 3 a unit says that it will never read this: the block is read
in parts at once. With 4 it may be starting: in parts when it says so again and again. With 5 and 6 it asks for time.

>>> from device_drivers.modbus.blocks import plan
>>> from device_drivers.modbus.points import Point
>>> (block,) = plan([Point(name="a", address=2), Point(name="b", address=5)], 120, 16)
>>> refused = Refused()
>>> [refused.take(block, code, now=0.0) for code in (6, 4, 4, 4)]
[False, False, False, True]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from device_drivers.modbus.blocks import Block

# What the exceptions say, after "the device refuses".
EXCEPTIONS = {
    1: "it does not know this function", 2: "it has no such address", 3: "it does not accept this length",
    4: "it failed while it read", 5: "it needs longer", 6: "it is busy", 8: "its memory is damaged",
}  # fmt: skip
_NEVER = frozenset({1, 2, 3})
_FAILED = 4
_AGAIN_AND_AGAIN = 3  # times in a row
_LASTS = 5.0  # seconds after which people are told of what passes by itself most often


@dataclass(slots=True)
class _Known:
    code: int
    since: float
    times: int = 0


class Refused:
    """The blocks that are refused now."""

    def __init__(self) -> None:
        self._known: dict[Block, _Known] = {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def take(self, block: Block, code: int, now: float) -> bool:
        """A block was refused; whether it should be read in parts from now on, and is forgotten here."""
        known = self._known.get(block)
        if known is None or known.code != code:
            known = self._known[block] = _Known(code, now)
        known.times += 1
        if len(block.points) > 1 and self._sure(known):
            del self._known[block]
            return True
        return False

    def right(self, block: Block) -> None:
        """A block was answered."""
        self._known.pop(block, None)

    def lasting(self, now: float) -> Iterator[tuple[int, Block]]:
        """What people should know: the exception, and the block that it is about."""
        for block, known in self._known.items():
            if self._sure(known) or now - known.since >= _LASTS:
                yield known.code, block

    def _sure(self, known: _Known) -> bool:
        return known.code in _NEVER or (known.code == _FAILED and known.times >= _AGAIN_AND_AGAIN)
