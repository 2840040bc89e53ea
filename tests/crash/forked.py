"""Agent, ERP and terminal as processes that begin with everything imported: cheap enough to kill by the thousand.

A server that has imported the product forks a process for each start. It is a process of its own in every other
way: its own memory, its own files, and SIGKILL ends it like any other.
"""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import pty
import re
import select
import signal
import socket
import struct
import sys
import termios
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from sync.contract import AnyPlan
from tests.agent.running import answers
from tests.support.erp_process import ErpProcess

_IMPORTED = [
    "edge_agent.__main__", "edge_agent.command_line.run", "edge_agent.agent", "sync.connectors.rest",
    "sync.reference_erp", "terminal_ui.__main__", "tests.crash.forked",
]  # fmt: skip

# Control sequences, strings of the operating system kind, other strings, and what is left (ECMA-48).
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_].*?\x1b\\|[@-Z\\-_])", re.DOTALL
)
_KEPT = 64 * 1024  # bytes of what was painted last


class Forked:
    """A function as a process that can be killed at any moment; its output goes to a file."""

    def __init__(self, log: Path, work: Callable[..., None], *given: object) -> None:
        self.log = log
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_IMPORTED)
        self._process: BaseProcess = context.Process(target=_begin, args=(str(log), work, *given), daemon=True)
        self._process.start()

    @property
    def runs(self) -> bool:
        """Whether it is there."""
        return self._process.is_alive()

    def kill(self) -> None:
        """SIGKILL: it gets no chance to finish anything."""
        self._process.kill()
        self._process.join()
        self._process.close()


class ForkedErp(ErpProcess):
    """The reference ERP, forked; its port stays the same."""

    def __init__(self, folder: Path, plans: Sequence[AnyPlan] = ()) -> None:
        super().__init__(folder, plans)
        self._folder = folder
        self._forked: Forked | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def start(self) -> None:
        """Begin; it takes connections soon after."""
        arguments = [
            "--port", str(self.port), "--database", str(self._folder / "books.db"),
            "--plans", str(self._folder / "plans.json"), "--token-file", str(self.token_file),
        ]  # fmt: skip
        self._forked = Forked(self._folder / "erp.log", _erp, arguments)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._forked is not None:
            self._forked.kill()
            self._forked = None


class ForkedAgent:
    """`floorhand run`, forked, on the site file of a folder."""

    def __init__(self, folder: Path, site: str) -> None:
        self.folder = folder
        self.socket = folder / "data" / "agent.sock"
        self.database = folder / "data" / "journal.db"
        self._site = folder / "site.toml"
        self._site.write_text(site, encoding="utf-8")
        self._forked: Forked | None = None

    def start(self) -> None:
        """Begin; it takes connections soon after."""
        self._forked = Forked(self.folder / "agent.log", _agent, str(self._site))

    @property
    def ready(self) -> bool:
        """Whether it takes connections. Fails when it has ended by itself."""
        assert self._forked is not None
        if answers(self.socket):
            return True
        assert self._forked.runs, f"the agent ended: {self._forked.log.read_text(errors='replace')[-1500:]}"
        return False

    def kill(self) -> None:
        """SIGKILL."""
        if self._forked is not None:
            self._forked.kill()
            self._forked = None


class ForkedTerminal:
    """`floorhand terminal`, forked, on a pseudo-terminal of 80x24 that a person reads and types at."""

    def __init__(self, folder: Path, terminal: str, address: str) -> None:
        self._folder, self._given = folder, (terminal, address)
        self._painted = bytearray()
        self._master = self._slave = -1
        self._forked: Forked | None = None

    def start(self) -> None:
        """Begin on a line of its own; it paints soon after."""
        self._painted.clear()
        self._master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.set_blocking(self._master, False)
        self._forked = Forked(self._folder / "terminal.log", _terminal, os.ttyname(self._slave), *self._given)

    def type(self, keys: str) -> None:
        """Press keys; those of a terminal that is no more are lost."""
        with contextlib.suppress(OSError):
            os.write(self._master, keys.encode())

    def forget(self) -> None:
        """Look away: what was painted so far counts no more."""
        self.shows("")
        self._painted.clear()

    def shows(self, text: str) -> bool:
        """Whether it has painted these words since somebody looked away."""
        with contextlib.suppress(OSError):
            while select.select([self._master], [], [], 0)[0] and (data := os.read(self._master, _KEPT)):
                self._painted += data
        del self._painted[:-_KEPT]
        painted = _ESCAPES.sub(b"", self._painted)
        return bool(text) and re.search(rb"(?<!\d)" + re.escape(text.encode()), painted) is not None

    def kill(self) -> None:
        """SIGKILL; what it had painted before stays readable until the next start."""
        if self._forked is not None:
            self._forked.kill()
            self._forked = None
            self.shows("")
            os.close(self._master)
            os.close(self._slave)
            self._master = self._slave = -1


# ------------------------------------------------------------ in the process


def _begin(log: str, work: Callable[..., None], *given: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    work(*given)


def _agent(site: str) -> None:
    from edge_agent.__main__ import main

    sys.exit(main(["run", site]))


def _erp(arguments: list[str]) -> None:
    from sync.reference_erp import main

    sys.exit(main(arguments))


def _terminal(line: str, terminal: str, address: str) -> None:
    os.setsid()
    descriptor = os.open(line, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(descriptor, number)
    os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", PYTHONUTF8="1")
    for number, mode in ((0, "r"), (1, "w"), (2, "w")):
        setattr(sys, ("stdin", "stdout", "stderr")[number], os.fdopen(number, mode, encoding="utf-8"))
    for name in ("stdin", "stdout", "stderr"):
        setattr(sys, f"__{name}__", getattr(sys, name))
    from terminal_ui.__main__ import main

    sys.exit(main(["--terminal", terminal, "--address", address, "--language", "en"]))
