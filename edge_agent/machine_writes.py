"""The edge of the write gate: the only way by which a machine is ever given a value.

    who asks, and by which rule -> judged, and the fact committed -> the driver writes and reads back
                                -> what came of it is committed -> the answer

The intent is in the journal before a byte goes out. When the agent dies in between, the intent without an
end stays, and the next start ends it as doubtful: somebody has to look at the machine.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

import msgspec

from device_drivers.contract import DeviceError, NotWritten, Value
from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.devices.kept_alive import Devices
from edge_agent.events import FactsRecorded
from edge_agent.machines.write_gate import Allowed, Refused, Rule, Wanted, judge, same, shown
from edge_agent.store import Connection, Entry, Store, StoreError
from edge_agent.store import writes as pages
from edge_agent.terminals.steps import signed_on
from edge_agent.views.status import ItemValue
from edge_agent.views.write_orders import WriteAnswer, WriteOrder
from sync.contract import Fact
from sync.machine_facts import MachineWriteFinished, MachineWriteRefused, MachineWriteRequested

Outcome = Literal["written", "differs", "not_written", "doubtful"]

_NEVER_READ = ItemValue(name="", value=None, status="Bad", source_time=None)
_LOOK = "Look at the machine."


@dataclass(frozen=True, slots=True)
class _Touched:
    """An item that was given a value: how it was last read before, since when, and what it has by what came of it."""

    before: ItemValue
    began: datetime
    now: ItemValue

    def newest(self, read: ItemValue) -> ItemValue:
        """What the item has: as read, where it was read after the write; else by what came of the write."""
        again = read.source_time is not None and read.source_time >= self.began
        return read if read != self.before and (again or read.value != self.before.value) else self.now


@dataclass(frozen=True, slots=True)
class _Admitted:
    """A request that was let through, now or, not `new`, before; and its end if it is in the journal."""

    request: Fact
    ended: Fact | None = None
    new: bool = True


class MachineWrites:
    """Judges, records and carries out writes to machines. `open` it before the first request."""

    def __init__(self, rules: Iterable[Rule], store: Store, clock: Clock, bus: Bus, devices: Devices) -> None:
        self._rules = {(rule.device, rule.item): rule for rule in rules}
        self._store = store
        self._clock = clock
        self._bus = bus
        self._devices = devices
        self._history: defaultdict[tuple[str, str], list[float]] = defaultdict(list)  # monotonic readings
        self._flying: dict[str, asyncio.Task[WriteAnswer]] = {}  # by the id of the request
        self._touched: dict[tuple[str, str], _Touched] = {}  # until the item is read again
        self._admitting = asyncio.Lock()

    async def open(self) -> None:
        """End what was let through before the agent ended, as doubtful; remember the pace. Raises StoreError."""
        await self._store.write(self._take_over)

    async def ask(self, device: str, item: str, order: WriteOrder) -> WriteAnswer | Refused:
        """One write, for the person who is signed on at the terminal of the order; returns after its end.

        The same order again gets the same answer, and nothing is written again. Raises ValueError when its
        id is no UUID or the value not finite, StoreError (`conflict` when the id stands for something else already).
        """
        UUID(order.id)
        if isinstance(order.value, float) and not math.isfinite(order.value):
            raise ValueError(f"{order.value} is no number to work with")  # and none that JSON can hold
        wanted = Wanted(device, item, order.value)
        async with self._admitting:
            admitted = await self._store.write(self._admission(order, wanted))
            if isinstance(admitted, Refused):
                self._bus.publish(FactsRecorded(1))
                return admitted
            flying = self._flying.get(order.id)
            if flying is None:
                if not admitted.new:
                    return _answer(admitted.ended)
                self._bus.publish(FactsRecorded(1))
                flying = asyncio.create_task(self._carry_out(admitted.request, wanted), name="write")
                self._flying[order.id] = flying
                flying.add_done_callback(lambda _: self._flying.pop(order.id))
        return await asyncio.shield(flying)  # whoever asked may go away: the write and its record do not

    async def finish(self) -> None:
        """Wait for what is on its way; to be called when no more requests come."""
        await asyncio.gather(*self._flying.values(), return_exceptions=True)

    async def _carry_out(self, request: Fact, wanted: Wanted) -> WriteAnswer:
        """Write, and record what came of it, whatever it is."""
        self._touch(wanted)
        body = _finished(request, "doubtful", reason=f"The agent failed at it; its log says more. {_LOOK}")
        try:
            body = await self._sent(request, wanted)
        finally:
            self._touch(wanted, body)
            try:
                ended = await self._store.write(lambda conn: self._end(conn, request, body))
            except StoreError as error:  # the next start ends it
                reason = f"{body.outcome}, and that could not be saved: {error} {_LOOK}"
                answer = WriteAnswer(outcome="doubtful", read_back=body.read_back, reason=reason)
            else:
                answer = _answer(ended)
        self._bus.publish(FactsRecorded(1))
        return answer

    def _touch(self, wanted: Wanted, body: MachineWriteFinished | None = None) -> None:
        """The item has another value from now on (None: nobody knows yet), until it is read again."""
        where, now = (wanted.device, wanted.item), self._clock.now()
        read, old = self._devices.last(*where) or _NEVER_READ, self._last(*where)
        if body is not None and body.outcome == "not_written":
            self._touched.pop(where, None)
            return
        if body is not None and body.read_back is not None:
            new = msgspec.structs.replace(old, name=wanted.item, value=body.read_back, status="Good", source_time=now)
        else:
            new = msgspec.structs.replace(old, status="Bad" if old.status == "Bad" else "Uncertain")
        self._touched[where] = _Touched(read, now, new)

    def _last(self, device: str, item: str) -> ItemValue:
        """What an item has, as far as anybody here knows."""
        read = self._devices.last(device, item) or _NEVER_READ
        touched = self._touched.get((device, item))
        return read if touched is None else touched.newest(read)

    async def _sent(self, request: Fact, wanted: Wanted) -> MachineWriteFinished:
        try:
            written = await self._devices.write_item(wanted.device, wanted.item, wanted.value)
        except NotWritten as error:
            return _finished(request, "not_written", reason=str(error))
        except DeviceError as error:
            return _finished(request, "doubtful", reason=f"{error} {_LOOK}")
        if written.agrees:
            return _finished(request, "written", written.value)
        told = "nothing" if written.value is None else shown(written.value)
        reason = f"The device confirmed {shown(wanted.value)}, and then had {told}."
        return _finished(request, "differs", written.value, reason)

    def _admission(
        self, order: WriteOrder, wanted: Wanted
    ) -> Callable[[Connection], _Admitted | Refused]:
        """What judges an order inside a transaction, with the time and the last value of now."""
        now, reading = self._clock.now(), self._clock.monotonic()
        old = self._last(wanted.device, wanted.item)
        past = self._history[wanted.device, wanted.item]

        def admit(conn: Connection) -> _Admitted | Refused:
            if (known := pages.fact_of(conn, order.id)) is not None:
                return _known(conn, known, order, wanted)
            person = signed_on(conn, order.terminal)
            verdict = judge(self._rules, wanted, self._store.book.persons.get(person), past, reading)
            entry = Entry(order.id, _verdict(wanted, old, verdict))
            (fact,) = self._store.record(conn, [entry], now, order.terminal, person)
            if isinstance(verdict, Refused):
                return verdict
            past[:] = [at for at in past if reading - at < verdict.rule.within] + [reading]
            return _Admitted(fact)

        return admit

    def _take_over(self, conn: Connection) -> None:
        for fact in pages.unfinished(conn):
            reason = f"The agent ended before it knew. {_LOOK}"
            self._end(conn, fact, _finished(fact, "doubtful", reason=reason))
        now, reading = self._clock.now(), self._clock.monotonic()
        longest = max((rule.within for rule in self._rules.values()), default=0.0)
        for fact in pages.let_through(conn, now - timedelta(seconds=longest)):
            body = _requested(fact)
            # A clock that was set back makes no write younger than this start.
            age = max((now - fact.event_time).total_seconds(), 0.0)
            self._history[body.device, body.item].append(reading - age)

    def _end(self, conn: Connection, request: Fact, body: MachineWriteFinished) -> Fact:
        """Record what came of it, once, in the name of whoever asked."""
        entry = Entry(str(uuid5(UUID(request.id), "finished")), body)
        (fact,) = self._store.record(conn, [entry], self._clock.now(), request.terminal, request.person)
        return fact


def _verdict(
    wanted: Wanted, old: ItemValue, verdict: Allowed | Refused
) -> MachineWriteRequested | MachineWriteRefused:
    about = f"device/{wanted.device}"
    if isinstance(verdict, Refused):
        return MachineWriteRefused(
            about=about, device=wanted.device, item=wanted.item, value=wanted.value, code=verdict.code,
            reason=verdict.words,
        )  # fmt: skip
    return MachineWriteRequested(
        about=about, device=wanted.device, item=wanted.item, value=wanted.value, old=old.value,
        old_status=old.status, old_at=old.source_time,
    )  # fmt: skip


def _known(conn: Connection, fact: Fact, order: WriteOrder, wanted: Wanted) -> _Admitted | Refused:
    """What was made of the same order before. Raises StoreError when it was another one."""
    body = fact.body
    if isinstance(body, MachineWriteRequested | MachineWriteRefused) and fact.terminal == order.terminal:
        if (body.device, body.item) == (wanted.device, wanted.item) and same(body.value, wanted.value):
            if isinstance(body, MachineWriteRefused):
                return Refused("write.refused_before", body.reason, {"what": body.reason})
            return _Admitted(fact, pages.finish_of(conn, fact.id), new=False)
    raise StoreError("conflict", f"The id {order.id} already stands for something else: NOT WRITTEN.")


def _requested(fact: Fact) -> MachineWriteRequested:
    assert isinstance(fact.body, MachineWriteRequested)
    return fact.body


def _finished(
    request: Fact, outcome: Outcome, read_back: Value = None, reason: str = ""
) -> MachineWriteFinished:
    body = _requested(request)
    return MachineWriteFinished(
        about=body.about, request=request.id, device=body.device, item=body.item, value=body.value,
        outcome=outcome, read_back=read_back, reason=reason,
    )  # fmt: skip


def _answer(ended: Fact | None) -> WriteAnswer:
    """What whoever asked is told; None: it was let through, and its end could not be saved."""
    if ended is None:
        return WriteAnswer(outcome="doubtful", reason=f"What came of it could not be saved. {_LOOK}")
    body = ended.body
    assert isinstance(body, MachineWriteFinished)
    return WriteAnswer(outcome=body.outcome, read_back=body.read_back, reason=body.reason, seq=ended.seq)
