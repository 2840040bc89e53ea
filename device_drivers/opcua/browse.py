"""What an OPC UA server has, for whoever writes its points."""

from __future__ import annotations

import asyncio
import importlib

from device_drivers.contract import Clock, Found, Misconfigured, StatusCode
from device_drivers.opcua.driver import Driver
from device_drivers.opcua.options import NodeRef, Options, node_ref
from device_drivers.opcua.paths import Step, path_of
from device_drivers.opcua.values import Below, plain, severity

_OBJECTS = "i=85"  # the folder in which every server shows its machines (part 5, 8.2.4)


async def browse(
    options: Options, clock: Clock, path: str = "", first: int = 0, count: int = 100
) -> tuple[Found, ...]:
    """The nodes below `path`, a node id or a browse path as a point says it; empty: the Objects folder.

    What is found is told in the same form. Variables come with their value now. Raises DeviceError.
    """
    start = _start(path)
    # In a thread: it takes half a second.
    await asyncio.to_thread(importlib.import_module, "device_drivers.opcua.wire")
    from device_drivers.opcua.wire import Wire

    wire = Wire(options, clock, lambda since, until: None)
    try:
        await Driver(options, clock).connect(wire)
        below = await wire.below(start, first, count)
    finally:
        await wire.close()
    return tuple(_found(each, start, path) for each in below)


def _start(path: str) -> NodeRef | tuple[Step, ...]:
    """Where to look. Raises Misconfigured when it is neither a node id nor a browse path."""
    try:
        return node_ref(path or _OBJECTS)
    except ValueError:
        pass
    try:
        return path_of(path)
    except ValueError as error:
        raise Misconfigured(f"{error}. A node id looks like nsu=urn:maker:machine;s=Name.") from error


def _found(each: Below, start: NodeRef | tuple[Step, ...], path: str) -> Found:
    place = f'node = "{each.node}"' if isinstance(start, NodeRef) else f'path = "{path}/{each.step}"'
    status = None if each.reading is None else severity(each.reading.code)
    value = None if each.reading is None or status is StatusCode.BAD else plain(each.reading.value)
    return Found(place, each.name, each.kind, value, status, inside=each.kind in ("Object", "Variable"))
