"""What a machine does in a shift, as a function of the time that has passed. Pure; seeded.

>>> shift = Shift(PRESS, seed=7)
>>> shift.at(0.0).state.name, shift.at(3600.0).good > shift.at(600.0).good
('IDLE', True)
"""

from __future__ import annotations

import bisect
import enum
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass


class UnitState(enum.IntEnum):
    """PackML states with the numbers of ISA-TR88.00.02, table of states."""

    CLEARING = 1
    STOPPED = 2
    STARTING = 3
    IDLE = 4
    SUSPENDED = 5
    EXECUTE = 6
    STOPPING = 7
    ABORTING = 8
    ABORTED = 9
    HOLDING = 10
    HELD = 11
    UNHOLDING = 12
    SUSPENDING = 13
    UNSUSPENDING = 14
    RESETTING = 15
    COMPLETING = 16
    COMPLETE = 17


class UnitMode(enum.IntEnum):
    """PackML modes."""

    PRODUCTION = 1
    MAINTENANCE = 2
    MANUAL = 3


@dataclass(frozen=True)
class Machine:
    """The habits of a machine. Times in seconds, temperatures in degrees Celsius.

    `holds` and `aborts` are its alarms by code: the small ones that an operator clears, and the ones
    that end the run. `run` is how many cycles it makes between two stops, at least and at most.
    """

    cycle_time: float
    scrap_rate: float
    run: tuple[int, int]
    warm: float
    holds: dict[int, str]
    aborts: dict[int, str]
    cold: float = 21.0
    inertia: float = 300.0  # time constant of the temperature

    def alarm_text(self, code: int) -> str:
        """The words of an alarm; empty for 0."""
        return self.holds.get(code) or self.aborts.get(code, "")


PRESS = Machine(
    cycle_time=6.0,
    scrap_rate=0.02,
    run=(20, 120),
    warm=58.0,
    holds={101: "Light curtain interrupted", 102: "Coil end", 103: "Part chute full"},
    aborts={201: "Hydraulic pressure low", 202: "Tonnage limit exceeded"},
)

MACHINING_CENTRE = Machine(
    cycle_time=48.0,
    scrap_rate=0.01,
    run=(4, 20),
    warm=44.0,
    holds={301: "Tool life reached", 302: "Coolant level low", 303: "Door open"},
    aborts={401: "Spindle drive fault", 402: "Axis X following error"},
)


@dataclass(frozen=True, slots=True)
class Moment:
    """The machine at one moment. `alarm` is 0 when there is none; counters only ever rise."""

    state: UnitState
    mode: UnitMode
    good: int
    scrap: int
    alarm: int
    temperature: float
    cycle_time: float


@dataclass(frozen=True, slots=True)
class _Phase:
    """A stretch of time in one state; `scraps` are the cycles of it, from 1, that make scrap."""

    state: UnitState
    duration: float
    alarm: int = 0
    cycle_time: float = 0.0
    scraps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Start:
    """What stood when a phase began."""

    good: int
    scrap: int
    temperature: float


class Shift:
    """The life of one machine. The same seed gives the same life, in whatever order it is asked for."""

    def __init__(self, machine: Machine, seed: int) -> None:
        self._machine = machine
        self._life = _life(machine, random.Random(seed))
        self._phases = [next(self._life)]
        self._begins = [0.0]
        self._starts = [_Start(0, 0, machine.cold)]

    def at(self, elapsed: float) -> Moment:
        """The machine `elapsed` seconds (at least 0) after the shift began."""
        while self._begins[-1] + self._phases[-1].duration <= elapsed:
            self._extend()
        index = bisect.bisect_right(self._begins, elapsed) - 1
        phase, inside = self._phases[index], elapsed - self._begins[index]
        start = self._after(phase, self._starts[index], inside)
        serious = phase.alarm in self._machine.aborts
        return Moment(
            state=phase.state,
            mode=UnitMode.MAINTENANCE if serious else UnitMode.PRODUCTION,
            good=start.good,
            scrap=start.scrap,
            alarm=phase.alarm,
            temperature=start.temperature + 0.2 * math.sin(elapsed / 7),
            cycle_time=phase.cycle_time or self._machine.cycle_time,
        )

    def _extend(self) -> None:
        last = self._phases[-1]
        self._begins.append(self._begins[-1] + last.duration)
        self._starts.append(self._after(last, self._starts[-1], last.duration))
        self._phases.append(next(self._life))

    def _after(self, phase: _Phase, start: _Start, inside: float) -> _Start:
        """What stands `inside` seconds after a phase began."""
        # The tolerance makes the last cycle of a phase count although durations are sums of floats.
        cycles = int(inside / phase.cycle_time + 1e-6) if phase.cycle_time else 0
        scrap = bisect.bisect_right(phase.scraps, cycles)
        goal = self._machine.warm if phase.state is UnitState.EXECUTE else self._machine.cold
        temperature = goal + (start.temperature - goal) * math.exp(-inside / self._machine.inertia)
        return _Start(start.good + cycles - scrap, start.scrap + scrap, temperature)


def _life(machine: Machine, rng: random.Random) -> Iterator[_Phase]:
    """For ever: idle, start, work with stops that are cleared, then a bad stop or the end of the run."""
    while True:
        yield _Phase(UnitState.IDLE, rng.uniform(5, 15))
        yield _Phase(UnitState.STARTING, 3.0)
        for _ in range(rng.randint(1, 4)):
            yield _work(machine, rng)
            yield from _hold(rng.choice(list(machine.holds)), rng)
        yield _work(machine, rng)
        if rng.random() < 0.5:
            yield from _abort(rng.choice(list(machine.aborts)), rng)
        else:
            yield _Phase(UnitState.COMPLETING, 2.0)
            yield _Phase(UnitState.COMPLETE, rng.uniform(20, 60))
        yield _Phase(UnitState.RESETTING, 3.0)


def _work(machine: Machine, rng: random.Random) -> _Phase:
    cycles = rng.randint(*machine.run)
    cycle_time = machine.cycle_time * rng.uniform(0.95, 1.1)
    scraps = tuple(n for n in range(1, cycles + 1) if rng.random() < machine.scrap_rate)
    return _Phase(UnitState.EXECUTE, cycles * cycle_time, cycle_time=cycle_time, scraps=scraps)


def _hold(alarm: int, rng: random.Random) -> Iterator[_Phase]:
    yield _Phase(UnitState.HOLDING, 1.0, alarm)
    yield _Phase(UnitState.HELD, rng.uniform(15, 90), alarm)
    yield _Phase(UnitState.UNHOLDING, 2.0)


def _abort(alarm: int, rng: random.Random) -> Iterator[_Phase]:
    yield _Phase(UnitState.ABORTING, 1.0, alarm)
    yield _Phase(UnitState.ABORTED, rng.uniform(60, 180), alarm)
    yield _Phase(UnitState.CLEARING, 3.0)
    yield _Phase(UnitState.STOPPED, rng.uniform(10, 30))
