"""Whether a commit waits for the disk: a short run under strace, which sees every flush of the agent."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from bench.landed import ours
from bench.landed.devices import Missing, ModbusDevices
from bench.landed.running import Program
from bench.landed.work import Work

WORK = Work("flushes", "three devices with ten registers each", 3, 2, 5, 10, 0.1)
_LOOK, _PATIENCE = 0.2, 60.0  # seconds
_LOG = "samples.db-wal"  # a commit is in it, and on the medium when it was flushed


async def flushes_of_a_commit(devices: Path, folder: Path, commits: int = 20) -> float:
    """Flushes of the log of the samples for each commit that is in the database; 1 and more at FULL.

    Raises Missing without strace, or where it may not look at a process.
    """
    strace = shutil.which("strace")
    if strace is None:
        raise Missing("strace, which sees the flushes, is not installed: apt install strace")
    async with ModbusDevices(devices, WORK.devices, WORK.width, WORK.stride) as served:
        agent = ours.program(WORK, served.ports, folder)
        traced = folder / "flushes.txt"
        looked = [strace, "-f", "-y", "-qq", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-o", str(traced)]
        with Program("ours under strace", [*looked, *agent.command], folder, agent.environment) as running:
            await _until_committed(folder, running, commits)
            running.kill()
    with traced.open(encoding="utf-8", errors="replace") as lines:
        return flushes(lines) / _commits(folder)


def flushes(lines: Iterable[str]) -> int:
    """How many flushes of the log came to their end.

    >>> flushes(['12 fdatasync(9</tmp/samples.db-wal>) = 0', '12 fdatasync(8</tmp/samples.db>) = 0'])
    1
    >>> flushes(['12 fdatasync(9</tmp/samples.db-wal> <unfinished ...>', '12 <... fdatasync resumed>) = 0'])
    1
    >>> flushes(['12 fdatasync(9</tmp/samples.db-wal>) = -1 EIO (Input/output error)'])
    0
    """
    found, begun = 0, set()
    for line in lines:
        thread, _, call = line.strip().partition(" ")
        if f"{_LOG}>" in call and call.endswith("<unfinished ...>"):
            begun.add(thread)
        elif f"{_LOG}>" in call or ("resumed>" in call and thread in begun):
            begun.discard(thread)
            found += call.endswith("= 0")
    return found


async def _until_committed(folder: Path, running: Program, commits: int) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            while _commits(folder) < commits:
                await asyncio.sleep(_LOOK)
                running.taken()  # raises when it has ended
    except TimeoutError as error:
        raise RuntimeError("ours stores nothing under strace") from error
    except RuntimeError as error:
        if "ptrace" in str(error):
            raise Missing("strace may not look at a process here (ptrace is forbidden)") from error
        raise


def _commits(folder: Path) -> int:
    """How many there are: all that one commit appends was stored at one moment."""
    path = folder / "data" / "samples.db"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as conn:
        if conn.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'tail'").fetchone() == (0,):
            return 0
        (count,) = conn.execute("SELECT count(DISTINCT stored) FROM tail").fetchone()
    return int(count)
