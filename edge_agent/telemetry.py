"""Report by exception: which of a machine's values are worth keeping. Pure; time comes with the values.

An item is reported when its status or type changes, when it leaves the deadband around the value that was
reported last, and when that report is as old as the heartbeat. Between two reports a reader may therefore
take the earlier one as true, give or take the deadband; a quiet item whose reports stop coming is no
longer heard.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from device_drivers.contract import DataValue, StatusCode, Value

Reason = Literal["stopped", "dropped", "too_many", "not_saved", "device"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NUMBERS = (int, float)
_WHOLE = range(-(1 << 63), 1 << 64)
_ORDER = {StatusCode.GOOD: 0, StatusCode.UNCERTAIN: 1, StatusCode.BAD: 2}  # as the store keeps them


class Sample(NamedTuple):
    """A value that is kept. `time` in microseconds since 1970 UTC; `status` 0 good, 1 uncertain, 2 bad."""

    device: str
    item: str
    time: int
    status: int
    value: Value


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
        self._items: dict[str, dict[str, _Item]] = {}
        self._stamp: tuple[datetime | None, int] = (None, 0)

    def take(self, device: str, value: DataValue) -> Sample | None:
        """The sample that is to be kept of this value; None when the last one still tells it."""
        stamp, time = self._stamp
        if value.source_time is not stamp:  # the values of one read share their moment
            time = microseconds(value.source_time)
            self._stamp = (value.source_time, time)
        try:
            item = self._items[device][value.item]
        except KeyError:
            item = self._items.setdefault(device, {})[value.item] = self._new(device, value.item)
        if not item.tells(value.value, value.status, time):
            return None
        return Sample(device, value.item, time, _ORDER[value.status], storable(value.value))

    def forget(self) -> None:
        """Report every item anew: what was reported last may not have been kept."""
        for items in self._items.values():
            for item in items.values():
                item.status = None

    def _new(self, device: str, name: str) -> _Item:
        path = f"{device}/{name}"
        rules = [rule for rule in self._rules if fnmatchcase(path, rule.match)]
        deadband = next(rule.deadband for rule in rules if rule.deadband is not None)
        heartbeat = next(rule.heartbeat for rule in rules if rule.heartbeat is not None)
        return _Item(0.0 if (device, name) in self._exact else deadband, round(heartbeat * 1_000_000))


class _Item:
    """What was reported last of one item."""

    __slots__ = ("_deadband", "_heartbeat", "_time", "_value", "status")

    def __init__(self, deadband: float, heartbeat: int) -> None:
        self.status: StatusCode | None = None  # None: nothing yet
        self._value: Value = None
        self._time = 0
        self._deadband = deadband
        self._heartbeat = heartbeat

    def tells(self, value: Value, status: StatusCode, time: int) -> bool:
        """Whether this value is to be reported; if so, it is the last one now."""
        if (
            status is self.status
            and 0 <= time - self._time < self._heartbeat
            and ((value == self._value and type(value) is type(self._value)) or self._near(value))
        ):
            return False
        self.status, self._value, self._time = status, value, time
        return True

    def _near(self, value: Value) -> bool:
        """Whether a value that differs is still within the deadband; not a number is near itself only."""
        last = self._value
        if type(value) is not type(last) or type(value) not in _NUMBERS:
            return False
        assert isinstance(value, _NUMBERS)
        assert isinstance(last, _NUMBERS)
        return abs(value - last) <= self._deadband > 0 or (value != value and last != last)


def microseconds(moment: datetime) -> int:
    """An aware moment as microseconds since 1970 UTC.

    >>> microseconds(datetime(1970, 1, 2, tzinfo=UTC))
    86400000000
    """
    return (moment - _EPOCH) // _MICROSECOND


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
