"""What a flow may ask about the machines of this PC: how they are now, and what is on disk of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge_agent.machines.reliability import short_stops
from edge_agent.machines.stops import Span, Stop
from edge_agent.machines.upkeep import Request
from edge_agent.views.maintenance import ShortStops, StateSpan, Unattributed
from edge_agent.views.oee import OeeReport
from edge_agent.views.status import DeviceStatus, EquipmentStatus

REMEMBERED = 3  # days; people are not asked for the reason of a stop that has been over for longer


@dataclass(frozen=True)
class Plant:
    """All machines and devices of one moment, in the order of the site file, and their past.

    `strip` is of an interval, from when the machine was first known, `stops` were not over at a moment, newest
    first; `requests` are the open ones, the most urgent first. `job` is the one that a machine runs, empty for none;
    `unattributed` are the parts that it counted while none was open; `time` is what a machine's time was spent on and
    `oee` what came of it, None when nobody can tell.
    """

    machines: tuple[EquipmentStatus, ...] = ()
    devices: tuple[DeviceStatus, ...] = ()
    strip: Callable[[str, datetime, datetime], tuple[StateSpan, ...]] = lambda id, began, ended: ()
    spans: Callable[[str, datetime, datetime], tuple[Span, ...]] = lambda id, began, ended: ()
    stops: Callable[[str, datetime], tuple[Stop, ...]] = lambda id, since: ()
    requests: Callable[[str], tuple[Request, ...]] = lambda id: ()
    job: Callable[[str], str] = lambda id: ""
    unattributed: Callable[[str], Unattributed | None] = lambda id: None
    oee: Callable[[EquipmentStatus, datetime, datetime], float | None] = lambda machine, began, ended: None
    time: Callable[[EquipmentStatus, datetime, datetime], OeeReport | None] = lambda machine, began, ended: None

    def stood(self, id: str, now: datetime, hours: int = 0) -> ShortStops:
        """How often a machine stood in this hour; with `hours` also the short stops of as many hours."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        recent = self.stops(id, now - timedelta(days=REMEMBERED))
        short = short_stops(self.spans(id, min(hour, now - timedelta(hours=hours)), now), recent)
        return ShortStops(
            hour, sum(stop.ended is None or stop.ended > hour for stop in recent),
            sum(ended > hour for ended in short), len(short) if hours else 0,
        )  # fmt: skip

    def machine(self, id: str) -> EquipmentStatus | None:
        """One machine; None when there is none of that id."""
        return next((each for each in self.machines if each.id == id), None)

    def device(self, name: str) -> DeviceStatus | None:
        """One device; None when there is none of that name."""
        return next((each for each in self.devices if each.name == name), None)
