"""Which unit is asked, and whose answers are believed. Pure: time comes in as seconds.

A serial line carries no transaction numbers: an answer that comes too late looks like the answer to the
next request. After a time-out the line therefore stays quiet for one more time-out, and the unit is
believed again after two clean polls. These polls read another number of registers than any request whose
answer may still be on its way, so an answer that fits is the right one: a unit answers in the order in
which it was asked, and what it owes from before is then never to come. An answer that does not fit begins
the two polls anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from device_drivers.modbus.blocks import Block
from device_drivers.modbus.frames import FUNCTIONS, Asked, Failure, Frame, Refusal, Request
from device_drivers.modbus.points import ADDRESSES, MAX_BITS, MAX_REGISTERS

CLEAN_POLLS = 2
_OWED = 8  # answers that may still come, of one unit; an older one has been quiet for as many time-outs
_DEAD = 2  # failures in a row that make a unit a dead one

# Exceptions by which a gateway says that the unit behind it is silent (application protocol, 7).
GATEWAY = frozenset({0x0A, 0x0B})
# Exceptions that say that the unit is busy or broken: no proof that it reads what it is asked.
_UNWELL = frozenset({0x04, 0x05, 0x06})

Shape = tuple[int, int]  # function and bytes of data: all that tells one answer of a unit from another


@dataclass(slots=True)
class _Unit:
    """What is known of one unit. `doubts`: clean polls until its answers are believed, by reads of `largest`."""

    largest: Block
    doubts: int
    strikes: int = 0
    retry_at: float = 0.0
    owed: deque[Shape] = field(default_factory=lambda: deque(maxlen=_OWED))


class Line:
    """The units of a line, or of one TCP connection. `careful`: answers carry no transaction number.

    Nobody knows what a line owes from before: begin it with a time-out of silence. `quiet_until` is when
    the next request may go out. `doubted` collects the units whose values are to be taken back; whoever
    does so empties it.
    """

    def __init__(
        self, blocks: Iterable[Block], *, careful: bool, timeout: float, retry_dead: float, seed: str
    ) -> None:
        by_size = sorted(blocks, key=lambda block: (block.unit, not block.table.of_bits, block.count))
        self._units = {block.unit: _Unit(block, CLEAN_POLLS if careful else 0) for block in by_size}
        self._careful = careful
        self._timeout = timeout
        self._retry_dead = retry_dead
        self._rng = Random(seed)  # noqa: S311 - so that two runs do not ask alike; no secret
        # One device on its own wire is given up at once: a fresh connection owes nothing.
        self._limit = 1 if len(self._units) == 1 and not careful else _DEAD
        self.quiet_until = 0.0
        self.doubted: set[int] = set()

    def skips(self, unit: int, now: float) -> bool:
        """Whether a unit is left out now, being dead."""
        known = self._units[unit]
        return known.strikes >= self._limit and now < known.retry_at

    def doubts(self, unit: int) -> int:
        """How many clean polls a unit still owes before its answers are believed."""
        return self._units[unit].doubts

    def request(self, block: Block) -> Request:
        """What to ask for a block: the block itself, or another number of its addresses for a clean poll."""
        unit = self._units[block.unit]
        if not unit.doubts:
            return Request(block.unit, FUNCTIONS[block.table], block.address, block.count)
        return self._unlike(unit.largest, unit.owed)

    def answered(self, request: Asked) -> bool:
        """An answer of the right shape came; returns whether it may be believed."""
        unit = self._units[request.unit]
        unit.strikes = 0
        unit.owed.clear()
        if not unit.doubts:
            return True
        unit.doubts -= 1
        return False

    def refused(self, request: Asked, refusal: Refusal, now: float) -> None:
        """An exception came: the unit lives, unless a gateway says that it does not."""
        unit = self._units[request.unit]
        if refusal.code in GATEWAY:
            self._strike(request.unit, unit, now)
            return
        unit.strikes = 0
        if unit.doubts and refusal.code not in _UNWELL:
            unit.owed.clear()
            unit.doubts -= 1

    def failed(self, request: Asked, failure: Failure, now: float) -> None:
        """No answer came in time, or an odd one."""
        unit = self._units[request.unit]
        if self._careful:
            unit.owed.append(shape(request))
            unit.doubts = CLEAN_POLLS
            self.quiet_until = now + self._timeout
        self._strike(request.unit, unit, now)

    def late(self, frame: Frame) -> None:
        """A whole frame came that nobody waits for: what was believed of its unit may be wrong."""
        unit = self._units.get(frame.unit)
        if unit is None or not self._careful:
            return
        came = (frame.pdu[0], len(frame.pdu) - 2)
        if came in unit.owed:
            while unit.owed.popleft() != came:  # what was owed before it is never to come
                pass
        if not unit.doubts:
            self.doubted.add(frame.unit)
        unit.doubts = CLEAN_POLLS

    @property
    def dead(self) -> tuple[int, ...]:
        """The units that do not answer."""
        return tuple(number for number, unit in self._units.items() if unit.strikes >= self._limit)

    @property
    def lost(self) -> bool:
        """Whether no unit answers."""
        return len(self.dead) == len(self._units)

    def _strike(self, number: int, unit: _Unit, now: float) -> None:
        unit.strikes += 1
        unit.retry_at = now + self._retry_dead
        if unit.strikes == 1:
            self.doubted.add(number)

    def _unlike(self, block: Block, owed: Iterable[Shape]) -> Request:
        """A read whose answer has another shape than those of the block and than those still owed.

        Fewer addresses than the block if there are, else a few more. The block itself where nothing else
        can be read: then time alone tells answers apart.
        """
        step, most = (8, MAX_BITS) if block.table.of_bits else (1, MAX_REGISTERS)
        most = min(most, ADDRESSES - block.address, block.count + (_OWED + 2) * step)
        whole = Request(block.unit, FUNCTIONS[block.table], block.address, block.count)
        taken = {shape(whole), *owed}

        def unlike(counts: Iterable[int]) -> list[Request]:
            reads = (Request(whole.unit, whole.function, whole.address, count) for count in counts)
            return [read for read in reads if shape(read) not in taken]

        fewer = unlike(range(step, block.count, step))
        more = unlike(range(block.count + step, most + 1, step))
        return self._rng.choice(fewer or more or [whole])


def shape(request: Asked) -> Shape:
    """What the right answer to a request looks like."""
    return request.function, request.data_size
