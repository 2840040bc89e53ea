"""What hangs is not taken for alive: systemd hears nothing of a stopped process, nor of a database that hangs."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.service import Systemd, Watchdog
from edge_agent.store import Store
from tests.agent.running import AgentProcess, short_folder, site_text

ALLOWED = 0.9  # seconds


class Listener:
    """The socket of a systemd."""

    def __init__(self, path: Path) -> None:
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(ALLOWED * 1_000_000))}
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(str(path))

    def hears(self, patience: float) -> str:
        """The next message; empty: none within so many seconds."""
        self._line.settimeout(patience)
        try:
            return self._line.recv(1024).decode()
        except TimeoutError:
            return ""

    def drained(self) -> None:
        """Forget what was said so far."""
        while self.hears(0.001):
            pass

    def close(self) -> None:
        self._line.close()


@pytest.fixture
def systemd() -> Iterator[Listener]:
    with short_folder() as folder:
        listener = Listener(folder / "notify")
        yield listener
        listener.close()


def test_a_process_that_is_stopped_is_not_alive(systemd: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in systemd.environment.items():
        monkeypatch.setenv(name, value)
    with short_folder() as folder:
        agent = AgentProcess(folder, site_text())
        try:
            agent.start()
            heard = [systemd.hears(10) for _ in range(3)]
            assert "READY=1" in heard
            assert heard.count("WATCHDOG=1") == 2
            os.kill(agent.pid, signal.SIGSTOP)
            systemd.drained()
            assert systemd.hears(ALLOWED * 1.5) == ""
            os.kill(agent.pid, signal.SIGCONT)
            assert systemd.hears(10) == "WATCHDOG=1"
            systemd.drained()
            assert agent.stop() == 0
            assert "STOPPING=1" in [systemd.hears(1), systemd.hears(0.1)]
        finally:
            agent.end()


async def test_a_database_that_hangs_is_not_alive(
    systemd: Listener, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await Store.open(tmp_path / "journal.db", "agent-1", SystemClock())
    gate = threading.Event()
    watchdog = Watchdog(Systemd(systemd.environment), store, SystemClock())
    try:
        await watchdog.beat()
        assert systemd.hears(1) == "WATCHDOG=1"
        hanging = asyncio.ensure_future(store.read(lambda conn: gate.wait(30)))
        await asyncio.sleep(0)  # it is asked first
        await watchdog.beat()
        await watchdog.beat()
        assert systemd.hears(0.01) == ""
        gate.set()
        await hanging
        await watchdog.beat()
        assert systemd.hears(1) == "WATCHDOG=1"
        assert [record.message for record in caplog.records].count("database.hangs") == 1
    finally:
        gate.set()
        await store.close()


def test_who_was_not_started_by_systemd_tells_nobody() -> None:
    nobody = Systemd({})
    nobody.tell("READY=1")
    assert nobody.interval == 0
    assert Systemd({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}).interval == 0
