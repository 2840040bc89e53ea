"""The other side of the wire for each driver: one file a driver, `<driver name>.py`, with a class `Partner`."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol


class DriverPartner(Protocol):
    """A device that a driver talks to in the conformance suite. `folder` is for what it needs on disk.

    `stale_after`: seconds after which the driver must give a frozen device up, with the options given
    here; None for devices whose silence says nothing. `missing`: a point of the options given here that
    the device does not have; empty for devices without points.
    """

    stale_after: ClassVar[float | None]
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

    def stop(self) -> None:
        """End it; `ensure` starts it again."""
        ...


def partner_class(driver: str) -> type[DriverPartner] | None:
    """The partner of a driver; None when nobody wrote one."""
    name = f"{__name__}.{driver}"
    if importlib.util.find_spec(name) is None:
        return None
    partner: type[DriverPartner] = importlib.import_module(name).Partner
    return partner
