"""Brings facts back from the pages of a damaged database, without SQLite.

A database and its write-ahead log are full of whole pages even where SQLite will not read them any more:
a broken tree, a log with one wrong bit. Each page of a table is looked at by itself, and a row counts
only when its hash is that of its columns, so nothing is believed that was not written.

The formats: https://www.sqlite.org/fileformat2.html, sections 1.6 (pages), 2.1 (records), 4 (the log).
"""

from __future__ import annotations

from collections.abc import Iterator

from edge_agent.store.records import Record

_LEAF = 0x0D  # a page that holds rows of a table
_FIRST_PAGE_HEADER = 100
_WAL_HEADER, _FRAME_HEADER = 32, 24
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # serial type -> bytes
_STORED = 11  # columns before the derived ones


def carve_database(data: bytes) -> Iterator[Record]:
    """Every sound row of the journal on any page of a database file."""
    size = _page_size(data)
    for number, start in enumerate(range(0, len(data) - size + 1, size)):
        yield from _rows(data[start : start + size], _FIRST_PAGE_HEADER if number == 0 else 0)


def carve_log(data: bytes) -> Iterator[Record]:
    """The same of a write-ahead log, up to the last frame that ended a commit: later ones were never confirmed."""
    return (record for commit in carve_commits(data) for record in commit)


def carve_commits(data: bytes) -> Iterator[list[Record]]:
    """The sound rows of the journal on the pages of each commit of a write-ahead log, in their order.

    Frames of an older round of the log have other salts and are left out: their pages are in the database.
    """
    if len(data) < _WAL_HEADER:
        return
    size = int.from_bytes(data[8:12], "big")
    if size not in (1 << power for power in range(9, 17)):
        size = 4096
    salts = data[16:24]
    pages: list[bytes] = []
    for start in range(_WAL_HEADER, len(data) - _FRAME_HEADER - size + 1, _FRAME_HEADER + size):
        header = data[start : start + _FRAME_HEADER]
        if any(salts) and header[8:16] != salts:
            continue
        pages.append(data[start + _FRAME_HEADER : start + _FRAME_HEADER + size])
        if int.from_bytes(header[4:8], "big"):  # the size of the database after a commit; 0 inside one
            yield [record for page in pages for record in _rows(page, 0)]
            pages.clear()


def _page_size(data: bytes) -> int:
    size = int.from_bytes(data[16:18], "big")
    if size == 1:
        return 65536
    return size if size in (1 << power for power in range(9, 16)) else 4096


def _rows(page: bytes, offset: int) -> Iterator[Record]:
    if len(page) < offset + 8 or page[offset] != _LEAF:
        return
    cells = int.from_bytes(page[offset + 3 : offset + 5], "big")
    for number in range(min(cells, len(page) // 4)):
        place = offset + 8 + 2 * number
        begin = int.from_bytes(page[place : place + 2], "big")
        try:
            record = _record(page, begin)
        except (ValueError, IndexError):  # not a row of ours, or damaged
            continue
        if record is not None and record.sound:
            yield record


def _record(page: bytes, begin: int) -> Record | None:
    """The row of a cell; None when it can not be one of the journal. A row longer than a page is not read."""
    length, at = _varint(page, begin)
    seq, at = _varint(page, at)
    if length > len(page) - 35:  # goes on elsewhere
        return None
    body = page[at : at + length]
    header, at = _varint(body, 0)
    types: list[int] = []
    while at < header:
        kind, at = _varint(body, at)
        types.append(kind)
    if len(types) < _STORED:
        return None
    values: list[object] = []
    for kind in types[:_STORED]:
        value, at = _value(body, at, kind)
        values.append(value)
    _, id, agent, event_time, record_time, clock_ok, terminal, person, payload, previous, hash = values
    texts = (id, agent, event_time, record_time, terminal, person, payload)
    if not all(isinstance(text, str) for text in texts) or not isinstance(clock_ok, int):
        return None
    if not isinstance(previous, bytes) or not isinstance(hash, bytes):
        return None
    return Record(
        seq, str(id), str(agent), str(event_time), str(record_time), clock_ok, str(terminal), str(person),
        str(payload), previous, hash,
    )  # fmt: skip


def _value(body: bytes, at: int, kind: int) -> tuple[object, int]:
    """A column of a record and where the next begins. Raises ValueError for bytes that are none."""
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    if kind in _INTEGERS:
        end = at + _INTEGERS[kind]
        return int.from_bytes(body[at:end], "big", signed=True), end
    if kind == 7:
        return body[at : at + 8], at + 8  # a float: the journal has none before its hashes
    if kind < 12:
        raise ValueError(f"no serial type: {kind}")
    end = at + (kind - 12) // 2
    if end > len(body):
        raise ValueError("the row is cut off")
    return (body[at:end].decode() if kind % 2 else body[at:end]), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer of one to nine bytes and where the next value begins. Raises IndexError."""
    value = 0
    for _ in range(8):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    return value << 8 | data[at], at + 1
