"""The books of the machines: what their values come to, group-committed once a second.

Nothing is lost with the agent: a count is the difference to the last reading on disk, whenever the next
one comes. While the disk refuses, what waits for it is bounded (backlog.py): no part is left out, and states
that are become NO DATA.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from device_drivers.contract import DataValue
from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.events import FactsRecorded, MachineChanged
from edge_agent.machines.backlog import LeftOut, fewer_steps, fewer_turns
from edge_agent.machines.equipment import Equipment
from edge_agent.machines.ledger import Evidence, Reading, Standing, Step, read
from edge_agent.machines.stops import EXECUTE, NO_DATA, Span, Stop, Watch, due, given_up, turned
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
_MOST_STEPS = 8192  # of a machine that wait for the disk: the minutes of two days and more
_MOST_TURNS = 16384  # of all machines


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
        # What a write was begun with. It may stand though it failed: it is tried again as it is, never changed.
        self._offered: dict[str, int] = {}
        self._offered_turns = 0
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
        asked = due(watch, at, self._limit, self._clock.new_id())
        watch = asked or watch
        turn = turned(watch, Span(status.state, at, status.raw_state, status.mode, status.alarm), self._limit)
        self._watches[machine.id] = turn.watch
        self._turns += [(machine.id, span) for span in turn.spans]
        stop = turn.ended or (asked.stop if asked is not None else None)
        if stop is not None:  # one that is over, or one that is long enough from this value on
            self._turns.append((machine.id, stop))
        if len(self._turns) - self._offered_turns > _MOST_TURNS:
            waiting, left_out = fewer_turns(self._turns[self._offered_turns :], _MOST_TURNS)
            self._turns[self._offered_turns :] = waiting
            _tell_left_out(left_out)

    def _count(self, machine: Equipment, value: DataValue) -> None:
        if (count := machine.counter(value)) is not None:
            self._read(machine, machine.id, count, value)
        if (scrap := machine.scrap_counter(value)) is not None:
            self._read(machine, pages.scrap_of(machine.id), scrap, value)

    def _read(self, machine: Equipment, book: str, count: int, value: DataValue) -> None:
        """One counter of the machine was read; `book` is where its parts are kept."""
        before = self._standings.get(book)
        at = min(value.source_time, self._clock.now())
        reading = Reading(count, max(at, before.last.at) if before else at)
        step = read(before, reading, machine.modulus, machine.cycle_time)
        self._standings[book] = step.standing
        written = self._written.get(book)
        if before is None or not _same(before, step.standing) or written is None or at - written >= _STILL:
            self._written[book] = at
            self._await_disk(book, step)

    def _await_disk(self, equipment: str, step: Step) -> None:
        waiting, offered = self._steps[equipment], self._offered.get(equipment, 0)
        waiting.append(step)
        if len(waiting) - offered > _MOST_STEPS:
            waiting[offered:], minutes = fewer_steps(waiting[offered:], _MOST_STEPS)
            if minutes:
                _log.error("books.minutes_lost", extra={"equipment": equipment, "minutes": minutes})

    def tally(self, equipment: str) -> Tally:
        """What was counted so far. Parts that are not on disk yet have no job yet, and are counted."""
        on_disk = self._tallies.get(equipment, Tally())
        waiting = sum(
            step.parts + (0 if step.evidence is Evidence.UNSURE else step.doubtful) for step in self._steps[equipment]
        )
        return Tally(on_disk.counted + waiting, on_disk.unattributed)

    async def run(self, supervisor: Supervisor) -> None:
        """Write down what was observed, every second, until cancelled."""
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + _EVERY)
            if await supervisor.attempt("books", self.flush):
                supervisor.alive("books")

    async def end(self) -> None:
        """The last flush: until when each machine was seen in its state is written as well."""
        self._seen = float("-inf")
        await self.flush()

    async def flush(self) -> None:
        """Write down what was observed; what can not be written is kept for the next time."""
        try:
            while await self._flush():
                pass
        except StoreError as error:
            if self._why != error.kind:
                _log.error("books.not_saved", extra={"kind": error.kind, "what": str(error)})
            self._why = error.kind
        else:
            if self._why:
                _log.info("books.saved_again")
            self._why = ""

    async def _flush(self) -> bool:
        """One commit. True: it was one that had failed before, and more may wait."""
        self._ask_for_stops()
        again = bool(self._offered or self._offered_turns)
        now, prune = self._clock.now(), self._clock.monotonic() - self._pruned >= _PRUNED_EVERY
        look = bool(self._watches) and self._clock.monotonic() - self._seen >= _SEEN_EVERY
        if not again:
            self._offered = {equipment: len(waiting) for equipment, waiting in self._steps.items() if waiting}
            self._offered_turns = len(self._turns)
        steps = {equipment: tuple(self._steps[equipment][:count]) for equipment, count in self._offered.items()}
        turns = tuple(self._turns[: self._offered_turns])
        if not steps and not turns and not prune and not look:
            return False

        def write(conn: Connection) -> dict[str, Tally]:
            self._write_turns(conn, turns, now)
            for equipment, taken in steps.items():
                pages.enter(conn, equipment, taken, self._entered.get(equipment, 0) + 1)
            if prune:
                pages.prune(conn, now)
            return dict(pages.tallies(conn))

        self._tallies = await self._store.write(write)
        self._stands(steps, len(turns))
        self._seen = self._clock.monotonic()
        if prune:
            self._pruned = self._clock.monotonic()
        self._tell(turns)
        return again

    def _stands(self, steps: Mapping[str, Sequence[Step]], turns: int) -> None:
        """So much is on disk, and waits no longer."""
        for equipment, taken in steps.items():
            del self._steps[equipment][: len(taken)]
            self._entered[equipment] = self._entered.get(equipment, 0) + len(taken)
        del self._turns[:turns]
        self._offered, self._offered_turns = {}, 0

    def _ask_for_stops(self) -> None:
        for equipment, watch in self._watches.items():
            if (turn := given_up(watch, self._clock.now(), self._limit)) is not None:
                self._watches[equipment] = turn.watch
                if turn.ended is not None:
                    self._turns.append((equipment, turn.ended))
                continue
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
        """Terminals ask for a stop that began, and do not when it is gone; relays send the one that ended.

        A machine that runs again may have had a short stop.
        """
        stops = [(equipment, turn) for equipment, turn in turns if isinstance(turn, Stop)]
        runs = [equipment for equipment, turn in turns if isinstance(turn, Span) and turn.state == EXECUTE]
        for equipment in dict.fromkeys([*(equipment for equipment, _ in stops), *runs]):
            self._bus.publish(MachineChanged(equipment))
        if ended := sum(stop.ended is not None for _, stop in stops):
            self._bus.publish(FactsRecorded(ended))


def _tell_left_out(gaps: Sequence[LeftOut]) -> None:
    for gap in gaps:
        _log.error("books.states_left_out", extra={
            "equipment": gap.equipment, "began": gap.began.isoformat(), "ended": gap.ended.isoformat(),
            "states": gap.states, "stops": gap.stops,
        })  # fmt: skip


def _same(before: Standing, after: Standing) -> bool:
    """Whether nothing but the time of the last reading is new."""
    return (before.last.value, before.modulus, before.epoch, before.suspect) == (
        after.last.value, after.modulus, after.epoch, after.suspect,
    )  # fmt: skip
