"""The Modbus driver: polls the units of one line at a steady pace."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from device_drivers.contract import (
    BadReply,
    Clock,
    DataValues,
    DeviceError,
    Emit,
    Notice,
    NotWritten,
    Online,
    PointRead,
    StatusCode,
    Unreachable,
    Written,
)
from device_drivers.modbus.blocks import Block, plan, split
from device_drivers.modbus.connecting import connect
from device_drivers.modbus.frames import Answer, Asked, Failure, Refusal
from device_drivers.modbus.line import GATEWAY, STUBBORN, Line, Turn
from device_drivers.modbus.notices import ECHO, Told, why_lost, without_value
from device_drivers.modbus.options import Options
from device_drivers.modbus.reading import Reading
from device_drivers.modbus.refused import Refused
from device_drivers.modbus.rounds import Job, Schedule
from device_drivers.modbus.slowest import Slowest
from device_drivers.modbus.values import Fields, bad, fields
from device_drivers.modbus.wire import Wire
from device_drivers.modbus.writing import Plan, may_try_next, plan_write, why_not

_LOOK = 1.0  # seconds between two looks at paces and dead units while answers are good


class Driver:
    """One connection. A block that a unit refuses, or does not answer, makes its points bad and nothing else.

    A unit that answers nothing, or something else than was asked, makes its points bad; when no unit is left
    that answers, the driver ends. `Line` decides whose answers are believed, and what is asked.
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
        self._frequent = frozenset(
            unit for unit, pace in self._schedule.paces().items() if pace <= options.retry_dead_unit
        )
        self._refused = Refused()
        self._told = Told(options.retry_dead_unit)
        self._slowest = Slowest(options.timeout)
        self._wire: Wire | None = None
        self._broken: DeviceError | None = None  # why no unit is left that answers
        # Who waits first is first: a write waits for the requests on their way, never for the polls behind.
        self._turn = asyncio.Semaphore(options.max_in_flight)
        self._writing = asyncio.Lock()
        self._look_at = now
        self._quiet_until = now
        self._online = False
        self._giving: set[Block] = set()  # whose last read gave a good value
        self._told_online: Online | None = None
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
        raise why_lost(self._options, request, answer)

    async def read_now(self, within: float) -> tuple[PointRead, ...]:
        """See device_drivers.contract.Reads."""
        if (wire := self._wire) is None:
            raise Unreachable(f"{self._options.where} is not connected now.")
        factors = frozenset(point.scale_from for point in self._options.points if point.scale_from)
        reading = Reading(self._schedule.blocks, self._line.dead, factors, self._line.aside)
        try:
            async with asyncio.timeout(within):
                while block := reading.next():
                    answer, believed, asked_at = await self._read(wire, block)
                    reading.take(answer, believed, asked_at, self.round_trip)
        except TimeoutError:
            reading.give_up(f"Not read: the {within:g} s for it were over.")
        told = {read.item: read for read in reading.told()}
        return tuple(told[point.name] for point in self._options.points)

    async def _one_by_one(self, wire: Wire, emit: Emit) -> None:
        while True:
            job = self._schedule.take(self._clock.monotonic(), self._line.gated)
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
                    if not (job := self._schedule.take(self._clock.monotonic(), self._line.gated)):
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
        """Read a block, or leave out what is not to be asked now; emit what comes of it."""
        block = job.block
        try:
            if self._broken:  # found out by a write
                raise self._broken
            turn = self._line.turn(block, self._clock.monotonic())
            if turn is Turn.LEAVE:
                answer, believed, asked_at = self._leave(job)
                if answer is None:
                    return
            else:
                answer, believed, asked_at = await self._read_or_probe(wire, job, turn)
        finally:
            if self._schedule.done(job):
                self._line.probes.round_of(block.unit, job.course.begun[-1])
        self._take_back(emit)  # first: what was just read is newer than the doubt
        known = self._fields[block]
        if believed and isinstance(answer, bytes):
            found = job.round.take(known, answer, asked_at)
        else:
            found = job.round.miss(known, asked_at)
        self._note(block, found)
        if not self._online:
            self._early += found
            if isinstance(answer, Failure):
                return
            self._online = True
            self._tell_online(emit)
            found, self._early = self._early, []
        else:
            self._tell_online(emit)
        for value in found:
            emit(value)
        self._after(job, answer, emit)

    def _leave(self, job: Job) -> tuple[Answer | None, bool, datetime]:
        """A block that is set aside has no value in this round; a unit that is dead has no round (None)."""
        if job.block in self._line.aside and job.block.unit not in self._line.gated:
            return Failure("silent"), False, self._clock.now()
        self._schedule.drop(job.block.unit)
        return None, False, self._clock.now()

    async def _read_or_probe(self, wire: Wire, job: Job, turn: Turn) -> tuple[Answer, bool, datetime]:
        """The answer for a block. When there is none, ask for another one, to know what it is that is silent."""
        block, line, began = job.block, self._line, self._clock.monotonic()
        gated = block.unit in line.gated
        line.probes.flying = line.probes.flying or turn is Turn.PROBE
        try:
            answer, believed, asked_at = await self._read(wire, block)
            if not _unanswered(answer):
                return answer, believed, asked_at
            witness = None if gated else line.witness(block)
            if witness and not _unanswered((await self._read(wire, witness))[0]):
                if line.set_aside(block, self._clock.monotonic()) >= STUBBORN:
                    self._split(block)
            if block.unit in line.gated:
                self._schedule.another_first(job)
                self._schedule.drop(block.unit)
            free_at = max(self._clock.monotonic(), line.quiet_until)
            line.probes.failed(began, free_at, self._frequent.intersection(line.living))
        finally:
            if turn is Turn.PROBE:
                line.probes.flying = False
        return answer, believed, asked_at

    def _split(self, block: Block) -> None:
        """Read a block in parts from its next round on."""
        if len(block.points) > 1:
            parts = split(block)
            self._fields.update({part: fields(part) for part in parts})
            self._schedule.replace(block, parts)
            self._line.split(block, parts, self._clock.monotonic())

    def _note(self, block: Block, found: Collection[DataValues]) -> None:
        """Whether a block gives values now; one whose values wait for their factor says nothing."""
        if any(each.status is StatusCode.GOOD for each in found):
            self._giving.add(block)
        elif found:
            self._giving.discard(block)

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
            block = what if isinstance(what, Block) else None
            asked_at, began = self._clock.now(), self._clock.monotonic()
            try:
                answer = await wire.ask(asked, self._options.timeout)
            except asyncio.CancelledError:  # of whoever asked; the line goes on, and the answer may still come
                self._line.abandoned(asked, self._clock.monotonic())
                raise
            now = self._clock.monotonic()
            self._quiet_until = now + self._options.gap
            if not isinstance(answer, Failure):
                self.round_trip = now - began
                if not (isinstance(answer, Refusal) and answer.code in GATEWAY):  # else it waited for a dead unit
                    self._slowest.took(self.round_trip, now)
            return answer, self._judge(asked, answer, block), asked_at

    def _judge(self, request: Asked, answer: Answer, block: Block | None) -> bool:
        """Tell the line what came; whether it is believed. Raises DeviceError when no unit is left."""
        now = self._clock.monotonic()
        match answer:
            case bytes():
                return self._line.answered(request, block)
            case Refusal():
                self._line.refused(request, answer, now, block)
            case Failure():
                self._line.failed(request, answer, now, block)
        if self._line.lost or (self._wire is not None and self._wire.torn):
            self._broken = why_lost(self._options, request, answer)
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
        now = self._clock.monotonic()
        if isinstance(answer, Refusal) and answer.code not in GATEWAY:
            if self._refused.take(job.block, answer.code, now):
                self._split(job.block)
        elif self._refused:
            self._refused.right(job.block)
        if isinstance(answer, bytes) and now < self._look_at:
            return  # all is well with this one, and the others were just looked at
        self._look_at = now + _LOOK
        words = self._told.news(self._schedule.late(), self._line.dead, tuple(self._wrong(now)))
        if words is not None:
            emit(Notice(words))

    def _wrong(self, now: float) -> Iterator[str]:
        """Sentences about what has no value though its unit answers, and about the line."""
        alive = (block for block in self._line.aside if block.unit not in self._line.gated)
        yield from without_value(self._options, self._refused.lasting(now), alive)
        if self._wire is not None and self._wire.echoes:
            yield ECHO

    def _tell_online(self, emit: Emit) -> None:
        """That it is online; again when another block has become the most frequent that gives values, or `timeout`
        turns out to be too short.
        """
        warning = self._slowest.warning(self._clock.monotonic())
        online = Online("", (warning,) if warning else (), self._rhythm())
        if online != self._told_online:
            self._told_online = online
            emit(online)

    def _rhythm(self) -> float:
        """Seconds between two good values, when every answer is late: of the most frequent blocks that give such.

        Not of those that are refused, hold no value, or are of a dead unit: others may be as good as ever.
        Where nothing gives a value, of the most frequent that could.
        """
        said, dead = self._options, self._line.dead
        alive = [block for block in self._schedule.blocks if block.unit not in dead]
        counted = self._giving.intersection(alive) or alive
        paces = (said.groups[block.group] if block.group else said.interval for block in counted)
        return min(paces, default=said.interval) + said.timeout

    def _points_of(self, unit: int) -> Iterable[DataValues]:
        names = [point.name for point in self._options.placed() if point.unit == unit]
        return bad(names, self._clock.now())


def _unanswered(answer: Answer) -> bool:
    """Whether nobody gave an answer to what was asked."""
    return isinstance(answer, Failure) or (isinstance(answer, Refusal) and answer.code in GATEWAY)


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they are gone; how they end is of no interest any more."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.gather(*tasks, return_exceptions=True)
