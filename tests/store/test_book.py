"""The book of plans: changed page by page it is the book that all plans together make."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.planbook import PlanBook
from edge_agent.store import parking, plans
from edge_agent.store.plans import load_book
from edge_agent.store.progress import ProgressOf, progress, progress_of
from sync.contract import (
    AnyPlan,
    DispatchStatus,
    HandlingUnit,
    JobOrder,
    MaterialDefinition,
    MaterialLot,
    Person,
    PlanKey,
    PlanPage,
    Reason,
    Refused,
    Stock,
    StorageUnit,
    WorkType,
)
from tests.store.making import empty, job, moved, page, produced, record, short
from tests.support.manual_clock import START

few = st.sampled_from("ABC")


def plan(kind: type, **fields: Any) -> st.SearchStrategy[Any]:
    """Plans of a kind with ids and values that meet often."""
    return st.builds(kind, id=few, **fields)


any_plan: st.SearchStrategy[AnyPlan] = st.one_of(
    plan(Person, name=few, badge=few),
    plan(MaterialDefinition, description=few, gtin=st.none() | few),
    plan(MaterialLot, material=few),
    plan(StorageUnit, zone=few),
    plan(HandlingUnit, description=few),
    plan(Stock, location=few, material=few, quantity=st.just(Decimal(1))),
    plan(Reason, purpose=few, number=st.integers(1, 2), text=few),
    plan(
        JobOrder, description=few, work_type=st.sampled_from(list(WorkType)),
        dispatch_status=st.sampled_from(list(DispatchStatus)), sequence=st.integers(0, 2), equipment=few,
    ),
)  # fmt: skip
any_key = st.builds(
    PlanKey, st.sampled_from(["Person", "MaterialLot", "Stock", "JobOrder", "Reason", "Nothing"]), few
)
any_page = st.builds(
    PlanPage, cursor=st.just("c"), as_of_seq=st.just(0), plans=st.lists(any_plan, max_size=6).map(tuple),
    withdrawn=st.lists(any_key, max_size=3).map(tuple), more=st.booleans(), reset=st.booleans(),
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(["erp", "warehouse"]), any_page), max_size=6))
def test_changed_page_by_page_it_is_the_book_that_is_read_at_the_next_start(
    pages: list[tuple[str, PlanPage]],
) -> None:
    conn, book = empty(), PlanBook()
    for connector, each in pages:
        before = msgspec.json.encode(list(book.jobs.values()))
        gone = plans.take(conn, connector, each, START)
        after = book.with_changes(each.plans, gone)
        assert msgspec.json.encode(list(book.jobs.values())) == before, "a book never changes"
        book = after
    read = load_book(conn)
    assert book == read
    assert list(book.jobs) == list(read.jobs) == sorted(book.jobs)
    assert book.open_jobs == read.open_jobs
    conn.close()


def test_what_did_not_change_is_shared() -> None:
    book = PlanBook.of([StorageUnit(id="A", zone="Z"), job("J1"), Stock(
        id="S", location="A", material="M", quantity=Decimal(1)
    )])  # fmt: skip
    after = book.with_changes([job("J1", good="5")])
    assert after.jobs["J1"].good == 5
    assert after.locations is book.locations
    assert after.stock is book.stock


def test_the_jobs_of_a_list_are_those_of_its_kind_and_place() -> None:
    def at(id: str, equipment: str, work_type: WorkType = WorkType.PRODUCTION) -> JobOrder:
        return msgspec.structs.replace(job(id), equipment=equipment, work_type=work_type)

    picks = (at("P1", "E1", WorkType.INVENTORY), at("P2", "E2", WorkType.INVENTORY))
    book = PlanBook.of([at("J1", "E1"), at("J2", "E2"), at("J3", ""), *picks])
    assert book.listed_with("J1", "E1") == ("J1", "J3")
    assert book.listed_with("J2", "E1") == ("J2", "J1", "J3")
    assert book.listed_with("P1", "E1") == ("P1", "P2")
    assert book.listed_with("gone", "E1") == ("gone",)


def several(conn: sqlite3.Connection) -> list[str]:
    """Jobs of every kind of progress."""
    plans.take(conn, "erp", page(job("J1", good="5"), job("J2", L1="1", L2="0"), job("J3"), job("J4")), START)
    record(conn, produced("J1"), moved("J2"), short("J2", "L2"), produced("J3", "7"), produced("none"))
    parking.settle(conn, "erp", [Refused("f4", "closed_order", "closed")], START)
    plans.take(conn, "erp", page(job("J3"), as_of=5), START)
    return ["J1", "J2", "J3", "J4", "none", "J1"]


def test_the_progress_of_many_jobs_is_that_of_each() -> None:
    conn = empty()
    jobs = several(conn)
    together = progress_of(conn, jobs)
    assert together == {each: progress(conn, each) for each in jobs}
    assert [together[each].good for each in ("J1", "J3", "none")] == [10, 7, 0]
    assert together["J2"].lines == {"L1": 3, "L2": 0}
    many = progress_of(conn, [*(f"X{number}" for number in range(1200)), "J3"])
    assert len(many) == 1201
    assert many["J3"].good == 7
    conn.close()


def test_a_list_is_read_in_one_query_and_one_job_alone() -> None:
    conn = empty()
    jobs = several(conn)
    asked: list[str] = []
    conn.set_trace_callback(asked.append)
    look = ProgressOf(conn, lambda job: jobs)
    assert look(jobs[0]).good == 10
    assert len(asked) == 1
    for each in jobs:
        look(each)
    assert len(asked) == 2
    conn.close()
