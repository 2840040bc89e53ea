"""The ERP has booked a report and its answer is lost on the way: the agent asks, and sends nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from edge_agent.client import AgentClient
from edge_agent.demo.plans import plans
from edge_agent.views import Kind
from sync.reference_views import OrdersReply
from tests.agent.person import Person, everything_sent, said
from tests.agent.running import AGENT, AgentProcess, short_folder, site_text, until
from tests.support.erp_process import ErpProcess
from tests.support.fault_proxy import FaultProxy

JOB = "J-204"
PUSHED, ASKED = b"POST /v1/facts", b"GET /v1/facts"
AWAY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Line:
    """An agent, its ERP, and the wire between them."""

    def __init__(self, agent: AgentClient, erp: ErpProcess, wire: FaultProxy) -> None:
        self.agent, self.erp, self.wire = agent, erp, wire

    def requests(self) -> tuple[int, int]:
        """How often facts were sent and asked for since the last `listen`, also in vain."""
        return self.wire.heard.count(PUSHED), self.wire.heard.count(ASKED)

    def listen(self) -> None:
        """Count anew."""
        self.wire.heard.clear()

    def good(self) -> Decimal:
        """The pieces in the books."""
        reply = msgspec.json.decode(self.erp.call("GET", "/v1/orders"), type=OrdersReply)
        return next(each.order.good for each in reply.orders if each.order.id == JOB)

    def booked(self) -> list[int]:
        """The numbers of what the ERP has booked, as it came; nothing else was decided."""
        bookings = self.erp.bookings(AGENT)
        assert {each.outcome for each in bookings} == {"applied"}
        return [each.seq for each in bookings]

    async def waits(self) -> tuple[int, int, int]:
        """What the agent has not heard of, what was refused, and how many exceptions people are shown."""
        health = await self.agent.health()
        return health.unsent, health.parked_count, len(await self.agent.exceptions())


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    """A plant that has its plans and asks for no others, so that only its reports cross the wire."""
    with short_folder() as folder:
        erp = ErpProcess(folder, plans(datetime.now(UTC)))
        erp.start()
        try:
            async with FaultProxy(erp.port) as wire:
                site = site_text(erp=f"http://127.0.0.1:{wire.port}", policies="plan_interval = 600.0")
                process = AgentProcess(folder, site)
                await asyncio.to_thread(process.start)
                try:
                    async with AgentClient(process.address) as agent:
                        yield Line(agent, erp, wire)
                finally:
                    process.end()
        finally:
            erp.kill()


async def at_work(line: Line) -> Person:
    """Somebody at a job, and all that they did until now is at the ERP."""

    async def plans_are_there() -> bool:
        return any(each.kind is Kind.JOB for each in await line.agent.labels())

    await until(plans_are_there, "the plans")
    person = Person(line.agent, "T1")
    await person.work_on(JOB)
    await everything_sent(line.agent)
    line.listen()
    return person


async def test_a_report_whose_answer_is_lost_is_asked_for_by_id_and_booked_once(line: Line) -> None:
    person = await at_work(line)
    before = line.good()
    line.wire.drop_replies = 1
    assert said(await person.type("7")) == "report_production.saved_good"
    async with asyncio.timeout(10):
        await line.wire.dropped()
    assert line.good() == before + 7, "it was booked, and the agent does not know"
    await everything_sent(line.agent)
    assert line.requests() == (1, 1), "sent once, asked for once"
    (row,) = [each for each in await line.agent.journal(limit=1000) if each.kind == "MaterialProduced"]
    assert f"id={row.id}".encode() in line.wire.heard
    assert await line.waits() == (0, 0, 0)
    assert line.good() == before + 7
    assert line.booked() == [*range(1, row.seq + 1)]


async def test_while_the_erp_can_not_tell_nothing_is_sent_again_and_nothing_is_lost(line: Line) -> None:
    person = await at_work(line)
    before = line.good()
    line.wire.drop_replies = 1
    assert said(await person.type("5")) == "report_production.saved_good"
    async with asyncio.timeout(10):
        await line.wire.dropped()
    line.wire.answer = AWAY  # before the agent comes back to ask
    assert said(await person.type("2")) == "report_production.saved_good"

    async def asked_in_vain() -> bool:
        return line.requests()[1] >= 3

    await until(asked_in_vain, "three questions without an answer")
    assert line.requests()[0] == 1, "nobody sends what may be booked"
    assert await line.waits() == (2, 0, 0), "both reports wait, and nobody is asked to decide"
    line.wire.heal()
    await everything_sent(line.agent)
    assert line.requests()[0] == 2, "the second report alone was still to be sent"
    assert await line.waits() == (0, 0, 0)
    assert line.good() == before + 7
    assert line.booked() == [*range(1, (await line.agent.health()).safe_seq + 1)]
