"""What the partners of the Modbus driver share: a device whose every register holds its address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.contract.driver_partners.simulated import NO_NAME, SimulatedPartner

TIMEOUT = 0.2
_POINTS: list[dict[str, Any]] = [
    {"name": "state", "address": 2},
    {"name": "temperature", "address": 8, "type": "uint32"},
    {"name": "oil", "address": 12, "type": "int16", "not_available": 12},
    {"name": "running", "table": "discrete", "address": 3},
    {"name": "unknown", "address": 400},
]
_VALUES = {"state": 2, "temperature": 8 << 16 | 9, "running": True, "meter": 40 << 16 | 41}
_KINDS = {
    "slow": f"none {TIMEOUT / 4}", "late": f"late {TIMEOUT * 1.5}", "hung": "hung", "short": "short",
    "wrong unit": "wrong_unit", "cut": "cut",
}  # fmt: skip


class ModbusPartner(SimulatedPartner):
    """`transport` as the site file says it."""

    simulator = "modbus_peer"
    driver = "modbus"
    stale_after = 1.0
    holds_up: ClassVar[float] = 0.0
    missing = "unknown"
    transport: ClassVar[str]
    meets: ClassVar[Mapping[str, str]] = {
        "slow": "", "late": "does not answer within", "hung": "does not answer within",
        "frozen": "does not answer within", "short": "does not answer what it is asked",
        "wrong unit": "does not answer what it is asked|does not answer within", "cut": "does not answer within",
        "dead": "Nobody answers at|closed the connection|ended the connection", NO_NAME: "can not be resolved",
    }  # fmt: skip
    spared: ClassVar[Mapping[str, str]] = {
        "unplugged": "on a network as hung: nobody hears of a plug",
        "namespace shift": "has no names",
    }

    def arguments(self) -> tuple[str, ...]:
        """The same place at every start."""
        place = (
            ("--link", str(self.folder / "line")) if self.transport == "rtu"
            else ("--port", str(self.ready.get("port", 0)))
        )  # fmt: skip
        return (
            "--transport", self.transport, *place, "--units", "1", "7", "--limit", "100",
            "--commands", str(self.folder / "commands"),
        )  # fmt: skip

    @property
    def options(self) -> Mapping[str, Any]:
        """Registers and bits, a sensor that is not fitted and an address that is not there."""
        return {
            "transport": self.transport, "host": "127.0.0.1", "port": self.ready["port"], "interval": 0.05,
            "timeout": TIMEOUT, "points": _POINTS,
        }  # fmt: skip

    @property
    def two_units(self) -> list[dict[str, Any]]:
        """The points, and one of a second unit on the line."""
        return [*_POINTS, {"name": "meter", "address": 40, "type": "uint32", "unit": 7}]

    async def play(self, fault: str) -> None:
        """What the device is told to do wrong, or what is done to it."""
        if fault in _KINDS:
            self._tell(_KINDS[fault])
        else:
            await super().play(fault)

    async def heal(self, fault: str) -> None:
        """As it should be."""
        await super().heal(fault)
        self._tell("none")

    def right(self, item: str, value: object) -> bool:
        """Every register holds its address, every third bit is set."""
        return value == _VALUES.get(item)

    def _tell(self, line: str) -> None:
        with (self.folder / "commands").open("w", encoding="ascii") as commands:
            commands.write(line + "\n")
