"""Report by exception: which of a machine's values are worth keeping. Pure; time comes with the values.

An item is reported when its status or type changes, when it leaves the deadband around the value that was
reported last, and when that report is as old as the heartbeat. Between two reports a reader may therefore
take the earlier one as true, give or take the deadband; a quiet item whose reports stop coming is no
longer heard.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple

from device_drivers.contract import DataValues, StatusCode, Value

Reason = Literal["stopped", "dropped", "too_many", "not_saved", "device"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_WHOLE = range(-(1 << 63), 1 << 64)
_PLAIN = {float, bool, type(None)}
_ORDER = {StatusCode.GOOD: 0, StatusCode.UNCERTAIN: 1, StatusCode.BAD: 2}  # as the store keeps them

_READS = 100  # of one device; more different ones are not kept in mind

# What was reported last of one item: a list, because a million of them are looked at each minute.
_Last = list[Any]
_STATUS, _TIME, _VALUE, _DEADBAND, _HEARTBEAT = range(5)


class Columns(NamedTuple):
    """Values of one device that are kept, in the order of arrival; all four lists have one length.

    `times` in microseconds since 1970 UTC; `statuses` 0 good, 1 uncertain, 2 bad.
    """

    items: list[str]
    times: list[int]
    statuses: list[int]
    values: list[Value]


@dataclass(frozen=True, slots=True)
class Gap:
    """A time of which samples are missing; `since` and `until` in microseconds since 1970 UTC.

    Of every item of `device` when `item` is empty, of every device when both are. `count`: how many
    samples, as far as somebody counted. Reasons: `stopped` the agent did not run, `dropped` the oldest
    made room, `too_many` came faster than they could be taken, `not_saved` the disk refused them,
    `device` the device itself may have gone on unheard.
    """

    since: int
    until: int
    reason: Reason
    device: str = ""
    item: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """How items are reported whose `device/item` matches the pattern (`*`, `?`, `[abc]`, as in file names).

    `deadband` in units of the value, `heartbeat` in seconds; None: the next rule that matches says.
    """

    match: str
    deadband: float | None = None
    heartbeat: float | None = None


class ByException:
    """Decides for every item. `exact`: (device, item) of counters, states and alarms, which have no deadband."""

    def __init__(
        self, heartbeat: float, rules: Sequence[Rule] = (), exact: Collection[tuple[str, str]] = ()
    ) -> None:
        self._rules = (*rules, Rule("*", 0.0, heartbeat))
        self._exact = frozenset(exact)
        self._items: dict[str, dict[str, _Last]] = {}
        self._reads: dict[str, dict[tuple[str, ...], tuple[list[_Last], bool]]] = {}

    def sift(self, arrived: Iterable[tuple[str, DataValues]]) -> dict[str, Columns]:
        """Of (device, values) in the order of arrival those that are to be kept, by device."""
        kept: dict[str, Columns] = {}
        for device, read in arrived:
            names, told = read.items, read.values
            times = _times(read)
            known = self._reads.setdefault(device, {})
            lasts, always = known.get(names) or self._known(device, names)
            picked = None if always else _picked(lasts, read, times)
            if picked is not None and len(picked) < len(names):
                names, told = tuple(names[at] for at in picked), [told[at] for at in picked]
                times = [times[at] for at in picked]
            if names:
                columns = kept.setdefault(device, Columns([], [], [], []))
                columns.items.extend(names)
                columns.times.extend(times)
                columns.statuses.extend([_ORDER[read.status]] * len(names))
                columns.values.extend(_storable(told))
        return kept

    def forget(self, device: str = "") -> None:
        """Report every item, of all devices or of one, anew: what was reported last may not be so any more."""
        for each in (device,) if device else tuple(self._items):
            self._items.pop(each, None)
            self._reads.pop(each, None)

    def _known(self, device: str, names: tuple[str, ...]) -> tuple[list[_Last], bool]:
        """What was reported last of the items of a read, and whether every value of all of them is kept."""
        last, known = self._items.setdefault(device, {}), self._reads.setdefault(device, {})
        for name in names:
            if name not in last:
                last[name] = self._new(device, name)
        lasts = [last[name] for name in names]
        if len(known) >= _READS:
            known.clear()
        known[names] = lasts, all(was[_HEARTBEAT] == 0 for was in lasts)
        return known[names]

    def _new(self, device: str, name: str) -> _Last:
        path = f"{device}/{name}"
        rules = [rule for rule in self._rules if fnmatchcase(path, rule.match)]
        deadband = next(rule.deadband for rule in rules if rule.deadband is not None)
        heartbeat = next(rule.heartbeat for rule in rules if rule.heartbeat is not None)
        exact = (device, name) in self._exact
        return [None, 0, None, 0.0 if exact else deadband, round(heartbeat * 1_000_000)]


def _times(read: DataValues) -> list[int]:
    if read.source_times is None:
        return [microseconds(read.source_time)] * len(read.items)
    return [(time - _EPOCH) // MICROSECOND for time in read.source_times]


def _picked(lasts: list[_Last], read: DataValues, times: list[int]) -> list[int]:
    """The places of the values that are to be kept; from now on they are what was reported last."""
    picked, status = [], read.status
    for at, (was, told, time) in enumerate(zip(lasts, read.values, times, strict=True)):
        if (
            status is was[_STATUS]
            and 0 <= time - was[_TIME] < was[_HEARTBEAT]
            and type(told) is type(was[_VALUE])
            and (told == was[_VALUE] or _near(told, was[_VALUE], was[_DEADBAND]))
        ):
            continue
        was[_STATUS], was[_TIME], was[_VALUE] = status, time, told
        picked.append(at)
    return picked


def _storable(values: Sequence[Value]) -> Iterable[Value]:
    """The values as columns take them; whole reads of one kind are looked at as a whole."""
    kinds = {*map(type, values)}
    if kinds == {int} and min(values) >= _WHOLE[0] and max(values) <= _WHOLE[-1]:  # type: ignore[type-var, operator]
        return values
    return values if kinds <= _PLAIN else map(storable, values)


def _near(value: Any, last: Any, deadband: float) -> bool:
    """Whether a value that differs, of the same type, still tells the last; what is no number is near none."""
    if type(value) is float or type(value) is int:
        return abs(value - last) <= deadband > 0 or (value != value and last != last)
    return False


def microseconds(moment: datetime) -> int:
    """An aware moment as microseconds since 1970 UTC.

    >>> microseconds(datetime(1970, 1, 2, tzinfo=UTC))
    86400000000
    """
    return (moment - _EPOCH) // MICROSECOND


def moment(time: int) -> datetime:
    """The moment, aware and UTC, of microseconds since 1970.

    >>> moment(86_400_000_000).isoformat()
    '1970-01-02T00:00:00+00:00'
    """
    return _EPOCH + timedelta(microseconds=time)


def storable(value: Value) -> Value:
    """The value, or its text where no column takes it: a whole number beyond 64 bits, half a character.

    >>> storable(7), storable(1 << 70), storable("a" + chr(0xD800))
    (7, '1180591620717411303424', 'a\\\\ud800')
    """
    if type(value) is int and value not in _WHOLE:
        return str(value)
    if type(value) is str and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode()
    return value
