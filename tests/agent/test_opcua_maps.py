"""The maps for OPC UA, read by the driver from a server that has the nodes of the standard."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.common.node import Node
from asyncua.server.server import Server
from asyncua.ua.status_codes import StatusCodes

from config import Device, Settings, parse
from config.machine_maps import SHIPPED
from device_drivers.contract import DataValue
from edge_agent.clock import SystemClock
from edge_agent.machines.equipment import Equipment
from edge_agent.site import machine_of, option_types
from tests.device_drivers.observing import Running, running

URI = "urn:example:line"
STANDARD = {
    "packml_unit": "http://opcfoundation.org/UA/PackML/",
    "machinetool_40501": "http://opcfoundation.org/UA/MachineTool/",
}
# A state machine that does not run says so by its status (part 16, 4.4.4).
ASLEEP = ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(StatusCodes.BadStateNotActive)))
BASE = "BaseStateMachine/CurrentState"
MACHINE = "BaseStateMachine/MachineState/CurrentState"
EXECUTE = "BaseStateMachine/MachineState/ExecuteState/CurrentState"
PACKML: dict[str, Any] = {
    BASE: ua.LocalizedText("Aborted"),
    MACHINE: ua.LocalizedText("Stopped"),
    EXECUTE: ua.LocalizedText("Idle"),
    "Status/UnitModeCurrent": ua.Variant(1, ua.VariantType.Int32),
    "Status/CurMachSpeed": ua.Variant(118.5, ua.VariantType.Float),
    "Status/MachSpeed": ua.Variant(120.0, ua.VariantType.Float),
    "Status/EquipmentBlocked": False,
    "Status/EquipmentStarved": True,
}
OF_THE_STRUCTURES = ["processed", "defective", "stop_reason", "stop_text"]
STATE = "Production/ActiveProgram/State/CurrentState"
MACHINE_TOOL: dict[str, Any] = {
    STATE: ua.LocalizedText("Initializing"),
    "Production/ActiveProgram/Name": "HOUSING-7.MPF",
    "Production/Statistics/PartsProducedInLifetime": ua.Variant(70_512, ua.VariantType.UInt32),
    "Monitoring/MachineTool/OperationMode": ua.Variant(1, ua.VariantType.Int32),
    "Monitoring/MachineTool/FeedOverride": 95.0,
    "Monitoring/MachineTool/PowerOnDuration": ua.Variant(4_812, ua.VariantType.UInt32),
}
PROGRAM = {
    "Initializing": "STARTING", "Running": "EXECUTE", "Interrupted": "HELD", "Aborted": "ABORTED",
    "Ended": "COMPLETE",
}  # fmt: skip
# The three state machines of a PackML unit, from the outermost in, in each of its states.
ROUND: list[tuple[str | None, ...]] = [(each, None, None) for each in ("Aborting", "Aborted")]
ROUND += [("Cleared", each, None) for each in ("Clearing", "Stopped", "Stopping")]
RUNNING_STATES = (
    "Resetting", "Idle", "Starting", "Execute", "Holding", "Held", "Unholding", "Suspending", "Suspended",
    "Unsuspending", "Completing", "Complete",
)  # fmt: skip


@asynccontextmanager
async def serving(name: str, unit: str, variables: Mapping[str, Any]) -> AsyncIterator[tuple[str, dict[str, Node]]]:
    """A server with the variables below a unit, by the names of the map's standard; its endpoint, and the nodes."""
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/line")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    own = ua.Int16(await server.register_namespace(URI))
    standard = ua.Int16(await server.register_namespace(STANDARD[name]))
    any_id = ua.NodeId(ua.Int32(0), own)  # the server makes one
    objects = {"": await server.nodes.objects.add_object(any_id, ua.QualifiedName(unit, own))}
    nodes: dict[str, Node] = {}
    for path, value in variables.items():
        *way, last = path.split("/")
        for index, step in enumerate(way):
            parent, here = "/".join(way[:index]), "/".join(way[: index + 1])
            if here not in objects:
                objects[here] = await objects[parent].add_object(any_id, ua.QualifiedName(step, standard))
        of_ua = last == "CurrentState"  # a component of every state machine (part 16, 4.4.2)
        called = ua.QualifiedName(last, ua.Int16(0) if of_ua else standard)
        nodes[path] = await objects["/".join(way)].add_variable(any_id, called, value)
    async with server:
        assert server.bserver
        yield f"opc.tcp://127.0.0.1:{server.bserver.port}/line", nodes


def settings(name: str, parameter: str, unit: str, endpoint: str, without: list[str] | None = None) -> Settings:
    """A site with one device of a map, and the machine that it speaks for."""
    text = f"""
[site]
name = "P"
agent = "a"
[[terminals]]
id = "T1"
[[devices]]
name = "d"
map = "{name}"
parameters = {{ {parameter} = "Objects/nsu={URI};{unit}" }}
leave_out = {without or []}
options = {{ endpoint = "{endpoint}", insecure = true, publishing_interval = 0.05 }}
[[equipment]]
id = "M"
device = "d"
"""
    return parse(text, file="site.toml", folder=Path("/srv"), options=option_types())


async def until_state(run: Running, machine: Equipment, state: str) -> None:
    """Fold what was observed into the machine until it is in the state."""
    taken = 0

    def look(seen: list[Any]) -> bool:
        nonlocal taken
        for one in seen[taken:]:
            if isinstance(one, DataValue):
                machine.take(one)
        taken = len(seen)
        return machine.status().state == state

    await run.until(look)


def driver(device: Device) -> Any:
    import device_drivers

    return device_drivers.load(device.driver).Driver(device.options, SystemClock())


async def set_state(node: Node, state: str | None) -> None:
    value = ASLEEP if state is None else ua.DataValue(ua.Variant(ua.LocalizedText(state)))
    await node.write_value(value)


async def test_a_packml_unit_is_followed_through_every_state() -> None:
    async with serving("packml_unit", "Filler", PACKML) as (endpoint, nodes):
        site = settings("packml_unit", "unit", "Filler", endpoint, OF_THE_STRUCTURES)
        machine = machine_of(site.equipment[0])
        way = [*ROUND, *(("Cleared", "Running", each) for each in RUNNING_STATES), *ROUND[:1]]
        async with running(driver(site.devices[0])) as run:
            for states in way:
                for name, state in zip((BASE, MACHINE, EXECUTE), states, strict=True):
                    await set_state(nodes[name], state)
                await until_state(run, machine, [state for state in states if state][-1].upper())
        shown = {one.name: one.value for one in machine.status().values}
        assert machine.status().mode == "PRODUCTION"
        assert shown == {"speed": 118.5, "speed_set": 120.0, "blocked": False, "starved": True}


def test_every_state_of_the_standard_was_driven() -> None:
    map_file = tomllib.loads((SHIPPED / "packml_unit.toml").read_text(encoding="utf-8"))
    driven = {state for states in ROUND for state in states if state} | set(RUNNING_STATES)
    assert driven - {"Cleared"} == set(map_file["equipment"]["states"])


async def test_a_machine_tool_tells_its_state_its_program_and_its_parts() -> None:
    async with serving("machinetool_40501", "Mill7", MACHINE_TOOL) as (endpoint, nodes):
        site = settings("machinetool_40501", "machine", "Mill7", endpoint)
        machine = machine_of(site.equipment[0])
        async with running(driver(site.devices[0])) as run:
            for said, state in PROGRAM.items():
                await set_state(nodes[STATE], said)
                await until_state(run, machine, state)
        assert (machine.status().count, machine.status().mode) == (70_512, "PRODUCTION")
        shown = {one.name: (one.value, one.unit) for one in machine.status().values}
        assert shown["program"] == ("HOUSING-7.MPF", "")
        assert shown["feed_override"] == (95.0, "%")
        assert shown["power_on"] == (4_812, "h")
