"""Connectors, one module each: the file name is the name in the site file.

A third party adds one by an entry point of the group `floorhand.connectors` that names a module with
`Options` and `Connector`. Only the one that is asked for is imported.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import TYPE_CHECKING, cast

from sync.ports import ConnectorModule

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "floorhand.connectors"


def names() -> tuple[str, ...]:
    """The connectors that can be loaded, sorted; none is imported."""
    return tuple(sorted({*_ours(), *_theirs()}))


def known(name: str) -> bool:
    """Whether there is a connector of that name."""
    return name in _ours() or name in _theirs()


def load(name: str) -> ConnectorModule:
    """The connector of that name. Raises ValueError, with a sentence, when there is none."""
    module: ModuleType
    if name in _ours():
        module = importlib.import_module(f"{__name__}.{name}")
    elif name in (theirs := _theirs()):
        module = theirs[name].load()
    else:
        raise ValueError(f"There is no connector {name!r}; there are: {', '.join(names())}.")
    missing = [part for part in ("Options", "Connector") if not isinstance(getattr(module, part, None), type)]
    if missing:
        raise ValueError(f"The connector {name!r} has no class {' and no class '.join(missing)}.")
    return cast(ConnectorModule, module)


def _ours() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")}


def _theirs() -> dict[str, EntryPoint]:
    from importlib.metadata import (
        entry_points,  # its import takes as long as a driver's; most plants need it never
    )

    return {point.name: point for point in entry_points(group=GROUP)}
