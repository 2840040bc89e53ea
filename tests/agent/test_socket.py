"""The socket is this user's and one agent's, and it is the only door."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.agent.running import PATIENCE, AgentProcess, answers, ask, short_folder, site_text, wait


@pytest.fixture
def lone() -> Iterator[AgentProcess]:
    """An agent without ERP and devices; not started."""
    with short_folder() as folder:
        agent = AgentProcess(folder, site_text())
        yield agent
        agent.end()


def started_again(agent: AgentProcess) -> subprocess.CompletedProcess[str]:
    """What another agent on the same site file says before it ends."""
    command = [sys.executable, "-m", "edge_agent", "run", str(agent.file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.lstat().st_mode)


def test_only_this_user_may_connect(lone: AgentProcess) -> None:
    lone.start()
    assert mode(lone.socket) == 0o600
    assert mode(lone.socket.parent) == 0o700
    kept = [*lone.socket.parent.rglob("*")]
    assert {mode(path) for path in kept if not path.is_dir()} == {0o600}
    assert {mode(path) for path in kept if path.is_dir()} == {0o700}


def test_nobody_can_reach_the_agent_over_the_network(lone: AgentProcess) -> None:
    lone.start()
    process = psutil.Process(lone.pid)
    assert process.net_connections(kind="inet") == []
    assert [str(each.laddr) for each in process.net_connections(kind="unix") if each.laddr] == [
        str(lone.socket)
    ]


def test_a_second_agent_goes_away_and_leaves_the_first_alone(lone: AgentProcess) -> None:
    lone.start()
    second = started_again(lone)
    assert second.returncode == 1
    assert "Another agent is running" in second.stderr
    assert str(lone.pid) in second.stderr
    assert "Traceback" not in second.stderr
    assert ask(lone.socket, "GET", "/v1/health")[0] == 200


def test_the_socket_of_a_killed_agent_is_taken_over(lone: AgentProcess) -> None:
    lone.start()
    lone.kill()
    assert lone.socket.is_socket()
    assert not answers(lone.socket)
    lone.start()
    assert ask(lone.socket, "GET", "/v1/health")[0] == 200


def test_an_agent_that_was_stopped_leaves_no_socket(lone: AgentProcess) -> None:
    lone.start()
    assert lone.stop() == 0
    assert not lone.socket.exists()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_not_a_socket_stays_where_it_is(lone: AgentProcess, kind: str) -> None:
    lone.socket.parent.mkdir()
    precious = lone.folder / "precious"
    precious.write_text("precious")
    match kind:
        case "file":
            lone.socket.write_text("precious")
        case "folder":
            lone.socket.mkdir()
        case "link":
            lone.socket.symlink_to(precious)
    ended = started_again(lone)
    assert ended.returncode == 1
    assert "is there and is not a socket" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert lone.socket.is_dir() if kind == "folder" else lone.socket.read_text() == "precious"
    assert not lone.database.exists(), "it touched the journal before it had a place of its own"


def test_a_terminal_that_is_attached_does_not_hold_up_the_end(lone: AgentProcess) -> None:
    lone.start()
    command = ["-c", _LISTENER, str(lone.socket)]
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline().startswith(b"HTTP/1.1 200")
        assert lone.stop() == 0
        listener.stdout.read()
    wait(lambda: listener.poll() is not None, "the end of the stream")


_LISTENER = """
import socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
line.sendall(b"GET /v1/events?terminal=T1 HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n")
while data := line.recv(65536):
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
"""
