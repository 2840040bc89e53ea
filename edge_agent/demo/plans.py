"""The demo plant as plans: two machines, twelve operations, a warehouse zone, eight orders, six operators, one
mechanic and two leads.

Everything is made up. What is wrong in it is wrong on purpose: J-205 has a drawing in revision C while
purchasing still buys B and costing reckons with A; one lot is in quarantine, one has expired, one job
is held, one person has left.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sync.contract import (
    AnyPlan,
    DispatchStatus,
    HandlingUnit,
    JobOrder,
    MaterialDefinition,
    MaterialLot,
    MaterialRequirement,
    MaterialUse,
    Person,
    Reason,
    Revision,
    Stock,
    StorageUnit,
    WorkType,
)

PRESS, CENTRE, ZONE = "PRESS-03", "CNC-02", "A"
AISLES, BAYS, LEVELS = 5, 4, 2

_PEOPLE = (
    ("p1", "Ana Silva", "1001"), ("p2", "Bo Lindqvist", "1002"), ("p3", "Chidi Okafor", "1003"),
    ("p4", "Dana Novak", "1004"), ("p5", "Emre Yilmaz", "1005"), ("p6", "Farah Haddad", "1006"),
)  # fmt: skip

_REASONS = {
    "exception": ("ask the planner", "counted again", "typed wrong", "other order", "ask maintenance"),
    "scrap": ("short shot", "flash", "burr", "scratch", "wrong colour", "test piece"),
    "short": ("bin is empty", "not enough", "damaged", "not found", "label unreadable"),
    "stop": (
        "setting up",
        "tool change",
        "material missing",
        "jam",
        "mechanical fault",
        "electrical fault",
        "cleaning",
        "break",
        "nobody there",
    ),
    "symptom": ("stands still", "noise or vibration", "leak", "too hot", "parts out of tolerance", "safety door"),
    "failure": (
        "worn part", "broken part", "loose contact", "sensor dirty", "out of adjustment", "lubrication", "software",
    ),
    "finish": ("rest comes later", "rest was scrapped", "rest was lost", "no material", "order cancelled"),
}

# item, what it is, drawing, pieces, equipment, customer
_WORK = (
    ("HOUSING-L", "Housing, left", "DRW-1001", 300, PRESS, "ACME"),
    ("HOUSING-R", "Housing, right", "DRW-1002", 300, PRESS, "ACME"),
    ("COVER-12", "Cover 12 mm", "DRW-1010", 500, PRESS, "Borealis Pumps"),
    ("GRIP-A", "Grip, soft", "", 800, PRESS, "Nordlicht"),
    ("LID-40", "Lid 40 mm", "DRW-1033", 250, PRESS, "Borealis Pumps"),
    ("CLIP-7", "Clip 7", "", 2000, PRESS, "stock"),
    ("SHAFT-20", "Shaft 20x180", "DRW-2001", 120, CENTRE, "Borealis Pumps"),
    ("FLANGE-80", "Flange DN80", "DRW-2002", 60, CENTRE, "ACME"),
    ("BUSHING-8", "Bushing 8 mm", "DRW-2005", 400, CENTRE, "Nordlicht"),
    ("IMPELLER-3", "Impeller 3 blade", "DRW-2011", 40, CENTRE, "Borealis Pumps"),
    ("PLATE-5", "Base plate", "", 90, CENTRE, "stock"),
    ("ADAPTER-M", "Adapter M20", "DRW-2020", 150, CENTRE, "ACME"),
)

# What operations take: material, what it is, unit, its lot
_RAW = (
    ("PA66-GF30", "Polyamide 66, 30 % glass fibre", "kg", "R75"),
    ("PP-H", "Polypropylene, natural", "kg", "R31"),
    ("TPE-60A", "Elastomer, 60 Shore A", "kg", "R12"),
    ("MB-GREY", "Masterbatch, grey", "kg", "R08"),
    ("INSERT-M5", "Threaded insert M5, brass", "pc", "R44"),
    ("BAR-C45-25", "Round bar C45, 25 mm", "m", "R52"),
    ("BAR-CUSN12", "Round bar CuSn12, 12 mm", "m", "R53"),
    ("BLANK-GJS", "Cast blank EN-GJS-400", "pc", "R60"),
    ("PLATE-AL20", "Plate AlMg3, 20 mm", "pc", "R66"),
)

# item: what a hundred pieces of it take
_TAKES = {
    "HOUSING-L": (("PA66-GF30", "14.5"), ("INSERT-M5", "400")),
    "HOUSING-R": (("PA66-GF30", "14.5"), ("INSERT-M5", "400")),
    "COVER-12": (("PA66-GF30", "4.2"), ("MB-GREY", "0.2")),
    "GRIP-A": (("TPE-60A", "2.6"),),
    "LID-40": (("PP-H", "3.8"), ("MB-GREY", "0.2")),
    "CLIP-7": (("PP-H", "0.4"),),
    "SHAFT-20": (("BAR-C45-25", "19.0"),),
    "FLANGE-80": (("BLANK-GJS", "100"),),
    "BUSHING-8": (("BAR-CUSN12", "1.5"),),
    "IMPELLER-3": (("BLANK-GJS", "100"),),
    "PLATE-5": (("PLATE-AL20", "100"),),
    "ADAPTER-M": (("BAR-C45-25", "6.0"),),
}

# item, what it is, GS1 number without check digit, lot tracked
_GOODS = (
    ("BRG-6204", "Bearing 6204-2RS", "0400638133401", True),
    ("SEAL-20", "Shaft seal 20x35x7", "0400638133402", True),
    ("ORING-80", "O-ring 80x3 NBR", "0400638133403", True),
    ("BOLT-M8", "Bolt M8x40 [A2-70]", "0400638133404", False),
    ("NUT-M8", "Nut M8 A2", "0400638133405", False),
    ("GREASE-1", "Grease cartridge 400 g", "0400638133406", True),
    ("MOTOR-075", "Motor 0.75 kW", "0400638133407", False),
    ("LABEL-PK", "Pack label roll", "0400638133408", False),
)

_CUSTOMERS = (
    "ACME",
    "Borealis Pumps",
    "Nordlicht",
    "Hansa Yachts",
    "Delta Foods",
    "Orbit",
    "Kiruna Mining",
    "Vale",
)


def plans(now: datetime) -> tuple[AnyPlan, ...]:
    """All plans of the demo plant; due and expiry dates lie around `now`."""
    return (
        *_people(), *_reasons(), *_products(), *_bins(), *_totes(), *_work_orders(now), *_lots(now), *_orders(now),
    )  # fmt: skip


def bin_of(number: int) -> str:
    """The bin with this number, 0 .. 39, along the walk: up one aisle, down the next."""
    aisle, rest = divmod(number, BAYS * LEVELS)
    bay, level = divmod(rest, LEVELS)
    bay = bay if aisle % 2 == 0 else BAYS - 1 - bay
    return f"{ZONE}-{aisle + 1:02}-{bay * LEVELS + level + 1}"


def check_digit(digits: str) -> str:
    """The GS1 check digit (GS1 General Specifications, 7.9).

    >>> check_digit("0400638133393")
    '1'
    """
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def _people() -> Iterator[AnyPlan]:
    for id, name, badge in _PEOPLE:
        yield Person(id=id, name=name, badge=badge, roles=("operator", "picker"))
    yield Person(id="p7", name="Hanna Berg", badge="1007", roles=("maintenance",))
    yield Person(id="p8", name="Ines Costa", badge="1008", roles=("operator", "picker", "lead"))
    yield Person(id="p9", name="Gil Moreau", badge="1009", active=False)
    yield Person(id="p10", name="Jonas Weiss", badge="1010", roles=("lead",))


def _reasons() -> Iterator[AnyPlan]:
    for purpose, texts in _REASONS.items():
        for number, text in enumerate(texts, 1):
            planned = (purpose, text) == ("stop", "break")
            yield Reason(
                id=f"{purpose.upper()}-{number}", purpose=purpose, number=number, text=text, planned=planned
            )


def _products() -> Iterator[AnyPlan]:
    for item, description, _, _, _, _ in _WORK:
        yield MaterialDefinition(id=item, description=description)
    for item, description, uom, _ in _RAW:
        yield MaterialDefinition(id=item, description=description, uom=uom, lot_tracked=True)
    for item, description, digits, tracked in _GOODS:
        yield MaterialDefinition(
            id=item, description=description, gtin=digits + check_digit(digits), lot_tracked=tracked
        )


def _bins() -> Iterator[AnyPlan]:
    for number in range(AISLES * BAYS * LEVELS):
        aisle, rest = divmod(number, BAYS * LEVELS)
        level = "floor" if rest % LEVELS == 0 else "upper"
        yield StorageUnit(
            id=bin_of(number), zone=ZONE, walk=number + 1, description=f"aisle {aisle + 1}, {level} shelf"
        )
    yield StorageUnit(id="PACK-1", zone="PACK", walk=900, description="packing bench")


def _totes() -> Iterator[AnyPlan]:
    for number in range(1, 9):
        yield HandlingUnit(id=f"TOTE-{number}", description="blue tote")


def _work_orders(now: datetime) -> Iterator[AnyPlan]:
    for number, (item, description, drawing, pieces, equipment, customer) in enumerate(_WORK, 1):
        held = item == "IMPELLER-3"
        yield JobOrder(
            id=f"J-{200 + number}", work_type=WorkType.PRODUCTION, description=description, operation="op 20",
            dispatch_status=DispatchStatus.HELD if held else DispatchStatus.RELEASED, equipment=equipment,
            sequence=number, material=item, quantity=Decimal(pieces), over_percent=Decimal(5), customer=customer,
            due=_at(now, number * 4), revisions=_revisions(number, item, drawing),
            requirements=tuple(_takes(item, pieces)),
        )  # fmt: skip


def _takes(item: str, pieces: int) -> Iterator[MaterialRequirement]:
    raw = {material: (uom, lot) for material, _, uom, lot in _RAW}
    for number, (material, hundred) in enumerate(_TAKES[item], 1):
        uom, lot = raw[material]
        yield MaterialRequirement(
            id=f"{number}", material=material, use=MaterialUse.CONSUMED, lot=lot, uom=uom,
            quantity=(Decimal(hundred) * pieces / 100).normalize() + 0,
        )  # fmt: skip


def _revisions(number: int, item: str, drawing: str) -> tuple[Revision, ...]:
    if not drawing:
        return ()
    if number == 5:  # the classic: three departments, three versions
        return (
            Revision("drawing", drawing, "C"), Revision("purchasing", drawing, "B"), Revision("costing", drawing, "A"),
        )  # fmt: skip
    return (
        Revision("drawing", drawing, "B"),
        Revision("bom", f"BOM-{item}", "4"),
        Revision("costing", drawing, "B"),
    )


def _lots(now: datetime) -> Iterator[AnyPlan]:
    for number, (material, _, _, batch) in enumerate(_RAW):
        until = (now + timedelta(days=120 + 30 * number)).date()
        yield MaterialLot(id=f"{material}/{batch}", material=material, expires=until)
    for number, (item, _, _, tracked) in enumerate(_GOODS):
        for copy in range(5):
            place = bin_of(number * 5 + copy)
            lot = f"L{number + 2}{copy}7" if tracked else None
            if lot is not None:
                expires = (now + timedelta(days=90 + 60 * copy)).date()
                hold = "quarantine: incoming inspection" if (item, copy) == ("SEAL-20", 4) else None
                if (item, copy) == ("GREASE-1", 4):
                    expires = (now - timedelta(days=3)).date()
                yield MaterialLot(id=f"{item}/{lot}", material=item, expires=expires, hold=hold)
            yield Stock(
                id=f"{place}/{item}/{lot or '-'}",
                location=place,
                material=item,
                lot=lot,
                quantity=Decimal(200),
            )


def _orders(now: datetime) -> Iterator[AnyPlan]:
    for number in range(8):
        lines = []
        for line in range(5):
            goods = (number + line * 3) % len(_GOODS)
            copy = (number + line) % 4
            item, _, _, tracked = _GOODS[goods]
            lines.append(MaterialRequirement(
                id=f"{line + 1}", material=item, use=MaterialUse.MOVED, quantity=Decimal(2 + (number + line) % 11),
                lot=f"L{goods + 2}{copy}7" if tracked else None, source=bin_of(goods * 5 + copy),
                destination=f"TOTE-{number + 1}",
            ))  # fmt: skip
        yield JobOrder(
            id=f"SO-{771 + number}", work_type=WorkType.INVENTORY, description=f"pick for {_CUSTOMERS[number]}",
            dispatch_status=DispatchStatus.RELEASED, sequence=number + 1, customer=_CUSTOMERS[number],
            due=_at(now, 2 + number), requirements=tuple(lines),
        )  # fmt: skip


def _at(now: datetime, hours: int) -> datetime:
    return (now + timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
