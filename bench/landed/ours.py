"""The agent at this work: its site file, and what it has stored."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bench.landed.running import Program
from bench.landed.stored import Stored
from bench.landed.work import Work
from bench.processes import environment
from edge_agent.clock import SystemClock
from edge_agent.store.samples import SampleStore
from edge_agent.store.samples_bounds import Bounds
from edge_agent.store.samples_reading import Chunk

DURABILITY = "FULL"  # synchronous=FULL: what a commit returned for is on the medium

_BOUNDS = Bounds(1 << 40, timedelta(days=9))

HEAD = """\
[site]
name = "Bench"
agent = "bench-pc1"
data = "data"
socket = "data/agent.sock"

[[terminals]]
id = "T1"

# Every value is kept, whether it changed or not: nothing is saved by not storing.
[telemetry]
heartbeat = 0

"""

_ERP = """\
[[connectors]]
name = "erp"
driver = "rest"
[connectors.options]
url = "http://127.0.0.1:9"
token_file = "erp.token"

"""


def program(work: Work, ports: Sequence[int], folder: Path) -> Program:
    """How it is started. Its ERP is never there: that must not matter."""
    (folder / "erp.token").write_text("nobody\n", encoding="ascii")
    (folder / "erp.token").chmod(0o600)
    site = folder / "site.toml"
    site.write_text(_site(work, ports), encoding="utf-8")
    command = [sys.executable, "-m", "edge_agent", "run", str(site)]
    return Program("ours", command, folder, environment())


@asynccontextmanager
async def opened(folder: Path, bounds: Bounds = _BOUNDS) -> AsyncIterator[SampleStore]:
    """The database of samples, opened as the agent opens it. Raises RuntimeError when it is not at DURABILITY."""
    store = await SampleStore.open(folder / "data" / "samples.db", SystemClock(), bounds)
    try:
        if (really := await store.durability()) != DURABILITY:
            raise RuntimeError(f"The samples of {folder.name} are at {really}, and every row says {DURABILITY}.")
        yield store
    finally:
        await store.close()


async def stored(folder: Path) -> Stored:
    """What is in the database of samples, by the agent's own reading."""
    found = Stored()
    async with opened(folder) as store:
        async for each in store.read():
            if isinstance(each, Chunk):
                item = int(each.device.removeprefix("d")), int(each.item.removeprefix("r"))
                for time, value in zip(each.series.times, each.series.values, strict=True):
                    if isinstance(value, int):
                        found.add(item, time, value)
    return found


async def folded(folder: Path) -> float:
    """CPU-seconds for all that the agent does later with what it has stored: it folds samples into blocks.

    It begins with a million of them, so that no window has it in it. Done here step by step as the agent does it, in
    this process, at the same durability. A million come to longer blocks than those of some seconds do, so that a
    sample costs the agent no more than here.
    """
    async with opened(folder, replace(_BOUNDS, tail_samples=1)) as store:
        began = time.process_time()
        while await store.tidy():
            pass
        return time.process_time() - began


def _site(work: Work, ports: Sequence[int]) -> str:
    points = ", ".join(f'{{ name = "r{at}", address = {at} }}' for at in work.addresses())
    devices = "".join(
        f'[[devices]]\nname = "d{number}"\ndriver = "modbus"\n[devices.options]\nhost = "127.0.0.1"\n'
        f"port = {port}\ninterval = {work.interval}\nmax_registers = 125\nmax_gap = 25\npoints = [{points}]\n\n"
        for number, port in enumerate(ports)
    )
    return HEAD + _ERP + devices
