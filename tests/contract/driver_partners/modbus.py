"""The partner of the Modbus driver: the simulated press."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.driver_partners.simulated import SimulatedPartner, free_port


class Partner(SimulatedPartner):
    """A press in the middle of its shift, fifty times as fast."""

    simulator = "modbus_machine"
    stale_after = 1.0
    missing = "unknown"

    def arguments(self) -> tuple[str, ...]:
        """The same port again after the first start."""
        return ("--port", str(self.ready.get("port", 0)), "--time-scale", "50", "--begin", "600")

    @property
    def options(self) -> Mapping[str, Any]:
        """Registers, bits, a sensor that is not there and an address that is not there."""
        return {
            "host": "127.0.0.1",
            "port": self.ready["port"],
            "interval": 0.05,
            "timeout": 0.5,
            "points": [
                {"name": "state", "address": 0},
                {"name": "good", "address": 2, "type": "uint32"},
                {"name": "temperature", "address": 8, "type": "float32"},
                {"name": "oil", "address": 12, "type": "int16", "not_available": -32768},
                {"name": "running", "table": "discrete", "address": 0},
                {"name": "unknown", "address": 400},
            ],
        }

    @property
    def absent(self) -> Mapping[str, Any]:
        """A port where nobody listens."""
        return {**self.options, "port": free_port()}
