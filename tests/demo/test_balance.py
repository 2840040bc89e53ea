"""The balance of a shift can say no: each of its figures finds what it is there to find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from edge_agent.demo.balance import Balance, draw
from edge_agent.demo.disturbances import Disturbances
from edge_agent.demo.entries import Entry
from edge_agent.views import JournalRow

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DONE = Disturbances(kills=3, lost_replies=1, erp_away_seconds=10.2, away_calls=4)


def row(seq: int, kind: str, about: str = "J-1", **body: Any) -> JournalRow:
    """A fact in the journal; its id is f and its seq."""
    return JournalRow(
        seq=seq, id=f"f{seq}", kind=kind, about=about, event_time=NOW, record_time=NOW, terminal="T1",
        person="p1", sent="yes", body=body,
    )  # fmt: skip


def replace_terminal(row: JournalRow, terminal: str) -> JournalRow:
    """The fact as it is when it was recorded elsewhere."""
    return msgspec.structs.replace(row, terminal=terminal)


def booked(row: JournalRow, outcome: str = "applied") -> dict[str, Any]:
    """The same fact in the ERP's books."""
    return {"fact": row.id, "seq": row.seq, "about": row.about, "outcome": outcome}


def entry(row: JournalRow, answered: bool = True) -> Entry:
    """What the person entered that became this fact."""
    quantity = row.body.get("quantity")
    told = None if quantity is None else Fraction(str(quantity))
    return Entry(f"i{row.seq}", row.terminal, row.kind, row.about, told, answered)


def order(id: str, good: str = "0", scrap: str = "0", *lines: str) -> dict[str, Any]:
    """An order with what the ERP has booked on it."""
    return {
        "order": {"id": id, "good": good, "scrap": scrap, "requirements": [{"done": each} for each in lines]}
    }


JOURNAL = (
    row(1, "JobStarted"),
    row(2, "MaterialProduced", quantity="3"),
    row(3, "MaterialMoved", "SO-1", quantity="2.5"),
    row(4, "MaterialScrapped", quantity="1"),
    row(5, "MaterialMoved", "SO-1", quantity="0.5"),
)
BOOKINGS = tuple(booked(each) for each in JOURNAL)
ORDERS = (order("J-1", "3", "1"), order("SO-1", "0", "0", "2.5", "0.5"), order("J-2"))
CONFIRMED = {each.id for each in JOURNAL}
ENTERED = tuple(entry(each) for each in JOURNAL)


def drawn(
    journal: tuple[JournalRow, ...] = JOURNAL,
    bookings: tuple[dict[str, Any], ...] = BOOKINGS,
    orders: tuple[dict[str, Any], ...] = ORDERS,
    confirmed: frozenset[str] | set[str] = frozenset(CONFIRMED),
    done: Disturbances = DONE,
    refused: int = 0,
    entered: Sequence[Entry] = ENTERED,
) -> Balance:
    """The balance of a shift in which enough was done; everything is right unless it is given."""
    return draw(journal, bookings, orders, set(confirmed), entered, done, refused).timed(20.0, 30, 30)


def wrong(balance: Balance) -> dict[str, int]:
    """The figures that are not 0 and should be."""
    names = ("lost", "missing", "double", "out_of_order", "wrong_totals", "refused")
    return {name: figure for name in names if (figure := getattr(balance, name))}


def test_a_shift_that_is_right_balances() -> None:
    balance = drawn()
    assert (balance.ok, wrong(balance), balance.confirmed, balance.at_erp) == (True, {}, 5, 5)


def test_what_the_screen_confirmed_and_the_erp_never_got_is_lost() -> None:
    balance = drawn(bookings=BOOKINGS[:1] + BOOKINGS[2:])
    assert (balance.ok, wrong(balance), balance.at_erp) == (False, {"lost": 1}, 4)


def test_what_the_screen_confirmed_and_the_journal_does_not_have_is_lost() -> None:
    balance = drawn(confirmed={*CONFIRMED, "f99"})
    assert (balance.ok, wrong(balance)) == (False, {"lost": 1})
    known_to_the_erp = drawn(
        confirmed={*CONFIRMED, "f99"}, bookings=(*BOOKINGS, booked(row(99, "SignedOn", "person/p1")))
    )
    assert wrong(known_to_the_erp) == {"lost": 1}


def test_a_fact_that_the_erp_only_refused_is_lost() -> None:
    balance = drawn(bookings=(*BOOKINGS[:4], booked(JOURNAL[4], "refused")))
    assert (balance.ok, wrong(balance)) == (False, {"lost": 1})


def test_a_fact_that_was_booked_twice_is_double() -> None:
    balance = drawn(bookings=(*BOOKINGS, BOOKINGS[4], BOOKINGS[4]))
    assert balance.ok is False
    assert balance.double == 2


AGAIN = row(6, "MaterialProduced", quantity="3")
TWICE: dict[str, Any] = {
    "journal": (*JOURNAL, AGAIN), "bookings": (*BOOKINGS, booked(AGAIN)), "confirmed": {*CONFIRMED, "f6"},
    "orders": (order("J-1", "6", "1"), *ORDERS[1:]),
}  # fmt: skip


def test_one_report_that_became_two_facts_is_double_though_journal_screen_and_erp_agree() -> None:
    balance = drawn(**TWICE)
    assert (balance.ok, wrong(balance), balance.confirmed, balance.at_erp) == (False, {"double": 1}, 6, 6)
    assert drawn(**TWICE, entered=(*ENTERED, entry(AGAIN))).ok, "two reports of the same are two facts"


def test_what_was_never_answered_may_be_there_once_or_not_at_all() -> None:
    unseen = entry(AGAIN, answered=False)
    assert drawn(entered=(*ENTERED, unseen)).ok
    assert drawn(**TWICE, entered=(*ENTERED, unseen)).ok
    third = row(7, "MaterialProduced", quantity="3")
    thrice = drawn(
        (*JOURNAL, AGAIN, third), (*BOOKINGS, booked(AGAIN), booked(third)), (order("J-1", "9", "1"), *ORDERS[1:]),
        {*CONFIRMED, "f6", "f7"}, entered=(*ENTERED, unseen),
    )  # fmt: skip
    assert (thrice.ok, wrong(thrice)) == (False, {"double": 1})


def test_what_was_entered_and_is_in_no_book_is_missing_even_if_no_screen_gave_its_id() -> None:
    balance = drawn(entered=(*ENTERED, entry(row(6, "MaterialProduced", quantity="7"))))
    assert (balance.ok, wrong(balance)) == (False, {"missing": 1})


def test_the_words_say_the_verdict_and_where_entries_went_that_no_screen_called_saved() -> None:
    scan = row(6, "ScanRefused", "terminal/T1")
    right = drawn((*JOURNAL, scan), (*BOOKINGS, booked(scan)), entered=(*ENTERED, entry(scan)))
    assert right.words.startswith("RIGHT: ")
    assert "Entered were 6: 5 to be saved (sign-ons, starts, reports and picks), and 1 wrong scan on" in right.words
    assert "Confirmed as saved on a screen were 5, 5 of them are at the ERP." in right.words
    assert drawn(entered=(*ENTERED, entry(row(7, "MaterialProduced")))).words.startswith("WRONG: ")


@pytest.mark.parametrize("changed", [{"quantity": Fraction(4)}, {"about": "J-2"}, {"terminal": "T2"}], ids=str)
def test_what_was_recorded_otherwise_than_it_was_entered_is_missing_and_too_much(changed: dict[str, Any]) -> None:
    entered = (ENTERED[0], replace(ENTERED[1], **changed), *ENTERED[2:])
    balance = drawn(entered=entered)
    assert (balance.ok, wrong(balance)) == (False, {"missing": 1, "double": 1})


def test_what_no_person_entered_is_no_double() -> None:
    stop = replace_terminal(row(6, "DowntimeRecorded", "equipment/P"), "")
    assert drawn((*JOURNAL, stop), (*BOOKINGS, booked(stop))).ok


def test_facts_about_one_job_that_arrived_in_another_order_are_out_of_order() -> None:
    balance = drawn(bookings=(BOOKINGS[0], BOOKINGS[3], BOOKINGS[1], BOOKINGS[2], BOOKINGS[4]))
    assert (balance.ok, wrong(balance)) == (False, {"out_of_order": 1})


def test_the_order_between_two_jobs_does_not_count() -> None:
    balance = drawn(bookings=(BOOKINGS[2], BOOKINGS[4], BOOKINGS[0], BOOKINGS[1], BOOKINGS[3]))
    assert (balance.ok, wrong(balance)) == (True, {})


@pytest.mark.parametrize(
    "orders",
    [
        (order("J-1", "4", "1"), *ORDERS[1:]),
        (order("J-1", "3", "0"), *ORDERS[1:]),
        (ORDERS[0], order("SO-1", "0", "0", "2.5"), ORDERS[2]),
        (*ORDERS[:2], order("J-2", "1")),
    ],
    ids=["good", "scrap", "line", "an order nobody worked on"],
)
def test_other_quantities_at_the_erp_are_wrong_totals(orders: tuple[dict[str, Any], ...]) -> None:
    balance = drawn(orders=orders)
    assert (balance.ok, wrong(balance)) == (False, {"wrong_totals": 1})


def test_refused_facts_are_no_balance() -> None:
    assert (drawn(refused=2).ok, wrong(drawn(refused=2))) == (False, {"refused": 2})


@pytest.mark.parametrize(
    "changes", [{"work_reports": 29}, {"picks": 29}, {"confirmed": 0, "at_erp": 0}, {"at_erp": 4}], ids=str
)
def test_a_shift_in_which_too_little_happened_proves_nothing(changes: dict[str, int]) -> None:
    assert replace(drawn(), **changes).ok is False  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [{"kills": 2}, {"kills": 4}, {"kills": 2, "ends": 1}, {"ends": 1}, {"lost_replies": 0}, {"away_calls": 0},
     {"erp_away_seconds": 9.9}],
    ids=str,
)  # fmt: skip
def test_a_shift_that_was_not_disturbed_proves_nothing(changes: dict[str, Any]) -> None:
    assert drawn(done=replace(DONE, **changes)).ok is False
