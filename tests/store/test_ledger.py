"""The counter ledger on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.machines.ledger import Reading, Standing, Switch, read
from edge_agent.store import journal, ledger
from edge_agent.store.journal import Entry
from sync.contract import Correction
from tests.store.making import correction, empty, produced, record, scrapped
from tests.support.manual_clock import START


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    conn = empty()
    yield conn
    conn.close()


def _entered(conn: sqlite3.Connection, *values: int, width: int = 32, minute: int = 0) -> None:
    standing = ledger.standings(conn).get("E1")
    for number, value in enumerate(values, minute):
        step = read(standing, Reading(value, START + timedelta(minutes=number)), 1 << width)
        ledger.enter(conn, "E1", [step], ledger.entered(conn).get("E1", 0) + 1)
        standing = step.standing


def test_what_is_kept_is_what_was_entered(conn: sqlite3.Connection) -> None:
    top = 2**64 - 1
    _entered(conn, top - 3, top, width=64)
    assert ledger.standings(conn) == {"E1": Standing(Reading(top, START + timedelta(minutes=1)), 2**64)}
    _entered(conn, 2**62, width=64, minute=2)
    kept = ledger.standings(conn)["E1"]
    assert kept.suspect is None or kept.suspect.value == 2**62
    assert ledger.tallies(conn)["E1"].counted >= 3


def test_a_long_weekend_is_counted_from_the_last_reading_on_disk(conn: sqlite3.Connection) -> None:
    _entered(conn, 100, 110)
    _entered(conn, 5110, minute=3 * 24 * 60)
    assert ledger.tallies(conn)["E1"] == ledger.Tally(10, 10)  # one reading of so many may be wrong
    _entered(conn, 5112, minute=3 * 24 * 60 + 1)
    assert ledger.tallies(conn)["E1"] == ledger.Tally(5012, 5012)


def test_parts_go_to_the_job_that_a_terminal_has_open(conn: sqlite3.Connection) -> None:
    _entered(conn, 0, 10)
    ledger.note_job(conn, "E1", "T1", "J-1", START + timedelta(minutes=1))
    _entered(conn, 25, minute=2)
    ledger.note_job(conn, "E1", "T1", "", START + timedelta(minutes=2, seconds=30))
    _entered(conn, 35, minute=3)
    assert parts_of(conn, "E1") == {("", ""): 15, ("J-1", ""): 20}
    assert ledger.tallies(conn)["E1"] == ledger.Tally(35, 15)
    (estimated,) = conn.execute("SELECT sum(estimated) FROM tally").fetchone()
    assert estimated == 10
    made = ledger.minutes(conn, "E1", START, START + timedelta(hours=1))
    assert sum(parts for _, _, parts in made) == 35
    assert {job for _, job, _ in made} == {"", "J-1"}


def test_doubtful_parts_belong_to_no_job(conn: sqlite3.Connection) -> None:
    ledger.note_job(conn, "E1", "T1", "J-1", START - timedelta(minutes=1))
    _entered(conn, 30_000, 3, 5, width=16)
    assert parts_of(conn, "E1") == {("", "reset"): 3, ("J-1", ""): 2}


def test_the_same_job_is_noted_once_and_another_machine_ends_it(conn: sqlite3.Connection) -> None:
    ledger.note_job(conn, "E1", "T1", "", START)
    ledger.note_job(conn, "E1", "T1", "J-1", START)
    ledger.note_job(conn, "E1", "T1", "J-1", START + timedelta(minutes=1))
    assert ledger.switches(conn, "E1", START) == (Switch("T1", "J-1", START),)
    later = START + timedelta(minutes=2)
    ledger.note_job(conn, "E2", "T1", "J-2", later)
    assert ledger.switches(conn, "E1", later) == (Switch("T1", "", later),)
    assert ledger.switches(conn, "E2", START) == (Switch("T1", "J-2", later),)


def test_a_clock_that_was_set_back_does_not_turn_the_order_of_jobs(conn: sqlite3.Connection) -> None:
    ledger.note_job(conn, "E1", "T1", "J-1", START)
    ledger.note_job(conn, "E1", "T1", "J-2", START - timedelta(hours=1))
    assert [switch.job for switch in ledger.switches(conn, "E1", START)] == ["J-1", "J-2"]


def test_old_minutes_go_and_what_counts_stays(conn: sqlite3.Connection) -> None:
    ledger.note_job(conn, "E1", "T1", "J-1", START)
    ledger.note_job(conn, "E1", "T1", "J-2", START + timedelta(minutes=1))
    _entered(conn, 0, 10, 20)
    much_later = START + ledger.KEPT + timedelta(days=1)
    ledger.prune(conn, much_later)
    assert ledger.minutes(conn, "E1", START, much_later) == ()
    assert ledger.tallies(conn)["E1"].counted == 20
    assert [switch.job for switch in ledger.switches(conn, "E1", much_later)] == ["J-2"]


def _report(conn: sqlite3.Connection, number: int, job: str, quantity: int, counted: int | None) -> str:
    body = msgspec.structs.replace(produced(job, str(quantity)), machine_count=counted)
    (fact,) = journal.append(conn, "agent", [Entry(f"r{number}", body)], START, START, True, "T1", "1001")
    return fact.id


_DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["make", "report", "report without a link", "take back", "open"]), st.integers(0, 9)
    ),
    max_size=25,
)


@given(_DEEDS)
def test_each_part_is_proposed_once_and_only_for_its_job(deeds: list[tuple[str, int]]) -> None:
    conn = empty()
    count, job = 0, "J-1"
    made, reported = {"J-1": 0, "J-2": 0}, dict[str, tuple[str, int]]()
    _entered(conn, 0)
    ledger.note_job(conn, "E1", "T1", job, START)
    for number, (deed, n) in enumerate(deeds, 1):
        match deed:
            case "make":
                count, made[job] = count + n, made[job] + n
                _entered(conn, count, minute=number * 2)
            case "open":
                job = "J-2" if job == "J-1" else "J-1"
                _entered(conn, count, minute=number * 2)
                ledger.note_job(conn, "E1", "T1", job, START + timedelta(minutes=number * 2))
            case "take back" if reported:
                id = sorted(reported)[n % len(reported)]
                undo = Correction(about=reported.pop(id)[0], corrects=id, reason="did_not_occur")
                journal.append(conn, "agent", [Entry(f"u{number}", undo)], START, START, True, "T1", "1001")
            case "report":
                stands = max(0, ledger.since_report(conn, "E1", job))
                reported[_report(conn, number, job, n + 1, stands)] = (job, stands)
            case "report without a link":
                reported[_report(conn, number, job, n + 1, None)] = (job, n + 1)
        for each in made:
            stands_for = sum(parts for of, parts in reported.values() if of == each)
            assert ledger.since_report(conn, "E1", each) == made[each] - stands_for
    conn.close()


_REPORTS = st.lists(
    st.tuples(
        st.sampled_from(["good", "bad", "report", "report without a link", "take back", "other job", "other machine"]),
        st.integers(1, 5),
    ),
    max_size=25,
)


@given(_REPORTS)
def test_of_a_counter_of_all_parts_what_is_left_as_good_was_neither_reported_nor_scrapped(
    deeds: list[tuple[str, int]],
) -> None:
    """People report what is proposed, or a part of it, every bad part as scrap, and take back what they did last."""
    conn = empty()
    count, standing = 0, list[tuple[str, int, int]]()
    _entered(conn, 0)
    ledger.note_job(conn, "E1", "T1", "J-1", START)
    for number, (deed, n) in enumerate(deeds, 1):
        made = count - sum(parts for _, parts, _ in standing)
        match deed:
            case "good" | "bad":
                count += n
                _entered(conn, count, minute=number * 2)
                if deed == "bad":
                    (fact,) = record(conn, scrapped("J-1", str(n)))
                    standing.append((fact.id, n, number))
            case "report" if made:
                stands = ledger.since_report(conn, "E1", "J-1")
                standing.append((_report(conn, number, "J-1", made, stands), made, number))
            case "report without a link" if made:
                part = min(n, made)
                standing.append((_report(conn, number, "J-1", part, None), part, number))
            case "take back" if standing:
                id, _, _ = standing.pop()
                record(conn, correction(id, "J-1"))
            case "other job":
                record(conn, scrapped("J-2", str(n)))
            case "other machine":
                record(conn, msgspec.structs.replace(scrapped("J-1", str(n)), equipment="E2"))
        left = count - sum(parts for _, parts, _ in standing)
        raw, scrap = ledger.since_report(conn, "E1", "J-1"), ledger.scrap_since_report(conn, "E1", "J-1")
        assert 0 <= scrap <= raw
        assert raw - scrap == left
    conn.close()


def test_half_a_piece_of_scrap_is_no_good_piece(conn: sqlite3.Connection) -> None:
    record(conn, scrapped("J-1", "0.5"), scrapped("J-1", "1.25"))
    assert ledger.scrap_since_report(conn, "E1", "J-1") == 2


def parts_of(conn: sqlite3.Connection, equipment: str) -> Mapping[tuple[str, str], int]:
    """Parts of a machine by job and cause."""
    rows = conn.execute("SELECT job, cause, parts FROM tally WHERE equipment = ?", (equipment,))
    return {(job, cause): parts for job, cause, parts in rows}


@pytest.mark.parametrize("modulus", [128, 256, 10_000, 2**16, 10**6, 2**32, 10**18, 2**64])
def test_how_many_numbers_a_counter_has_is_kept(conn: sqlite3.Connection, modulus: int) -> None:
    step = read(None, Reading(modulus - 1, START), modulus)
    ledger.enter(conn, "E1", [step], 1)
    assert ledger.standings(conn) == {"E1": step.standing}
