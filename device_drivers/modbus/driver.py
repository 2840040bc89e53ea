"""The Modbus driver: polls the units of one line at a steady pace."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterable
from datetime import datetime

from device_drivers.contract import (
    BadReply,
    Clock,
    DataValue,
    DataValues,
    DeviceError,
    Emit,
    Notice,
    NotWritten,
    Online,
    PointRead,
    TimedOut,
    Unreachable,
    Written,
)
from device_drivers.modbus.blocks import Block, plan, split
from device_drivers.modbus.frames import Answer, Asked, Failure, Refusal
from device_drivers.modbus.line import GATEWAY, Line
from device_drivers.modbus.notices import Told
from device_drivers.modbus.options import Options
from device_drivers.modbus.reading import reads
from device_drivers.modbus.rounds import Job, Schedule
from device_drivers.modbus.values import Fields, Round, bad, fields
from device_drivers.modbus.wire import Wire, connect
from device_drivers.modbus.writing import Plan, may_try_next, plan_write, why_not

_LOOK = 1.0  # seconds between two looks at paces and dead units while answers are good
_ILLEGAL_ADDRESS = 2  # exception: a register of the read is not there (application protocol, 7)


class Driver:
    """One connection. A block that a unit refuses makes its points bad and nothing else.

    A unit that does not answer, or answers something else than was asked, makes its points bad; when no
    unit is left that answers, the driver ends. `Line` decides whose answers are believed.
    """

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        blocks = plan(
            options.placed(), options.max_registers, options.max_gap, options.max_bits,
            options.one_request_per_point,
        )  # fmt: skip
        self._fields: dict[Block, Fields] = {block: fields(block) for block in blocks}
        now = clock.monotonic()
        self._schedule = Schedule(blocks, {"": options.interval, **options.groups}, now)
        self._line = Line(
            blocks, careful=options.of_a_line, timeout=options.timeout,
            retry_dead=options.retry_dead_unit, seed=clock.new_id(),
        )  # fmt: skip
        self._told = Told(options.retry_dead_unit)
        self._wire: Wire | None = None
        self._broken: DeviceError | None = None  # why no unit is left that answers
        # Who waits first is first: a write waits for the requests on their way, never for the polls behind.
        self._turn = asyncio.Semaphore(options.max_in_flight)
        self._writing = asyncio.Lock()
        self._look_at = now
        self._quiet_until = now
        self._online = False
        self._early: list[DataValues] = []  # bad ones from before the first answer
        self.round_trip: float | None = None

    async def run(self, emit: Emit) -> None:
        """Poll until cancelled; see device_drivers.contract.Driver."""
        wire = await connect(self._options, self._line.late)
        try:
            self._wire = wire
            silence = self._options.timeout if self._options.of_a_line else 0.0
            self._quiet_until = self._clock.monotonic() + max(silence, self._options.pause_after_connect)
            if self._options.max_in_flight == 1:
                await self._one_by_one(wire, emit)
            else:
                await self._several(wire, emit)
        finally:
            self._wire = None
            wire.close()

    async def write_item(self, item: str, value: bool | int | float | str) -> Written:
        """See device_drivers.contract.Writes."""
        point = next((point for point in self._options.placed() if point.name == item), None)
        if point is None:
            raise NotWritten(f"This device has no point {item!r}.")
        plan = plan_write(point, value, of_a_line=self._options.of_a_line)
        async with self._writing:  # nobody else writes before it is read back
            wire = self._wire
            if wire is None or not self._online or self._broken:
                raise NotWritten(f"{self._options.where} is not connected.")
            await self._clear_doubts(wire, plan)
            await self._write(wire, plan)
            answer, believed, _ = await self._ask(wire, plan.after)
            if isinstance(answer, bytes) and believed:
                return plan.found(answer)
        raise BadReply(f"The device confirmed the write of {item}, and could then not be read.")

    async def _clear_doubts(self, wire: Wire, plan: Plan) -> None:
        """A unit whose answers are not believed is not written to. Raises NotWritten."""
        unit = plan.after.unit
        block = next(block for block in self._fields if block.unit == unit)
        if self._line.skips(unit, self._clock.monotonic()):
            raise NotWritten(f"Unit {unit} does not answer; it is left out for a while.")
        while doubts := self._line.doubts(unit):
            await self._ask(wire, block)
            if self._line.doubts(unit) >= doubts:
                raise NotWritten(f"Unit {unit} answers too late to be believed. Try again when it has values.")

    async def _write(self, wire: Wire, plan: Plan) -> None:
        """Have it confirmed. Raises NotWritten, or another DeviceError when nobody knows."""
        for request in plan.tries:
            answer, believed, _ = await self._ask(wire, request)
            if not (isinstance(answer, Refusal) and may_try_next(answer)):
                break
        if isinstance(answer, bytes) and believed:
            return
        if isinstance(answer, Refusal) and (words := why_not(plan.point, answer)):
            raise NotWritten(words)
        raise self._why(request, answer)

    async def read_now(self) -> tuple[PointRead, ...]:
        """See device_drivers.contract.Reads. A dead unit is asked as well: somebody may just have mended it."""
        if (wire := self._wire) is None:
            raise Unreachable(f"{self._options.where} is not connected now.")
        factors = frozenset(point.scale_from for point in self._options.points if point.scale_from)
        round, values, answered = Round(factors), list[DataValue](), list[tuple[Block, Answer, bool, float | None]]()
        for block in self._schedule.blocks:
            answer, believed, asked_at = await self._read(wire, block)
            known = self._fields[block]
            if believed and isinstance(answer, bytes):
                found = round.take(known, answer, asked_at)
            else:
                found = round.miss(known, asked_at)
            values += [value for each in found for value in each]
            answered.append((block, answer, believed, None if isinstance(answer, Failure) else self.round_trip))
        told = [
            read for block, answer, believed, took in answered
            for read in reads(block, answer, believed, values, took)
        ]  # fmt: skip
        order = {point.name: at for at, point in enumerate(self._options.points)}
        return tuple(sorted(told, key=lambda read: order[read.item]))

    async def _one_by_one(self, wire: Wire, emit: Emit) -> None:
        while True:
            job = self._schedule.take(self._clock.monotonic())
            if job is None:
                await self._clock.sleep_until(self._schedule.due())
            else:
                await self._poll(wire, job, emit)

    async def _several(self, wire: Wire, emit: Emit) -> None:
        """As many requests on their way as the device takes; the first that fails for good ends all."""
        flying: set[asyncio.Task[None]] = set()
        try:
            while True:
                while len(flying) < self._options.max_in_flight:
                    if not (job := self._schedule.take(self._clock.monotonic())):
                        break
                    flying.add(asyncio.create_task(self._poll(wire, job, emit)))
                due = self._schedule.due()
                alarm = [asyncio.create_task(self._clock.sleep_until(due))] if math.isfinite(due) else []
                try:
                    done, _ = await asyncio.wait([*flying, *alarm], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    await _end(alarm)
                for task in flying & done:
                    flying.remove(task)
                    task.result()
        finally:
            await _end(flying)

    async def _poll(self, wire: Wire, job: Job, emit: Emit) -> None:
        """Read a block, or leave it out for a dead unit; emit what comes of it."""
        try:
            if self._broken:  # found out by a write
                raise self._broken
            if self._line.skips(job.block.unit, self._clock.monotonic()):
                self._schedule.drop(job.block.unit)
                return
            answer, believed, asked_at = await self._read(wire, job.block)
        finally:
            self._schedule.done(job)
        self._take_back(emit)  # first: what was just read is newer than the doubt
        known = self._fields[job.block]
        if believed and isinstance(answer, bytes):
            found = job.round.take(known, answer, asked_at)
        else:
            found = job.round.miss(known, asked_at)
        if not self._online:
            self._early += found
            if isinstance(answer, Failure):
                return
            self._online = True
            emit(Online(identity="", rhythm=self._rhythm))
            found, self._early = self._early, []
        for value in found:
            emit(value)
        self._after(job, answer, emit)

    async def _read(self, wire: Wire, block: Block) -> tuple[Answer, bool, datetime]:
        """The answer for a block, whether it is believed, and the moment of its request.

        A unit in doubt is asked for its clean polls first, as long as they clear the doubts.
        """
        while True:
            doubts = self._line.doubts(block.unit)
            found = await self._ask(wire, block)
            if self._line.doubts(block.unit) >= doubts:
                return found

    async def _ask(self, wire: Wire, what: Block | Asked) -> tuple[Answer, bool, datetime]:
        """One request when its turn has come: the answer, whether it is believed, the moment of the request."""
        async with self._turn:
            quiet = max(self._quiet_until, self._line.quiet_until)
            if quiet > self._clock.monotonic():
                await self._clock.sleep_until(quiet)
            asked = self._line.request(what) if isinstance(what, Block) else what
            asked_at, began = self._clock.now(), self._clock.monotonic()
            answer = await wire.ask(asked, self._options.timeout)
            now = self._clock.monotonic()
            self._quiet_until = now + self._options.gap
            if not isinstance(answer, Failure):
                self.round_trip = now - began
            return answer, self._judge(asked, answer), asked_at

    def _judge(self, request: Asked, answer: Answer) -> bool:
        """Tell the line what came; whether it is believed. Raises DeviceError when no unit is left."""
        now = self._clock.monotonic()
        match answer:
            case bytes():
                return self._line.answered(request)
            case Refusal():
                self._line.refused(request, answer, now)
            case Failure():
                self._line.failed(request, answer, now)
        if self._line.lost:
            self._broken = self._why(request, answer)
            raise self._broken
        return False

    def _take_back(self, emit: Emit) -> None:
        """The values of units that came into doubt are not believed any more."""
        doubted, self._line.doubted = self._line.doubted, set()
        for unit in doubted:
            self._schedule.drop(unit)
            for value in self._points_of(unit):
                if self._online:
                    emit(value)
                else:
                    self._early.append(value)

    def _after(self, job: Job, answer: Answer, emit: Emit) -> None:
        """What an answer means for others: blocks to be split, words for people."""
        if isinstance(answer, Refusal) and answer.code == _ILLEGAL_ADDRESS and len(job.block.points) > 1:
            parts = split(job.block)
            self._fields.update({part: fields(part) for part in parts})
            self._schedule.replace(job.block, parts)
        now = self._clock.monotonic()
        if isinstance(answer, bytes) and now < self._look_at:
            return  # all is well with this one, and the others were just looked at
        self._look_at = now + _LOOK
        words = self._told.news(self._schedule.late(), self._line.dead)
        if words is not None:
            emit(Notice(words))

    @property
    def _rhythm(self) -> float:
        """Seconds between two values of whatever is read least often, when every answer is late.

        Not of the most often: its unit may be dead, and left out, while the others are as good as ever.
        """
        said = self._options
        paces = (said.groups[point.group] if point.group else said.interval for point in said.points)
        return max(paces) + said.timeout

    def _points_of(self, unit: int) -> Iterable[DataValues]:
        names = [point.name for point in self._options.placed() if point.unit == unit]
        return bad(names, self._clock.now())

    def _why(self, request: Asked, answer: Answer) -> DeviceError:
        """Why the device is lost, in words."""
        where, unit = self._options.where, request.unit
        match answer:
            case Refusal(code) if code in GATEWAY:
                return Unreachable(
                    f"The gateway at {where} answers, but not unit {unit} behind it. "
                    "Check the unit number and the bus cable."
                )
            case Failure("odd", words):
                return BadReply(
                    f"{where} does not answer what it is asked: {words}. "
                    "Is it a Modbus device, and this its unit number?"
                )
            case _:
                return TimedOut(
                    f"{where} does not answer within {self._options.timeout:g} s "
                    f"(unit {unit}, function {request.function}, address {request.address})."
                )


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they are gone; how they end is of no interest any more."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.gather(*tasks, return_exceptions=True)
