"""Which unit is asked, and whose answers are believed. Pure: time comes in as seconds.

A serial line carries no transaction numbers: an answer that comes too late looks like the answer to the
next request. After a time-out the line therefore stays quiet for one more time-out, and the unit is
believed again after two clean polls. These polls read another number of registers than any request whose
answer may still be on its way, so an answer that fits is the right one: a unit answers in the order in
which it was asked, and what it owes from before is then never to come. An answer that does not fit begins
the two polls anew.

A time-out has one of three reasons. The unit does not answer this one block: it is set aside, and the others
go on. The unit does not answer at all: the others of the line go on. Nobody answers: the device is lost. Which
it is shows when the unit is asked at once for another block that it gave before, its `witness`. What is
set aside or dead is asked again later each time, as a probe (probes.py).
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from device_drivers.modbus.blocks import Block
from device_drivers.modbus.frames import FUNCTIONS, Asked, Failure, Frame, Refusal, Request
from device_drivers.modbus.points import ADDRESSES, MAX_BITS, MAX_REGISTERS
from device_drivers.modbus.probes import Probes, pause

CLEAN_POLLS = 2
_OWED = 8  # answers that may still come, of one unit; an older one has been quiet for as many time-outs
_DEAD = 2  # failures in a row that make a unit a dead one
# A probe of a block on a serial line takes back all values of its unit for two time-outs: more rarely, then.
_RARELY = 10
STUBBORN = 2  # failures in a row after which a block that is set aside is read in parts

# Exceptions by which a gateway says that the unit behind it is silent (application protocol, 7).
GATEWAY = frozenset({0x0A, 0x0B})
# Exceptions that say that the unit is busy or broken: no proof that it reads what it is asked.
_UNWELL = frozenset({0x04, 0x05, 0x06})

Shape = tuple[int, int]  # function and bytes of data: all that tells one answer of a unit from another


class Turn(enum.Enum):
    """What to do with a block whose turn it is."""

    ASK = enum.auto()
    PROBE = enum.auto()  # ask, and say so to `probes`: most likely nobody answers
    LEAVE = enum.auto()


@dataclass(slots=True)
class _Unit:
    """What is known of one unit. `doubts`: clean polls until its answers are believed.

    `last` and `before` are the blocks that it answered last, `proven` the largest that it ever did, `suspect` the one
    that it did not answer last. `tries` counts the failures since it is dead.
    """

    blocks: int
    shapes: frozenset[Shape]
    doubts: int
    heard: bool = False
    strikes: int = 0
    dead: bool = False
    tries: int = 0
    retry_at: float = 0.0
    last: Block | None = None
    before: Block | None = None
    proven: Block | None = None
    suspect: Block | None = None
    owed: deque[Shape] = field(default_factory=lambda: deque(maxlen=_OWED))

    @property
    def lives(self) -> bool:
        return self.heard and not self.strikes


@dataclass(slots=True)
class _Aside:
    """A block that is not answered while its unit answers others."""

    tries: int
    retry_at: float


class Line:
    """The units of a line, or of one TCP connection. `careful`: answers carry no transaction number.

    Nobody knows what a line owes from before: begin it with a time-out of silence. `quiet_until` is when
    the next request may go out. `doubted` collects the units whose values are to be taken back; whoever
    does so empties it. `gated` are the units that are only probed, because others answer and they do not, and
    when each is due.
    """

    def __init__(
        self, blocks: Iterable[Block], *, careful: bool, timeout: float, retry_dead: float, seed: str
    ) -> None:
        by_unit: dict[int, list[Block]] = {}
        for block in blocks:
            by_unit.setdefault(block.unit, []).append(block)
        self._units = {
            number: _Unit(len(those), frozenset(map(_whole_shape, those)), CLEAN_POLLS if careful else 0)
            for number, those in sorted(by_unit.items())
        }
        self._careful = careful
        self._timeout = timeout
        self._retry_dead = retry_dead
        self._retry_aside = retry_dead * (_RARELY if careful else 1)
        self._rng = Random(seed)  # noqa: S311 - so that two runs do not ask alike; no secret
        self._aside: dict[Block, _Aside] = {}
        self.probes = Probes()
        self._aside_last = False
        self.gated: Mapping[int, float] = {}
        self.quiet_until = 0.0
        self.doubted: set[int] = set()

    def turn(self, block: Block, now: float) -> Turn:
        """Whether a block is asked now."""
        unit, aside = self._units[block.unit], self._aside.get(block) if self._aside else None
        if aside is None and block.unit not in self.gated:
            return Turn.LEAVE if unit.dead and now < unit.retry_at else Turn.ASK
        due = max(unit.retry_at if unit.dead else 0.0, aside.retry_at if aside else 0.0)
        soon = aside is None and not unit.dead
        if now < due or not self.probes.may(now, soon=soon) or (aside and self._others_first(block, aside, now)):
            return Turn.LEAVE
        self._aside_last = aside is not None
        return Turn.PROBE

    def _others_first(self, block: Block, aside: _Aside, now: float) -> bool:
        """Whether something else has waited longer for its probe than a block that is set aside."""
        if self._aside_last and any(retry_at <= now for retry_at in self.gated.values()):
            return True
        course = (block.unit, block.group)
        return any(
            known.retry_at < aside.retry_at
            for each, known in self._aside.items() if (each.unit, each.group) == course
        )  # fmt: skip

    def skips(self, unit: int, now: float) -> bool:
        """Whether a unit is left out now, being dead."""
        known = self._units[unit]
        return known.dead and now < known.retry_at

    def doubts(self, unit: int) -> int:
        """How many clean polls a unit still owes before its answers are believed."""
        return self._units[unit].doubts

    def request(self, block: Block) -> Request:
        """What to ask for a block: the block itself, or another number of addresses for a clean poll."""
        unit = self._units[block.unit]
        if not unit.doubts:
            return _whole(block)
        known = [each for each in (unit.proven, unit.last, unit.before) if each is not None]
        return self._unlike(dict.fromkeys(known or [block]), unit)

    def witness(self, block: Block) -> Block | None:
        """What to ask a unit for that did not answer a block: another one that it answered; None without one."""
        unit = self._units[block.unit]
        return unit.before if unit.last is block else unit.last

    def answered(self, request: Asked, block: Block | None = None) -> bool:
        """An answer of the right shape came, to the request for a block; returns whether it may be believed."""
        unit = self._units[request.unit]
        unit.owed.clear()
        if unit.strikes or not unit.heard:
            self._revive(unit)
        if not unit.doubts:
            if unit.last is not block or self._aside:
                self._remember(unit, block)
            return True
        unit.doubts -= 1
        return False

    def refused(self, request: Asked, refusal: Refusal, now: float, block: Block | None = None) -> None:
        """An exception came: the unit lives, unless a gateway says that it does not."""
        unit = self._units[request.unit]
        if refusal.code in GATEWAY:
            self._strike(request.unit, unit, now, block)
            return
        if unit.strikes or not unit.heard:
            self._revive(unit)
        if not unit.doubts:
            if block is not None:
                self._aside.pop(block, None)
        elif refusal.code not in _UNWELL:
            unit.owed.clear()
            unit.doubts -= 1

    def failed(self, request: Asked, failure: Failure, now: float, block: Block | None = None) -> None:
        """No answer came in time to the request for a block, or an odd one."""
        self.abandoned(request, now)
        self._strike(request.unit, self._units[request.unit], now, block)

    def abandoned(self, request: Asked, now: float) -> None:
        """Nobody waits for the answer any more, and it may still come."""
        unit = self._units[request.unit]
        if self._careful:
            unit.owed.append(shape(request))
            unit.doubts = CLEAN_POLLS
            self.quiet_until = now + self._timeout

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

    def set_aside(self, block: Block, now: float) -> int:
        """A unit answers, but not this block; returns how often in a row."""
        known = self._aside.setdefault(block, _Aside(0, 0.0))
        known.tries += 1
        known.retry_at = now + pause(known.tries, self._retry_aside)
        return known.tries

    def split(self, block: Block, parts: Iterable[Block], now: float) -> None:
        """A block is read in parts from now on; what was set aside stays so, and is soon asked part by part."""
        parts = tuple(parts)
        self._units[block.unit].blocks += len(parts) - 1
        if self._aside.pop(block, None):
            self._aside.update((part, _Aside(STUBBORN - 1, now)) for part in parts)

    @property
    def aside(self) -> tuple[Block, ...]:
        """The blocks that are not answered while their unit answers others."""
        return tuple(self._aside)

    @property
    def dead(self) -> tuple[int, ...]:
        """The units that do not answer."""
        return tuple(number for number, unit in self._units.items() if unit.dead)

    @property
    def living(self) -> tuple[int, ...]:
        """The units that answered when they were asked last."""
        return tuple(number for number, unit in self._units.items() if unit.lives)

    @property
    def lost(self) -> bool:
        """Whether no unit answers."""
        return len(self.dead) == len(self._units)

    def _strike(self, number: int, unit: _Unit, now: float, block: Block | None) -> None:
        unit.strikes += 1
        unit.suspect = block
        was_dead = unit.dead
        unit.dead = was_dead or self._is_dead(number, unit, now, block)
        if unit.dead:
            unit.tries += 1
            unit.retry_at = now + pause(unit.tries, self._retry_dead)
        if unit.strikes == 1 if self._careful else unit.dead and not was_dead:
            self.doubted.add(number)
        self._gate()

    def _is_dead(self, number: int, unit: _Unit, now: float, block: Block | None) -> bool:
        """Whether a unit that has just failed is given up."""
        if len(self._units) > 1:
            return unit.strikes >= (_DEAD if unit.heard or number not in self.gated else 1)
        if unit.last is None and unit.blocks > 1 and block is not None:
            self.set_aside(block, now)
            return len(self._aside) >= unit.blocks
        alone = unit.blocks == 1 or (block is not None and self.witness(block) is None)
        # One device on its own wire is given up at once when nothing else can be asked: a new connection owes nothing.
        return unit.strikes >= (1 if alone and not self._careful else _DEAD)

    def _revive(self, unit: _Unit) -> None:
        unit.heard, unit.strikes, unit.dead, unit.tries = True, 0, False, 0
        self._gate()

    def _gate(self) -> None:
        living = self.living
        silent = (number for number, unit in self._units.items() if living and not unit.lives)
        self.gated = {number: self._units[number].retry_at for number in silent}
        self.probes.owes(living)

    def _remember(self, unit: _Unit, block: Block | None) -> None:
        if block is None:
            return
        if unit.last is not block:
            unit.before, unit.last = unit.last, block
        if unit.proven is None or unit.proven.count < block.count:
            unit.proven = block
        self._aside.pop(block, None)

    def _unlike(self, blocks: Iterable[Block], unit: _Unit) -> Request:
        """A read whose answer has another shape than those of the blocks of a unit and than those still owed.

        Fewer addresses than one of the blocks if there are, else a few more, best none that was not answered. The
        first block itself where nothing else can be read: then time alone tells answers apart.
        """
        wholes = [_whole(block) for block in blocks]
        taken = {*map(shape, wholes), *unit.owed}
        silent = [*self._aside, unit.suspect] if unit.suspect else [*self._aside]
        fewer, more = (
            [read for whole in wholes for read in reads(whole) if shape(read) not in taken] for reads in (_fewer, _more)
        )
        for reads in ([each for each in fewer if _clear(each, silent)], [each for each in more if _clear(each, silent)],
                      fewer, more):  # fmt: skip
            if reads:
                return self._rng.choice([read for read in reads if shape(read) not in unit.shapes] or reads)
        return wholes[0]


def _fewer(whole: Request) -> Iterable[Request]:
    step = _step(whole)
    return (replace(whole, count=count) for count in range(step, whole.count, step))


def _more(whole: Request) -> Iterable[Request]:
    step, most = _step(whole), MAX_BITS if whole.function <= 2 else MAX_REGISTERS
    most = min(most, ADDRESSES - whole.address, whole.count + (_OWED + 2) * step)
    return (replace(whole, count=count) for count in range(whole.count + step, most + 1, step))


def _step(whole: Request) -> int:
    """By how many addresses the next shape differs."""
    return 8 if whole.function <= 2 else 1


def _clear(read: Request, silent: Iterable[Block]) -> bool:
    """Whether a read has no address of blocks that were not answered."""
    return not any(
        FUNCTIONS[block.table] == read.function and block.unit == read.unit
        and block.address < read.address + read.count and read.address < block.address + block.count
        for block in silent
    )  # fmt: skip


def _whole(block: Block) -> Request:
    return Request(block.unit, FUNCTIONS[block.table], block.address, block.count)


def _whole_shape(block: Block) -> Shape:
    return shape(_whole(block))


def shape(request: Asked) -> Shape:
    """What the right answer to a request looks like."""
    return request.function, request.data_size
