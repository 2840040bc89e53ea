"""What is behind a refused fact is held, and many that are held cost a later report of another job nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from edge_agent.store import parking
from edge_agent.store.cursor import cursor
from sync.contract import UNCLEAR, Applied, Refused
from tests.store.making import empty, produced, record
from tests.support.manual_clock import START


def _rows(conn: sqlite3.Connection) -> list[tuple[object, ...]]:
    return conn.execute("SELECT seq, state, code, held_back_by FROM parked ORDER BY seq").fetchall()


def _steps(conn: sqlite3.Connection) -> int:
    """How much SQLite does for one report about another job, from the look to the answer, in 100 steps."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    conn.set_progress_handler(step, 100)
    assert not parking.must_hold(conn, "erp")
    (fact,) = parking.pending(conn, "erp", 100)
    parking.settle(conn, "erp", [Applied(fact.id, "B")], START)
    conn.set_progress_handler(None, 100)
    return steps


def _with_held(held: int) -> int:
    with closing(empty()) as conn:
        record(conn, *(produced(f"J{n % 20}") for n in range(20 + held)))
        parking.settle(conn, "erp", [Refused(f"f{seq}", "closed_order", "closed") for seq in range(1, 21)], START)
        assert (len(_rows(conn)), cursor(conn, "erp")) == (20 + held, 20 + held)
        record(conn, produced("X"))
        return _steps(conn)


def test_a_report_costs_no_more_however_many_are_held() -> None:
    assert _with_held(2000) <= _with_held(20) + 3


def test_only_what_is_behind_the_first_refused_one_of_its_job_is_held() -> None:
    with closing(empty()) as conn:
        record(conn, *map(produced, ("J1", "J1", "J2", "J1", "J1", "J2")))
        parking.settle(conn, "erp", [Refused("f4", "c", "r"), Refused("f2", "c", "r"), Applied("f6", "B")], START)
        assert [row for row in _rows(conn) if row[0] != 6] == [
            (2, "refused", "c", None), (4, "refused", "c", None), (5, "held", "held_back", 2),
        ]  # fmt: skip
        assert [fact.seq for fact in parking.pending(conn, "erp", 9)] == [1, 3]


@pytest.mark.parametrize("again", ["retry", "unsure"])
def test_what_goes_again_is_held_behind_an_earlier_one_that_is_refused(again: str) -> None:
    with closing(empty()) as conn:
        record(conn, *map(produced, ("J1", "J1", "J1")))
        parking.settle(conn, "erp", [Refused("f1", "c", "r")], START)
        parking.resend(conn, "erp", 1)
        conn.execute("UPDATE parked SET state = ?", (again,))
        assert [fact.seq for fact in parking.pending(conn, "erp", 9)] == [1, 2, 3]
        parking.settle(conn, "erp", [Refused("f1", "c", "r")], START)
        assert _rows(conn) == [
            (1, "refused", "c", None), (2, "held", "held_back", 1), (3, "held", "held_back", 1),
        ]  # fmt: skip


def test_what_is_about_some_jobs_is_left_out() -> None:
    with closing(empty()) as conn:
        record(conn, *map(produced, ("J1", "J2", 'J"3', "J1", "J4", "J5")))
        parking.settle(conn, "erp", [Refused("f2", "c", "r"), Refused("f6", "c", "r")], START)
        for seq in (2, 6):
            parking.resend(conn, "erp", seq)
        assert [fact.seq for fact in parking.pending(conn, "erp", 9, ("J1", 'J"3', "J2"))] == [5, 6]
        assert [fact.seq for fact in parking.pending(conn, "erp", 2, ("J1",))] == [2, 3]


@pytest.mark.parametrize("again", ["retry", "unsure"])
def test_what_was_parked_as_unclear_is_named_when_it_goes_again_and_until_it_is_answered(again: str) -> None:
    with closing(empty()) as conn:
        record(conn, *map(produced, ("J1", "J2", "J1")))
        parking.settle(conn, "erp", [Refused("f1", UNCLEAR, "HTTP 500"), Refused("f2", "c", "r")], START)
        assert parking.unclear(conn, "erp") == ()
        for seq in (1, 2):
            parking.resend(conn, "erp", seq)
        conn.execute("UPDATE parked SET state = ? WHERE seq = 1", (again,))
        assert [fact.id for fact in parking.unclear(conn, "erp")] == ["f1"]
        assert parking.unclear(conn, "another") == ()
        parking.settle(conn, "erp", [Applied("f1", "B")], START)
        assert parking.unclear(conn, "erp") == ()
