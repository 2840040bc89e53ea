"""`python -m bench.quick`: the figures of the README, in about a minute."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import measures
from bench.figures import Figure, Goals, percentile
from bench.floor import JOBS, Floor, open_job, sign_on, until_online
from bench.processes import Agent, Usage
from bench.report import options, report, tell
from bench.wires import Screen


@dataclass(frozen=True)
class Effort:
    """How much is measured. `idle` is in seconds; `inputs` are those of one job."""

    starts: int = 7
    idle: float = 15.0
    scans: int = 500
    jobs: int = 1
    inputs: int = 1000


async def measure(folder: Path, effort: Effort = Effort()) -> list[Figure]:
    """All figures of one floor."""
    values: dict[str, float] = {}
    async with Floor(folder) as floor:
        tell("two machines, a scanner and an ERP run")
        values["agent_first_start"] = (await measures.starts(floor, 1))[0]
        values |= await _at_work(floor, effort)
        tell(f"{effort.starts} starts of the agent")
        taken = await measures.starts(floor, effort.starts)
        values["agent_start"] = statistics.median(taken)
        tell(f"between {min(taken):.2f} and {max(taken):.2f} s")
    goals = Goals()
    return [goals.figure(name, values[name]) for name in goals.by_name if name in values]


async def _at_work(floor: Floor, effort: Effort) -> dict[str, float]:
    """The agent with all devices and a terminal: idle first, then used; the memory is that of the end."""
    async with Agent(floor.whole_site) as agent, Screen("T1", f"unix:{agent.socket}") as screen:
        await until_online(agent.client)
        work = screen.painted("Clip 7")
        await sign_on(agent.client, "T1", "1001")
        await open_job(agent.client, "T1", JOBS[0])
        await work
        await measures.idle([agent.pid], 3.0)  # let it settle
        tell(f"{effort.idle:g} s in which nobody does anything")
        agent_cpu, terminal_cpu = await measures.idle([agent.pid, screen.pid], effort.idle)
        tell(f"{effort.scans} scans")
        scans = await measures.scans(floor.scanner, screen, effort.scans)
        tell(f"{effort.inputs} reports over the socket" + (f", {effort.jobs} times" if effort.jobs > 1 else ""))
        await sign_on(agent.client, "T2", "1002")  # a second terminal, without a screen
        inputs: list[float] = []
        for job in JOBS[1 : 1 + effort.jobs]:
            await open_job(agent.client, "T2", job)
            inputs += await measures.inputs(agent.client, "T2", effort.inputs)
        agent_memory, terminal_memory = (Usage.of(each.pid).resident_mb for each in (agent, screen))
    commits = measures.commits(floor.folder, 300)
    return {
        "agent_idle_cpu": agent_cpu, "terminal_idle_cpu": terminal_cpu,
        "agent_memory": agent_memory, "terminal_memory": terminal_memory,
        **_spread("scan", scans), **_spread("input", inputs),
        "commit_p50": percentile(commits, 50), "commit_p99": percentile(commits, 99),
    }  # fmt: skip


def _spread(name: str, taken: Sequence[float]) -> dict[str, float]:
    return {f"{name}_p50": percentile(taken, 50), f"{name}_p99": percentile(taken, 99), f"{name}_max": max(taken)}


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed."""
    given = options("The figures of the README, in about a minute.").parse_args(arguments)
    return report(measure, given.strict)


if __name__ == "__main__":
    sys.exit(main())
