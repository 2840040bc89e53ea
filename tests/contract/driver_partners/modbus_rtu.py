"""A partner of the Modbus driver: two units behind a serial line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.driver_partners.simulated import SimulatedPartner


class Partner(SimulatedPartner):
    """Every register holds its address."""

    simulator = "modbus_peer"
    driver = "modbus"
    stale_after = 1.0
    missing = "unknown"

    def arguments(self) -> tuple[str, ...]:
        """The same link at every start."""
        return (
            "--transport",
            "rtu",
            "--link",
            str(self.folder / "line"),
            "--units",
            "1",
            "7",
            "--limit",
            "100",
        )

    @property
    def options(self) -> Mapping[str, Any]:
        """Registers and bits of two units, and an address that is not there."""
        return {
            "transport": "rtu",
            "serial": {"port": str(self.folder / "line"), "baudrate": 115200, "parity": "N"},
            "interval": 0.05,
            "timeout": 0.2,
            "points": [
                {"name": "state", "address": 0},
                {"name": "temperature", "address": 8, "type": "float32"},
                {"name": "running", "table": "discrete", "address": 0},
                {"name": "meter", "address": 40, "type": "uint32", "unit": 7},
                {"name": "unknown", "address": 400},
            ],
        }

    @property
    def absent(self) -> Mapping[str, Any]:
        """A port that is not there."""
        return {**self.options, "serial": {"port": str(self.folder / "unplugged"), "parity": "N"}}
