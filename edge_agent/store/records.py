"""A row of the journal as it lies on the disk: what its hash is made of, and how it is put back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge_agent.store.database import Connection

FIRST = bytes(32)  # what the first row names as its predecessor

_COLUMNS = "seq, id, agent, event_time, record_time, clock_ok, terminal, person, payload, prev_hash, hash"
_INSERT = f"INSERT INTO journal ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_AFTER = f"SELECT {_COLUMNS} FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Record:
    """The stored columns of a fact, in their order."""

    seq: int
    id: str
    agent: str
    event_time: str
    record_time: str
    clock_ok: int
    terminal: str
    person: str
    payload: str
    previous: bytes
    hash: bytes

    @property
    def content(self) -> tuple[int, str, str, str, str, int, str, str, str]:
        """All but the hashes."""
        return (
            self.seq, self.id, self.agent, self.event_time, self.record_time, self.clock_ok,
            self.terminal, self.person, self.payload,
        )  # fmt: skip

    @property
    def sound(self) -> bool:
        """Whether it is what was written: its hash is that of its columns behind its predecessor's.

        A damaged row may hold anything in any column.
        """
        try:
            return self.hash == linked(self.previous, self.content)
        except TypeError:
            return False


def chained(
    content: tuple[int, str, str, str, str, int, str, str, str], previous: bytes
) -> Record:
    """The record of these columns behind a predecessor."""
    return Record(*content, previous, linked(previous, content))


def put(conn: Connection, record: Record) -> None:
    """Insert it as it is; inside a transaction. Raises sqlite3.IntegrityError when it does not follow."""
    conn.execute(_INSERT, (*record.content, record.previous, record.hash))


def after(conn: Connection, seq: int, limit: int) -> Iterator[Record]:
    """The records with a higher seq, in order, at most `limit`."""
    return (Record(*row) for row in conn.execute(_AFTER, (seq, limit)))


def linked(previous: bytes, content: Sequence[object]) -> bytes:
    """The hash of a row: of its columns as they are stored, behind that of the row before it."""
    return link(previous, [str(value).encode() for value in content])


def link(previous: bytes, parts: Sequence[bytes]) -> bytes:
    """SHA-256 over the hash before and the columns as stored, each after its length."""
    digest = hashlib.sha256(previous)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
