"""The devices of the benchmark: server.c, built when it is needed, and what it has served."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_SOURCE = Path(__file__).with_name("server.c")
_PATIENCE = 20.0  # seconds

CLOCK = 4  # registers 0 to 3: milliseconds since 1970, the high word first
SCANS = 4  # the register that counts scans; those behind it are 7 * address + scan


class Missing(Exception):
    """Something that is not of the house can not be had here; the text says what, and how to get it."""


@dataclass(frozen=True, slots=True)
class Served:
    """What one device has answered so far: whole scans, and values that are tags."""

    scans: int
    tags: int


def scan_of(address: int, value: int) -> int:
    """The scan, modulo 65536, that a value of a register beyond the counter tells of.

    >>> scan_of(100, 7 * 100 + 42)
    42
    """
    return (value - 7 * address) % 65536


def built(folder: Path) -> Path:
    """The program, in this folder. Raises Missing without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise Missing("there is no C compiler for the simulated devices: apt install gcc libc6-dev")
    program = folder / "modbus-devices"
    made = subprocess.run(
        [compiler, "-O2", "-o", str(program), str(_SOURCE)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise Missing(f"the simulated devices can not be compiled: {made.stderr.strip()[-500:]}")
    return program


class ModbusDevices:
    """Running devices, on `ports`. `tags` of each `stride` addresses count; `hung` never answers."""

    def __init__(
        self, program: Path, count: int, tags: int, stride: int, delay: float = 0.0, hung: int | None = None
    ) -> None:
        self.ports: Sequence[int] = ()
        self._command = [
            str(program), str(count), str(round(delay * 1e6)), str(-1 if hung is None else hung),
            str(tags), str(stride),
        ]  # fmt: skip
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(*self._command, stdout=asyncio.subprocess.PIPE)
        self.ports = [int(each) for each in await self._line()]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def served(self) -> list[Served]:
        """What each device has answered until now."""
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)
        return [Served(*each) for each in await self._line()]

    async def _line(self) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(_PATIENCE):
            return json.loads(await self._process.stdout.readline())
