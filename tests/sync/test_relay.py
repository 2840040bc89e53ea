from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.contract import HELD_BACK, Applied, Booked, Duplicate, Fact, Receipt, Refused
from sync.ports import Ambiguous, NotAllowed, Unreachable
from sync.relay import ASKED, GRACE, Relay
from sync.turns import Turns
from tests.support.manual_clock import ManualClock
from tests.sync.plant import MemoryOutbox, RecordingLink, fact, good
from tests.sync.scripted import ScriptedConnector, Step, book, book_and_lose_the_reply, choke_on


class Bench:
    """A relay between a memory outbox and a scripted connector, under a clock moved by hand."""

    def __init__(self, facts: int = 0, batch: int = 100, per_second: float = 0.0) -> None:
        self.outbox = MemoryOutbox([fact(seq) for seq in range(1, facts + 1)])
        self.connector = ScriptedConnector()
        self.link = RecordingLink()
        self.clock = ManualClock()
        turns = Turns(self.clock, per_second)
        self.relay = Relay(self.outbox, self.connector, self.link, self.clock, Random(1), batch, turns)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.relay.run())
        try:
            async with asyncio.timeout(10):
                yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def next_try(self) -> float:
        """Wait for the back-off, let it pass; returns its length in seconds."""
        due = (await self.clock.sleeping())[0]
        wait = due - self.clock.monotonic()
        self.clock.advance(wait)
        return wait


def ids(*seqs: int) -> list[str]:
    return [f"pc1-{seq}" for seq in seqs]


async def test_facts_go_up_in_order_and_in_batches() -> None:
    bench = Bench(facts=250)
    async with bench.running():
        await bench.outbox.settled(250)
    assert bench.connector.booked == ids(*range(1, 251))
    assert [len(push) for push in bench.connector.pushes] == [100, 100, 50]


async def test_a_new_fact_is_sent_at_once() -> None:
    bench = Bench()
    async with bench.running():
        bench.outbox.add(fact(1))
        await bench.outbox.settled(1)
        bench.outbox.add(fact(2))
        await bench.outbox.settled(2)
    assert bench.connector.booked == ids(1, 2)
    assert bench.clock.sleepers == []


async def test_after_a_start_the_erp_is_asked_before_anything_is_sent() -> None:
    bench = Bench(facts=3)
    bench.connector.booked = ids(1)
    async with bench.running():
        await bench.outbox.settled(3)
    assert bench.connector.calls == [("ask", ids(1, 2, 3)), ("push", ids(2, 3))]


async def test_a_refusal_from_before_is_no_answer_to_a_fact_that_was_sent_again() -> None:
    bench = Bench(facts=2)
    bench.connector.refused = {ids(1)[0]: "closed_order"}
    async with bench.running():
        await bench.outbox.settled(2)
    assert bench.connector.calls[0][0] == "ask"
    assert bench.connector.booked == ids(1, 2), "it is judged anew"


async def test_after_an_unclear_answer_what_is_known_is_settled_before_the_rest_is_sent_in_halves() -> None:
    bench = Bench(facts=5)
    bench.connector.script = [book_and_lose_the_reply(2)]
    async with bench.running():
        await bench.next_try()
        await bench.outbox.settled(5)
    asked, pushed, asked_again, *rest = bench.connector.calls
    assert (asked[0], pushed) == ("ask", ("push", ids(1, 2, 3, 4, 5)))
    assert asked_again == ("ask", ids(1, 2, 3, 4, 5))
    assert rest == [("push", ids(3, 4)), ("push", ids(5))]
    assert bench.outbox.settlements == [ids(1, 2), ids(3, 4), ids(5)]
    assert bench.connector.booked == ids(1, 2, 3, 4, 5)


async def test_a_question_whose_answer_is_more_than_the_line_carries_gets_smaller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An answer tells each fact again: on a slow line one about fifty would never come in time."""
    bench = Bench(facts=80)
    bench.connector.booked = ids(*range(1, 81))
    answer = bench.connector.ask

    async def ask(asked: Sequence[str]) -> Mapping[str, Receipt]:
        if len(asked) > 13:
            bench.connector.calls.append(("ask", [*asked]))
            raise Ambiguous("No answer in time.")
        return await answer(asked)

    monkeypatch.setattr(bench.connector, "ask", ask)
    async with bench.running():
        await bench.next_try()
        await bench.next_try()
        await bench.outbox.settled(80)
    assert [len(asked) for what, asked in bench.connector.calls if what == "ask"] == [50, 25, *[12] * 6, 8]
    assert bench.connector.pushes == []


def told_of(*digests: str | None) -> Step:
    """It has all of them already, and says so with these digests of what it has."""

    def step(connector: ScriptedConnector, facts: Sequence[Fact]) -> Sequence[Receipt]:
        connector.script.insert(0, step)
        return [
            Duplicate(fact.id, "RB", None if digest is None else Booked(digest or connector.keeps(fact.id).digest))
            for fact, digest in zip(facts, digests, strict=False)
        ]

    return step


async def test_a_duplicate_of_something_else_is_parked_and_not_delivered() -> None:
    bench = Bench()
    bench.outbox.add(fact(1, good("W1")), fact(2, good("W2")))
    bench.connector.script = [told_of("", "00" * 32)]
    async with bench.running():
        await bench.outbox.settled(2)
    assert bench.outbox.parked == {"pc1-2": "key_reused"}
    refused = bench.outbox.receipts["pc1-2"]
    assert isinstance(refused, Refused)
    assert "another report under this id: its digest is 000000000000 there" in refused.reason


async def test_a_duplicate_that_does_not_say_of_what_is_asked_for_by_id() -> None:
    bench = Bench()
    bench.outbox.add(fact(1, good("W1")), fact(2, good("W2")), fact(3, good("W3")))
    bench.connector.script = [told_of(None, None, None)]
    bench.connector.gate = asyncio.Event()
    async with bench.running():
        await bench.connector.arrived.wait()
        bench.connector.booked = ids(1, 2, 3)
        bench.connector.seen["pc1-2"] = fact(2, good("W2", 7))
        bench.connector.gate.set()
        await bench.outbox.settled(3)
    assert bench.outbox.parked == {"pc1-2": "key_reused"}
    assert bench.connector.calls == [("ask", ids(1, 2, 3)), ("push", ids(1, 2, 3)), ("ask", ids(1, 2, 3))]


async def test_a_duplicate_of_nobody_knows_what_is_never_delivered() -> None:
    bench = Bench(facts=1)
    bench.connector.script = [told_of(None)]
    async with bench.running():
        for _ in range(20):
            await bench.next_try()
    assert bench.outbox.receipts == {}
    assert set(bench.link.told) == {"ambiguous"}
    assert "not with which content" in bench.link.reasons[-1]


async def test_unreachable_means_nothing_was_booked_so_nothing_is_asked() -> None:
    bench = Bench(facts=1)
    bench.connector.script = [Unreachable("Nobody answers.")]
    async with bench.running():
        await bench.next_try()
        await bench.link.heard("unreachable", "up")
    assert [what for what, _ in bench.connector.calls] == ["ask", "push", "push"]
    assert bench.link.told == ["unreachable", "up"]
    assert bench.link.reasons == ["Nobody answers."]


async def test_an_erp_that_answers_questions_but_books_nothing_is_left_alone_more_and_more() -> None:
    bench = Bench(facts=1)
    bench.connector.script = [Ambiguous("HTTP 500") for _ in range(8)]
    async with bench.running():
        waits = [await bench.next_try() for _ in range(8)]
        await bench.outbox.settled(1)
    assert waits == sorted(waits)
    assert waits[-1] > 10


@pytest.mark.parametrize("poison", [1, 2, 7, 57, 99, 100])
async def test_a_fact_nobody_can_read_is_parked_alone_and_the_others_flow(poison: int) -> None:
    bench = Bench()
    bench.outbox.add(*(fact(seq, good(about=f"W{seq}")) for seq in range(1, 101)))
    bench.connector.script = [choke_on(*ids(poison))]
    async with bench.running():
        await bench.outbox.settled(100)
    assert bench.outbox.parked == {f"pc1-{poison}": "not_understood"}
    assert bench.connector.booked == ids(*(seq for seq in range(1, 101) if seq != poison))
    assert len(bench.connector.pushes) < 30


async def test_what_follows_a_poison_fact_on_its_job_waits_behind_it() -> None:
    bench = Bench()
    bench.outbox.add(fact(1, good("W1")), fact(2, good("W2")), fact(3, good("W1")), fact(4, good("W3")))
    bench.connector.script = [choke_on(*ids(1))]
    async with bench.running():
        await bench.outbox.settled(3)
    assert bench.connector.booked == ids(2, 4)


async def test_a_fact_held_back_is_no_decision_and_stays_pending() -> None:
    bench = Bench(facts=2)

    def refuse_first(connector: ScriptedConnector, facts: Sequence[Fact]) -> Sequence[Receipt]:
        first, second = facts
        return [Refused(first.id, "closed_order", "closed"), Refused(second.id, HELD_BACK, "waits")]

    bench.connector.script = [refuse_first]
    async with bench.running():
        await bench.outbox.settled(1)
    assert bench.outbox.parked == {"pc1-1": "closed_order"}
    assert "pc1-2" not in bench.outbox.receipts


def _swapped(connector: ScriptedConnector, facts: Sequence[Fact]) -> Sequence[Receipt]:
    return book(connector, facts)[::-1]


def _one_missing(connector: ScriptedConnector, facts: Sequence[Fact]) -> Sequence[Receipt]:
    return book(connector, facts)[:-1]


def _of_another(connector: ScriptedConnector, facts: Sequence[Fact]) -> Sequence[Receipt]:
    return [Applied("somebody-else", "RB") for _ in facts]


@pytest.mark.parametrize("lie", [_swapped, _one_missing, _of_another])
async def test_receipts_that_do_not_name_the_facts_are_no_answer(lie: Step) -> None:
    bench = Bench(facts=3)
    bench.connector.script = [lie]
    async with bench.running():
        await bench.clock.sleeping()
        assert bench.outbox.receipts == {}
        assert bench.link.told == ["ambiguous"]
        await bench.next_try()
        await bench.outbox.settled(3)


async def test_a_token_that_is_not_accepted_waits_long_and_a_poke_tries_again() -> None:
    bench = Bench(facts=1)
    bench.connector.script = [NotAllowed("The token is wrong.")]
    async with bench.running():
        (due,) = await bench.clock.sleeping()
        assert due - bench.clock.monotonic() >= 30
        bench.relay.poke()
        await bench.link.heard("not_allowed", "up")


async def test_the_wall_clock_moves_no_back_off() -> None:
    bench = Bench(facts=1)
    bench.connector.script = [Unreachable("away")]
    async with bench.running():
        (due,) = await bench.clock.sleeping()
        bench.clock.step_wall(-365 * 86400)
        bench.clock.advance(due - bench.clock.monotonic())
        await bench.outbox.settled(1)


async def test_a_bug_of_a_connector_is_logged_once_and_nothing_is_lost_or_booked_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "sync")
    bench = Bench(facts=2)

    def bug(connector: ScriptedConnector, facts: Sequence[Fact]) -> Sequence[Receipt]:
        book(connector, facts[:1])
        raise KeyError("receipts")

    bench.connector.script = [bug]
    async with bench.running():
        await bench.next_try()
        await bench.outbox.settled(2)
    assert bench.connector.booked == ids(1, 2)
    assert [line.message for line in caplog.records].count("sync.lost") == 1
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].exc_info[0] is KeyError


async def test_the_log_tells_a_loss_once_and_the_return_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "sync")
    bench = Bench(facts=1)
    bench.connector.script = [Unreachable("away") for _ in range(20)]
    async with bench.running():
        for _ in range(20):
            await bench.next_try()
        await bench.link.heard(*["unreachable"] * 20, "up")
    assert [(line.message, line.levelname) for line in caplog.records] == [
        ("sync.lost", "WARNING"),
        ("sync.back", "INFO"),
    ]


async def test_a_cancel_lets_the_request_in_hand_finish_and_keeps_its_answer() -> None:
    bench = Bench(facts=1)
    bench.connector.gate = asyncio.Event()
    task = asyncio.create_task(bench.relay.run())
    await bench.connector.arrived.wait()
    task.cancel()
    await bench.clock.sleeping()
    assert not task.done()
    bench.connector.gate.set()
    await asyncio.wait({task})
    assert task.cancelled()
    assert list(bench.outbox.receipts) == ids(1)


async def test_a_cancel_waits_no_longer_than_the_grace() -> None:
    bench = Bench(facts=1)
    bench.connector.gate = asyncio.Event()
    task = asyncio.create_task(bench.relay.run())
    await bench.connector.arrived.wait()
    task.cancel()
    await bench.clock.sleeping()
    bench.clock.advance(GRACE)
    await asyncio.wait({task})
    assert task.cancelled()
    assert bench.outbox.receipts == {}


async def test_no_more_requests_go_out_than_the_limit_allows() -> None:
    bench = Bench(facts=250, per_second=2.0)
    async with bench.running():
        began = bench.clock.monotonic()
        done = asyncio.create_task(bench.outbox.settled(250))
        while not done.done():
            asleep = asyncio.create_task(bench.clock.sleeping())
            await asyncio.wait({done, asleep}, return_when=asyncio.FIRST_COMPLETED)
            if not done.done():
                bench.clock.advance(0.25)
            asleep.cancel()
        took = bench.clock.monotonic() - began
    # Two questions about the first hundred, then three pushes; two of them may go at once.
    assert [what for what, _ in bench.connector.calls] == ["ask", "ask", "push", "push", "push"]
    assert all(len(ids) <= ASKED for what, ids in bench.connector.calls if what == "ask")
    assert took == (5 - 2) / 2.0
    assert bench.connector.booked == ids(*range(1, 251))


async def test_a_cancel_does_not_wait_for_a_turn() -> None:
    bench = Bench(facts=1, per_second=1.0)
    task = asyncio.create_task(bench.relay.run())
    await bench.clock.sleeping()
    task.cancel()
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled()
    assert bench.connector.pushes == []


async def test_an_erp_that_asks_for_a_pause_gets_it_and_a_poke_ends_it() -> None:
    bench = Bench(facts=1)
    bench.connector.script = [Unreachable("slowly", after=90.0), Ambiguous("later", after=1e9)]
    async with bench.running():
        assert 90.0 <= await bench.next_try() <= 99.0
        (due,) = await bench.clock.sleeping()
        assert 600.0 <= due - bench.clock.monotonic() <= 660.0
        bench.relay.poke()
        await bench.outbox.settled(1)


FAULTS = st.sampled_from(["ok", "unreachable", "lost", "half", "bug"])


def _step(fault: str) -> Step | Exception:
    match fault:
        case "unreachable":
            return Unreachable("away")
        case "lost":
            return book_and_lose_the_reply(1000)
        case "half":
            return book_and_lose_the_reply(2)
        case "bug":
            return ValueError("bug")
        case _:
            return book


@settings(max_examples=60, deadline=None)
@given(st.lists(FAULTS, max_size=25), st.integers(1, 40), st.integers(1, 12))
def test_whatever_fails_every_fact_is_booked_once_and_in_order(
    faults: list[str], facts: int, batch: int
) -> None:
    async def drive() -> None:
        bench = Bench(facts=facts, batch=batch)
        bench.connector.script = [_step(fault) for fault in faults]
        async with bench.running():
            done = asyncio.create_task(bench.outbox.settled(facts))
            while not done.done():
                asleep = asyncio.create_task(bench.clock.sleeping())
                await asyncio.wait({done, asleep}, return_when=asyncio.FIRST_COMPLETED)
                if asleep.done() and not done.done():
                    bench.clock.advance(60)
                asleep.cancel()
        assert bench.connector.booked == ids(*range(1, facts + 1))

    asyncio.run(drive())
