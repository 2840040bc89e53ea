"""`python -m bench.memory`: a day of a plant in half an hour, and whether the agent takes more memory at its end.

Everything goes fifty times as fast as in a plant: two people report every five seconds of it, plans are pulled every
five, the machine is read every half second and every value is kept; the office changes a plan every minute.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.figures import Figure, Goals
from bench.floor import JOBS, Floor, open_job, send, sign_on, until_online
from bench.processes import Agent, Usage
from bench.report import options, report, tell
from edge_agent.client import AgentClient
from edge_agent.demo.plans import plans
from sync.contract import AnyPlan, JobOrder

MINUTES = 24 * 60  # of the plant
PACE = 50  # minutes of the plant in a minute
_BETWEEN = 5.0 / PACE  # seconds between two inputs, and between two pulls
_INPUTS = 12  # in a minute of the plant
_JOB_MINUTES = 10  # then it is another job's turn
_PATIENCE = 20.0  # seconds
_PEOPLE = {"T1": "1001", "T2": "1002"}
_FAST = f"""
[telemetry]
heartbeat = 0

[policies]
plan_interval = {_BETWEEN}
"""


@dataclass
class Day:
    """What was done, and the memory after each input in MB."""

    inputs: int = 0
    plans: int = 0
    resident: list[float] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """The most of the last quarter above the most of the second, in percent: the first is for warming up."""
        quarter = len(self.resident) // 4
        early, late = max(self.resident[quarter : 2 * quarter]), max(self.resident[-quarter:])
        return 100 * (late / early - 1)


async def measure(folder: Path, minutes: int = MINUTES) -> list[Figure]:
    """So many minutes of a plant, at least two."""
    async with Floor(folder) as floor:
        text = floor.site.read_text("utf-8").replace("interval = 0.5", f"interval = {0.5 / PACE}")
        floor.site.write_text(text + _FAST, encoding="utf-8")
        async with Agent(floor.site) as agent:
            await until_online(agent.client)
            for terminal, badge in _PEOPLE.items():
                await sign_on(agent.client, terminal, badge)
            day = await _day(floor, agent, minutes)
            told = (await agent.client.health()).telemetry
    values = {
        "memory_minutes": minutes, "memory_inputs": day.inputs, "memory_plans": day.plans,
        "memory_samples": 0 if told is None else told.samples + told.dropped,
        "memory_warm": max(day.resident[: len(day.resident) // 2]), "memory_growth": day.growth,
    }  # fmt: skip
    return [Goals().figure(name, value) for name, value in values.items()]


async def _day(floor: Floor, agent: Agent, minutes: int) -> Day:
    day, began = Day(), time.perf_counter()
    model = next(each for each in plans(datetime.now(UTC)) if isinstance(each, JobOrder) and each.id == "J-206")
    for minute in range(minutes):
        if minute % _JOB_MINUTES == 0:
            for number, terminal in enumerate(_PEOPLE):
                await open_job(agent.client, terminal, JOBS[(minute // _JOB_MINUTES + number) % len(JOBS)])
        words = f"Changed {minute} times"
        plan = msgspec.structs.replace(model, id="J-899", description=words)
        await asyncio.to_thread(_put, floor, plan)
        for number in range(_INPUTS):
            await _one_input(agent.client, number)
            day.inputs += 1
            day.resident.append(Usage.of(agent.pid).resident_mb)
            due = began + (minute * _INPUTS + number + 1) * _BETWEEN
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await _pulled(agent.client, words)
        day.plans += 1
        if minute % 60 == 59:
            tell(f"{minute + 1} minutes: {day.resident[-1]:.1f} MB")
    return day


async def _one_input(client: AgentClient, number: int) -> None:
    """Reports of good pieces by turns, a code that nobody knows now and then. Raises RuntimeError."""
    terminal = list(_PEOPLE)[number % len(_PEOPLE)]
    if number % _INPUTS == _INPUTS - 1:
        await send(client, terminal, "scan", f"X-{number:06}")
        return
    view = await send(client, terminal, "entry", "1")
    if view.message is None or view.message.seq is None:
        raise RuntimeError(f"A report was not recorded; {terminal} is at {view.scenario}.{view.step}.")


async def _pulled(client: AgentClient, words: str) -> None:
    """Return when a plan with these words is there. Raises TimeoutError."""
    async with asyncio.timeout(_PATIENCE):
        while not any(words in each.words for each in await client.labels()):
            await asyncio.sleep(_BETWEEN)


def _put(floor: Floor, plan: AnyPlan) -> None:
    """The office changes a plan."""
    asked = urllib.request.Request(
        f"{floor.erp_url}/v1/plans", msgspec.json.encode([plan]), {"authorization": f"Bearer {floor.token}"},
        method="PUT",
    )  # fmt: skip
    with urllib.request.urlopen(asked, timeout=_PATIENCE) as reply:
        reply.read()


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed."""
    parser = options("A day of a plant in half an hour, and the memory of the agent.")
    words = f"of the plant; {MINUTES} when left out"
    parser.add_argument("--minutes", type=_minutes, default=MINUTES, metavar="N", help=words)
    given = parser.parse_args(arguments)
    return report(functools.partial(measure, minutes=given.minutes), given.strict)


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= 2):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 2 on")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
