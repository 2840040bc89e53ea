"""What is in doubt, and what comes of each decision: here and in the books of an ERP."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.doubts import Doubt, answered
from edge_agent.store import StoreError, journal, parking, plans
from edge_agent.store.doubts import carry_out, doubts, open_doubts
from edge_agent.store.journal import Entry
from edge_agent.store.progress import progress
from sync.answers import decisions
from sync.contract import AnyFact, DispatchStatus, Fact, FactLost, JobOrder, MaterialDefinition, Person
from sync.exceptions import Choice
from sync.machine_facts import MachineWriteFinished
from sync.reference_books import Books
from tests.store.making import empty, job, produced, record, scrapped
from tests.support.manual_clock import START

PEOPLE = (Person(id="P1", name="Ana", badge="1"), Person(id="P2", name="Bo", badge="2", roles=("lead",)))
JOBS = ("J1", "J2")


class Office:
    """A journal with one connector, and the books that it reports to."""

    def __init__(self) -> None:
        self.conn = empty()
        self.books = Books(Path(":memory:"), lambda: START)
        self.books.put([*PEOPLE, MaterialDefinition(id="M1", description="Housing"), *map(job, JOBS)])
        self.cursor: str | None = None

    @contextmanager
    def step(self) -> Iterator[sqlite3.Connection]:
        self.conn.execute("BEGIN IMMEDIATE")
        yield self.conn
        self.conn.execute("COMMIT")

    def report(self, *bodies: AnyFact) -> list[str]:
        with self.step() as conn:
            return [fact.id for fact in record(conn, *bodies)]

    def send(self, limit: int = 100) -> int:
        """One push; how many facts were in it. None goes that stands behind a refused one."""
        with self.step() as conn:
            if parking.must_hold(conn, "erp"):
                parking.hold(conn, "erp", START)
            facts = parking.pending(conn, "erp", limit)
            parking.settle(conn, "erp", decisions(self.books.push(facts)), START)
        return len(facts)

    def send_all(self) -> None:
        while self.send():
            pass

    def pull(self) -> None:
        with self.step() as conn:
            page = self.books.pull("agent-1", self.cursor)
            plans.take(conn, "erp", page, START)
        self.cursor = page.cursor

    def decide(self, doubt: Doubt, *facts: AnyFact) -> None:
        with self.step() as conn:
            first = journal.last_seq(conn) + 1
            entries = [Entry(f"f{first + n}", body) for n, body in enumerate(facts)]
            told = journal.append(conn, "agent-1", entries, START, START, True, "T1", "P1")
            carry_out(conn, told)

    def order(self, id: str) -> JobOrder:
        return next(each.order for each in self.books.orders().orders if each.order.id == id)

    def limit(self, id: str, quantity: int) -> None:
        """The office changes how many pieces it takes."""
        self.books.put([msgspec.structs.replace(job(id), quantity=Decimal(quantity))])

    def booked(self, about: str) -> list[int]:
        """The seqs about a job that were booked and not taken back, in the order of their arrival."""
        rows = self.books.bookings("agent-1")
        return [each.seq for each in rows if each.about == about and each.outcome == "applied" and not each.undone]


@pytest.fixture
def office() -> Office:
    office = Office()
    office.pull()
    return office


def refused(office: Office) -> Doubt:
    """Too many pieces of J1, with two reports behind, and one of another job that flows."""
    office.report(produced(quantity="500"), produced(quantity="3"), scrapped(), produced("J2", "7"))
    office.send_all()
    office.limit("J1", 99)
    office.pull()  # the figures of the plan hold none of these
    (doubt,) = doubts(office.conn)
    return doubt


def good(office: Office, id: str = "J1") -> tuple[float, float]:
    """Good pieces here, and at the office."""
    return float(progress(office.conn, id).good), float(office.order(id).good)


def test_a_refused_fact_stands_with_the_words_of_the_erp_and_what_it_holds_back(office: Office) -> None:
    doubt = refused(office)
    assert (doubt.kind, doubt.code, doubt.held, doubt.waits_for) == ("refused", "over_quantity", (2, 3), 0)
    assert "takes 100" in doubt.reason
    assert doubt.fact is not None
    assert doubt.fact.seq == 1
    assert open_doubts(office.conn) == 1
    assert good(office) == (503, 0)
    assert good(office, "J2") == (7, 7)


def test_a_correction_settles_the_refused_fact_and_its_job_goes_on_in_order(office: Office) -> None:
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "correct", second="P2", instead=Decimal(50)))
    assert good(office) == (53, 0)
    (waiting,) = doubts(office.conn)
    assert (waiting.corrected, waiting.choices) == (True, ())
    assert office.send(1) == 1  # the decision alone
    assert good(office) == (53, 0)
    while office.send(1):
        office.pull()
        assert good(office)[0] in (53, 50, 3, 0)  # never the wrong 500 again, never twice
    office.pull()
    assert good(office) == (53, 53)
    assert doubts(office.conn) == ()
    # The decision first, then what waited, then what stands in its place: as they were recorded.
    assert office.booked("exception/f1") == [7]
    assert office.booked("J1") == [2, 3, 5, 6]
    assert office.conn.execute("SELECT count(*) FROM parked").fetchone() == (0,)
    assert [fact.id for fact in journal.facts(office.conn, 0, 1)] == ["f1"], "nothing is deleted"


def test_a_correction_can_say_that_nothing_happened_or_that_it_was_another_job(office: Office) -> None:
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "correct", instead=Decimal(60), job="J2"))
    office.send_all()
    office.pull()
    assert (good(office), good(office, "J2")) == ((3, 3), (67, 67))
    office.limit("J1", 3)
    office.report(produced(quantity="9"))
    office.send_all()
    (other,) = doubts(office.conn)
    office.decide(other, *answered(other, "correct"))
    office.send_all()
    office.pull()
    assert good(office) == (3, 3)
    assert doubts(office.conn) == ()


def test_a_fact_that_is_sent_again_is_booked_once_the_office_lets_it(office: Office) -> None:
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "resend"))
    office.send_all()
    (again,) = doubts(office.conn)
    assert again.attempts == doubt.attempts + 1
    assert again.decided is not None
    assert again.decided.choice == "resend"
    office.limit("J1", 600)
    office.decide(again, *answered(again, "resend"))
    office.send_all()
    office.pull()
    assert good(office) == (503, 503)
    assert doubts(office.conn) == ()
    assert office.booked("J1") == [1, 2, 3]


def test_what_is_handed_over_stays_until_somebody_answers(office: Office) -> None:
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "hand_over", note="the planner"))
    office.send_all()
    (handed,) = doubts(office.conn)
    assert handed.handed_over
    assert handed.decided is not None
    assert (handed.decided.note, handed.decided.person) == ("the planner", "P1")
    assert open_doubts(office.conn) == 1
    view = office.books.orders().exceptions[0]
    assert (view.open, view.choice, view.note) == (True, "hand_over", "the planner")
    office.decide(handed, *answered(handed, "correct"))
    office.send_all()
    assert doubts(office.conn) == ()
    assert not office.books.orders().exceptions[0].open


def test_a_decision_that_the_erp_does_not_take_is_in_doubt_itself_and_lets_nothing_go(office: Office) -> None:
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "correct", second="nobody", instead=Decimal(5)))
    office.send_all()
    told = {each.key: each for each in doubts(office.conn)}
    assert set(told) == {"f1", "f7"}
    assert (told["f7"].code, told["f7"].choices) == ("unknown_person", ("resend", "hand_over", "acknowledge"))
    assert office.booked("J1") == []
    office.books.put([Person(id="nobody", name="Somebody", badge="9")])
    office.decide(told["f7"], *answered(told["f7"], "resend"))
    office.send_all()
    office.pull()
    assert good(office) == (8, 8)
    assert doubts(office.conn) == ()


def test_a_second_refused_fact_of_a_job_waits_for_the_first(office: Office) -> None:
    office.report(produced(quantity="60"), produced(quantity="61"))
    office.limit("J1", 50)
    office.send(1)
    with office.step() as conn:  # as it is when the first was sent again and the second refused then
        conn.execute("UPDATE parked SET state = 'refused', held_back_by = NULL")
    office.send_all()
    with office.step() as conn:
        conn.execute("UPDATE parked SET state = 'refused', held_back_by = NULL, code = 'over_quantity'")
    first, second = doubts(office.conn)
    assert (second.waits_for, second.choices) == (1, ("hand_over",))
    office.decide(first, *answered(first, "correct"))
    office.send_all()
    (left,) = doubts(office.conn)
    assert (left.key, left.waits_for) == ("f2", 0)
    office.decide(left, *answered(left, "correct", instead=Decimal(40)))
    office.send_all()
    office.pull()
    assert good(office) == (40, 40)
    assert doubts(office.conn) == ()


def test_a_corrected_fact_that_comes_again_is_settled_and_not_booked(office: Office) -> None:
    """After a database was mended, everything is sent again."""
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "correct", instead=Decimal(50)))
    office.send_all()
    with office.step() as conn:
        for table in ("delivered", "parked", "pulled", "plan"):
            conn.execute(f"DELETE FROM {table}")
    office.cursor = None
    assert {type(each).__name__ for each in office.books.ask(["f1"])} == {"Duplicate"}
    office.send_all()
    office.pull()
    assert good(office) == (53, 53)
    assert doubts(office.conn) == ()


def test_what_an_id_stands_for_elsewhere_is_not_taken_back_there(office: Office) -> None:
    (fact,) = journal.facts(office.conn, 0, 1) or record(office.conn, produced(quantity="4"))
    other = msgspec.structs.replace(fact, agent="agent-2", body=produced("J1", "9"))
    office.books.push([other])
    office.send_all()
    (doubt,) = doubts(office.conn)
    assert (doubt.code, doubt.conflict) == ("key_reused", True)
    office.decide(doubt, *answered(doubt, "correct", instead=Decimal(4)))
    office.send_all()
    office.pull()
    assert good(office) == (13, 13)
    assert doubts(office.conn) == ()


def test_what_else_is_in_doubt_stays_until_it_is_acknowledged(office: Office) -> None:
    write = MachineWriteFinished(
        about="device/plc", request="r", device="plc", item="speed", value=3, outcome="doubtful", reason="No answer."
    )
    written = msgspec.structs.replace(write, request="s", outcome="written")
    office.report(FactLost(about="journal/agent-1"), write, written)
    with office.step() as conn:
        entries = [Entry(id, produced()) for id in ("f4", "f5")]
        journal.append(conn, "agent-1", entries, START, START, False, "T1", "P1")
        conn.execute("INSERT INTO incident VALUES (?, 'One bit.', 'damaged/x', 7, '[3]')", (START.isoformat(),))
    office.send_all()
    found = {each.kind: each for each in doubts(office.conn)}
    assert {kind: each.key for kind, each in found.items()} == {
        "lost": "f1", "write": "f2", "clock": "clock/4", "incident": f"incident/{START.isoformat()}",
    }  # fmt: skip
    assert (found["clock"].seq, found["clock"].last, found["clock"].facts) == (4, 5, 2)
    assert found["incident"].lost == (3,)
    assert all(each.choices == ("acknowledge", "hand_over") for each in found.values())
    for left, each in enumerate(found.values(), 1):
        office.decide(each, *answered(each, "hand_over", note="maintenance"))
        assert open_doubts(office.conn) == len(doubts(office.conn)) == len(found) + 1 - left
        office.decide(each, *answered(each, "acknowledge"))
    assert (doubts(office.conn), open_doubts(office.conn)) == ((), 0)
    office.send_all()
    assert {each.open for each in office.books.orders().exceptions} == {False}


def test_nobody_confirms_their_own_decision(office: Office) -> None:
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "correct", second="P1"))
    office.send_all()
    assert {each.code for each in doubts(office.conn)} == {"over_quantity", "same_person"}


def test_resending_what_is_not_refused_is_told(office: Office) -> None:
    office.report(produced())
    office.send_all()
    with pytest.raises(StoreError), office.step() as conn:
        parking.resend(conn, "erp", 1)
    office.conn.execute("ROLLBACK")


ACTS = st.sampled_from(("report", "report", "send", "send", "pull", "correct", "resend", "elsewhere", "close", "open"))


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTS, min_size=5, max_size=50), st.integers(0, 2**32))
def test_whatever_is_refused_and_decided_the_floor_and_the_office_agree_in_the_end(acts: list[str], seed: int) -> None:
    office, dice = Office(), Random(seed)
    office.pull()
    for act in acts:
        match act:
            case "report":
                kind = dice.choice((produced, scrapped))
                office.report(kind(dice.choice(JOBS), str(dice.randint(1, 60))))
            case "send":
                office.send(dice.randint(1, 4))
            case "pull":
                office.pull()
            case "close" | "open":
                status = DispatchStatus.HELD if act == "close" else DispatchStatus.RELEASED
                office.books.put([msgspec.structs.replace(job(dice.choice(JOBS)), dispatch_status=status)])
            case _:
                decide_one(office, dice, act)
    for id in JOBS:
        office.limit(id, 100_000)
    while office.send() or [each for each in doubts(office.conn) if "resend" in each.choices]:
        decide_one(office, dice, "resend")
    office.pull()
    for id in JOBS:
        mine, theirs = progress(office.conn, id), office.order(id)
        assert (mine.good, mine.scrap) == (theirs.good, theirs.scrap)
        assert office.booked(id) == sorted(office.booked(id))
    assert doubts(office.conn) == ()
    reports = [each for each in journal.facts(office.conn, 0, 1000) if each.body.about in JOBS]
    corrected = {getattr(each.body, "corrects", "") for each in reports}
    stand = {each.seq for each in reports if each.id not in corrected and not hasattr(each.body, "corrects")}
    booked = {seq for id in JOBS for seq in office.booked(id)}
    assert {seq for seq in booked if not hasattr(by_seq(reports, seq), "corrects")} == stand


def by_seq(facts: list[Fact], seq: int) -> AnyFact:
    return next(each.body for each in facts if each.seq == seq)


def decide_one(office: Office, dice: Random, act: str) -> None:
    """Somebody answers one of those that may be answered so."""
    choice: Choice = "resend" if act == "resend" else "correct"
    open_ones = [each for each in doubts(office.conn) if choice in each.choices]
    if not open_ones:
        return
    doubt = dice.choice(open_ones)
    instead = Decimal(dice.choice((0, 1, 20)))
    other = dice.choice(JOBS) if act == "elsewhere" else ""
    office.decide(doubt, *answered(doubt, choice, instead=instead, job=other))
