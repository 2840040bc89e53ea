"""The open contract between the floor and an ERP: what comes down (plans) and what goes up (facts).

Words are those of ISA-95 part 4 / B2MML. Plans belong to the ERP and may be replaced at any time.
Facts are ours: past tense, never edited, corrected only by a later fact. All quantities are
`Decimal` (strings in JSON), all times aware UTC.
"""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal

import msgspec

from sync.exceptions import ExceptionDecided
from sync.fact_body import FactBody as FactBody
from sync.machine_facts import MachineWriteFinished, MachineWriteRefused, MachineWriteRequested
from sync.maintenance import MaintenanceFact
from sync.person_facts import PinFact
from sync.person_facts import SignedOff as SignedOff
from sync.person_facts import SignedOn as SignedOn
from sync.receipts import HELD_BACK as HELD_BACK
from sync.receipts import UNCLEAR as UNCLEAR
from sync.receipts import Applied as Applied
from sync.receipts import Booked as Booked
from sync.receipts import Duplicate as Duplicate
from sync.receipts import Receipt as Receipt
from sync.receipts import Refused as Refused

# ---------------------------------------------------------------- plans


class WorkType(enum.StrEnum):
    """ISA-95 work type of a job order."""

    PRODUCTION = "Production"
    INVENTORY = "Inventory"
    MAINTENANCE = "Maintenance"
    QUALITY = "Quality"


class DispatchStatus(enum.StrEnum):
    """Whether the floor may work on a job order."""

    PLANNED = "Planned"
    RELEASED = "Released"
    HELD = "Held"
    COMPLETED = "Completed"
    CANCELLED = "Cancelled"


class MaterialUse(enum.StrEnum):
    """B2MML material use."""

    CONSUMED = "Consumed"
    PRODUCED = "Produced"
    MOVED = "Moved"


class Plan(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=True):
    """Anything the ERP sends down. `(kind, id)` is its key; a newer one replaces it whole."""

    id: str


class Person(Plan, frozen=True, kw_only=True):
    """Somebody who may sign on. `badge` is the id printed on the badge label (`B:<badge>`)."""

    name: str
    badge: str
    roles: tuple[str, ...] = ()
    active: bool = True


class MaterialDefinition(Plan, frozen=True, kw_only=True):
    """An item. `gtin` has 14 digits. `lot_tracked`: a pick must name the lot."""

    description: str
    uom: str = "pc"
    gtin: str | None = None
    lot_tracked: bool = False


class MaterialLot(Plan, frozen=True, kw_only=True):
    """A lot of an item; `hold` is why it may not be used, None when it may."""

    material: str
    expires: date | None = None
    hold: str | None = None


class StorageUnit(Plan, frozen=True, kw_only=True):
    """A bin or a place. `walk` orders the shortest walk; `hold` as for a lot."""

    zone: str
    description: str = ""
    walk: int = 0
    hold: str | None = None


class HandlingUnit(Plan, frozen=True, kw_only=True):
    """A tote, cart bin or pallet that goods are put into (`H:<id>`)."""

    description: str = ""


class Stock(Plan, frozen=True, kw_only=True):
    """What the books say stands in a bin; a borrowed picture with an age."""

    location: str
    material: str
    lot: str | None = None
    quantity: Decimal


class Reason(Plan, frozen=True, kw_only=True):
    """A reason in the plant's words; `number` is the digit that chooses it, `purpose` what it explains.

    `planned`, of a stop: the time was meant to be stood in, such as a break. It is planned downtime (ISO 22400-2),
    which counts against nobody's availability.
    """

    purpose: str  # scrap | short | finish | stop | symptom | failure | exception
    number: int
    text: str
    planned: bool = False


class Revision(msgspec.Struct, frozen=True):
    """One document or structure and the version of it that somebody works to.

    `kind` is who holds it: drawing, bom, routing, program, purchasing, costing.
    """

    kind: str
    document: str
    revision: str


class MaterialRequirement(msgspec.Struct, frozen=True, kw_only=True):
    """A planned line of a job order; pick lines carry source and destination.

    `done` is what the ERP has booked for the line so far.
    """

    id: str
    material: str
    use: MaterialUse
    quantity: Decimal
    uom: str = "pc"
    lot: str | None = None
    source: str | None = None
    destination: str | None = None
    done: Decimal = Decimal(0)


class JobOrder(Plan, frozen=True, kw_only=True):
    """A work-order operation (Production) or a pick list (Inventory).

    `good` and `scrap` are what the ERP has booked so far. `over_percent` is how much more than
    `quantity` the ERP takes. `revisions[...]` of kind "drawing" is checked by a scan at the start.
    """

    work_type: WorkType
    description: str
    dispatch_status: DispatchStatus
    equipment: str = ""
    sequence: int = 0
    operation: str = ""
    material: str = ""
    quantity: Decimal = Decimal(0)
    uom: str = "pc"
    over_percent: Decimal = Decimal(0)
    good: Decimal = Decimal(0)
    scrap: Decimal = Decimal(0)
    due: datetime | None = None
    customer: str = ""
    revisions: tuple[Revision, ...] = ()
    requirements: tuple[MaterialRequirement, ...] = ()


AnyPlan = Person | MaterialDefinition | MaterialLot | StorageUnit | HandlingUnit | Stock | Reason | JobOrder

# ---------------------------------------------------------------- facts


class JobStarted(FactBody, frozen=True, kw_only=True):
    """Work on a job began at an equipment, to these revisions.

    `revisions` are what the person had in hand (scanned), not what the plan says; empty when
    nothing was scanned, then `deviation` says why, and `released_by` who released it by a second badge.
    """

    equipment: str
    revisions: tuple[Revision, ...] = ()
    deviation: str = ""
    released_by: str = ""


class MaterialProduced(FactBody, frozen=True, kw_only=True):
    """Good pieces, as the person reports them, beside what the machine counted since the last report.

    `released_by`: who released more than planned by a second badge.
    """

    material: str
    quantity: Decimal
    uom: str
    equipment: str
    machine_count: int | None = None
    released_by: str = ""


class MaterialScrapped(FactBody, frozen=True, kw_only=True):
    """Pieces lost, and why. `released_by` as in MaterialProduced."""

    material: str
    quantity: Decimal
    uom: str
    equipment: str
    reason: str
    released_by: str = ""


class JobCompleted(FactBody, frozen=True, kw_only=True):
    """The person calls the job done. `reason` says why it is short; empty when it is not."""

    good: Decimal
    scrap: Decimal
    reason: str = ""


class MaterialMoved(FactBody, frozen=True, kw_only=True):
    """Goods taken from `source` and put into `destination` for one line of a job order."""

    requirement: str
    material: str
    lot: str | None
    quantity: Decimal
    uom: str
    source: str
    destination: str


class MaterialShort(FactBody, frozen=True, kw_only=True):
    """A line could not be filled: `quantity` is missing, and why."""

    requirement: str
    material: str
    lot: str | None
    quantity: Decimal
    uom: str
    source: str
    reason: str


class Correction(FactBody, frozen=True, kw_only=True):
    """An earlier fact did not happen (EPCIS errorDeclaration), because of `reason`: did_not_occur, or
    incorrect_data when another fact says what did."""

    corrects: str
    reason: str


class DowntimeSplit(msgspec.Struct, frozen=True):
    """From `at` on a stop had another reason."""

    at: datetime
    reason: str


class DowntimeRecorded(FactBody, frozen=True, kw_only=True):
    """A machine stood (`about` is `equipment/<id>`). Of several facts about one `stop` the last one counts.

    `ended` is None while it stands. `state` (PackML) and `alarm` are the machine's. `reason` is a Reason
    of purpose "stop", empty while nobody has explained it; after a split it holds until the first of
    `splits`. `late`: it was explained when the stop was over.
    """

    stop: str
    equipment: str
    began: datetime
    ended: datetime | None = None
    state: str
    alarm: str = ""
    reason: str = ""
    late: bool = False
    splits: tuple[DowntimeSplit, ...] = ()


class CountAssigned(FactBody, frozen=True, kw_only=True):
    """What shall become of parts that a machine counted while no job was open (`about` is `equipment/<id>`).

    `parts` were counted from `since` to the time of the fact. `job`: they count for it, and are reported with it like
    its own; empty: they are left without a job, and nobody is asked for them again. `doubtful`: the counter fell
    while nobody read it, so that they were made only if it ran over; who takes them says that they were.
    """

    equipment: str
    parts: int
    since: datetime
    job: str = ""
    doubtful: bool = False


class ScanRefused(FactBody, frozen=True, kw_only=True):
    """A scan that was not accepted: the evidence of who nearly got what wrong (`about` is `terminal/<id>`).

    `raw` is the frame, with every byte that is not printable ASCII written as \\xNN.
    """

    verdict: str
    code: str
    raw: str
    scenario: str
    step: str
    expected: str
    got: str
    job: str = ""


class FactLost(FactBody, frozen=True, kw_only=True):
    """The fact with this number was lost with the disk of the agent (`about` is `journal/<agent>`).

    It takes the place of whatever was recorded, so that the numbers have no gap; a person finds out
    what it was.
    """


AnyFact = (
    SignedOn
    | SignedOff
    | JobStarted
    | MaterialProduced
    | MaterialScrapped
    | JobCompleted
    | MaterialMoved
    | MaterialShort
    | Correction
    | ScanRefused
    | DowntimeRecorded
    | CountAssigned
    | MachineWriteRequested
    | MachineWriteRefused
    | MachineWriteFinished
    | MaintenanceFact
    | PinFact
    | FactLost
    | ExceptionDecided
)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the journal as it travels. `id` is the idempotency key all the way into the ERP.

    `seq` counts the facts of one `agent` without a gap. `event_time` is when it happened,
    `record_time` when it was committed, `clock_ok` whether the wall clock could be trusted then.
    """

    id: str
    seq: int
    agent: str
    event_time: datetime
    record_time: datetime
    clock_ok: bool
    terminal: str
    person: str
    body: AnyFact


# ---------------------------------------------------------------- answers


class PlanKey(msgspec.Struct, frozen=True):
    """Names a plan that the ERP has withdrawn."""

    kind: str
    id: str


class PlanPage(msgspec.Struct, frozen=True, kw_only=True):
    """One answer to a pull.

    `as_of_seq` is the highest seq of the asking agent that the ERP had decided when it read these
    plans: later facts are not in `good`, `scrap` and `done`. `more` asks for another pull at once.
    `reset` means: forget what you had, this is the beginning of everything.
    """

    cursor: str
    as_of_seq: int
    plans: tuple[AnyPlan, ...]
    withdrawn: tuple[PlanKey, ...] = ()
    more: bool = False
    reset: bool = False
