"""What a program has stored, read back after its end, against what the devices have served. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.figures import percentile
from bench.landed.devices import CLOCK, SCANS, Served, scan_of
from bench.landed.work import Work

Item = tuple[int, int]  # number of the device, address


@dataclass
class Stored:
    """Samples of each item in the order of their times: `times` in microseconds since 1970, and `values`."""

    times: dict[Item, list[int]] = field(default_factory=dict)
    values: dict[Item, list[int]] = field(default_factory=dict)

    def add(self, item: Item, time: int, value: int) -> None:
        """One sample more."""
        self.times.setdefault(item, []).append(time)
        self.values.setdefault(item, []).append(value)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(len(times) for times in self.times.values())

    def within(self, since: float, until: float) -> Stored:
        """Those whose time lies in a span of seconds since 1970."""
        found = Stored()
        for item, times in self.times.items():
            for time, value in zip(times, self.values[item], strict=True):
                if since <= time / 1e6 < until:
                    found.add(item, time, value)
        return found


@dataclass(frozen=True)
class Judged:
    """What came of it. `completeness` in percent of what was served between two looks at the devices.

    `kept`: how many percent of the scans that its interval asks for the slowest of the answering devices
    had. `lost` are the samples served that are not there after the kill; `lost_scans` the most of one device.
    `errors` are stored times less the clocks of the devices, in milliseconds.
    """

    completeness: float
    kept: float
    lost: int
    lost_scans: int
    errors: Sequence[float]


def judged(
    work: Work, stored: Stored, early: Sequence[Served], late: Sequence[Served], end: Sequence[Served]
) -> Judged:
    """Look at every sample. `early` and `late` begin and end the window, `end` is after the kill."""
    found = wanted = lost_scans = 0
    answering = [number for number in range(work.devices) if number != work.hung]
    for device in answering:
        span = range(early[device].scans + 1, late[device].scans + 1)
        wanted += len(span) * work.tags
        for address in work.addresses():
            scans = _scans(stored, device, address)
            found += len({*scans}.intersection(span))
        lost_scans = max(lost_scans, end[device].scans - max(_scans(stored, device, SCANS), default=0))
    served = sum(each.tags for each in end)
    return Judged(
        completeness=100 * found / wanted if wanted else 0.0,
        kept=min(_kept(stored, device, work.interval) for device in answering),
        lost=served - stored.count,
        lost_scans=lost_scans,
        errors=_errors(stored, answering),
    )


def _scans(stored: Stored, device: int, address: int) -> list[int]:
    """Of which scans there is a sample: the counter says it, and every value behind it."""
    counted = stored.values.get((device, SCANS), [])
    if address <= SCANS:  # the clock is read with the counter
        return counted[: len(stored.values.get((device, address), []))]
    return [scan_of(address, value) for value in stored.values.get((device, address), [])]


def _kept(stored: Stored, device: int, interval: float) -> float:
    """Percent of the scans that belong between the first that is stored and the last."""
    times = stored.times.get((device, SCANS), [])
    if len(times) < 2:
        return 0.0
    return 100 * (len(times) - 1) * interval / ((times[-1] - times[0]) / 1e6)


def _errors(stored: Stored, devices: Sequence[int]) -> list[float]:
    """Stored time less the clock of the device, wherever a whole clock has one time."""
    errors = []
    for device in devices:
        words: list[Mapping[int, int]] = [
            dict(zip(stored.times.get((device, at), ()), stored.values.get((device, at), ()), strict=True))
            for at in range(CLOCK)
        ]
        for time, last in words[-1].items():
            if all(time in each for each in words):
                clock = last
                for shift, each in enumerate(reversed(words[:-1]), 1):
                    clock |= each[time] << 16 * shift
                errors.append(time / 1000 - clock)
    return errors


def p99(errors: Sequence[float]) -> float:
    """The error that 99 of 100 time stamps do not exceed, early or late, in milliseconds."""
    return percentile([abs(each) for each in errors], 99)
