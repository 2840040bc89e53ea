"""The second copy of every fact: one line each, in plain files beside the database.

A line is written after the commit and synced before anybody is told that the fact is saved, so the
mirror never knows more than was committed, and its last line is a high-water mark outside the database:
when SQLite silently lost its tail, the mirror names what is missing.

A line is `CHECK MARK HEAD BODY`: eight hex digits of the CRC-32 of what follows, the first sixteen of the
hash of the fact, the stored columns as a JSON list (the event time as microseconds before the record time),
and the body as it is stored. A line that was cut off at the end, by a power cut, was never confirmed: it is taken
away. Files are begun anew by size; old ones may go when nobody needs them.
"""

from __future__ import annotations

import itertools
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from edge_agent.store.disk import DISK, Appended, Disk
from edge_agent.store.records import Record

Content = tuple[int, str, str, str, str, int, str, str, str]

_SEGMENT = 8 * 2**20  # bytes after which a new file is begun
_PATTERN = "facts-*.log"
_TOGETHER = 1000  # lines that may be on their way to the disk together

_json = json.JSONDecoder()
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A fact as its line has it. `mark`: the first 16 hex digits of its hash in the journal."""

    content: Content
    mark: str

    @property
    def seq(self) -> int:
        """Its number."""
        return self.content[0]


def mark_of(hash: bytes) -> str:
    """What a line says of the hash of its fact."""
    return hash[:8].hex()


class Mirror:
    """The folder of lines. For one thread; OSError goes to the caller, who stays usable and tries again."""

    def __init__(self, folder: Path, segment: int = _SEGMENT, disk: Disk = DISK) -> None:
        self.folder = folder
        self.disk = disk
        self._segment = segment
        self._file: Appended | None = None
        self._size = 0
        self._torn = False
        self.last: Mirrored | None = None
        self.reached = 0

    def open(self) -> None:
        """Find the last line, and take away what a power cut left half written.

        `last` is the highest that is there, `reached` that up to which none of the newest is missing: of
        lines that were on their way together a power cut may spoil one in the middle.
        """
        self.disk.make_folder(self.folder)
        self.close()
        self.last, self.reached = None, 0
        for path in reversed(self._paths()):
            whole = self._mend_end(path)
            if whole is not None:
                self.last = whole
                self.reached = self._without_gap(path)
                return
            self.disk.remove(path)  # not one line of it was ever confirmed

    def append(self, records: Iterable[Record]) -> None:
        """Write a line for each, in order, and sync. Raises OSError: then none of them is mirrored yet."""
        lines = [(record, _line(record)) for record in records]
        if not lines:
            return
        file = self._writable(lines[0][0].seq)
        text = b"\n" * self._torn + b"".join(line for _, line in lines)
        try:
            file.write(text)
            file.sync()
        except OSError:
            self._undo(file)
            raise
        self._size += len(text)
        self._torn = False
        record = lines[-1][0]
        self.reached = record.seq
        if self.last is None or self.last.seq <= record.seq:
            self.last = Mirrored(record.content, mark_of(record.hash))

    def lines(self) -> Iterator[Mirrored]:
        """Every line that is whole, in the order of the files; one that is damaged is left out."""
        for path in self._paths():
            for line in self.disk.read(path).splitlines(keepends=True):
                if (whole := _read(line)) is not None:
                    yield whole

    def forget(self, upto: int) -> int:
        """Remove the files that hold nothing above this seq; the last file stays. How many went."""
        paths = self._paths()
        gone = [path for path, later in itertools.pairwise(paths) if _first(later) <= upto + 1]
        for path in gone:
            self.disk.remove(path)
        return len(gone)

    def close(self) -> None:
        """Close the file that is written; `append` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _paths(self) -> list[Path]:
        return list(self.disk.names(self.folder, _PATTERN))

    def _writable(self, seq: int) -> Appended:
        if self._file is not None and self._size >= self._segment:
            self.close()
        if self._file is None:
            new, paths = self.folder / f"facts-{seq:012}.log", self._paths()
            file = self.disk.append(paths[-1] if paths else new)
            if file.size >= self._segment:
                file.close()
                file = self.disk.append(new)
            self._file, self._size = file, file.size
            self.disk.sync_folder(self.folder)
        return self._file

    def _undo(self, file: Appended) -> None:
        """Take away a part that was written; where not even that works, the next line begins anew behind it."""
        try:
            file.cut(self._size)
        except OSError:
            self._torn = True
            self.close()

    def _without_gap(self, path: Path) -> int:
        """The last seq of the newest lines before the first that is missing among them."""
        newest = self.disk.read(path).splitlines(keepends=True)[-_TOGETHER:]
        seqs = {line.seq for each in newest if (line := _read(each)) is not None}
        reached = min(seqs, default=self.last.seq if self.last else 0)
        while reached + 1 in seqs:
            reached += 1
        return reached

    def _mend_end(self, path: Path) -> Mirrored | None:
        """The last whole line of a file, after a cut one behind it was taken away; None: there is none."""
        text = self.disk.read(path)
        end = len(text)
        while end:
            begin = text.rfind(b"\n", 0, end - 1) + 1
            whole = _read(text[begin:end])
            if whole is not None:
                if end < len(text):
                    self.disk.cut(path, end)
                return whole
            if b"\n" in text[begin:end]:  # not cut off but damaged: what stands before it may be whole
                return self._before(text[:begin], path)
            end = begin
        return None

    def _before(self, text: bytes, path: Path) -> Mirrored | None:
        for line in reversed(text.splitlines(keepends=True)):
            if (whole := _read(line)) is not None:
                return whole
        return None


def _line(record: Record) -> bytes:
    seq, id, agent, event_time, record_time, clock_ok, terminal, person, payload = record.content
    earlier = datetime.fromisoformat(record_time) - datetime.fromisoformat(event_time)
    head = [seq, id, agent, earlier // _MICROSECOND, record_time, clock_ok, terminal, person]
    told = f"{mark_of(record.hash)} {json.dumps(head, ensure_ascii=False, separators=(',', ':'))} {payload}"
    body = told.encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _read(line: bytes) -> Mirrored | None:
    """The fact of a line; None when it is not whole."""
    check, _, body = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or check != b"%08x" % zlib.crc32(body):
        return None
    try:
        mark, _, told = body.decode().partition(" ")
        head, end = _json.raw_decode(told)
        seq, id, agent, earlier, record_time, clock_ok, terminal, person = head
        happened = datetime.fromisoformat(record_time) - earlier * _MICROSECOND
    except (ValueError, TypeError, OverflowError):
        return None
    event_time = happened.isoformat(timespec="microseconds")
    return Mirrored(
        (seq, id, agent, event_time, record_time, clock_ok, terminal, person, told[end + 1 :]), mark
    )


def _first(path: Path) -> int:
    return int(path.stem.removeprefix("facts-"))
