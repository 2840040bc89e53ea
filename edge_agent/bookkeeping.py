"""The books of the machines: what their values come to, group-committed once a second.

Nothing is lost with the agent: a count is the difference to the last reading on disk, whenever the next
one comes.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime, timedelta

from device_drivers.contract import DataValue
from edge_agent.clock import Clock
from edge_agent.equipment import Equipment
from edge_agent.ledger import Reading, Standing, Step, read
from edge_agent.store import Connection, Store, StoreError
from edge_agent.store import ledger as pages
from edge_agent.store.ledger import Tally
from edge_agent.supervisor import Supervisor

_log = logging.getLogger(__name__)

_EVERY = 1.0  # seconds between two commits
_STILL = timedelta(seconds=30)  # a counter that stands is written down, so that it is known to have stood
_PRUNED_EVERY = 3600.0  # seconds


class Bookkeeper:
    """Counters of all machines. `observe` every value; `run` writes them down."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._standings: dict[str, Standing] = {}
        self._tallies: dict[str, Tally] = {}
        self._steps: defaultdict[str, list[Step]] = defaultdict(list)  # not on disk yet
        self._written: dict[str, datetime] = {}  # when the last step was taken
        self._pruned = float("-inf")
        self._why = ""  # the kind of the StoreError that keeps them from the disk

    @classmethod
    async def open(cls, store: Store, clock: Clock) -> Bookkeeper:
        """With what is on disk. Raises StoreError."""
        books = cls(store, clock)
        books._standings = dict(await store.read(pages.standings))
        books._tallies = dict(await store.read(pages.tallies))
        return books

    def observe(self, machine: Equipment, value: DataValue) -> None:
        """A value that the machine took."""
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
        steps = {equipment: tuple(waiting) for equipment, waiting in self._steps.items() if waiting}
        now, prune = self._clock.now(), self._clock.monotonic() - self._pruned >= _PRUNED_EVERY
        if not steps and not prune:
            return

        def write(conn: Connection) -> dict[str, Tally]:
            for equipment, taken in steps.items():
                pages.enter(conn, equipment, taken)
            if prune:
                pages.prune(conn, now)
            return dict(pages.tallies(conn))

        self._tallies = await self._store.write(write)
        for equipment, taken in steps.items():
            del self._steps[equipment][: len(taken)]
        if prune:
            self._pruned = self._clock.monotonic()


def _same(before: Standing, after: Standing) -> bool:
    """Whether nothing but the time of the last reading is new."""
    return (before.last.value, before.width, before.epoch, before.suspect) == (
        after.last.value, after.width, after.epoch, after.suspect,
    )  # fmt: skip
