"""A connector that was taken out of the site file: told, settled by a person, and in nobody's way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from edge_agent.doubts import Doubt, answered
from edge_agent.store import Entry, Store
from edge_agent.store.doubts import doubts, open_doubts
from edge_agent.store.outbox import JournalOutbox
from sync.contract import AnyFact, Applied, Receipt, Refused
from sync.exceptions import Choice
from tests.crash.images import DAMAGES
from tests.store.making import produced
from tests.support.manual_clock import ManualClock

MONTH = 30 * 86_400.0


class Pc:
    """A store with two connectors, of which the old one has refused a report and never had the last two."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.store: Store

    async def start(self, *connectors: str) -> None:
        self.store = await Store.open(self.folder / "journal.db", "agent-1", self.clock)
        await self.store.serve(connectors)

    async def report(self, *bodies: AnyFact) -> list[str]:
        entries = [Entry(self.clock.new_id(), body) for body in bodies]
        await self.store.write(lambda conn: self.store.record(conn, entries, self.clock.now(), "T1", "P1"))
        return [entry.id for entry in entries]

    async def deliver(self, connector: str, *refused: str) -> list[str]:
        outbox, sent = JournalOutbox(self.store, connector, self.clock), list[str]()
        while facts := await outbox.pending(1):  # what is about the same as a refused one waits
            answers: list[Receipt] = [
                Refused(each.id, "closed_order", "It is closed.") if each.id in refused else Applied(each.id, "B")
                for each in facts
            ]
            await outbox.settle(answers)
            sent += [each.id for each in facts]
        return sent

    async def doubts(self) -> list[Doubt]:
        return [*await self.store.read(doubts)]

    async def decide(self, doubt: Doubt, choice: Choice) -> None:
        await self.report(*answered(doubt, choice, note="the old office"))

    async def let_go(self) -> int:
        """How many facts stay once all are old."""
        await self.report(produced("last"))
        await self.deliver("new")
        self.clock.advance(MONTH)
        while await self.store.let_go(["new"], self.clock.now() - timedelta(days=1)):
            pass
        (count,) = await self.store.read(lambda conn: conn.execute("SELECT count(*) FROM journal").fetchone())
        return int(count)


@pytest.fixture
async def pc(tmp_path: Path) -> AsyncIterator[Pc]:
    pc = Pc(tmp_path)
    await pc.start("old", "new")
    (bad, *_) = await pc.report(produced("J1"), produced("J1"), produced("J2"))
    await pc.deliver("old", bad)
    await pc.report(produced("J2"), produced("J3"))
    await pc.deliver("new")
    await pc.store.close()
    yield pc
    await pc.store.close()


async def test_it_is_told_with_what_waits_for_it_and_stops_nothing(pc: Pc) -> None:
    await pc.start("new")
    (problem,) = await pc.store.problems()
    assert "Connector old is no longer in the site file, and 4 reports wait for it, 1 of them refused." in problem
    one, all_of_it = sorted(await pc.doubts(), key=lambda each: each.facts)
    assert (one.kind, one.connector, one.code, one.reason, one.seq) == (
        "gone", "old", "closed_order", "It is closed.", 1,
    )  # fmt: skip
    assert one.choices == ("acknowledge", "hand_over")
    assert (all_of_it.key, all_of_it.facts) == ("connector/old", 3)
    assert await pc.let_go() == 1
    left = {each.key: each for each in await pc.doubts()}
    assert set(left) == {one.key, "connector/old"}, "what it refused stays to be seen, whole"
    assert left[one.key].fact == one.fact


@pytest.mark.parametrize("choice", ["hand_over", "acknowledge"])
async def test_whoever_says_what_becomes_of_it_has_settled_it(choice: Choice, pc: Pc) -> None:
    await pc.start("new")
    for each in await pc.doubts():
        await pc.decide(each, choice)
    assert (await pc.doubts(), await pc.store.read(open_doubts), await pc.store.problems()) == ([], 0, ())
    await pc.store.close()
    await pc.start("new")
    assert (await pc.doubts(), await pc.store.problems()) == ([], ())


async def test_one_that_comes_back_is_offered_all_that_is_there(pc: Pc) -> None:
    await pc.start("new")
    await pc.store.close()
    await pc.start("old", "new")
    assert (await pc.doubts(), await pc.store.problems()) == ([], ())
    assert len(await pc.deliver("old")) == 5


async def test_one_that_comes_back_too_late_is_told_with_what_it_never_had(pc: Pc) -> None:
    await pc.start("new")
    before = {each.key for each in await pc.doubts()}
    assert await pc.let_go() == 1
    await pc.store.close()
    await pc.start("old", "new")
    assert {each.key for each in await pc.doubts()} == before


async def test_one_that_had_all_leaves_without_a_word(pc: Pc) -> None:
    await pc.start("old")
    assert [each.kind for each in await pc.doubts()] == ["refused"], "of the one that is there"
    assert await pc.store.problems() == ()


@pytest.mark.parametrize("name", ["database garbage", "database page zeroed", "log removed"])
async def test_what_waits_for_it_outlives_a_damage(name: str, pc: Pc) -> None:
    await pc.start("new")
    before = {each.key: (each.fact, each.facts) for each in await pc.doubts()}
    (one,) = (each for each in await pc.doubts() if each.key != "connector/old")
    for life in (1, 2):
        await pc.store.close()
        if (pc.folder / "journal.db-wal").exists() or "database" in name:
            DAMAGES[name](pc.folder, Random(life))
        pc.clock.advance(60.0)
        await pc.start("new")
        assert {each.key: (each.fact, each.facts) for each in await pc.doubts() if each.kind == "gone"} == before
        if life == 1:
            await pc.decide(one, "hand_over")
            del before[one.key]


async def test_a_decision_of_before_does_not_settle_what_was_left_behind_since(pc: Pc) -> None:
    await pc.start("old", "new")
    (one,) = await pc.doubts()
    await pc.decide(one, "hand_over")
    await pc.store.close()
    await pc.start("new")
    assert one.key in {each.key for each in await pc.doubts()}
    await pc.store.close()
    DAMAGES["database garbage"](pc.folder, Random(1))
    await pc.start("new")
    assert one.key in {each.key for each in await pc.doubts()}


async def test_one_that_never_had_an_answer_is_told_before_its_facts_go(tmp_path: Path) -> None:
    pc = Pc(tmp_path)
    await pc.start("old", "new")
    await pc.report(*(produced(f"J{n}") for n in range(5)))
    await pc.deliver("new")
    await pc.store.close()
    await pc.start("new")
    try:
        (problem,) = await pc.store.problems()
        assert "Connector old is no longer in the site file, and 5 reports wait for it." in problem
        assert await pc.let_go() == 1
        assert [(each.key, each.facts) for each in await pc.doubts()] == [("connector/old", 5)]
    finally:
        await pc.store.close()


@pytest.fixture
async def lost(tmp_path: Path) -> AsyncIterator[Pc]:
    """Five facts left the journal while the old connector, which never had them, was out; it is back."""
    pc = Pc(tmp_path)
    await pc.start("old", "new")
    await pc.report(*(produced(f"J{n}") for n in range(5)))
    await pc.deliver("new")
    await pc.store.close()
    await pc.start("new")
    assert await pc.let_go() == 1
    await pc.store.close()
    await pc.start("old", "new")
    yield pc
    await pc.store.close()


async def again(pc: Pc, *connectors: str) -> int:
    """How many facts are told after a start with these connectors."""
    await pc.store.close()
    await pc.start(*connectors)
    return sum(each.facts for each in await pc.doubts() if each.key == "connector/old")


async def test_a_second_removal_adds_to_what_was_lost_before(lost: Pc) -> None:
    assert len(await lost.deliver("old")) == 1, "what the journal still has"
    await lost.report(produced("J6"))
    assert await again(lost, "new") == 6
    assert await again(lost, "old", "new") == 5, "the sixth is offered again"
    assert await again(lost, "old", "new") == 5
    assert len(await lost.deliver("old")) == 2, "its place was given up: all that is there"
    await lost.report(produced("J7"))
    assert await again(lost, "new") == 6
    await lost.deliver("new")
    assert await lost.let_go() == 1
    assert await again(lost, "old", "new") == 6, "now that has left the journal as well"
    (told,) = await lost.doubts()
    await lost.decide(told, "acknowledge")
    assert await again(lost, "old", "new") == 0


async def test_of_what_comes_back_late_only_what_left_the_journal_stays_told(tmp_path: Path) -> None:
    pc = Pc(tmp_path)
    await pc.start("old", "new")
    await pc.report(*(produced(f"J{n}") for n in range(5)))
    assert await again(pc, "new") == 5
    await pc.deliver("new")
    pc.clock.advance(MONTH)
    assert await pc.store.let_go(["new"], pc.clock.now() - timedelta(days=1))  # the last fact always stays
    assert await again(pc, "old", "new") == 4
    assert len(await pc.deliver("old")) == 1
    assert await again(pc, "new") == 4
    await pc.store.close()


async def test_what_waited_behind_a_refused_one_is_told_when_it_has_left_the_journal(tmp_path: Path) -> None:
    pc = Pc(tmp_path)
    await pc.start("old", "new")
    (bad, *_) = await pc.report(produced("J1"), produced("J1"), produced("J2"), produced("J3"))
    await pc.deliver("old", bad)  # the second is held, the others are taken
    await pc.deliver("new")
    assert await again(pc, "new") == 1
    pc.clock.advance(MONTH)
    await pc.store.let_go(["new"], pc.clock.now() - timedelta(days=1))
    assert await again(pc, "old", "new") == 1
    await pc.store.close()
