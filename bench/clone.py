"""What a newcomer waits for: a fresh clone to the end of its first commands, without and with a cache."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from bench.figures import Figure, Goals

ROOT = Path(__file__).resolve().parents[1]
_LIMIT = 900.0  # seconds for one command; it ends there whatever it does


async def measure(folder: Path) -> list[Figure]:
    """Clone, then `make demo-check` with nothing in the cache, again as it stands, then `make test` twice.

    Raises RuntimeError, with the end of what it said, when a command fails.
    """
    goals, clone = Goals(), folder / "clone"
    began = time.perf_counter()
    await _run(folder, "git", "clone", "--quiet", str(ROOT), str(clone))
    await _run(clone, "make", "demo-check", PIP_NO_CACHE_DIR="1", UV_NO_CACHE="1")
    cold = time.perf_counter() - began
    warm = await _run(clone, "make", "demo-check")
    await _run(clone, "make", "test")
    return [
        goals.figure("clone_to_check_cold", cold),
        goals.figure("clone_to_check_warm", warm),
        goals.figure("test_warm", await _run(clone, "make", "test")),
    ]


async def _run(folder: Path, *command: str, **environment: str) -> float:
    """Seconds that a command takes."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env={**os.environ, **environment}, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_LIMIT):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {said[-1500:].decode(errors='replace')}")
    return time.perf_counter() - began
