"""`python -m bench.cold_start`: an agent starts with a million facts that no ERP has seen."""

from __future__ import annotations

import argparse
import asyncio
import functools
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure, Goals
from bench.processes import Agent
from bench.queued import AGENT, fill
from bench.report import options, report, tell

FACTS = 1_000_000
_PATIENCE = 120.0  # seconds
_LOOK = 0.1  # seconds between two looks at the health of the agent: the grain of `verified`
_TOO_MANY = 100_000  # facts that no PC has looked at before its first answer

# The ERP is away, so that all of it stays queued.
_SITE = f"""
[site]
name = "Bench"
agent = "{AGENT}"
data = "data"
socket = "data/agent.sock"

[[equipment]]
id = "PRESS-03"

[[terminals]]
id = "T1"
equipment = "PRESS-03"

[[connectors]]
name = "erp"
driver = "rest"
options = {{ url = "http://127.0.0.1:9", token_file = "erp.token" }}
"""


async def measure(folder: Path, facts: int = FACTS) -> list[Figure]:
    """Seconds from starting the process to the first view, and until it has looked at every row of the chain."""
    site = folder / "site.toml"
    site.write_text(_SITE, encoding="utf-8")
    token = folder / "erp.token"
    token.touch(mode=0o600)
    token.write_text("bench-token\n", encoding="ascii")
    tell(f"{facts} facts are made, two to five minutes for a million")
    await asyncio.to_thread(fill, folder / "data", facts)
    began = time.perf_counter()
    async with Agent(site) as agent:
        screen = agent.seconds
        first = await agent.client.health()
        verified = await _verified(agent, began)
    goals = Goals()
    told = {
        "cold_facts": facts, "cold_screen": screen, "cold_verified": verified,
        "cold_all_well_early": float(first.ok or (facts >= _TOO_MANY and not first.unseen)),
    }  # fmt: skip
    return [goals.figure(name, value) for name, value in told.items()]


async def _verified(agent: Agent, began: float) -> float:
    """Seconds since the start until no row is unseen. Raises TimeoutError, RuntimeError when damage was found."""
    while time.perf_counter() < began + _PATIENCE:
        health = await agent.client.health()
        if health.damage:
            raise RuntimeError(f"The journal that was made is damaged: {health.damage}")
        if not health.unseen:
            return time.perf_counter() - began
        await asyncio.sleep(_LOOK)
    raise TimeoutError(f"The journal was not looked over within {_PATIENCE:g} s.")


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed."""
    parser = options("The start of an agent with a long queue.")
    parser.add_argument("--facts", type=int, default=FACTS, help=f"how many are queued; {FACTS} when left out")
    given: argparse.Namespace = parser.parse_args(arguments)
    return report(functools.partial(measure, facts=given.facts), given.strict)


if __name__ == "__main__":
    sys.exit(main())
