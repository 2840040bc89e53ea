"""The partner of the OPC UA driver: the simulated machining centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.driver_partners.simulated import SimulatedPartner, free_port


class Partner(SimulatedPartner):
    """A machining centre in the middle of its shift, fifty times as fast; it signs and encrypts."""

    simulator = "opcua_machine"
    stale_after = 3.0
    missing = "Nothing"

    def arguments(self) -> tuple[str, ...]:
        """The same port again after the first start."""
        again = ("--port", str(self.ready.get("port", 0)), "--secure", str(self.folder / "server"))
        return (*again, "--time-scale", "50", "--begin", "600")

    @property
    def options(self) -> Mapping[str, Any]:
        """Values of every status, and a node that is not there."""
        names = ("State", "StateName", "GoodCount", "Temperature", "OilLevel", "Probe", self.missing)
        trusted = self.folder / "pki" / "trusted" / "server.der"
        trusted.parent.mkdir(parents=True, exist_ok=True)
        trusted.write_bytes((self.folder / "server" / "server.der").read_bytes())
        node = "nsu=urn:floorhand:machining-centre;s=MachiningCentre."
        return {
            "endpoint": self.ready["endpoint"],
            "certificates": str(self.folder / "pki"),
            "publishing_interval": 0.1,
            "stale_after": self.stale_after,
            "points": [{"name": name, "node": node + name} for name in names],
        }

    @property
    def absent(self) -> Mapping[str, Any]:
        """A port where nobody listens."""
        return {**self.options, "endpoint": f"opc.tcp://127.0.0.1:{free_port()}/machining-centre"}
