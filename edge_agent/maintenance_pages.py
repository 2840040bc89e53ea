"""The pages of the maintenance flow: line, machine, trend, link and downtime; and the test read of a device.

What changes by the second (values, state, devices) is not in a page: it comes with `Status`, whose
`watched` is the machine that the page is about. Times are aware, UTC; texts may come from outside.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec


class StateSpan(msgspec.Struct, frozen=True):
    """A stretch of one canonical state (PackML names, or NO DATA); `began` to `ended`."""

    state: str
    began: datetime
    ended: datetime


class MachineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A machine on the line page. `strip` covers the page's time without a gap, oldest first.

    `unexplained`: stops that nobody has given a reason for. `requests`: open work requests.
    `device_state` is that of the device it is read through, none when it has none.
    """

    id: str
    name: str
    state: str
    since: datetime | None
    alarm: str = ""
    job: str = ""
    unexplained: int = 0
    requests: int = 0
    device: str = ""
    device_state: str = "none"
    strip: tuple[StateSpan, ...] = ()


class LinePage(msgspec.Struct, frozen=True, kw_only=True, tag="line"):
    """One row a machine; the choices of the view open them, in the same order."""

    began: datetime
    ended: datetime
    machines: tuple[MachineRow, ...]


class StopRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stop; `ended` is None while it lasts. `reason` is the words of the reason, empty: unexplained."""

    id: str
    began: datetime
    ended: datetime | None
    state: str
    alarm: str = ""
    reason: str = ""


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A work request that is still open."""

    id: str
    at: datetime
    symptom: str
    priority: str
    stopped: bool
    person: str
    stop: str = ""


class MachinePage(msgspec.Struct, frozen=True, kw_only=True, tag="machine"):
    """A machine for who repairs it. `stops`: the last five, newest first; `requests`: the open ones.

    `mtbf` and `mttr` in seconds over `hours` (ISO 22400-2: operating time between failures, time to
    repair, from stops of the machine itself); None with `failures` 0: not known yet.
    """

    equipment: str
    name: str
    device: str
    job: str
    began: datetime
    ended: datetime
    strip: tuple[StateSpan, ...]
    stops: tuple[StopRow, ...] = ()
    requests: tuple[RequestRow, ...] = ()
    hours: float = 24.0
    failures: int = 0
    mtbf: float | None = None
    mttr: float | None = None


class TrendPage(msgspec.Struct, frozen=True, kw_only=True, tag="trend"):
    """One value over time, as a plot; the terminal asks the agent for its samples.

    `device` and `item` name it, `minutes` is how far back.
    """

    equipment: str
    device: str
    item: str
    unit: str = ""
    minutes: int = 60


class LinkPage(msgspec.Struct, frozen=True, kw_only=True, tag="link"):
    """A device for an electrician; how it is doing comes with `Status.devices`. `device` is its name there."""

    device: str
    driver: str
    endpoint: str
    equipment: str = ""


class DowntimeRow(msgspec.Struct, frozen=True):
    """One bar: a reason (words; empty: unexplained), how long in seconds, how often."""

    reason: str
    seconds: float
    stops: int


class DowntimePage(msgspec.Struct, frozen=True, kw_only=True, tag="downtime"):
    """Downtime by reason, the longest first; of one machine, or of all when `equipment` is empty."""

    equipment: str
    began: datetime
    ended: datetime
    rows: tuple[DowntimeRow, ...]


class PointReading(msgspec.Struct, frozen=True, kw_only=True):
    """A point of a device, read because somebody asked. `raw` as the protocol writes it.

    `round_trip` in seconds, None without an answer; `reason` is a sentence when `status` is not Good.
    """

    item: str
    raw: str
    value: bool | int | float | str | None
    status: Literal["Good", "Uncertain", "Bad"]
    round_trip: float | None
    reason: str = ""


class DeviceReading(msgspec.Struct, frozen=True, kw_only=True):
    """Every point of a device, read once, at `at`; nothing of it is stored."""

    device: str
    at: datetime
    points: tuple[PointReading, ...]


MaintenancePage = LinePage | MachinePage | TrendPage | LinkPage | DowntimePage
