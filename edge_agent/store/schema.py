"""Brings a database file to the schema of this program: numbered steps, each in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from edge_agent.store.database import Connection
from edge_agent.store.errors import StoreError

_STEPS = Path(__file__).with_name("migrations")


def upgrade(conn: Connection, steps: Path = _STEPS) -> None:
    """Apply the steps that the file has not seen; outside a transaction. Raises StoreError `newer`.

    A step, its record and the new user_version are one transaction: a power cut leaves the file
    before the step or after it. Steps are files `NNNN_name.sql`, numbered from 1 without a gap.
    """
    files = _files(steps)
    (version,) = conn.execute("PRAGMA user_version").fetchone()
    if version > len(files):
        raise StoreError(
            "newer",
            f"The database was written by a newer Floorhand (schema {version}, this program knows "
            f"{len(files)}). Install that version again; nothing was changed.",
        )
    if version < len(files):
        _apply(conn, files)


def _apply(conn: Connection, files: list[Path]) -> None:
    # Costs a tenth of a second and 15 MB; a start on a file that is up to date does without.
    from sqlite_utils import Database, Migrations

    migrations = Migrations("floorhand")
    for number, file in enumerate(files, start=1):
        migrations(name=file.stem)(_step(number, file))
    migrations.apply(Database(conn))


def _step(number: int, file: Path) -> Callable[[Any], None]:
    def run(db: Any) -> None:
        # The statements go to the connection itself: sqlite-utils would commit after each.
        for statement in statements(file.read_text(encoding="utf-8")):
            db.conn.execute(statement)
        db.conn.execute(f"PRAGMA user_version = {number:d}")

    run.__name__ = file.stem
    return run


def is_as_made(conn: Connection) -> bool:
    """Whether tables, indexes, triggers and views, and the kinds of facts, are letter by letter what the steps make of
    an empty file.

    No check of SQLite reads these texts; a letter that rotted changes what every later write does. True for a
    file of a newer program as well: nobody here knows what that made.
    """
    (version,) = conn.execute("PRAGMA user_version").fetchone()
    return version > len(_files(_STEPS)) or _texts(conn) == _made(version)


@cache
def _made(version: int) -> tuple[tuple[str, ...], ...]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        conn.execute("BEGIN")  # one transaction: some milliseconds in all
        for file in _files(_STEPS)[:version]:
            for statement in statements(file.read_text(encoding="utf-8")):
                conn.execute(statement)
        return _texts(conn)


def _texts(conn: Connection) -> tuple[tuple[str, ...], ...]:
    """What the file consists of, without what SQLite (NULL) and sqlite-utils (`_`) made for themselves."""
    texts = conn.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master"
        " WHERE sql IS NOT NULL AND tbl_name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY type, name"
    ).fetchall()
    if any(name == "fact_kind" for _, name, *_ in texts):
        texts += conn.execute("SELECT kind FROM fact_kind ORDER BY kind")
    return tuple(texts)


def _files(steps: Path) -> list[Path]:
    return sorted(steps.glob("[0-9]*.sql"))


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one (`executescript` would commit first).

    >>> list(statements("CREATE TABLE a (b);\\n-- why\\nCREATE TABLE c\\n (d);"))
    ['CREATE TABLE a (b);', '-- why\\nCREATE TABLE c\\n (d);']
    """
    part = ""
    for piece in script.split(";")[:-1]:
        part += piece + ";"
        if sqlite3.complete_statement(part):
            yield part.strip()
            part = ""
    rest = part + script.rpartition(";")[2]
    if any(line.strip() and not line.lstrip().startswith("--") for line in rest.splitlines()):
        raise ValueError(f"The last statement of a step does not end: {rest.strip()[:60]}")
