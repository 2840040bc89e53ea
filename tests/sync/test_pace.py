from __future__ import annotations

import asyncio
import math

from hypothesis import given
from hypothesis import strategies as st

from sync.pace import Bucket
from sync.turns import Turns
from tests.support.manual_clock import ManualClock

rates = st.floats(0.1, 1000.0)
bursts = st.floats(1.0, 1000.0)
waits = st.floats(0.0, 60.0)


@given(rates, bursts, st.lists(st.tuples(waits, st.integers(1, 500)), min_size=2, max_size=60))
def test_in_no_stretch_of_time_more_is_let_through_than_the_rate_and_what_fits_in(
    rate: float, burst: float, asked: list[tuple[float, int]]
) -> None:
    bucket, now, through = Bucket(rate, burst), 0.0, []
    for wait, cost in asked:
        now = max(now + wait, bucket.free_at())
        bucket = bucket.taken(now, cost)
        through.append((now, cost))
    for first, (began, _) in enumerate(through):
        for last in range(first, len(through)):
            # What the last one takes beyond what was there is paid for afterwards.
            before = sum(cost for _, cost in through[first:last])
            length = through[last][0] - began
            assert before <= rate * length + burst or math.isclose(before, rate * length + burst)


@given(rates, bursts, st.integers(1, 50))
def test_whoever_waits_for_a_turn_gets_it_and_the_rate_is_used_up(rate: float, burst: float, many: int) -> None:
    bucket, now = Bucket(rate, burst), 0.0
    for _ in range(many):
        now = max(now, bucket.free_at())
        bucket = bucket.taken(now)
    needed = max(0.0, (many - burst) / rate)
    assert now <= needed + 1e-6 * max(1.0, needed)


@given(waits, st.integers(1, 10**6))
def test_no_limit_is_none(now: float, cost: int) -> None:
    assert Bucket(0.0, 1.0).taken(now, cost).free_at() == -math.inf


async def test_requests_wait_for_their_turn_on_the_monotonic_clock() -> None:
    clock = ManualClock()
    turns = Turns(clock, requests=2.0)
    for _ in range(2):
        await turns.take()
    waiting = asyncio.create_task(turns.take())
    (due,) = await clock.sleeping()
    assert due - clock.monotonic() == 0.5
    clock.step_wall(-86400)
    clock.advance(0.5)
    await waiting


async def test_relay_and_puller_share_one_limit() -> None:
    clock = ManualClock()
    turns = Turns(clock, requests=1.0)
    done: list[int] = []

    async def ask(number: int) -> None:
        await turns.take()
        done.append(number)

    waiting = [asyncio.create_task(ask(number)) for number in range(3)]
    for _ in range(2):
        (due, *_) = await clock.sleeping()
        clock.advance(due - clock.monotonic())
    await asyncio.wait(waiting)
    assert done == [0, 1, 2]
    assert clock.monotonic() == 1002.0


async def test_a_limit_of_facts_lets_a_large_batch_pay_afterwards() -> None:
    clock = ManualClock()
    turns = Turns(clock, facts=100.0)
    await turns.take(500)
    await turns.take()  # a question and a pull bring no facts
    waiting = asyncio.create_task(turns.take(1))
    (due,) = await clock.sleeping()
    assert round(due - clock.monotonic(), 6) == 4.01
    clock.advance(due - clock.monotonic())
    await waiting
