"""What the conformance suite needs to know of the other side of each connector: one file a connector.

`tests/contract/connector_partners/<connector>.py` has a class `Partner` of the shape below. It runs the
real server of the connector, or a simulator of it, on the loopback.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from sync.contract import Fact


class Partner(Protocol):
    """The other side of the wire. A fact of agent A and seq N always has the same id and body."""

    port: int

    def __init__(self, folder: Path) -> None: ...

    def start(self) -> None:
        """Serve; return when connections are taken."""
        ...

    def stop(self) -> None:
        """End, and give everything back."""
        ...

    def options(self, port: int, *, timeout: float = 5.0, wrong_credentials: bool = False) -> Any:
        """The connector's options, aimed at a port of 127.0.0.1 (the partner's, or a proxy's)."""
        ...

    def fact(self, agent: str, seq: int, job: int = 0, *, refused: bool = False) -> Fact:
        """A fact about the job of that number (0 to 9) that the partner will book, or will refuse."""
        ...

    def booked(self, agent: str) -> list[str]:
        """The facts of the agent that had an effect, each time they had one, in order of arrival."""
        ...

    def change_plan(self, id: str) -> None:
        """The office adds a person of that id, or changes what is there."""
        ...

    def replies(self) -> Mapping[str, bytes]:
        """Raw replies of this wire: `server_error`, `not_allowed`, `portal` (somebody else's log-in page)."""
        ...
