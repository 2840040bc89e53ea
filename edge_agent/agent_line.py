"""Where an agent is spoken to: its Unix socket, or with its token a port of this PC. Nothing is connected here.

>>> line_to("unix:data/agent.sock").name
'data/agent.sock'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

Headers = tuple[tuple[bytes, bytes], ...]

_LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class AgentLine:
    """`path` of the socket, None over TCP; `base` is what stands before the path of a route."""

    name: str
    base: str
    path: str | None
    headers: Headers = field(repr=False)  # the token is one of them


def line_to(address: str, token_file: Path | None = None) -> AgentLine:
    """The line to `unix:/path/to/agent.sock`, or to `http://127.0.0.1:PORT` with the token in a file.

    Raises ValueError, a sentence: the address leads off this PC, or the token can not be used.
    """
    scheme, _, rest = address.partition(":")
    if scheme == "unix" and rest:
        if token_file is not None:
            raise ValueError(f"The socket {rest} takes no token: leave the token file out, or give http://127.0.0.1:PORT.")
        return AgentLine(rest, "http://agent", rest, ((b"host", b"agent"),))
    port = _port(address)
    if token_file is None:
        raise ValueError(f"{address} takes the token of the agent ([api] token_file): name its file with --token-file.")
    name = f"127.0.0.1:{port}"
    headers = ((b"host", name.encode()), (b"authorization", b"Bearer " + _token(token_file)))
    return AgentLine(name, f"http://{name}", None, headers)


def _port(address: str) -> int:
    """The port of an address on this PC. Raises ValueError."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = SplitResult("", "", "", "", ""), "", None
    if parts.scheme == "http" and host and host not in _LOOPBACK:
        raise ValueError(
            f"{host} is not this PC, and nothing hides what goes over the line: an agent is spoken to at "
            "http://127.0.0.1:PORT. Open the terminal on the agent's PC, over SSH."
        )
    alone = f"http://{host}:{port}"
    if parts.scheme != "http" or not port or address.removesuffix("/").lower() != alone:
        raise ValueError(
            f"The agent's address is {address!r}; it must be unix:/path/to/agent.sock, or http://127.0.0.1:PORT."
        )
    return port


def _token(file: Path) -> bytes:
    from config.secrets import SecretError, read_secret  # a terminal at the socket needs none of it

    try:
        text = read_secret(file)
    except SecretError as error:
        raise ValueError(f"The token of the agent: {error}.") from error
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"The token of the agent: {file} must hold one token in plain characters, and nothing else.")
    return text.encode()
