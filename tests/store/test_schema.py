"""Numbered steps, the file's own version, and a table that defends itself."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from edge_agent.store import schema
from edge_agent.store.errors import StoreError
from sync.contract import AnyFact
from tests.store.making import correction, empty, produced, record


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    conn = empty()
    yield conn
    conn.close()


@pytest.fixture
def blank() -> Iterator[sqlite3.Connection]:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    yield conn
    conn.close()


def _version(conn: sqlite3.Connection) -> int:
    return int(conn.execute("PRAGMA user_version").fetchone()[0])


def _tables(conn: sqlite3.Connection) -> set[str]:
    return {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE '%sqlite%'")}


def _steps(folder: Path, *scripts: str) -> Path:
    for number, script in enumerate(scripts, start=1):
        (folder / f"{number:04}_step.sql").write_text(script)
    return folder


def test_steps_are_applied_once_and_in_order(blank: sqlite3.Connection, tmp_path: Path) -> None:
    schema.upgrade(blank, _steps(tmp_path, "CREATE TABLE a (x);"))
    assert _version(blank) == 1
    schema.upgrade(
        blank, _steps(tmp_path, "CREATE TABLE a (x);", "INSERT INTO a VALUES (1); CREATE TABLE b (y);")
    )
    schema.upgrade(blank, tmp_path)
    assert _version(blank) == 2
    assert blank.execute("SELECT * FROM a").fetchall() == [(1,)]


def test_a_step_that_fails_leaves_the_file_before_it(blank: sqlite3.Connection, tmp_path: Path) -> None:
    steps = _steps(tmp_path, "CREATE TABLE a (x);", "CREATE TABLE b (y); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(sqlite3.OperationalError):
        schema.upgrade(blank, steps)
    assert _version(blank) == 1
    assert _tables(blank) == {"a"}
    schema.upgrade(blank, _steps(tmp_path, "CREATE TABLE a (x);", "CREATE TABLE b (y);"))
    assert _tables(blank) == {"a", "b"}


def test_a_database_of_a_newer_program_is_refused(conn: sqlite3.Connection) -> None:
    conn.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="written by a newer Floorhand") as caught:
        schema.upgrade(conn)
    assert caught.value.kind == "newer"


def test_a_file_that_is_up_to_date_costs_no_import(tmp_path: Path) -> None:
    script = (
        "import sqlite3, sys\n"
        "from edge_agent.store import schema\n"
        "conn = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "schema.upgrade(conn)\n"
        "print('sqlite_utils' in sys.modules)\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "a.db")], capture_output=True, text=True, check=True
        )
        for _ in range(2)
    ]
    assert [run.stdout.strip() for run in said] == ["True", "False"]


def test_the_journal_takes_the_kinds_of_the_contract_and_no_other(conn: sqlite3.Connection) -> None:
    known = {kind for (kind,) in conn.execute("SELECT kind FROM fact_kind")}
    assert known == {fact.__name__ for fact in get_args(AnyFact)}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE journal SET person = 'somebody else'",
        "DELETE FROM journal",
        "INSERT OR REPLACE INTO journal SELECT seq, id, agent, event_time, record_time, clock_ok, terminal,"
        " 'somebody else', payload, prev_hash, hash FROM journal",
    ],
)
def test_a_row_is_never_changed(conn: sqlite3.Connection, sql: str) -> None:
    record(conn, produced())
    with pytest.raises(sqlite3.IntegrityError, match="journal"):
        conn.execute(sql)
    assert conn.execute("SELECT person FROM journal").fetchall() == [("P1",)]


def test_a_row_must_follow_the_one_before_it(conn: sqlite3.Connection) -> None:
    record(conn, produced())
    columns = "id, agent, event_time, record_time, clock_ok, terminal, person, payload"
    for seq, prev in ((3, "hash"), (2, "zeroblob(32)")):
        with pytest.raises(sqlite3.IntegrityError, match="follows the one before"):
            conn.execute(
                f"INSERT INTO journal (seq, {columns}, prev_hash, hash)"
                f" SELECT {seq}, 'other', {columns.removeprefix('id, ')}, {prev}, hash FROM journal"
            )


def test_only_an_earlier_fact_about_the_same_thing_is_corrected_and_once(conn: sqlite3.Connection) -> None:
    record(conn, produced("J1"), produced("J2"))
    record(conn, correction("f1", "J1"))
    for wrong in (
        correction("f1", "J1"),
        correction("f2", "J1"),
        correction("nobody", "J1"),
        correction("f3", "J1"),
    ):
        with pytest.raises(StoreError) as caught:
            record(conn, wrong)
        assert caught.value.kind == "conflict"
