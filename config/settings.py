"""The site file as types: what may be said, in which words, within which limits.

`Meta.description` is the text of the reference. `extra` carries what a type can not say, for
`config.checking`: `defines` and `refers_to` name a kind of thing, `among` the kind whose names it
shares, `like` describes a pattern in words, `options` says whose options a table holds. In Options of
drivers and connectors `secret` marks the path of a file that nobody else may read, `alone` names
what no two of them may say alike, and `address` what kind of address a text must be (`config.addresses`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from config.packml import StopReasons, UnitMode, UnitState

Name = Annotated[str, Meta(min_length=1, max_length=60)]
Item = Annotated[str, Meta(description="name of an item of the device")]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]


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
    journal_max_bytes: Annotated[
        int, Meta(ge=20_000_000, description="bytes that the journal may have; then reports are refused")
    ] = 8_000_000_000
    verify_install: Annotated[
        bool, Meta(description="do not start when a file of the program is not what was installed")
    ] = False
    # By factory: msgspec can not write a Path default into a JSON Schema.
    data: Annotated[Path, Meta(description="folder of the databases, relative to this file")] = field(
        default_factory=lambda: Path("data")
    )
    socket: Annotated[
        Path, Meta(description="socket that terminals attach to, relative to this file; at most 103 bytes")
    ] = field(default_factory=lambda: Path("data/agent.sock"))


class Api(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may speak to the agent on this PC, beside its own user."""

    group: Annotated[
        str, Meta(description="a group of this PC whose members may open the socket, as terminals do; empty: none")
    ] = ""
    port: Annotated[
        int, Meta(ge=0, le=65535, description="TCP port on 127.0.0.1 for programs that have the token; 0: none")
    ] = 0
    token_file: Annotated[
        Path | None,
        Meta(description="file that holds the token for that port: chmod 600", extra={"secret": True}),
    ] = None

    def __post_init__(self) -> None:
        if bool(self.port) is not (self.token_file is not None):
            raise ValueError("`port` and `token_file` go together: nobody speaks over TCP without a token")


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
    state_within: Annotated[
        tuple[str, ...],
        Meta(
            description="items of state machines within that one, from the outside in: each is asked "
            "when the one around it says what `states` does not name"
        ),
    ] = ()
    states: Annotated[
        dict[str, UnitState], Meta(description="what the machine's own states mean in PackML")
    ] = field(default_factory=dict)
    count: Annotated[Item, Meta(description="the item that counts pieces; `counts` says which")] = ""
    counts: Annotated[
        Literal["good", "all"],
        Meta(description="what `count` counts: good pieces, or all, of which `scrap_count` and people tell the scrap"),
    ] = "good"
    scrap_count: Annotated[
        Item, Meta(description="the item that counts defective pieces, as wide as `count`; empty: people report them")
    ] = ""
    count_width: Annotated[
        Annotated[int, Meta(ge=8, le=64)] | None,
        Meta(
            description="bits of that counter: where it starts again at 0; left out: those of its Modbus type, "
            "and 32 where that says none (a BCD has a `count_modulus`)"
        ),
    ] = None
    count_modulus: Annotated[
        Annotated[int, Meta(ge=100, le=10**18)] | None,
        Meta(
            description="for a counter that does not end at a power of two: how many numbers it has, 10000 where it "
            "goes on at 0 after 9999; in place of `count_width`"
        ),
    ] = None
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
    stop_reasons: Annotated[
        StopReasons, Meta(description="the reasons that are proposed for its stops, as the ERP names them")
    ] = StopReasons()
    show: Annotated[tuple[str, ...], Meta(description="further items for the screen, in this order")] = ()
    units: Annotated[dict[str, str], Meta(description="units of the items in `show`")] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        named = [key for key in ("state", "count", "scrap_count", "mode", "alarm", "show") if getattr(self, key)]
        if named and not self.device:
            raise ValueError(f"{' and '.join(named)} need a `device`: the name of one of [[devices]]")
        if not self.state and self.stop_reasons != StopReasons():
            raise ValueError("`stop_reasons` need a `state`: without it nobody knows that the machine stands")
        if self.scrap_count and not self.count:
            raise ValueError("`scrap_count` goes with a `count`: the pieces of which it tells the defective ones")
        if self.count_width is not None and self.count_modulus is not None:
            raise ValueError("`count_width` and `count_modulus` say both where the counter starts again: leave one out")
        if stray := sorted(set(self.units) - set(self.show)):
            raise ValueError(f"units names {', '.join(stray)}, which is not in `show`")
        if self.state_within and not self.state:
            raise ValueError("`state_within` needs a `state`: the item of the outermost state machine")


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
    driver: Annotated[
        str, Meta(description="the driver that speaks its protocol; left out: that of its `map`")
    ] = ""
    map: Annotated[
        str, Meta(description="the machine map that its points come from; empty: it has its own only")
    ] = ""
    parameters: Annotated[
        dict[str, str | int], Meta(description="what the map wants to know of this machine")
    ] = field(default_factory=dict)
    leave_out: Annotated[
        tuple[str, ...], Meta(description="points of the map that this machine does not have")
    ] = ()
    expect: Annotated[
        dict[str, tuple[str | int, ...]],
        Meta(description="what points read when this is the machine that is meant; the map's, and these"),
    ] = field(default_factory=dict)
    options: Annotated[Any, Meta(description="options of the driver", extra={"options": "driver"})] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        if not self.driver:
            raise ValueError("needs a `driver`, or a `map` that names one")
        if (self.parameters or self.leave_out) and not self.map:
            raise ValueError("`parameters` and `leave_out` go with a `map`")


class Write(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An item that people may change from a terminal. Nothing else is ever written to a machine."""

    device: Annotated[Name, Meta(description="its device", extra={"refers_to": "device"})]
    item: Annotated[str, Meta(min_length=1, description="name of the item of the device")]
    roles: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(min_length=1, description="roles of people who may, as the ERP names them"),
    ]
    min: Annotated[float | None, Meta(description="the least number that it takes; goes with `max`")] = None
    max: Annotated[float | None, Meta(description="the greatest number that it takes")] = None
    values: Annotated[
        tuple[bool | int | float | str, ...],
        Meta(description="all values that it takes, in place of `min` and `max`"),
    ] = ()
    at_most: Annotated[int, Meta(ge=1, le=10_000, description="how often it may be written `within` seconds")] = 6
    within: Annotated[float, Meta(gt=0, le=86_400, description="seconds for `at_most`")] = 60.0

    def __post_init__(self) -> None:
        if (self.min is None) is not (self.max is None) or (self.min is None) is not bool(self.values):
            raise ValueError("needs either `min` and `max`, for a number, or `values`")
        if self.min is not None and self.max is not None and not self.min <= self.max:
            raise ValueError(f"`min` is {self.min:g}, above `max`, which is {self.max:g}")


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
    max_requests_per_second: Annotated[
        float, Meta(ge=0, le=10_000, description="requests a second at most, plans included; 0: no limit")
    ] = 20.0
    max_facts_per_second: Annotated[
        float, Meta(ge=0, le=1_000_000, description="facts a second at most; 0: no limit")
    ] = 0.0
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
    four_eyes: Annotated[
        tuple[Literal["resend", "correct", "hand_over", "acknowledge"], ...],
        Meta(description="decisions on exceptions that a second person confirms with the badge"),
    ] = ("correct",)
    repeat_window: Annotated[
        Seconds,
        Meta(
            description="seconds from the first reading of a label in which it counts once; then it is a new scan, "
            "unless its last reading was less than two thirds of this ago"
        ),
    ] = 1.5
    keep_days: Annotated[
        int, Meta(ge=40, le=36_500, description="days that facts stay in the journal; longer until all have them")
    ] = 400
    keep_days_full: Annotated[
        int, Meta(ge=1, le=36_500, description="the same while there is no room for new ones")
    ] = 30
    second_badge: Annotated[
        tuple[Literal["wrong_revision", "over_quantity"], ...],
        Meta(description="what goes on only with the badge of a second person, who has the role lead"),
    ] = ()
    pin_roles: Annotated[
        tuple[Literal["operator", "picker", "maintenance", "lead", "admin"], ...],
        Meta(description="roles that sign on with badge and PIN; all others with the badge alone"),
    ] = ()
    pin_tries: Annotated[
        int, Meta(ge=3, le=10, description="wrong PINs after which none of the person is taken for a while")
    ] = 5
    pin_lockout_minutes: Annotated[
        float, Meta(ge=1, le=1440, description="that while, in minutes that the PC runs")
    ] = 15.0
    lock_after_seconds: Annotated[
        Seconds,
        Meta(description="seconds without a key or a scan after which a terminal locks itself, 15 or more; 0: never"),
    ] = 0.0
    plan_interval: Annotated[
        float, Meta(ge=0.1, le=86_400, description="seconds between two looks for new plans")
    ] = 5.0

    def __post_init__(self) -> None:
        if 0 < self.lock_after_seconds < 15:
            raise ValueError(
                "`lock_after_seconds` is 0 or at least 15: the agent hears of keys that are typed every 10 s"
            )


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
    api: Api = Api()
    equipment: tuple[Equipment, ...] = ()
    terminals: Annotated[tuple[Terminal, ...], Meta(min_length=1)]
    scanners: tuple[Scanner, ...] = ()
    devices: tuple[Device, ...] = ()
    writes: tuple[Write, ...] = ()
    connectors: tuple[Connector, ...] = ()
    policies: Policies = Policies()
    telemetry: Telemetry = Telemetry()

    def __post_init__(self) -> None:
        if self.api.group and self.site.socket.parent == self.site.data:
            raise ValueError(
                "with an [api] group the [site] socket needs a folder of its own: the data folder is the agent's alone"
            )
