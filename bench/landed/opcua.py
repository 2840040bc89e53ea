"""OPC UA: a thousand variables of node-opcua, stored by the agent, beside a bare subscription of its library."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from bench.figures import Figure, Goals
from bench.landed.devices import Missing
from bench.landed.ours import HEAD, opened
from bench.landed.rounds import Effort
from bench.landed.running import Program
from bench.processes import ROOT, environment
from bench.report import tell
from edge_agent.machines.by_exception import Gap
from edge_agent.store.samples_reading import Chunk

COUNT, MILLISECONDS = 1000, 100
FROZEN, AFTER = 12.0, 6.0  # seconds the server is frozen, and watched then
_NAMESPACE, _INDEX = "urn:floorhand:bench", 2  # 0 is OPC UA, 1 the server's own
_PEERS = ROOT / "tests" / "peers"
_PATIENCE = 60.0
_HERE = Path(__file__).parent


class Server:
    """A running node-opcua server, in a folder that keeps its certificates."""

    def __init__(self, folder: Path) -> None:
        node = shutil.which("node")
        modules = _PEERS / "node_modules"
        if node is None or not (modules / "node-opcua").exists():
            raise Missing("node-opcua is not installed: apt install nodejs npm, then npm install --prefix tests/peers")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.endpoint = f"opc.tcp://127.0.0.1:{port}"
        kept = os.environ | {"NODE_PATH": str(modules), "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self.process = subprocess.Popen(
            [node, str(_HERE / "opcua_server.js"), str(port), str(COUNT), str(MILLISECONDS)],
            cwd=folder, env=kept, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self.process.stdout
        lines = iter(self.process.stdout.readline, "")
        if next((json.loads(line) for line in lines if line.startswith('{"ready"')), None) is None:
            raise Missing("node-opcua ended before it was ready")

    def stop(self) -> None:
        """End it, frozen or not."""
        self.process.kill()
        self.process.communicate()


async def measure(folder: Path, effort: Effort) -> list[Figure]:
    """The CPU of both over rounds in turn, then a server that is frozen for a while."""
    values: dict[str, float] = {}
    try:
        tell(f"OPC UA: {COUNT} variables @{MILLISECONDS} ms, rounds in turn")
        ours, bare = [], []
        async with _serving(folder / "opcua") as server:
            for number in range(effort.rounds):
                bare.append(await _bare(server, folder / f"bare-{number}", effort))
                ours.append(await _ours(server, folder / f"opcua-{number}", effort))
                tell(f"  ours at FULL {ours[-1]:.1f} CPU-s a million, bare and nothing stored {bare[-1]:.1f}")
            values["opcua_cpu"], values["opcua_cpu_bare"] = median(ours), median(bare)
            values["opcua_cpu_times"] = values["opcua_cpu"] / values["opcua_cpu_bare"]
            tell(f"its server frozen for {FROZEN:g} s")
            values["opcua_gap"], values["opcua_back"] = await _frozen(server, folder / "opcua-frozen")
    except Missing as why:
        tell(f"SKIPPED, no OPC UA: {why}")
    goals = Goals()
    return [goals.figure(name, value) for name, value in values.items()]


@asynccontextmanager
async def _serving(folder: Path) -> AsyncIterator[Server]:
    folder.mkdir()
    server = await asyncio.to_thread(Server, folder)
    try:
        yield server
    finally:
        server.stop()


async def _bare(server: Server, folder: Path, effort: Effort) -> float:
    """CPU-seconds for a million notifications of the bare subscription."""
    folder.mkdir()
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(_HERE / "bare.py"), server.endpoint, str(_INDEX), str(COUNT), env=environment(),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout

    async def count() -> tuple[int, float]:
        process.send_signal(signal.SIGUSR1)
        assert process.stdout
        return int(await process.stdout.readline()), Program.taken_by(process.pid).cpu

    try:
        async with asyncio.timeout(_PATIENCE):
            assert await process.stdout.readline() == b"ready\n"
            await asyncio.sleep(effort.settle)
            early, before = await count()
            await asyncio.sleep(effort.window)
            late, after = await count()
    finally:
        process.kill()
        await process.wait()
    return (after - before) / (late - early) * 1e6


async def _ours(server: Server, folder: Path, effort: Effort) -> float:
    """CPU-seconds for a million samples that the agent stored."""
    with _agent(server, folder) as agent:
        await _until_stored(agent)
        await asyncio.sleep(effort.settle)
        since, before = time.time(), agent.taken()
        await asyncio.sleep(effort.window)
        until, after = time.time(), agent.taken()
        await asyncio.sleep(1)
    times, _ = await _stored(folder)
    landed = sum(since <= time < until for several in times.values() for time in several)
    return (after.cpu - before.cpu) / max(landed, 1) * 1e6


async def _frozen(server: Server, folder: Path) -> tuple[int, float]:
    """Gap marks over the time in which the server was frozen, and seconds until all was stored again."""
    with _agent(server, folder) as agent:
        await _until_stored(agent)
        await asyncio.sleep(2)
        server.process.send_signal(signal.SIGSTOP)
        stopped = time.time()
        await asyncio.sleep(FROZEN)
        server.process.send_signal(signal.SIGCONT)
        thawed = time.time()
        await asyncio.sleep(AFTER)
    times, gaps = await _stored(folder)
    covering = [gap for gap in gaps if gap.since / 1e6 <= stopped + 1 and gap.until / 1e6 >= thawed - 1]
    firsts = [min((time for time in several if time >= thawed), default=float("inf")) for several in times.values()]
    return len(covering), max(firsts) - thawed if len(firsts) == COUNT else float("inf")


def _agent(server: Server, folder: Path) -> Program:
    folder.mkdir()
    points = ", ".join(f'{{ name = "v{at}", node = "nsu={_NAMESPACE};s=v{at}" }}' for at in range(COUNT))
    site = folder / "site.toml"
    site.write_text(
        f'{HEAD}[[devices]]\nname = "plant"\ndriver = "opcua"\n[devices.options]\nendpoint = "{server.endpoint}"\n'
        f"insecure = true\npublishing_interval = 0.1\npoints = [{points}]\n",
        encoding="utf-8",
    )
    return Program("ours", [sys.executable, "-m", "edge_agent", "run", str(site)], folder, environment())


async def _until_stored(agent: Program) -> None:
    """Return when its file of samples grows. Raises RuntimeError when it does not."""
    log, give_up = agent.folder / "data" / "samples.db-wal", time.monotonic() + _PATIENCE
    while time.monotonic() < give_up:
        agent.taken()  # raises when it has ended
        if log.exists() and log.stat().st_size > 200_000:
            return
        await asyncio.sleep(0.2)
    raise RuntimeError("ours stores nothing of the OPC UA server")


async def _stored(folder: Path) -> tuple[dict[str, list[float]], list[Gap]]:
    """Source times of the good samples of each item, in seconds, and the gaps."""
    times: dict[str, list[float]] = {}
    gaps: list[Gap] = []
    async with opened(folder) as store:
        async for each in store.read():
            if isinstance(each, Chunk):
                good = [at / 1e6 for at, status in zip(*each.series[:2], strict=True) if status == 0]
                times.setdefault(each.item, []).extend(good)
            elif isinstance(each, Gap) and each.reason == "device":
                gaps.append(each)
    return times, gaps
