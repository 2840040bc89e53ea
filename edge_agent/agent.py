"""The one place where the parts of the agent meet: what starts after what, and what stops before what.

Start: site file -> its places -> store -> pumps -> relays and pullers -> devices -> socket. Whoever can
connect finds a working agent. Stop: the socket first, so that no input is taken that could not be kept;
then devices and pumps; then relays and pullers, which finish the request in hand; the store last.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import signal
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random
from typing import Any

import config
import device_drivers
from edge_agent import __version__
from edge_agent.api import Api
from edge_agent.bookkeeping import Bookkeeper
from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.devices import Devices, DeviceSettings
from edge_agent.events import PlansChanged
from edge_agent.local_socket import LocalSocket
from edge_agent.machine_writes import MachineWrites
from edge_agent.places import own_data
from edge_agent.planbook import PlanBook
from edge_agent.pumps import Machines, Pumps, ToldOutbox
from edge_agent.scanner_trial import Trials
from edge_agent.scenarios.contract import Policies, Station
from edge_agent.signals import pump_signals
from edge_agent.site import machine_of
from edge_agent.status import LinkBoard, StatusBoard
from edge_agent.store import Store
from edge_agent.store.plans import PlanInbox
from edge_agent.store.samples import SampleStore
from edge_agent.supervisor import Supervisor
from edge_agent.telemetry_pump import SamplePump, telemetry
from edge_agent.terminals import Terminals
from edge_agent.write_gate import Rule
from sync.ports import Connector
from sync.puller import Puller
from sync.relay import Relay

# Names of devices are looked up in threads, and one that nobody knows holds its thread for many seconds: as
# many as a PC has devices, so that the dead ones never keep a live one waiting.
_THREADS = 128

_log = logging.getLogger(__name__)


class Agent:
    """One agent, from its settings. `run` is its whole life."""

    def __init__(
        self, settings: config.Settings, connectors: dict[str, Connector], clock: Clock, rng: Random
    ) -> None:
        self._settings = settings
        self._connectors = connectors
        self._clock = clock
        self._rng = rng
        self._bus = Bus()
        self._supervisor = Supervisor(clock, rng)
        self._links = LinkBoard(clock, self._bus, tuple(connectors))

    async def run(self) -> None:
        """Start, work until told to stop, stop. Raises PlaceError and StoreError when it can not start."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(_THREADS, "agent"))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        site = self._settings.site
        with closing(LocalSocket.take(site.socket)) as local, closing(own_data(site.data)):
            store = await Store.open(site.data / "journal.db", site.agent, self._clock)
            try:
                if not stop.is_set():
                    async with telemetry(self._settings, self._clock, self._bus, self._supervisor) as kept:
                        await self._work(local, store, *kept, stop)
            finally:
                await store.close()
        _log.info("agent.stopped")

    async def _work(
        self, local: LocalSocket, store: Store, samples: SampleStore, pump: SamplePump, stop: asyncio.Event
    ) -> None:
        settings, bus = self._settings, self._bus
        wired = _device_settings(settings)
        devices = Devices(wired, device_drivers.load, self._clock, bus, self._supervisor)
        books = await Bookkeeper.open(store, self._clock, bus, settings.policies.short_stop_seconds)
        machines = Machines([machine_of(each) for each in settings.equipment], books)
        stations = {each.id: _station(each) for each in settings.terminals}
        terminals = Terminals(
            store, self._clock, bus, stations, _policies(settings.policies), machines.status_of,
            settings.policies.repeat_window, lambda: (machines.statuses(), devices.statuses()),
        )  # fmt: skip
        board = StatusBoard(
            store, self._clock, self._links, devices.statuses, machines.statuses, __version__, pump.status,
            self._supervisor.bugs,
        )  # fmt: skip
        writes = MachineWrites(map(_rule, settings.writes), store, self._clock, bus, devices)
        await writes.open()
        trials = Trials(wired, devices, self._clock, settings.site.data)
        api = Api(terminals, board, store, bus, samples, writes, devices.read_now, trials)
        signals = self._supervisor.keep("signals", lambda: pump_signals(bus, devices.signal))
        pumps = [
            _task(Pumps(bus, machines, terminals, self._supervisor, self._clock).run(), "pumps"),
            _task(signals, "signals"),
            _task(self._supervisor.keep("books", functools.partial(books.run, self._supervisor)), "books"),
        ]
        links = [task for name in self._connectors for task in self._link(name, store)]
        observing = _task(devices.run(), "devices")
        serving = _task(self._serve(api, local), "api")
        try:
            await until_stopped(stop, [*pumps, *links, observing, serving])
        finally:
            api.stop()
            await asyncio.gather(serving, return_exceptions=True)
            await _cancel([observing])
            await writes.finish()
            await _cancel(pumps)
            await self._supervisor.attempt("books", books.flush)
            await _cancel(links)  # a relay finishes the request in hand
            for connector in self._connectors.values():
                await connector.close()

    async def _serve(self, api: Api, local: LocalSocket) -> None:
        """Listen as a task like the others: when that fails, what has started already is ended in order."""
        listener, site = local.listen(), self._settings.site
        _log.info("agent.ready", extra={"agent": site.agent, "socket": str(site.socket)})
        await api.serve(listener)

    def _link(self, name: str, store: Store) -> list[asyncio.Task[None]]:
        """The relay and the puller of one connector, and what wakes the relay."""
        connector, link = self._connectors[name], self._links.link(name)

        def changed(book: PlanBook) -> None:
            store.book = book
            self._bus.publish(PlansChanged())

        outbox = ToldOutbox(store, name, self._clock, self._bus)
        inbox = PlanInbox(store, name, self._clock, changed)
        relay = Relay(outbox, connector, link, self._clock, self._rng)
        puller = Puller(inbox, connector, link, self._clock, self._rng, self._settings.policies.plan_interval)
        return [
            _task(self._supervisor.keep(f"outbox {name}", outbox.listen), f"outbox {name}"),
            _task(relay.run(), f"relay {name}"),
            _task(puller.run(), f"puller {name}"),
        ]


def _task(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    return asyncio.create_task(work, name=name)


async def until_stopped(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Return when told to stop. Any task that ends before, however it ends, raises here: the agent does
    not go on half."""
    waiting = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    for task in tasks:
        if task in done:
            task.result()
            if not stop.is_set():
                raise RuntimeError(f"The task {task.get_name()!r} ended by itself.")


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _device_settings(settings: config.Settings) -> list[DeviceSettings]:
    speaks_for = {each.device: each.id for each in settings.equipment if each.device}
    devices = [
        DeviceSettings(each.name, each.driver, each.options, equipment=speaks_for.get(each.name, ""))
        for each in settings.devices
    ]
    scanners = [
        DeviceSettings(each.name, each.driver, each.options, terminal=each.terminal)
        for each in settings.scanners
    ]
    return [*devices, *scanners]


def _rule(each: config.Write) -> Rule:
    return Rule(
        each.device, each.item, frozenset(each.roles), each.min, each.max, each.values, each.at_most, each.within
    )


def _station(each: config.Terminal) -> Station:
    return Station(each.id, each.name or each.id, each.equipment, each.zone, each.home)


def _policies(each: config.Policies) -> Policies:
    return Policies(each.drawing_scan, each.count_tolerance, each.over_ask)
