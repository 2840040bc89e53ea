"""The partner of the OPC UA driver: the simulated machining centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.driver_partners.simulated import SimulatedPartner, free_port


class Partner(SimulatedPartner):
    """A machining centre in the middle of its shift, fifty times as fast."""

    simulator = "opcua_machine"
    stale_after = 3.0
    missing = "Nothing"

    def arguments(self) -> tuple[str, ...]:
        """The same port again after the first start."""
        return ("--port", str(self.ready.get("port", 0)), "--time-scale", "50", "--begin", "600")

    @property
    def options(self) -> Mapping[str, Any]:
        """Values of every status, and a node that is not there."""
        names = ("State", "StateName", "GoodCount", "Temperature", "OilLevel", "Probe", self.missing)
        node = "nsu=urn:floorhand:machining-centre;s=MachiningCentre."
        return {
            "endpoint": self.ready["endpoint"],
            "publishing_interval": 0.1,
            "stale_after": self.stale_after,
            "points": [{"name": name, "node": node + name} for name in names],
        }

    @property
    def absent(self) -> Mapping[str, Any]:
        """A port where nobody listens."""
        return {**self.options, "endpoint": f"opc.tcp://127.0.0.1:{free_port()}/machining-centre"}
