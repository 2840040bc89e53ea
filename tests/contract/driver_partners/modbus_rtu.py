"""A partner of the Modbus driver: two units behind a serial line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.driver_partners.modbus_hand import TIMEOUT, ModbusPartner
from tests.contract.driver_partners.simulated import NO_NAME


class Partner(ModbusPartner):
    """RTU. The adapter of the line is a pseudo-terminal: its plug is out when the process is gone."""

    transport = "rtu"
    meets = {
        **{fault: words for fault, words in ModbusPartner.meets.items() if fault not in ("dead", NO_NAME)},
        "unplugged": "There is no port|Nobody answers at|is gone|Can not open|does not answer within",
    }
    spared = {
        "dead": "on a serial line as hung: nobody hears of it",
        "namespace shift": "has no names",
        NO_NAME: "a port has no name in DNS",
    }

    @property
    def options(self) -> Mapping[str, Any]:
        """Of two units."""
        return {
            "transport": "rtu",
            "serial": {"port": str(self.folder / "line"), "baudrate": 115200, "parity": "N"},
            "interval": 0.05, "timeout": TIMEOUT, "points": self.two_units,
        }  # fmt: skip

    @property
    def absent(self) -> Mapping[str, Any]:
        """A port that is not there."""
        return {**self.options, "serial": {"port": str(self.folder / "unplugged"), "parity": "N"}}

    async def play(self, fault: str) -> None:
        """Without the adapter there is no port."""
        if fault == "unplugged":
            self.kill()
        else:
            await super().play(fault)
