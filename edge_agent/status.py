"""How everything is doing: links, queue, devices, machines, put together for terminals and people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.events import StatusChanged
from edge_agent.scenarios.contract import Station
from edge_agent.store import Connection, Store
from edge_agent.store.outbox import QueueState, queue
from edge_agent.store.plans import pulled_at
from edge_agent.telemetry_status import TelemetryStatus
from edge_agent.views import DeviceStatus, EquipmentStatus, Health, LinkStatus, Status

_OLD = timedelta(minutes=10)  # an unsent fact older than this is worth a person's look


class LinkBoard:
    """How each connector is doing; hands out a `sync.ports.Link` for each."""

    def __init__(self, clock: Clock, bus: Bus, connectors: Sequence[str]) -> None:
        self._clock = clock
        self._bus = bus
        self._links = {name: LinkStatus(name=name, state="never") for name in connectors}

    @property
    def links(self) -> tuple[LinkStatus, ...]:
        """All of them, in the order of the site file."""
        return tuple(self._links.values())

    def link(self, name: str) -> _Link:
        """The link of one connector, for its relay and its puller."""
        return _Link(self, name)

    def tell(self, name: str, status: LinkStatus) -> None:
        """Keep a change; a state that stays keeps its `since`."""
        before = self._links[name]
        if (before.state, before.reason) == (status.state, status.reason):
            return
        since = before.since if before.state == status.state else self._clock.now()
        self._links[name] = LinkStatus(name=name, state=status.state, reason=status.reason, since=since)
        self._bus.publish(StatusChanged())


class _Link:
    def __init__(self, board: LinkBoard, name: str) -> None:
        self._board = board
        self._name = name

    def up(self) -> None:
        self._board.tell(self._name, LinkStatus(name=self._name, state="up"))

    def down(self, kind: str, reason: str) -> None:
        state = LinkStatus(
            name=self._name, state="not_allowed" if kind == "not_allowed" else "down", reason=reason
        )
        self._board.tell(self._name, state)


class StatusBoard:
    """Answers what a terminal's status bar, `floorhand status` and monitoring ask."""

    def __init__(
        self, store: Store, clock: Clock, links: LinkBoard,
        devices: Callable[[], tuple[DeviceStatus, ...]],
        machines: Callable[[], tuple[EquipmentStatus, ...]], version: str,
        telemetry: Callable[[], Awaitable[TelemetryStatus]] | None = None,
        bugs: Mapping[str, int] | None = None,
    ) -> None:  # fmt: skip
        """`bugs` counts, by what failed, the faults of this program itself."""
        self._store = store
        self._clock = clock
        self._links = links
        self._devices = devices
        self._machines = machines
        self._version = version
        self._telemetry = telemetry
        self._bugs = bugs if bugs is not None else {}
        self._started_at = clock.now()

    @property
    def connector(self) -> str:
        """The connector whose queue people are told about: the first of the site file; empty: none."""
        return next((link.name for link in self._links.links), "")

    @property
    def devices(self) -> tuple[DeviceStatus, ...]:
        """Every device and scanner now."""
        return self._devices()

    @property
    def machines(self) -> tuple[EquipmentStatus, ...]:
        """Every machine now."""
        return self._machines()

    def now(self) -> datetime:
        """The agent's clock."""
        return self._clock.now()

    async def status(self, station: Station, watched: str = "") -> Status:
        """The status of one terminal: its machine, the one its page is about, all devices and links, the queue."""
        state, plans_at = await self._queue()
        machines = {each.id: each for each in self._machines()}
        return Status(
            now=self._clock.now(), safe_seq=state.safe_seq, delivered_seq=state.delivered_seq,
            unsent=state.unsent, oldest_unsent=state.oldest_unsent, parked=state.parked,
            parked_count=state.parked_count, plans_at=plans_at, links=self._links.links,
            machine=machines.get(station.equipment), watched=machines.get(watched), devices=self.devices,
        )  # fmt: skip

    async def health(self, terminals: tuple[str, ...]) -> Health:
        """The agent as a whole, with every problem in words."""
        state, _ = await self._queue()
        kept = await self._telemetry() if self._telemetry is not None else None
        problems = (*await self._store.problems(), *self._problems(state, kept))
        return Health(
            ok=not problems, agent=self._store.agent, version=self._version, started_at=self._started_at,
            clock_trusted=self._clock.trusted(), safe_seq=state.safe_seq, unsent=state.unsent,
            oldest_unsent=state.oldest_unsent, parked_count=state.parked_count, links=self._links.links,
            devices=self.devices, terminals=terminals, telemetry=kept, problems=problems,
        )  # fmt: skip

    async def _queue(self) -> tuple[QueueState, datetime | None]:
        def look(connection: Connection) -> tuple[QueueState, datetime | None]:
            return queue(connection, self.connector), pulled_at(connection)

        return await self._store.read(look)

    def _problems(self, state: QueueState, kept: TelemetryStatus | None) -> list[str]:
        told = []
        if not self._clock.trusted():
            told.append("The clock of this PC jumped or is wrong: set date and time, then restart the agent.")
        told += [
            f"Connector {link.name}: {link.reason}"
            for link in self._links.links
            if link.state in ("down", "not_allowed")
        ]
        told += [
            f"Device {device.name}: {device.reason}" for device in self._devices() if device.state == "lost"
        ]
        told += [
            f"Device {device.name} seems to be there and has given no good value since "
            f"{device.silent_since:%H:%M:%S} UTC: see its items, the device itself, and the log of the agent."
            for device in self._devices() if device.silent_since and device.state != "lost"
        ]  # fmt: skip
        if state.parked_count:
            told.append(f"{state.parked_count} reports were refused by the ERP and wait for a decision.")
        if state.oldest_unsent is not None and self._clock.now() - state.oldest_unsent > _OLD:
            told.append(
                f"{state.unsent} reports wait for the ERP, the oldest since {state.oldest_unsent:%H:%M} UTC."
            )
        if kept is not None and kept.trouble:
            told.append(f"Machine values are not kept: {kept.trouble}")
        told += [
            f"A fault of this program, {times} times so far: {what}. See the log of the agent, and tell its maker."
            for what, times in self._bugs.items()
        ]
        return told
