"""A partner of the Modbus driver: two units behind a serial server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.driver_partners.modbus_hand import ModbusPartner
from tests.contract.driver_partners.simulated import NamedPartner, free_port


class Partner(NamedPartner, ModbusPartner):
    """RTU over TCP."""

    transport = "rtu_over_tcp"

    @property
    def options(self) -> Mapping[str, Any]:
        """Of two units."""
        return {**super().options, "points": self.two_units}

    @property
    def absent(self) -> Mapping[str, Any]:
        """A port where nobody listens."""
        return self.at("127.0.0.1", free_port())
