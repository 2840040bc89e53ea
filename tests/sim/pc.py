"""The PC with the agent: store, terminals, relay and puller as they are, on a disk, a clock and a wire of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from edge_agent.bus import Bus
from edge_agent.client import AgentAway, InputRefused
from edge_agent.events import PlansChanged, ViewMade
from edge_agent.housekeeping import Housekeeper, Keep
from edge_agent.planbook import PlanBook
from edge_agent.pumps import ToldOutbox
from edge_agent.scenarios.contract import Policies, Station
from edge_agent.store import Store, StoreError
from edge_agent.store.plans import PlanInbox
from edge_agent.terminals.inputs import Terminals
from edge_agent.views import Input, Typed, View
from edge_agent.views.status import Problem
from sync.connectors.rest import Connector, Options
from sync.device import Device
from sync.http_calls import HttpCalls
from sync.puller import Puller
from sync.relay import Relay
from tests.sim.clock import Process, SimClock, SimLoop, passing
from tests.sim.database import LoopDatabase
from tests.sim.disk import Drive
from tests.sim.net import Server, Weather, Wire
from tests.sim.platter import Platter

T = TypeVar("T")

AGENT, CONNECTOR = "agent-1", "erp"
JOURNAL = Path("/data/journal.db")
_ANSWER = 3.0  # seconds that a request may take
_ROUND = 4.0  # seconds between two rounds of the housekeeper
_SHORT, _LONG = (1, 120), (20, 1500)  # disk operations to the next power cut


@dataclass(frozen=True)
class Habits:
    """The rules of this plant. `keep`: how long delivered facts stay in the journal; None: for ever."""

    policies: Policies = field(default_factory=Policies)
    keep: timedelta | None = None


@dataclass
class Running:
    """The parts of one life of the agent."""

    process: Process
    store: Store
    bus: Bus
    terminals: Terminals
    relay: Relay
    puller: Puller


class _Link:
    """Nobody looks at it."""

    def up(self) -> None:
        pass

    def down(self, kind: str, reason: str) -> None:
        pass


class Pc:
    """Switched on and off; `running` is None while nobody can be asked."""

    def __init__(
        self, loop: SimLoop, dice: Random, stations: dict[str, Station], weather: Weather, server: Server,
        token: Path, look: Callable[[Store, bool], Awaitable[None]], note: Callable[..., None],
        habits: Habits, leaving: Callable[[Store], Awaitable[None]],
    ) -> None:  # fmt: skip
        """`look` is called at each start, `leaving` before facts may leave the journal."""
        self.clock = SimClock(loop, Random(dice.getrandbits(64)))
        self.platter = Platter(Random(dice.getrandbits(64)), self._cut)
        self.drive = Drive(self.platter, Random(dice.getrandbits(64)).randbytes)
        self.running: Running | None = None
        self.troubled = True  # power cuts at any operation
        self.refused_starts: list[str] = []
        self.refusals: list[str] = []
        self._loop, self._dice = loop, dice
        self._stations, self._weather, self._server, self._token = stations, weather, server, token
        self._look, self._note, self.habits, self._leaving = look, note, habits, leaving
        self._process: Process | None = None
        self._starts = 0

    def boot(self) -> None:
        """Switch it on, or start the program again."""
        self._starts += 1
        self.clock.started()
        disk = self.drive.plug()
        if self.troubled:
            reach = _SHORT if self._dice.random() < 0.3 else _LONG
            self.platter.cut_at = self.platter.operations + self._dice.randint(*reach)
        self._process = process = Process(self._loop, f"agent {self._starts}")
        self._note("boot", self._starts)
        process.spawn(self._live(process, disk))

    def kill(self) -> None:
        """As kill -9 does it; the program is started again."""
        self.platter.kill()
        self._ended("killed")

    def power_off(self) -> None:
        """Now, whatever the disk is doing."""
        self.platter.lose_power()
        self._ended("off")

    def _cut(self) -> None:
        self._ended("cut")

    def _ended(self, how: str) -> None:
        self._note(how, self.platter.operations)
        self.running = None
        if self._process is not None:
            self._process.end()
            self._process = None
        self._loop.call_later(self._dice.uniform(0.1, 2.0), self._boot_if_off)

    def _boot_if_off(self) -> None:
        if self._process is None:
            self.boot()

    async def _live(self, process: Process, disk: Any) -> None:
        try:
            store = await Store.open(JOURNAL, AGENT, self.clock, disk, LoopDatabase.open)
        except StoreError as error:
            self.refused_starts.append(f"{error.kind}: {error}")
            self.kill()
            return
        await self._look(store, self._starts == 1)
        bus, clock = Bus(), self.clock
        terminals = Terminals(store, clock, bus, self._stations, self.habits.policies, lambda id: None)
        calls = HttpCalls("erp", _ANSWER, None, Wire(self._weather, self._server, self._dice, process))
        options = Options(url="http://127.0.0.1:2", token_file=self._token, timeout=_ANSWER)
        connector = Connector(options, AGENT, calls)
        connector.introduce(Device("pc-1"))

        def changed(book: PlanBook) -> None:
            store.book = book
            bus.publish(PlansChanged())

        outbox = ToldOutbox(store, CONNECTOR, clock, bus)
        rng = Random(self._dice.getrandbits(64))
        relay = Relay(outbox, connector, _Link(), clock, rng, batch=self._dice.choice((2, 7, 100)))
        inbox = PlanInbox(store, CONNECTOR, clock, changed, outbox.notify)
        puller = Puller(inbox, connector, _Link(), clock, rng)
        for work in (outbox.listen(), relay.run(), puller.run(), self._lock(terminals), self._house(store)):
            process.spawn(work)
        self.running = Running(process, store, bus, terminals, relay, puller)
        self._note("up", self._starts)

    async def _lock(self, terminals: Terminals) -> None:
        """As the supervisor keeps it alive."""
        while self.habits.policies.lock_after:
            try:
                await terminals.lock_idle()
            except StoreError:
                await passing(0.5)

    async def _house(self, store: Store) -> None:
        """A round of the housekeeper now and then: each begins anew, so that it looks for what may go."""
        while self.habits.keep is not None:
            await passing(_ROUND)
            try:
                await self._leaving(store)
            except StoreError:
                continue
            keep = Keep(self.habits.keep, self.habits.keep / 2)
            await Housekeeper(store, self.clock, (CONNECTOR,), keep).step()

    # ------------------------------------------------------------ the local socket

    async def ask(self, work: Callable[[Running], Coroutine[Any, Any, T]]) -> T:
        """Have it done in the agent; raises AgentAway when it ends meanwhile, or is not there."""
        running = self.running
        if running is None:
            raise AgentAway("not there")
        task = running.process.spawn(work(running))
        await asyncio.wait({task, running.process.died}, return_when=asyncio.FIRST_COMPLETED)
        if not running.process.alive or not task.done() or task.cancelled():
            raise AgentAway("it ended")
        return task.result()  # type: ignore[no-any-return]


class Line:
    """The client of one terminal (`terminal_ui.attachment.Client`); answers can be lost on it as well."""

    def __init__(self, pc: Pc, dice: Random, heard: Callable[[Input, View], None]) -> None:
        self._pc, self._dice, self._heard = pc, dice, heard
        self.breaks = 0.0

    async def send(self, terminal: str, given: Input) -> View:
        await passing(0.001)
        try:
            view = await self._pc.ask(lambda running: running.terminals.handle(terminal, given))
        except StoreError as error:
            self._pc.refusals.append(error.kind)
            raise InputRefused(Problem("store.not_saved", {"what": str(error)})) from error
        if self._dice.random() < self.breaks:
            raise AgentAway("the line broke")
        self._heard(given, view)
        return view

    async def keys_pressed(self, terminal: str, typed: Typed | None = None) -> None:
        """Nothing locks itself in the simulation."""

    async def events(self, terminal: str) -> AsyncIterator[View]:
        running = self._pc.running
        if running is None:
            raise AgentAway("not there")
        with running.bus.subscribe(ViewMade) as events:
            try:
                yield await self._pc.ask(lambda running: running.terminals.view(terminal))
            except StoreError as error:
                raise AgentAway(str(error)) from error
            while True:
                news = asyncio.ensure_future(anext(events))
                try:
                    await asyncio.wait({news, running.process.died}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    news.cancel()
                if not running.process.alive:
                    raise AgentAway("it ended")
                if (view := news.result().view).terminal == terminal:
                    yield view

    async def close(self) -> None:
        pass
