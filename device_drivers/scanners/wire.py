"""What a scanner driver brings: a wire that hands over bytes as they come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from device_drivers.contract import DeviceError

Take = Callable[[bytes], None]
Lose = Callable[[DeviceError], None]


class Wire(Protocol):
    """An open wire to one scanner."""

    def write(self, data: bytes) -> None:
        """Send a few bytes. Never blocks and never raises: a lost wire is told to whoever listens."""
        ...

    def close(self) -> None:
        """Close it; nothing is handed over any more. Safe to call twice."""
        ...


# Opens the wire: `take` gets the bytes of each reading, `lose` the reason when the wire is lost, once.
# Raises DeviceError when it can not be opened. A driver module offers it as `connect(options, take, lose)`.
Connect = Callable[[Take, Lose], Awaitable[Wire]]
