"""Relay, puller, connector and the reference ERP over a wire that breaks: once, and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from edge_agent.clock import SystemClock
from sync.connectors.rest import Connector, Options
from sync.contract import JobOrder
from sync.puller import Puller
from sync.relay import Relay
from tests.support.erp_process import ErpProcess
from tests.support.fault_proxy import FaultProxy
from tests.sync.plant import MemoryInbox, MemoryOutbox, RecordingLink, fact, good, order

WIRE_TIMEOUT = 0.4  # seconds: a reply that is held longer is a lost one


@asynccontextmanager
async def relaying(erp: ErpProcess, port: int, outbox: MemoryOutbox, batch: int = 25) -> AsyncIterator[Relay]:
    """A relay from the outbox to the ERP behind a port."""
    options = Options(url=f"http://127.0.0.1:{port}", token_file=erp.token_file, timeout=WIRE_TIMEOUT)
    connector = Connector(options, outbox.facts[0].agent)
    relay = Relay(outbox, connector, RecordingLink(), SystemClock(), Random(3), batch)
    task = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(30):
            yield relay
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connector.close()


def arrived(erp: ErpProcess, agent: str) -> list[int]:
    return [booking.seq for booking in erp.bookings(agent) if booking.outcome == "applied"]


async def break_it(wire: FaultProxy, rng: Random) -> None:
    """One fault of a wire, chosen by chance."""
    match rng.choice(["drop", "cut", "refuse", "portal", "slow", "break"]):
        case "drop":
            wire.drop_replies = 1
        case "cut":
            wire.cut_reply_after = rng.randrange(200)
        case "portal":
            wire.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>"
        case "slow":
            wire.latency = 2 * WIRE_TIMEOUT
        case "refuse":
            await wire.refuse()
            await wire.accept()
    await wire.break_all()


async def test_every_fact_arrives_once_and_in_order_over_a_wire_that_breaks(erp: ErpProcess) -> None:
    facts = [fact(seq, good(f"W{seq % 3 + 1}"), agent="chaos") for seq in range(1, 301)]
    outbox = MemoryOutbox(facts)
    rng = Random(7)
    async with FaultProxy(erp.port) as wire, relaying(erp, wire.port, outbox) as relay:
        for settled in range(1, len(facts), 20):
            await break_it(wire, rng)
            relay.poke()
            waiting = asyncio.create_task(outbox.settled(settled))
            await asyncio.wait({waiting}, timeout=WIRE_TIMEOUT)
            wire.heal()
            await wire.break_all()
            relay.poke()
            await waiting
        await outbox.settled(len(facts))
    assert arrived(erp, "chaos") == list(range(1, 301))
    assert outbox.parked == {}


async def test_an_erp_that_is_killed_and_comes_back_gets_every_fact_once(own_erp: ErpProcess) -> None:
    facts = [fact(seq, agent="kill") for seq in range(1, 201)]
    outbox = MemoryOutbox(facts)
    async with FaultProxy(own_erp.port) as wire, relaying(own_erp, wire.port, outbox, batch=10) as relay:
        for settled in (40, 90, 140):
            await outbox.settled(settled)
            own_erp.kill()
            own_erp.start()
            relay.poke()
        await outbox.settled(200)
    assert arrived(own_erp, "kill") == list(range(1, 201))


async def test_a_fact_the_erp_can_not_read_is_parked_and_the_rest_flows(erp: ErpProcess) -> None:
    facts = [fact(seq, good(f"W{seq % 3 + 1}"), agent="poison") for seq in range(1, 31)]
    unreadable = fact(31, good("W9"), agent="poison" * 20)
    outbox = MemoryOutbox([*facts[:13], unreadable, *facts[13:]])
    async with relaying(erp, erp.port, outbox):
        await outbox.settled(31)
    assert outbox.parked == {unreadable.id: "not_understood"}
    assert arrived(erp, "poison") == list(range(1, 31))


async def test_a_refusal_parks_its_job_and_after_the_office_acts_the_same_facts_go_up_in_order(
    erp: ErpProcess,
) -> None:
    facts = [fact(1, good("W1"), agent="park"), fact(2, good("W7"), agent="park"),
             fact(3, good("W2"), agent="park"), fact(4, good("W7"), agent="park")]  # fmt: skip
    outbox = MemoryOutbox(facts)
    async with relaying(erp, erp.port, outbox):
        await outbox.settled(3)
        assert outbox.parked == {"park-2": "unknown_order"}
        erp.put(order("W7"))
        del outbox.receipts["park-2"]  # a person says: send again
        outbox.add()
        await outbox.settled(4)
    assert arrived(erp, "park") == [1, 3, 2, 4]


async def test_plans_come_down_and_change_while_running(erp: ErpProcess) -> None:
    inbox = MemoryInbox()
    connector = Connector(Options(url=erp.url, token_file=erp.token_file), "pull")
    puller = Puller(inbox, connector, RecordingLink(), SystemClock(), Random(1), interval=60)
    task = asyncio.create_task(puller.run())
    async with asyncio.timeout(10):
        await inbox.taken(1)
        first = inbox.plans["JobOrder", "W3"]
        erp.call("POST", "/v1/orders/W3/close")
        puller.poke()
        await inbox.taken(2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await connector.close()
    closed = inbox.plans["JobOrder", "W3"]
    assert isinstance(first, JobOrder)
    assert isinstance(closed, JobOrder)
    assert (first.dispatch_status, closed.dispatch_status) == ("Released", "Completed")
    assert [len(page.plans) for page in inbox.pages[1:]] == [1]
