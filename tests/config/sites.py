"""A small site that is right, and the types of its options."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from config import OptionTypes

SITE: dict[str, Any] = {
    "site": {"name": "Plant 1", "agent": "pc-1"},
    "equipment": [
        {"id": "PRESS", "device": "plc", "state": "state", "states": {"6": "EXECUTE"}, "count": "good"},
        {"id": "BENCH"},
    ],
    "terminals": [{"id": "T1", "equipment": "PRESS"}, {"id": "T2", "home": "picking"}],
    "scanners": [{"name": "gun", "driver": "wand", "terminal": "T1"}],
    "devices": [
        {
            "name": "plc",
            "driver": "bus",
            "options": {"host": "h", "points": [{"name": "state"}, {"name": "good", "address": 7}]},
        }
    ],
    "connectors": [{"name": "erp", "driver": "web", "options": {"token": "secrets/token"}}],
    "policies": {"count_tolerance": 3},
}


class Point(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One item."""

    name: str
    address: Annotated[int, Meta(ge=0, le=65_535)] = 0


class BusOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of a device driver."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65_535)] = 502
    points: Annotated[tuple[Point, ...], Meta(min_length=1)]


class WandOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of a scanner driver."""

    baudrate: int = 9600


class WebOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of a connector."""

    token: Path
    timeout: Annotated[float, Meta(gt=0)] = 10.0


OPTIONS = OptionTypes(
    drivers={"bus": BusOptions, "wand": WandOptions}.get,
    driver_names=lambda: ("bus", "wand"),
    connectors={"web": WebOptions}.get,
    connector_names=lambda: ("web",),
)


def site() -> dict[str, Any]:
    """A copy to spoil."""
    return copy.deepcopy(SITE)
