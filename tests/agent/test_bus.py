"""Publish and subscribe: order, types, coalescing, and a subscriber that is too slow."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from edge_agent.bus import Bus, Overflow


@dataclass(frozen=True)
class Scan:
    code: str


@dataclass(frozen=True)
class Status:
    terminal: str
    unsent: int


async def test_events_arrive_in_order_at_everybody_who_asked_for_their_type() -> None:
    bus = Bus()
    with bus.subscribe(Scan) as scans, bus.subscribe(Scan, Status) as both:
        bus.publish(Scan("a"))
        bus.publish(Status("T1", 1))
        bus.publish(Scan("b"))
        assert [await anext(scans), await anext(scans)] == [Scan("a"), Scan("b")]
        assert [await anext(both) for _ in range(3)] == [Scan("a"), Status("T1", 1), Scan("b")]


async def test_a_subscriber_waits_for_the_next_event() -> None:
    bus = Bus()
    with bus.subscribe(Scan) as scans:
        waiting = asyncio.ensure_future(anext(scans))
        await asyncio.sleep(0)
        assert not waiting.done()
        bus.publish(Scan("a"))
        assert await waiting == Scan("a")


async def test_who_waits_for_an_arrival_takes_nothing_and_hears_of_the_end() -> None:
    bus = Bus()
    with bus.subscribe(Scan, limit=1) as scans:
        waiting = asyncio.ensure_future(scans.arrival())
        await asyncio.sleep(0)
        assert scans.quiet
        assert not waiting.done()
        bus.publish(Scan("a"))
        await waiting
        await scans.arrival()
        assert not scans.quiet
        assert scans.waiting() == [Scan("a")]
        assert scans.quiet
        waiting = asyncio.ensure_future(scans.arrival())
        for code in "bc":
            bus.publish(Scan(code))
        await waiting
        with pytest.raises(Overflow):
            scans.waiting()


async def test_of_states_only_the_newest_waits_in_the_place_of_the_first() -> None:
    bus = Bus()

    def key(event: object) -> str | None:
        return event.terminal if isinstance(event, Status) else None

    with bus.subscribe(Scan, Status, coalesce=key, limit=4) as events:
        for n in range(100):
            bus.publish(Status("T1", n))
        bus.publish(Scan("a"))
        bus.publish(Scan("a"))
        bus.publish(Status("T2", 0))
        bus.publish(Status("T1", 100))
        assert [await anext(events) for _ in range(4)] == [
            Status("T1", 100),
            Scan("a"),
            Scan("a"),
            Status("T2", 0),
        ]
        bus.publish(Status("T1", 101))
        assert await anext(events) == Status("T1", 101)


async def test_who_is_too_slow_is_told_and_no_longer_served() -> None:
    bus = Bus()
    with bus.subscribe(Scan, limit=3) as slow, bus.subscribe(Scan) as quick:
        for n in range(4):
            bus.publish(Scan(str(n)))
        with pytest.raises(Overflow, match="More than 3"):
            await anext(slow)
        assert [(await anext(quick)).code for _ in range(4)] == ["0", "1", "2", "3"]
        bus.publish(Scan("later"))
        with pytest.raises(Overflow):
            await anext(slow)


async def test_a_closed_subscription_ends_the_loop_of_its_reader() -> None:
    bus = Bus()
    scans = bus.subscribe(Scan)

    async def read() -> list[Scan]:
        return [scan async for scan in scans]

    reader = asyncio.ensure_future(read())
    await asyncio.sleep(0)
    scans.close()
    scans.close()
    bus.publish(Scan("unheard"))
    assert await reader == []


async def test_a_publisher_without_subscribers_is_not_stopped() -> None:
    Bus().publish(Scan("a"))


async def test_what_nobody_wants_waits_nowhere() -> None:
    bus = Bus()
    with bus.subscribe(Scan, wanted=lambda scan: scan.code != "b") as scans:
        for code in "abc":
            bus.publish(Scan(code))
        assert scans.waiting() == [Scan("a"), Scan("c")]
