"""The plans of the ERP as one frozen book: pure look-ups for scenarios and for the scan kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar, get_args

from edge_agent.views import Kind
from sync.contract import (
    AnyPlan,
    DispatchStatus,
    HandlingUnit,
    JobOrder,
    MaterialDefinition,
    MaterialLot,
    MaterialRequirement,
    Person,
    PlanKey,
    Reason,
    Stock,
    StorageUnit,
    WorkType,
)

_KINDS: Mapping[str, type] = {kind.__name__: kind for kind in get_args(AnyPlan)}
_OPEN = (DispatchStatus.RELEASED, DispatchStatus.HELD, DispatchStatus.PLANNED)


@dataclass(frozen=True)
class Progress:
    """How far a job is: what the ERP has booked plus our facts that it had not seen. `lines` by requirement.

    `shorts` are the quantities reported missing by requirement; `completed`: it was called done, `finished_here`: at
    this PC.
    """

    good: Decimal = Decimal(0)
    scrap: Decimal = Decimal(0)
    started: bool = False
    completed: bool = False
    finished_here: bool = False
    lines: Mapping[str, Decimal] = field(default_factory=dict)
    shorts: Mapping[str, Decimal] = field(default_factory=dict)

    def missing(self, line: MaterialRequirement) -> Decimal:
        """What is still to be moved for a line: 0 when it is full or was reported short."""
        if line.id in self.shorts:
            return Decimal(0)
        return max(line.quantity - self.lines.get(line.id, line.done), Decimal(0))


@dataclass(frozen=True)
class PlanBook:
    """All plans by kind and id, in the order of their ids.

    It never changes: `with_changes` is another book, `PlanBook.of(plans)` the first one.
    """

    jobs: Mapping[str, JobOrder] = field(default_factory=dict)
    persons: Mapping[str, Person] = field(default_factory=dict)
    badges: Mapping[str, Person] = field(default_factory=dict)
    materials: Mapping[str, MaterialDefinition] = field(default_factory=dict)
    gtins: Mapping[str, MaterialDefinition] = field(default_factory=dict)
    lots: Mapping[str, tuple[MaterialLot, ...]] = field(default_factory=dict)  # by the number on the label
    locations: Mapping[str, StorageUnit] = field(default_factory=dict)
    handling_units: Mapping[str, HandlingUnit] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    stock: Mapping[str, tuple[Stock, ...]] = field(default_factory=dict)  # by location
    lots_by_id: Mapping[str, MaterialLot] = field(default_factory=dict, repr=False)
    stock_by_id: Mapping[str, Stock] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, plans: Iterable[AnyPlan]) -> PlanBook:
        """The book of these plans; of two with one key the later counts."""
        return cls().with_changes(plans)

    def with_changes(self, came: Iterable[AnyPlan], gone: Iterable[PlanKey] = ()) -> PlanBook:
        """The book after these plans came, each instead of the one with its key, and then others went.

        It costs what changes: kinds that nothing came of are shared with this book.
        """
        changes = _changes(came, gone)
        persons = _changed(self.persons, Person, changes)
        materials = _changed(self.materials, MaterialDefinition, changes)
        lots = _changed(self.lots_by_id, MaterialLot, changes)
        stock = _changed(self.stock_by_id, Stock, changes)
        reasons = _changed({reason.id: reason for reason in self.reasons}, Reason, changes)
        return PlanBook(
            jobs=_changed(self.jobs, JobOrder, changes),
            persons=persons,
            badges=self.badges if persons is self.persons else _by_badge(persons),
            materials=materials,
            gtins=self.gtins if materials is self.materials else _by_gtin(materials),
            lots=_regrouped(self.lots, self.lots_by_id, lots, changes.get(MaterialLot, ()), lot_number),
            locations=_changed(self.locations, StorageUnit, changes),
            handling_units=_changed(self.handling_units, HandlingUnit, changes),
            reasons=tuple(sorted(reasons.values(), key=lambda r: (r.purpose, r.number, r.id))),
            stock=_regrouped(
                self.stock, self.stock_by_id, stock, changes.get(Stock, ()), lambda row: row.location
            ),
            lots_by_id=lots,
            stock_by_id=stock,
        )

    def knows(self, kind: Kind, id: str) -> bool:
        """Whether a thing of this kind and id is known here."""
        match kind:
            case Kind.LOCATION:
                return id in self.locations
            case Kind.BADGE:
                return id in self.badges
            case Kind.HANDLING_UNIT:
                return id in self.handling_units
            case Kind.JOB:
                return id in self.jobs
            case Kind.MATERIAL:
                return id in self.materials
            case Kind.REASON:
                return any(reason.id == id for reason in self.reasons)
            case Kind.DRAWING:
                return any(rev.document == id for job in self.jobs.values() for rev in job.revisions)
            case _:
                return False

    @cached_property
    def open_jobs(self) -> tuple[JobOrder, ...]:
        """The jobs that are not over, in the planner's order."""
        jobs = (job for job in self.jobs.values() if job.dispatch_status in _OPEN)
        return tuple(sorted(jobs, key=lambda job: (job.sequence, job.id)))

    def dispatch(self, work_type: WorkType, equipment: str = "") -> tuple[JobOrder, ...]:
        """The open jobs of a kind, in the planner's order; for one equipment, or for all when empty."""
        return tuple(
            job for job in self.open_jobs
            if job.work_type is work_type and (not equipment or job.equipment in ("", equipment))
        )  # fmt: skip

    def listed_with(self, id: str, equipment: str, page: int = 100) -> tuple[str, ...]:
        """The jobs that a dispatch list at the equipment shows next to a job: itself and those behind it."""
        job = self.jobs.get(id)
        if job is None:
            return (id,)
        place = equipment if job.work_type is WorkType.PRODUCTION else ""
        listed = [each.id for each in self.dispatch(job.work_type, place)]
        here = listed.index(id) if id in listed else 0
        return tuple(dict.fromkeys((id, *listed[here : here + page])))

    def lot_of(self, material: str, number: str) -> MaterialLot | None:
        """The lot of an item by the number on the label; lots of two items may share a number."""
        return next((lot for lot in self.lots.get(number, ()) if lot.material == material), None)

    def reasons_for(self, purpose: str) -> tuple[Reason, ...]:
        """The numbered reasons for a purpose, by number."""
        return tuple(reason for reason in self.reasons if reason.purpose == purpose)


def lot_number(lot: MaterialLot) -> str:
    """The number that stands on the label: the id, or what follows `<material>/` in it.

    >>> lot_number(MaterialLot(id="B-6204/L75", material="B-6204"))
    'L75'
    """
    return lot.id.removeprefix(lot.material + "/")


_P = TypeVar("_P", bound=AnyPlan)
_Changes = Mapping[type, Mapping[str, AnyPlan | None]]  # by kind and id; None: gone


def _changes(came: Iterable[AnyPlan], gone: Iterable[PlanKey]) -> _Changes:
    changes: dict[type, dict[str, AnyPlan | None]] = {}
    for plan in came:
        changes.setdefault(type(plan), {})[plan.id] = plan
    for key in gone:
        if (kind := _KINDS.get(key.kind)) is not None:
            changes.setdefault(kind, {})[key.id] = None
    return changes


def _changed(before: Mapping[str, _P], kind: type[_P], changes: _Changes) -> Mapping[str, _P]:
    """The plans of a kind after the changes, in the order of their ids; `before` itself without any."""
    changed = changes.get(kind)
    if not changed:
        return before
    after = dict(before)
    for id, plan in changed.items():
        if isinstance(plan, kind):
            after[id] = plan
        else:
            after.pop(id, None)
    in_order = all(id in before for id in changed)
    return MappingProxyType(after if in_order else {id: after[id] for id in sorted(after)})


def _by_badge(persons: Mapping[str, Person]) -> Mapping[str, Person]:
    return MappingProxyType({person.badge: person for person in persons.values()})


def _by_gtin(materials: Mapping[str, MaterialDefinition]) -> Mapping[str, MaterialDefinition]:
    return MappingProxyType({material.gtin: material for material in materials.values() if material.gtin})


def _regrouped(
    groups: Mapping[str, tuple[_P, ...]], before: Mapping[str, _P], after: Mapping[str, _P],
    ids: Iterable[str], key: Callable[[_P], str],
) -> Mapping[str, tuple[_P, ...]]:  # fmt: skip
    """The groups after the plans of these ids changed; a group is in the order of ids, none is empty."""
    members: dict[str, dict[str, _P]] = {}
    for id in ids:
        for table in (before, after):
            if (plan := table.get(id)) is not None:
                name = key(plan)
                members.setdefault(name, {row.id: row for row in groups.get(name, ())}).pop(id, None)
        if (plan := after.get(id)) is not None:
            members[key(plan)][id] = plan
    if not members:
        return groups
    regrouped = dict(groups)
    for name, rows in members.items():
        if rows:
            regrouped[name] = tuple(rows[id] for id in sorted(rows))
        else:
            regrouped.pop(name, None)
    return MappingProxyType(regrouped)
