"""The site file as types: what may be said, in which words, within which limits.

`Meta.description` is the text of the reference. `extra` carries what a type can not say, for
`config.checking`: `defines` and `refers_to` name a kind of thing, `among` the kind whose names it
shares, `like` describes a pattern in words, `options` says whose options a table holds. In Options of
drivers and connectors `secret` marks the path of a file that nobody else may read, and `alone` names
what no two of them may say alike.
"""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

Name = Annotated[str, Meta(min_length=1, max_length=60)]
Item = Annotated[str, Meta(description="name of an item of the device")]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]


class UnitState(enum.StrEnum):
    """The states of PackML (ISA-TR88.00.02)."""

    CLEARING = "CLEARING"
    STOPPED = "STOPPED"
    STARTING = "STARTING"
    IDLE = "IDLE"
    SUSPENDED = "SUSPENDED"
    EXECUTE = "EXECUTE"
    STOPPING = "STOPPING"
    ABORTING = "ABORTING"
    ABORTED = "ABORTED"
    HOLDING = "HOLDING"
    HELD = "HELD"
    UNHOLDING = "UNHOLDING"
    SUSPENDING = "SUSPENDING"
    UNSUSPENDING = "UNSUSPENDING"
    RESETTING = "RESETTING"
    COMPLETING = "COMPLETING"
    COMPLETE = "COMPLETE"


class UnitMode(enum.StrEnum):
    """The modes of PackML (ISA-TR88.00.02)."""

    PRODUCTION = "PRODUCTION"
    MAINTENANCE = "MAINTENANCE"
    MANUAL = "MANUAL"


class Site(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """This PC and the place where it stands."""

    name: Annotated[Name, Meta(description="the site, as people call it")]
    agent: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9-]{1,40}$",
            description="the id of this agent; it goes with every fact and must never change",
            extra={"like": "1 to 40 of: a-z, 0-9 and -"},
        ),
    ]
    # By factory: msgspec can not write a Path default into a JSON Schema.
    data: Annotated[Path, Meta(description="folder of the databases, relative to this file")] = field(
        default_factory=lambda: Path("data")
    )
    socket: Annotated[
        Path, Meta(description="socket that terminals attach to, relative to this file; at most 103 bytes")
    ] = field(default_factory=lambda: Path("data/agent.sock"))


class Equipment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine or a work place, and which items of its device say what."""

    id: Annotated[
        Name, Meta(description="the id that the ERP uses in job orders", extra={"defines": "equipment"})
    ]
    name: Annotated[str, Meta(description="what people call it; empty: its id")] = ""
    device: Annotated[
        str, Meta(description="the device that speaks for it; empty: none", extra={"refers_to": "device"})
    ] = ""
    state: Annotated[Item, Meta(description="the item that holds its state")] = ""
    states: Annotated[
        dict[str, UnitState], Meta(description="what the machine's own states mean in PackML")
    ] = field(default_factory=dict)
    count: Annotated[Item, Meta(description="the item that counts good pieces")] = ""
    count_width: Annotated[
        int, Meta(ge=8, le=64, description="bits of that counter: where it starts again at 0")
    ] = 32
    cycle_time: Annotated[
        Seconds,
        Meta(description="ideal seconds for one piece, for OEE and to judge the counter; 0: not known"),
    ] = 0.0
    mode: Annotated[Item, Meta(description="the item that holds its mode")] = ""
    modes: Annotated[dict[str, UnitMode], Meta(description="what the machine's own modes mean in PackML")] = (
        field(default_factory=dict)
    )
    alarm: Annotated[Item, Meta(description="the item that holds the number of the alarm; 0: none")] = ""
    alarms: Annotated[dict[str, str], Meta(description="alarm numbers in words")] = field(
        default_factory=dict
    )
    show: Annotated[tuple[str, ...], Meta(description="further items for the screen, in this order")] = ()
    units: Annotated[dict[str, str], Meta(description="units of the items in `show`")] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        named = [key for key in ("state", "count", "mode", "alarm", "show") if getattr(self, key)]
        if named and not self.device:
            raise ValueError(f"{' and '.join(named)} need a `device`: the name of one of [[devices]]")
        if stray := sorted(set(self.units) - set(self.show)):
            raise ValueError(f"units names {', '.join(stray)}, which is not in `show`")


class Terminal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A screen where people work."""

    id: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9._-]{1,40}$",
            description="what `floorhand terminal` is started with",
            extra={"defines": "terminal", "like": "1 to 40 of: letters, digits, . _ and -"},
        ),
    ]
    name: Annotated[str, Meta(description="what people call it; empty: its id")] = ""
    equipment: Annotated[
        str, Meta(description="the machine where it stands; empty: none", extra={"refers_to": "equipment"})
    ] = ""
    zone: Annotated[str, Meta(description="the storage zone that it picks from; empty: all")] = ""
    home: Annotated[
        Literal["production", "picking", "maintenance"],
        Meta(description="what comes after a badge: a dispatch list, or the machines"),
    ] = "production"


class Scanner(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scanner that belongs to a terminal."""

    name: Annotated[
        Name, Meta(description="what people call it", extra={"defines": "scanner", "among": "device"})
    ]
    driver: Annotated[str, Meta(description="the driver that reads it")]
    terminal: Annotated[
        Name, Meta(description="the terminal its scans go to", extra={"refers_to": "terminal"})
    ]
    options: Annotated[Any, Meta(description="options of the driver", extra={"options": "driver"})] = field(
        default_factory=dict
    )


class Device(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A controller that is read: one connection."""

    name: Annotated[Name, Meta(description="what people call it", extra={"defines": "device"})]
    driver: Annotated[str, Meta(description="the driver that speaks its protocol")]
    options: Annotated[Any, Meta(description="options of the driver", extra={"options": "driver"})] = field(
        default_factory=dict
    )


class Connector(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An ERP or a broker that plans come from and facts go to."""

    name: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9-]{1,40}$",
            description="its name; what was delivered is kept under it and it must never change",
            extra={"defines": "connector", "like": "1 to 40 of: a-z, 0-9 and -"},
        ),
    ]
    driver: Annotated[str, Meta(description="the connector that speaks its protocol")]
    options: Annotated[Any, Meta(description="options of the connector", extra={"options": "connector"})] = (
        field(default_factory=dict)
    )


class Policies(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plant's own rules."""

    drawing_scan: Annotated[bool, Meta(description="a job starts with a scan of its drawing")] = True
    count_tolerance: Annotated[
        int, Meta(ge=0, description="pieces by which a report may differ from the machine without a question")
    ] = 2
    short_stop_seconds: Annotated[
        Seconds, Meta(description="seconds that a machine may stand before it is asked why")
    ] = 60.0
    over_ask: Annotated[bool, Meta(description="ask before more than the planned quantity is taken")] = True
    repeat_window: Annotated[
        Seconds, Meta(description="seconds within which the same scan counts as one trigger pull")
    ] = 1.5
    plan_interval: Annotated[
        float, Meta(ge=0.1, le=86_400, description="seconds between two looks for new plans")
    ] = 5.0


class TelemetryItems(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Items that are reported otherwise than the rest. Of several entries the first that says it counts."""

    match: Annotated[
        str,
        Meta(min_length=1, description="device/item, with * and ? for any characters, such as press3-plc/temp*"),
    ]
    deadband: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(
            description="how far a value may go before it is kept again, in its own unit; states, counters and "
            "alarms of equipment have none"
        ),
    ] = None
    heartbeat: Annotated[
        Seconds | None, Meta(description="seconds after which a value is kept even if it is the same; 0: every value")
    ] = None


class Telemetry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of the values of the devices. The oldest goes when there is no more room."""

    max_bytes: Annotated[
        int, Meta(ge=10_000_000, description="room on the disk for it, in bytes")
    ] = 500_000_000
    max_age_hours: Annotated[float, Meta(gt=0, le=87_600, description="hours after which it is dropped")] = 720.0
    heartbeat: Annotated[
        Seconds, Meta(description="seconds after which a value is kept even if it is the same; 0: every value is")
    ] = 60.0
    items: tuple[TelemetryItems, ...] = ()


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole site file. After `config.load`, `options` hold the Options of their driver or connector."""

    site: Site
    equipment: tuple[Equipment, ...] = ()
    terminals: Annotated[tuple[Terminal, ...], Meta(min_length=1)]
    scanners: tuple[Scanner, ...] = ()
    devices: tuple[Device, ...] = ()
    connectors: tuple[Connector, ...] = ()
    policies: Policies = Policies()
    telemetry: Telemetry = Telemetry()
