"""What can go wrong with the database, in words for people."""

from __future__ import annotations

import sqlite3
from typing import Literal

UNREADABLE = (sqlite3.Error, UnicodeDecodeError)  # damaged text is no UTF-8, in errors of SQLite as well

Trouble = Literal["full", "io", "corrupt", "readonly", "busy", "conflict", "newer", "other_agent", "closed"]

_WORDS: dict[Trouble, str] = {
    "full": "The disk of this PC is full: NOT SAVED. Free some space on it; then do it again.",
    "io": "The disk of this PC fails to read or write: NOT SAVED. Check the disk; then do it again.",
    "corrupt": "The database file on this PC is damaged: NOT SAVED. The agent mends it and starts again; "
    "then do it again.",
    "readonly": "The database file on this PC may not be written: NOT SAVED. Check the rights of its folder.",
    "busy": "Another program holds the database of this PC: NOT SAVED. Close it; then do it again.",
    "conflict": "The database does not allow this entry: NOT SAVED.",
    "closed": "The agent is stopping: NOT SAVED. Do it again when it is back.",
}

# Primary result codes: https://www.sqlite.org/rescode.html
_KINDS: dict[int, Trouble] = {
    sqlite3.SQLITE_PERM: "readonly",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_READONLY: "readonly",
    sqlite3.SQLITE_IOERR: "io",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_CANTOPEN: "io",
    sqlite3.SQLITE_CONSTRAINT: "conflict",
    sqlite3.SQLITE_NOTADB: "corrupt",
}


class StoreError(Exception):
    """The database can not do it; nothing is claimed saved. `str(error)` is a sentence for people.

    After `io` at a commit the rows may still turn out to be stored: the same ids make a second try safe.
    """

    def __init__(self, kind: Trouble, words: str = "") -> None:
        super().__init__(words or _WORDS[kind])
        self.kind = kind

    def __reduce__(self) -> tuple[type[StoreError], tuple[Trouble, str]]:
        """As it goes from one process to another; what was Unsound is told in the same words."""
        return StoreError, (self.kind, str(self))


class Unsound(StoreError):
    """A row of the journal is not what was written: nobody is told what stands in it."""

    def __init__(self, seq: int) -> None:
        super().__init__("corrupt", f"Row {seq} of the journal is not what was written.")


def store_error(error: sqlite3.Error) -> StoreError | None:
    """The StoreError that an error of SQLite stands for; None when it is a mistake in our own SQL."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    # At 0 bytes free the index of the log can not be made, which SQLite reports as an I/O error.
    kind = "full" if code == sqlite3.SQLITE_IOERR_SHMSIZE else _KINDS.get(code & 0xFF)
    return StoreError(kind, f"{_WORDS[kind]} ({error})") if kind else None


def write_error(error: sqlite3.Error) -> StoreError | None:
    """The same for a write, where a statement that SQLite does not understand is trouble too.

    The program is tested with every statement it has: when one is not understood, the texts of the tables and
    triggers in the file have changed. The next start compares them.
    """
    known = store_error(error)
    if known is None and isinstance(error, sqlite3.OperationalError):
        return StoreError("corrupt", f"{_WORDS['corrupt']} ({error})")
    return known
