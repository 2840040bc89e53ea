"""The second copy of every fact: one line each, in plain files beside the database.

A line is written after the commit and synced before anybody is told that the fact is saved, so the
mirror never knows more than was committed, and its last line is a high-water mark outside the database:
when SQLite silently lost its tail, the mirror names what is missing.

Every line stands for itself (`mirror_lines`). One that was cut off at the end, by a power cut, was never
confirmed: it is taken away. Files are begun anew by size; old ones may go when nobody needs them.
"""

from __future__ import annotations

import io
import itertools
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge_agent.store.disk import DISK, Appended, Disk, replace
from edge_agent.store.mirror_lines import Mirrored, line_of, mark_of, read_line
from edge_agent.store.records import Record

_SEGMENT = 8 * 2**20  # bytes after which a new file is begun
_PATTERN = "facts-*.log"
_BASE = "base"  # the file that says what left the journal for good, and what of it is still open
_TOGETHER = 1000  # lines that may be on their way to the disk together


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
        lines = [(record, line_of(record)) for record in records]
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
            for line in io.BytesIO(self.disk.read(path)):
                if (whole := read_line(line)) is not None:
                    yield whole

    def files(self) -> list[tuple[Path, int, int]]:
        """Each file of lines with the first and the last number that it is there for: none is missing between them."""
        paths, base = self._paths(), (self.base() or (0, b""))[0]
        firsts = [min(base + 1, _first(path)) if number == 0 else _first(path) for number, path in enumerate(paths)]
        lasts = [*(first - 1 for first in firsts[1:]), *([self.reached] if paths else [])]
        return list(zip(paths, firsts, lasts, strict=True))

    def replace(self, path: Path, text: bytes) -> None:
        """Have these lines in a file, or those of before: also after a power cut. Raises OSError."""
        self.close()
        replace(self.disk, path, text)

    def base(self) -> tuple[int, bytes] | None:
        """The last fact that left the journal for good, and its hash; None: not known here."""
        told = self._begin().split(b" ", 2)
        return (int(told[0]), bytes.fromhex(told[1].decode())) if len(told) > 1 else None

    def outliving(self) -> bytes:
        """What is kept beside it of what is still open; see `outliving.told`."""
        return b"".join(self._begin().split(b" ", 2)[2:])

    def forget(self, upto: int, hash: bytes, outliving: bytes = b"") -> int:
        """The journal begins behind this fact now: note it, with what is open although nothing behind it says so,
        and remove the files with nothing behind it.

        The last file stays. How many went. Raises OSError.
        """
        told = b" ".join(filter(None, (b"%d" % upto, hash.hex().encode(), outliving)))
        replace(self.disk, self.folder / _BASE, b"%08x %s\n" % (zlib.crc32(told), told))
        paths = self._paths()
        gone = [path for path, later in itertools.pairwise(paths) if _first(later) <= upto + 1]
        for path in gone:
            self.disk.remove(path)
        return len(gone)

    def _begin(self) -> bytes:
        """Where the journal begins, as it was noted; nothing when that is not whole."""
        check, _, told = self.disk.read(self.folder / _BASE).strip().partition(b" ")
        return told if check == b"%08x" % zlib.crc32(told) else b""

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
        seqs = {line.seq for each in newest if (line := read_line(each)) is not None}
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
            whole = read_line(text[begin:end])
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
            if (whole := read_line(line)) is not None:
                return whole
        return None


def _first(path: Path) -> int:
    return int(path.stem.removeprefix("facts-"))
