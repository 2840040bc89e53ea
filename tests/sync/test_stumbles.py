"""A fact over which the ERP stumbles stops its own job only, and is shown to people; an ERP that is sick parks none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from sync.contract import Applied, Refused
from sync.ports import Ambiguous
from sync.stumbles import TIMES, Stumbles
from tests.sync.plant import fact, good
from tests.sync.scripted import stumble_on
from tests.sync.test_relay import Bench, ids


async def until(bench: Bench, done: Awaitable[None], longest: float = 600.0) -> float:
    """Let the back-offs pass until it is done; returns the seconds of the clock."""
    began, waiting = bench.clock.monotonic(), asyncio.ensure_future(done)
    while not waiting.done():
        asleep = asyncio.create_task(bench.clock.sleeping())
        await asyncio.wait({waiting, asleep}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            bench.clock.advance(asleep.result()[0] - bench.clock.monotonic())
        asleep.cancel()
        assert bench.clock.monotonic() - began < longest
    await waiting
    return bench.clock.monotonic() - began


@pytest.mark.parametrize("poison", [(1,), (2,), (57,), (100,), (1, 2, 50)])
async def test_a_fact_that_never_gets_a_clear_answer_is_parked_and_the_others_flow(poison: tuple[int, ...]) -> None:
    bench = Bench()
    bench.outbox.add(*(fact(seq, good(about=f"W{seq}")) for seq in range(1, 101)))
    bench.connector.script = [stumble_on(*ids(*poison))]
    async with bench.running():
        if poison != (100,):
            await until(bench, bench.outbox.settled(100))
        else:  # it comes last: nothing has been answered since
            await until(bench, bench.outbox.settled(99))
            bench.outbox.add(fact(101, good(about="W101")))
            await until(bench, bench.outbox.settled(101))
    assert bench.outbox.parked == dict.fromkeys(ids(*poison), "unclear")
    rest = [seq for seq in range(1, 102 if poison == (100,) else 101) if seq not in poison]
    assert sorted(bench.connector.booked) == sorted(ids(*rest))
    for each in ids(*poison):
        told = bench.outbox.receipts[each]
        assert isinstance(told, Refused)
        assert told.reason.startswith("HTTP 500.")
        alone = [at for at, (what, sent) in enumerate(bench.connector.calls) if (what, sent) == ("push", [each])]
        assert len(alone) >= TIMES
        asked = [at for at, (what, sent) in enumerate(bench.connector.calls) if what == "ask" and each in sent]
        assert all(any(a > at for a in asked) for at in alone), "it was asked for after each try, also the last"


async def test_the_others_do_not_wait_until_it_is_parked() -> None:
    bench = Bench()
    bench.outbox.add(*(fact(seq, good(about=f"W{seq}")) for seq in range(1, 101)))
    bench.connector.script = [stumble_on(*ids(1))]
    async with bench.running():
        assert await until(bench, bench.outbox.settled(99)) < 60


async def test_what_is_about_the_same_job_never_passes_it() -> None:
    bench = Bench()
    bench.outbox.add(fact(1, good("W1")), fact(2, good("W2")), fact(3, good("W1")), fact(4, good("W3")))
    bench.connector.script = [stumble_on(*ids(1))]
    async with bench.running():
        await until(bench, bench.outbox.settled(3))
    assert bench.connector.booked == ids(2, 4)
    assert bench.outbox.parked == {"pc1-1": "unclear"}


@pytest.mark.parametrize("jobs", [1, 5])
async def test_an_erp_that_books_nothing_for_a_night_parks_nothing(jobs: int) -> None:
    bench = Bench()
    bench.outbox.add(*(fact(seq, good(f"W{seq % jobs}")) for seq in range(1, 11)))
    bench.connector.script = [Ambiguous("HTTP 500") for _ in range(200)]
    async with bench.running():
        await until(bench, bench.outbox.settled(10), longest=200 * 60.0)
    assert bench.outbox.parked == {}
    per_job = [[id for id in bench.connector.booked if int(id[4:]) % jobs == job] for job in range(jobs)]
    assert per_job == [[id for id in ids(*range(1, 11)) if int(id[4:]) % jobs == job] for job in range(jobs)]


async def test_one_that_was_booked_all_the_same_is_asked_for_before_it_is_sent_again() -> None:
    bench = Bench()
    bench.outbox.add(fact(1, good("W1")), fact(2, good("W2")))
    bench.connector.script = [stumble_on(*ids(1))]
    async with bench.running():
        await until(bench, bench.outbox.settled(2))
        bench.connector.booked += ids(1)  # it came through late
        before = len(bench.connector.calls)
        bench.outbox.resend("pc1-1")
        await until(bench, bench.outbox.settled(2))
    assert bench.connector.calls[before:] == [("ask", ids(1))]
    assert bench.outbox.parked == {}


async def test_sent_again_it_is_booked_when_the_erp_is_mended() -> None:
    bench = Bench()
    bench.outbox.add(fact(1, good("W1")), fact(2, good("W2")))
    bench.connector.script = [stumble_on(*ids(1))]
    async with bench.running():
        await until(bench, bench.outbox.settled(2))
        bench.connector.script, before = [], len(bench.connector.calls)
        bench.outbox.resend("pc1-1")
        await until(bench, bench.outbox.settled(2))
    assert bench.connector.calls[before:] == [("ask", ids(1)), ("push", ids(1))]
    assert bench.outbox.receipts["pc1-1"] == Applied("pc1-1", "RB")


def test_a_failure_of_something_else_begins_the_count_anew() -> None:
    stumbles, one, other = Stumbles(), fact(1, good("W1")), fact(2, good("W2"))
    stumbles.unclear([one], "HTTP 500.")
    stumbles.answered([other])
    for _ in range(TIMES - 1):
        stumbles.unclear([one], "HTTP 500.")
        stumbles.not_there([one])
    stumbles.failed()
    for _ in range(2 * TIMES):
        stumbles.unclear([one], "HTTP 500.")
        stumbles.not_there([one])
    assert stumbles.lasting() == [], "nothing was booked since"
    stumbles.answered([other])
    for _ in range(TIMES - 1):
        stumbles.unclear([one], "HTTP 500.")
        stumbles.not_there([one])
    assert stumbles.lasting() == []
    stumbles.unclear([one], "HTTP 500.")
    stumbles.not_there([one])
    assert [told.fact for told in stumbles.lasting()] == [one.id]


def test_one_that_the_erp_was_not_asked_for_is_not_told() -> None:
    stumbles, one = Stumbles(), fact(1, good("W1"))
    stumbles.unclear([one], "HTTP 500.")
    stumbles.answered([fact(2, good("W2"))])
    for _ in range(TIMES):
        stumbles.unclear([one], "HTTP 500.")
    assert stumbles.lasting() == []
    stumbles.not_there([one])
    (told,) = stumbles.lasting()
    assert (told.fact, told.code, stumbles.jobs) == (one.id, "unclear", ())
