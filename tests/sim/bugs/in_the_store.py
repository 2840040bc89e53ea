"""Mistakes on the way to the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_agent.store import database, mirror, rebuilding, recovery, schema
from edge_agent.store.database import Answer, Connection, Job, Worker, deliver
from edge_agent.store.disk import Appended
from tests.sim.bugs import bug, swapped


@bug("an input is answered before its commit", seed=1)
def acknowledged_before_commit() -> Iterator[None]:
    def commit(self: Worker, jobs: Sequence[Job]) -> list[Answer]:
        if not jobs:
            return []
        try:
            self._conn.execute("BEGIN IMMEDIATE")
            deliver([database._attempt(self._conn, job) for job in jobs])
            self._conn.execute("COMMIT")
        except sqlite3.Error as error:
            database._roll_back(self._conn)
            return [Answer(job.future, error=database._failure(error)) for job in jobs]
        self._committed(self._conn)
        return []

    with swapped(Worker, "_commit", commit):
        yield


@bug("a commit that failed is answered as saved", seed=1)
def failed_commit_answered() -> Iterator[None]:
    def commit(self: Worker, jobs: Sequence[Job]) -> list[Answer]:
        if not jobs:
            return []
        answers: list[Answer] = []
        try:
            self._conn.execute("BEGIN IMMEDIATE")
            answers = [database._attempt(self._conn, job) for job in jobs]
            self._conn.execute("COMMIT")
        except sqlite3.Error:
            database._roll_back(self._conn)
        else:
            self._committed(self._conn)
        return answers

    with swapped(Worker, "_commit", commit):
        yield


def _synchronous(level: str, number: int) -> Iterator[None]:
    pragmas = tuple(each.replace("FULL", level) for each in database._PRAGMAS)
    with swapped(database, "_PRAGMAS", pragmas), swapped(database, "_FULL", number):
        yield


@bug("synchronous=NORMAL")
def synchronous_normal() -> Iterator[None]:
    yield from _synchronous("NORMAL", 1)


@bug("synchronous=OFF")
def synchronous_off() -> Iterator[None]:
    yield from _synchronous("OFF", 0)


@bug("the mirror is written and not synced", seed=7)
def mirror_not_synced() -> Iterator[None]:
    ours = mirror.Mirror._writable

    class Hasty:
        def __init__(self, file: Appended) -> None:
            self._file = file
            self.write, self.cut, self.close = file.write, file.cut, file.close

        @property
        def size(self) -> int:
            return self._file.size

        def sync(self) -> None:
            pass

    with swapped(mirror.Mirror, "_writable", lambda self, seq: Hasty(ours(self, seq))):
        yield


@bug("the steps of a migration are transactions of their own")
def migration_in_pieces() -> Iterator[None]:
    def apply(conn: Connection, files: list[Path]) -> None:
        (version,) = conn.execute("PRAGMA user_version").fetchone()
        for number, file in list(enumerate(files, 1))[version:]:
            for statement in schema.statements(file.read_text(encoding="utf-8")):
                conn.execute(statement)
            conn.execute(f"PRAGMA user_version = {number:d}")

    with swapped(schema, "_apply", apply):
        yield


@bug("the disk says that a flush is done before it is", lies=True)
def disk_lies() -> Iterator[None]:
    yield


@bug("a mended database goes on with the cursor of the plans that it has lost", seed=3)
def plan_cursor_outlives_plans() -> Iterator[None]:
    kept = tuple(name for name in rebuilding._OURS if name != "pulled")
    with swapped(rebuilding, "_OURS", kept):
        yield


@bug("a start does not look at the chain of the newest rows", seed=24)
def chain_not_checked() -> Iterator[None]:
    with swapped(recovery, "first_broken", lambda conn, start, limit=0: None):
        yield
