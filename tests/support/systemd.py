"""What systemd does for a service of Type=notify with a watchdog, in a thread: a stand-in that a test can start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_LOOK = 0.05  # seconds between two looks at the process


def said(unit: Path) -> dict[str, str]:
    """The settings of a unit, the last one of each name."""
    lines = unit.read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


class Service:
    """Starts a process as the unit says, and again when it ends or its watchdog is not fed.

    As in systemd: a hung process gets SIGABRT and SIGCONT (`kill_and_sigcont`), SIGKILL after TimeoutAbortSec, and the
    next starts after RestartSec. `scale` makes all times of the unit shorter. `begin` starts the process with the
    environment it is given; `ended` tells how each of them ended, as `returncode` does.
    """

    def __init__(
        self, unit: Path, notify: Path, begin: Callable[[Mapping[str, str]], subprocess.Popen[bytes]], scale: float
    ) -> None:
        told = said(unit)
        assert (told["Type"], told["Restart"]) == ("notify", "always")
        self.watchdog, self._abort, self._pause = (
            float(told[name]) * scale for name in ("WatchdogSec", "TimeoutAbortSec", "RestartSec")
        )
        self.ended: list[int] = []
        self.hung = 0
        self.ready = threading.Event()
        self._begin = begin
        self._environment = {"NOTIFY_SOCKET": str(notify), "WATCHDOG_USEC": str(int(self.watchdog * 1_000_000))}
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(str(notify))
        self._line.settimeout(_LOOK)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="systemd", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """systemctl stop."""
        self._over.set()
        self._thread.join()
        self._line.close()

    def _keep(self) -> None:
        while not self._over.is_set():
            process = self._begin(self._environment)
            self._watch(process)
            self.ready.clear()
            self.ended.append(process.wait())
            self._over.wait(self._pause)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Return when it has ended, or must."""
        fed = float("inf")  # nothing is due before it is ready
        while process.poll() is None:
            told = self._heard()
            if "READY=1" in told:
                self.ready.set()
            if told & {"READY=1", "WATCHDOG=1"}:
                fed = time.monotonic()
            if self._over.is_set():
                process.kill()
            elif time.monotonic() > fed + self.watchdog:
                self.hung += 1
                self._end(process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        for sign in (signal.SIGABRT, signal.SIGCONT):
            os.kill(process.pid, sign)
        try:
            process.wait(self._abort)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _heard(self) -> set[str]:
        try:
            return set(self._line.recv(4096).decode().splitlines())
        except TimeoutError:
            return set()
