"""What flows between the parts of the agent: scans to terminals, values to machines, facts to relays."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.equipment import Equipment
from edge_agent.events import (
    DeviceChanged,
    FactsRecorded,
    MachineChanged,
    PlansChanged,
    ScanArrived,
    StatusChanged,
    ValueArrived,
)  # fmt: skip
from edge_agent.store import Store, StoreError
from edge_agent.store.outbox import JournalOutbox
from edge_agent.terminals import Terminals, UnknownTerminal
from edge_agent.views import EquipmentStatus, Input
from sync.contract import Fact, Receipt

_log = logging.getLogger(__name__)


class Machines:
    """The machines of the site file, each fed by the values of its device."""

    def __init__(self, machines: Sequence[Equipment]) -> None:
        self._machines = {machine.id: machine for machine in machines}

    def take(self, arrived: ValueArrived) -> list[str]:
        """One value; the ids of the machines that may look different now."""
        fed = (machine for machine in self._machines.values() if machine.device == arrived.device)
        return [machine.id for machine in fed if machine.take(arrived.value)]

    def status_of(self, id: str) -> EquipmentStatus | None:
        """One machine now; None when there is none of that id."""
        machine = self._machines.get(id)
        return machine.status() if machine else None

    def statuses(self) -> tuple[EquipmentStatus, ...]:
        """All machines now, in the order of the site file."""
        return tuple(machine.status() for machine in self._machines.values())


class ToldOutbox:
    """The outbox of one connector (`sync.ports.Outbox`), which tells the bus what became of its facts."""

    def __init__(self, store: Store, connector: str, clock: Clock, bus: Bus) -> None:
        self._outbox = JournalOutbox(store, connector, clock)
        self._bus = bus

    async def listen(self) -> None:
        """Wake the relay whenever facts were committed; until cancelled."""
        with self._bus.subscribe(FactsRecorded, coalesce=lambda event: "recorded") as events:
            async for _ in events:
                self._outbox.notify()
                self._bus.publish(StatusChanged())

    async def pending(self, limit: int) -> Sequence[Fact]:
        """As JournalOutbox."""
        return await self._outbox.pending(limit)

    async def settle(self, receipts: Sequence[Receipt]) -> None:
        """As JournalOutbox; the ticks on the terminals follow."""
        await self._outbox.settle(receipts)
        self._bus.publish(StatusChanged())

    async def wait(self) -> None:
        """As JournalOutbox."""
        await self._outbox.wait()


async def pump_machines(bus: Bus, machines: Machines) -> None:
    """Values of devices into machines; until cancelled."""

    def newest(event: object) -> tuple[str, str] | None:
        return (event.device, event.value.item) if isinstance(event, ValueArrived) else None

    with bus.subscribe(ValueArrived, DeviceChanged, coalesce=newest, limit=100_000) as events:
        async for event in events:
            changed = machines.take(event) if isinstance(event, ValueArrived) else []
            for id in changed:
                bus.publish(MachineChanged(id))
            if changed or isinstance(event, DeviceChanged):
                bus.publish(StatusChanged())


async def pump_scans(bus: Bus, terminals: Terminals) -> None:
    """Scans of serial scanners to the terminals they belong to; until cancelled."""
    with bus.subscribe(ScanArrived, limit=10_000) as events:
        async for event in events:
            given = Input(event.scan.id, "scan", event.scan.raw.decode("latin-1"))
            try:
                await terminals.handle(event.terminal, given, event.scan.received_at)
            except StoreError as error:
                told = {"terminal": event.terminal, "kind": error.kind, "what": str(error)}
                _log.error("scan.not_saved", extra=told)
                terminals.tell_not_saved(event.terminal, error)
            except UnknownTerminal:
                _log.error("scan.no_terminal", extra={"scanner": event.scanner, "terminal": event.terminal})


async def pump_refreshes(bus: Bus, terminals: Terminals) -> None:
    """Draw terminals anew when plans or their machine changed; until cancelled."""

    def once(event: object) -> str:
        return event.id if isinstance(event, MachineChanged) else ""

    with bus.subscribe(PlansChanged, MachineChanged, coalesce=once) as events:
        async for event in events:
            await terminals.refresh(event.id if isinstance(event, MachineChanged) else None)
