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

from device_drivers.contract import DataValue, StatusCode, Value

Reason = Literal["stopped", "dropped", "too_many", "not_saved", "device"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_WHOLE = range(-(1 << 63), 1 << 64)
_PLAIN = (float, bool, type(None))
_ORDER = {StatusCode.GOOD: 0, StatusCode.UNCERTAIN: 1, StatusCode.BAD: 2}  # as the store keeps them

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

    def sift(self, arrived: Iterable[tuple[str, DataValue]]) -> dict[str, Columns]:
        """Of (device, value) in the order of arrival those that are to be kept, by device."""
        kept: dict[str, Columns] = {}
        stamp, time, device = None, 0, None
        for of, value in arrived:
            if of != device:
                device, last = of, self._items.setdefault(of, {})
                items, times, statuses, values = kept.setdefault(of, Columns([], [], [], []))
            if value.source_time is not stamp:  # the values of one read share their moment
                stamp = value.source_time
                time = microseconds(stamp)
            told, status, name = value.value, value.status, value.item
            was = last.get(name)
            if was is None:
                was = last[name] = self._new(of, name)
            elif (
                status is was[_STATUS]
                and 0 <= time - was[_TIME] < was[_HEARTBEAT]
                and type(told) is type(was[_VALUE])
                and (told == was[_VALUE] or _near(told, was[_VALUE], was[_DEADBAND]))
            ):
                continue
            was[_STATUS], was[_TIME], was[_VALUE] = status, time, told
            items.append(name)
            times.append(time)
            statuses.append(_ORDER[status])
            values.append(told if type(told) in _PLAIN else storable(told))
        return {each: columns for each, columns in kept.items() if columns.items}

    def forget(self, device: str = "") -> None:
        """Report every item, of all devices or of one, anew: what was reported last may not be so any more."""
        if device:
            self._items.pop(device, None)
        else:
            self._items.clear()

    def _new(self, device: str, name: str) -> _Last:
        path = f"{device}/{name}"
        rules = [rule for rule in self._rules if fnmatchcase(path, rule.match)]
        deadband = next(rule.deadband for rule in rules if rule.deadband is not None)
        heartbeat = next(rule.heartbeat for rule in rules if rule.heartbeat is not None)
        exact = (device, name) in self._exact
        return [None, 0, None, 0.0 if exact else deadband, round(heartbeat * 1_000_000)]


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
