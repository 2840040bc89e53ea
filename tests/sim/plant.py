"""A small plant: four jobs at two machines, four orders to pick."""

from __future__ import annotations

from decimal import Decimal

from sync.contract import (
    AnyPlan,
    DispatchStatus,
    HandlingUnit,
    JobOrder,
    MaterialDefinition,
    MaterialRequirement,
    MaterialUse,
    Person,
    Reason,
    Revision,
    StorageUnit,
    WorkType,
)

BADGES = ("1001", "1002", "1003")
JOBS = ("J-1", "J-2", "J-3", "J-4")
PICKS = ("SO-1", "SO-2", "SO-3", "SO-4")
_ITEMS = ("BOLT", "NUT", "LABEL")
_BINS = ("A-01", "A-02", "A-03", "A-04")


def job(id: str, quantity: int = 5000, status: DispatchStatus = DispatchStatus.RELEASED) -> JobOrder:
    """An operation; J-2 has a drawing to check."""
    drawing = (Revision("drawing", "DRW-2", "B"),) if id == "J-2" else ()
    return JobOrder(
        id=id, work_type=WorkType.PRODUCTION, description=f"Work on {id}", dispatch_status=status,
        material="PART", quantity=Decimal(quantity), over_percent=Decimal(5), revisions=drawing,
    )  # fmt: skip


def plans() -> tuple[AnyPlan, ...]:
    """All plans at the beginning. J-4 is soon done."""
    people = [Person(id=f"p{number}", name=f"P{number}", badge=badge) for number, badge in enumerate(BADGES, 1)]
    reasons = [
        Reason(id=f"{purpose.upper()}-1", purpose=purpose, number=1, text=purpose)
        for purpose in ("scrap", "short", "finish")
    ]
    items = [MaterialDefinition(id=item, description=item, gtin=_gtin(n)) for n, item in enumerate(_ITEMS)]
    places = [StorageUnit(id=bin, zone="A", walk=walk) for walk, bin in enumerate(_BINS)]
    totes = [HandlingUnit(id=f"TOTE-{number}") for number in range(1, 5)]
    jobs = [job(id, 12 if id == "J-4" else 5000) for id in JOBS]
    orders = [_order(number, id) for number, id in enumerate(PICKS, 1)]
    part = MaterialDefinition(id="PART", description="part")
    return (*people, *reasons, part, *items, *places, *totes, *jobs, *orders)


def _order(number: int, id: str) -> JobOrder:
    lines = tuple(
        MaterialRequirement(
            id=str(line), material=_ITEMS[(number + line) % 3], use=MaterialUse.MOVED, quantity=Decimal(3 + line),
            source=_BINS[(number + line) % 4], destination=f"TOTE-{number}",
        )
        for line in range(1, 5)
    )  # fmt: skip
    return JobOrder(
        id=id, work_type=WorkType.INVENTORY, description=id, dispatch_status=DispatchStatus.RELEASED,
        requirements=lines,
    )  # fmt: skip


def _gtin(number: int) -> str:
    body = f"040063813340{number}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return f"{body}{-total % 10}".zfill(14)
