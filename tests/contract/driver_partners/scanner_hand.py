"""What the partners of the scanner drivers share: one label, and a hand that does with it what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tests.contract.driver_partners.simulated import NO_NAME, NamedPartner, SimulatedPartner

LABEL = b"]C10104012345678901\x1d10LOT42"
_WRITTEN = LABEL.replace(b"\x1d", rb"\x1d")


class ScannerPartner(SimulatedPartner):
    """`gone`: the words, as a regular expression, with which the scanner is lost."""

    simulator = "scanner"
    gone: ClassVar[str]
    spared: ClassVar[Mapping[str, str]] = {
        "hung": "nobody scans all day long: silence says nothing",
        "frozen": "nobody scans all day long: silence says nothing",
        "short": "a scan has any length; see cut",
        "wrong unit": "one scanner a line",
        "namespace shift": "has no names",
    }

    def __init_subclass__(cls) -> None:
        cls.meets = {"slow": "", "late": "", "cut": "", "dead": cls.gone, "unplugged": cls.gone}
        if issubclass(cls, NamedPartner):
            cls.meets = {**cls.meets, NO_NAME: "can not be resolved"}
        else:
            cls.spared = {**cls.spared, NO_NAME: "a port has no name in DNS"}

    def provoke(self) -> None:
        """Scan a label."""
        self._feed(_WRITTEN)

    async def play(self, fault: str) -> None:
        """Half a label, a label byte by byte, or no scanner."""
        match fault:
            case "cut":
                self._feed(_WRITTEN[:12] + rb"\c")
            case "late" | "slow":
                self._feed(rb"\:slow 0.3" if fault == "late" else rb"\:slow 0.01")
                self._feed(_WRITTEN[:5] if fault == "late" else _WRITTEN)
                self._feed(rb"\:slow 0")
            case "unplugged":
                self._feed(rb"\:unplug")
            case _:
                await super().play(fault)

    async def heal(self, fault: str) -> None:
        """Plugged in, and whole."""
        await super().heal(fault)
        self._feed(rb"\:pause 1.1")  # so long may the rest of half a label be on its way
        self._feed(rb"\:plug")

    def right(self, item: str, value: object) -> bool:
        """There is one label."""
        return value == LABEL

    def _feed(self, line: bytes) -> None:
        with (self.folder / "feed").open("wb", buffering=0) as feed:
            feed.write(line + b"\n")
