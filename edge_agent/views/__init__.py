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

from edge_agent.views.exceptions import AnyExceptionPage
from edge_agent.views.maintenance import MaintenancePage, ShortStops, Unattributed


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


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing a person did. Sent again with the same `id` it gets the same answer.

    The `id` has 1 to 64 characters, `data` at most 4096: more than any label or entry.

    `kind` and `data`: scan: the frame, one character a byte (Latin-1); unended, unprefixed: the same of a
    scanner that types like a keyboard and sent no Enter, or not its prefix: it is refused; action: its name;
    entry: the number or text typed; choice: the id of the choice.

    `waited`: the seconds that a scan had waited unseen when it was handed in first; one that is too old is answered
    LATE. It does not grow while the same input is sent again: the person was told that this one is kept.

    `typed`: what stood in the entry, unsent, when a scan was made; None: whoever sends it can not know, and what
    the terminal told last counts (see `Typed`).
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: Literal["scan", "unended", "unprefixed", "action", "entry", "choice"]
    data: Annotated[str, msgspec.Meta(max_length=4096)]
    waited: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0
    typed: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class Typed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What stands in the entry of a terminal and was not sent: a scan must not put a proposal in its place.

    `at` is the step, as `pick.quantity`; at any other it counts for nothing. `text` empty: nothing is typed.
    """

    text: Annotated[str, msgspec.Meta(max_length=64)] = ""
    at: Annotated[str, msgspec.Meta(max_length=128)] = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the last input. `code` names the words in `terminal_ui/texts`.

    `seq` is the journal number of the last fact it stands for: the message is safe on this PC; None
    when nothing was recorded that a tick could stand for. `facts` are the ids of those facts. `notes` are codes of
    what else is to be said, with the same `params`.
    """

    verdict: Verdict
    code: str
    params: dict[str, str] = {}
    at: datetime
    seq: int | None = None
    facts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Expectation(msgspec.Struct, frozen=True):
    """Something that may be scanned now. `label` is the exact label text where there is just one."""

    kind: Kind
    code: str
    params: dict[str, str] = {}
    label: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """A numbered choice: its key is `number`, its label `label`. `blocked` is why not, empty when it is open.

    `code` names words of our own, with the values of `detail`, that stand instead of the title.

    `id` is what an input says: a list may have other numbers by the time the key is pressed. A choice that no
    label of the plant names has the command label of its number (`C:CHOOSE-2`), which chooses what has it then.
    """

    number: int
    id: str
    title: str
    detail: dict[str, str] = {}
    label: str | None = None
    blocked: str = ""
    code: str = ""


class Entry(msgspec.Struct, frozen=True):
    """Something to type. `value` is proposed, never assumed: it counts when the person sends it.

    Of a pin nothing is shown but how many digits were typed.
    """

    name: str
    kind: Literal["number", "text", "pin"]
    value: str = ""
    unit: str = ""


class Field(msgspec.Struct, frozen=True):
    """One line of what the step is about: a code for the name, the value as text."""

    code: str
    value: str


class MaterialLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a job takes. `expires` is a date in ISO 8601, empty without one; `left`: what the rest of the job needs."""

    material: str
    lot: str = ""
    expires: str = ""
    left: Decimal
    uom: str


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
    stood: ShortStops | None = None
    unattributed: Unattributed | None = None
    materials: tuple[MaterialLine, ...] = ()


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


Page = WorkPage | PickPage | ListPage | StepPage | MaintenancePage | AnyExceptionPage


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


class Echo(msgspec.Struct, frozen=True):
    """A scan was received and is being looked at: shown neutrally until the view comes."""

    terminal: str
    text: str


Sent = Literal["yes", "no", "refused", "settled"]


class JournalRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fact as the journal screen and `floorhand journal` show it.

    `sent` is what the ERP says to it. yes: it has it; no: it has not answered; refused: it does not book it, or it
    waits behind such a one; settled: it refused it, and a correction says that it is never to be booked.
    """

    seq: int
    id: str
    kind: str
    about: str
    event_time: datetime
    record_time: datetime
    terminal: str
    person: str
    sent: Sent
    reason: str = ""
    body: dict[str, str | int | float | bool | list[dict[str, str]] | None]
