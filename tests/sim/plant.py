"""A small plant: four jobs at two machines, four orders to pick, two leads."""

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
LEADS = ("1004", "1005")
LEAD_IDS = ("p4", "p5")
JOBS = ("J-1", "J-2", "J-3", "J-4")
PICKS = ("SO-1", "SO-2", "SO-3", "SO-4")
ITEMS = ("BOLT", "NUT", "LABEL")
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
    people = [
        Person(id=f"p{number}", name=f"P{number}", badge=badge, roles=("operator", "picker"))
        for number, badge in enumerate(BADGES, 1)
    ]
    people += [
        Person(id=id, name=id, badge=badge, roles=("lead",)) for id, badge in zip(LEAD_IDS, LEADS, strict=True)
    ]
    reasons = [
        Reason(id=f"{purpose.upper()}-1", purpose=purpose, number=1, text=purpose)
        for purpose in ("scrap", "short", "finish")
    ]
    items = [material(item) for item in ITEMS]
    places = [StorageUnit(id=bin, zone="A", walk=walk) for walk, bin in enumerate(_BINS)]
    totes = [HandlingUnit(id=f"TOTE-{number}") for number in range(1, 5)]
    jobs = [job(id, 12 if id == "J-4" else 5000) for id in JOBS]
    orders = [order(id) for id in PICKS]
    return (*people, *reasons, material("PART"), *items, *places, *totes, *jobs, *orders)


def material(id: str) -> MaterialDefinition:
    """An item; what is made has no number of GS1."""
    return MaterialDefinition(id=id, description=id, gtin=_gtin(ITEMS.index(id)) if id in ITEMS else None)


def order(id: str) -> JobOrder:
    """Four lines to pick."""
    number = PICKS.index(id) + 1
    lines = tuple(
        MaterialRequirement(
            id=str(line), material=ITEMS[(number + line) % 3], use=MaterialUse.MOVED, quantity=Decimal(3 + line),
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
