"""A machining centre that speaks OPC UA: `python -m device_drivers.simulators.opcua_machine --port 0`.

Namespace `urn:floorhand:machining-centre`. Without more said, security policy None and anonymous users.
`--secure FOLDER` signs and encrypts with Basic256Sha256, with a certificate that it makes in FOLDER;
`--user NAME:PASSWORD` asks for that user; `--namespaces N` puts N other namespaces first, as a
controller does that has loaded other libraries before it starts again; `--announce HOST` calls itself by
a name that need not resolve; `--clock SECONDS` sets its clock ahead of ours, or behind with a minus.

Nodes, all `s=MachiningCentre.<name>`: State (Int32, the PackML number), StateName, Mode, GoodCount and
ScrapCount (UInt32), AlarmCode (UInt16, 0 for none), AlarmText, Temperature and CycleTime (Double),
OilLevel (Double, its sensor is inaccurate: Uncertain), Probe (Boolean, not fitted: Bad) and Vibration (Double, its
queue ran over: Good, with the overflow bit). Clients may write SpeedSetpoint (Float), BatchSize (UInt16),
RecipeName (String) and Lamp (Boolean); the machine does nothing with them.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.common.node import Node
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server import internal_server
from asyncua.server.server import Server
from asyncua.server.user_managers import UserManager
from asyncua.ua.status_codes import StatusCodes
from cryptography.x509.oid import ExtendedKeyUsageOID

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
    "Vibration": ua.VariantType.Double,
}
_SETPOINTS = {
    "SpeedSetpoint": ua.VariantType.Float,
    "BatchSize": ua.VariantType.UInt16,
    "RecipeName": ua.VariantType.String,
    "Lamp": ua.VariantType.Boolean,
}
_QUEUE_OVERFLOW = 0x480  # Good, with the info bits "data value" and "overflow" (part 4, 7.39.1)


@dataclass(frozen=True)
class Manner:
    """How the server presents itself; what each means stands at the top."""

    secure: Path | None = None
    user: str = ""
    namespaces: int = 0
    announce: str = "127.0.0.1"
    clock: float = 0.0


class _OneUser(UserManager):
    """Takes one user with a password, and nobody else."""

    def __init__(self, user: str) -> None:
        self._user = user

    def get_user(
        self, iserver: Any, username: str | None = None, password: Any = None, certificate: Any = None
    ) -> User | None:
        """None: this user may not come in."""
        word = password.decode() if isinstance(password, bytes) else password
        return User(role=UserRole.User, name=username) if f"{username}:{word}" == self._user else None


def values(moment: Moment) -> dict[str, Any]:
    """The values of the nodes at a moment; OilLevel, Probe and Vibration never change."""
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


async def serve(
    port: int, seed: int, time_scale: float, begin: float, loading: float, manner: Manner
) -> None:
    """Listen on 127.0.0.1 until SIGTERM. `begin`: how many seconds of the shift are over at the start.

    `loading`: seconds until the controller has loaded its program, and with it the nodes.
    """
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    ending = asyncio.create_task(termination().wait())
    _set_clock(manner)
    server = await _server(port, manner)
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
                told = ua.Variant(current[name], _TYPES[name])
                await nodes[name].write_value(ua.DataValue(told, SourceTimestamp=_time_of(manner)))
            shown = current
            await asyncio.wait([ending], timeout=_PACE)


def _time_of(manner: Manner) -> Any:
    """The machine's own time; the library calls it by a name of its own."""
    return datetime.now(UTC) + timedelta(seconds=manner.clock)


def _set_clock(manner: Manner) -> None:
    """The library asks for the time here when it tells its own."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return _time_of(manner).astimezone(tz)

    internal_server.datetime = Shifted  # type: ignore[attr-defined]  # a name that it imports


async def _server(port: int, manner: Manner) -> Server:
    """A server that presents itself as asked and does not listen yet."""
    server = Server(user_manager=_OneUser(manner.user) if manner.user else None)
    gc.disable()  # thousands of nodes are made, and stay: to look for garbage among them is half the start
    try:
        await server.init()
    finally:
        gc.freeze()
        gc.enable()
    server.socket_address = ("127.0.0.1", port)
    server.set_endpoint(f"opc.tcp://{manner.announce}:{port}/machining-centre")
    server.set_server_name("Floorhand machining centre")
    policy = ua.SecurityPolicyType.NoSecurity
    if manner.secure:
        policy = ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt
        await _certify(server, manner.secure)
    server.set_security_policy([policy])
    if manner.user:
        server.set_identity_tokens([ua.UserNameIdentityToken])
    for number in range(manner.namespaces):
        await server.register_namespace(f"urn:floorhand:library:{number}")
    return server


async def _certify(server: Server, folder: Path) -> None:
    """Give the server the certificate of a folder; it is made when it is not there yet."""
    os.umask(0o077)  # the library would let everybody read the key
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nobody is served yet
    certificate, key, uri = folder / "server.der", folder / "server.pem", f"{NAMESPACE}:server"
    names = {"organizationName": "Floorhand simulators"}
    await setup_self_signed_certificate(
        key, certificate, uri, "localhost", [ExtendedKeyUsageOID.SERVER_AUTH], names
    )
    await server.set_application_uri(uri)
    await server.load_certificate(str(certificate))
    await server.load_private_key(str(key))


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
        for name, kind in (_TYPES | _SETPOINTS).items()
    }
    for name in _SETPOINTS:
        await nodes[name].set_writable()
    await _write_faulty_sensors(nodes)
    return nodes


async def _write_faulty_sensors(nodes: dict[str, Node]) -> None:
    inaccurate = ua.StatusCode(ua.UInt32(StatusCodes.UncertainSensorNotAccurate))
    await nodes["OilLevel"].write_value(ua.DataValue(ua.Variant(71.5, ua.VariantType.Double), inaccurate))
    dropped = ua.StatusCode(ua.UInt32(_QUEUE_OVERFLOW))
    await nodes["Vibration"].write_value(ua.DataValue(ua.Variant(0.4, ua.VariantType.Double), dropped))
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
    parser.add_argument(
        "--secure", type=Path, metavar="FOLDER", help="sign and encrypt; the certificate's folder"
    )
    parser.add_argument("--user", default="", metavar="NAME:PASSWORD", help="the only user that may come in")
    parser.add_argument("--namespaces", type=int, default=0, help="so many other namespaces come first")
    parser.add_argument(
        "--announce", default="127.0.0.1", metavar="HOST", help="what the server calls its host"
    )
    parser.add_argument("--clock", type=float, default=0.0, help="seconds by which its clock is ahead of ours")
    given = parser.parse_args()
    manner = Manner(given.secure, given.user, given.namespaces, given.announce, given.clock)
    asyncio.run(serve(given.port, given.seed, given.time_scale, given.begin, given.loading, manner))


if __name__ == "__main__":
    main()
