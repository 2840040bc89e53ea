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

    `kept`: how many percent of the scans that its interval asks for in the window the slowest of the answering
    devices had. `lost_scans` were served since the window began and are not whole after the kill, wherever they
    lie, the most of one device.
    `errors` are stored times less the clocks of the devices, in milliseconds.
    """

    completeness: float
    kept: float
    lost_scans: int
    errors: Sequence[float]


def judged(
    work: Work, stored: Stored, early: Sequence[Served], late: Sequence[Served], end: Sequence[Served],
    window: tuple[float, float],
) -> Judged:  # fmt: skip
    """Look at every sample. `early` and `late` begin and end the window, `end` is after the kill.

    `window`: the same two moments in seconds since 1970.
    """
    found = wanted = lost_scans = 0
    answering = [number for number in range(work.devices) if number != work.hung]
    for device in answering:
        span = range(early[device].scans + 1, late[device].scans + 1)
        wanted += len(span) * work.tags
        for address in work.addresses():
            scans = _scans(stored, device, address)
            found += len({*scans}.intersection(span))
        lost_scans = max(lost_scans, _lost(work, stored, device, range(early[device].scans + 1, end[device].scans + 1)))
    return Judged(
        completeness=100 * found / wanted if wanted else 0.0,
        kept=min(_kept(stored, device, work.interval, window) for device in answering),
        lost_scans=lost_scans,
        errors=_errors(stored, answering),
    )


def _scans(stored: Stored, device: int, address: int) -> list[int]:
    """Of which scans there is a sample: the counter says it, and every value behind it."""
    counted = stored.values.get((device, SCANS), [])
    if address <= SCANS:  # the clock is read with the counter
        return counted[: len(stored.values.get((device, address), []))]
    return [scan_of(address, value) for value in stored.values.get((device, address), [])]


def _lost(work: Work, stored: Stored, device: int, served: range) -> int:
    """How many of these scans are not there. The kill may cut the last one short: its counter will do."""
    counted = {*_scans(stored, device, SCANS)}
    whole = counted.intersection(*(_scans(stored, device, address) for address in work.addresses()))
    return sum(scan not in (counted if scan == served[-1] else whole) for scan in served)


def _kept(stored: Stored, device: int, interval: float, window: tuple[float, float]) -> float:
    """Percent of the scans that belong into the window.

    From the last scan before it to the first behind it: so its length has no part in an interval. Where there
    is none it is the edge itself.
    """
    times = sorted(time / 1e6 for time in stored.times.get((device, SCANS), []))
    since, until = window
    first = max((time for time in times if time < since), default=since)
    last = min((time for time in times if time >= until), default=until)
    had = sum(first <= time <= last for time in times)
    return 100 * max(had - 1, 0) * interval / (last - first)


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
