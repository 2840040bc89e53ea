"""How everything is doing, as terminals, the command line and monitoring are told: links, devices, machines, health."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from edge_agent.views.maintenance import Quality
from edge_agent.views.telemetry import TelemetryStatus
from edge_agent.views.upkeep import Commits


class LinkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How one connector is doing. `state` is up, down, not_allowed or never (tried). `insecure`: as of a device."""

    name: str
    state: Literal["up", "down", "not_allowed", "never"]
    reason: str = ""
    since: datetime | None = None
    insecure: bool = False


class DeviceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How one device is doing. `reason` is a sentence when it is lost, in the words of its driver, and `kind`
    what sort of loss it is: that of a DeviceError, or internal for a fault of this program. `notice` is one
    or more sentences when it works, but not as it should; `warnings` what works and still needs a person.
    `insecure`: what it says can be read or changed on its way. `round_trip` is that of its last answer, in seconds.
    `silent_since`: since when one that should speak by itself has given nothing good, though it seems to be
    there. `only_changes`: while it is online and not silent its good values hold, however old they are.
    `endpoint` is where it is looked for, without any secret.
    """

    name: str
    driver: str
    equipment: str
    state: Literal["online", "lost", "starting"]
    identity: str = ""
    reason: str = ""
    kind: str = ""
    notice: str = ""
    warnings: tuple[str, ...] = ()
    since: datetime
    last_good: datetime | None = None
    tries: int = 0
    insecure: bool = False
    silent_since: datetime | None = None
    round_trip: float | None = None
    endpoint: str = ""
    only_changes: bool = False


class ItemValue(msgspec.Struct, frozen=True, kw_only=True):
    """A machine value: never without status and time. `value` is the last good one when `status` is not Good."""

    name: str
    value: bool | int | float | str | None
    unit: str = ""
    status: Literal["Good", "Uncertain", "Bad"]
    source_time: datetime | None


class EquipmentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A machine now. `state` is canonical (PackML names, or NO DATA), `raw_state` what the machine says.

    `mode` as the machine map names it. The `..._status` are those of the items behind them: where there is no
    item it is Good, and of an alarm that is Bad nobody knows whether there is one. The counter goes on at 0 after
    `count_modulus` numbers; 0: after 2 to the power of `count_width`. It counts good pieces or all (`counts`), and
    defective ones have a counter of their own or not (`counts_scrap`). `counted` are all parts in the ledger,
    `unattributed` those of them that belong to no job. `device` is what it is read through, empty for none.
    """

    id: str
    name: str
    state: str
    raw_state: str = ""
    state_since: datetime | None = None
    state_status: Quality = "Good"
    mode: str = ""
    mode_status: Quality = "Good"
    count: int | None = None
    count_status: Literal["Good", "Uncertain", "Bad"] = "Bad"
    count_width: int = 32
    count_modulus: int = 0
    counts: Literal["good", "all"] = "good"
    counts_scrap: bool = False
    counted: int = 0
    unattributed: int = 0
    cycle_time: float = 0.0
    alarm: str = ""
    alarm_status: Quality = "Good"
    values: tuple[ItemValue, ...] = ()
    device: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The live companion of a view: links, queue, the terminal's machine and scanners.

    `safe_seq` is the last committed fact. Every fact up to `delivered_seq` was accepted unless it is in `parked` or
    `corrected`. `parked`: the seqs the ERP refused or that wait behind a refused one (newest 50), `parked_count` all of
    them; `held` are those that only wait, `handed_over` those that are refused and with somebody else. `corrected`:
    refused, and settled by a correction, so the ERP never has them (newest 50). `doubts`: exceptions that wait for a
    person. `plans_at`: when plans last came down. `now`: the agent's clock, for ages. `watched`: the machine that the
    maintenance page of the terminal is about.
    """

    now: datetime
    safe_seq: int
    delivered_seq: int
    unsent: int
    oldest_unsent: datetime | None
    parked: tuple[int, ...] = ()
    parked_count: int = 0
    held: tuple[int, ...] = ()
    handed_over: tuple[int, ...] = ()
    corrected: tuple[int, ...] = ()
    doubts: int = 0
    plans_at: datetime | None = None
    links: tuple[LinkStatus, ...] = ()
    machine: EquipmentStatus | None = None
    watched: EquipmentStatus | None = None
    devices: tuple[DeviceStatus, ...] = ()


class Problem(msgspec.Struct, frozen=True):
    """Why the local API refused: `code` names the words, as in a message. Sent with a 4xx or 5xx status."""

    code: str
    params: dict[str, str] = {}


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the agent is doing. `ok` is false when a person should look: `problems` says why, in words.

    `disk_free` in bytes. `incidents` is how many databases were mended that nobody has acknowledged, `damage`
    what the next start has to mend; `unseen`: rows of the journal that nobody has looked at since the start;
    `mirror_behind`: the second copy of the facts can not be written. `readable`: the database answers; else its
    figures are those of the last time it did.
    """

    ok: bool
    agent: str
    version: str
    started_at: datetime
    clock_trusted: bool
    safe_seq: int
    unsent: int
    oldest_unsent: datetime | None
    parked_count: int
    links: tuple[LinkStatus, ...] = ()
    devices: tuple[DeviceStatus, ...] = ()
    terminals: tuple[str, ...] = ()
    telemetry: TelemetryStatus | None = None
    problems: tuple[str, ...] = ()
    disk_free: int = 0
    mirror_behind: bool = False
    incidents: int = 0
    damage: str = ""
    unseen: int = 0
    readable: bool = True
    commits: Commits = Commits()
