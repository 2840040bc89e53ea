"""One run: a PC, an ERP, people, a network, and everything that happens to them. A seed is a run."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

from edge_agent.client import AgentAway
from edge_agent.scenarios.contract import Policies, Station
from edge_agent.store import Connection, Store, StoreError
from edge_agent.store.doubts import doubts
from edge_agent.store.mirror import Mirror
from edge_agent.store.outbox import queue
from sync.contract import Fact
from tests.sim import invariants, plant
from tests.sim.clock import SimLoop, passing
from tests.sim.decided import Decided, of_decisions, of_hand_overs
from tests.sim.disk import power_can_go
from tests.sim.erp import TOKEN, Erp
from tests.sim.invariants import Local
from tests.sim.net import Weather
from tests.sim.pc import AGENT, CONNECTOR, JOURNAL, Habits, Pc
from tests.sim.people import Lead, Person
from tests.sim.trouble import Trouble
from tests.sim.violation import Violation

T = TypeVar("T")

TROUBLE = 45.0  # seconds of a run in which things go wrong
PATIENCE = 150.0  # seconds after them in which all must be well again
_STATIONS = {"T1": "production", "T2": "picking", "T3": "production", "T4": "production"}
_LEAD = "T4"


@dataclass
class Outcome:
    """What came of a seed. The same seed has the same `log`."""

    seed: int
    log: str = ""
    violations: list[Violation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class World:
    """All of it; `run` once."""

    def __init__(self, seed: int, token: Path, *, lies: bool = False) -> None:
        self.outcome = Outcome(seed)
        self.loop = SimLoop()
        self._dice = dice = Random(seed)
        self._hash = hashlib.sha256()
        self._reopen: list[str] = []
        self._decisions = 0
        self.reopened: set[str] = set()  # jobs that the office closed, and thought again
        self.gone: dict[str, Fact] = {}  # what was in the journal when some began to leave
        weather = Weather()
        self.erp = Erp(self.loop, Random(dice.getrandbits(64)), self.note)
        stations = {id: Station(id, id, "", "", home) for id, home in _STATIONS.items()}
        self.pc = Pc(
            self.loop, Random(dice.getrandbits(64)), stations, weather, self.erp, token, self._look, self.note,
            _habits(dice), self._leaving,
        )  # fmt: skip
        self.pc.platter.lies = lies
        self.people = [
            Person(self.pc, id, badge, self.pc.clock, Random(dice.getrandbits(64)), self.note)
            for id, badge in zip(_STATIONS, plant.BADGES, strict=False)
        ]
        self.lead = Lead(
            self.pc, _LEAD, plant.LEADS[0], self.pc.clock, Random(dice.getrandbits(64)), self.note,
            open=self._undecided,
        )  # fmt: skip
        self.people.append(self.lead)
        self.trouble = Trouble(dice, self.pc, self.erp, weather, self.people, self.note)
        self.trouble.rotten = lies

    def note(self, *told: object) -> None:
        """A line of the log."""
        self._hash.update(repr((round(self.loop.time(), 6), told)).encode())

    def run(self) -> Outcome:
        """The whole run, and its end."""
        try:
            self.loop.run_until_complete(self._run())
        finally:
            self.pc.running = None
            self._end()
        self.outcome.log = self._hash.hexdigest()[:16]
        for fault in self.loop.faults:
            self._violated(Violation("BUG", fault[:300]))
        self.outcome.counts.update(
            seconds=round(self.loop.time() - 1000), cuts=self.pc.platter.cuts, erp_cuts=self.erp.platter.cuts,
            inputs=sum(person.inputs for person in self.people), decided=self._decisions, left=len(self.gone),
            saved=sum(len(person.saved) for person in self.people),
        )  # fmt: skip
        self.outcome.counts.update(self.trouble.counts)
        return self.outcome

    def _end(self) -> None:
        self.pc.troubled = self.erp.troubled = False
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            self.loop.run_until_complete(self._settle())
        self.pc.drive.close()
        self.erp.drive.close()
        self.loop.close()

    async def _settle(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    async def _run(self) -> None:
        self.erp.boot()
        self.pc.boot()
        work = [self.loop.create_task(person.work()) for person in self.people]
        trouble = [self.loop.create_task(each) for each in (self.trouble.run(), self.trouble.decay())]
        await passing(TROUBLE)
        for task in trouble:
            task.cancel()
        self.trouble.heal()
        self._reopen = sorted(id for id in self.trouble.closed if self._dice.random() < 0.5)
        if not await self._all_is_well():
            self._violated(Violation("NOT_DRAINED", f"{PATIENCE:.0f} s after all trouble: {await self._left()}"))
        for task in work:
            if task.done():
                self._violated(Violation("BUG", f"a terminal ended: {task.exception()!r}"))
            task.cancel()
        await self._judge()

    # ------------------------------------------------------------ the end of it

    async def _all_is_well(self) -> bool:
        """Wait until nothing waits any more, and all is quiet for as long as a pull takes."""
        until = self.loop.time() + PATIENCE
        quiet = 0
        while self.loop.time() < until:
            await passing(1.0)
            quiet = 0 if await self._left() else quiet + 1
            if quiet == 3 and not self.lead.decider.tidy:
                self._tidied()
            if quiet >= 8:
                return True
        return False

    def _tidied(self) -> None:
        """The office puts right what it had wrong, and thinks again of some orders; the lead goes through the list."""
        self.trouble.put_right(self._reopen)
        self.reopened |= set(self._reopen)
        self.lead.decider.begin_to_tidy()
        self.lead.at_work = True

    async def _undecided(self) -> int:
        """How many exceptions wait for the lead."""
        decider = self.lead.decider

        def look(conn: Connection) -> int:
            return sum(
                decider.undecided(each.key, each.corrected, each.waits_for, each.decided.choice if each.decided else "")
                for each in doubts(conn)
            )

        try:
            return await self._read(look)
        except (AgentAway, StoreError):
            return 0

    async def _left(self) -> str:
        """What is not as it should be yet; empty: nothing."""
        running, books = self.pc.running, self.erp.books
        if running is None or books is None:
            return "not running"
        try:
            unsent = (await self._read(lambda conn: queue(conn, CONNECTOR))).unsent
        except (AgentAway, StoreError) as error:
            return str(error)
        known, orders = running.store.book.jobs, [each.order for each in books.orders().orders]
        stale = [order.id for order in orders if known.get(order.id) != order]
        inputs = sum(person.waiting for person in self.people)
        open = await self._undecided() if self.lead.decider.tidy and not unsent else 0
        told = f"{unsent} facts, {inputs} inputs, {open} exceptions, old plans {stale}"
        return told if unsent or inputs or stale or open else ""

    async def _read(self, look: Callable[[Connection], T]) -> T:
        return await self.pc.ask(lambda running: running.store.read(look))

    # ------------------------------------------------------------ judging

    async def _leaving(self, store: Store) -> None:
        """Facts may leave the journal from now on."""
        facts = await store.read(lambda conn: Local.read(conn, self.gone).facts)
        self.gone |= {fact.id: fact for fact in facts}

    async def _look(self, store: Store, first: bool) -> None:
        """At each start of the agent: what it has is what people were told."""
        saved = self._saved()
        for violation in await store.read(lambda conn: [*invariants.of_journal(conn, saved, self.gone)]):
            if not self.trouble.rotten or violation.kind != "REBUILT":
                self._violated(violation)

    async def _judge(self) -> None:
        running, books = self.pc.running, self.erp.books
        if running is None or books is None:
            why = "; ".join(self.pc.refused_starts[-1:])
            self._violated(Violation("NOT_BACK", f"agent {running}, ERP {books} {why}"))
            return
        saved = self._saved()
        mirror = Mirror(JOURNAL.parent / "mirror", disk=self.pc.drive.beside())
        mirrored = {line.content[1] for line in mirror.lines()}
        closed = self.trouble.closed - self.reopened

        booked = {each.fact: each for each in books.bookings(AGENT)}
        orders = [each.order for each in books.orders().orders]
        people = [person.decider.seen for person in self.people]
        mistaken = self.trouble.taken if self.erp.careless else set()

        def look(conn: Connection) -> list[Violation]:
            local = Local.read(conn, self.gone)
            decided = Decided(local.facts, invariants.applied_of(local, booked))
            waiting = {fact.id: local.parked[fact.seq] for fact in local.facts if fact.seq in local.parked}
            waiting = {id: parked for id, parked in waiting.items() if parked.waits}
            codes = {id: code for seen in people for id, code in seen.items()}
            codes |= {id: parked.code for id, parked in waiting.items()}
            self._decisions = len(decided.all)
            four_eyes = self.pc.habits.policies.four_eyes
            return [
                *invariants.of_journal(conn, saved, self.gone),
                *invariants.of_mirror(mirrored | set(self.gone), saved),
                *invariants.of_people(local, self.people),
                *invariants.of_delivery(local, booked, closed, decided, mistaken),
                *of_decisions(decided, waiting, codes, four_eyes, self.trouble.taken),
                *([] if self.trouble.rotten else of_hand_overs(decided, waiting)),
                *invariants.of_figures(conn, local, orders, closed, decided.dead),
            ]

        for violation in await self._read(look):
            if not self.trouble.rotten or violation.kind != "REBUILT":
                self._violated(violation)
        if strange := [kind for kind in self.pc.refusals if kind not in ("io", "full", "corrupt")]:
            self._violated(Violation("REFUSED", f"inputs were refused: {Counter(strange)}"))

    def _saved(self) -> set[str]:
        return set().union(*(person.saved for person in self.people))

    def _violated(self, violation: Violation) -> None:
        self.note("VIOLATED", violation.kind)
        if len(self.outcome.violations) < 20:
            self.outcome.violations.append(violation)


def _habits(dice: Random) -> Habits:
    """The rules of the plant of this seed."""
    four_eyes = dice.choice((("correct",), ("correct",), (), ("correct", "resend", "hand_over")))
    keep = dice.choice((None, None, timedelta(seconds=2), timedelta(seconds=8)))
    return Habits(Policies(four_eyes=frozenset(four_eyes), lock_after=dice.choice((0.0, 0.0, 5.0))), keep)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with power_can_go():
            yield
    finally:
        logging.disable(before)


def run(seed: int, *, lies: bool = False) -> Outcome:
    """The run of a seed. `lies`: the disk of the PC says that a flush is done before it is."""
    with tempfile.TemporaryDirectory() as folder, _quiet():
        token = Path(folder) / "token"
        descriptor = os.open(token, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(descriptor, TOKEN.encode())
        os.close(descriptor)
        return World(seed, token, lies=lies).run()
