"""The books of the machines: what their values come to, group-committed once a second.

Nothing is lost with the agent: a count is the difference to the last reading on disk, whenever the next
one comes.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from device_drivers.contract import DataValue
from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.equipment import Equipment
from edge_agent.events import FactsRecorded, MachineChanged
from edge_agent.ledger import Reading, Standing, Step, read
from edge_agent.stops import NO_DATA, Span, Stop, Watch, due, turned
from edge_agent.store import Connection, Entry, Store, StoreError
from edge_agent.store import ledger as pages
from edge_agent.store.ledger import Tally
from edge_agent.store.stops import close_all, keep_seen, keep_span, keep_stop, stop_of
from edge_agent.supervisor import Supervisor

_log = logging.getLogger(__name__)

_EVERY = 1.0  # seconds between two commits
_STILL = timedelta(seconds=30)  # a counter that stands is written down, so that it is known to have stood
_SEEN_EVERY = 10.0  # seconds; how much of a state is not known for sure when the agent is killed
_PRUNED_EVERY = 3600.0  # seconds


class Bookkeeper:
    """Counters, states and stops of all machines. `observe` every value; `run` writes them down.

    `limit` is how many seconds a machine may stand before it is asked why.
    """

    def __init__(self, store: Store, clock: Clock, bus: Bus, limit: float) -> None:
        self._store = store
        self._clock = clock
        self._bus = bus
        self._limit = timedelta(seconds=limit)
        self._watches: dict[str, Watch] = {}
        self._turns: list[tuple[str, Span | Stop]] = []  # not on disk yet
        self._seen = float("-inf")
        self._standings: dict[str, Standing] = {}
        self._tallies: dict[str, Tally] = {}
        self._entered: dict[str, int] = {}  # steps of each counter that are on disk for sure
        self._steps: defaultdict[str, list[Step]] = defaultdict(list)  # not on disk yet
        self._written: dict[str, datetime] = {}  # when the last step was taken
        self._pruned = float("-inf")
        self._why = ""  # the kind of the StoreError that keeps them from the disk

    @classmethod
    async def open(cls, store: Store, clock: Clock, bus: Bus, limit: float) -> Bookkeeper:
        """With what is on disk; what was open there has ended. Raises StoreError."""
        books = cls(store, clock, bus, limit)
        await store.write(books._close_all)
        books._standings = dict(await store.read(pages.standings))
        books._tallies = dict(await store.read(pages.tallies))
        books._entered = dict(await store.read(pages.entered))
        return books

    def observe(self, machine: Equipment, value: DataValue) -> None:
        """A value that the machine took."""
        if machine.watched(value):
            self._watch(machine, value)
        self._count(machine, value)

    def _watch(self, machine: Equipment, value: DataValue) -> None:
        """The state that the machine is in. After NO DATA it begins when we heard of it, not before."""
        status, now = machine.status(), self._clock.now()
        watch = self._watches.get(machine.id, Watch())
        unknown = watch.span is None or watch.span.state == NO_DATA
        at = now if unknown else min(value.source_time, now)
        if watch.span is None and status.state == NO_DATA:
            return  # nothing was heard of it yet
        if (asked := due(watch, at, self._limit, self._clock.new_id())) is not None:
            watch = asked  # long enough, and over before anybody looked
        turn = turned(watch, Span(status.state, at, status.raw_state, status.mode, status.alarm))
        self._watches[machine.id] = turn.watch
        self._turns += [(machine.id, span) for span in turn.spans]
        if turn.ended is not None:
            self._turns.append((machine.id, turn.ended))

    def _count(self, machine: Equipment, value: DataValue) -> None:
        count = machine.counter(value)
        if count is None:
            return
        before = self._standings.get(machine.id)
        at = min(value.source_time, self._clock.now())
        reading = Reading(count, max(at, before.last.at) if before else at)
        step = read(before, reading, machine.width, machine.cycle_time)
        self._standings[machine.id] = step.standing
        written = self._written.get(machine.id)
        if before is None or not _same(before, step.standing) or written is None or at - written >= _STILL:
            self._steps[machine.id].append(step)
            self._written[machine.id] = at

    def tally(self, equipment: str) -> Tally:
        """What was counted so far. Parts that are not on disk yet have no job yet, and are counted."""
        on_disk = self._tallies.get(equipment, Tally())
        waiting = sum(step.parts + step.doubtful for step in self._steps[equipment])
        return Tally(on_disk.counted + waiting, on_disk.unattributed)

    async def run(self, supervisor: Supervisor) -> None:
        """Write down what was observed, every second, until cancelled."""
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + _EVERY)
            if await supervisor.attempt("books", self.flush):
                supervisor.alive("books")

    async def flush(self) -> None:
        """Write down what was observed; what can not be written is kept for the next time."""
        try:
            await self._flush()
        except StoreError as error:
            if self._why != error.kind:
                _log.error("books.not_saved", extra={"kind": error.kind, "what": str(error)})
            self._why = error.kind
        else:
            self._why = ""

    async def _flush(self) -> None:
        self._ask_for_stops()
        steps = {equipment: tuple(waiting) for equipment, waiting in self._steps.items() if waiting}
        now, prune = self._clock.now(), self._clock.monotonic() - self._pruned >= _PRUNED_EVERY
        turns = tuple(self._turns)
        look = bool(self._watches) and self._clock.monotonic() - self._seen >= _SEEN_EVERY
        if not steps and not turns and not prune and not look:
            return

        def write(conn: Connection) -> dict[str, Tally]:
            self._write_turns(conn, turns, now)
            for equipment, taken in steps.items():
                pages.enter(conn, equipment, taken, self._entered.get(equipment, 0) + 1)
            if prune:
                pages.prune(conn, now)
            return dict(pages.tallies(conn))

        self._tallies = await self._store.write(write)
        for equipment, taken in steps.items():
            del self._steps[equipment][: len(taken)]
            self._entered[equipment] = self._entered.get(equipment, 0) + len(taken)
        del self._turns[: len(turns)]
        self._seen = self._clock.monotonic()
        if prune:
            self._pruned = self._clock.monotonic()
        self._tell(turns)

    def _ask_for_stops(self) -> None:
        for equipment, watch in self._watches.items():
            asked = due(watch, self._clock.now(), self._limit, self._clock.new_id())
            if asked is not None and asked.stop is not None:
                self._watches[equipment] = asked
                self._turns.append((equipment, asked.stop))

    def _write_turns(self, conn: Connection, turns: Sequence[tuple[str, Span | Stop]], now: datetime) -> None:
        for equipment, turn in turns:
            if isinstance(turn, Span):
                keep_span(conn, equipment, turn, now)
            else:
                keep_stop(conn, equipment, turn)
                if turn.ended is not None:
                    self._record(conn, equipment, turn.id)
        keep_seen(conn, now)

    def _close_all(self, conn: Connection) -> None:
        for equipment, stop in close_all(conn).items():
            self._record(conn, equipment, stop.id)

    def _record(self, conn: Connection, equipment: str, id: str) -> None:
        """The stop is over: say so, with what people said of it while it lasted."""
        stop = stop_of(conn, id)
        if stop is None or stop.ended is None:
            return
        entry = Entry(str(uuid5(UUID(id), "ended")), stop.fact(equipment))
        self._store.record(conn, [entry], stop.ended, terminal="", person="")

    def _tell(self, turns: Sequence[tuple[str, Span | Stop]]) -> None:
        """Terminals ask for a stop that began, and do not when it is gone; relays send the one that ended."""
        stops = [(equipment, turn) for equipment, turn in turns if isinstance(turn, Stop)]
        for equipment in dict.fromkeys(equipment for equipment, _ in stops):
            self._bus.publish(MachineChanged(equipment))
        if ended := sum(stop.ended is not None for _, stop in stops):
            self._bus.publish(FactsRecorded(ended))


def _same(before: Standing, after: Standing) -> bool:
    """Whether nothing but the time of the last reading is new."""
    return (before.last.value, before.width, before.epoch, before.suspect) == (
        after.last.value, after.width, after.epoch, after.suspect,
    )  # fmt: skip
