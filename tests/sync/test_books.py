from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from sync.contract import (
    HELD_BACK,
    AnyFact,
    Applied,
    Booked,
    Correction,
    DispatchStatus,
    Duplicate,
    JobCompleted,
    JobOrder,
    JobStarted,
    MaterialMoved,
    MaterialShort,
    Person,
    PlanKey,
    PlanPage,
    Refused,
    ScanRefused,
    SignedOn,
    Stock,
)
from sync.maintenance import (
    MaintenanceCompleted,
    MaintenancePartUsed,
    MaintenanceRequested,
    MaintenanceStarted,
)  # fmt: skip
from sync.reference_books import PAGE, Books
from sync.same_fact import digest, members
from tests.support.manual_clock import START, ManualClock
from tests.sync.plant import PLANS, fact, good, order, pick


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    books = Books(tmp_path / "books.db", ManualClock().now)
    books.put(PLANS)
    yield books
    books.close()


def moved(material: str = "SCREW", lot: str | None = None, quantity: str = "1", line: str = "L1") -> AnyFact:
    return MaterialMoved(
        about="P1", requirement=line, material=material, lot=lot, quantity=Decimal(quantity), uom="pc",
        source="A-01", destination="CART-1",
    )  # fmt: skip


def everything(books: Books) -> PlanPage:
    return books.pull("pc1", None)


def job(books: Books, id: str = "W1") -> JobOrder:
    return next(plan for plan in everything(books).plans if isinstance(plan, JobOrder) and plan.id == id)


def stock(books: Books) -> dict[str, Decimal]:
    return {plan.location: plan.quantity for plan in everything(books).plans if isinstance(plan, Stock)}


def code(books: Books, seq: int, body: AnyFact, person: str = "p1") -> str:
    (receipt,) = books.push([fact(seq, body, person=person)])
    return receipt.code if isinstance(receipt, Refused) else "applied"


def test_the_same_fact_twice_is_one_booking(books: Books) -> None:
    assert books.push([fact(1)]) == (Applied("pc1-1", "RB-000001"),)
    assert books.push([fact(1)]) == (Duplicate("pc1-1", "RB-000001", Booked(digest(members(fact(1))))),)
    assert job(books).good == 1


def test_an_id_used_for_something_else_is_refused_and_the_booking_stays(books: Books) -> None:
    books.push([fact(1, good(quantity=1))])
    assert code(books, 1, good(quantity=2)) == "key_reused"
    assert job(books).good == 1
    (known,) = books.ask(["pc1-1"])
    assert isinstance(known, Duplicate)
    assert known.booked is not None
    assert known.booked.digest == digest(members(fact(1, good(quantity=1))))
    assert known.booked.fact == members(fact(1, good(quantity=1)))


@pytest.mark.parametrize(
    ("body", "person", "expected"),
    [
        (good("NONE"), "p1", "unknown_order"),
        (good(), "nobody", "unknown_person"),
        (good(), "", "applied"),
        (good(quantity=2_000_000), "p1", "over_quantity"),
        (good(quantity=0), "p1", "not_understood"),
        (good(quantity=-1), "p1", "not_understood"),
        (good(quantity="NaN"), "p1", "not_understood"),
        (good(quantity="Infinity"), "p1", "not_understood"),
        (good(quantity="1E+999999"), "p1", "not_understood"),
        (msgspec.structs.replace(good(), material="NONE"), "p1", "unknown_material"),
        (moved(), "p1", "applied"),
        (moved(line="L9"), "p1", "unknown_line"),
        (moved(quantity="11"), "p1", "over_quantity"),
        (moved("BEARING", "L75"), "p1", "applied"),
        (moved("BEARING", "L76"), "p1", "unknown_lot"),
        (moved("BEARING", None), "p1", "unknown_lot"),
        (JobStarted(about="W1", equipment="saw-1"), "p1", "applied"),
        (JobStarted(about="NONE", equipment="saw-1"), "p1", "unknown_order"),
        (SignedOn(about="person/nobody"), "nobody", "applied"),
        (Correction(about="W1", corrects="none", reason="r"), "p1", "unknown_fact"),
    ],
)
def test_what_is_booked_and_what_is_refused(books: Books, body: AnyFact, person: str, expected: str) -> None:
    books.put([pick("P1", 10)])
    before = job(books)
    assert code(books, 1, body, person) == expected
    if expected != "applied":
        assert job(books) == before


def test_a_refused_scan_is_evidence_and_always_taken(books: Books) -> None:
    evidence = ScanRefused(
        about="terminal/t1", verdict="wrong", code="scan.wrong", raw="<b>", scenario="pick", step="item",
        expected="SCREW", got="NAIL",
    )  # fmt: skip
    assert code(books, 1, evidence, person="nobody") == "applied"


@pytest.mark.parametrize("status", [DispatchStatus.HELD, DispatchStatus.CANCELLED, DispatchStatus.COMPLETED])
def test_a_closed_order_takes_no_report_until_the_office_releases_it(
    books: Books, status: DispatchStatus
) -> None:
    books.put([order("W1", dispatch_status=status)])
    assert code(books, 1, good()) == "closed_order"
    books.put([order("W1")])
    assert code(books, 1, good()) == "applied"
    assert [(b.fact, b.outcome) for b in books.bookings("pc1")] == [("pc1-1", "applied")]


def test_one_refusal_holds_back_its_own_job_and_no_other(books: Books) -> None:
    bodies = [good("W1"), good("NONE"), good("W2"), good("NONE"), good("W1")]
    receipts = books.push([fact(seq, body) for seq, body in enumerate(bodies, 1)])
    assert [getattr(r, "code", "applied") for r in receipts] == [
        "applied", "unknown_order", "applied", HELD_BACK, "applied",
    ]  # fmt: skip
    assert [r.fact for r in books.ask([f"pc1-{seq}" for seq in range(1, 6)])] == [
        "pc1-1", "pc1-2", "pc1-3", "pc1-5",
    ]  # fmt: skip


def test_completing_closes_and_correcting_it_opens_again(books: Books) -> None:
    done = JobCompleted(about="W1", good=Decimal(1), scrap=Decimal(0))
    assert [code(books, 1, good()), code(books, 2, done), code(books, 3, good())] == [
        "applied", "applied", "closed_order",
    ]  # fmt: skip
    assert code(books, 4, Correction(about="W1", corrects="pc1-2", reason="not yet")) == "applied"
    assert code(books, 3, good()) == "applied"
    assert job(books) == order("W1", good=Decimal(2))


def test_a_correction_puts_the_pieces_back_once(books: Books) -> None:
    books.push([fact(1, good(quantity=7)), fact(2, good(quantity=5))])
    assert code(books, 3, Correction(about="W1", corrects="pc1-1", reason="mistyped")) == "applied"
    assert job(books).good == 5
    assert code(books, 4, Correction(about="W1", corrects="pc1-1", reason="again")) == "already_corrected"
    assert code(books, 5, Correction(about="W2", corrects="pc1-2", reason="other job")) == "unknown_fact"
    assert code(books, 6, Correction(about="W1", corrects="pc1-3", reason="no")) == "not_correctable"
    assert job(books).good == 5


def test_a_pick_moves_stock_and_its_correction_moves_it_back(books: Books) -> None:
    books.put([pick("P1", 10, 4)])
    books.push([fact(1, moved(quantity="10"))])
    assert stock(books) == {"A-01": 490, "CART-1": 10}
    missing = MaterialShort(
        about="P1", requirement="L2", material="SCREW", lot=None, quantity=Decimal(4), uom="pc",
        source="A-01", reason="empty",
    )  # fmt: skip
    books.push([fact(2, missing)])
    assert job(books, "P1").dispatch_status is DispatchStatus.COMPLETED
    assert {view.order.id: view.short for view in books.orders().orders}["P1"] == {"L2": 4}
    books.push([fact(3, Correction(about="P1", corrects="pc1-1", reason="wrong cart"))])
    assert stock(books) == {"A-01": 500, "CART-1": 0}
    assert job(books, "P1").dispatch_status is DispatchStatus.RELEASED


def test_a_first_pull_is_a_reset_and_the_next_brings_only_what_changed(books: Books) -> None:
    first = everything(books)
    assert (first.reset, first.more, len(first.plans), first.as_of_seq) == (True, False, len(PLANS), 0)
    books.push([fact(1, good("W2"))])
    second = books.pull("pc1", first.cursor)
    assert (second.reset, second.as_of_seq) == (False, 1)
    assert [(plan.id, plan.good) for plan in second.plans if isinstance(plan, JobOrder)] == [
        ("W2", Decimal(1))
    ]
    third = books.pull("pc1", second.cursor)
    assert (third.plans, third.cursor) == ((), second.cursor)


def test_as_of_seq_counts_the_asking_agent_alone_and_refusals_too(books: Books) -> None:
    books.push([fact(7, good("NONE"), agent="pc1"), fact(9, agent="pc2")])
    assert (books.pull("pc1", None).as_of_seq, books.pull("pc2", None).as_of_seq) == (7, 9)


def test_many_plans_come_in_pages_and_each_comes_once(books: Books) -> None:
    books.put([Person(id=f"x{number}", name="x", badge=f"x{number}") for number in range(2 * PAGE)])
    seen: list[str] = []
    cursor, resets, more = None, [], True
    while more:
        page = books.pull("pc1", cursor)
        seen += [plan.id for plan in page.plans]
        cursor, more = page.cursor, page.more
        resets.append(page.reset)
    assert len(seen) == len(set(seen)) == 2 * PAGE + len(PLANS)
    assert resets == [True, False, False]


def test_a_withdrawn_plan_is_named_and_its_order_unknown(books: Books) -> None:
    cursor = everything(books).cursor
    assert books.withdraw(PlanKey("JobOrder", "W1"))
    assert not books.withdraw(PlanKey("JobOrder", "W1"))
    assert books.pull("pc1", cursor).withdrawn == (PlanKey("JobOrder", "W1"),)
    assert code(books, 1, good()) == "unknown_order"


@pytest.mark.parametrize("cursor", ["", "x", "other:3", "other:", ":", "💣"])
def test_a_cursor_of_other_books_starts_from_the_beginning(books: Books, cursor: str) -> None:
    assert books.pull("pc1", cursor).reset


@pytest.mark.parametrize("version", ["-1", "9" * 40, "1.5", "²"])
def test_a_broken_cursor_starts_from_the_beginning(books: Books, version: str) -> None:
    book = everything(books).cursor.partition(":")[0]
    assert books.pull("pc1", f"{book}:{version}").reset


def test_a_plan_put_again_keeps_what_was_booked(books: Books) -> None:
    books.push([fact(1, good(quantity=7))])
    books.put([order("W1", Decimal(9))])
    assert job(books) == order("W1", Decimal(9), good=Decimal(7))
    assert code(books, 2, good(quantity=3)) == "over_quantity"


def test_closed_by_the_office(books: Books) -> None:
    assert books.close_order("W1")
    assert not books.close_order("NONE")
    assert job(books).dispatch_status is DispatchStatus.COMPLETED


def test_books_opened_again_know_everything(tmp_path: Path) -> None:
    first = Books(tmp_path / "b.db", ManualClock().now)
    assert first.is_new()
    first.put(PLANS)
    first.push([fact(1), fact(2, good("NONE"))])
    cursor = everything(first).cursor
    first.close()
    again = Books(tmp_path / "b.db", ManualClock().now)
    assert not again.is_new()
    assert isinstance(again.push([fact(1)])[0], Duplicate)
    assert not again.pull("pc1", cursor).reset
    assert [(b.seq, b.about, b.outcome, b.accepted_at) for b in again.bookings("pc1")] == [
        (1, "W1", "applied", START),
        (2, "NONE", "refused", START),
    ]
    again.close()


REPAIR = "maintenance/r1"
ASKED = MaintenanceRequested(
    about=REPAIR, request="r1", equipment="PRESS-03", symptom="SYMPTOM-1", priority=1, stopped=True, stop="s1"
)
BEGUN = MaintenanceStarted(about=REPAIR, request="r1", equipment="PRESS-03", suspected="FAILURE-1")
SCREWED = MaintenancePartUsed(about=REPAIR, request="r1", material="SCREW", lot=None, quantity=Decimal(1), uom="pc")
DONE = MaintenanceCompleted(
    about=REPAIR, request="r1", equipment="PRESS-03", failure="FAILURE-2", tested=True, accepted_by="p1"
)
REPAIRED: tuple[AnyFact, ...] = (ASKED, BEGUN, SCREWED, DONE)


def test_a_repair_is_booked_from_the_request_to_the_hand_over(books: Books) -> None:
    assert [code(books, seq, body) for seq, body in enumerate(REPAIRED, 1)] == ["applied"] * 4
    (view,) = books.orders().maintenance
    assert (view.request, view.equipment, view.state, view.symptom, view.failure, view.stopped) == (
        "r1", "PRESS-03", "completed", "SYMPTOM-1", "FAILURE-2", True,
    )  # fmt: skip
    assert [booking.note for booking in view.bookings] == ["FAILURE-2", "SCREW", "FAILURE-1", "SYMPTOM-1"]
    assert all(booking.about != REPAIR for booking in books.orders().other)


@pytest.mark.parametrize(
    ("before", "body", "expected"),
    [
        ((), BEGUN, "unknown_request"),
        ((ASKED, DONE), SCREWED, "closed_request"),
        ((ASKED,), msgspec.structs.replace(SCREWED, material="NOTHING"), "unknown_material"),
        ((ASKED,), msgspec.structs.replace(SCREWED, material="BEARING"), "unknown_lot"),
        ((ASKED,), msgspec.structs.replace(DONE, accepted_by="p99"), "unknown_person"),
    ],
)
def test_what_does_not_fit_a_repair_is_refused(
    books: Books, before: tuple[AnyFact, ...], body: AnyFact, expected: str
) -> None:
    for seq, earlier in enumerate(before, 1):
        assert code(books, seq, earlier) == "applied"
    assert code(books, 9, body) == expected


def test_a_part_that_was_taken_back_is_undone(books: Books) -> None:
    for seq, body in enumerate(REPAIRED[:3], 1):
        code(books, seq, body)
    part = next(each.fact for each in books.orders().maintenance[0].bookings if each.kind == "MaintenancePartUsed")
    assert code(books, 4, Correction(about=REPAIR, corrects=part, reason="did_not_occur")) == "applied"
    assert [each.undone for each in books.orders().maintenance[0].bookings] == [False, True, False, False]
