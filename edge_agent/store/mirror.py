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
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from edge_agent.store.records import Record

Content = tuple[int, str, str, str, str, int, str, str, str]

_SEGMENT = 8 * 2**20  # bytes after which a new file is begun
_PATTERN = "facts-*.log"

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

    def __init__(self, folder: Path, segment: int = _SEGMENT) -> None:
        self.folder = folder
        self._segment = segment
        self._file: int | None = None
        self._size = 0
        self.last: Mirrored | None = None

    def open(self) -> None:
        """Find the last line, and take away what a power cut left half written."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.close()
        self.last = None
        for path in reversed(self._paths()):
            whole = self._mend_end(path)
            if whole is not None:
                self.last = whole
                return
            path.unlink()  # not one line of it was ever confirmed

    def append(self, records: Iterable[Record]) -> None:
        """Write a line for each, in order, and sync. Raises OSError: then none of them is mirrored yet."""
        lines = [(record, _line(record)) for record in records]
        if not lines:
            return
        file = self._writable(lines[0][0].seq)
        text = b"".join(line for _, line in lines)
        try:
            _write(file, text)
            os.fdatasync(file)
        except OSError:
            self._undo(file)
            raise
        self._size += len(text)
        record = lines[-1][0]
        self.last = Mirrored(record.content, mark_of(record.hash))

    def lines(self) -> Iterator[Mirrored]:
        """Every line that is whole, in the order of the files; one that is damaged is left out."""
        for path in self._paths():
            with path.open("rb") as file:
                for line in file:
                    if (whole := _read(line)) is not None:
                        yield whole

    def forget(self, upto: int) -> int:
        """Remove the files that hold nothing above this seq; the last file stays. How many went."""
        paths = self._paths()
        gone = [path for path, later in itertools.pairwise(paths) if _first(later) <= upto + 1]
        for path in gone:
            path.unlink()
        return len(gone)

    def close(self) -> None:
        """Close the file that is written; `append` opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob(_PATTERN))

    def _writable(self, seq: int) -> int:
        if self._file is not None and self._size >= self._segment:
            self.close()
        if self._file is None:
            paths = self._paths()
            fits = bool(paths) and paths[-1].stat().st_size < self._segment
            path = paths[-1] if fits else self.folder / f"facts-{seq:012}.log"
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._size = os.fstat(self._file).st_size
            sync_folder(self.folder)
        return self._file

    def _undo(self, file: int) -> None:
        """Take away a part that was written; where not even that works, `open` does it at the next start."""
        try:
            os.ftruncate(file, self._size)
        except OSError:
            self.close()

    def _mend_end(self, path: Path) -> Mirrored | None:
        """The last whole line of a file, after a cut one behind it was taken away; None: there is none."""
        text = path.read_bytes()
        end = len(text)
        while end:
            begin = text.rfind(b"\n", 0, end - 1) + 1
            whole = _read(text[begin:end])
            if whole is not None:
                if end < len(text):
                    os.truncate(path, end)
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


def _write(file: int, text: bytes) -> None:
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(file, rest) :]


def sync_folder(folder: Path) -> None:
    """So that the name of a new file survives a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
