"""The demo plant is large enough to work in, consistent, and wrong only where it is meant to be."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from edge_agent.demo.plans import CENTRE, PRESS, ZONE, bin_of, check_digit, plans
from edge_agent.planbook import PlanBook
from sync.contract import DispatchStatus, JobOrder, MaterialLot, MaterialUse, Person, WorkType

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PLANS = plans(NOW)
BOOK = PlanBook.of(PLANS)
JOBS = [plan for plan in PLANS if isinstance(plan, JobOrder)]
OPERATIONS = [job for job in JOBS if job.work_type is WorkType.PRODUCTION]
ORDERS = [job for job in JOBS if job.work_type is WorkType.INVENTORY]


def test_there_is_enough_to_do() -> None:
    assert sum(unit.zone == ZONE for unit in BOOK.locations.values()) >= 40
    assert len(OPERATIONS) >= 12
    assert len(ORDERS) >= 8
    assert sum(person.active for person in BOOK.persons.values()) >= 6
    assert Counter(job.equipment for job in OPERATIONS) == {PRESS: 6, CENTRE: 6}
    assert all(len(job.requirements) >= 3 for job in ORDERS)
    assert {reason.purpose for reason in BOOK.reasons} == {
        "scrap", "short", "finish", "stop", "symptom", "failure", "exception",
    }  # fmt: skip


def test_every_operation_takes_material_of_a_lot_that_can_be_used() -> None:
    for job in OPERATIONS:
        assert 1 <= len(job.requirements) <= 2
        for line in job.requirements:
            assert line.use is MaterialUse.CONSUMED
            assert line.done == 0
            assert line.quantity > 0
            assert line.uom == BOOK.materials[line.material].uom
            lot = BOOK.lot_of(line.material, line.lot or "")
            assert lot is not None
            assert not lot.hold
            assert lot.expires
            assert lot.expires > NOW.date()


def test_no_plan_is_there_twice() -> None:
    assert [key for key, count in Counter((type(plan), plan.id) for plan in PLANS).items() if count > 1] == []
    assert len(BOOK.badges) == len(BOOK.persons)


def test_every_line_can_be_picked_as_planned() -> None:
    for job in ORDERS:
        for line in job.requirements:
            material = BOOK.materials[line.material]
            assert line.source in BOOK.locations
            assert line.destination in BOOK.handling_units
            there = {(row.material, row.lot): row.quantity for row in BOOK.stock[line.source or ""]}
            assert there[line.material, line.lot] >= line.quantity, (job.id, line.id)
            assert bool(line.lot) == material.lot_tracked
            if line.lot:
                lot = BOOK.lot_of(line.material, line.lot)
                assert lot is not None
                assert not lot.hold
                assert lot.expires
                assert lot.expires > NOW.date()


def test_every_number_of_gs1_has_its_check_digit() -> None:
    assert len(BOOK.gtins) >= 8
    assert all(gtin == gtin[:-1] + check_digit(gtin[:-1]) and len(gtin) == 14 for gtin in BOOK.gtins)


def test_the_walk_goes_through_every_bin_once() -> None:
    bins = [bin_of(number) for number in range(40)]
    assert len(set(bins)) == 40
    walked = sorted((unit.walk, unit.id) for unit in BOOK.locations.values() if unit.zone == ZONE)
    assert [id for _, id in walked] == bins


def test_what_is_wrong_is_wrong_on_purpose() -> None:
    held = [job.id for job in OPERATIONS if job.dispatch_status is not DispatchStatus.RELEASED]
    disagreeing = [
        job.id for job in OPERATIONS
        if any(len({rev.revision for rev in job.revisions if rev.document == document}) > 1
               for document in {rev.document for rev in job.revisions})
    ]  # fmt: skip
    lots = [plan for plan in PLANS if isinstance(plan, MaterialLot)]
    assert (held, disagreeing) == (["J-210"], ["J-205"])
    assert [lot.id for lot in lots if lot.hold] == ["SEAL-20/L347"]
    assert [lot.id for lot in lots if lot.expires and lot.expires < NOW.date()] == ["GREASE-1/L747"]
    assert [plan.badge for plan in PLANS if isinstance(plan, Person) and not plan.active] == ["1009"]
