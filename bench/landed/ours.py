"""The agent at this work: its site file, and what it has stored."""

from __future__ import annotations

import sys
from collections.abc import Sequence
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


async def stored(folder: Path) -> Stored:
    """What is in the database of samples, by the agent's own reading."""
    found = Stored()
    store = await SampleStore.open(folder / "data" / "samples.db", SystemClock(), Bounds(1 << 40, timedelta(days=9)))
    try:
        async for each in store.read():
            if isinstance(each, Chunk):
                item = int(each.device.removeprefix("d")), int(each.item.removeprefix("r"))
                for time, value in zip(each.series.times, each.series.values, strict=True):
                    if isinstance(value, int):
                        found.add(item, time, value)
    finally:
        await store.close()
    return found


def _site(work: Work, ports: Sequence[int]) -> str:
    points = ", ".join(f'{{ name = "r{at}", address = {at} }}' for at in work.addresses())
    devices = "".join(
        f'[[devices]]\nname = "d{number}"\ndriver = "modbus"\n[devices.options]\nhost = "127.0.0.1"\n'
        f"port = {port}\ninterval = {work.interval}\nmax_registers = 125\nmax_gap = 25\npoints = [{points}]\n\n"
        for number, port in enumerate(ports)
    )
    return HEAD + _ERP + devices
