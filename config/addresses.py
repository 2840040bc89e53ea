"""What can be the address of something on a network, whether or not anything is there."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

_LABEL = re.compile(r"\w(?:[\w-]{0,61}\w)?")  # RFC 1123, 2.1, with the letters of all languages and _
_LONGEST = 253  # characters of a name (RFC 1035, 2.3.4, as text)
_PORTS = range(1, 65536)

_HOST = "a name (letters, digits, - and _, with dots between) or an IP address"
ALLOWED = {
    "host": _HOST,
    "http": f"https://HOST:PORT/PATH or http://HOST:PORT/PATH; HOST is {_HOST}, PORT 1 to 65535 or left out",
    "opc.tcp": f"opc.tcp://HOST:PORT/PATH; HOST is {_HOST}, PORT 1 to 65535 or left out",
}
_SCHEMES = {"http": ("https", "http"), "opc.tcp": ("opc.tcp",)}


def problem(kind: str, text: str) -> str:
    """Why `text` can be no address of this kind, one of ALLOWED; empty when it can.

    >>> problem("host", "192.0.2.7"), problem("http", "https://erp.example:8443/floorhand")
    ('', '')
    >>> problem("host", "192.0.2.700"), problem("opc.tcp", "opc.tcp://h:99999"), problem("http", "ftp://erp.example")
    ('192.0.2.700 is no IP address', 'there is no port 99999', 'begins with no https:// or http://')
    """
    return _host_problem(text) if kind == "host" else _url_problem(kind, text)


def _url_problem(kind: str, text: str) -> str:
    if gap := re.search(r"[\s\x00-\x1f\x7f]", text):
        return f"has {'a space' if gap[0] == ' ' else 'a character that is none of an address'} in it"
    try:
        parts = urlsplit(text)
        name, _, port = parts.netloc.rpartition("@")[2].rpartition("]")[2].partition(":")
        host = parts.hostname or ""
    except ValueError:
        return "is no address"
    if parts.scheme not in _SCHEMES[kind]:
        return f"begins with no {' or '.join(f'{each}://' for each in _SCHEMES[kind])}"
    if kind == "http" and (parts.username or parts.password or parts.query or parts.fragment):
        return "is more than an address: a secret belongs into a file of its own"
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) in _PORTS):
        return f"there is no port {port}"
    return _host_problem(f"[{host}]" if not name and "[" in parts.netloc else host)


def _host_problem(host: str) -> str:
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if bare != host or ":" in bare:
        return "" if _is(IPv6Address, bare) else f"{bare} is no IP address"
    labels = bare.removesuffix(".").split(".")
    if labels[-1].isdigit():  # a name ends in no number (RFC 1123, 2.1)
        return "" if _is(IPv4Address, bare) else f"{bare} is no IP address"
    if len(bare) > _LONGEST or not all(_LABEL.fullmatch(label) for label in labels):
        return "is no name of a host" if bare else "names no host"
    return ""


def _is(kind: type[IPv4Address] | type[IPv6Address], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True
