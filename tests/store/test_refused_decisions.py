"""An ERP that does not take a decision: people decide again, and nothing stays that nobody can answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from edge_agent.doubts import Doubt, answered
from edge_agent.store import cursor, journal, parking
from edge_agent.store.doubts import doubts
from edge_agent.store.listing import journal_rows
from edge_agent.store.retention import purge
from sync.contract import Applied, Fact, Person, Receipt, Refused
from sync.exceptions import ExceptionDecided
from tests.store.test_doubts import Office, good, refused
from tests.support.manual_clock import START


@pytest.fixture
def office() -> Office:
    office = Office()
    office.pull()
    return office


def told(office: Office) -> dict[str, Doubt]:
    return {each.key: each for each in doubts(office.conn)}


def nothing_holds_the_journal_back(office: Office) -> None:
    """All may go but the last fact; also the decisions that the ERP never took."""
    last = journal.last_seq(office.conn)
    with office.conn:
        assert purge(office.conn, ["erp"], START + timedelta(days=9)) is not None
    assert office.conn.execute("SELECT min(seq) FROM journal").fetchone() == (last,)
    assert office.conn.execute("SELECT count(*) FROM parked").fetchone() == (0,)


def takes_no_decision(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ERP, or a bridge, that knows no such kind of fact."""
    push = office.books.push

    def refusing(facts: Sequence[Fact]) -> list[Receipt]:
        known = [fact for fact in facts if not isinstance(fact.body, ExceptionDecided)]
        others = [Refused(fact.id, "not_understood", "no such kind") for fact in facts if fact not in known]
        return [*push(known), *others]

    monkeypatch.setattr(office.books, "push", refusing)


def test_a_correction_is_decided_again_when_the_erp_did_not_take_the_decision(office: Office) -> None:
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "correct", second="nobody", instead=Decimal(5)))
    office.send_all()
    first = told(office)["f1"]
    assert (first.corrected, first.not_taken, first.choices) == (False, True, ("resend", "correct", "hand_over"))
    again = answered(first, "correct", second="P2", instead=Decimal(77), job="J2")
    assert [type(each) for each in again] == [ExceptionDecided], "taken back once, replaced once"
    assert isinstance(again[0], ExceptionDecided)
    assert (again[0].instead, again[0].job, again[0].second) == (Decimal(5), "J1", "P2")
    office.decide(first, *again)
    office.send_all()
    office.pull()
    assert doubts(office.conn) == ()
    assert good(office) == (8, 8)
    assert parking.never_booked(office.conn, "erp", 50) == (7, 1), "neither the report nor the first decision"
    nothing_holds_the_journal_back(office)


def test_what_was_corrected_in_vain_can_be_sent_again_instead(office: Office) -> None:
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "correct", second="nobody", instead=Decimal(5)))
    office.send_all()
    office.limit("J1", 600)
    first = told(office)["f1"]
    office.decide(first, *answered(first, "resend"))
    office.send_all()
    office.pull()
    assert (doubts(office.conn), good(office)) == ((), (8, 8))
    assert office.booked("J1") == sorted(office.booked("J1"))


def test_what_was_corrected_in_vain_and_is_refused_again_waits_as_before(office: Office) -> None:
    """The decision that the ERP never took settles nothing: nobody is told that the ERP has the report."""
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "correct", second="nobody", instead=Decimal(5)))
    office.send_all()
    first = told(office)["f1"]
    office.decide(first, *answered(first, "resend"))
    office.send_all()
    office.pull()
    assert "f1" in told(office)
    rows = {row.seq: row.sent for row in journal_rows(office.conn, "erp", 50, None)}
    assert (rows[1], rows[7]) == ("refused", "settled")
    assert parking.never_booked(office.conn, "erp", 50) == (7,)
    assert office.booked("J1") == []


def test_with_an_erp_that_takes_no_decision_at_all_every_exception_has_an_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes_no_decision(office, monkeypatch)
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "correct", instead=Decimal(5)))
    office.send_all()
    assert {key: each.choices for key, each in told(office).items()} == {
        "f1": ("resend", "correct", "hand_over"), "f7": ("resend", "hand_over", "acknowledge"),
    }  # fmt: skip
    first = told(office)["f1"]
    office.decide(first, *answered(first, "correct"))
    office.send_all()
    assert set(told(office)) == {"f1", "f8"}, "the later decision stands in the place of the first"
    office.limit("J1", 600)
    first = told(office)["f1"]
    office.decide(first, *answered(first, "resend"))
    office.send_all()
    office.pull()
    assert good(office) == (8, 8)
    (last,) = doubts(office.conn)
    assert isinstance(last.fact and last.fact.body, ExceptionDecided)
    office.decide(last, *answered(last, "acknowledge", note="it knows no decisions"))
    office.send_all()
    assert doubts(office.conn) == ()
    nothing_holds_the_journal_back(office)


def test_a_decision_that_is_left_at_that_lets_later_ones_go(office: Office) -> None:
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "hand_over", second="nobody", note="the planner"))
    office.send_all()
    (decision,) = (each for key, each in told(office).items() if key != "f1")
    office.decide(decision, *answered(decision, "acknowledge"))
    assert set(told(office)) == {"f1"}
    office.books.put([Person(id="nobody", name="Somebody", badge="9")])
    first = told(office)["f1"]
    office.decide(first, *answered(first, "correct"))
    office.send_all()
    assert doubts(office.conn) == ()


def test_a_correction_stands_when_the_decision_is_answered_before_what_it_is_about(office: Office) -> None:
    """As after a mend, where all is asked anew, and other jobs go on before a report that gets no clear answer."""
    doubt = refused(office)
    office.decide(doubt, *answered(doubt, "correct", second="nobody", instead=Decimal(5), job="J1"))
    office.send_all()
    (decision,) = office.conn.execute("SELECT id FROM journal WHERE kind = 'ExceptionDecided'").fetchone()
    with office.step() as conn:
        conn.execute("DELETE FROM parked")
        cursor.reach(conn, "erp", 0)
        parking.settle(conn, "erp", [Applied(decision, "B")], START)
        parking.settle(conn, "erp", [Refused("f1", "over_quantity", "too many")], START)
    states = dict(office.conn.execute("SELECT seq, state FROM parked").fetchall())
    assert (states[1], "refused" in states.values()) in (("done", False), ("booked", False))
