"""One simulator as a process of its own: what it says when it is ready, and how it is started and ended."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

_ROOT = Path(__file__).resolve().parents[2]  # the folder that holds the package device_drivers


class NotReady(Exception):
    """A simulator ended, or said nothing, before it was ready. `str(error)` has what it wrote."""


class Simulator:
    """A running simulator. `ready` is its ready line, for example `{"ready": True, "port": 41873}`."""

    def __init__(self, process: subprocess.Popen[bytes], ready: Mapping[str, Any]) -> None:
        self._process = process
        self.ready = ready

    @classmethod
    def start(cls, name: str, *arguments: str, deadline: float = 20.0) -> Simulator:
        """Start `device_drivers.simulators.<name>`, as `start_module` does."""
        return cls.start_module(f"device_drivers.simulators.{name}", *arguments, deadline=deadline)

    @classmethod
    def start_module(cls, module: str, *arguments: str, deadline: float = 20.0) -> Simulator:
        """Start a module that prints a ready line, and wait for the line, at most `deadline` seconds.

        Blocks: inside an event loop call it through `asyncio.to_thread`. Raises NotReady.
        """
        path = os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])
        with tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter with a module of ours
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=os.environ | {"PYTHONPATH": path},
            )
            assert process.stdout
            try:
                return cls(process, json.loads(_first_line(process.stdout, deadline)))
            except (TimeoutError, ValueError) as error:
                process.kill()
                process.wait()
                process.stdout.close()
                complaints.seek(0)
                said = complaints.read().decode("utf-8", "replace").strip() or "nothing"
                message = f"The simulator {module} was not ready within {deadline:g} s. It wrote: {said}"
                raise NotReady(message) from error

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def freeze(self) -> None:
        """Hang without closing anything (SIGSTOP)."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End without a good-bye (SIGKILL)."""
        self._process.kill()
        self._release()

    def stop(self) -> None:
        """End in order (SIGTERM), frozen or not; by force after five seconds."""
        self._process.terminate()
        self._process.send_signal(signal.SIGCONT)
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._release()

    def _release(self) -> None:
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def announce(**facts: object) -> None:
    """Print the ready line: the only thing that a simulator writes to its standard output."""
    print(json.dumps({"ready": True, **facts}), flush=True)


def termination() -> asyncio.Event:
    """Set when the process is asked to end (SIGTERM, or Ctrl+C), or when whoever started it is gone.

    Take it before the ready line goes out.
    """
    loop, ended, parent = asyncio.get_running_loop(), asyncio.Event(), os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    def look() -> None:
        if os.getppid() != parent:
            ended.set()
        loop.call_later(1.0, look)

    look()
    return ended


def make_fifo(path: Path) -> int:
    """A descriptor of the FIFO at `path`, which is made when it is missing.

    It is open for writing too, so that it never ends when the last writer leaves. Raises
    FileExistsError when something else than a FIFO is there.
    """
    if not path.exists():
        os.mkfifo(path, 0o600)
    if not stat.S_ISFIFO(path.stat().st_mode):
        raise FileExistsError(f"{path} is there and is no FIFO")
    return os.open(path, os.O_RDWR | os.O_NONBLOCK)


def hear_lines(path: Path, take: Callable[[bytes], None], longest: int = 64 * 1024) -> None:
    """Call `take` with every line that is written to the FIFO at `path`, until the loop ends."""
    fifo, pending = make_fifo(path), bytearray()

    def fed() -> None:
        pending.extend(os.read(fifo, 4096))
        *whole, rest = bytes(pending).split(b"\n")
        pending[:] = rest[:longest]
        for line in whole:
            take(line)

    asyncio.get_running_loop().add_reader(fifo, fed)


def _first_line(stream: IO[bytes], deadline: float) -> bytes:
    """One line of a pipe. Raises TimeoutError; an end of the pipe gives what there was."""
    limit, line = time.monotonic() + deadline, b""
    while not line.endswith(b"\n"):
        if not select.select([stream], [], [], max(0.0, limit - time.monotonic()))[0]:
            raise TimeoutError
        if not (data := os.read(stream.fileno(), 4096)):
            break
        line += data
    return line
