"""A line of 64 kbit to the ERP, with the delay of a satellite: what waits goes over it, and nobody waits for it."""

from __future__ import annotations

import asyncio
import statistics
import time
from datetime import UTC, datetime

from edge_agent.client import AgentClient
from edge_agent.demo.plans import plans
from edge_agent.views import Kind
from tests.agent.person import Person, everything_sent, said
from tests.agent.running import AGENT, AgentProcess, short_folder, site_text, until
from tests.support.erp_process import ErpProcess
from tests.support.fault_proxy import FaultProxy

LINE = 64_000 // 8  # bytes in a second
DELAY = 0.25  # seconds
QUEUED = 60  # reports: some 22 kB, which the line carries in 3 s
PAUSE = 0.25  # seconds between two scans of a person: what is scanned goes over the line as well


async def test_a_queue_goes_over_64_kbit_in_order_and_a_scan_does_not_wait() -> None:
    with short_folder() as folder:
        erp = ErpProcess(folder, plans(datetime.now(UTC)))
        erp.start()
        try:
            async with FaultProxy(erp.port) as wire:
                site = site_text(["T1", "T2"], erp=f"http://127.0.0.1:{wire.port}", policies="plan_interval = 5.0")
                site = site.replace("timeout = 2.0", "timeout = 10.0")  # as it is when nothing is said
                agent = AgentProcess(folder, site)
                await asyncio.to_thread(agent.start)
                try:
                    await _drained(agent, erp, wire)
                finally:
                    agent.end()
        finally:
            erp.kill()


async def _drained(agent: AgentProcess, erp: ErpProcess, wire: FaultProxy) -> None:
    async with AgentClient(agent.address) as client:

        async def plans_are_there() -> bool:
            return any(each.kind is Kind.JOB for each in await client.labels())

        await until(plans_are_there, "the plans")
        person, other = Person(client, "T1"), Person(client, "T2")
        await person.work_on("J-206", "1003")
        await other.sign_on("1001")
        await everything_sent(client)
        await wire.refuse()
        for _ in range(QUEUED):
            assert said(await person.type("1")) == "report_production.saved_good"
        wire.rate, wire.latency = LINE, DELAY
        await wire.accept()
        took = await _scans_until_sent(client, other)
        assert len(took) * PAUSE > 2, "the line was not slow"
        assert statistics.quantiles(took, n=20)[-1] < 0.5
    booked = await asyncio.to_thread(erp.bookings, AGENT)
    assert [each.seq for each in booked] == [*range(1, len(booked) + 1)], "each once, in order"
    assert sum(each.quantity or 0 for each in booked if each.about == "J-206") == QUEUED


async def _scans_until_sent(client: AgentClient, person: Person) -> list[float]:
    """Seconds of each scan of a label that is not expected, until the reports of the queue are at the ERP."""
    queued, took = (await client.health()).safe_seq, []
    give_up = time.monotonic() + 30
    while (health := await client.health()).safe_seq - health.unsent < queued:
        assert time.monotonic() < give_up, health
        began = time.monotonic()
        assert said(await person.scan(Kind.LOCATION, "A-01-1"))
        took.append(time.monotonic() - began)
        await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=PAUSE)
    await everything_sent(client)
    return took
