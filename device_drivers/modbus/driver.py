"""The Modbus driver: polls the units of one line at a steady pace."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterable
from datetime import datetime

from device_drivers.contract import (
    BadReply,
    Clock,
    DataValues,
    DeviceError,
    Emit,
    Notice,
    Online,
    TimedOut,
    Unreachable,
)
from device_drivers.modbus.blocks import Block, plan, split
from device_drivers.modbus.frames import Answer, Failure, Refusal, Request
from device_drivers.modbus.line import GATEWAY, Line
from device_drivers.modbus.notices import Told
from device_drivers.modbus.options import Options
from device_drivers.modbus.rounds import Job, Schedule
from device_drivers.modbus.values import Fields, bad, fields
from device_drivers.modbus.wire import Wire, connect

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
        self._look_at = now
        self._quiet_until = now
        self._online = False
        self._early: list[DataValues] = []  # bad ones from before the first answer

    async def run(self, emit: Emit) -> None:
        """Poll until cancelled; see device_drivers.contract.Driver."""
        wire = await connect(self._options, self._line.late)
        try:
            silence = self._options.timeout if self._options.of_a_line else 0.0
            self._quiet_until = self._clock.monotonic() + max(silence, self._options.pause_after_connect)
            if self._options.max_in_flight == 1:
                await self._one_by_one(wire, emit)
            else:
                await self._several(wire, emit)
        finally:
            wire.close()

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
            if self._line.skips(job.block.unit, self._clock.monotonic()):
                self._schedule.drop(job.block.unit)
                return
            answer, believed, asked_at = await self._read(wire, job.block)
        finally:
            self._schedule.done(job)
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
            quiet = max(self._quiet_until, self._line.quiet_until)
            if quiet > self._clock.monotonic():
                await self._clock.sleep_until(quiet)
            request, asked_at = self._line.request(block), self._clock.now()
            answer = await wire.ask(request, self._options.timeout)
            self._quiet_until = self._clock.monotonic() + self._options.gap
            believed = self._judge(request, answer)
            if self._line.doubts(block.unit) >= doubts:
                return answer, believed, asked_at

    def _judge(self, request: Request, answer: Answer) -> bool:
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
            raise self._why(request, answer)
        return False

    def _after(self, job: Job, answer: Answer, emit: Emit) -> None:
        """What an answer means for others: values to be taken back, blocks to be split, words for people."""
        if self._line.doubted:
            doubted, self._line.doubted = self._line.doubted, set()
            for unit in doubted:
                self._schedule.drop(unit)
                for value in self._points_of(unit):
                    emit(value)
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
        """Seconds between two values of whatever is read most often, when every answer is late."""
        said = self._options
        paces = (said.groups[point.group] if point.group else said.interval for point in said.points)
        return min(paces) + said.timeout

    def _points_of(self, unit: int) -> Iterable[DataValues]:
        names = [point.name for point in self._options.placed() if point.unit == unit]
        return bad(names, self._clock.now())

    def _why(self, request: Request, answer: Answer) -> DeviceError:
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
