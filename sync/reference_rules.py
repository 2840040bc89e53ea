"""The booking rules of the reference ERP: what a fact does to an order and to the stock. Pure.

The books keep beside each order what a plan has no place for (`Account`). A rule returns the new
account, or `No` with the code and the sentence of the refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import msgspec

from sync.contract import (
    AnyFact,
    Correction,
    CountAssigned,
    DispatchStatus,
    DowntimeRecorded,
    Fact,
    FactBody,
    FactLost,
    JobCompleted,
    JobOrder,
    JobStarted,
    MaterialDefinition,
    MaterialMoved,
    MaterialProduced,
    MaterialRequirement,
    MaterialScrapped,
    MaterialShort,
    ScanRefused,
    SignedOff,
    SignedOn,
    WorkType,
)
from sync.exceptions import ExceptionDecided
from sync.machine_facts import MachineWriteFinished, MachineWriteRefused, MachineWriteRequested
from sync.maintenance import MaintenanceCompleted, MaintenanceFact, MaintenancePartUsed, MaintenanceRequested
from sync.person_facts import PinFact

NOTHING = Decimal(0)
LEAST, GREATEST = Decimal("0.000001"), Decimal(1_000_000_000)  # sums of these stay exact
BY_LINES = "lines"  # what closed a pick list: all its lines were done or short
CLOSED = (DispatchStatus.COMPLETED, DispatchStatus.CANCELLED, DispatchStatus.HELD)

Material = MaterialProduced | MaterialScrapped | MaterialMoved | MaterialShort | MaintenancePartUsed
MachineWrite = MachineWriteRequested | MachineWriteRefused | MachineWriteFinished
Evidence = SignedOn | SignedOff | ScanRefused | DowntimeRecorded | CountAssigned | FactLost | MachineWrite | PinFact


@dataclass(frozen=True)
class No:
    """A refusal: `code` as in `Refused`, `reason` for people."""

    code: str
    reason: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One order in the books. `short` is what was reported missing, by line. `closed_by`: the id of
    the JobCompleted, BY_LINES, or empty when the office decides the status."""

    order: JobOrder
    short: dict[str, Decimal] = {}
    closed_by: str = ""


class MasterData(Protocol):
    """What the books know of things and people."""

    def material(self, id: str) -> MaterialDefinition | None:
        """The item of that id."""
        ...

    def has_lot(self, material: str, number: str) -> bool:
        """Whether the item has a lot of that number."""
        ...

    def has_person(self, id: str) -> bool:
        """Whether that person is known."""
        ...


@dataclass(frozen=True)
class Move:
    """Goods that change place in the stock picture."""

    material: str
    lot: str | None
    quantity: Decimal
    source: str
    destination: str

    def back(self) -> Move:
        """The same goods, the other way."""
        return Move(self.material, self.lot, self.quantity, self.destination, self.source)


def objection(fact: Fact, known: MasterData) -> No | None:
    """What is wrong with a fact whatever its order; None when nothing is. Evidence is always taken."""
    body = fact.body
    if isinstance(body, Evidence):
        return None
    if fact.person and not known.has_person(fact.person):
        return No("unknown_person", f"There is no person {fact.person} here.")
    if isinstance(body, MaterialProduced | MaterialScrapped | MaterialMoved | MaterialShort | MaintenancePartUsed):
        return _bad_material(body, known)
    other = body.accepted_by if isinstance(body, MaintenanceCompleted) else ""
    if isinstance(body, ExceptionDecided):
        other = body.second
        if other and other == fact.person:
            return No("same_person", f"Two people decide on this, and {other} is one.")
    if other and not known.has_person(other):
        return No("unknown_person", f"There is no person {other} here.")
    return None


def book_maintenance(body: MaintenanceFact, before: Sequence[FactBody]) -> No | None:
    """Why a fact of maintenance can not be booked after those about its request; None when it can."""
    asked = any(isinstance(each, MaintenanceRequested) for each in before)
    if isinstance(body, MaintenanceRequested):
        return No("key_reused", f"The request {body.request} is there already.") if asked else None
    if not asked:
        return No("unknown_request", f"There is no request {body.request} here.")
    if any(isinstance(each, MaintenanceCompleted) for each in before):
        return No("closed_request", f"The request {body.request} is completed.")
    return None


def _bad_material(body: Material, known: MasterData) -> No | None:
    if not body.quantity.is_finite() or not LEAST <= body.quantity <= GREATEST:
        return No("not_understood", f"A quantity is between {LEAST} and {GREATEST}, not {body.quantity}.")
    material = known.material(body.material)
    if material is None:
        return No("unknown_material", f"There is no item {body.material} here.")
    lot = body.lot if isinstance(body, MaterialMoved | MaterialShort | MaintenancePartUsed) else None
    if lot is not None and not known.has_lot(material.id, lot):
        return No("unknown_lot", f"Item {material.id} has no lot {lot} here.")
    if lot is None and material.lot_tracked and isinstance(body, MaterialMoved | MaintenancePartUsed):
        return No("unknown_lot", f"Item {material.id} is kept by lot: the lot is missing.")
    return None


def book(account: Account, fact: str, body: AnyFact) -> Account | No:
    """The account after a fact about its order; `fact` is the id of the fact. Corrections: `unbook`."""
    if isinstance(body, JobStarted | Evidence):
        return account
    order = account.order
    if order.dispatch_status in CLOSED:
        return No("closed_order", f"Order {order.id} is {order.dispatch_status.lower()}.")
    match body:
        case MaterialProduced():
            return _report(account, good=body.quantity)
        case MaterialScrapped():
            return _report(account, scrap=body.quantity)
        case JobCompleted():
            return _with_status(account, DispatchStatus.COMPLETED, fact)
        case MaterialMoved():
            return _fill(account, body)
        case MaterialShort():
            return _shorten(account, body)
    return account


def unbook(account: Account, fact: str, body: AnyFact) -> Account:
    """The account as if the booked fact had not happened; what it closed is open again."""
    match body:
        case MaterialProduced():
            return _add(account, good=-body.quantity)
        case MaterialScrapped():
            return _add(account, scrap=-body.quantity)
        case JobCompleted() if account.closed_by == fact:
            return _with_status(account, DispatchStatus.RELEASED, "")
        case MaterialMoved():
            return _settle_lines(_add_done(account, body.requirement, -body.quantity))
        case MaterialShort():
            left = account.short.get(body.requirement, NOTHING) - body.quantity
            return _settle_lines(_with_short(account, body.requirement, left))
    return account


def wrong_correction(correction: Correction, corrected: FactBody | None, undone: bool) -> No | None:
    """Why a correction can not be booked; `corrected` is the booked fact it names, None: there is none."""
    if corrected is None or corrected.about != correction.about:
        return No("unknown_fact", f"No fact {correction.corrects} about {correction.about} is booked here.")
    if isinstance(corrected, Correction):
        return No("not_correctable", "A correction can not be corrected: report again what is true.")
    if undone:
        return No("already_corrected", f"The fact {correction.corrects} was corrected before.")
    return None


def replan(account: Account | None, plan: JobOrder) -> Account:
    """The account under a new plan from the office: the plan decides all but what was booked."""
    if account is None:
        return Account(order=plan)
    old = account.order
    done = {line.id: line.done for line in old.requirements}
    lines = tuple(
        msgspec.structs.replace(line, done=done.get(line.id, line.done)) for line in plan.requirements
    )
    order = msgspec.structs.replace(plan, good=old.good, scrap=old.scrap, requirements=lines)
    short = {id: missing for id, missing in account.short.items() if id in {line.id for line in lines}}
    return Account(order=order, short=short)


def move_of(body: AnyFact) -> Move | None:
    """What the fact does to the stock picture."""
    if not isinstance(body, MaterialMoved):
        return None
    return Move(body.material, body.lot, body.quantity, body.source, body.destination)


def most(order: JobOrder) -> Decimal:
    """How many pieces, good and scrap together, the order takes."""
    return order.quantity * (1 + order.over_percent / 100)


def _report(account: Account, good: Decimal = NOTHING, scrap: Decimal = NOTHING) -> Account | No:
    order = account.order
    total = order.good + order.scrap + good + scrap
    if total > most(order):
        return No(
            "over_quantity",
            f"Order {order.id} takes {most(order).normalize():f} {order.uom}; this would make {total:f}.",
        )
    return _add(account, good, scrap)


def _fill(account: Account, body: MaterialMoved) -> Account | No:
    line = _line(account.order, body.requirement)
    if line is None:
        return _no_line(account, body.requirement)
    done = line.done + body.quantity
    if done > line.quantity:
        return No(
            "over_quantity",
            f"Line {line.id} of {account.order.id} takes {line.quantity:f} {line.uom}; "
            f"this would make {done:f}.",
        )
    return _settle_lines(_add_done(account, line.id, body.quantity))


def _shorten(account: Account, body: MaterialShort) -> Account | No:
    if _line(account.order, body.requirement) is None:
        return _no_line(account, body.requirement)
    missing = account.short.get(body.requirement, NOTHING) + body.quantity
    return _settle_lines(_with_short(account, body.requirement, missing))


def _no_line(account: Account, requirement: str) -> No:
    return No("unknown_line", f"Order {account.order.id} has no line {requirement}.")


def _line(order: JobOrder, id: str) -> MaterialRequirement | None:
    return next((line for line in order.requirements if line.id == id), None)


def _add(account: Account, good: Decimal = NOTHING, scrap: Decimal = NOTHING) -> Account:
    order = account.order
    order = msgspec.structs.replace(order, good=order.good + good, scrap=order.scrap + scrap)
    return msgspec.structs.replace(account, order=order)


def _add_done(account: Account, requirement: str, quantity: Decimal) -> Account:
    lines = tuple(
        msgspec.structs.replace(line, done=line.done + quantity) if line.id == requirement else line
        for line in account.order.requirements
    )
    order = msgspec.structs.replace(account.order, requirements=lines)
    return msgspec.structs.replace(account, order=order)


def _with_short(account: Account, requirement: str, missing: Decimal) -> Account:
    rest: Mapping[str, Decimal] = {id: short for id, short in account.short.items() if id != requirement}
    short = {**rest, requirement: missing} if missing > 0 else dict(rest)
    return msgspec.structs.replace(account, short=short)


def _with_status(account: Account, status: DispatchStatus, closed_by: str) -> Account:
    order = msgspec.structs.replace(account.order, dispatch_status=status)
    return msgspec.structs.replace(account, order=order, closed_by=closed_by)


def _settle_lines(account: Account) -> Account:
    """A pick list is completed by its last line, done or short, and open again when one is not."""
    order = account.order
    settled = all(line.done >= line.quantity or line.id in account.short for line in order.requirements)
    if order.work_type is WorkType.INVENTORY and settled and order.dispatch_status not in CLOSED:
        return _with_status(account, DispatchStatus.COMPLETED, BY_LINES)
    if account.closed_by == BY_LINES and not settled:
        return _with_status(account, DispatchStatus.RELEASED, "")
    return account
