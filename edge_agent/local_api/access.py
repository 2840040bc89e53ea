"""Who may speak to the local API: the peers of its Unix socket, and holders of its token on loopback.

A peer is known by the credentials that the kernel keeps of it (SO_PEERCRED, unix(7)), not by what it says.
The owner (the user of the agent, and root) may do what needs no person; everybody else only what the person
who is signed on at a terminal may.
"""

from __future__ import annotations

import hmac
import os
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from edge_agent.views.status import Problem

Peer = Literal["owner", "group", "token", "nobody"]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# How whoever is not served is answered: by the code of why not.
NOT_LET_IN = {"agent.wrong_token": 401, "agent.not_you": 403, "agent.wrong_host": 421}

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred
_SO_PEERGROUPS = 59  # socket(7), Linux 4.13; the standard library has no name for it
_GROUPS = 4 * 1024  # bytes


class Asked(Protocol):
    """What is needed of a socket."""

    @property
    def family(self) -> int:
        """AF_UNIX, AF_INET ..."""
        ...

    def getsockopt(self, level: int, option: int, length: int, /) -> bytes:
        """As socket.getsockopt."""
        ...


@dataclass(frozen=True)
class Access:
    """Whom the agent serves: its own user and root, the members of `group`, and on `port` holders of `token`."""

    uid: int
    group: int | None = None
    port: int = 0
    token: str = ""

    def peer(self, line: Asked) -> Peer:
        """Who is at the other end of a connection."""
        if line.family != socket.AF_UNIX:
            return "token"  # if it has it: `guarded` looks
        raw = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, uid, gid = _CREDENTIALS.unpack(raw)
        if uid in (self.uid, 0):
            return "owner"
        if self.group is not None and self.group in (gid, *_groups(line)):
            return "group"
        return "nobody"

    def user(self, line: Asked) -> int:
        """The user at the other end, as the kernel has them; -1 where it has none: over TCP."""
        if line.family != socket.AF_UNIX:
            return -1
        raw = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        return int(_CREDENTIALS.unpack(raw)[1])

    def refused(self, scope: Scope) -> Problem | None:
        """Why a request is not served, by who sends it and how; None: it is."""
        peer = peer_of(scope)
        if peer in ("owner", "group"):
            return None
        headers = {name.lower(): value for name, value in scope["headers"]}
        if peer != "token":
            return Problem("agent.not_you", {"group": str(self.group or "")})
        # A page of the internet must not come in under a name that leads here.
        if headers.get(b"host", b"").decode("latin-1") not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            return Problem("agent.wrong_host", {"port": str(self.port)})
        given = headers.get(b"authorization", b"")
        if not self.token or not hmac.compare_digest(given, b"Bearer " + self.token.encode()):
            return Problem("agent.wrong_token")
        return None


def peer_of(scope: Scope) -> Peer:
    """Who sends a request; a connection that nobody looked at is nobody's."""
    known: dict[object, Peer] = {"owner": "owner", "group": "group", "token": "token"}
    client = scope.get("client")
    return known.get(client[0], "nobody") if client else "nobody"


def user_of(scope: Scope) -> int:
    """The user of this PC who sends a request; -1: nobody knows."""
    client = scope.get("client")
    return int(client[1]) if client and peer_of(scope) != "nobody" else -1


def guarded(app: App, access: Access) -> App:
    """The application, for those who may speak to it."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        problem = access.refused(scope)
        if problem is None:
            await app(scope, receive, send)
            return
        status, body = NOT_LET_IN[problem.code], msgspec.json.encode(problem)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        if status == 401:
            headers.append((b"www-authenticate", b"Bearer"))  # RFC 9110, 15.5.2
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return serve


def own_access(group: int | None = None, port: int = 0, token: str = "") -> Access:
    """The access of this process."""
    return Access(os.geteuid(), group, port, token)


def _groups(line: Asked) -> tuple[int, ...]:
    """The further groups of the process at the other end, as the kernel has them."""
    try:
        raw = line.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS)
    except OSError:
        return ()
    return struct.unpack(f"{len(raw) // 4}I", raw[: len(raw) // 4 * 4])
