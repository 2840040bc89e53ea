"""What goes in comes out the same, once, and any edit shows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.store import journal
from edge_agent.store.errors import StoreError
from edge_agent.store.journal import Entry
from sync.contract import AnyFact, JobCompleted, JobStarted, Revision, ScanRefused, SignedOff, SignedOn
from tests.store.making import correction, empty, moved, produced, record, scrapped, short

EVERY_KIND: tuple[AnyFact, ...] = (
    SignedOn(about="person/P1"),
    JobStarted(about="J1", equipment="E1", revisions=(Revision("drawing", "D-1", "C"),), deviation="ältere"),
    produced("J1", "12.500"),
    scrapped("J1", "0.000001"),
    moved("J2"),
    short("J2"),
    correction("f3"),
    JobCompleted(about="J1", good=Decimal("12.5"), scrap=Decimal(0), reason="R1"),
    ScanRefused(
        about="terminal/T1", verdict="wrong", code="pick.wrong_item", raw="\\x1d[/red]", scenario="pick",
        step="item", expected="M1", got="'; DROP TABLE journal; --",
    ),
    SignedOff(about="person/P1"),
)  # fmt: skip


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    conn = empty()
    yield conn
    conn.close()


def test_a_fact_comes_out_exactly_as_it_went_in(conn: sqlite3.Connection) -> None:
    at = datetime(2026, 11, 22, 9, 30, 0, 123456, timezone(timedelta(hours=1)))
    appended = record(conn, *EVERY_KIND, at=at)
    assert [fact.body for fact in appended] == list(EVERY_KIND)
    assert journal.facts(conn, 0, 100) == appended
    assert appended[0].event_time == at
    assert journal.tail(conn, 3) == appended[-3:]
    assert journal.facts(conn, 2, 2) == appended[2:4]
    assert journal.facts(conn, 0, 100, about="J2") == tuple(
        fact for fact in appended if fact.body.about == "J2"
    )
    assert journal.facts(conn, 1, 100)[0].event_time.tzinfo is UTC
    assert journal.last_seq(conn) == len(EVERY_KIND)
    assert journal.verify(conn) is None


def test_the_same_id_again_is_the_same_fact(conn: sqlite3.Connection) -> None:
    first = record(conn, produced("J1", "5"), produced("J1", "6"), ids=("a", "b"))
    later = record(
        conn,
        produced("J1", "7"),
        produced("J1", "6.0"),
        ids=("c", "b"),
        at=first[0].event_time + timedelta(1),
    )
    assert later[1] == first[1]
    assert [fact.seq for fact in journal.facts(conn, 0, 9)] == [1, 2, 3]


def test_the_same_id_with_another_body_is_a_conflict(conn: sqlite3.Connection) -> None:
    record(conn, produced("J1", "5"), ids=("a",))
    with pytest.raises(StoreError) as caught:
        record(conn, produced("J1", "6"), ids=("a",))
    assert caught.value.kind == "conflict"


def test_a_time_without_a_zone_is_refused(conn: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        record(conn, produced(), at=datetime(2026, 1, 1))


def test_an_empty_journal_is_whole(conn: sqlite3.Connection) -> None:
    assert journal.verify(conn) is None
    assert journal.last_seq(conn) == 0


_EDITS = {
    "id": "id || 'x'",
    "agent": "agent || 'x'",
    "event_time": "replace(event_time, '2026', '2025')",
    "record_time": "replace(record_time, '2026', '2025')",
    "clock_ok": "1 - clock_ok",
    "terminal": "terminal || 'x'",
    "person": "person || 'x'",
    "payload": "json_set(payload, '$.uom', 'kg')",
    "hash": "randomblob(32)",
    "prev_hash": "randomblob(32)",
}


@settings(max_examples=60)
@given(rows=st.integers(1, 12), row=st.integers(1, 12), column=st.sampled_from([*_EDITS, "gone", "tail"]))
def test_any_edited_or_missing_row_is_found(rows: int, row: int, column: str) -> None:
    conn = empty()
    record(conn, *(produced("J1", str(n + 1)) for n in range(rows)))
    row = min(row, rows)
    for trigger in ("journal_update", "journal_delete"):
        conn.execute(f"DROP TRIGGER {trigger}")
    match column:
        case "gone":
            conn.execute("DELETE FROM journal WHERE seq = ?", (row,))
        case "tail":
            conn.execute("DELETE FROM journal WHERE seq >= ?", (row,))
        case _:
            conn.execute(f"UPDATE journal SET {column} = {_EDITS[column]} WHERE seq = ?", (row,))
    assert journal.verify(conn) == row
    conn.close()


def test_columns_can_not_be_shifted_into_each_other(conn: sqlite3.Connection) -> None:
    journal.append(
        conn, "agent-1", [Entry("a", produced())], datetime.now(UTC), datetime.now(UTC), True, "T1", "P1"
    )
    conn.execute("DROP TRIGGER journal_update")
    conn.execute("UPDATE journal SET terminal = 'T', person = '1P1'")
    assert journal.verify(conn) == 1
