"""Progress = what the ERP has booked + what it has not seen: never twice, and never less for long."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.planbook import Progress
from edge_agent.store import journal, parking, plans
from edge_agent.store.outbox import queue
from edge_agent.store.progress import last_reports, progress
from sync.contract import (
    AnyFact,
    Applied,
    Correction,
    DispatchStatus,
    Duplicate,
    Fact,
    JobCompleted,
    JobOrder,
    JobStarted,
    MaterialMoved,
    MaterialProduced,
    MaterialScrapped,
    MaterialShort,
    PlanPage,
    Receipt,
    Refused,
)  # fmt: skip
from sync.exceptions import ExceptionDecided
from tests.store.making import correction, empty, job, moved, page, produced, record, scrapped, short
from tests.support.manual_clock import START


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    conn = empty()
    yield conn
    conn.close()


def _take(conn: sqlite3.Connection, *jobs: JobOrder, as_of: int = 0) -> None:
    plans.take(conn, "erp", page(*jobs, as_of=as_of), START)


def test_a_job_without_a_plan_has_no_progress(conn: sqlite3.Connection) -> None:
    record(conn, produced("J1"))
    assert progress(conn, "J1") == Progress()


def test_what_the_plan_holds_is_not_counted_again(conn: sqlite3.Connection) -> None:
    record(conn, produced("J1", "5"), produced("J1", "7"), scrapped("J1", "1"), produced("J2", "100"))
    _take(conn, job("J1", good="5.5"), as_of=1)
    assert progress(conn, "J1") == Progress(good=Decimal("12.5"), scrap=Decimal(1))


def test_sums_are_exact_and_plain(conn: sqlite3.Connection) -> None:
    _take(conn, job("J1", good="999999990"))
    record(conn, *(produced("J1", "0.1") for _ in range(10)), produced("J1", "0.000001"))
    assert str(progress(conn, "J1").good) == "999999991.000001"
    record(conn, produced("J1", "8.999999"))
    assert str(progress(conn, "J1").good) == "1000000000"


def test_lines_and_shorts(conn: sqlite3.Connection) -> None:
    record(
        conn, moved(line="L1", quantity="2"), moved(line="L1", quantity="3"), short(line="L2", quantity="4")
    )
    _take(conn, job("J1", L1="2", L2="0", L3="9"), as_of=1)
    now = progress(conn, "J1")
    assert now.lines == {"L1": Decimal(5), "L2": Decimal(0), "L3": Decimal(9)}
    assert now.shorts == {"L2": Decimal(4)}
    _take(conn, job("J1", L1="5", L2="0", L3="9"), as_of=3)
    assert progress(conn, "J1") == now, "the ERP keeps no figure of what was short"


def test_started_and_completed_until_they_are_taken_back(conn: sqlite3.Connection) -> None:
    _take(conn, job("J1"))
    record(
        conn,
        JobStarted(about="J1", equipment="E1"),
        JobCompleted(about="J1", good=Decimal(1), scrap=Decimal(0)),
    )
    assert (progress(conn, "J1").started, progress(conn, "J1").completed) == (True, True)
    record(conn, correction("f2"))
    assert (progress(conn, "J1").started, progress(conn, "J1").completed) == (True, False)
    record(conn, correction("f1"))
    assert not progress(conn, "J1").started


def test_the_office_may_open_a_completed_job_again(conn: sqlite3.Connection) -> None:
    record(conn, JobCompleted(about="J1", good=Decimal(1), scrap=Decimal(0)))
    closed = msgspec.structs.replace(job("J1"), dispatch_status=DispatchStatus.COMPLETED)
    _take(conn, closed, as_of=1)
    assert progress(conn, "J1").completed
    _take(conn, job("J1"), as_of=1)
    assert not progress(conn, "J1").completed


def test_reports_that_can_be_taken_back(conn: sqlite3.Connection) -> None:
    record(conn, produced("J1", "1"), scrapped("J1", "2"), moved("J1"), produced("J2"))
    record(conn, produced("J1", "3"), terminal="T2")
    record(conn, correction("f2"))
    assert last_reports(conn, "J1") == (("f5", produced("J1", "3")), ("f1", produced("J1", "1")))
    assert last_reports(conn, "J1", limit=1) == (("f5", produced("J1", "3")),)
    assert last_reports(conn, "J1", terminal="T1") == (("f1", produced("J1", "1")),)
    assert last_reports(conn, "J1", person="somebody else") == ()


def _refused(conn: sqlite3.Connection) -> None:
    """One report of 5 that the ERP has decided, and not booked."""
    record(conn, produced("J1", "5"))
    _take(conn, job("J1"))
    parking.settle(conn, "erp", [Refused("f1", "closed_order", "closed")], START)
    _take(conn, job("J1"), as_of=1)


def _good(conn: sqlite3.Connection) -> Decimal:
    return progress(conn, "J1").good


def test_a_refused_report_counts_here_although_the_erp_has_decided_it(conn: sqlite3.Connection) -> None:
    _refused(conn)
    assert _good(conn) == 5
    plans.take(conn, "warehouse", page(job("J1"), as_of=1), START)
    assert _good(conn) == 0, "what another connector parked says nothing about this plan"


def test_what_waits_behind_a_refused_report_counts_although_later_facts_were_decided(
    conn: sqlite3.Connection,
) -> None:
    _take(conn, job("J1"))
    record(conn, produced("J1", "5"), produced("J1", "2"), produced("J2", "1"))
    parking.settle(conn, "erp", [Refused("f1", "closed_order", "closed"), Applied("f3", "B")], START)
    _take(conn, job("J1"), as_of=3)
    assert _good(conn) == 7


def test_a_report_that_went_again_counts_until_the_plan_holds_it(conn: sqlite3.Connection) -> None:
    _refused(conn)
    parking.resend(conn, "erp", 1)
    assert _good(conn) == 5
    parking.settle(conn, "erp", [Applied("f1", "B")], START)
    assert _good(conn) == 5, "booked, and not in the plan that we have"
    _take(conn, job("J1", good="5"), as_of=1)
    assert _good(conn) == 5


def test_a_plan_that_comes_before_the_answer_counts_nothing_twice(conn: sqlite3.Connection) -> None:
    _refused(conn)
    parking.resend(conn, "erp", 1)
    _take(conn, job("J1", good="5"), as_of=1)
    assert _good(conn) == 5
    parking.settle(conn, "erp", [Applied("f1", "B")], START)
    assert _good(conn) == 5
    assert conn.execute("SELECT count(*) FROM parked").fetchone() == (0,)


def test_a_plan_that_comes_before_the_answer_loses_nothing_when_it_is_refused_again(
    conn: sqlite3.Connection,
) -> None:
    _refused(conn)
    parking.resend(conn, "erp", 1)
    _take(conn, job("J1"), as_of=1)
    parking.settle(conn, "erp", [Refused("f1", "closed_order", "closed")], START)
    assert _good(conn) == 5


def test_what_a_mended_database_had_forgotten_is_not_counted_again(conn: sqlite3.Connection) -> None:
    """The ERP has taken the first report corrected and booked the second, and has told it; it tells nothing anew."""
    decision = ExceptionDecided(about="exception/f1", exception="f1", choice="correct", job="J1")
    record(conn, produced("J1", "5"), produced("J1", "3"), decision)
    conn.execute("INSERT INTO incident VALUES ('2026-01-05T06:00:00+00:00', 'a test', 'kept', 3, '[]')")
    _take(conn, job("J1", good="3"), as_of=3)
    parking.settle(conn, "erp", [Refused("f1", "key_reused", "another")], START)
    parking.settle(conn, "erp", [Duplicate("f3", "B")], START)
    parking.settle(conn, "erp", [Duplicate("f2", "B")], START)
    assert _good(conn) == 3


# ---------------------------------------------------------------- any interleaving

JOBS = ("J1", "J2")
LINES = ("L1", "L2")


@dataclass
class _Erp:
    """An ERP that books each fact once and refuses the jobs that are closed. `decided` is the highest seq."""

    booked: dict[str, Fact] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    decided: int = 0

    def answer(self, fact: Fact) -> Receipt:
        self.decided = max(self.decided, fact.seq)
        if fact.id in self.booked:
            return Duplicate(fact.id, "B")
        if fact.body.about in self.closed:
            return Refused(fact.id, "closed_order", "closed")
        self.booked[fact.id] = fact
        return Applied(fact.id, "B")

    def page(self) -> PlanPage:
        figures = _sums(self.booked.values())
        return page(
            *(
                job(
                    id,
                    str(figures[id, "good"]),
                    str(figures[id, "scrap"]),
                    **{li: str(figures[id, li]) for li in LINES},
                )
                for id in JOBS
            ),
            as_of=self.decided,
        )


def _sums(facts: object) -> dict[tuple[str, str], Decimal]:
    """Good, scrap and moved quantities by job, corrections taken off, in plain Python."""
    assert hasattr(facts, "__iter__")
    kept: dict[str, Fact] = {}
    for fact in facts:
        kept[fact.id] = fact
    gone = {fact.body.corrects for fact in kept.values() if isinstance(fact.body, Correction)}
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for fact in kept.values():
        if fact.id in gone:
            continue
        match fact.body:
            case MaterialProduced(about=about, quantity=quantity):
                sums[about, "good"] += quantity
            case MaterialScrapped(about=about, quantity=quantity):
                sums[about, "scrap"] += quantity
            case MaterialMoved(about=about, requirement=line, quantity=quantity):
                sums[about, line] += quantity
            case MaterialShort(about=about, requirement=line, quantity=quantity):
                sums[about, "short " + line] += quantity
    return sums


class _World:
    """One floor, one ERP, and everything that may happen between them."""

    def __init__(self) -> None:
        self.conn = empty()
        self.erp = _Erp()
        self.waiting_page: PlanPage | None = None
        self.unanswered: set[str] = set()  # decided by the ERP, the answer is lost
        self.page_is_old = False
        self.sent_again: set[str] = set()
        self.behind: set[str] = set()  # jobs sent again whose plan may lag behind the answers
        plans.take(self.conn, "erp", self.erp.page(), START)

    def report(self, body: AnyFact) -> None:
        record(self.conn, body)

    def correct(self, about: str) -> None:
        if reports := last_reports(self.conn, about):
            record(self.conn, correction(reports[-1][0], about))

    def deliver(self, limit: int, reply_lost: bool = False) -> None:
        if parking.must_hold(self.conn, "erp"):
            parking.hold(self.conn, "erp", START)
        self.page_is_old = True
        facts = parking.pending(self.conn, "erp", limit)
        assert [fact.seq for fact in facts] == sorted(fact.seq for fact in facts)
        receipts: list[Receipt] = []
        refused: set[str] = set()
        for fact in facts:
            if fact.body.about in refused:
                continue  # held back by the ERP: no decision
            receipts.append(self.erp.answer(fact))
            if isinstance(receipts[-1], Refused):
                refused.add(fact.body.about)
        if reply_lost:
            self.unanswered.update(receipt.fact for receipt in receipts)
        else:
            parking.settle(self.conn, "erp", receipts, START)
            self.unanswered.difference_update(receipt.fact for receipt in receipts)

    def resend(self) -> None:
        first = "SELECT min(seq) FROM parked WHERE state = 'refused' GROUP BY about"
        for (seq,) in self.conn.execute(first).fetchall():
            self.sent_again.add(journal.facts(self.conn, seq - 1, 1)[0].body.about)
            parking.resend(self.conn, "erp", seq)
            self.page_is_old = True

    def read_page(self) -> None:
        self.waiting_page = self.erp.page()
        self.page_is_old = False

    def take_page(self) -> None:
        if self.waiting_page is None:
            return
        again = "SELECT DISTINCT about FROM parked WHERE state IN ('retry', 'unsure')"
        on_their_way = {about for (about,) in self.conn.execute(again)}
        plans.take(self.conn, "erp", self.waiting_page, START)
        self.waiting_page = None
        self.behind = self.sent_again if self.page_is_old else self.sent_again & on_their_way

    def check(self) -> None:
        """Exactly the truth, but where an answer is on its way: there, never more than the truth."""
        facts = journal.facts(self.conn, 0, 10_000)
        truth = _sums(facts)
        for about in JOBS:
            now = progress(self.conn, about)
            shown = {"good": now.good, "scrap": now.scrap, **now.lines}
            for name, quantity in shown.items():
                if not self.unanswered and about not in self.behind:
                    assert quantity == truth[about, name], (about, name)
                elif not any(isinstance(f.body, Correction) for f in facts if f.body.about == about):
                    assert quantity <= truth[about, name], (about, name)
            assert now.shorts == {li: q for li in LINES if (q := truth[about, "short " + li])}
        self.check_queue(facts)

    def check_queue(self, facts: tuple[Fact, ...]) -> None:
        state = queue(self.conn, "erp")
        unsent = parking.pending(self.conn, "erp", 10_000)
        assert state.safe_seq == len(facts)
        for fact in facts:
            if fact.seq <= state.delivered_seq and fact.seq not in state.parked:
                assert fact.id in self.erp.booked, "nothing looks delivered that is not"
        if not parking.must_hold(self.conn, "erp"):
            assert state.unsent == len(unsent)

    def settle_down(self) -> None:
        """All orders open, all facts sent: the ERP has each once, and the floor shows its figures."""
        self.erp.closed.clear()
        for _ in range(200):
            self.resend()
            self.deliver(50)
            if not parking.pending(self.conn, "erp", 1) and queue(self.conn, "erp").parked_count == 0:
                break
        self.read_page()
        self.take_page()
        facts = journal.facts(self.conn, 0, 10_000)
        assert set(self.erp.booked) == {fact.id for fact in facts}
        self.check()
        assert self.conn.execute("SELECT count(*) FROM parked").fetchone() == (0,)
        assert queue(self.conn, "erp").delivered_seq == len(facts)
        assert journal.verify(self.conn) is None


_quantity = st.integers(1, 5_000_000).map(lambda n: f"{Decimal(n) / 1_000_000:f}")
_about = st.sampled_from(JOBS)
_line = st.sampled_from(LINES)
_events = st.one_of(
    st.builds(produced, _about, _quantity),
    st.builds(scrapped, _about, _quantity),
    st.builds(moved, _about, _line, _quantity),
    st.builds(short, _about, _line, _quantity),
    st.tuples(st.just("correct"), _about),
    st.tuples(st.just("deliver"), st.integers(1, 6)),
    st.tuples(st.just("reply lost"), st.integers(1, 6)),
    st.tuples(st.sampled_from(["close", "refuse", "open"]), _about),
    st.sampled_from([("resend", ""), ("read page", ""), ("take page", ""), ("pull", "")]),
)


@settings(max_examples=200)
@given(st.lists(_events, min_size=5, max_size=40))
def test_progress_is_a_recount_whatever_happens_in_whatever_order(events: list[object]) -> None:
    world = _World()
    for event in events:
        match event:
            case ("correct", str(about)):
                world.correct(about)
            case ("deliver", int(limit)):
                world.deliver(limit)
            case ("reply lost", int(limit)):
                world.deliver(limit, reply_lost=True)
            case ("close", str(about)):
                world.erp.closed.add(about)
            case ("refuse", str(about)):
                world.erp.closed.add(about)
                world.report(produced(about))
                world.deliver(6)
            case ("open", str(about)):
                world.erp.closed.discard(about)
            case ("resend", _):
                world.resend()
            case ("read page", _):
                world.read_page()
            case ("take page", _):
                world.take_page()
            case ("pull", _):
                world.read_page()
                world.take_page()
            case MaterialProduced() | MaterialScrapped() | MaterialMoved() | MaterialShort():
                world.report(event)
            case _:
                raise AssertionError(event)
        world.check()
    world.settle_down()
    world.conn.close()
