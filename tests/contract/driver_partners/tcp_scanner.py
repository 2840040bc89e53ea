"""The partner of the TCP scanner driver: the simulated scanner behind a serial server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.driver_partners.scanner_hand import ScannerPartner
from tests.contract.driver_partners.simulated import NamedPartner, free_port


class Partner(NamedPartner, ScannerPartner):
    """A scanner; nobody scans all day long, so its silence says nothing."""

    gone = r"The serial server at|takes a connection at"

    def arguments(self) -> tuple[str, ...]:
        """The same port again after the first start, and the same FIFO."""
        return ("--listen", str(self.ready.get("port", 0)), "--feed", str(self.folder / "feed"))

    @property
    def options(self) -> Mapping[str, Any]:
        """The port of the serial server."""
        return {"host": "127.0.0.1", "port": self.ready["port"], "timeout": 0.5}

    @property
    def absent(self) -> Mapping[str, Any]:
        """A port where nobody listens."""
        return {"host": "127.0.0.1", "port": free_port()}
