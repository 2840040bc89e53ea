"""What an OPC UA server has, for whoever writes its points."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from device_drivers.contract import Clock, Found, Misconfigured, StatusCode, Value
from device_drivers.opcua.driver import Driver, _close, _made, _status, plain
from device_drivers.opcua.options import Options, node_ref

if TYPE_CHECKING:
    from asyncua import ua
    from asyncua.client.client import Client

_OBJECTS = "i=85"  # the folder in which every server shows its machines (part 5, 8.2.4)
_SERVER = "i=2253"  # the server itself: thousands of nodes that are no machine


async def browse(
    options: Options, clock: Clock, path: str = "", first: int = 0, count: int = 100
) -> tuple[Found, ...]:
    """The nodes below the node `path`, a node id as a point says it; empty: the Objects folder.

    Variables come with their value now. Raises DeviceError.
    """
    # In a thread: it takes half a second.
    await asyncio.to_thread(importlib.import_module, "asyncua")
    logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)  # what it would log is raised here
    driver = Driver(options, clock)
    client = driver._client()
    try:
        await driver._connect(client)
        with driver._mapped():
            async with asyncio.timeout(options.timeout * 3):
                return await _children(client, path or _OBJECTS, first, count)
    finally:
        await _close(client)


async def _children(client: Client, place: str, first: int, count: int) -> tuple[Found, ...]:
    from asyncua.ua.uaerrors import BadNodeIdUnknown

    namespaces = await client.get_namespace_array()
    node = client.get_node(_node_id(place, namespaces))
    try:
        await node.read_browse_name()  # what is not there has nothing below it either, and says no word
    except BadNodeIdUnknown as error:
        raise Misconfigured(f"The server has no node {place!r}.") from error
    below = await node.get_children_descriptions()
    shown = [one for one in islice(below, first, first + count) if one.NodeId.to_string() != _SERVER]
    values = await _values(client, shown)
    return tuple(
        Found(
            place=f'node = "{_written(one.NodeId, namespaces)}"',
            name=one.BrowseName.Name or "",
            kind=one.NodeClass.name,
            value=values[one.NodeId][0] if one.NodeId in values else None,
            status=values[one.NodeId][1] if one.NodeId in values else None,
            inside=one.NodeClass.name in ("Object", "Variable"),
        )
        for one in shown
    )


async def _values(client: Client, shown: Sequence[Any]) -> dict[ua.NodeId, tuple[Value, StatusCode]]:
    """The values of the variables among nodes."""
    variables = [one.NodeId for one in shown if one.NodeClass.name == "Variable"]
    if not variables:
        return {}
    readings = await client.read_attributes([client.get_node(each) for each in variables])
    told: dict[ua.NodeId, tuple[Value, StatusCode]] = {}
    for each, reading in zip(variables, readings, strict=True):
        status = _status(reading.StatusCode)
        value = plain(reading.Value.Value) if reading.Value is not None else None
        told[each] = (None if status is StatusCode.BAD else value, status)
    return told


def _node_id(place: str, namespaces: Sequence[str]) -> ua.NodeId:
    try:
        ref = node_ref(place)
    except ValueError as error:
        raise Misconfigured(f"{error}.") from error
    if ref.uri and ref.uri not in namespaces:
        raise Misconfigured(f"The server has no namespace {ref.uri!r}, but {', '.join(namespaces)}.")
    return _made(ref.identifier, namespaces.index(ref.uri) if ref.uri else ref.index)


def _written(node: ua.NodeId, namespaces: Sequence[str]) -> str:
    """A node id as a point says it: with the URI of its namespace, for indexes move."""
    text = node.to_string()
    if not node.NamespaceIndex or node.NamespaceIndex >= len(namespaces):
        return text
    identifier = text.partition(";")[2]
    uri = namespaces[node.NamespaceIndex].replace("%", "%25").replace(";", "%3B")
    return f"nsu={uri};{identifier}"
