"""The places of an agent: one owner, and a sentence for whatever they can not be."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.local_api.api import Api
from edge_agent.places import PlaceError, own_data
from edge_agent.status import LinkBoard, StatusBoard
from tests.agent.hall import hall_in
from tests.agent.running import PATIENCE, AgentProcess, ask, short_folder, site_text, wait


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


def run_again(file: Path) -> subprocess.CompletedProcess[str]:
    """What an agent on this site file says before it ends."""
    command = [sys.executable, "-m", "edge_agent", "run", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def checked(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_agent", "check", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def with_place(line: str, site: str = "") -> str:
    """A site file with one more line about the site."""
    return (site or site_text()).replace("[site]\n", f"[site]\n{line}\n", 1)


def test_a_second_agent_on_the_same_data_goes_away(folder: Path) -> None:
    first = AgentProcess(folder, site_text())
    second = folder / "second.toml"
    second.write_text(with_place('socket = "other.sock"'))
    try:
        first.start()
        told = run_again(second)
        assert told.returncode == 1
        for words in ("journal", str(folder / "data"), str(first.pid), "another [site] data folder"):
            assert words in told.stderr
        assert "Traceback" not in told.stderr
        assert ask(first.socket, "GET", "/v1/health")[0] == 200
        assert not (folder / "other.sock").exists()
    finally:
        first.end()


def test_a_data_folder_is_free_again_when_its_owner_let_go(tmp_path: Path) -> None:
    with closing(own_data(tmp_path / "data")), pytest.raises(PlaceError, match=f"process {os.getpid()}"):
        own_data(tmp_path / "data")
    own_data(tmp_path / "data").close()


MISPLACED: dict[str, Callable[[Path], str]] = {
    "site.data: .*is not a folder": lambda folder: 'data = "file"',
    "site.data: .*file is not": lambda folder: 'data = "file/below"',
    "site.socket: .*is not a folder": lambda folder: 'socket = "file/agent.sock"',
    "site.socket: .*is not a socket": lambda folder: 'socket = "file"',
}


@pytest.mark.parametrize("told", MISPLACED)
def test_a_place_that_can_not_be_is_a_sentence_and_check_knows(folder: Path, told: str) -> None:
    (folder / "file").write_text("precious")
    site = folder / "site.toml"
    site.write_text(with_place(MISPLACED[told](folder)))
    check, run = checked(site), run_again(site)
    assert (check.returncode, run.returncode) == (2, 1)
    assert re.search(told, check.stderr)
    assert "[site]" in run.stderr
    assert "Traceback" not in check.stderr + run.stderr
    assert (folder / "file").read_text() == "precious"


def test_check_makes_nothing(folder: Path) -> None:
    site = folder / "site.toml"
    site.write_text(with_place('data = "deep/data"'))
    assert checked(site).returncode == 0
    assert list(folder.iterdir()) == [site]


def test_two_scanners_on_one_port_are_told_before_the_start(folder: Path) -> None:
    scanner = '[[scanners]]\nname = "{}"\ndriver = "serial_scanner"\nterminal = "T1"\noptions = {{ port = "/dev/x" }}\n'
    site = folder / "site.toml"
    site.write_text(site_text(more=scanner.format("left") + scanner.format("right")))
    told = checked(site)
    assert told.returncode == 2
    assert told.stderr.strip().endswith(
        'scanners[1].options.port: "/dev/x" is already scanners[0].options.port; allowed: a port of its own'
    )


def test_an_agent_that_is_told_to_stop_while_it_starts_stops(folder: Path) -> None:
    agent = AgentProcess(folder, site_text())
    agent.database.parent.mkdir(mode=0o700)
    lock = Path(f"{agent.socket}.lock")
    with closing(sqlite3.connect(agent.database, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")  # the agent waits for it in the middle of its start
        command = [sys.executable, "-m", "edge_agent", "run", str(agent.file)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                wait(lambda: lock.exists() and lock.read_text() == str(process.pid), "the agent to begin")
                process.send_signal(signal.SIGTERM)
                other.execute("ROLLBACK")
                _, log = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
    assert process.returncode == 0, log
    assert "agent.stopped" in log
    assert "agent.ready" not in log


async def test_an_api_that_is_told_to_stop_before_it_serves_does_not_serve(tmp_path: Path) -> None:
    async with hall_in(tmp_path) as hall:
        links = LinkBoard(hall.clock, hall.bus, ())
        board = StatusBoard(hall.store, hall.clock, links, tuple, tuple, "0")
        api = Api(hall.terminals, board, hall.store, hall.bus)
        api.stop()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "a.sock"))
        await asyncio.wait_for(api.serve(listener), 10)
