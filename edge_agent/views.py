"""What crosses the local socket: inputs one way, views and their live companions the other.

Codes, not prose: the terminal turns `code` and `params` into words of its language. All texts in
`params`, `title` and `Fact.value` may come from outside and are data (see `display_safe`).
"""

from __future__ import annotations

import enum
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from edge_agent.maintenance_pages import MaintenancePage


class Kind(enum.StrEnum):
    """What a code on a label can be."""

    LOCATION = "location"
    BADGE = "badge"
    HANDLING_UNIT = "handling_unit"
    JOB = "job"
    TOOL = "tool"
    REASON = "reason"
    COMMAND = "command"
    WORKSTATION = "workstation"
    DRAWING = "drawing"
    MATERIAL = "material"


class Verdict(enum.StrEnum):
    """The eleven answers to a scan (and the tone of every message)."""

    OK = "ok"
    OK_PLUS = "ok_plus"
    CONFIRM = "confirm"
    WRONG = "wrong"
    OTHER_TYPE = "other_type"
    AMBIGUOUS = "ambiguous"
    HELD = "held"
    UNKNOWN = "unknown"
    DUPLICATE = "duplicate"
    COMMAND = "command"
    LATE = "late"


Overlay = Literal["", "help", "queue"]


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing a person did. Sent again with the same `id` it gets the same answer.

    The `id` has 1 to 64 characters, `data` at most 4096: more than any label or entry.

    `kind` and `data`: scan: the frame, one character a byte (Latin-1); action: its name; entry: the
    number or text typed; choice: the id of the choice.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: Literal["scan", "action", "entry", "choice"]
    data: Annotated[str, msgspec.Meta(max_length=4096)]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the last input. `code` names the words in `terminal_ui/texts`.

    `seq` is the journal number of the last fact it stands for: the message is safe on this PC; None
    when nothing was recorded that a tick could stand for. `facts` are the ids of those facts.
    """

    verdict: Verdict
    code: str
    params: dict[str, str] = {}
    at: datetime
    seq: int | None = None
    facts: tuple[str, ...] = ()


class Expectation(msgspec.Struct, frozen=True):
    """Something that may be scanned now. `label` is the exact label text where there is just one."""

    kind: Kind
    code: str
    params: dict[str, str] = {}
    label: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """A numbered choice: its key is `number`, its label `label`. `blocked` is why not, empty when it is open.

    `id` is what an input says: a list may have other numbers by the time the key is pressed.
    """

    number: int
    id: str
    title: str
    detail: dict[str, str] = {}
    label: str | None = None
    blocked: str = ""


class Entry(msgspec.Struct, frozen=True):
    """Something to type. `value` is proposed, never assumed: it counts when the person sends it."""

    name: str
    kind: Literal["number", "text"]
    value: str = ""
    unit: str = ""


class Field(msgspec.Struct, frozen=True):
    """One line of what the step is about: a code for the name, the value as text."""

    code: str
    value: str


class WorkPage(msgspec.Struct, frozen=True, kw_only=True, tag="work"):
    """A production job at a station. `good` and `scrap` are the office's figure plus what was reported since."""

    job: str
    operation: str
    description: str
    revision: str
    customer: str
    due: datetime | None
    uom: str
    good: Decimal
    scrap: Decimal
    target: Decimal
    equipment: str
    count_since_report: int | None = None
    stops_to_explain: int = 0


class PickPage(msgspec.Struct, frozen=True, kw_only=True, tag="pick"):
    """One line of a pick list. `phase` is go, item, quantity or into."""

    job: str
    customer: str
    phase: Literal["go", "item", "quantity", "into", "short", "done"]
    line: int
    lines: int
    lines_left: int
    location: str
    location_hint: str
    material: str
    description: str
    lot: str
    expires: str
    quantity: Decimal
    uom: str
    destination: str
    next_locations: tuple[str, ...] = ()


class ListPage(msgspec.Struct, frozen=True, kw_only=True, tag="list"):
    """Numbered things to choose from, in `View.choices`. `columns`: the keys of `detail` worth a column."""

    columns: tuple[str, ...] = ()


class StepPage(msgspec.Struct, frozen=True, kw_only=True, tag="step"):
    """Anything else: a few lines of what the step is about."""

    fields: tuple[Field, ...] = ()


Page = WorkPage | PickPage | ListPage | StepPage | MaintenancePage


class Who(msgspec.Struct, frozen=True):
    """The person who is signed on."""

    id: str
    name: str


class View(msgspec.Struct, frozen=True, kw_only=True):
    """All that a terminal needs to draw one step; it holds no other state.

    `revision` rises with each view of the terminal. `title` is where I am (station, job); `prompt`
    the one question. `actions` are names from the table of actions. `log` are the last messages
    that recorded something, newest last. `overlay` is a page of the terminal's own that a command label
    has opened; the next input closes it.
    """

    terminal: str
    terminal_name: str
    revision: int
    input: str
    scenario: str
    step: str
    title: str
    who: Who | None
    prompt: str
    prompt_params: dict[str, str] = {}
    page: Page
    message: Message | None = None
    log: tuple[Message, ...] = ()
    expects: tuple[Expectation, ...] = ()
    actions: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    entry: Entry | None = None
    overlay: Overlay = ""


class LinkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How one connector is doing. `state` is up, down, not_allowed or never (not tried yet)."""

    name: str
    state: Literal["up", "down", "not_allowed", "never"]
    reason: str = ""
    since: datetime | None = None


class DeviceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How one device is doing. `reason` is a sentence when it is lost; `notice` one or more sentences
    when it works, but not as it should; `warnings` what works and still needs a person. `insecure`: what
    it says can be read or changed on its way. `round_trip` is that of its last answer, in seconds.
    `silent_since`: since when one that should speak by itself has given nothing good, though it seems to be
    there.
    """

    name: str
    driver: str
    equipment: str
    state: Literal["online", "lost", "starting"]
    identity: str = ""
    reason: str = ""
    notice: str = ""
    warnings: tuple[str, ...] = ()
    since: datetime
    last_good: datetime | None = None
    tries: int = 0
    insecure: bool = False
    silent_since: datetime | None = None
    round_trip: float | None = None


class ItemValue(msgspec.Struct, frozen=True, kw_only=True):
    """A machine value: never without status and time. `value` is the last good one when `status` is not Good."""

    name: str
    value: bool | int | float | str | None
    unit: str = ""
    status: Literal["Good", "Uncertain", "Bad"]
    source_time: datetime | None


class EquipmentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A machine now. `state` is canonical (PackML names, or NO DATA), `raw_state` what the machine says.

    `mode` as the machine map names it. `counted` are all parts in the ledger, `unattributed` those of
    them that belong to no job.
    """

    id: str
    name: str
    state: str
    raw_state: str = ""
    state_since: datetime | None = None
    mode: str = ""
    count: int | None = None
    count_status: Literal["Good", "Uncertain", "Bad"] = "Bad"
    count_width: int = 32
    counted: int = 0
    unattributed: int = 0
    cycle_time: float = 0.0
    alarm: str = ""
    values: tuple[ItemValue, ...] = ()


class TimePiece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a machine's time. `element` is one of those in `OeeReport.elements`; the rest says why."""

    element: str
    began: datetime
    ended: datetime
    state: str
    mode: str = ""
    alarm: str = ""
    job: str = ""
    stop: str = ""
    reason: str = ""


class OeeReport(msgspec.Struct, frozen=True, kw_only=True):
    """Time elements and OEE of a machine (ISO 22400-2). Seconds by element; factors None when not known.

    The elements add up to the interval, the pieces cover it without a gap, and no_data is neither planned
    nor lost.
    """

    equipment: str
    began: datetime
    ended: datetime
    good: int
    scrap: float
    elements: dict[str, float]
    availability: float | None
    performance: float | None
    quality: float | None
    oee: float | None
    pieces: tuple[TimePiece, ...]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The live companion of a view: links, queue, the terminal's machine and scanners.

    `safe_seq` is the last committed fact. Every fact up to `delivered_seq` was accepted unless it is in
    `parked`: the seqs the ERP refused or that wait behind a refused one (newest 50), `parked_count` all
    of them. `plans_at`: when plans last came down. `now`: the agent's clock, for ages.
    `watched`: the machine that the maintenance page of the terminal is about.
    """

    now: datetime
    safe_seq: int
    delivered_seq: int
    unsent: int
    oldest_unsent: datetime | None
    parked: tuple[int, ...] = ()
    parked_count: int = 0
    plans_at: datetime | None = None
    links: tuple[LinkStatus, ...] = ()
    machine: EquipmentStatus | None = None
    watched: EquipmentStatus | None = None
    devices: tuple[DeviceStatus, ...] = ()


class Echo(msgspec.Struct, frozen=True):
    """A scan was received and is being looked at: shown neutrally until the view comes."""

    terminal: str
    text: str


class Problem(msgspec.Struct, frozen=True):
    """Why the local API refused: `code` names the words, as in a message. Sent with a 4xx or 5xx status."""

    code: str
    params: dict[str, str] = {}


class JournalRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fact as the journal screen and `floorhand journal` show it. `sent`: yes, no, or refused."""

    seq: int
    id: str
    kind: str
    about: str
    event_time: datetime
    record_time: datetime
    terminal: str
    person: str
    sent: Literal["yes", "no", "refused"]
    reason: str = ""
    body: dict[str, str | int | float | bool | list[dict[str, str]] | None]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the agent is doing. `ok` is false when a person should look: `problems` says why, in words."""

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
    problems: tuple[str, ...] = ()


class LabelRow(msgspec.Struct, frozen=True):
    """A label to print: `text` is what the code holds, `words` what people read."""

    kind: Kind
    text: str
    words: str
