"""States and stops on disk, and what the journal says of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from edge_agent.machines.stops import Span, Stop
from edge_agent.plant_reader import PlantReader
from edge_agent.store import stops as pages
from sync.contract import DowntimeSplit
from tests.store.making import empty, record
from tests.support.manual_clock import START

STOP = Stop("s1", START, "HELD", "Coil end")


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    conn = empty()
    yield conn
    conn.close()


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_the_last_fact_about_a_stop_counts(conn: sqlite3.Connection) -> None:
    pages.keep_stop(conn, "E1", STOP)
    assert pages.stops(conn, "E1", START) == (STOP,)
    split = replace(STOP, reason="STOP-1", splits=(DowntimeSplit(at(3), "STOP-2"),))
    record(conn, replace(STOP, reason="STOP-4").fact("E1"), split.fact("E1"))
    pages.keep_stop(conn, "E1", replace(STOP, ended=at(9)))
    assert pages.stops(conn, "E1", START) == (replace(split, ended=at(9), said=2),)
    record(conn, STOP.fact("E1"))
    (stop,) = pages.stops(conn, "E1", START)
    assert (stop.reason, stop.splits, stop.said) == ("", (), 3)
    assert pages.stops(conn, "E1", at(9)) == pages.stops(conn, "E2", START) == ()


def test_a_stop_that_began_before_and_goes_on_is_one_of_the_time(conn: sqlite3.Connection) -> None:
    pages.keep_stop(conn, "E1", STOP)
    newer = Stop("s2", at(30), "ABORTED", "")
    for now in (at(1), START + timedelta(days=30)):
        assert pages.stops(conn, "E1", now) == (STOP,)
    over = replace(STOP, ended=at(20))
    pages.keep_stop(conn, "E1", over)
    pages.keep_stop(conn, "E1", newer)
    assert pages.stops(conn, "E1", at(19)) == (newer, over)
    assert pages.stops(conn, "E1", at(20)) == (newer,)
    assert pages.stops(conn, "E1", at(31)) == (newer,)


def test_what_was_said_is_found_by_an_index(conn: sqlite3.Connection) -> None:
    plan = conn.execute("EXPLAIN QUERY PLAN " + pages._STOPS + " WHERE s.id = 'x'").fetchall()
    assert any("journal_stop" in row[-1] for row in plan), plan


def test_after_a_crash_everything_ends_where_it_was_seen_last(conn: sqlite3.Connection) -> None:
    pages.keep_span(conn, "E1", Span("EXECUTE", at(-5), ended=at(0)), at(0))
    pages.keep_span(conn, "E1", Span("HELD", at(0)), at(1))
    pages.keep_stop(conn, "E1", STOP)
    pages.keep_seen(conn, at(7))
    assert pages.close_all(conn) == {"E1": replace(STOP, ended=at(7))}
    assert [(span.state, span.ended) for span in pages.spans(conn, "E1", at(-9), at(60))] == [
        ("EXECUTE", at(0)), ("HELD", at(7)),
    ]  # fmt: skip
    assert pages.close_all(conn) == {}


def test_the_oldest_state_says_since_when_a_machine_is_known(conn: sqlite3.Connection) -> None:
    assert pages.known_since(conn, "E1") is None
    pages.keep_span(conn, "E1", Span("EXECUTE", at(-5), ended=at(0)), at(0))
    pages.keep_span(conn, "E1", Span("HELD", at(0)), at(1))
    assert pages.known_since(conn, "E1") == at(-5)
    assert pages.known_since(conn, "E2") is None


def test_a_strip_begins_when_the_machine_was_first_known_and_later_holes_are_no_data(conn: sqlite3.Connection) -> None:
    plant = PlantReader().plant(conn, (), (), at(60))
    assert plant.strip("E1", at(-60), at(30)) == ()
    pages.keep_span(conn, "E1", Span("EXECUTE", at(0), ended=at(5)), at(5))
    pages.keep_span(conn, "E1", Span("HELD", at(10), ended=at(30)), at(30))
    told = PlantReader().plant(conn, (), (), at(60)).strip("E1", at(-60), at(30))
    assert [(span.state, span.began) for span in told] == [("EXECUTE", at(0)), ("NO DATA", at(5)), ("HELD", at(10))]
