from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sync.contract import (
    AnyFact,
    DispatchStatus,
    JobCompleted,
    MaterialMoved,
    MaterialScrapped,
    MaterialShort,
    WorkType,
)
from sync.reference_rules import CLOSED, Account, No, book, most, replan, unbook
from tests.sync.plant import good, order, pick

quantities = st.decimals("0.000001", "1000", places=6)


def scrap(quantity: Decimal) -> MaterialScrapped:
    return MaterialScrapped(
        about="W1", material="HOUSING", quantity=quantity, uom="pc", equipment="saw-1", reason="crack"
    )


def move(line: str, quantity: Decimal) -> MaterialMoved:
    return MaterialMoved(
        about="P1", requirement=line, material="SCREW", lot=None, quantity=quantity, uom="pc",
        source="A-01", destination="CART-1",
    )  # fmt: skip


def short(line: str, quantity: Decimal) -> MaterialShort:
    return MaterialShort(
        about="P1", requirement=line, material="SCREW", lot=None, quantity=quantity, uom="pc",
        source="A-01", reason="empty",
    )  # fmt: skip


reports = st.one_of(
    quantities.map(lambda q: good(quantity=str(q))),
    quantities.map(scrap),
    st.just(JobCompleted(about="W1", good=Decimal(0), scrap=Decimal(0))),
)
lines = st.sampled_from(["L1", "L2", "L3", "L9"])
picks = st.one_of(st.builds(move, lines, quantities), st.builds(short, lines, quantities))


def booked_all(account: Account, bodies: list[AnyFact]) -> tuple[Account, list[tuple[str, AnyFact]]]:
    """The account after these facts, and those of them that were booked."""
    taken = []
    for number, body in enumerate(bodies):
        after = book(account, f"f{number}", body)
        if not isinstance(after, No):
            account = after
            taken.append((f"f{number}", body))
    return account, taken


@given(st.lists(reports, max_size=12), st.decimals("0", "50", places=0))
def test_an_order_never_takes_more_than_it_may(bodies: list[AnyFact], over: Decimal) -> None:
    account, taken = booked_all(Account(order=order("W1", Decimal(1000), over_percent=over)), bodies)
    assert account.order.good + account.order.scrap <= most(account.order)
    assert account.order.good == sum(b.quantity for _, b in taken if type(b) is type(good()))


@given(st.lists(reports, max_size=12))
def test_nothing_is_booked_on_a_completed_order(bodies: list[AnyFact]) -> None:
    _, taken = booked_all(Account(order=order("W1")), bodies)
    ends = [number for number, (_, body) in enumerate(taken) if isinstance(body, JobCompleted)]
    assert ends in ([], [len(taken) - 1])


@given(st.lists(reports, max_size=12) | st.lists(picks, max_size=12))
def test_corrections_undo_to_the_last_piece(bodies: list[AnyFact]) -> None:
    start = Account(order=pick("P1", 30, 400, 5) if bodies and bodies[0].about == "P1" else order("W1"))
    account, taken = booked_all(start, bodies)
    for id, body in reversed(taken):
        account = unbook(account, id, body)
    assert account == start


@given(st.lists(picks, max_size=15))
def test_a_pick_list_is_complete_exactly_when_every_line_is_done_or_short(bodies: list[AnyFact]) -> None:
    account, _ = booked_all(Account(order=pick("P1", 3, 100)), bodies)
    settled = all(
        line.done >= line.quantity or line.id in account.short for line in account.order.requirements
    )
    assert (account.order.dispatch_status is DispatchStatus.COMPLETED) == settled
    assert all(0 <= line.done <= line.quantity for line in account.order.requirements)


@given(st.lists(picks, max_size=8))
def test_a_new_plan_keeps_what_was_booked(bodies: list[AnyFact]) -> None:
    account, _ = booked_all(Account(order=pick("P1", 30, 100)), bodies)
    anew = replan(account, pick("P1", 40, 100, 7))
    assert [line.done for line in anew.order.requirements] == [
        *(line.done for line in account.order.requirements), 0,
    ]  # fmt: skip
    assert [line.quantity for line in anew.order.requirements] == [40, 100, 7]
    assert anew.short == account.short


@given(st.sampled_from(CLOSED), reports)
def test_an_order_that_the_office_closed_takes_nothing(status: DispatchStatus, body: AnyFact) -> None:
    refused = book(Account(order=order("W1", dispatch_status=status)), "f", body)
    assert isinstance(refused, No)
    assert refused.code == "closed_order"


def test_correcting_the_last_line_opens_a_pick_list_again() -> None:
    start = Account(order=pick("P1", 2))
    body = move("L1", Decimal(2))
    done = book(start, "f1", body)
    assert isinstance(done, Account)
    assert done.order.dispatch_status is DispatchStatus.COMPLETED
    assert unbook(done, "f1", body) == start


def test_what_the_office_closed_is_not_opened_by_a_correction() -> None:
    body = good()
    booked = book(Account(order=order("W1")), "f1", body)
    assert isinstance(booked, Account)
    closed = Account(order=order("W1", good=Decimal(1), dispatch_status=DispatchStatus.CANCELLED))
    assert unbook(closed, "f1", body).order.dispatch_status is DispatchStatus.CANCELLED


def test_a_refusal_says_what_would_have_fitted() -> None:
    refused = book(Account(order=order("W1", Decimal(100), over_percent=Decimal(5))), "f", good(quantity=106))
    assert refused == No("over_quantity", "Order W1 takes 105 pc; this would make 106.")


def test_a_production_order_without_lines_is_not_completed_by_them() -> None:
    account = book(Account(order=order("W1", work_type=WorkType.PRODUCTION)), "f", good())
    assert isinstance(account, Account)
    assert account.order.dispatch_status is DispatchStatus.RELEASED
