"""The partner of the OPC UA driver: the simulated machining centre, behind a wire that can be broken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from tests.contract.driver_partners.simulated import NAME, NO_NAME, NamedPartner, free_port
from tests.support.fault_proxy import FaultProxy

NAMESPACE = "urn:floorhand:machining-centre"
_SILENT = "has sent nothing for|does not answer in time|No OPC UA server answers"


class Partner(NamedPartner):
    """A machining centre in the middle of its shift, fifty times as fast; it signs and encrypts."""

    simulator = "opcua_machine"
    stale_after = 1.0
    holds_up = 0.1  # the library asks and answers in many small steps, of up to 0.02 s, while it connects
    missing = "Nothing"
    meets: ClassVar[Mapping[str, str]] = {
        "slow": "", "late": _SILENT, "hung": _SILENT, "frozen": _SILENT, "dead": "No OPC UA server answers|ended",
        "cut": "No OPC UA server answers|ended|does not speak OPC UA",
        "namespace shift": "No OPC UA server answers|ended", NO_NAME: "can not be resolved",
    }  # fmt: skip
    spared: ClassVar[Mapping[str, str]] = {
        "unplugged": "on a network as hung: nobody hears of a plug",
        "short": "a message says how long it is; see cut",
        "wrong unit": "has no units",
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._others = 0  # namespaces before its own
        self._wire: FaultProxy | None = None

    def arguments(self) -> tuple[str, ...]:
        """The same port again after the first start."""
        again = ("--port", str(self.ready.get("port", 0)), "--secure", str(self.folder / "server"))
        return (*again, "--time-scale", "50", "--begin", "600", "--namespaces", str(self._others))

    @property
    def options(self) -> Mapping[str, Any]:
        """Values of every status, by id and by path, and a node that is not there."""
        names = ("State", "StateName", "GoodCount", "OilLevel", "Probe", self.missing)
        trusted = self.folder / "pki" / "trusted" / "server.der"
        trusted.parent.mkdir(parents=True, exist_ok=True)
        trusted.write_bytes((self.folder / "server" / "server.der").read_bytes())
        node = f"nsu={NAMESPACE};s=MachiningCentre."
        path = f"Objects/nsu={NAMESPACE};MachiningCentre/nsu={NAMESPACE};Temperature"
        return {
            "endpoint": self.ready["endpoint"],
            "certificates": str(self.folder / "pki"),
            "publishing_interval": 0.1,
            "stale_after": self.stale_after,
            "points": [
                *({"name": name, "node": node + name} for name in names), {"name": "Temperature", "path": path},
            ],
        }  # fmt: skip

    @property
    def absent(self) -> Mapping[str, Any]:
        """A port where nobody listens."""
        return self.at("127.0.0.1", free_port())

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Mapping[str, Any]]:
        """By its name, and through a wire that can be broken."""
        async with FaultProxy(self.ready["port"]) as wire, super().line():
            self._wire = wire
            yield self.at(NAME, wire.port)

    def at(self, host: str, port: int) -> Mapping[str, Any]:
        """The endpoint of another place."""
        return {**self.options, "endpoint": f"opc.tcp://{host}:{port}/machining-centre"}

    async def play(self, fault: str) -> None:
        """On the wire, or in the server."""
        assert self._wire
        match fault:
            case "slow":
                self._wire.latency = 0.1
            case "late":
                self._wire.latency = 4.0
            case "hung":
                self._wire.blackhole = True
            case "cut":
                self._wire.cut_reply_after = 1
            case "namespace shift":
                self._others += 3
                self.kill()
            case _:
                await super().play(fault)

    async def heal(self, fault: str) -> None:
        """A wire and a server as they should be."""
        assert self._wire
        self._wire.heal()
        await super().heal(fault)

    def right(self, item: str, value: object) -> bool:
        """What a machining centre can say."""
        match item:
            case "State" | "GoodCount":
                return type(value) is int and value >= 0
            case "StateName":
                return isinstance(value, str) and value.isupper()
            case "Temperature":
                return type(value) is float and 0 < value < 200
            case _:
                return False
