"""The partner of the Modbus driver: a device on the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.driver_partners.modbus_hand import ModbusPartner
from tests.contract.driver_partners.simulated import NamedPartner, free_port


class Partner(NamedPartner, ModbusPartner):
    """Modbus TCP."""

    transport = "tcp"

    @property
    def absent(self) -> Mapping[str, Any]:
        """A port where nobody listens."""
        return self.at("127.0.0.1", free_port())
