"""What a flow may ask about the machines of this PC: how they are now, and what is on disk of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from edge_agent.maintenance_pages import StateSpan
from edge_agent.stops import Span, Stop
from edge_agent.upkeep import Request
from edge_agent.views import DeviceStatus, EquipmentStatus

REMEMBERED = 3  # days; people are not asked for the reason of a stop that is older


@dataclass(frozen=True)
class Plant:
    """All machines and devices of one moment, in the order of the site file, and their past.

    `strip` is of an interval, `stops` began after a moment, newest first; `requests` are the open ones, the
    most urgent first. `job` is the one that a machine runs, empty for none.
    """

    machines: tuple[EquipmentStatus, ...] = ()
    devices: tuple[DeviceStatus, ...] = ()
    strip: Callable[[str, datetime, datetime], tuple[StateSpan, ...]] = lambda id, began, ended: ()
    spans: Callable[[str, datetime, datetime], tuple[Span, ...]] = lambda id, began, ended: ()
    stops: Callable[[str, datetime], tuple[Stop, ...]] = lambda id, since: ()
    requests: Callable[[str], tuple[Request, ...]] = lambda id: ()
    job: Callable[[str], str] = lambda id: ""

    def machine(self, id: str) -> EquipmentStatus | None:
        """One machine; None when there is none of that id."""
        return next((each for each in self.machines if each.id == id), None)

    def device(self, name: str) -> DeviceStatus | None:
        """One device; None when there is none of that name."""
        return next((each for each in self.devices if each.name == name), None)
