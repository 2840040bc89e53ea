"""The one place where the parts of the agent meet: what starts after what, and what stops before what.

Start: site file -> its places -> store -> pumps -> relays and pullers -> devices -> socket. Whoever can
connect finds a working agent. Stop: the socket first, so that no input is taken that could not be kept;
then devices and pumps; then relays and pullers, which finish the request in hand; the store last.
"""

from __future__ import annotations

import asyncio
import functools
import grp
import logging
import signal
from collections.abc import Coroutine, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import config
import device_drivers
from edge_agent import __version__
from edge_agent.bookkeeping import Bookkeeper
from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.devices.kept_alive import Devices, DeviceSettings
from edge_agent.devices.scanner_trial import Trials
from edge_agent.devices.signals import pump_signals
from edge_agent.events import PlansChanged
from edge_agent.housekeeping import Housekeeper, Keep
from edge_agent.local_api.access import Access, own_access
from edge_agent.local_api.api import Api
from edge_agent.local_api.unix_socket import LocalSocket
from edge_agent.machine_writes import MachineWrites
from edge_agent.machines.equipment import Equipment
from edge_agent.machines.meanings import Glossary, Meanings
from edge_agent.machines.write_gate import Rule
from edge_agent.mender import Mender
from edge_agent.pin_rules import PinRules
from edge_agent.pins import Pins
from edge_agent.places import PlaceError, own_data
from edge_agent.planbook import PlanBook
from edge_agent.pumps import Machines, Pumps, ToldOutbox
from edge_agent.scenarios.contract import Policies, Station
from edge_agent.service import Systemd, Watchdog
from edge_agent.site import machine_of
from edge_agent.status import LinkBoard, StatusBoard
from edge_agent.store import Store, journal
from edge_agent.store.audit import Audit
from edge_agent.store.device import own_device
from edge_agent.store.plans import PlanInbox
from edge_agent.store.samples import SampleStore
from edge_agent.supervisor import Supervisor
from edge_agent.telemetry.pump import SamplePump, telemetry
from edge_agent.terminals.inputs import Terminals
from edge_agent.views.maintenance import DeviceReading
from sync.ports import Connector, TellsTime
from sync.puller import Puller
from sync.relay import Relay
from sync.turns import Turns

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Parts:
    """What an agent is made of, beside its store, connectors and socket."""

    devices: Devices
    books: Bookkeeper
    machines: Machines
    terminals: Terminals
    writes: MachineWrites
    api: Api


class Agent:
    """One agent, from its settings. `run` is its whole life."""

    def __init__(
        self, settings: config.Settings, connectors: dict[str, Connector], clock: Clock, rng: Random,
        site_hash: str = "",
    ) -> None:  # fmt: skip
        """`site_hash` says which site file the settings are from; one that changed since the last start is audited.

        Raises PlaceError when the site file lets somebody in who can not be found."""
        self._settings = settings
        self._connectors = connectors
        self._clock = clock
        self._rng = rng
        self._bus = Bus()
        self._systemd = Systemd()
        self._supervisor = Supervisor(clock, rng)
        exposed = [each.name for each in settings.connectors if getattr(each.options, "exposed", False)]
        self._links = LinkBoard(clock, self._bus, tuple(connectors), exposed)
        self._access = _access(settings.api)
        self._audit = Audit(settings.site.data)
        self._site_hash = site_hash
        self._again = self._told_to_end = False

    async def run(self) -> bool:
        """Start, work until told to stop, stop; whether it is to start again, because that mends its database.

        Raises PlaceError and StoreError when it can not start.
        """
        stop = asyncio.Event()

        def end() -> None:
            self._told_to_end = True
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, end)
        site = self._settings.site
        with closing(LocalSocket.take(site.socket)) as local, closing(own_data(site.data)):
            device = own_device(site.data)
            for connector in self._connectors.values():
                connector.introduce(device)
            self._hear_the_time()
            store = await Store.open(
                site.data / "journal.db", site.agent, self._clock, quota=site.journal_max_bytes
            )
            try:
                self._clock.continues(await store.read(journal.last_trusted))
                await asyncio.to_thread(self._note_site)
                await store.serve(tuple(self._connectors))
                if not stop.is_set():
                    async with telemetry(self._settings, self._clock, self._bus, self._supervisor) as kept:
                        await self._work(local, store, *kept, stop)
            finally:
                await store.close()
        _log.info("agent.stopped")
        return self._again and not self._told_to_end  # perhaps while it was ending

    async def _work(
        self, local: LocalSocket, store: Store, samples: SampleStore, pump: SamplePump, stop: asyncio.Event
    ) -> None:
        """What lives while the store is open: made, started, and ended in order."""

        def again() -> None:
            self._again = True
            stop.set()

        parts = await self._parts(store, samples, pump)
        pumps = [*self._pumps(parts, store), _task(Mender(store, self._clock, again).run(), "mender")]
        links = [task for name in self._connectors for task in self._link(name, store)]
        observing = _task(parts.devices.run(), "devices")
        serving = _task(self._serve(parts.api, local), "api")
        try:
            await until_stopped(stop, [*pumps, *links, observing, serving])
        finally:
            self._systemd.tell("STOPPING=1")
            parts.api.stop()
            await asyncio.gather(serving, return_exceptions=True)
            await _cancel([observing])
            await parts.writes.finish()
            await _cancel(pumps)
            await self._supervisor.attempt("books", parts.books.end)
            await _cancel(links)  # a relay finishes the request in hand
            for connector in self._connectors.values():
                await connector.close()

    async def _parts(self, store: Store, samples: SampleStore, pump: SamplePump) -> _Parts:
        settings, clock, bus = self._settings, self._clock, self._bus
        wired = _device_settings(settings)
        devices = Devices(wired, device_drivers.load, clock, bus, self._supervisor)
        books = await Bookkeeper.open(store, clock, bus, settings.policies.short_stop_seconds)
        known = [machine_of(each) for each in settings.equipment]
        machines, glossary = Machines(known, books), _glossary(wired, known)
        policies = _policies(settings.policies)
        pins = Pins(store, clock, bus, policies.pin)
        await pins.open()
        terminals = Terminals(
            store, clock, bus, _stations(settings), policies,
            machines.status_of, settings.policies.repeat_window,
            lambda: (machines.statuses(), devices.statuses()), pins if policies.pin.roles else None,
        )  # fmt: skip
        board = StatusBoard(
            store, clock, self._links, devices.statuses, machines.statuses, __version__, pump.status,
            self._supervisor.bugs, policies.pin.roles,
        )  # fmt: skip
        writes = MachineWrites(map(_rule, settings.writes), store, clock, bus, devices)
        await writes.open()

        async def read_now(device: str) -> DeviceReading:
            return glossary.told(await devices.read_now(device))

        api = Api(
            terminals, board, store, bus, samples, writes, read_now,
            Trials(wired, devices, clock, settings.site.data), pins, self._access, self._audit, policies.four_eyes,
        )  # fmt: skip
        return _Parts(devices, books, machines, terminals, writes, api)

    def _pumps(self, parts: _Parts, store: Store) -> list[asyncio.Task[None]]:
        """What goes on beside inputs, devices and connectors."""
        keep, policies = self._supervisor.keep, self._settings.policies
        told = any(isinstance(each, TellsTime) for each in self._connectors.values())
        keeper = Housekeeper(store, self._clock, tuple(self._connectors), _keep(policies), told)
        pumps = Pumps(self._bus, parts.machines, parts.terminals, self._supervisor, self._clock, parts.devices.items)
        kept = {
            "housekeeping": lambda: keeper.run(self._supervisor),
            "signals": lambda: pump_signals(self._bus, parts.devices.signal),
            "books": lambda: parts.books.run(self._supervisor),
            **({"locks": parts.terminals.lock_idle} if policies.lock_after_seconds else {}),
        }
        return [
            *(_task(keep(name, work), name) for name, work in kept.items()),
            _task(pumps.run(), "pumps"),
            _task(Watchdog(self._systemd, store, self._clock).run(), "watchdog"),
        ]

    async def _serve(self, api: Api, local: LocalSocket) -> None:
        """Listen as a task like the others: when that fails, what has started already is ended in order."""
        site, port = self._settings.site, self._settings.api.port
        listeners = [local.listen(self._access.group), *([local.loopback(port)] if port else [])]
        self._systemd.tell("READY=1")
        _log.info("agent.ready", extra={"agent": site.agent, "socket": str(site.socket)})
        await api.serve(*listeners)

    def _note_site(self) -> None:
        """A site file that is not the one of the last start leaves a line: what it was, what it is."""
        before = self._audit.last("site_file").get("hash", "")
        if self._site_hash and before != self._site_hash:
            self._audit.note("site_file", self._clock.now(), hash=self._site_hash, before=before)

    def _hear_the_time(self) -> None:
        """What the clocks of the ERPs say goes to ours, which is confirmed by it or doubted."""
        for name, connector in self._connectors.items():
            if isinstance(connector, TellsTime):
                self._links.awaits_time(name)
                connector.tell_time(functools.partial(self._compared, name))

    def _compared(self, name: str, theirs: datetime) -> None:
        self._links.told_time(name)
        self._clock.compared(name, theirs)

    def _link(self, name: str, store: Store) -> list[asyncio.Task[None]]:
        """The relay and the puller of one connector, and what wakes the relay."""
        connector = self._connectors[name]

        def changed(book: PlanBook) -> None:
            store.book = book
            self._bus.publish(PlansChanged())

        outbox = ToldOutbox(store, name, self._clock, self._bus)
        inbox = PlanInbox(store, name, self._clock, changed, outbox.notify)
        paces = [
            (each.max_requests_per_second, each.max_facts_per_second)
            for each in self._settings.connectors if each.name == name
        ]  # fmt: skip
        turns = Turns(self._clock, *(paces[0] if paces else ()))
        relay = Relay(outbox, connector, self._links.link(name, "relay"), self._clock, self._rng, turns=turns)
        interval = self._settings.policies.plan_interval
        puller = Puller(
            inbox, connector, self._links.link(name, "puller"), self._clock, self._rng, interval, turns
        )
        self._links.wakes(name, "relay", relay.poke)
        self._links.wakes(name, "puller", puller.poke)
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
        DeviceSettings(
            each.name, each.driver, each.options, equipment=speaks_for.get(each.name, ""), expect=each.expect
        )
        for each in settings.devices
    ]
    scanners = [
        DeviceSettings(each.name, each.driver, each.options, terminal=each.terminal)
        for each in settings.scanners
    ]
    return [*devices, *scanners]


def _access(api: config.Api) -> Access:
    """Who may speak to the agent. Raises PlaceError: the group is none of this PC, or the token can not be used."""
    try:
        group = grp.getgrnam(api.group).gr_gid if api.group else None
        token = config.read_secret(api.token_file) if api.token_file is not None else ""
    except KeyError:
        raise PlaceError(f"There is no group {api.group!r} on this PC: make it, or name another [api] group.") from None
    except config.SecretError as error:
        raise PlaceError(f"[api] token_file: {error}") from error
    return own_access(group, api.port, token)


def _rule(each: config.Write) -> Rule:
    return Rule(
        each.device, each.item, frozenset(each.roles), each.min, each.max, each.values, each.at_most, each.within
    )


def _glossary(devices: Sequence[DeviceSettings], machines: Sequence[Equipment]) -> Glossary:
    """What the values of each device mean."""
    return Glossary({
        each.name: Meanings(
            getattr(each.options, "points", ()), [machine for machine in machines if machine.device == each.name]
        )
        for each in devices
    })  # fmt: skip


def _stations(settings: config.Settings) -> dict[str, Station]:
    """Where each terminal stands, and what is proposed for the stops of its machine."""
    reasons = {each.id: each.stop_reasons for each in settings.equipment}
    stations = {}
    for each in settings.terminals:
        said = reasons.get(each.equipment, config.StopReasons())
        proposed = {"HELD": said.held, "SUSPENDED": said.suspended}
        stations[each.id] = Station(
            each.id, each.name or each.id, each.equipment, each.zone, each.home, proposed
        )
    return stations


def _keep(each: config.Policies) -> Keep:
    return Keep(timedelta(days=each.keep_days), timedelta(days=each.keep_days_full))


def _policies(each: config.Policies) -> Policies:
    pin = PinRules(frozenset(each.pin_roles), each.pin_tries, each.pin_lockout_minutes * 60)
    return Policies(
        each.drawing_scan, each.count_tolerance, each.over_ask, frozenset(each.four_eyes), each.second_badge, pin,
        each.lock_after_seconds,
    )
