"""All that the author of a device driver needs to know.

A driver is one module `device_drivers/<name>.py` (or package) with two public names:

* `Options`: a `msgspec.Struct` with `forbid_unknown_fields=True`; what the site file may say.
* `Driver`: a class that satisfies the protocol below.

A driver never retries, never logs and never waits before a new try: it raises `DeviceError` when
the device is lost and the supervisor starts it again, with a fresh connection. Exceptions of the
library that speaks the protocol end in the driver's one file.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

Value = bool | int | float | str | None


class StatusCode(enum.StrEnum):
    """How far a value can be trusted; the three severities of OPC UA (part 4, 7.39)."""

    GOOD = "Good"
    UNCERTAIN = "Uncertain"
    BAD = "Bad"


@dataclass(frozen=True, slots=True)
class Online:
    """The device answers. `identity` is what it says it is, for people; empty when it does not say.

    `warnings` are sentences about what works now and still needs a person. It is emitted again, while
    the device is online, when they change. `rhythm`: how many seconds pass at most, while all is well,
    between two values, or two `Unchanged`; the agent tells people when nothing good comes for several times
    as long. None for a device whose silence says nothing, such as a scanner. `only_changes`: a good value holds until
    another one comes, so that its age says since when it is unchanged, not when it was heard.
    """

    identity: str
    warnings: tuple[str, ...] = ()
    rhythm: float | None = None
    only_changes: bool = False


@dataclass(frozen=True, slots=True)
class DataValue:
    """One item of one device at one moment.

    `value` is None exactly when `status` is BAD. `source_time` (aware, UTC) is when the device held
    the value: the moment of the request for polled protocols, the server's source time for OPC UA, or the
    moment at which it came when the server's clock is not to be compared with ours.
    """

    item: str
    value: Value
    status: StatusCode
    source_time: datetime


@dataclass(frozen=True, slots=True)
class DataValues:
    """Values as one read, or one message, gives them: a DataValue each, for a fraction of the cost.

    `items` and `values` have one length, in the order in which they came, and are not changed any more.
    `status` is that of all: the values are all None when it is BAD, and none is otherwise. So is
    `source_time`, unless there are `source_times`, one for each; it is then that of the last.
    """

    items: tuple[str, ...]
    values: Sequence[Value]
    status: StatusCode
    source_time: datetime
    source_times: Sequence[datetime] | None = None

    @classmethod
    def of(cls, value: DataValue) -> DataValues:
        """The one value."""
        return cls((value.item,), (value.value,), value.status, value.source_time)

    def __iter__(self) -> Iterator[DataValue]:
        for item, value, time in zip(self.items, self.values, self.times, strict=True):
            yield DataValue(item, value, self.status, time)

    @property
    def times(self) -> Sequence[datetime]:
        """The source time of each."""
        return self.source_times or (self.source_time,) * len(self.items)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The device was heard and had nothing new to tell: its last values stand. Of devices that tell only
    of changes."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Changes that happened between `since` and `until` (aware, UTC) may be missing for good.

    `item` None: of every item of the device. A driver emits it when it loses a device that tells only
    of changes (`until` is then the moment of the loss, and the agent adds the time until the device is
    back), and when it learns that notifications were dropped. Gaps may overlap: what counts is their
    union.
    """

    item: str | None
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Scan:
    """One complete frame of a scanner, without prefix and suffix; an AIM identifier is still in it.

    `id` is minted when the frame is complete and stays the key of everything that follows from it. `received_at` is
    when it was read, `waited` the seconds that it may have lain unread before that, as far as the driver knows.
    The agent adds the time in which it did not listen itself.
    """

    id: str
    raw: bytes
    received_at: datetime
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that `browse` finds at a device: a register, a bit, a node.

    `place` is what a point in the site file says to read it, `name` what the device calls it (empty when
    it has no names), `kind` what it is. `status` is None for what has no value; `inside` says whether
    there is more to browse within.
    """

    place: str
    name: str
    kind: str
    value: Value = None
    status: StatusCode | None = None
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """What people should know of a device that works, but not as it should: it keeps no pace, a part of
    it does not answer. `text` replaces the notice before it; empty takes it back. It ends with the connection.
    """

    text: str


Observation = Online | DataValue | DataValues | Unchanged | Gap | Scan | Notice
Emit = Callable[[Observation], None]


class Clock(Protocol):
    """Where a driver takes time and ids from; there is no other source."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC: data only, never for timers."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump: for time-outs and intervals."""
        ...

    def new_id(self) -> str:
        """A new UUIDv7."""
        ...

    async def sleep_until(self, monotonic: float) -> None:
        """Return when `monotonic()` has reached the given reading: the pace of a poll."""
        ...


class Driver(Protocol):
    """One connection to one device, from the first byte to its loss."""

    def __init__(self, options: Any, clock: Clock) -> None: ...

    async def run(self, emit: Emit) -> None:
        """Connect, `emit(Online(...))`, then emit what is observed, until cancelled.

        `emit` never blocks and never raises. Raises DeviceError when the device is lost; returns
        only by raising. Cancellation closes the connection within two seconds.
        """
        ...


Signal = Literal["good", "bad", "attention"]


@runtime_checkable
class Signals(Protocol):
    """What a driver may do besides: tell the person at the device what came of the last scan."""

    def signal(self, verdict: Signal) -> None:
        """Beep or light up as the device can; nothing where it can not, or is lost.

        Never blocks and never raises. Called after the verdict was committed: the beep means right, not
        decoded.
        """
        ...


Tap = Callable[[bytes], None]


@runtime_checkable
class Tapped(Protocol):
    """What the driver of a scanner may do besides: hand over what comes in as it is."""

    def tap(self, take: Tap | None) -> None:
        """While there is a `take` it gets all bytes as they come, and none of them is a scan; None ends it."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """The device confirmed a write, and was then read: `value` is what it has, None when that can not be told.

    `agrees`: it has what was written.
    """

    value: Value
    agrees: bool


@runtime_checkable
class Writes(Protocol):
    """What a driver may do besides: give an item another value. Only the write gate may ask for it."""

    async def write_item(self, item: str, value: bool | int | float | str) -> Written:
        """Write, and read back. Goes before the polls that wait, and is never tried twice.

        Raises NotWritten when the device has not changed for sure, any other DeviceError when nobody
        knows. Ends within a few of the device's time-outs, also when the connection is lost meanwhile.
        """
        ...


@dataclass(frozen=True, slots=True)
class PointRead:
    """One point, read because somebody asked. `raw` is what came, as the protocol writes it; empty: nothing.

    `value` and `status` as in DataValue; `round_trip` is how long the answer took, in seconds, None without
    one. `reason` is a sentence when the status is not GOOD.
    """

    item: str
    raw: str
    value: Value
    status: StatusCode
    round_trip: float | None
    reason: str = ""


@runtime_checkable
class Reads(Protocol):
    """What the driver of a machine may do besides: one read of every point, for an electrician.

    `round_trip` is how long the last answer took, in seconds; None before the first.
    """

    round_trip: float | None

    async def read_now(self, within: float) -> tuple[PointRead, ...]:
        """Every point of the options, in their order, over the connection that is there.

        After `within` seconds it gives what there is; of the rest, BAD with a reason. Nothing is emitted by
        it. Raises DeviceError when there is no connection, or when it is lost meanwhile.
        """
        ...


class DriverModule(Protocol):
    """What `device_drivers.load(name)` returns.

    The Options of a driver that can write have a method `unwritable(item) -> str`: why this item can not
    be written, in words that go on after its name; empty when it can.

    Those of a driver that knows how its items are coded have `counter_modulus(item) -> int | None`: how many
    numbers this item has, when it counts, until it starts again at 0; None when nobody knows. It raises ValueError
    when it can be no counter, with the reason in words.

    A driver that knows untrusted devices has a third name, `trust(options) -> str`: trust the device
    that was refused last, and say in a sentence whom; it raises DeviceError when there is none.

    Two functions more help whoever writes a site file; both only read, and a driver may have neither:

    * `async browse(options, clock, path, first, count) -> tuple[Found, ...]`: what the device has at
      `path`, whose form is the driver's own (empty: from the beginning), `count` entries from `first` on.
      Raises DeviceError.
    * `with_raw(options) -> (options, {item: (raw item, ...)})`: options by which the driver reads the same
      points and beside them what the device sent for each, as whole numbers, most significant first as on
      the wire.
    """

    Options: type
    Driver: type[Driver]


class DeviceError(Exception):
    """The device can not be used now. `str(error)` is a sentence an electrician understands."""

    kind: ClassVar[str] = "device"


class Unreachable(DeviceError):
    """Nobody answers at the address: cable, power, wrong address, port taken or missing."""

    kind = "unreachable"


class TimedOut(DeviceError):
    """The device was there and does not answer in time."""

    kind = "timed_out"


class BadReply(DeviceError):
    """The device answers something the protocol does not allow, or not what was asked."""

    kind = "bad_reply"


class NotWritten(DeviceError):
    """A write did not happen: the device has not changed."""

    kind = "not_written"


class Misconfigured(DeviceError):
    """The device says no for good: unknown register or node, wrong password, untrusted certificate."""

    kind = "misconfigured"
