"""Terminals, pumps and a real database in one process: for what can not be done to an agent from outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from device_drivers.contract import Scan
from edge_agent.bus import Bus, Subscription
from edge_agent.demo.plans import plans
from edge_agent.events import MachineChanged, ScanArrived, ViewMade
from edge_agent.pins import Pins
from edge_agent.planbook import PlanBook
from edge_agent.pumps import Machines, Pumps
from edge_agent.scanning.labels import label
from edge_agent.scenarios.contract import Policies, Station
from edge_agent.store import Store
from edge_agent.store.plans import PlanInbox
from edge_agent.supervisor import Supervisor
from edge_agent.terminals.inputs import Terminals
from edge_agent.views import Kind, View
from edge_agent.views.status import EquipmentStatus
from sync.contract import PlanPage
from tests.agent.person import an_input
from tests.support.manual_clock import ManualClock

STATIONS = {
    "T1": Station("T1", "Press 3, left", "PRESS-03"),
    "T2": Station("T2", "Press 3, right", "PRESS-03"),
    "T3": Station("T3", "Bench", "BENCH"),
}


class Hall:
    """`machines` are what the terminals are told of; an id in `broken` is a bug in whatever asks for it."""

    def __init__(
        self, folder: Path, store: Store, clock: ManualClock, bus: Bus, policies: Policies | None = None
    ) -> None:
        self.file = folder / "journal.db"
        self.store = store
        self.clock = clock
        self.bus = bus
        self.machines: dict[str, EquipmentStatus] = {}
        self.broken: set[str] = set()
        self.supervisor = Supervisor(clock, Random(1))
        policies = policies or Policies()
        self.pins = Pins(store, clock, bus, policies.pin)
        self.terminals = Terminals(
            store, clock, bus, STATIONS, policies, self._machine_of, pins=self.pins if policies.pin.roles else None
        )
        self.seen: list[View] = []
        self._views: Subscription[ViewMade] = bus.subscribe(ViewMade)

    def _machine_of(self, id: str) -> EquipmentStatus | None:
        if id in self.broken:
            raise KeyError(f"a bug at {id}")
        return self.machines.get(id)

    def count(self, count: int, id: str = "PRESS-03") -> None:
        """The machine makes a piece."""
        self.machines[id] = EquipmentStatus(
            id=id, name=id, state="EXECUTE", count=count, count_status="Good", counted=count
        )
        self.bus.publish(MachineChanged(id))

    def trigger(self, terminal: str, kind: Kind, id: str) -> None:
        """Somebody scans a label with the serial scanner of the terminal."""
        text = label(kind, id).encode()
        scan = Scan(self.clock.new_id(), text, self.clock.now())
        self.bus.publish(ScanArrived("scanner", terminal, scan))

    async def give(self, terminal: str, kind: str, data: str) -> View:
        """One input."""
        return await self.terminals.handle(terminal, an_input(kind, data))  # type: ignore[arg-type]

    async def work_on(self, terminal: str, job: str = "J-206", badge: str = "1001") -> View:
        """Sign on and open a job that has no drawing to check."""
        await self.give(terminal, "scan", label(Kind.BADGE, badge))
        view = await self.give(terminal, "scan", label(Kind.JOB, job))
        assert view.step == "running", view.message
        return view

    async def shown(self, terminal: str, like: Callable[[View], bool] = lambda view: True) -> View:
        """The next view of the terminal that is like this; all that were made until then are in `seen`."""
        async with asyncio.timeout(10):
            async for made in self._views:
                self.seen.append(made.view)
                if made.view.terminal == terminal and like(made.view):
                    return made.view
        raise AssertionError("the bus ended")


@asynccontextmanager
async def hall_in(
    folder: Path, *, pumps: bool = True, policies: Policies | None = None, clock: ManualClock | None = None
) -> AsyncIterator[Hall]:
    """A hall with the plans of the demo; its pumps run, unless the test runs them. `clock`: of an earlier hall."""
    clock, bus = clock or ManualClock(), Bus()
    store = await Store.open(folder / "journal.db", "pc-1", clock)

    def changed(book: PlanBook) -> None:
        store.book = book

    hall = Hall(folder, store, clock, bus, policies)
    await hall.pins.open()
    page = PlanPage(cursor="1", as_of_seq=0, plans=tuple(plans(clock.now())))
    await PlanInbox(store, "erp", clock, changed).take(page)
    task = asyncio.create_task(running_pumps(hall)) if pumps else None
    await asyncio.sleep(0)  # they listen
    try:
        yield hall
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await store.close()


async def running_pumps(hall: Hall) -> None:
    """The pumps of the hall, until cancelled."""
    await Pumps(hall.bus, Machines([]), hall.terminals, hall.supervisor).run()
