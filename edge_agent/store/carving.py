"""Brings facts back from the pages of a damaged database, without SQLite.

A database and its write-ahead log are full of whole pages even where SQLite will not read them any more:
a broken tree, a log with one wrong bit. Each page of a table is looked at by itself, and a row counts
only when its hash is that of its columns, so nothing is believed that was not written.

The formats: https://www.sqlite.org/fileformat2.html, sections 1.6 (pages), 2.1 (records), 4 (the log).
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from edge_agent.store.disk import Disk
from edge_agent.store.records import Record

_LEAF = 0x0D  # a page that holds rows of a table
_FIRST_PAGE_HEADER = 100
_WAL_HEADER, _FRAME_HEADER = 32, 24
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # serial type -> bytes
_STORED = 11  # columns before the derived ones
_NO_SEQ = 1 << 62
_WIDE = 4096  # a page has fewer rows than that
_TOGETHER = 256  # pages that are read at once


class Pages:
    """The pages of a database and of its log that may hold rows of the journal, by their numbers.

    Only where each page is stays in memory; a page is read again when a row of it is wanted.
    """

    def __init__(self, path: Path, log: bytes, disk: Disk) -> None:
        """Raises OSError."""
        self._path, self._log, self._disk = path, log, disk
        self._size = _page_size(disk.part(path, 0, _FIRST_PAGE_HEADER))
        found = [(*span, place) for place, page in self._all() if (span := _span(page, _header(place)))]
        # Those with a number that rotted go from the first row to anywhere: few, and looked at each time.
        self._wide = [each for each in found if each[1] - each[0] > _WIDE]
        self._narrow = sorted(each for each in found if each[1] - each[0] <= _WIDE)

    def rows(self, first: int, last: int) -> dict[int, Record]:
        """The sound rows from `first` to `last`; of two with one number that in the log."""
        begin = bisect_left(self._narrow, (first - _WIDE, 0, 0))
        end = bisect_left(self._narrow, (last + 1, 0, 0))
        near = [place for _, high, place in self._narrow[begin:end] if high >= first]
        near += [place for low, high, place in self._wide if low <= last and high >= first]
        return {
            record.seq: record for place in sorted(near, key=_old_first)
            for record in _rows(self._page(place), _header(place), first, last)
        }  # fmt: skip

    def last(self) -> int:
        """The highest number of a sound row; 0: there is none."""
        best = 0
        for _, high, place in sorted((*self._wide, *self._narrow), key=lambda each: -each[1]):
            if high <= best:
                break
            best = max((record.seq for record in _rows(self._page(place), _header(place))), default=best)
        return best

    def _all(self) -> Iterator[tuple[int, bytes]]:
        """Each page with where it is: its number in the database, or below 0 its place in the log."""
        together = self._size * _TOGETHER
        start = 0
        while part := self._disk.part(self._path, start, together):
            for at in range(0, len(part) - self._size + 1, self._size):
                yield (start + at) // self._size, part[at : at + self._size]
            start += together
        for places in _commits(self._log):
            for place in places:
                yield ~place, self._log[place : place + _log_page_size(self._log)]

    def _page(self, place: int) -> bytes:
        if place < 0:
            return self._log[~place : ~place + _log_page_size(self._log)]
        return self._disk.part(self._path, place * self._size, self._size)


def carve_database(data: bytes) -> Iterator[Record]:
    """Every sound row of the journal on any page of a database file."""
    size = _page_size(data)
    for number, start in enumerate(range(0, len(data) - size + 1, size)):
        yield from _rows(data[start : start + size], _header(number))


def carve_log(data: bytes) -> Iterator[Record]:
    """The same of a write-ahead log, up to the last frame that ended a commit: later ones were never confirmed."""
    return (record for commit in carve_commits(data) for record in commit)


def carve_commits(data: bytes) -> Iterator[list[Record]]:
    """The sound rows of the journal on the pages of each commit of a write-ahead log, in their order."""
    size = _log_page_size(data)
    for places in _commits(data):
        yield [record for place in places for record in _rows(data[place : place + size], 0)]


def _commits(data: bytes) -> Iterator[list[int]]:
    """Where the pages of each commit of a write-ahead log begin.

    Frames of an older round of the log have other salts and are left out: their pages are in the database.
    """
    if len(data) < _WAL_HEADER:
        return
    size, salts = _log_page_size(data), data[16:24]
    pages: list[int] = []
    for start in range(_WAL_HEADER, len(data) - _FRAME_HEADER - size + 1, _FRAME_HEADER + size):
        header = data[start : start + _FRAME_HEADER]
        if any(salts) and header[8:16] != salts:
            continue
        pages.append(start + _FRAME_HEADER)
        if int.from_bytes(header[4:8], "big"):  # the size of the database after a commit; 0 inside one
            yield pages
            pages = []


def _log_page_size(data: bytes) -> int:
    size = int.from_bytes(data[8:12], "big")
    return size if size in (1 << power for power in range(9, 17)) else 4096


def _header(place: int) -> int:
    """The bytes before a page of the database begins: the first one has the header of the file."""
    return _FIRST_PAGE_HEADER if place == 0 else 0


def _old_first(place: int) -> tuple[bool, int]:
    """Pages of the database, then those of the log as they were written."""
    return (place < 0, abs(place))


def _page_size(data: bytes) -> int:
    size = int.from_bytes(data[16:18], "big")
    if size == 1:
        return 65536
    return size if size in (1 << power for power in range(9, 16)) else 4096


def _cells(page: bytes, offset: int) -> tuple[int, ...]:
    """Where the cells of a page begin; none when it is not one with rows of a table."""
    if len(page) < offset + 8 or page[offset] != _LEAF:
        return ()
    count = min(int.from_bytes(page[offset + 3 : offset + 5], "big"), (len(page) - offset - 8) // 2)
    return struct.unpack_from(f">{count}H", page, offset + 8)


def _span(page: bytes, offset: int) -> tuple[int, int] | None:
    """The lowest and the highest number of the rows on a page; None: there is none."""
    low = high = 0
    for begin in _cells(page, offset):
        try:
            seq, _ = _varint(page, _varint(page, begin)[1])
        except IndexError:
            continue
        if 0 < seq < _NO_SEQ:
            low, high = min(low or seq, seq), max(high, seq)
    return (low, high) if low else None


def _rows(page: bytes, offset: int, first: int = 0, last: int = _NO_SEQ) -> Iterator[Record]:
    for begin in _cells(page, offset):
        try:
            if not first <= _varint(page, _varint(page, begin)[1])[0] <= last:
                continue
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
