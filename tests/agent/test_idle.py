"""An agent with nothing to do sleeps, and its server waits to be told rather than to look."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from edge_agent.local_api.access import Receive, Scope, Send, own_access
from edge_agent.local_api.server import Server
from tests.agent.running import AgentProcess, ask, short_folder, site_text, wait

MOST = 5  # in a second: housekeeping and books look once each
LOOKS = 8  # a busy PC adds some, and so does a start that is not quite over: one quiet second shows it


def woken(pid: int) -> int:
    """How often its threads have gone to sleep by themselves so far: so often they were woken (proc(5))."""
    files = Path(f"/proc/{pid}/task").glob("*/status")
    lines = [line for each in files for line in each.read_text("ascii").splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


def in_a_second(pid: int) -> int:
    until, before = time.monotonic() + 1, woken(pid)
    wait(lambda: time.monotonic() >= until, "a second")
    return woken(pid) - before


def test_an_idle_agent_is_hardly_ever_woken() -> None:
    with short_folder() as folder:
        agent = AgentProcess(folder, site_text())
        try:
            agent.start()
            assert ask(agent.socket, "GET", "/v1/health")[0] == 200
            assert woken(agent.pid) > 0
            assert any(in_a_second(agent.pid) <= MOST for _ in range(LOOKS))
            assert agent.stop() == 0
        finally:
            agent.end()


async def test_a_server_ends_when_it_is_told_to_also_when_that_was_before_it_began() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        pytest.fail("nobody asks")

    for early in (True, False):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = Server(app, own_access())
            if early:
                server.stop()
            serving = asyncio.create_task(server.serve([listener]))
            while not server.started:
                await asyncio.sleep(0)
            server.stop()
            async with asyncio.timeout(10):
                await serving
