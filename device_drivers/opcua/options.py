"""What the site file may say about an OPC UA server and its points."""

from __future__ import annotations

import base64
import re
import uuid
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, field

from device_drivers.opcua.paths import Step, browse_path
from device_drivers.opcua.structures import Fields, structure

KEEPALIVE_COUNT = 5  # publishing intervals without news after which the server says that it lives

Identifier = int | str | bytes | uuid.UUID

_NODE = re.compile(r"(?:(nsu|ns)=([^;]+);)?([isgb])=(.+)", re.DOTALL)


class NodeRef(msgspec.Struct, frozen=True):
    """A node as the site names it: namespace by URI or by index, never by both, and its identifier."""

    identifier: Identifier
    uri: str = ""
    index: int = 0


class Point(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One item, by the id of its node or by the path to it, never by both.

    `node` is `nsu=<namespace URI>;s=<name>` (best: indexes move), `ns=<index>;s=<name>`, or
    `i=<number>`; g= (GUID) and b= (base64) work as well. `path` is the way that a browser shows:
    `Objects/nsu=<namespace URI>;Machine/nsu=<namespace URI>;State`, or `2:Machine` by index; `&/` is
    a slash in a name. `unit` is for people.

    `element` picks one out of a list, counted from 0. `field` picks one out of a structure, whose fields
    `structure` names in their order, up to that one at least: `ID:Int32 Name:String Count:Int32`.
    """

    name: Annotated[str, Meta(min_length=1)]
    node: str = ""
    path: str = ""
    unit: str = ""
    element: Annotated[int, Meta(ge=0)] | None = None
    structure: str = ""
    field: str = ""

    @property
    def where(self) -> str:
        """Its place, for people: a path by its names alone."""
        place = self.node or "/".join(step.name for step in self.steps)
        element = "" if self.element is None else f"[{self.element}]"
        return f"{place}{element}{f'.{self.field}' if self.field else ''}"

    @property
    def ref(self) -> NodeRef:
        """The node, taken apart. Raises ValueError when `node` is none."""
        try:
            return node_ref(self.node)
        except ValueError as error:
            raise ValueError(f"point {self.name!r}: {error}") from error

    @property
    def fields(self) -> Fields:
        """The fields of its structure. Raises ValueError when `structure` is none."""
        try:
            return structure(self.structure)
        except ValueError as error:
            raise ValueError(f"point {self.name!r}: {error}") from error

    @property
    def steps(self) -> tuple[Step, ...]:
        """The path, taken apart. Raises ValueError when `path` is none."""
        try:
            return browse_path(self.path)
        except ValueError as error:
            raise ValueError(f"point {self.name!r}: {error}") from error

    def __post_init__(self) -> None:
        if bool(self.node) is bool(self.path):
            raise ValueError(f"point {self.name!r} needs either a `node` or a `path`")
        if self.field not in {name for name, _ in self.fields} and (self.field or self.structure):
            raise ValueError(f"point {self.name!r}: `field` must be one of those that `structure` names")
        # A wrong one is told with the rest of the site file.
        self.ref if self.node else self.steps  # noqa: B018


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One OPC UA server. Times are seconds.

    The configured host is used whatever name the server calls itself by. `publishing_interval` is how
    often the server sends changes; a server that is silent for `stale_after` is lost. The user's
    password stands alone in the file `password_file`.

    Messages are signed and encrypted (Basic256Sha256), and only a server whose certificate is in the
    folder `trusted` of `certificates` is believed; the certificate of another goes to `rejected`, from
    where `floorhand devices trust` moves it. Our own is made in `own` on first use. With
    `insecure = true` nothing is signed, encrypted or checked, and the status of the device says so.
    """

    endpoint: Annotated[str, Meta(pattern=r"^opc\.tcp://[^/@\s]+(/\S*)?$", extra={"address": "opc.tcp"})]
    publishing_interval: Annotated[float, Meta(ge=0.01, le=60)] = 0.2
    stale_after: Annotated[float, Meta(ge=0.5)] = 3.0
    timeout: Annotated[float, Meta(ge=0.1, le=60)] = 2.0
    username: str = ""
    password_file: Annotated[Path | None, Meta(extra={"secret": True})] = None
    insecure: bool = False
    # By factory: msgspec can not write a Path default into a JSON Schema.
    certificates: Path = field(default_factory=lambda: Path("data/opcua"))
    points: Annotated[tuple[Point, ...], Meta(min_length=1)]

    @property
    def where(self) -> str:
        """The place of the device, for people."""
        return self.endpoint

    @property
    def exposed(self) -> bool:
        """Whether others can read and change what the server says: nothing is secured, and it is not on this PC."""
        host = urlsplit(self.endpoint).hostname or ""
        try:
            here = ip_address(host).is_loopback
        except ValueError:
            here = host == "localhost"
        return self.insecure and not here

    def unwritable(self, item: str) -> str:
        """Why an item can not be written; see device_drivers.contract.DriverModule. The server knows the rest."""
        point = next((point for point in self.points if point.name == item), None)
        if point is None:
            return "is no point of this device"
        return "is a part of a list or a structure" if point.field or point.element is not None else ""

    def __post_init__(self) -> None:
        names = [point.name for point in self.points]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"point {min(twice)!r} is there twice; every point needs its own name")
        if self.stale_after < self.publishing_interval * (KEEPALIVE_COUNT + 1):
            raise ValueError(
                f"`stale_after` must be at least {KEEPALIVE_COUNT + 1} times `publishing_interval`: "
                "a server without news is silent for that long"
            )
        if self.password_file and not self.username:
            raise ValueError("`password_file` needs a `username`")


def node_ref(text: str) -> NodeRef:
    """Take a node id in its text form apart (part 6, 5.3.1.10). Raises ValueError in words.

    >>> node_ref("nsu=urn:maker:press;s=Count").uri, node_ref("ns=2;i=7").identifier
    ('urn:maker:press', 7)
    """
    found = _NODE.fullmatch(text)
    identifier = _identifier(found[3], found[4]) if found else None
    if not found or identifier is None or (found[1] == "ns" and not found[2].isdecimal()):
        raise ValueError(f"{text!r} is no node id; one looks like nsu=urn:maker:machine;s=Name")
    if found[1] == "nsu":
        return NodeRef(identifier, uri=found[2].replace("%3B", ";").replace("%25", "%"))
    return NodeRef(identifier, index=int(found[2] or 0))


def node_text(identifier: Identifier, uri: str, index: int) -> str:
    """A node id as a point says it: with the URI of its namespace where there is one, for indexes move.

    >>> node_text("Count", "urn:a;b", 2), node_text(85, "", 0), node_ref(node_text(b"\\0", "", 3)).identifier
    ('nsu=urn:a%3Bb;s=Count', 'i=85', b'\\x00')
    """
    match identifier:
        case int():
            text = f"i={identifier}"
        case bytes():
            text = f"b={base64.b64encode(identifier).decode()}"
        case uuid.UUID():
            text = f"g={identifier}"
        case _:
            text = f"s={identifier}"
    if not index:
        return text
    escaped = uri.replace("%", "%25").replace(";", "%3B")
    return f"nsu={escaped};{text}" if uri else f"ns={index};{text}"


def _identifier(kind: str, text: str) -> Identifier | None:
    """The identifier of a node id; None when the text is not of its kind."""
    with suppress(ValueError):  # binascii.Error is one
        match kind:
            case "i":
                return int(text) if text.isdecimal() else None
            case "g":
                return uuid.UUID(text)
            case "b":
                return base64.b64decode(text, validate=True)
            case _:
                return text
    return None
