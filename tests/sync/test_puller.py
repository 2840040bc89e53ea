from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from sync.contract import Fact, Person, PlanPage
from sync.ports import Unreachable
from sync.puller import Puller
from tests.support.manual_clock import ManualClock
from tests.sync.plant import MemoryInbox, RecordingLink, fact
from tests.sync.scripted import ScriptedConnector


class Bench:
    """A puller between a scripted connector and a memory inbox."""

    def __init__(self, *pages: PlanPage | Exception) -> None:
        self.inbox = MemoryInbox()
        self.connector = ScriptedConnector()
        self.connector.pages = list(pages)
        self.link = RecordingLink()
        self.clock = ManualClock()
        self.puller = Puller(self.inbox, self.connector, self.link, self.clock, Random(1), interval=5.0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.puller.run())
        try:
            async with asyncio.timeout(10):
                yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def page(cursor: str, *ids: str, more: bool = False, as_of: int = 0) -> PlanPage:
    plans = tuple(Person(id=id, name=id, badge=id) for id in ids)
    return PlanPage(cursor=cursor, as_of_seq=as_of, plans=plans, more=more)


async def test_pages_are_pulled_until_there_is_no_more() -> None:
    bench = Bench(page("a", "p1", more=True), page("b", "p2", more=True), page("c", "p3"))
    async with bench.running():
        await bench.inbox.taken(3)
        (due,) = await bench.clock.sleeping()
    assert bench.connector.cursors == [None, "a", "b"]
    assert sorted(id for _, id in bench.inbox.plans) == ["p1", "p2", "p3"]
    assert due - bench.clock.monotonic() == 5.0


async def test_the_next_pull_comes_after_the_interval_with_the_last_cursor() -> None:
    bench = Bench(page("a"), page("b"))
    async with bench.running():
        await bench.clock.sleeping()
        bench.clock.advance(5.0)
        await bench.inbox.taken(2)
    assert bench.connector.cursors == [None, "a"]


async def test_a_poke_pulls_at_once() -> None:
    bench = Bench(page("a"), page("b"))
    async with bench.running():
        await bench.clock.sleeping()
        bench.puller.poke()
        await bench.inbox.taken(2)
        (due,) = await bench.clock.sleeping()
    assert bench.clock.monotonic() == ManualClock().monotonic() == due - 5.0
    assert bench.link.told == ["up", "up"]


async def test_a_poke_during_a_pull_is_not_lost() -> None:
    bench = Bench(page("a"), page("b"))
    bench.puller.poke()
    async with bench.running():
        await bench.inbox.taken(2)


async def test_a_lost_erp_is_asked_again_with_the_same_cursor_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "sync")
    bench = Bench(page("a"), *[Unreachable("away") for _ in range(5)], page("b"))
    async with bench.running():
        await bench.inbox.taken(1)
        while len(bench.inbox.pages) < 2:
            await bench.clock.sleeping()
            bench.clock.advance(60)
            await asyncio.sleep(0)
    assert bench.connector.cursors == [None, *["a"] * 6]
    assert bench.link.told == ["up", *["unreachable"] * 5, "up"]
    assert [line.message for line in caplog.records] == ["sync.lost", "sync.back"]


async def test_a_cursor_that_stands_still_is_no_reason_to_ask_for_ever() -> None:
    bench = Bench(page("a", more=True), page("a", more=True))
    async with bench.running():
        await bench.clock.sleeping()
    assert bench.link.told == ["up", "ambiguous"]


async def test_a_bug_of_a_connector_does_not_end_the_plans() -> None:
    bench = Bench(KeyError("x"), page("a"))
    async with bench.running():
        await bench.clock.sleeping()
        bench.clock.advance(60)
        await bench.inbox.taken(1)
    assert bench.link.told == ["internal", "up"]


def taken(*seqs: int) -> list[Fact]:
    return [fact(seq) for seq in seqs]


@pytest.mark.parametrize(
    ("as_of", "has", "forgot"),
    [
        (9, (), []),  # as far as we know
        (12, (), []),  # it decided more meanwhile
        (5, (5, 9), []),  # its plans were made some time ago
        (5, (5,), [5]),  # an old backup of it was restored
        (5, (), []),  # it never tells what it has
        (0, (), [0]),  # it was set up anew
    ],
)
async def test_an_erp_that_has_forgotten_facts_is_offered_them_again(
    as_of: int, has: tuple[int, ...], forgot: list[int]
) -> None:
    bench = Bench(page("a", as_of=as_of), page("b", as_of=as_of))
    bench.inbox.taken_facts = taken(*range(1, 10))
    bench.connector.booked = [f"pc1-{seq}" for seq in has]
    async with bench.running():
        await bench.clock.sleeping()
        bench.clock.advance(5.0)
        await bench.inbox.taken(2)
        await bench.clock.sleeping()
    assert bench.inbox.forgot == forgot, "and only once, while it says the same"
    assert bench.link.told == ["up", "up"]


async def test_what_was_taken_while_the_plans_were_on_their_way_was_not_forgotten() -> None:
    bench = Bench(page("a", as_of=3))
    bench.inbox.taken_facts = taken(1, 2, 3)
    pull = bench.connector.pull

    async def slow(cursor: str | None) -> PlanPage:
        answer = await pull(cursor)
        bench.inbox.taken_facts = taken(1, 2, 3, 4, 5)
        return answer

    bench.connector.pull = slow  # type: ignore[method-assign]
    async with bench.running():
        await bench.clock.sleeping()
    assert bench.inbox.forgot == []
    assert bench.connector.calls == [], "nothing was asked"
