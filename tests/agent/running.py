"""A real agent in a process of its own, with its site in a short folder, its ERP and a scanner beside it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from edge_agent.demo.plans import plans
from tests.support.erp_process import ErpProcess

AGENT = "test-pc1"
PATIENCE = 15.0  # seconds; what takes longer never comes

_T = TypeVar("_T")


def wait(look: Callable[[], _T], what: str, patience: float = PATIENCE) -> _T:
    """Look until there is something true to see; returns it. Fails, saying what never came."""
    give_up = time.monotonic() + patience
    while not (seen := look()):
        assert time.monotonic() < give_up, f"waited {patience:g} s for: {what}"
        time.sleep(0.02)  # to ask costs whoever is asked as well
    return seen


async def until(look: Callable[[], Awaitable[_T]], what: str, patience: float = PATIENCE) -> _T:
    """`wait`, for what has to be asked."""
    give_up = time.monotonic() + patience
    while not (seen := await look()):
        assert time.monotonic() < give_up, f"waited {patience:g} s for: {what}"
        await asyncio.sleep(0.02)
    return seen


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket: the system allows 107 bytes in all."""
    folder = Path(tempfile.mkdtemp(prefix="fh-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def site_text(
    terminals: Sequence[str] = ("T1",), scanner: str = "", erp: str = "", more: str = "", policies: str = ""
) -> str:
    """A site file: terminals at the press that may pick in zone A, a scanner at the first of them, an ERP."""
    parts = [f'[site]\nname = "Test"\nagent = "{AGENT}"\n']
    if "[[equipment]]" not in more:
        parts.append('[[equipment]]\nid = "PRESS-03"\n')
    parts += [f'[[terminals]]\nid = "{each}"\nequipment = "PRESS-03"\nzone = "A"\n' for each in terminals]
    if scanner:
        head = f'[[scanners]]\nname = "scanner-1"\ndriver = "serial_scanner"\nterminal = "{terminals[0]}"\n'
        parts.append(f'{head}options = {{ port = "{scanner}" }}\n')
    if erp:
        options = f'options = {{ url = "{erp}", token_file = "token", timeout = 2.0 }}\n'
        parts.append('[[connectors]]\nname = "erp"\ndriver = "rest"\n' + options)
    pace = "" if "plan_interval" in policies else "plan_interval = 0.2\n"
    parts += [more, f"[policies]\n{pace}{policies}\n"]
    return "\n".join(parts)


class Scanner:
    """A barcode scanner on a pseudo-terminal; `port` is where the agent finds it."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        for end in (self._master, self._slave):
            tty.setraw(end)
        self.port = os.ttyname(self._slave)

    def scan(self, text: str) -> None:
        """Pull the trigger."""
        os.write(self._master, text.encode("latin-1") + b"\r")

    def close(self) -> None:
        """Unplug it."""
        for end in (self._master, self._slave):
            os.close(end)


class AgentProcess:
    """`python -m edge_agent run site.toml` in a folder; started, ended or killed as often as you like."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.file = folder / "site.toml"
        self.file.write_text(text, encoding="utf-8")
        self.socket = folder / "data" / "agent.sock"
        self.address = f"unix:{self.socket}"
        self.database = folder / "data" / "journal.db"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running one."""
        assert self._process is not None, "the agent was not started"
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What it wrote to standard error since the first start."""
        return (self.folder / "agent.log").read_text(errors="replace")

    def start(self) -> None:
        """Return when it takes connections: who can connect finds a working agent."""
        with (self.folder / "agent.log").open("ab") as log:
            command = [sys.executable, "-m", "edge_agent", "run", str(self.file)]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._process = process
        wait(lambda: process.poll() is not None or answers(self.socket), f"an agent at {self.socket}")
        assert process.poll() is None, self.log

    def kill(self) -> None:
        """SIGKILL: it gets no chance to finish anything."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(PATIENCE)

    def end(self) -> None:
        """Whatever it is doing."""
        if self.runs:
            self.kill()


class Plant:
    """An agent with plans from its ERP, and a scanner at its first terminal."""

    def __init__(self, folder: Path, terminals: int = 1, more: str = "", policies: str = "") -> None:
        self.erp = ErpProcess(folder, plans(datetime.now(UTC)))
        self.scanner = Scanner()
        self.terminals = [f"T{number}" for number in range(1, terminals + 1)]
        self.erp.start()
        text = site_text(self.terminals, self.scanner.port, self.erp.url, more, policies)
        self.agent = AgentProcess(folder, text)

    def start(self) -> None:
        """Start the agent; return when it has its plans."""
        self.agent.start()
        wait(lambda: b"J-204" in self.get("/v1/labels"), "the first plans")

    def get(self, path: str) -> bytes:
        """One answer of the agent."""
        status, body = ask(self.agent.socket, "GET", path)
        assert status == 200, body
        return body

    def close(self) -> None:
        """End everything."""
        self.agent.end()
        self.erp.kill()
        self.scanner.close()


@contextmanager
def plant_in(folder: Path, terminals: int = 1, more: str = "", policies: str = "") -> Iterator[Plant]:
    """A running plant, ended afterwards."""
    plant = Plant(folder, terminals, more, policies)
    try:
        plant.start()
        yield plant
    finally:
        plant.close()


def answers(path: Path) -> bool:
    """Whether somebody takes connections at a socket."""
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.connect(str(path))
        return True
    return False


def ask(path: Path, method: str, target: str, body: bytes | None = None) -> tuple[int, bytes]:
    """One HTTP request over a Unix socket, byte by byte what a stranger may send; status and body."""
    length = b"" if body is None else b"content-length: %d\r\n" % len(body)
    head = f"{method} {target} HTTP/1.1\r\nhost: agent\r\nconnection: close\r\n".encode()
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE)
        line.connect(str(path))
        with suppress(BrokenPipeError, ConnectionResetError):  # it may have heard enough before the end
            line.sendall(head + length + b"\r\n" + (body or b""))
        content = b""
        with suppress(ConnectionResetError):
            while data := line.recv(65536):
                content += data
    head, _, body = content.partition(b"\r\n\r\n")
    return int(head.split()[1]), body
