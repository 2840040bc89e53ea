"""What partners that are a simulator of ours share."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from device_drivers.simulators.process import Simulator
from tests.support.dns import Dns, dns

NO_NAME = "name does not resolve"
NAME = "device.example"


class SimulatedPartner(ABC):
    """A partner that is one simulator process; a subclass says which and with what arguments."""

    simulator: ClassVar[str]
    meets: ClassVar[Mapping[str, str]]
    spared: ClassVar[Mapping[str, str]]
    driver: ClassVar[str] = ""
    stale_after: ClassVar[float | None] = None
    holds_up: ClassVar[float] = 0.0
    missing: ClassVar[str] = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: Simulator | None = None
        self.ready: Mapping[str, Any] = {}

    @property
    @abstractmethod
    def options(self) -> Mapping[str, Any]:
        """What the site file says for the running device."""

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Mapping[str, Any]]:
        """Straight to the device."""
        yield self.options

    async def play(self, fault: str) -> None:
        """What can be done to any process; a subclass adds what its simulator can do."""
        match fault:
            case "frozen":
                self.freeze()
            case "dead":
                self.kill()
            case _:
                raise NotImplementedError(fault)

    async def heal(self, fault: str) -> None:
        """Run again."""
        self.thaw()
        await asyncio.to_thread(self.ensure)

    @abstractmethod
    def right(self, item: str, value: object) -> bool:
        """Whether an item can have this value."""

    @abstractmethod
    def arguments(self) -> tuple[str, ...]:
        """The command line; `self.ready` is the ready line of the run before, empty at first."""

    def ensure(self) -> None:
        """Start it if it does not run, at the same place as before."""
        if self._running is None:
            self._running = Simulator.start(self.simulator, *self.arguments())
            self.ready = self._running.ready

    def provoke(self) -> None:  # noqa: B027 - nothing to do is an answer
        """Machines speak by themselves."""

    def kill(self) -> None:
        """SIGKILL."""
        if self._running:
            self._running.kill()
            self._running = None

    def freeze(self) -> None:
        """SIGSTOP."""
        if self._running:
            self._running.freeze()

    def thaw(self) -> None:
        """SIGCONT."""
        if self._running:
            self._running.thaw()

    def stop(self) -> None:
        """SIGTERM; a frozen one is thawed."""
        if self._running:
            self._running.stop()
            self._running = None


class NamedPartner(SimulatedPartner):
    """A partner on a network, which the site file calls by a name."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._dns: Dns | None = None

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Mapping[str, Any]]:
        """By its name."""
        with dns(NAME) as self._dns:
            yield self.at(NAME, self.ready["port"])

    def at(self, host: str, port: int) -> Mapping[str, Any]:
        """The options for another place."""
        return {**self.options, "host": host, "port": port}

    async def play(self, fault: str) -> None:
        """Also what can be done to a name."""
        if fault == NO_NAME:
            assert self._dns
            self._dns.silent = True
            self.kill()
        else:
            await super().play(fault)

    async def heal(self, fault: str) -> None:
        """Known again."""
        if self._dns:
            self._dns.silent = False
        await super().heal(fault)


def free_port() -> int:
    """A TCP port of 127.0.0.1 where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
