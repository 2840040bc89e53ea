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

# A row for `is_whole`: as bytes, so that damaged text is a wrong hash and not an error.
AS_BYTES = (
    "SELECT journal.seq, prev_hash, hash, CAST(journal.seq AS BLOB), CAST(id AS BLOB), CAST(agent AS BLOB),"
    " CAST(event_time AS BLOB), CAST(record_time AS BLOB), CAST(clock_ok AS BLOB), CAST(terminal AS BLOB),"
    " CAST(person AS BLOB), CAST(payload AS BLOB) FROM journal"
)
_CHAIN = AS_BYTES + " WHERE seq > ? ORDER BY seq LIMIT ?"
_LENGTHS = [size.to_bytes(8, "big") for size in range(4096)]


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


def first_unsound(conn: Connection, start: int, previous: bytes | None, limit: int) -> int | None:
    """The first seq after `start` that is missing or not what was written, looking at `limit` rows; None: all are.

    `previous` is the hash of the row at `start`; None: not known. A million rows in three seconds: a start has
    no more time for them, hence the plain loop.
    """
    expected, sizes, join, sha256 = start + 1, _LENGTHS, b"".join, hashlib.sha256
    for seq, before, hash, *parts in conn.execute(_CHAIN, (start, limit)):
        try:
            a, b, c, d, e, f, g, h, i = parts
            told = join((
                before, sizes[len(a)], a, sizes[len(b)], b, sizes[len(c)], c, sizes[len(d)], d, sizes[len(e)], e,
                sizes[len(f)], f, sizes[len(g)], g, sizes[len(h)], h, sizes[len(i)], i,
            ))  # fmt: skip
            sound = sha256(told).digest() == hash
        except IndexError:  # a long one
            sound = link(before, parts) == hash
        except TypeError:  # no text at all
            sound = False
        if seq != expected or not sound or (before != previous and previous is not None):
            return expected
        expected, previous = seq + 1, hash
    return None


def is_whole(previous: bytes, hash: bytes, parts: Sequence[bytes]) -> bool:
    """Whether the columns of a row (those of `AS_BYTES` behind the hashes) are what was written."""
    try:
        told = [previous]
        for part in parts:
            told += (_LENGTHS[len(part)] if len(part) < len(_LENGTHS) else len(part).to_bytes(8, "big"), part)
        return hashlib.sha256(b"".join(told)).digest() == hash
    except TypeError:  # no text at all
        return False


def linked(previous: bytes, content: Sequence[object]) -> bytes:
    """The hash of a row: of its columns as they are stored, behind that of the row before it."""
    return link(previous, [str(value).encode() for value in content])


def link(previous: bytes, parts: Sequence[bytes]) -> bytes:
    """SHA-256 over the hash before and the columns as stored, each after its length."""
    pieces = [previous]
    for part in parts:
        length = len(part)
        pieces += (_LENGTHS[length] if length < len(_LENGTHS) else length.to_bytes(8, "big"), part)
    return hashlib.sha256(b"".join(pieces)).digest()
