"""The plans of the ERP as one frozen book: pure look-ups for scenarios and for the scan kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

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
    Reason,
    Stock,
    StorageUnit,
    WorkType,
)


@dataclass(frozen=True)
class Progress:
    """How far a job is: what the ERP has booked plus our facts that it had not seen. `lines` by requirement.

    `shorts` are the quantities reported missing by requirement; `completed`: the person called it done.
    """

    good: Decimal = Decimal(0)
    scrap: Decimal = Decimal(0)
    started: bool = False
    completed: bool = False
    lines: Mapping[str, Decimal] = field(default_factory=dict)
    shorts: Mapping[str, Decimal] = field(default_factory=dict)

    def missing(self, line: MaterialRequirement) -> Decimal:
        """What is still to be moved for a line: 0 when it is full or was reported short."""
        if line.id in self.shorts:
            return Decimal(0)
        return max(line.quantity - self.lines.get(line.id, line.done), Decimal(0))


@dataclass(frozen=True)
class PlanBook:
    """All plans by kind and id. Build one with `PlanBook.of(plans)`; it never changes afterwards."""

    jobs: Mapping[str, JobOrder]
    persons: Mapping[str, Person]
    badges: Mapping[str, Person]
    materials: Mapping[str, MaterialDefinition]
    gtins: Mapping[str, MaterialDefinition]
    lots: Mapping[str, tuple[MaterialLot, ...]]
    locations: Mapping[str, StorageUnit]
    handling_units: Mapping[str, HandlingUnit]
    reasons: tuple[Reason, ...]
    stock: Mapping[str, tuple[Stock, ...]]

    @classmethod
    def of(cls, plans: Iterable[AnyPlan]) -> PlanBook:
        """The book of these plans; of two with one key the later counts."""
        tables: dict[type, dict[str, AnyPlan]] = {}
        for plan in plans:
            tables.setdefault(type(plan), {})[plan.id] = plan
        persons = _table(tables, Person)
        materials = _table(tables, MaterialDefinition)
        stock: dict[str, list[Stock]] = {}
        for row in _table(tables, Stock).values():
            stock.setdefault(row.location, []).append(row)
        lots: dict[str, list[MaterialLot]] = {}
        for lot in _table(tables, MaterialLot).values():
            lots.setdefault(lot_number(lot), []).append(lot)
        return cls(
            jobs=MappingProxyType(_table(tables, JobOrder)),
            persons=MappingProxyType(persons),
            badges=MappingProxyType({p.badge: p for p in persons.values()}),
            materials=MappingProxyType(materials),
            gtins=MappingProxyType({m.gtin: m for m in materials.values() if m.gtin}),
            lots=MappingProxyType({number: tuple(same) for number, same in lots.items()}),
            locations=MappingProxyType(_table(tables, StorageUnit)),
            handling_units=MappingProxyType(_table(tables, HandlingUnit)),
            reasons=tuple(sorted(_table(tables, Reason).values(), key=lambda r: (r.purpose, r.number))),
            stock=MappingProxyType({place: tuple(rows) for place, rows in stock.items()}),
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

    def dispatch(self, work_type: WorkType, equipment: str = "") -> tuple[JobOrder, ...]:
        """The open jobs of a kind, in the planner's order; for one equipment, or for all when empty."""
        shown = (DispatchStatus.RELEASED, DispatchStatus.HELD, DispatchStatus.PLANNED)
        jobs = (
            job for job in self.jobs.values()
            if job.work_type is work_type
            and job.dispatch_status in shown
            and (not equipment or job.equipment in ("", equipment))
        )  # fmt: skip
        return tuple(sorted(jobs, key=lambda job: (job.sequence, job.id)))

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


def _table(tables: Mapping[type, Mapping[str, AnyPlan]], kind: type[_P]) -> dict[str, _P]:
    return {id: plan for id, plan in tables.get(kind, {}).items() if isinstance(plan, kind)}
