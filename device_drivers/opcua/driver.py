"""The OPC UA driver: one session with one subscription that carries all points."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from device_drivers.contract import (
    BadReply,
    Clock,
    DataValue,
    DataValues,
    DeviceError,
    Emit,
    Gap,
    Misconfigured,
    Notice,
    NotWritten,
    Online,
    PointRead,
    StatusCode,
    TimedOut,
    Unchanged,
    Unreachable,
    Value,
    Written,
)
from device_drivers.opcua.options import Options, Point
from device_drivers.opcua.refusals import untrusted
from device_drivers.opcua.structures import picked
from device_drivers.opcua.trust import TrustFolder, thumbprint
from device_drivers.opcua.values import Change, overflowed, plain, severity

if TYPE_CHECKING:
    from device_drivers.opcua.certificate import Certificate, Own
    from device_drivers.opcua.wire import Wire

_ASK_AGAIN = 10.0  # seconds after which a point that was refused is asked for once more
_LOOK_AT_DATES = 10.0  # seconds between two looks at when certificates expire, and at the server's clock
_ASTRAY = 2.0  # seconds; a clock that is further off would put values into the wrong job
_LEAST_ASTRAY = 1.5  # the same of a clock that was: one at the limit does not change from answer to answer
_REASONS = 600  # characters; the first few points say what is wrong with all of them

_INSECURE = (
    "Not secure: nobody checks who answers, and anybody on its network can read and change the values."
)


class Driver:
    """Subscribes to all points; tells of changes, of changes that were missed, and of dates to come."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._own: Own | None = None
        self._server: Certificate | None = None
        self._picks = {
            point.name: (point.element, point.fields, point.field)
            for point in options.points if point.field or point.element is not None
        }  # fmt: skip
        self._wire: Wire | None = None  # while values come
        self._writing = asyncio.Lock()
        self._last: dict[str, datetime] = {}  # item -> source time of its last value
        self.round_trip: float | None = None
        self._refused: dict[Point, str] = {}
        self._astray: float | None = None  # seconds by which the server's clock is ahead of ours, if that is too much

    async def run(self, emit: Emit) -> None:
        """Subscribe until cancelled; see device_drivers.contract.Driver."""
        # In a thread: it takes half a second, and no other device may wait for it.
        await asyncio.to_thread(importlib.import_module, "device_drivers.opcua.wire")
        from device_drivers.opcua.wire import Wire

        wire = Wire(self._options, self._clock, lambda since, until: emit(Gap(None, since, until)))
        try:
            await self.connect(wire)
            self._refused = refused = await wire.subscribe(self._options.points)
            if len(refused) == len(self._options.points):
                told = "; ".join(refused.values())
                raise Misconfigured(f"{self._options.endpoint} refuses every point: {told[:_REASONS]}.")
            identity = await self._timed(wire)
            self._wire = wire
            emit(Online(identity, self._warnings(), wire.patience, only_changes=True))
            self._tell_refused(refused, emit)
            await self._deliver(wire, identity, refused, emit)
        finally:
            self._wire = None
            await wire.close()

    async def connect(self, wire: Wire) -> None:
        """Have a session, as safe as the site file says. Raises DeviceError."""
        if not self._options.insecure:
            await self._secure(wire)
        await wire.connect(self._password())

    async def write_item(self, item: str, value: bool | int | float | str) -> Written:
        """See device_drivers.contract.Writes."""
        point = next((point for point in self._options.points if point.name == item), None)
        if point is None:
            raise NotWritten(f"This device has no point {item!r}.")
        async with self._writing:  # nobody else writes before it is read back
            if self._wire is None:
                raise NotWritten(f"{self._options.endpoint} is not connected.")
            return await self._wire.write_point(point, value)

    async def read_now(self, within: float) -> tuple[PointRead, ...]:
        """See device_drivers.contract.Reads. The server answers all of it in one go, or none."""
        if self._wire is None:
            raise Unreachable(f"{self._options.endpoint} is not connected now.")
        try:
            async with asyncio.timeout(within):
                found, self.round_trip = await self._wire.read()
        except TimeoutError as error:
            raise TimedOut(f"{self._options.endpoint} has not answered in {within:g} s.") from error
        came = {item: answer for answer in found for item in answer[0].items}
        return tuple(self._point_read(point, came.get(point.name)) for point in self._options.points)

    def _point_read(self, point: Point, came: tuple[Change, str] | None) -> PointRead:
        if came is None:
            why = self._refused.get(point, f"point {point.name!r}: the server does not have it")
            return PointRead(point.name, "", None, StatusCode.BAD, None, f"The server refuses: {why}.")
        change, raw = came
        value = None if severity(change.code) is StatusCode.BAD else change.value
        status = StatusCode.BAD if value is None else severity(change.code)
        why = "" if status is StatusCode.GOOD else f"The server says {status.value} ({change.code:#010x}): {raw}."
        return PointRead(point.name, raw, value, status, self.round_trip, why)

    async def _timed(self, wire: Wire) -> str:
        """Ask the server who it is, and how long it takes to say so."""
        began = self._clock.monotonic()
        identity = await wire.identity()
        self._judge_clock(wire.clock_off)
        self.round_trip = self._clock.monotonic() - began
        return identity

    def _judge_clock(self, off: float | None) -> None:
        """Whether the server's times can be compared with ours. What was found holds until it is much else."""
        astray = off if off is not None and abs(off) > (_LEAST_ASTRAY if self._astray else _ASTRAY) else None
        if astray is None or self._astray is None or abs(astray - self._astray) > _ASTRAY:
            self._astray = astray

    async def _secure(self, wire: Wire) -> None:
        """Sign and encrypt, with a server that somebody has trusted. Raises Misconfigured in words."""
        shown = await wire.certificate()
        folder = TrustFolder(self._options.certificates)
        try:
            await asyncio.to_thread(self._check, folder, shown)
        except OSError as error:
            what = f"{error.filename or folder.own.parent}: {error.strerror}"
            raise Misconfigured(f"The folder of certificates can not be used: {what}.") from error
        assert self._own
        wire.secure(self._own, shown)

    def _check(self, folder: TrustFolder, shown: bytes) -> None:
        """Have our certificate and its key, and see whether that of the server is trusted."""
        from device_drivers.opcua import certificate

        try:
            self._own = certificate.own(folder, self._clock.now())
        except certificate.CertificateError as error:
            raise Misconfigured(str(error)) from error
        try:
            self._server = certificate.read(shown)
        except certificate.CertificateError as error:
            raise BadReply(
                f"What {self._options.endpoint} shows as its certificate is none. {error}"
            ) from error
        if not folder.trusts(shown):
            folder.reject(self._options.endpoint, shown)
            subject = self._server.subject or self._server.uri
            raise Misconfigured(untrusted(self._options.endpoint, subject, thumbprint(shown)))

    def _password(self) -> str:
        if not self._options.password_file:
            return ""
        try:
            return self._options.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise Misconfigured(
                f"Can not read the password file {self._options.password_file}: {error.strerror}."
            ) from error

    def _warnings(self) -> tuple[str, ...]:
        """What a person should know though all works."""
        astray = () if self._astray is None else (_astray_words(self._astray),)
        if self._own is None or self._server is None:
            return ((_INSECURE,) if self._options.exposed else ()) + astray
        from device_drivers.opcua.certificate import expiry_warning

        ours = (
            f"Delete {self._own.certificate} and start the agent again: "
            "a new one is made, which every server has to be told to trust."
        )
        theirs = "Give the server a new one, then trust it: floorhand devices trust."
        now = self._clock.now()
        told = (
            expiry_warning("The certificate of this agent", self._own.says.not_after, now, ours),
            expiry_warning("The certificate of the server", self._server.not_after, now, theirs),
        )
        return (*filter(None, told), *astray)

    def _tell_refused(self, refused: Mapping[Point, str], emit: Emit) -> None:
        """A point that the server does not have is Bad, and people are told why; the others are as good as ever."""
        if refused:
            emit(Notice(self._refused_words(refused)))
        for point in refused:
            emit(DataValue(point.name, None, StatusCode.BAD, self._clock.now()))

    def _refused_words(self, refused: Mapping[Point, str]) -> str:
        """What the server does not have, and why; empty when it has all."""
        if not refused:
            return ""
        told = "; ".join(refused.values())[:_REASONS]
        return f"The server refuses {len(refused)} of {len(self._options.points)} points: {told}."

    async def _deliver(self, wire: Wire, identity: str, refused: Mapping[Point, str], emit: Emit) -> None:
        """Emit until something ends it; returns only by raising."""
        tasks = [
            asyncio.create_task(self._pump(wire, emit)),
            asyncio.create_task(self._watch(wire, emit)),
            asyncio.create_task(wire.loss()),
            asyncio.create_task(self._ask_again(wire, refused, emit)),
            asyncio.create_task(self._look_at_dates(identity, wire.patience, emit)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    await task
        except DeviceError:  # told before the connection is torn down: a frozen server takes its time
            now, items = self._clock.now(), tuple(point.name for point in self._options.points)
            emit(DataValues(items, (None,) * len(items), StatusCode.BAD, now))
            emit(Gap(None, wire.heard[1], now))
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(self, wire: Wire, emit: Emit) -> None:
        async for changes in wire.changes():
            self._take(changes, emit)

    def _take(self, changes: Iterable[Change], emit: Emit) -> None:
        """Emit changes in their order; those of one status that follow each other as one."""
        now, of_all = self._clock.now(), StatusCode.GOOD
        items, values, times = list[str](), list[Value](), list[datetime]()
        for change in changes:
            said = severity(change.code) if change.code else StatusCode.GOOD
            whole = None if said is StatusCode.BAD else plain(change.value)
            moment = change.source_time if change.source_time and self._astray is None else now
            dropped = change.code and overflowed(change.code)
            for item in change.items:
                pick = self._picks.get(item)
                value = plain(picked(change.value, *pick)) if pick and said is not StatusCode.BAD else whole
                status = StatusCode.BAD if value is None else said
                if status is not of_all or dropped:
                    _emit_all(items, values, times, of_all, emit)
                    items, values, times, of_all = [], [], [], status
                if dropped:
                    self._tell_overflow(item, moment, emit)
                self._last[item] = moment
                items.append(item)
                values.append(value)
                times.append(moment)
        _emit_all(items, values, times, of_all, emit)

    def _tell_overflow(self, item: str, moment: datetime, emit: Emit) -> None:
        """The server's queue was too short: it dropped changes between the last value and this one."""
        emit(Gap(item, min(self._last.get(item, moment), moment), moment))

    async def _watch(self, wire: Wire, emit: Emit) -> None:
        """Say that the server is heard; raise when it has published nothing, not even a keep-alive, for too long."""
        while True:
            heard, limit = wire.heard[0], wire.patience
            if self._clock.monotonic() - heard >= limit:
                raise TimedOut(f"{self._options.endpoint} has sent nothing for {limit:g} s.")
            await self._clock.sleep_until(heard + limit)
            if wire.heard[0] > heard:
                emit(Unchanged())

    async def _ask_again(self, wire: Wire, refused: Mapping[Point, str], emit: Emit) -> None:
        """A controller that loads its program has its nodes a little later than its server."""
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + _ASK_AGAIN)
            with contextlib.suppress(DeviceError):  # whether the server is lost is not for this to say
                await self._timed(wire)
            if refused:
                before = refused
                self._refused = refused = await wire.subscribe(tuple(refused))
                if refused.keys() != before.keys():
                    emit(Notice(self._refused_words(refused)))

    async def _look_at_dates(self, identity: str, rhythm: float, emit: Emit) -> None:
        """A certificate may expire while the connection lives, and a clock be set: say so when the time comes."""
        told = self._warnings()
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + _LOOK_AT_DATES)
            if (now := self._warnings()) != told:
                told = now
                emit(Online(identity, now, rhythm, only_changes=True))


def _emit_all(
    items: Sequence[str], values: Sequence[Value], times: Sequence[datetime], status: StatusCode, emit: Emit
) -> None:
    if items:
        emit(DataValues(tuple(items), values, status, times[-1], times))


def _astray_words(off: float) -> str:
    seconds, side = f"{abs(off):.0f} s", "ahead of" if off > 0 else "behind"
    return (
        f"The clock of the server is {seconds} {side} ours: values have the time at which they come here, not the "
        "server's. Set both clocks by one time server (NTP)."
    )


def trust(options: Options) -> str:
    """Trust the server whose certificate was refused last; see device_drivers.contract.DriverModule."""
    from device_drivers.opcua import certificate

    if options.insecure:
        raise Misconfigured("This device says `insecure = true`: no certificate is looked at.")
    try:
        trusted = TrustFolder(options.certificates).trust(options.endpoint)
        if trusted is None:
            raise Misconfigured(
                f"No certificate of {options.endpoint} waits in {options.certificates / 'rejected'}. "
                "It comes there when the agent runs and the server is reached."
            )
        says = certificate.read(trusted)
    except OSError as error:
        raise Misconfigured(f"{error.filename or options.certificates}: {error.strerror}.") from error
    except certificate.CertificateError as error:
        raise Misconfigured(str(error)) from error
    return (
        f"Trusted from now on: {says.subject or 'a certificate without a name'} ({says.uri or 'no application'}), "
        f"valid {says.not_before:%Y-%m-%d} to {says.not_after:%Y-%m-%d}, thumbprint {thumbprint(trusted)}."
    )
