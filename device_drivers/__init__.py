"""Device drivers: one module a protocol, found by its file name.

Nothing is imported before somebody asks for it: a library of the field costs 10 to 40 MiB.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from device_drivers.contract import DriverModule

GROUP = "floorhand.drivers"  # the entry-point group of drivers that live in other packages

_NOT_DRIVERS = frozenset({"addresses", "contract", "scanners", "serial_ports", "simulators"})


class UnknownDriver(LookupError):
    """The site names a driver that is not installed. `str(error)` names those that are."""


def names() -> tuple[str, ...]:
    """The drivers of this package, sorted: every module and package in it that is not a helper."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in found if name not in _NOT_DRIVERS and not name.startswith("_")))


def load(name: str) -> DriverModule:
    """The module of a driver: ours by file name, else one that is installed under the entry-point group.

    Raises UnknownDriver when there is none, or when what is installed lacks `Options` or `Driver`.
    """
    if name in names():
        return cast("DriverModule", importlib.import_module(f"{__name__}.{name}"))
    from importlib.metadata import (
        entry_points,  # its import takes as long as a driver's; most plants need it never
    )

    foreign = {point.name: point for point in entry_points(group=GROUP)}
    if name not in foreign:
        known = ", ".join(sorted({*names(), *foreign}))
        raise UnknownDriver(f"There is no device driver called {name!r}. Installed are: {known}.")
    module = foreign[name].load()
    missing = [part for part in ("Options", "Driver") if not hasattr(module, part)]
    if missing:
        raise UnknownDriver(f"The installed device driver {name!r} has no {' and no '.join(missing)}.")
    return cast("DriverModule", module)
