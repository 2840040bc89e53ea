"""A machining centre that speaks OPC UA: `python -m device_drivers.simulators.opcua_machine --port 0`.

Namespace `urn:floorhand:machining-centre`, security policy None, anonymous users. Nodes, all
`s=MachiningCentre.<name>`: State (Int32, the PackML number), StateName, Mode, GoodCount and
ScrapCount (UInt32), AlarmCode (UInt16, 0 for none), AlarmText, Temperature and CycleTime (Double),
OilLevel (Double, its sensor is inaccurate: Uncertain) and Probe (Boolean, not fitted: Bad).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from typing import Any

from asyncua import ua
from asyncua.common.node import Node
from asyncua.server.server import Server
from asyncua.ua.status_codes import StatusCodes

from device_drivers.simulators.process import announce, termination
from device_drivers.simulators.shift import MACHINING_CENTRE, Moment, Shift

NAMESPACE = "urn:floorhand:machining-centre"
_PACE = 0.1  # seconds between two looks at the shift

_TYPES = {
    "State": ua.VariantType.Int32,
    "StateName": ua.VariantType.String,
    "Mode": ua.VariantType.Int32,
    "GoodCount": ua.VariantType.UInt32,
    "ScrapCount": ua.VariantType.UInt32,
    "AlarmCode": ua.VariantType.UInt16,
    "AlarmText": ua.VariantType.String,
    "Temperature": ua.VariantType.Double,
    "CycleTime": ua.VariantType.Double,
    "OilLevel": ua.VariantType.Double,
    "Probe": ua.VariantType.Boolean,
}


def values(moment: Moment) -> dict[str, Any]:
    """The values of the nodes at a moment; OilLevel and Probe never change."""
    return {
        "State": int(moment.state),
        "StateName": moment.state.name,
        "Mode": int(moment.mode),
        "GoodCount": moment.good,
        "ScrapCount": moment.scrap,
        "AlarmCode": moment.alarm,
        "AlarmText": MACHINING_CENTRE.alarm_text(moment.alarm),
        "Temperature": round(moment.temperature, 1),
        "CycleTime": round(moment.cycle_time, 2),
    }


async def serve(port: int, seed: int, time_scale: float, begin: float, loading: float) -> None:
    """Listen on 127.0.0.1 until SIGTERM. `begin`: how many seconds of the shift are over at the start.

    `loading`: seconds until the controller has loaded its program, and with it the nodes.
    """
    logging.getLogger("asyncua").setLevel(logging.ERROR)
    ending = asyncio.create_task(termination().wait())
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/machining-centre")
    server.set_server_name("Floorhand machining centre")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    nodes = await _nodes(server) if not loading else {}
    shift, started = Shift(MACHINING_CENTRE, seed), time.monotonic()
    async with server:
        assert server.bserver
        bound = server.bserver.port
        announce(endpoint=f"opc.tcp://127.0.0.1:{bound}/machining-centre", port=bound)
        if loading:
            await asyncio.wait([ending], timeout=loading)
            nodes = await _nodes(server)
        shown: dict[str, Any] = {}
        while not ending.done():
            current = values(shift.at(begin + (time.monotonic() - started) * time_scale))
            for name in (name for name, value in current.items() if shown.get(name) != value):
                await nodes[name].write_value(ua.Variant(current[name], _TYPES[name]))
            shown = current
            await asyncio.wait([ending], timeout=_PACE)


async def _nodes(server: Server) -> dict[str, Node]:
    space = ua.Int16(await server.register_namespace(NAMESPACE))
    machine = await server.nodes.objects.add_object(
        ua.NodeId(ua.String("MachiningCentre"), space), ua.QualifiedName("MachiningCentre", space)
    )
    blank: dict[ua.VariantType, Any] = {ua.VariantType.String: "", ua.VariantType.Boolean: False}
    nodes = {
        name: await machine.add_variable(
            ua.NodeId(ua.String(f"MachiningCentre.{name}"), space),
            ua.QualifiedName(name, space),
            ua.Variant(blank.get(kind, 0), kind),
        )
        for name, kind in _TYPES.items()
    }
    await _write_faulty_sensors(nodes)
    return nodes


async def _write_faulty_sensors(nodes: dict[str, Node]) -> None:
    inaccurate = ua.StatusCode(ua.UInt32(StatusCodes.UncertainSensorNotAccurate))
    await nodes["OilLevel"].write_value(ua.DataValue(ua.Variant(71.5, ua.VariantType.Double), inaccurate))
    missing = ua.StatusCode(ua.UInt32(StatusCodes.BadNotConnected))
    await nodes["Probe"].write_value(ua.DataValue(ua.Variant(False, ua.VariantType.Boolean), missing))


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A simulated machining centre that speaks OPC UA.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one, told in the ready line")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another shift")
    parser.add_argument("--time-scale", type=float, default=1.0, help="10: ten times as fast")
    parser.add_argument("--begin", type=float, default=0.0, help="seconds of the shift that are over already")
    parser.add_argument("--loading", type=float, default=0.0, help="seconds until the nodes are there")
    arguments = parser.parse_args()
    given = (arguments.port, arguments.seed, arguments.time_scale, arguments.begin, arguments.loading)
    asyncio.run(serve(*given))


if __name__ == "__main__":
    main()
