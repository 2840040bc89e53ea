"""What flows between the parts of the agent: scans to terminals, values to machines, facts to relays."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from device_drivers.contract import DataValues
from edge_agent.bookkeeping import Bookkeeper
from edge_agent.bus import Bus, Overflow, Subscription
from edge_agent.clock import Clock
from edge_agent.events import (
    DeviceChanged,
    FactsRecorded,
    MachineChanged,
    PlansChanged,
    ReceiptsKept,
    ScanArrived,
    StatusChanged,
    ValuesArrived,
)  # fmt: skip
from edge_agent.machines.equipment import Equipment
from edge_agent.store import Store, StoreError
from edge_agent.store.errors import Unsound
from edge_agent.store.outbox import JournalOutbox
from edge_agent.supervisor import Supervisor
from edge_agent.terminals.inputs import Terminals, UnknownTerminal
from edge_agent.views import Input
from edge_agent.views.status import EquipmentStatus, ItemValue
from sync.contract import Fact, Receipt
from sync.ports import Withheld

_log = logging.getLogger(__name__)

_MINUTE = 60.0
_WAITING = 10_000  # reads that wait for the machines; more are missed

Items = Callable[[str], Mapping[str, ItemValue]]  # what a device gave so far


class Machines:
    """The machines of the site file, each fed by the values of its device, and their books."""

    def __init__(self, machines: Sequence[Equipment], books: Bookkeeper | None = None) -> None:
        self._machines = {machine.id: machine for machine in machines}
        self._fed = [(machine, machine.feeds) for machine in machines]
        self._devices = frozenset(machine.device for machine in machines)
        self._books = books

    def wants(self, event: object) -> bool:
        """Whether the event is more than values that no machine is made of."""
        return not isinstance(event, ValuesArrived) or event.device in self._devices

    def take(self, arrived: ValuesArrived) -> list[str]:
        """Some values; the ids of the machines that may look different now."""
        fed = [(machine, feeds) for machine, feeds in self._fed if machine.device == arrived.device]
        return [machine.id for machine, feeds in fed if self._feed(machine, feeds, arrived.values)]

    def catch_up(self, items: Items, now: datetime) -> list[str]:
        """What the devices know and the machines do not, because nobody listened; the ids as of `take`."""
        news = dict.fromkeys(
            machine.id for machine, feeds in self._fed if machine.device
            for item in tuple(items(machine.device).values())
            if (value := machine.behind(item, now)) and self._feed(machine, feeds, DataValues.of(value))
        )  # fmt: skip
        return list(news)

    def _feed(self, machine: Equipment, feeds: frozenset[str], values: DataValues) -> bool:
        news = False
        if feeds.isdisjoint(values.items):
            return news
        for value in values:
            if value.item in feeds:
                news = machine.take(value) or news
                if self._books is not None:
                    self._books.observe(machine, value)
        return news

    def status_of(self, id: str) -> EquipmentStatus | None:
        """One machine now; None when there is none of that id."""
        machine = self._machines.get(id)
        return self._told(machine) if machine else None

    def statuses(self) -> tuple[EquipmentStatus, ...]:
        """All machines now, in the order of the site file."""
        return tuple(self._told(machine) for machine in self._machines.values())

    def _told(self, machine: Equipment) -> EquipmentStatus:
        status = machine.status()
        if self._books is None:
            return status
        tally = self._books.tally(machine.id)
        return msgspec.structs.replace(status, counted=tally.counted, unattributed=tally.unattributed)


class ToldOutbox:
    """The outbox of one connector (`sync.ports.Outbox`), which tells the bus what became of its facts."""

    def __init__(self, store: Store, connector: str, clock: Clock, bus: Bus) -> None:
        self._outbox = JournalOutbox(store, connector, clock)
        self._store = store
        self._bus = bus

    async def listen(self) -> None:
        """Wake the relay whenever facts were committed; until cancelled."""
        with self._bus.subscribe(FactsRecorded, coalesce=lambda event: "recorded") as events:
            self._outbox.notify()  # what was committed while nobody listened
            async for _ in events:
                self._outbox.notify()
                self._bus.publish(StatusChanged())

    def notify(self) -> None:
        """As JournalOutbox."""
        self._outbox.notify()

    async def pending(self, limit: int, without: Sequence[str] = ()) -> Sequence[Fact]:
        """As JournalOutbox; Withheld while the journal is known to be damaged."""
        return await self._sound(self._outbox.pending(limit, without))

    async def unclear(self) -> Sequence[Fact]:
        """As JournalOutbox; Withheld as for `pending`."""
        return await self._sound(self._outbox.unclear())

    async def _sound(self, facts: Coroutine[Any, Any, Sequence[Fact]]) -> Sequence[Fact]:
        """Facts that are what was written. A damaged journal is mended at the next start: until then nothing of it
        goes to an ERP, which would book it for ever."""
        try:
            found = await facts
        except Unsound as error:
            await self._store.believe(str(error))
            self._bus.publish(StatusChanged())
            found = ()
        if self._store.damage:
            raise Withheld(f"Nothing is sent until the database is mended: {self._store.damage}")
        return found

    async def settle(self, receipts: Sequence[Receipt]) -> None:
        """As JournalOutbox; the ticks on the terminals follow."""
        await self._outbox.settle(receipts)
        self._bus.publish(StatusChanged())
        self._bus.publish(ReceiptsKept())

    async def wait(self) -> None:
        """As JournalOutbox."""
        await self._outbox.wait()


class Pumps:
    """The long tasks that carry events to machines and terminals; `run` until cancelled.

    What one event does wrong hurts nobody else: its machine or its terminal is told apart, the rest
    goes on. A pump that fails as a whole is started again.
    """

    def __init__(
        self, bus: Bus, machines: Machines, terminals: Terminals, supervisor: Supervisor, clock: Clock | None = None,
        items: Items | None = None,
    ) -> None:  # fmt: skip
        """Without a clock no page grows old by itself; without `items` nobody can tell machines what they missed."""
        self._bus = bus
        self._machines = machines
        self._terminals = terminals
        self._supervisor = supervisor
        self._clock = clock
        self._items = items

    async def run(self) -> None:
        """All of them."""
        async with asyncio.TaskGroup() as group:
            for name, pump in (
                ("machines", self._pump_machines),
                ("scans", self._pump_scans),
                ("refreshes", self._pump_refreshes),
            ):
                group.create_task(self._supervisor.keep(name, pump))
            if self._clock is not None:
                minutes = functools.partial(self._pump_minutes, self._clock)
                group.create_task(self._supervisor.keep("minutes", minutes))

    async def _pump_minutes(self, clock: Clock) -> None:
        """The pages of machines, which go up to the last minute."""
        while True:
            await clock.sleep_until(clock.monotonic() + _MINUTE)
            await self._refresh(self._terminals.on_machines())
            self._supervisor.alive("minutes")

    async def _pump_machines(self) -> None:
        """Values of devices into machines; first those that came while nobody listened, or too many waited."""
        while True:
            subscription: Subscription[ValuesArrived | DeviceChanged] = self._bus.subscribe(
                ValuesArrived, DeviceChanged, wanted=self._machines.wants, limit=_WAITING
            )
            with subscription as events:
                await self._supervisor.attempt("machines", self._catch_up)
                try:
                    await self._take_all(events)
                except Overflow:
                    _log.warning("machines.missed_values", extra={"limit": _WAITING})

    async def _take_all(self, events: Subscription[ValuesArrived | DeviceChanged]) -> None:
        """Raises Overflow once events were missed."""
        async for event in events:
            if isinstance(event, ValuesArrived):
                name = f"value of {event.device}"
                await self._supervisor.attempt(name, functools.partial(self._take_values, event))
            else:
                self._bus.publish(StatusChanged())
            self._supervisor.alive("machines")

    async def _catch_up(self) -> None:
        """Without a pause: no event that waits is older than what the devices know now."""
        if self._items is not None and self._clock is not None:
            for id in self._machines.catch_up(self._items, self._clock.now()):
                self._bus.publish(MachineChanged(id))

    async def _take_values(self, event: ValuesArrived) -> None:
        for id in self._machines.take(event):
            self._bus.publish(MachineChanged(id))

    async def _pump_scans(self) -> None:
        """Scans of serial scanners to the terminals they belong to."""
        with self._bus.subscribe(ScanArrived, limit=10_000) as events:
            async for event in events:
                name = f"scan at {event.terminal}"
                if not await self._supervisor.attempt(name, functools.partial(self._take_scan, event)):
                    self._terminals.tell_not_saved(event.terminal, "agent.internal")
                self._supervisor.alive("scans")

    async def _take_scan(self, event: ScanArrived) -> None:
        given = Input(event.scan.id, "scan", event.scan.raw.decode("latin-1"))
        try:
            made_at = event.scan.received_at - timedelta(seconds=event.scan.waited)
            await self._terminals.handle(event.terminal, given, made_at)
        except StoreError as error:
            told = {"terminal": event.terminal, "kind": error.kind, "what": str(error)}
            _log.error("scan.not_saved", extra=told)
            self._terminals.tell_not_saved(event.terminal, "store.not_saved", what=str(error))
        except UnknownTerminal:
            _log.error("scan.no_terminal", extra={"scanner": event.scanner, "terminal": event.terminal})

    async def _pump_refreshes(self) -> None:
        """Draw terminals anew when plans, their machine or the progress of a job changed."""
        subscription = self._bus.subscribe(
            PlansChanged, MachineChanged, FactsRecorded, ReceiptsKept, coalesce=_same_refresh
        )
        with subscription as events:
            await self._refresh(self._terminals.drawn())  # what changed while nobody listened
            async for event in events:
                await self._refresh(self._touched(event))
                self._supervisor.alive("refreshes")

    def _touched(self, event: object) -> Sequence[str]:
        """The terminals that may look different after it."""
        match event:
            case MachineChanged(id):
                return self._terminals.drawn(id)
            case FactsRecorded(jobs=jobs, terminal=shown):
                return [each for each in self._terminals.drawn() if jobs and each != shown]
            case ReceiptsKept():
                return self._terminals.on_exceptions()
            case _:
                return self._terminals.drawn()

    async def _refresh(self, terminals: Sequence[str]) -> None:
        for terminal in terminals:
            name = f"view of {terminal}"
            if not await self._supervisor.attempt(name, functools.partial(self._redraw, terminal)):
                self._terminals.tell_not_drawn(terminal)

    async def _redraw(self, terminal: str) -> None:
        try:
            await self._terminals.refresh(terminal)
        except StoreError as error:
            if self._terminals.tell_not_drawn(terminal):
                told = {"terminal": terminal, "kind": error.kind, "what": str(error)}
                _log.error("view.not_drawn", extra=told)


def _same_refresh(event: object) -> str:
    """What makes the same terminals be drawn anew: a machine its own, facts all but one, or none at all."""
    match event:
        case MachineChanged(id):
            return f"machine {id}"
        case FactsRecorded(jobs=jobs, terminal=shown):
            return f"all but {shown}" if jobs else "nothing"
        case ReceiptsKept():
            return "receipts"
        case _:
            return "all"
