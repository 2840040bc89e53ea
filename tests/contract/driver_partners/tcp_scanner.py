"""The partner of the TCP scanner driver: the simulated scanner behind a serial server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.driver_partners.simulated import SimulatedPartner, free_port


class Partner(SimulatedPartner):
    """A scanner; nobody scans all day long, so its silence says nothing."""

    simulator = "scanner"

    def arguments(self) -> tuple[str, ...]:
        """The same port again after the first start, and the same FIFO."""
        return ("--listen", str(self.ready.get("port", 0)), "--feed", str(self.folder / "feed"))

    def provoke(self) -> None:
        """Scan a label."""
        with (self.folder / "feed").open("wb", buffering=0) as feed:
            feed.write(b"]C10104012345678901\\x1d10LOT42\n")

    @property
    def options(self) -> Mapping[str, Any]:
        """The port of the serial server."""
        return {"host": "127.0.0.1", "port": self.ready["port"]}

    @property
    def absent(self) -> Mapping[str, Any]:
        """A port where nobody listens."""
        return {"host": "127.0.0.1", "port": free_port()}
