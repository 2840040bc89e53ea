"""How everything is doing: links, queue, devices, machines, put together for terminals and people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.display import many, some
from edge_agent.events import StatusChanged
from edge_agent.roles import holds
from edge_agent.scenarios.contract import Station
from edge_agent.store import Connection, Store, StoreError
from edge_agent.store.doubts import open_doubts
from edge_agent.store.errors import UNREADABLE
from edge_agent.store.outbox import QueueState, queue
from edge_agent.store.pins import without
from edge_agent.store.plans import pulled_at
from edge_agent.views.status import DeviceStatus, EquipmentStatus, Health, LinkStatus, Status
from edge_agent.views.telemetry import TelemetryStatus
from edge_agent.views.upkeep import Commits

_OLD = timedelta(minutes=10)  # an unsent fact older than this is worth a person's look


Task = Literal["relay", "puller"]

_WORST: tuple[str, ...] = ("not_allowed", "down", "up", "never")
_FAILS: dict[str, str] = {"relay": "Reports are not sent: ", "puller": "Plans are not fetched: "}


class LinkBoard:
    """How each connector is doing; hands out a `sync.ports.Link` for each of its tasks.

    A connector is as well as the worse of its tasks: an ERP that gives plans and books nothing is not up.
    """

    def __init__(
        self, clock: Clock, bus: Bus, connectors: Sequence[str], exposed: Collection[str] = ()
    ) -> None:
        """`exposed`: those of which others can read and change what is said."""
        self._clock = clock
        self._bus = bus
        self._links = {
            name: LinkStatus(name=name, state="never", insecure=name in exposed) for name in connectors
        }
        self._tasks: dict[str, dict[Task, LinkStatus]] = {name: {} for name in connectors}
        self._awaited: set[str] = set()
        self._pokes: dict[str, dict[Task, Callable[[], None]]] = {name: {} for name in connectors}

    def wakes(self, name: str, task: Task, poke: Callable[[], None]) -> None:
        """How to end the wait of a task that fails: as soon as the other one comes through, it tries again."""
        self._pokes[name][task] = poke

    @property
    def links(self) -> tuple[LinkStatus, ...]:
        """All of them, in the order of the site file."""
        return tuple(self._links.values())

    def awaits_time(self, name: str) -> None:
        """The other side of a connector is expected to say what time it is there."""
        self._awaited.add(name)

    def told_time(self, name: str) -> None:
        """It did."""
        self._awaited.discard(name)

    @property
    def timeless(self) -> tuple[str, ...]:
        """Those that answer, and never said what time it is there though that is expected."""
        return tuple(link.name for link in self._links.values() if link.state == "up" and link.name in self._awaited)

    def link(self, name: str, task: Task) -> _Link:
        """The link of one connector, for one of its tasks."""
        return _Link(self, name, task)

    def tell(self, name: str, task: Task, told: LinkStatus) -> None:
        """Keep a change; a state that stays keeps its `since`."""
        was = self._tasks[name].get(task)
        self._tasks[name][task] = told
        if told.state == "up" and was is not None and was.state != "up":
            self._wake_others(name)
        before, status = self._links[name], _worse(self._tasks[name])
        if (before.state, before.reason) == (status.state, status.reason):
            return
        since = before.since if before.state == status.state else self._clock.now()
        self._links[name] = LinkStatus(
            name=name, state=status.state, reason=status.reason, since=since, insecure=before.insecure
        )
        self._bus.publish(StatusChanged())

    def _wake_others(self, name: str) -> None:
        for task, poke in self._pokes[name].items():
            if (known := self._tasks[name].get(task)) is not None and known.state != "up":
                poke()


def _worse(tasks: Mapping[Task, LinkStatus]) -> LinkStatus:
    """The worse of two tasks, with the words of each that fails; which one it is, where not both fail alike."""
    worst = min(tasks.values(), key=lambda each: _WORST.index(each.state))
    failing = {task: each.reason for task, each in sorted(tasks.items()) if each.state not in ("up", "never")}
    if len(tasks) == 1 or (len(failing) == len(tasks) and len(set(failing.values())) == 1):
        return worst
    reason = " ".join(_FAILS[task] + reason for task, reason in failing.items())
    return LinkStatus(name=worst.name, state=worst.state, reason=reason)


class _Link:
    def __init__(self, board: LinkBoard, name: str, task: Task) -> None:
        self._board = board
        self._name = name
        self._task = task

    def up(self) -> None:
        self._board.tell(self._name, self._task, LinkStatus(name=self._name, state="up"))

    def down(self, kind: str, reason: str) -> None:
        state = LinkStatus(
            name=self._name, state="not_allowed" if kind == "not_allowed" else "down", reason=reason
        )
        self._board.tell(self._name, self._task, state)


class StatusBoard:
    """Answers what a terminal's status bar, `floorhand status` and monitoring ask."""

    def __init__(
        self, store: Store, clock: Clock, links: LinkBoard,
        devices: Callable[[], tuple[DeviceStatus, ...]],
        machines: Callable[[], tuple[EquipmentStatus, ...]], version: str,
        telemetry: Callable[[], Awaitable[TelemetryStatus]] | None = None,
        bugs: Mapping[str, int] | None = None, pin_roles: Collection[str] = (),
    ) -> None:  # fmt: skip
        """`bugs` counts, by what failed, the faults of this program itself. `pin_roles` are those that need a PIN."""
        self._store = store
        self._clock = clock
        self._links = links
        self._devices = devices
        self._machines = machines
        self._version = version
        self._telemetry = telemetry
        self._bugs = bugs if bugs is not None else {}
        self._pin_roles = pin_roles
        self._started_at = clock.now()
        self._last: tuple[QueueState, tuple[str, ...], int] = (QueueState(0, 0, 0, None, (), 0), (), 0)

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
        state, plans_at, doubts = await self._queue()
        machines = {each.id: each for each in self._machines()}
        return Status(
            now=self._clock.now(), safe_seq=state.safe_seq, delivered_seq=state.delivered_seq,
            unsent=state.unsent, oldest_unsent=state.oldest_unsent, parked=state.parked,
            parked_count=state.parked_count, held=state.held, handed_over=state.handed_over,
            corrected=state.corrected, doubts=doubts, plans_at=plans_at, links=self._links.links,
            machine=machines.get(station.equipment), watched=machines.get(watched), devices=self.devices,
        )  # fmt: skip

    async def health(self, terminals: tuple[str, ...]) -> Health:
        """The agent as a whole, with every problem in words."""

        def look(connection: Connection) -> tuple[QueueState, tuple[str, ...], int]:
            found, incidents = self._store.found(connection)
            lost = self._lost_pins(connection) if incidents else ()
            return queue(connection, self.connector), (*found, *lost), incidents

        readable = True
        try:  # one look: it may have to wait for a commit
            state, found, incidents = self._last = await self._store.read(look)
        except (StoreError, *UNREADABLE) as error:
            readable, (state, _, incidents) = False, self._last
            found = self._store.without_database(error)
        kept = await self._telemetry() if self._telemetry is not None else None
        problems = (*found, *self._problems(state, kept))
        return Health(
            ok=not problems, agent=self._store.agent, version=self._version, started_at=self._started_at,
            clock_trusted=self._clock.trusted(), safe_seq=state.safe_seq, unsent=state.unsent,
            oldest_unsent=state.oldest_unsent, parked_count=state.parked_count, links=self._links.links,
            devices=self.devices, terminals=terminals, telemetry=kept, problems=problems,
            disk_free=self._store.disk_free, mirror_behind=self._store.mirror_behind, incidents=incidents,
            damage=self._store.damage, unseen=self._store.unseen, readable=readable,
            commits=Commits(tuple(self._store.commits.counts), self._store.commits.seconds),
        )  # fmt: skip

    async def _queue(self) -> tuple[QueueState, datetime | None, int]:
        def look(connection: Connection) -> tuple[QueueState, datetime | None, int]:
            return queue(connection, self.connector), pulled_at(connection), open_doubts(connection)

        return await self._store.read(look)

    def _lost_pins(self, connection: Connection) -> tuple[str, ...]:
        """A database that was mended may have lost the PINs: who needs one and has none, in words."""
        persons = self._store.book.persons.values()
        needed = [each.id for each in persons if each.active and holds(each, self._pin_roles)]
        missing = without(connection, needed)
        if not missing:
            return ()
        return (
            f"These people need a PIN and have none: {some(missing)}. Whoever looks after this PC gives each of them "
            "a start code, as the user of the agent: floorhand pin PERSON.",
        )

    def _problems(self, state: QueueState, kept: TelemetryStatus | None) -> list[str]:
        told = []
        if doubt := self._clock.doubt():
            told.append(
                f"{doubt} Reports are kept, with times that are not trusted, and nothing old is cleared away: set date "
                "and time of this PC. It is trusted again when the ERP answers with the same time, or after a restart."
            )
        elif self._links.timeless and not self._clock.confirmed():
            told.append(
                f"Connector {some(self._links.timeless)} answers without the time (the header Date), so nobody "
                "confirms the clock of this PC: nothing old is cleared away until there is no room for new ones. Let "
                "the ERP, or the proxy before it, send Date."
            )
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
            refused = many(state.parked_count, "report was", "reports were")
            told.append(f"{refused} refused by the ERP and wait{'s' * (state.parked_count == 1)} for a decision.")
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
