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


Quality = Literal["Good", "Uncertain", "Bad"]


class MachineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A machine on the line page. `strip` covers the page's time without a gap, oldest first, from the
    moment on at which the agent first knew the machine; `stood` are the stops in it that were long enough to be asked
    for, those that lie close together as one.

    `unexplained`: stops that nobody has given a reason for. `requests`: open work requests.
    `device_state` is that of the device it is read through, silent when that seems to be there and gives nothing good,
    none when it has none. `oee` is that of the page's time, None where it is not known.
    """

    id: str
    name: str
    state: str
    since: datetime | None
    alarm: str = ""
    state_status: Quality = "Good"
    alarm_status: Quality = "Good"
    job: str = ""
    unexplained: int = 0
    requests: int = 0
    device: str = ""
    device_state: str = "none"
    oee: float | None = None
    strip: tuple[StateSpan, ...] = ()
    stood: tuple[StateSpan, ...] = ()


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


class ShortStops(msgspec.Struct, frozen=True):
    """How often a machine stood: `stops` long enough to be asked for, and `short` ones, since `since` (this hour).

    `day` are the short ones of the `hours` of a machine page.
    """

    since: datetime
    stops: int
    short: int
    day: int = 0


class Unattributed(msgspec.Struct, frozen=True):
    """So many `parts` were counted `since` then while no job was open, and nobody said yet what becomes of them.

    `doubtful`: nobody read the counter when it fell, and none of them was made if it began anew.
    """

    parts: int
    since: datetime
    doubtful: bool = False


class LostPiece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of time in which the machine stood. `element` as in an OeeReport: delay, short_stop, maintenance,
    planned_downtime or no_order. `stop` is that stop's id, empty: too short to be asked for; `reason` the words of
    its reason.
    """

    element: str
    began: datetime
    ended: datetime
    state: str
    alarm: str = ""
    stop: str = ""
    reason: str = ""


class Factors(msgspec.Struct, frozen=True, kw_only=True):
    """OEE of a page's time and its factors (ISO 22400-2), 0.8 is 80 %; None: not known."""

    availability: float | None
    performance: float | None
    quality: float | None
    oee: float | None


class MachinePage(msgspec.Struct, frozen=True, kw_only=True, tag="machine"):
    """A machine for who repairs it. `strip` and `stood` as in a MachineRow; `stops`: the last five, newest first;
    `requests`: the open ones.

    `mtbf` and `mttr` in seconds over `hours` (ISO 22400-2: operating time between failures, time to
    repair, from stops of the machine itself); None with `failures` 0: not known yet. `lost`: the last sixty pieces
    of the strip's time in which it stood, in order, cut to it; `red`: which red of the
    strip is explained, 0 for the last, 1 for the one before it; `factors` are of the same time.
    """

    equipment: str
    name: str
    device: str
    job: str
    began: datetime
    ended: datetime
    strip: tuple[StateSpan, ...]
    stood: tuple[StateSpan, ...] = ()
    stops: tuple[StopRow, ...] = ()
    requests: tuple[RequestRow, ...] = ()
    hours: float = 24.0
    short_stops: ShortStops | None = None
    failures: int = 0
    mtbf: float | None = None
    mttr: float | None = None
    unattributed: Unattributed | None = None
    lost: tuple[LostPiece, ...] = ()
    red: int = 0
    factors: Factors | None = None


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
    """Downtime by reason, the longest first; of one machine (`name` as people call it), or of all when
    `equipment` is empty. `short`: stops beside these that were too short to be asked for.
    """

    equipment: str
    name: str = ""
    began: datetime
    ended: datetime
    rows: tuple[DowntimeRow, ...]
    short: int = 0


class PointReading(msgspec.Struct, frozen=True, kw_only=True):
    """A point of a device, read because somebody asked. `raw` as the protocol writes it.

    `round_trip` in seconds, None without an answer; `reason` is a sentence when `status` is not Good. `unit` is that
    of the value, `word` what the machine's map calls it (a state, a mode, an alarm); both may be empty.
    """

    item: str
    raw: str
    value: bool | int | float | str | None
    status: Literal["Good", "Uncertain", "Bad"]
    round_trip: float | None
    reason: str = ""
    unit: str = ""
    word: str = ""


class DeviceReading(msgspec.Struct, frozen=True, kw_only=True):
    """Every point of a device, read once, at `at`; nothing of it is stored."""

    device: str
    at: datetime
    points: tuple[PointReading, ...]


MaintenancePage = LinePage | MachinePage | TrendPage | LinkPage | DowntimePage
