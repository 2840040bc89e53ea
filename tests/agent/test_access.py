"""Who may speak to the agent: tried at its front door, by other users and over TCP."""

from __future__ import annotations

import grp
import json
import os
import pwd
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.local_api.access import Access, own_access, peer_of
from edge_agent.local_api.routes import ROUTES
from tests.agent.running import PATIENCE, AgentProcess, ask, short_folder, site_text
from tests.support.optional import missing

TOKEN = "a-token-of-forty-characters-0123456789ab"
NOBODY = 65534


class Line:
    """A connection with these credentials at its other end."""

    family = socket.AF_UNIX

    def __init__(self, uid: int, gid: int, *groups: int) -> None:
        self._answers = {
            socket.SO_PEERCRED: struct.pack("3i", 4711, uid, gid),
            59: struct.pack(f"{len(groups)}I", *groups),
        }

    def getsockopt(self, level: int, option: int, length: int, /) -> bytes:
        """As the kernel answers."""
        return self._answers[option][:length]


@pytest.mark.parametrize(
    ("line", "who"),
    [
        (Line(1000, 1000), "owner"), (Line(0, 0), "owner"), (Line(1001, 1000), "nobody"), (Line(1001, 50), "group"),
        (Line(1001, 7, 8, 50), "group"), (Line(1001, 7, 8), "nobody"),
    ],
)  # fmt: skip
def test_a_peer_is_who_the_kernel_says(line: Line, who: str) -> None:
    assert Access(uid=1000, group=50).peer(line) == who


def test_without_a_group_there_is_none() -> None:
    assert Access(uid=1000).peer(Line(1001, 50)) == "nobody"


def test_the_kernel_is_asked_of_a_real_line() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert own_access().peer(one) == "owner"
        assert Access(uid=os.geteuid() + 1).peer(one) == ("owner" if os.geteuid() == 0 else "nobody")


def test_a_connection_that_nobody_looked_at_is_nobodys() -> None:
    assert peer_of({"client": None}) == "nobody"
    assert peer_of({"client": ("127.0.0.1", 4711)}) == "nobody"
    problem = own_access().refused({"client": ("127.0.0.1", 4711), "headers": []})
    assert problem is not None
    assert problem.code == "agent.not_you"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[AgentProcess, int]]:
    """An agent with a socket for the group of nobody, and a TCP port with a token."""
    if os.geteuid() != 0:
        missing("other users are tried as root only: run the tests as root once")
    group = grp.getgrgid(pwd.getpwuid(NOBODY).pw_gid).gr_name
    port = free_port()
    text = site_text(more=f'[api]\ngroup = "{group}"\nport = {port}\ntoken_file = "api-token"\n')
    text = text.replace('[site]\n', '[site]\nsocket = "run/agent.sock"\n')
    with short_folder() as folder:
        folder.chmod(0o711)
        token = folder / "api-token"
        token.touch(mode=0o600)
        token.write_text(TOKEN)
        agent = AgentProcess(folder, text)
        agent.socket = folder / "run" / "agent.sock"
        agent.start()
        yield agent, port
        agent.end()


_KNOCK = """
import os, socket, sys
os.setgroups([])
os.setgid(int(sys.argv[4]))
os.setuid(int(sys.argv[3]))
line = socket.socket(socket.AF_UNIX)
try:
    line.connect(sys.argv[1])
    head = "host: agent\\r\\nconnection: close\\r\\ncontent-length: 0\\r\\n\\r\\n"
    line.sendall(f"{sys.argv[2]} HTTP/1.1\\r\\n{head}".encode())
    got = b""
    while data := line.recv(65536):
        got += data
    print(got.decode())
except PermissionError:
    print("the file system says no")
"""


def as_user(path: Path, request: str, uid: int, gid: int) -> str:
    """What another user of this PC hears at the socket."""
    command = [sys.executable, "-c", _KNOCK, str(path), request, str(uid), str(gid)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


def test_a_member_of_the_group_may_work_and_a_stranger_may_not(shared: tuple[AgentProcess, int]) -> None:
    agent, _ = shared
    assert "200 OK" in as_user(agent.socket, "GET /v1/terminals/T1/view", NOBODY, NOBODY)
    assert as_user(agent.socket, "GET /v1/health", 12345, 12345).strip() == "the file system says no"


def test_a_socket_that_somebody_opened_to_all_is_still_not_for_all(shared: tuple[AgentProcess, int]) -> None:
    agent, _ = shared
    agent.socket.chmod(0o666)
    agent.socket.parent.chmod(0o711)
    heard = as_user(agent.socket, "GET /v1/health", 12345, 12345)
    agent.socket.chmod(0o660)
    assert "403" in heard.splitlines()[0]
    assert "agent.not_you" in heard


def test_a_member_of_the_group_needs_somebody_signed_on_for_what_an_admin_does(
    shared: tuple[AgentProcess, int],
) -> None:
    agent, _ = shared
    for what in (
        "POST /v1/persons/p8/pin?terminal=T1", "POST /v1/journal/1/resend?terminal=T1",
        "POST /v1/backup?terminal=T1", "POST /v1/terminals/T1/scanner-test", "GET /v1/journal?terminal=T1",
        "GET /v1/exceptions?terminal=T1",
    ):  # fmt: skip
        heard = as_user(agent.socket, what, NOBODY, NOBODY)
        assert "403" in heard.splitlines()[0], heard
        assert "roles.may_not" in heard
    status, body = ask(agent.socket, "POST", "/v1/persons/p8/pin")
    assert (status, json.loads(body)["code"]) == (409, "pin.unknown_person")


def over_tcp(port: int, host: str | None = None, token: str = TOKEN, address: str = "127.0.0.1") -> tuple[int, str]:
    """Status and body of a question for health."""
    head = f"GET /v1/health HTTP/1.1\r\nhost: {host or f'127.0.0.1:{port}'}\r\nconnection: close\r\n"
    with socket.create_connection((address, port), timeout=PATIENCE) as line:
        line.sendall((head + (f"authorization: Bearer {token}\r\n" if token else "") + "\r\n").encode())
        heard = b""
        while data := line.recv(65536):
            heard += data
    return int(heard.split()[1]), heard.partition(b"\r\n\r\n")[2].decode()


def test_over_tcp_the_token_and_the_name_must_be_right(shared: tuple[AgentProcess, int]) -> None:
    _, port = shared
    assert over_tcp(port)[0] == 200
    assert over_tcp(port, host=f"localhost:{port}")[0] == 200
    for wrong in ("", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper()):
        assert over_tcp(port, token=wrong)[0] == 401
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1"):
        status, body = over_tcp(port, host=host)
        assert (status, json.loads(body)["code"]) == (421, "agent.wrong_host")


@pytest.mark.parametrize(("method", "path"), [(each.method, each.path) for each in ROUTES])
def test_no_route_is_served_without_the_token(shared: tuple[AgentProcess, int], method: str, path: str) -> None:
    _, port = shared
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        line.sendall(head.encode())
        heard = line.recv(65536).lower()
    assert b" 401 " in heard.splitlines()[0]
    assert b"www-authenticate: bearer" in heard


def test_the_port_is_on_loopback_only(shared: tuple[AgentProcess, int]) -> None:
    import psutil

    agent, port = shared
    listening = [each.laddr for each in psutil.Process(agent.pid).net_connections("inet") if each.status == "LISTEN"]
    assert [(each.ip, each.port) for each in listening] == [("127.0.0.1", port)]


def check(text: str, token_mode: int = 0o600) -> str:
    """What `floorhand check` says of a site file."""
    with short_folder() as folder:
        file = folder / "site.toml"
        file.write_text(text)
        token = folder / "api-token"
        token.write_text(TOKEN)
        token.chmod(token_mode)
        command = [sys.executable, "-m", "edge_agent", "check", str(file)]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE).stderr


def test_a_site_file_that_lets_in_too_many_is_refused() -> None:
    port = site_text(more='[api]\nport = 8470\ntoken_file = "api-token"\n')
    assert check(port) == ""
    assert "can be read by others: chmod 600" in check(port, 0o640)
    assert "go together" in check(site_text(more="[api]\nport = 8470\n"))
    assert "a folder of its own" in check(site_text(more='[api]\ngroup = "daemon"\n'))
