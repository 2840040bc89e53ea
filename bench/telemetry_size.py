"""`python -m bench.telemetry_size`: what the samples of a plant take on the disk, and what they cost to keep.

A plant of 2,000 items at 1 Hz, hours of it in minutes: the values go through the same report by
exception, group commits and blocks as in the agent, only the clock is moved by hand. The size after 72
hours: what the blocks between the first and the last look at them added for each value, times the values of 72
hours, and beside it the most that was ever there above that line, for what is in no block yet.
"""

from __future__ import annotations

import argparse
import functools
import math
import random
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Figure, Goals
from bench.report import options, report, tell
from device_drivers.contract import DataValues, StatusCode, Value
from edge_agent.clock import SystemClock
from edge_agent.machines.by_exception import ByException, Rule
from edge_agent.store.samples import SampleStore
from edge_agent.store.samples_bounds import Bounds

DEVICES, ITEMS, KEPT_HOURS = 20, 100, 72
HOURS = 2  # of the plant that are worked through
BEGAN = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
HEARTBEAT = 60.0

Signal = Iterator[Value]
Plant = list[tuple[str, list[tuple[str, Signal]]]]
Mix = Sequence[tuple[Callable[[random.Random], Signal], int]]


class SetClock(SystemClock):
    """The clock of the plant: as late as it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.time = BEGAN

    def now(self) -> datetime:
        return self.time


def temperature(dice: random.Random) -> Signal:
    """Slow, with the noise of its converter, in tenths as a register holds them."""
    level, aim = dice.uniform(20, 180), dice.uniform(20, 180)
    while True:
        if dice.random() < 0.001:
            aim = dice.uniform(20, 180)
        level += (aim - level) * 0.002
        yield round((level + dice.gauss(0, 0.06)) * 10) * 0.1


def power(dice: random.Random) -> Signal:
    """Different every second in every bit: a meter that speaks in floats of 32 bits."""
    load = dice.uniform(2, 40)
    while True:
        load = max(0.1, load + dice.gauss(0, 0.2))
        yield _single(load * (1 + dice.gauss(0, 0.01)))


def counter(dice: random.Random) -> Signal:
    """Pieces, one every few seconds while the machine runs."""
    count, cycle, tick, stopped = dice.randint(0, 1 << 31), dice.randint(2, 20), 0, 0
    while True:
        stopped = stopped - 1 if stopped else (dice.randint(60, 900) if dice.random() < 0.0005 else 0)
        tick += not stopped
        count += not stopped and tick % cycle == 0
        yield count


def state(dice: random.Random) -> Signal:
    """A PackML state; minutes in each."""
    now = 6
    while True:
        if dice.random() < 0.004:
            now = dice.choice([4, 6, 6, 6, 11, 2, 9])
        yield now


def switch(dice: random.Random) -> Signal:
    """A contact that follows the cycle of the machine."""
    on, off = dice.randint(1, 12), dice.randint(1, 30)
    while True:
        for value, seconds in ((True, on), (False, off + dice.randint(0, 2))):
            yield from [value] * seconds


def setpoint(dice: random.Random) -> Signal:
    """Written by people, a few times a day."""
    value = float(dice.randint(10, 200))
    while True:
        if dice.random() < 0.00005:
            value = float(dice.randint(10, 200))
        yield value


def text(dice: random.Random) -> Signal:
    """The name of what is made."""
    name = f"Program {dice.randint(1, 40):03}"
    while True:
        if dice.random() < 0.0003:
            name = f"Program {dice.randint(1, 40):03}"
        yield name


# How many of a hundred items of a machine are of which kind.
PLANT: Mix = (
    (temperature, 30), (power, 10), (counter, 12), (state, 8), (switch, 20), (setpoint, 18), (text, 2),
)  # fmt: skip
# The worst there is: nothing but floats that differ in every bit every second.
NOISE: Mix = ((power, 100),)


def _single(value: float) -> float:
    """The value as 32 bits hold it."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(mantissa * (1 << 24)), exponent - 24)


@dataclass(frozen=True)
class Measured:
    """What came of some hours; CPU of the filter, of commits and blocks, in seconds a million offered samples."""

    offered: int
    kept: int
    bytes_72h: float
    cpu_offered: float
    cpu_kept: float


async def work(folder: Path, signals: Mix, hours: int, rules: Sequence[Rule]) -> Measured:
    """Some hours of a plant through the store; raises ValueError when what is read back is not what was kept."""
    clock, bounds = SetClock(), Bounds(1_000_000_000, timedelta(days=30))
    store = await SampleStore.open(folder / "samples.db", clock, bounds)
    report_by_exception = ByException(HEARTBEAT, rules)
    plant = plant_of(signals)
    looks: list[tuple[int, int, bool]] = []
    offered, kept, cpu, worked = 0, 0, 0.0, False
    for hour in range(hours):
        for second in range(3600):
            clock.time = BEGAN + timedelta(hours=hour, seconds=second)
            values = scans(plant, clock.time)
            offered += sum(len(read.items) for _, read in values)
            began = _cpu()
            samples = report_by_exception.sift(values)
            await store.append(samples)
            before, worked = worked, await store.tidy()
            cpu += _cpu() - began
            if before or second % 60 == 0:
                looks.append((offered, (await store.usage()).bytes, before and not worked))
            kept += sum(len(each.times) for each in samples.values())
        tell(f"hour {hour + 1}: {offered:,} offered, {kept:,} kept, {looks[-1][1] / 1e6:.1f} MB")
    whole = (await store.usage()).samples
    await store.close()
    if whole != kept:
        raise ValueError(f"{kept} samples were kept, {whole} are there")
    return Measured(offered, kept, _after_72h(looks, offered / hours), cpu / offered * 1e6, cpu / kept * 1e6)


def _after_72h(looks: Sequence[tuple[int, int, bool]], offered_in_an_hour: float) -> float:
    """Bytes after 72 hours. `looks`: values offered until then, bytes on the disk, whether all is in blocks."""
    folded = [(offered, size) for offered, size, whole in looks if whole]
    (early, small), (late, large) = folded[0], folded[-1]
    slope = (large - small) / (late - early)
    return slope * offered_in_an_hour * KEPT_HOURS + max(size - slope * offered for offered, size, _ in looks)


def plant_of(signals: Mix) -> Plant:
    """The devices with their items, always the same."""
    dice = random.Random(72)
    return [
        (
            f"plc-{device}",
            [
                (f"{make.__name__}_{number}", make(random.Random(dice.random())))
                for make, count in signals for number in range(count)
            ],
        )
        for device in range(DEVICES)
    ]  # fmt: skip


def scans(plant: Plant, now: datetime) -> list[tuple[str, DataValues]]:
    """One read of every device; each at its own moment, some milliseconds late as reads are."""
    values = []
    for number, (device, items) in enumerate(plant):
        at = now + timedelta(microseconds=number * 37_000 + random.randrange(2000))
        names, told = tuple(name for name, _ in items), [next(signal) for _, signal in items]
        values.append((device, DataValues(names, told, StatusCode.GOOD, at)))
    return values


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(folder: Path, hours: int) -> list[Figure]:
    """The plant as the site file has it when nothing is said, with deadbands, and the worst there is."""
    tell(f"{DEVICES * ITEMS} items at 1 Hz, {hours} h; no deadbands")
    plain = await work(_made(folder / "plain"), PLANT, hours, ())
    tell("the same with deadbands of 0.5 degrees and 0.5 kW")
    banded = await work(
        _made(folder / "banded"), PLANT, hours, (Rule("*/temperature*", 0.5), Rule("*/power*", 0.5))
    )
    tell("nothing but noise, one hour")
    noise = await work(_made(folder / "noise"), NOISE, 1, ())
    values = {
        "telemetry_72h": plain.bytes_72h / 1e9,
        "telemetry_72h_deadbands": banded.bytes_72h / 1e9,
        "telemetry_72h_noise": noise.bytes_72h / 1e9,
        "telemetry_offered_bytes": plain.bytes_72h / (plain.offered / hours * KEPT_HOURS),
        "telemetry_kept_bytes": plain.bytes_72h / (plain.kept / hours * KEPT_HOURS),
        "telemetry_kept_share": 100 * plain.kept / plain.offered,
        "telemetry_cpu": plain.cpu_offered,
        "telemetry_cpu_kept": plain.cpu_kept,
        "telemetry_cpu_noise": noise.cpu_kept,
    }
    goals = Goals()
    return [goals.figure(name, value) for name, value in values.items()]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed."""
    parser = options("What the samples of a plant take on the disk, and what they cost to keep.")
    parser.add_argument("--hours", type=_hours, default=HOURS, metavar="N", help=f"of the plant; {HOURS} when left out")
    given = parser.parse_args(arguments)
    return report(functools.partial(measure, hours=given.hours), given.strict)


def _hours(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= KEPT_HOURS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {KEPT_HOURS}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
