"""When which block is read: each group of each unit at its own pace, the most urgent first. Pure.

>>> from device_drivers.modbus.blocks import Block
>>> from device_drivers.modbus.points import Table
>>> schedule = Schedule([Block(Table.HOLDING, 0, 1, ())], {"": 0.5}, now=10.0)
>>> job = schedule.take(10.0)
>>> schedule.take(10.1), schedule.due()  # one at a time
(None, inf)
>>> schedule.done(job), schedule.due()
(True, 10.5)
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType

from device_drivers.modbus.blocks import Block
from device_drivers.modbus.values import Round

_JUDGED = 8  # rounds over which a pace is judged: one slow answer is no slow device
_GRID = 50  # of a second: devices that are due together cost one awakening of this PC
_TOLERATED = 1.2  # times the interval; beyond it the group is late


@dataclass(slots=True)
class Course:
    """One group of one unit: its blocks, and how far its round is. `due` is when the next one begins."""

    unit: int
    group: str
    interval: float
    blocks: list[Block]
    due: float
    factors: frozenset[str]
    waiting: deque[Block] = field(default_factory=deque)
    flying: int = 0
    round: Round = field(default_factory=Round)
    begun: deque[float] = field(default_factory=lambda: deque(maxlen=_JUDGED + 1))

    @property
    def at_work(self) -> bool:
        """Whether its round is not over."""
        return bool(self.waiting or self.flying)

    @property
    def pace(self) -> float:
        """Seconds from round to round of late; 0.0 before that can be told."""
        rounds = len(self.begun) - 1
        return (self.begun[-1] - self.begun[0]) / rounds if rounds >= _JUDGED // 2 else 0.0

    def begin(self, now: float) -> None:
        """Begin a round: late ones are left out, never made up for."""
        self.begun.append(now)
        self.waiting.extend(self.blocks)
        self.round = Round(self.factors)
        self.due = next_due(self.due, self.interval, now)


@dataclass(frozen=True, slots=True)
class Job:
    """A block to be read now, for the round of its course."""

    block: Block
    course: Course
    round: Round


class Schedule:
    """All courses of a line. A block is taken, and is `done` before the next round of its course begins."""

    def __init__(self, blocks: Iterable[Block], intervals: Mapping[str, float], now: float) -> None:
        begin = math.floor(now * _GRID) / _GRID
        self._courses = [
            _course(unit, group, intervals[group], list(members), begin)
            for (unit, group), members in groupby(blocks, key=lambda block: (block.unit, block.group))
        ]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks as they are read now."""
        return tuple(block for course in self._courses for block in course.blocks)

    def take(self, now: float, last: Mapping[int, float] = MappingProxyType({})) -> Job | None:
        """The block whose round must be over first, of those that are due; None when there is none.

        Units that are `last` come after all others, in the order of what is said of them.
        """
        urgent: Course | None = None
        after: Course | None = None
        for course in self._courses:
            if course.due <= now and not course.at_work:
                course.begin(now)
            if not course.waiting:
                continue
            if last and course.unit in last:
                if after is None or last[course.unit] < last[after.unit]:
                    after = course
            elif urgent is None or course.due < urgent.due:
                urgent = course
        urgent = urgent or after
        if urgent is None:
            return None
        urgent.flying += 1
        return Job(urgent.waiting.popleft(), urgent, urgent.round)

    def done(self, job: Job) -> bool:
        """The block was read, or given up; whether the round of its course is over."""
        job.course.flying -= 1
        return not job.course.at_work

    def drop(self, unit: int) -> None:
        """Leave out what is still to be read of a unit in the rounds that are at work."""
        for course in self._courses:
            if course.unit == unit:
                course.waiting.clear()

    def another_first(self, job: Job) -> None:
        """Begin the next round of a course with another of its blocks: this one was not answered."""
        job.course.blocks.append(job.course.blocks.pop(0))

    def paces(self) -> Mapping[int, float]:
        """Seconds from round to round of the most frequent course of each unit."""
        found: dict[int, float] = {}
        for course in self._courses:
            found[course.unit] = min(course.interval, found.get(course.unit, math.inf))
        return found

    def replace(self, block: Block, parts: Sequence[Block]) -> None:
        """Read a block in parts from the next round on."""
        for course in self._courses:
            if block in course.blocks:
                at = course.blocks.index(block)
                course.blocks[at : at + 1] = parts

    def due(self) -> float:
        """When the next round begins of those courses whose round is over; infinite when none is."""
        return min((course.due for course in self._courses if not course.at_work), default=math.inf)

    def late(self) -> dict[str, tuple[float, float]]:
        """The groups that do not keep their pace: wanted and actual seconds from round to round."""
        found: dict[str, tuple[float, float]] = {}
        for course in self._courses:
            if course.pace > course.interval * _TOLERATED:
                wanted, got = found.get(course.group, (course.interval, 0.0))
                found[course.group] = (wanted, max(got, course.pace))
        return found


def next_due(due: float, interval: float, now: float) -> float:
    """When the poll after the one of `due` starts: on the grid, in the future, late ones left out.

    >>> next_due(10.0, 0.5, 10.1), next_due(10.0, 0.5, 11.2)
    (10.5, 11.5)
    """
    return due + interval * max(1, math.ceil((now - due) / interval))


def _course(unit: int, group: str, interval: float, blocks: list[Block], due: float) -> Course:
    factors = frozenset(point.scale_from for block in blocks for point in block.points if point.scale_from)
    return Course(unit, group, interval, blocks, due, factors)
