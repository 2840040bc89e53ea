"""The agent as a process of its own: how soon it answers, what it takes, how it is ended."""

from __future__ import annotations

import asyncio
import ctypes
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from edge_agent.client import AgentAway, AgentClient

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE = 20.0  # seconds
_LOOK = 0.001  # seconds between two looks for the agent: the grain of a start
_LIBC = ctypes.CDLL(None)


def environment() -> dict[str, str]:
    """What a measured process is started with: this checkout, plain English, and nobody's own settings."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    told = {"PYTHONPATH": path, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "TEXTUAL_"))}
    return kept | told


class Agent:
    """`python -m edge_agent run SITE`, ended with SIGTERM when it is left. `seconds` is start to first answer."""

    def __init__(self, site: Path) -> None:
        self.site = site
        self.socket = site.parent / "data" / "agent.sock"
        self.client = AgentClient(f"unix:{self.socket}")
        self.seconds = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        with (self.site.parent / "agent.log").open("ab") as log:
            began = time.perf_counter()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "edge_agent", "run", str(self.site)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(),
            )  # fmt: skip
        try:
            await self._first_answer(began + _PATIENCE)
        except BaseException:
            await self._end()
            raise
        self.seconds = time.perf_counter() - began
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    async def _first_answer(self, give_up: float) -> None:
        """Ask for the view of a terminal until it comes. Raises TimeoutError with the end of the log."""
        assert self._process is not None
        while time.perf_counter() < give_up and self._process.poll() is None:
            if self.socket.exists():
                try:
                    await self.client.view("T1")
                    return
                except AgentAway:
                    pass
            await asyncio.sleep(_LOOK)
        log = (self.site.parent / "agent.log").read_text("utf-8", "replace")
        raise TimeoutError(f"The agent ended, or did not answer within {_PATIENCE:g} s. Its log ends: {log[-1500:]}")

    async def _end(self) -> None:
        await self.client.close()
        if self._process is not None:
            await asyncio.to_thread(end, self._process)


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL after ten seconds."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process since its start, with all its threads, also those that have ended.

    Of its CPU clock (clock_getcpuclockid(3)), in nanoseconds: the times in /proc/PID/stat go in steps of
    10 ms. Raises ProcessLookupError.
    """
    clock = ctypes.c_int()
    try:
        if _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock)):
            raise ProcessLookupError(pid)
        return time.clock_gettime_ns(clock.value) / 1e9
    except OSError as error:  # it ended between the two
        raise ProcessLookupError(pid) from error


@dataclass(frozen=True)
class Usage:
    """What a process has taken: seconds of CPU since its start, and the memory it holds now."""

    cpu_seconds: float
    resident_mb: float

    @classmethod
    def of(cls, pid: int) -> Usage:
        """Of the process alone, without its children. A megabyte is a million bytes."""
        process = psutil.Process(pid)
        return cls(cpu_seconds(pid), process.memory_info().rss / 1e6)
