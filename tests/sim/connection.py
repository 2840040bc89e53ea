"""A connection of apsw that looks like one of sqlite3, as far as the product uses it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import apsw

from tests.sim.platter import Platter, PowerCut

T = TypeVar("T")

_KINDS: dict[type[apsw.Error], type[sqlite3.Error]] = {
    apsw.ConstraintError: sqlite3.IntegrityError,
    apsw.CorruptError: sqlite3.DatabaseError,
    apsw.NotADBError: sqlite3.DatabaseError,
    apsw.MisuseError: sqlite3.ProgrammingError,
    apsw.BindingsError: sqlite3.ProgrammingError,
    apsw.ConnectionClosedError: sqlite3.ProgrammingError,
}


class SimCursor:
    """The rows of one statement."""

    def __init__(self, connection: SimConnection, cursor: apsw.Cursor, statement: str, parameters: Any) -> None:
        self._connection, self._cursor = connection, cursor
        self._asked = statement, parameters
        self.rowcount = connection.changes()
        self.lastrowid = connection.last_row()

    @property
    def description(self) -> Any:
        """The names of the columns; apsw forgets them after the last row, so they are asked for anew."""
        return self._connection.columns(*self._asked)

    def fetchone(self) -> Any:
        return next(self, None)

    def fetchall(self) -> list[Any]:
        return list(self)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        row = self._connection.guarded(lambda: next(self._cursor, None))
        if row is None:
            raise StopIteration
        return row


class SimConnection:
    """In one thread, with no transaction of its own, alone with its file."""

    def __init__(self, name: str, vfs: str, platter: Platter) -> None:
        self._platter, self._life = platter, platter.life
        self._apsw = self.guarded(lambda: apsw.Connection(name, vfs=vfs))
        self.execute("PRAGMA locking_mode = EXCLUSIVE")  # a VFS in Python has no shared memory

    @property
    def in_transaction(self) -> bool:
        return self._apsw.in_transaction

    def execute(self, statement: str, parameters: Any = ()) -> SimCursor:
        return SimCursor(self, self.guarded(lambda: self._apsw.execute(statement, parameters)), statement, parameters)

    def executemany(self, statement: str, rows: Iterable[Any]) -> SimCursor:
        return SimCursor(self, self.guarded(lambda: self._apsw.executemany(statement, rows)), statement, ())

    def executescript(self, script: str) -> SimCursor:
        return self.execute(script)

    def commit(self) -> None:
        if self.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        self.guarded(self._apsw.close)

    def abandon(self) -> None:
        """As the end of its process leaves it: nothing is written any more."""
        try:
            self._apsw.close(force=True)
        except (apsw.Error, PowerCut):
            pass

    def columns(self, statement: str, parameters: Any) -> tuple[Any, ...]:
        """What a statement would give, without doing it."""
        found: list[str] = []

        def look(cursor: apsw.Cursor, text: str, bindings: Any) -> bool:
            found.extend(name for name, *_ in cursor.get_description())
            return False

        cursor = self._apsw.cursor()
        cursor.exec_trace = look
        try:
            cursor.execute(statement, parameters)
        except apsw.ExecTraceAbort:
            pass
        return tuple((name, None, None, None, None, None, None) for name in found)

    def changes(self) -> int:
        return self._apsw.changes()

    def last_row(self) -> int:
        return self._apsw.last_insert_rowid()

    def guarded(self, work: Callable[[], T]) -> T:
        """Do it; an error of apsw as sqlite3 has it, and PowerCut when the process is no more."""
        self._platter.alive(self._life)
        try:
            return work()
        except apsw.Error as error:
            self._platter.alive(self._life)
            raise _translated(error) from error
        finally:
            self._platter.alive(self._life)


def _translated(error: apsw.Error) -> sqlite3.Error:
    kind = next((ours for theirs, ours in _KINDS.items() if isinstance(error, theirs)), sqlite3.OperationalError)
    told = kind(str(error))
    code = getattr(error, "extendedresult", None)
    if code is not None:
        told.sqlite_errorcode = code
    return told
