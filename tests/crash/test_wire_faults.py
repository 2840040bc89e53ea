"""What a wire to the ERP does to an answer: cut at every byte, or spoken by somebody else. Real processes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from edge_agent.client import AgentClient
from edge_agent.clock import SystemClock
from edge_agent.demo.plans import plans
from sync.connectors.rest import Connector, Options
from sync.relay import Relay
from tests.agent.person import Person, everything_sent
from tests.agent.running import AGENT, AgentProcess, short_folder, site_text, until
from tests.support.erp_process import ErpProcess
from tests.support.fault_proxy import FaultProxy
from tests.sync.plant import PLANS, MemoryOutbox, RecordingLink, fact, good

PAGE = "<!doctype html><title>Hotel</title><h1>Welcome! Please log in.</h1>"
PORTAL = f"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {len(PAGE)}\r\n\r\n{PAGE}".encode()


@pytest.fixture
def erp(tmp_path: Path) -> Iterator[ErpProcess]:
    process = ErpProcess(tmp_path, PLANS)
    process.start()
    yield process
    process.kill()


async def test_an_answer_cut_at_any_byte_settles_nothing_and_books_once(erp: ErpProcess) -> None:
    """Push and question, each answer cut at every byte there is; the relay asks before it sends again."""
    outbox, link = MemoryOutbox(), RecordingLink()
    async with FaultProxy(erp.port) as wire:
        options = Options(url=f"http://127.0.0.1:{wire.port}", token_file=erp.token_file, timeout=2.0)
        connector = Connector(options, "cut")
        try:
            whole = await _lengths(connector, wire)
            relay = Relay(outbox, connector, link, SystemClock(), Random(3), 25)
            task = asyncio.create_task(relay.run())
            async with asyncio.timeout(50):
                for cut in range(max(whole) + 1):
                    told, wire.cut_reply_after = len(link.told), cut
                    outbox.add(fact(cut + 2, good(f"W{cut % 3 + 1}"), agent="cut"))
                    relay.poke()

                    async def heard(told: int = told, cut: int = cut) -> bool:
                        return len(link.told) > told or len(outbox.receipts) > cut

                    await until(heard, "what the relay makes of the answer")
                    if cut < min(whole):
                        assert len(outbox.receipts) == cut, f"an answer of {cut} bytes was believed"
                    wire.heal()
                    await wire.break_all()
                    relay.poke()
                    await outbox.settled(cut + 1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        finally:
            await connector.close()
    assert min(whole) > 100
    assert [each.seq for each in erp.bookings("cut")] == list(range(1, max(whole) + 3))
    assert outbox.parked == {}


async def _lengths(connector: Connector, wire: FaultProxy) -> tuple[int, int]:
    """The bytes of the answer to a push of one fact, and of that to a question."""
    first = fact(1, agent="cut")
    await connector.push([first])
    pushed = len(wire.last_reply)
    await wire.break_all()
    await connector.ask([first.id])
    return pushed, len(wire.last_reply)


async def test_the_page_of_a_hotel_is_neither_a_receipt_nor_a_plan() -> None:
    with short_folder() as folder:
        erp = ErpProcess(folder, plans(datetime.now(UTC)))
        erp.start()
        try:
            async with FaultProxy(erp.port) as wire:
                await _at_the_hotel(folder, erp, wire)
        finally:
            erp.kill()


async def _at_the_hotel(folder: Path, erp: ErpProcess, wire: FaultProxy) -> None:
    agent = AgentProcess(folder, site_text(erp=f"http://127.0.0.1:{wire.port}"))
    await asyncio.to_thread(agent.start)
    try:
        async with AgentClient(agent.address) as client:

            async def planned() -> bool:
                return any("J-204" in row.text for row in await client.labels())

            await until(planned, "the first plans")
            person = Person(client, "T1")
            await person.work_on("J-204")
            await everything_sent(client)
            booked = len(erp.bookings(AGENT))
            wire.answer = PORTAL
            await wire.break_all()
            for quantity in ("3", "4"):
                assert (await person.type(quantity)).message is not None

            async def noticed() -> bool:
                link = (await client.health()).links[0]
                return link.state == "down" and bool(link.reason)

            await until(noticed, "the agent to see that this is not the ERP")
            assert (await client.health()).unsent == 2
            assert await client.labels(), "the plans of the ERP are still there"
            wire.heal()
            await wire.break_all()
            await everything_sent(client)
            arrived = erp.bookings(AGENT)[booked:]
            assert [each.outcome for each in arrived] == ["applied", "applied"]
    finally:
        agent.end()
