"""What is measured, and how. Both ends of every latency are read in this process, with one clock."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from bench.floor import Floor, send
from bench.processes import Agent, Usage
from bench.wires import Scanner, Screen
from edge_agent.client import AgentClient

_LOST = 5.0  # seconds after which a verdict will not come any more
_ROW = "x" * 600  # about as much as a fact and its session take


async def starts(floor: Floor, times: int) -> list[float]:
    """Seconds from starting the agent to its first answer, with the database as it is."""
    taken = []
    for _ in range(times):
        async with Agent(floor.site) as agent:
            taken.append(agent.seconds)
    return taken


async def idle(pids: list[int], seconds: float) -> list[float]:
    """Percent of a core that each process takes while nobody does anything."""
    began, before = time.perf_counter(), [Usage.of(pid).cpu_seconds for pid in pids]
    await asyncio.sleep(seconds)
    took, after = time.perf_counter() - began, [Usage.of(pid).cpu_seconds for pid in pids]
    return [100 * (late - early) / took for early, late in zip(before, after, strict=True)]


async def scans(scanner: Scanner, screen: Screen, times: int, first: int = 0) -> list[float]:
    """Milliseconds from the last byte of a scan to its verdict on the screen.

    Each is a code that nobody knows, and no two are the same: the verdict that names it can be no
    other's. The echo that comes first names the code too, but not in these words. Between two scans
    passes a time that no timer shares. `first` is the number of the first code. Raises TimeoutError when
    a verdict does not come.
    """
    dice, taken = random.Random(first + 1), []
    for number in range(first, first + times):
        await asyncio.sleep(dice.uniform(0.01, 0.04))
        code = f"X-{number:06}"
        verdict = screen.painted(f"{code} is not known here")
        written = scanner.scan(code)
        async with asyncio.timeout(_LOST):
            taken.append((await verdict - written) * 1000)
    return taken


async def inputs(client: AgentClient, terminal: str, times: int) -> list[float]:
    """Milliseconds from a report of one good piece to its answer, one after the other.

    Raises RuntimeError when an answer came that recorded nothing.
    """
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        view = await send(client, terminal, "entry", "1")
        taken.append((time.perf_counter() - began) * 1000)
        if view.message is None or view.message.seq is None:
            raise RuntimeError(f"A report was not recorded; {terminal} is at {view.scenario}.{view.step}.")
    return taken


def commits(folder: Path, times: int) -> list[float]:
    """Milliseconds of one small durable commit on the same disk: what no input can be faster than."""
    taken = []
    with closing(sqlite3.connect(folder / "disk.db", isolation_level=None)) as connection:
        connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (body TEXT)")
        for _ in range(times):
            began = time.perf_counter()
            connection.execute("INSERT INTO t VALUES (?)", (_ROW,))
            taken.append((time.perf_counter() - began) * 1000)
    return taken
