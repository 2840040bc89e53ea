"""`python -m bench.drain`: a hundred thousand queued facts go to the reference ERP, and somebody scans meanwhile."""

from __future__ import annotations

import asyncio
import functools
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from bench import measures
from bench.figures import Figure, Goals, percentile
from bench.floor import JOBS, Floor, open_job, sign_on, until_online
from bench.processes import Agent
from bench.queued import fill, orders
from bench.report import options, report, tell
from bench.wires import Screen
from edge_agent.client import AgentClient
from sync.contract import JobOrder

FACTS = 100_000
_PATIENCE = 180.0  # seconds
_LOOK = 0.05  # seconds between two looks at the queue: the grain of the figure
_AT_ONCE = 5  # scans between two looks whether all is booked


async def measure(folder: Path, facts: int = FACTS) -> list[Figure]:
    """Seconds until the queue is empty, and the scans that a person made in that time: a few at least, also where a
    short queue is empty before somebody has signed on."""
    jobs = [_endless(each) for each in orders()]
    tell(f"{facts} facts are made")
    await asyncio.to_thread(fill, folder / "data", facts, jobs)
    async with Floor(folder, jobs) as floor:
        began = time.perf_counter()
        async with Agent(floor.site) as agent, Screen("T1", f"unix:{agent.socket}") as screen:
            booked = asyncio.create_task(_booked(agent.client, facts, began))
            await until_online(agent.client)
            await sign_on(agent.client, "T1", "1001")
            await open_job(agent.client, "T1", JOBS[0])
            scans = await measures.scans(floor.scanner, screen, _AT_ONCE)
            while not booked.done():
                scans += await measures.scans(floor.scanner, screen, _AT_ONCE, len(scans))
            seconds = await booked
            parked = (await agent.client.health()).parked_count
    goals = Goals()
    told = {
        "drain_facts": facts, "drain_seconds": seconds, "drain_refused": parked, "drain_scans": len(scans),
        "drain_scan_p50": percentile(scans, 50), "drain_scan_p99": percentile(scans, 99),
    }  # fmt: skip
    return [goals.figure(name, value) for name, value in told.items()]


def _endless(order: JobOrder) -> JobOrder:
    plenty = Decimal(10**9)
    lines = tuple(replace(line, quantity=plenty) for line in order.requirements)
    return replace(order, quantity=plenty, requirements=lines)


async def _booked(client: AgentClient, facts: int, began: float) -> float:
    """Seconds since the start until nothing that was queued waits. Raises TimeoutError."""
    while time.perf_counter() < began + _PATIENCE:
        health = await client.health()
        if health.safe_seq - health.unsent >= facts:  # they go in order: what waits is the newest
            return time.perf_counter() - began
        await asyncio.sleep(_LOOK)
    raise TimeoutError(f"The queue was not empty within {_PATIENCE:g} s: {(await client.health()).problems}")


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed."""
    parser = options("A long queue goes to the ERP while somebody scans.")
    parser.add_argument("--facts", type=int, default=FACTS, help=f"how many are queued; {FACTS} when left out")
    given = parser.parse_args(arguments)
    return report(functools.partial(measure, facts=given.facts), given.strict)


if __name__ == "__main__":
    sys.exit(main())
