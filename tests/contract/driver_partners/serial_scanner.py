"""The partner of the serial scanner driver: the simulated scanner on a pseudo-terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.driver_partners.scanner_hand import ScannerPartner


class Partner(ScannerPartner):
    """A scanner; nobody scans all day long, so its silence says nothing."""

    gone = r"The scanner at .+ is gone|There is no port"

    def arguments(self) -> tuple[str, ...]:
        """The same port and the same FIFO at every start."""
        return ("--link", str(self.folder / "scanner"), "--feed", str(self.folder / "feed"))

    @property
    def options(self) -> Mapping[str, Any]:
        """The link is the port."""
        return {"port": str(self.folder / "scanner")}

    @property
    def absent(self) -> Mapping[str, Any]:
        """A name that is not there."""
        return {"port": str(self.folder / "unplugged")}
