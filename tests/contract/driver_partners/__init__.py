"""The other side of the wire for each driver: one file a driver, `<driver name>.py`, with a class `Partner`.

A driver that speaks over several wires has a file more for each, with the name of the driver in `driver`.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar, Protocol


class DriverPartner(Protocol):
    """A device that a driver talks to in the conformance suite. `folder` is for what it needs on disk.

    `stale_after`: seconds after which the driver must give a frozen device up, with the options given
    here; None for devices whose silence says nothing. `missing`: a point of the options given here that
    the device does not have; empty for devices without points. `driver`: whose partner it is, when its
    file does not say so.

    `holds_up`: seconds that the driver may hold up all others of this process while it connects.

    Every fault of `tests.contract.faults` stands in one of two tables. `meets`: it can be played; a regular
    expression of the words with which the device is lost, or empty when it must not be lost for it.
    `spared`: why this device can not have it, in words.
    """

    meets: ClassVar[Mapping[str, str]]
    spared: ClassVar[Mapping[str, str]]
    driver: ClassVar[str]
    stale_after: ClassVar[float | None]
    holds_up: ClassVar[float]
    missing: ClassVar[str]

    def __init__(self, folder: Path) -> None: ...

    @property
    def options(self) -> Mapping[str, Any]:
        """What the site file says for the running device."""
        ...

    @property
    def absent(self) -> Mapping[str, Any]:
        """The same for a place where there is no device."""
        ...

    def ensure(self) -> None:
        """Have the device running, at the same place as before."""
        ...

    def provoke(self) -> None:
        """Make it say something, if it does not do so by itself."""
        ...

    def kill(self) -> None:
        """SIGKILL."""
        ...

    def freeze(self) -> None:
        """SIGSTOP."""
        ...

    def thaw(self) -> None:
        """SIGCONT."""
        ...

    def line(self) -> AbstractAsyncContextManager[Mapping[str, Any]]:
        """What the site file says for the running device when faults are played on its way."""
        ...

    async def play(self, fault: str) -> None:
        """Have a fault of `meets` from now on."""
        ...

    async def heal(self, fault: str) -> None:
        """Have it no more: run, plugged in, at the same place as before."""
        ...

    def right(self, item: str, value: object) -> bool:
        """Whether an item of the device can have this value; for devices without points, whether it was scanned."""
        ...

    def stop(self) -> None:
        """End it; `ensure` starts it again."""
        ...


def partner_names() -> tuple[str, ...]:
    """All partners, by the names of their files."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(
        sorted(name for name in found if hasattr(importlib.import_module(f"{__name__}.{name}"), "Partner"))
    )


def partner_class(driver: str) -> type[DriverPartner] | None:
    """The partner of this name; None when nobody wrote one."""
    name = f"{__name__}.{driver}"
    if importlib.util.find_spec(name) is None:
        return None
    partner: type[DriverPartner] = importlib.import_module(name).Partner
    return partner
