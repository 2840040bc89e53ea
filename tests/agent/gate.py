"""A write gate with a real journal and a real Modbus device, in one process; the gate's clock is the test's."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import msgspec

import device_drivers
from device_drivers.modbus import Options
from device_drivers.simulators.modbus_peer import Peer
from edge_agent.bus import Bus
from edge_agent.clock import SystemClock
from edge_agent.devices.kept_alive import Devices, DeviceSettings
from edge_agent.events import ValuesArrived
from edge_agent.machine_writes import MachineWrites
from edge_agent.machines.write_gate import Refused, Rule
from edge_agent.planbook import PlanBook
from edge_agent.store import Store, journal, sessions
from edge_agent.supervisor import Supervisor
from edge_agent.terminals.session import Session
from edge_agent.views.write_orders import WriteAnswer, WriteOrder
from sync.contract import Fact, Person
from tests.support.manual_clock import ManualClock

ITEMS = {"speed": 2, "feed": 3, "lamp": 4}  # where they are
POINTS = [{"name": name, "address": address} for name, address in ITEMS.items()]
PERSONS = (
    Person(id="P1", name="Ann", badge="1", roles=("setter",)),
    Person(id="P2", name="Bob", badge="2", roles=("operator",)),
    Person(id="P3", name="Eve", badge="3", roles=("setter",), active=False),
)
AT = {"T1": "P1", "T2": "P2", "T3": "P3", "T4": "", "T5": "P9"}  # who is signed on where; P9 is unknown


def rule(item: str = "speed", low: float = 0, high: float = 100, **more: Any) -> Rule:
    """What setters may write, as often as they like."""
    said: dict[str, Any] = {"roles": frozenset({"setter"}), "low": low, "high": high, "at_most": 10_000}
    return Rule("plc", item, **(said | more))


def order(value: Any, terminal: str = "T1", id: str = "") -> WriteOrder:
    """A new order."""
    return WriteOrder(id or str(uuid.uuid4()), terminal, value)


class Gate:
    """The gate and all behind it. `restart` is what a new start of the agent does."""

    def __init__(self, peer: Peer, store: Store, devices: Devices, clock: ManualClock, bus: Bus) -> None:
        self.peer = peer
        self.store = store
        self.devices = devices
        self.clock = clock
        self.bus = bus
        self.writes = MachineWrites([], store, clock, bus, devices)

    async def restart(self, rules: Iterable[Rule]) -> None:
        """With these rules."""
        self.writes = MachineWrites(rules, self.store, self.clock, self.bus, self.devices)
        await self.writes.open()

    async def ask(self, value: Any, item: str = "speed", terminal: str = "T1", id: str = "") -> WriteAnswer | Refused:
        """One write."""
        return await self.writes.ask("plc", item, order(value, terminal, id))

    async def facts(self) -> tuple[Fact, ...]:
        """The whole journal; its chain is whole."""
        assert await self.store.read(journal.verify) is None
        return await self.store.read(lambda conn: journal.facts(conn, 0, 100_000))

    async def kinds(self) -> list[str]:
        """What is in the journal."""
        return [type(fact.body).__name__ for fact in await self.facts()]


@asynccontextmanager
async def gate_in(folder: Path, peer: Peer, **options: Any) -> AsyncIterator[Gate]:
    """A gate whose device is there and has given every value."""
    clock, bus = ManualClock(), Bus()
    store = await Store.open(folder / "journal.db", "pc-1", clock)
    store.book = PlanBook.of(PERSONS)

    def sign_on(conn: Any) -> None:
        for terminal, person in AT.items():
            state = msgspec.json.encode(Session(state=msgspec.Raw(b"{}"), intent="", person=person))
            sessions.save(conn, terminal, sessions.Session(state, "", b""))

    await store.write(sign_on)
    async with peer.on_tcp():
        said = {"host": "127.0.0.1", "port": peer.port, "interval": 0.02, "timeout": 0.3, "points": POINTS}
        settings = DeviceSettings("plc", "modbus", msgspec.convert(said | options, Options))
        real = SystemClock()
        devices = Devices([settings], device_drivers.load, real, bus, Supervisor(real, Random(1)))
        with bus.subscribe(ValuesArrived) as values:
            task = asyncio.create_task(devices.run())
            missing = set(ITEMS)
            async with asyncio.timeout(5):
                while missing:
                    missing -= set((await anext(values)).values.items)
        gate = Gate(peer, store, devices, clock, bus)
        try:
            yield gate
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await gate.writes.finish()
            await store.close()
