"""A program that is measured from outside: what its processes take, and its end by SIGKILL."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from bench.processes import cpu_seconds


@dataclass(frozen=True)
class Taken:
    """By all processes of a program: seconds of CPU since its start, and the memory it holds, in MB."""

    cpu: float
    memory: float


class Program:
    """A process and all that it starts, in a folder of its own. SIGKILL when it is left."""

    def __init__(self, name: str, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.folder = folder
        self.command = command
        self.environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment,
            )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def _log(self) -> Path:
        return self.folder / "program.log"

    def kill(self) -> None:
        """SIGKILL for all of it, at once; safe to call twice."""
        assert self._process is not None
        if self._process.poll() is None:
            for each in _tree(self._process.pid):
                each.kill()
            self._process.wait()

    def taken(self) -> Taken:
        """By the process and its children. Raises RuntimeError, with the end of its log, when it has ended."""
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.name} ended by itself: {self._log.read_text('utf-8', 'replace')[-1500:]}")
        return self.taken_by(self._process.pid)

    @staticmethod
    def taken_by(pid: int) -> Taken:
        """By a process and its children; of those that have ended the system tells steps of 10 ms."""
        tree = _tree(pid)
        times = [each.cpu_times() for each in tree]
        ended = sum(each.children_user + each.children_system for each in times)
        cpu = sum(cpu_seconds(each.pid) for each in tree) + ended
        return Taken(cpu, sum(each.memory_info().rss for each in tree) / 1e6)


def _tree(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]
