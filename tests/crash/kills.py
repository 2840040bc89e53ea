"""kill -9 of agent, ERP and terminal at random, on real processes, while people work at every terminal.

Every report has a quantity that no other report of its job has: so it can be seen which input became which fact,
which became none, and which became two.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random

import msgspec

from edge_agent.client import AgentAway, AgentClient
from edge_agent.demo.plans import plans
from edge_agent.scanning.labels import label
from edge_agent.store import journal
from edge_agent.views import Input, Kind, View
from sync.contract import AnyPlan, Fact, JobOrder, MaterialProduced
from sync.reference_views import OrdersReply
from tests.agent.person import an_input
from tests.agent.running import AGENT, PATIENCE, short_folder, site_text, until
from tests.crash.forked import ForkedAgent, ForkedErp, ForkedTerminal

VICTIMS = ("agent",) * 6 + ("erp",) * 3 + ("terminal",)
_SCREEN, _OTHERS = "T1", ("T2", "T3", "T4")
_JOBS = {terminal: f"J-{number}" for number, terminal in enumerate((_SCREEN, *_OTHERS), 901)}
_BADGES = dict(zip(_JOBS, ("1001", "1002", "1003", "1004"), strict=True))
_COPIED = "J-206"  # it has no drawing to scan
_TO_TYPE_AT = "good pieces"
_HAND = 0.08  # seconds between two keys of a person; a keyboard-wedge scanner is faster than 0.05
_LOOK_AGAIN = 1.0  # seconds after which a person at a screen goes on, unsure
_LATER = 0.05  # seconds within which the next kill falls, after somebody got an answer
_DRAIN = 60.0  # seconds


async def killed(kills: int, seed: int) -> Counter[str]:
    """So many kills of one plant, and its balance: lost, double, out_of_order and wrong_totals must be 0."""
    with short_folder() as folder:
        cell = _Cell(folder, Random(seed))
        try:
            await cell.begin()
            for _ in range(kills):
                await cell.kill()
            return await cell.balance()
        finally:
            await cell.end()


class _Cell:
    """One data folder and everything that works on it."""

    def __init__(self, folder: Path, dice: Random) -> None:
        self._dice = dice
        self._next: list[str] = []
        self.erp = ForkedErp(folder, _endless())
        site = site_text(tuple(_JOBS), erp=self.erp.url)
        self.agent = ForkedAgent(folder, site)
        address = f"unix:{self.agent.socket}"
        self.terminal = ForkedTerminal(folder, _SCREEN, address)
        self.client = AgentClient(address)
        self.counts: Counter[str] = Counter()
        self.people = [_Reporter(self.client, terminal) for terminal in _OTHERS]
        self.reader = _Reader(self.terminal)
        self._everybody: list[_Reporter | _Reader] = [*self.people, self.reader]
        self._work: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Start all three, sign everybody on, and let them work."""
        self.erp.start()
        self.agent.start()
        await until(self._ready, "an agent that answers")
        await until(self._planned, "the first plans")
        for terminal, job in _JOBS.items():
            await self.client.send(terminal, an_input("scan", label(Kind.BADGE, _BADGES[terminal])))
            view = await self.client.send(terminal, an_input("scan", label(Kind.JOB, job)))
            assert view.step == "running", (terminal, view.step, view.message)
        self.terminal.start()
        await until(self._painted, "a screen to type at")
        self._work = [asyncio.create_task(person.work()) for person in self._everybody]

    async def kill(self) -> None:
        """Wait for one more answer, then kill one of them at any moment of what follows; it starts again at once."""
        if not self._next:
            self._next = self._dice.sample(VICTIMS, len(VICTIMS))
        victim = self._next.pop()
        # A terminal needs longer to find its agent again than the next kill of that takes to come.
        who = [self.reader] if victim == "terminal" else self._everybody
        answered = _answers(who)
        await until(lambda: _after(who, answered), "one more answer")
        await asyncio.wait(self._work, timeout=self._dice.uniform(0, _LATER), return_when=asyncio.FIRST_COMPLETED)
        for task in self._work:
            if task.done():
                task.result()
        self.counts["kills"] += 1
        self.counts[f"{victim}_kills"] += 1
        one: ForkedAgent | ForkedErp | ForkedTerminal = self.agent
        if victim != "agent":
            one = self.erp if victim == "erp" else self.terminal
        one.kill()
        one.start()
        if victim == "agent":
            await until(self._ready, "an agent that answers")

    async def balance(self) -> Counter[str]:
        """Stop the people, let everything drain, and compare all three: screens, journal, books."""
        for person in self._everybody:
            person.stop = True
        await asyncio.gather(*self._work)
        await until(self._drained, "the ERP to have everything", _DRAIN)
        facts = self._kept()
        bookings = [each for each in self.erp.bookings(AGENT) if each.outcome == "applied"]
        at_erp = Counter(each.fact for each in bookings)
        confirmed = set[str]().union(*(person.confirmed for person in self.people)) | self._seen(facts)
        known = {fact.id for fact in facts}
        reported = {each.quantity for each in _reports(facts) if each.terminal == _SCREEN}
        unknown = [str(quantity) for quantity in self.reader.shown if quantity not in reported]
        lost = [id for id in confirmed if id not in known or not at_erp[id]]
        lost += [fact.id for fact in facts if not at_erp[fact.id]]
        reports = Counter((each.terminal, each.quantity) for each in _reports(facts))
        self.counts.update(
            confirmed=len(confirmed) + len(unknown), lost=len({*lost, *unknown}),
            double=sum(times - 1 for times in (*reports.values(), *at_erp.values())),
            out_of_order=_out_of_order([(each.about, each.seq) for each in bookings]),
            wrong_totals=self._wrong_totals(facts),
            again=sum(person.again for person in self.people),
            unsure=self.reader.unsure, shown=len(self.reader.shown),
        )  # fmt: skip
        for id in sorted({*lost, *unknown})[:5]:
            self.counts[f"lost: {id}"] = 1
        return self.counts

    async def end(self) -> None:
        """End everything that may still run."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        await self.client.close()
        for one in (self.terminal, self.agent, self.erp):
            one.kill()

    async def _ready(self) -> bool:
        return self.agent.ready

    async def _planned(self) -> bool:
        with contextlib.suppress(AgentAway):
            return any(label(Kind.JOB, _JOBS[_SCREEN]) == row.text for row in await self.client.labels())
        return False

    async def _painted(self) -> bool:
        return self.terminal.shows(_TO_TYPE_AT)

    async def _drained(self) -> bool:
        with contextlib.suppress(AgentAway):
            return (await self.client.health()).unsent == 0
        return False

    def _kept(self) -> tuple[Fact, ...]:
        """The whole journal, of a killed agent: its log is still to be read."""
        self.agent.kill()
        copy = self.agent.folder / "copy"
        copy.mkdir()
        for file in self.agent.database.parent.glob("journal.db*"):
            shutil.copy(file, copy / file.name)
        with closing(sqlite3.connect(copy / "journal.db")) as connection:
            broken = journal.verify(connection)
            assert broken is None, f"the chain is broken at {broken}"
            facts = journal.facts(connection, 0, 10_000_000)
        assert [fact.seq for fact in facts] == list(range(1, len(facts) + 1)), "a number is missing"
        return facts

    def _seen(self, facts: tuple[Fact, ...]) -> set[str]:
        """The facts that the screen has shown as saved, told by their quantities."""
        reports = [each for each in _reports(facts) if each.terminal == _SCREEN]
        return {each.id for each in reports if each.quantity in self.reader.shown}

    def _wrong_totals(self, facts: tuple[Fact, ...]) -> int:
        told: Counter[str] = Counter()
        for each in _reports(facts):
            told[each.about] += each.quantity
        orders = msgspec.json.decode(self.erp.call("GET", "/v1/orders"), type=OrdersReply).orders
        booked = {each.order.id: Fraction(each.order.good) for each in orders}
        return sum(booked[job] != told[job] for job in _JOBS.values())


class _Reporter:
    """Somebody whose terminal is this program: sends each report until it is answered."""

    def __init__(self, client: AgentClient, terminal: str) -> None:
        self.confirmed: set[str] = set()
        self.answers = self.again = 0
        self.stop = False
        self._client, self._terminal = client, terminal

    async def work(self) -> None:
        """Until told to stop."""
        quantity = 0
        while not self.stop:
            quantity += 1
            view = await self._answer(an_input("entry", str(quantity)))
            assert view.message is not None, (self._terminal, view.step)
            assert view.message.facts, (self._terminal, view.step, view.message)
            self.confirmed.update(view.message.facts)
            self.answers += 1

    async def _answer(self, given: Input) -> View:
        async def sent() -> View | None:
            with contextlib.suppress(AgentAway):
                return await self._client.send(self._terminal, given)
            self.again += 1
            return None

        view = await until(sent, f"an answer to {given}", 2 * PATIENCE)
        assert view is not None
        return view


class _Reader:
    """Somebody at a screen: types, reads what it says, and never types the same again."""

    def __init__(self, terminal: ForkedTerminal) -> None:
        self.shown: set[int] = set()
        self.answers = self.unsure = 0
        self.stop = False
        self._terminal = terminal

    async def work(self) -> None:
        """Until told to stop."""
        quantity = 100
        while not self.stop:
            quantity += 1
            said = f"{quantity} pc good reported for {_JOBS[_SCREEN]}"
            self._terminal.forget()
            for key in f"{quantity}\r":  # behind what was refused and may stand there still
                self._terminal.type(key)
                over = asyncio.get_running_loop().time() + _HAND
                while asyncio.get_running_loop().time() < over:
                    await asyncio.sleep(0.01)
            if await self._reads(said):
                self.shown.add(quantity)
                self.answers += 1
            else:
                self.unsure += 1

    async def _reads(self, said: str) -> bool:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + _LOOK_AGAIN
        while loop.time() < give_up and not self.stop:
            if self._terminal.shows(said):
                return True
            await asyncio.sleep(0.01)
        return False


def _answers(people: Sequence[_Reporter | _Reader]) -> int:
    return sum(person.answers for person in people)


async def _after(people: Sequence[_Reporter | _Reader], answers: int) -> bool:
    return _answers(people) > answers


def _endless() -> list[AnyPlan]:
    """The plans of the demo, and jobs that never get full."""
    known = plans(datetime.now(UTC))
    model = next(plan for plan in known if isinstance(plan, JobOrder) and plan.id == _COPIED)
    return [*known, *(msgspec.structs.replace(model, id=job, quantity=Decimal(10**9)) for job in _JOBS.values())]


@dataclass(frozen=True)
class _Report:
    """A fact of good pieces."""

    id: str
    terminal: str
    about: str
    quantity: int


def _reports(facts: tuple[Fact, ...]) -> list[_Report]:
    return [
        _Report(fact.id, fact.terminal, fact.body.about, int(fact.body.quantity))
        for fact in facts if isinstance(fact.body, MaterialProduced)
    ]  # fmt: skip


def _out_of_order(arrived: list[tuple[str, int]]) -> int:
    """How many came after a later one of the same job."""
    last, late = Counter[str](), 0
    for about, seq in arrived:
        late += seq < last[about]
        last[about] = max(seq, last[about])
    return late
