"""One run: a PC, an ERP, people, a network, and everything that happens to them. A seed is a run."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

from edge_agent.client import AgentAway
from edge_agent.scenarios.contract import Station
from edge_agent.store import Connection, Store, StoreError
from edge_agent.store.mirror import Mirror
from edge_agent.store.outbox import queue
from sync.contract import DispatchStatus
from tests.sim import invariants, plant
from tests.sim.clock import SimLoop, passing
from tests.sim.disk import power_can_go
from tests.sim.erp import TOKEN, Erp
from tests.sim.invariants import Local, Violation
from tests.sim.net import Weather
from tests.sim.pc import CONNECTOR, JOURNAL, Pc
from tests.sim.people import Person

T = TypeVar("T")

TROUBLE = 45.0  # seconds of a run in which things go wrong
PATIENCE = 150.0  # seconds after them in which all must be well again
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)  # no PC goes below it
_STATIONS = {"T1": "production", "T2": "picking", "T3": "production"}


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
        self._lies = self._rotten = lies
        self._rough: dict[str, bool] = {}
        self._reopen: list[str] = []
        self.weather = Weather()
        self.closed: set[str] = set()  # jobs that the office closed under the hands of people
        self.reopened: set[str] = set()
        self.erp = Erp(self.loop, Random(dice.getrandbits(64)), self.note)
        stations = {id: Station(id, id, "", "", home) for id, home in _STATIONS.items()}
        self.pc = Pc(
            self.loop, Random(dice.getrandbits(64)), stations, self.weather, self.erp, token, self._look, self.note
        )
        self.pc.platter.lies = lies
        self.people = [
            Person(self.pc, id, badge, self.pc.clock, Random(dice.getrandbits(64)), self.note)
            for id, badge in zip(_STATIONS, plant.BADGES, strict=True)
        ]

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
            inputs=sum(person.inputs for person in self.people),
            saved=sum(len(person.saved) for person in self.people),
        )  # fmt: skip
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
        trouble = self.loop.create_task(self._trouble())
        await passing(TROUBLE)
        trouble.cancel()
        self._heal()
        if not await self._all_is_well():
            self._violated(Violation("NOT_DRAINED", f"{PATIENCE:.0f} s after all trouble: {await self._left()}"))
        for task in work:
            if task.done():
                self._violated(Violation("BUG", f"a terminal ended: {task.exception()!r}"))
            task.cancel()
        await self._judge()

    # ------------------------------------------------------------ trouble

    async def _trouble(self) -> None:
        """Now and then something goes wrong; how often, and what, is the character of the seed."""
        dice, pace = self._dice, self._dice.choice((1.5, 4.0, 9.0))
        self._rough = rough = {name: dice.random() < 0.6 for name in ("disk", "terminal", "clock", "office", "kill")}
        rough["rot"] = dice.random() < 0.25
        self._ambience()
        kinds = [self._network, self._network, self._erp_off, self._power_off]
        kinds += [act for name, act in (
            ("disk", self._disk_fails), ("terminal", self._terminal_dies), ("clock", self._clock_jumps),
            ("office", self._office), ("kill", self._kill), ("rot", self._rots),
        ) if rough[name]]  # fmt: skip
        while True:
            await passing(dice.expovariate(1 / pace))
            act = dice.choice(kinds)
            self.note("trouble", act.__name__)
            self.outcome.counts[act.__name__.strip("_")] += 1
            await act()

    def _ambience(self) -> None:
        dice, sky = self._dice, self.weather
        sky.lose, sky.lose_reply = dice.choice((0.0, 0.05, 0.2)), dice.choice((0.0, 0.05, 0.2))
        sky.double, sky.garble = dice.choice((0.0, 0.1)), dice.choice((0.0, 0.05, 0.15))
        sky.delay = dice.choice((0.02, 0.3, 0.9))
        for person in self.people:
            person.line.breaks = dice.choice((0.0, 0.03, 0.1))

    async def _network(self) -> None:
        self.weather.cut = self._dice.random() < 0.6
        self.weather.portal = not self.weather.cut
        await passing(self._dice.choice((0.3, 2.0, 8.0)))
        self.weather.cut = self.weather.portal = False

    async def _erp_off(self) -> None:
        if self.erp.books is not None:
            self.erp.power_off()

    async def _power_off(self) -> None:
        if self.pc.running is not None:
            self.pc.power_off()

    async def _kill(self) -> None:
        if self.pc.running is not None:
            self.pc.kill()

    async def _rots(self) -> None:
        """A file of the database decays while the PC is off. Where people stood is not trusted after that."""
        if self.pc.running is None:
            return
        dice, name = self._dice, self._dice.choice(("/data/journal.db", "/data/journal.db-wal"))

        def harm(content: bytearray) -> None:
            match dice.choice(("bit", "bits", "zeros", "cut")):
                case "bit":
                    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
                case "bits":
                    for _ in range(20):
                        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
                case "zeros":
                    start = dice.randrange(len(content)) // 4096 * 4096
                    content[start : start + 4096] = bytes(len(content[start : start + 4096]))
                case "cut":
                    del content[dice.randrange(len(content)) :]

        self.pc.kill()
        if self.pc.platter.rot(name, harm):
            self._rotten = True
            for person in self.people:
                person.unsure += 1

    async def _terminal_dies(self) -> None:
        self._dice.choice(self.people).crash()

    async def _clock_jumps(self) -> None:
        now = self.pc.clock.now()
        year = timedelta(days=365)
        self._set_clock(self._dice.choice((now + year, now - timedelta(hours=1), _ZERO, now - year)))

    def _set_clock(self, to: datetime) -> None:
        self.pc.clock.set_to(max(to, _ZERO))

    async def _disk_fails(self) -> None:
        """The disk is full, or fails at times, and the program may be killed over it."""
        dice, number = self._dice, self._dice.choice((errno.EIO, errno.ENOSPC))
        chance, only = dice.choice((0.1, 0.5, 1.0)), dice.choice(("", "sync", "read"))

        def fault(what: str) -> int:
            asked = only == what or (not only and what not in ("remove", "read"))
            return (errno.EIO if what == "read" else number) if asked and dice.random() < chance else 0

        self.pc.platter.fault = fault
        await passing(dice.uniform(0.2, 3.0))
        if dice.random() < 0.4 and self.pc.running is not None:
            self.pc.kill()
        self.pc.platter.fault = lambda what: 0

    async def _office(self) -> None:
        """An order is closed while people work on it, and perhaps opened again; or it gets a new quantity."""
        id = self._dice.choice(plant.JOBS[:3])
        if self._dice.random() < 0.7:
            self.closed.add(id)
            self.erp.close_order(id)
            await passing(self._dice.uniform(1.0, 12.0))
        if self._dice.random() < 0.7:
            self.erp.put(plant.job(id, 5000 + self._dice.randint(1, 9)))

    # ------------------------------------------------------------ the end of it

    def _heal(self) -> None:
        self.note("healed")
        calm = Weather()
        self.weather.__dict__.update(calm.__dict__)
        self.pc.troubled = self.erp.troubled = False
        for platter in (self.pc.platter, self.erp.platter):
            platter.cut_at = None
            platter.fault = lambda what: 0
        for person in self.people:
            person.at_work = False
            person.line.breaks = 0.0
        if self._rough["clock"]:  # the last word of NTP
            self._set_clock(self.pc.clock.now() - timedelta(hours=self._dice.choice((1, 8760))))
        self._reopen = sorted(id for id in self.closed if self._dice.random() < 0.5)

    async def _all_is_well(self) -> bool:
        """Wait until nothing waits any more, and all is quiet for as long as a pull takes."""
        until = self.loop.time() + PATIENCE
        quiet = 0
        while self.loop.time() < until:
            await passing(1.0)
            quiet = 0 if await self._left() else quiet + 1
            if quiet == 3 and self._reopen:
                self._reopened()
            if quiet >= 3:
                await self._resent()
            if quiet >= 8:
                return True
        return False

    def _reopened(self) -> None:
        """The office thinks again, and the lead sends what was refused."""
        if self.erp.books is None:
            return
        for id in self._reopen:
            self.erp.put(plant.job(id, 5000, DispatchStatus.RELEASED))
        self.reopened |= set(self._reopen)
        self._reopen = []

    async def _resent(self) -> None:
        if self.pc.running is None:
            return
        local = await self._read(Local.read)
        refused = [
            fact for fact in local.facts
            if local.parked.get(fact.seq, ("", ""))[0] == "refused" and fact.body.about in self.reopened
        ]  # fmt: skip
        firsts = {fact.body.about: fact.seq for fact in reversed(refused)}
        for seq in sorted(firsts.values()):
            await self.pc.resend(seq)

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
        return f"{unsent} facts, {inputs} inputs, old plans {stale}" if unsent or inputs or stale else ""

    async def _read(self, look: Callable[[Connection], T]) -> T:
        return await self.pc.ask(lambda running: running.store.read(look))

    # ------------------------------------------------------------ judging

    async def _look(self, store: Store, first: bool) -> None:
        """At each start of the agent: what it has is what people were told."""
        saved = self._saved()
        for violation in await store.read(lambda conn: [*invariants.of_journal(conn, saved)]):
            if not self._rotten or violation.kind != "REBUILT":
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
        closed = self.closed - self.reopened

        def look(conn: Connection) -> list[Violation]:
            local = Local.read(conn)
            orders = [each.order for each in books.orders().orders]
            return [
                *invariants.of_journal(conn, saved), *invariants.of_mirror(mirrored, saved),
                *invariants.of_people(local, self.people), *invariants.of_delivery(local, books, closed),
                *invariants.of_figures(conn, local, orders, closed),
            ]  # fmt: skip

        for violation in await self._read(look):
            if not self._rotten or violation.kind != "REBUILT":
                self._violated(violation)
        if strange := [kind for kind in self.pc.refusals if kind not in ("io", "full", "corrupt")]:
            self._violated(Violation("REFUSED", f"inputs were refused: {Counter(strange)}"))

    def _saved(self) -> set[str]:
        return set().union(*(person.saved for person in self.people))

    def _violated(self, violation: Violation) -> None:
        self.note("VIOLATED", violation.kind)
        if len(self.outcome.violations) < 20:
            self.outcome.violations.append(violation)


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
