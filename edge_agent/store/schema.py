"""Brings a database file to the schema of this program: numbered steps, each in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
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
    files = sorted(steps.glob("[0-9]*.sql"))
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
