"""The one place where the parts of the agent meet: what starts after what, and what stops before what.

Start: site file -> lock -> store -> relays and pullers -> devices -> socket. Whoever can connect finds
a working agent. Stop: the socket first, so that no input is taken that could not be kept.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from random import Random

import config
import device_drivers
from edge_agent import __version__
from edge_agent.api import Api
from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.devices import Devices, DeviceSettings
from edge_agent.equipment import Equipment
from edge_agent.events import PlansChanged
from edge_agent.local_socket import LocalSocket
from edge_agent.planbook import PlanBook
from edge_agent.pumps import Machines, ToldOutbox, pump_machines, pump_refreshes, pump_scans
from edge_agent.scenarios.contract import Policies, Station
from edge_agent.status import LinkBoard, StatusBoard
from edge_agent.store import Store
from edge_agent.store.plans import PlanInbox
from edge_agent.store.samples import SampleStore
from edge_agent.supervisor import Supervisor
from edge_agent.telemetry_pump import telemetry
from edge_agent.terminals import Terminals
from sync.ports import Connector
from sync.puller import Puller
from sync.relay import Relay

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
        """Start, work until told to stop, stop. Raises SocketTaken and StoreError when it can not start."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        site = self._settings.site
        local = LocalSocket.take(site.socket)
        try:
            site.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            store = await Store.open(site.data / "journal.db", site.agent, self._clock)
            try:
                async with telemetry(self._settings, self._clock, self._bus, self._supervisor) as samples:
                    await self._work(local, store, samples, stop)
            finally:
                await store.close()
        finally:
            local.close()
        _log.info("agent.stopped")

    async def _work(
        self, local: LocalSocket, store: Store, samples: SampleStore, stop: asyncio.Event
    ) -> None:
        settings, bus = self._settings, self._bus
        devices = Devices(_device_settings(settings), device_drivers.load, self._clock, bus, self._supervisor)
        machines = Machines([_equipment(each) for each in settings.equipment])
        stations = {each.id: _station(each) for each in settings.terminals}
        terminals = Terminals(
            store, self._clock, bus, stations, _policies(settings.policies), machines.status_of,
            settings.policies.repeat_window,
        )  # fmt: skip
        board = StatusBoard(store, self._clock, self._links, devices.statuses, machines.statuses, __version__)
        api = Api(terminals, board, store, bus, samples)
        background = [
            asyncio.create_task(pump_machines(bus, machines)),
            asyncio.create_task(pump_scans(bus, terminals)),
            asyncio.create_task(devices.run()),
        ]
        links = [task for name in self._connectors for task in self._link(name, store, background)]
        background.append(asyncio.create_task(pump_refreshes(bus, terminals)))
        serving = asyncio.create_task(api.serve(local.listen()))
        _log.info("agent.ready", extra={"agent": settings.site.agent, "socket": str(settings.site.socket)})
        try:
            await _until_stopped(stop, [serving, *background, *links])
        finally:
            api.stop()
            await asyncio.gather(serving, return_exceptions=True)
            await _cancel(background)
            await _cancel(links)  # a relay finishes the request in hand
            for connector in self._connectors.values():
                await connector.close()

    def _link(
        self, name: str, store: Store, background: list[asyncio.Task[None]]
    ) -> list[asyncio.Task[None]]:
        """The relay and the puller of one connector."""
        connector, link = self._connectors[name], self._links.link(name)

        def changed(book: PlanBook) -> None:
            store.book = book
            self._bus.publish(PlansChanged())

        outbox = ToldOutbox(store, name, self._clock, self._bus)
        background.append(asyncio.create_task(outbox.listen()))
        inbox = PlanInbox(store, name, self._clock, changed)
        relay = Relay(outbox, connector, link, self._clock, self._rng)
        puller = Puller(inbox, connector, link, self._clock, self._rng, self._settings.policies.plan_interval)
        return [asyncio.create_task(relay.run()), asyncio.create_task(puller.run())]


async def _until_stopped(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Return when told to stop. A task that ends early raises here: the agent does not go on half."""
    waiting = asyncio.create_task(stop.wait())
    running: set[asyncio.Task[object]] = {waiting, *tasks}
    try:
        while not stop.is_set():
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        waiting.cancel()


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


def _equipment(each: config.Equipment) -> Equipment:
    return Equipment(
        id=each.id, name=each.name, device=each.device, state=each.state, states=each.states, count=each.count,
        count_width=each.count_width, alarm=each.alarm, alarms=each.alarms, show=each.show, units=each.units,
    )  # fmt: skip


def _station(each: config.Terminal) -> Station:
    return Station(each.id, each.name or each.id, each.equipment, each.zone, each.home)


def _policies(each: config.Policies) -> Policies:
    return Policies(each.drawing_scan, each.count_tolerance, each.over_ask)
