"""A platter as SQLite sees it (a VFS of apsw) and as the store sees it (`edge_agent.store.disk.Disk`)."""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import itertools
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import apsw

from tests.sim.connection import SimConnection
from tests.sim.platter import DiskFault, Platter, PowerCut

_SYNCS_ITS_FOLDER = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
_FAULTS: dict[int, tuple[type[apsw.Error], int]] = {
    errno.ENOSPC: (apsw.FullError, apsw.SQLITE_FULL),
    errno.EIO: (apsw.IOError, apsw.SQLITE_IOERR_WRITE),
}

_numbers = itertools.count()


def _as_sqlite(fault: DiskFault) -> apsw.Error:
    kind, code = _FAULTS[fault.number]
    error = kind(str(fault))
    error.__dict__["extendedresult"] = code
    return error


class _File:
    """One open file of a database."""

    def __init__(self, platter: Platter, name: str, flags: list[int]) -> None:
        self._platter, self._life, self._name = platter, platter.life, name
        self._temporary = bool(flags[0] & apsw.SQLITE_OPEN_DELETEONCLOSE)
        self._new = name not in platter.names
        self._syncs_folder = self._new and bool(flags[0] & _SYNCS_ITS_FOLDER)
        if self._new:
            if not flags[0] & apsw.SQLITE_OPEN_CREATE:
                raise apsw.CantOpenError(name)
            self._tick("create")
        self._node = platter.make(name)

    def _tick(self, what: str) -> None:
        try:
            self._platter.tick(self._life, what)
        except DiskFault as fault:
            raise _as_sqlite(fault) from fault

    def xRead(self, amount: int, offset: int) -> bytes:
        try:
            return bytes(self._platter.read(self._node)[offset : offset + amount])
        except DiskFault as fault:
            raise _as_sqlite(fault) from fault

    def xWrite(self, data: bytes, offset: int) -> None:
        self._tick("write")
        self._node.write(bytes(data), offset)

    def xTruncate(self, size: int) -> None:
        self._tick("truncate")
        self._node.cut(size)

    def xSync(self, flags: int) -> None:
        self._tick("sync")
        self._platter.sync(self._node)
        if self._syncs_folder:  # as the VFS of SQLite does it for a new log
            self._platter.sync_folder(str(Path(self._name).parent))
            self._syncs_folder = False

    def xFileSize(self) -> int:
        return len(self._node.live)

    def xLock(self, level: int) -> None:
        pass

    def xUnlock(self, level: int) -> None:
        pass

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 4096

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xClose(self) -> None:
        if self._temporary:
            self._platter.remove(self._name)


class _Vfs(apsw.VFS):
    """Only time, randomness and waiting come from the VFS of this PC."""

    def __init__(self, platter: Platter, dice_bytes: Any) -> None:
        self.name = f"platter-{next(_numbers)}"
        self._platter = platter
        self._random = dice_bytes
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        given = name.filename() if isinstance(name, apsw.URIFilename) else name
        flags[1] = flags[0]
        return _File(self._platter, given or f"/temporary-{next(_numbers)}", flags)

    def xDelete(self, name: str, sync: bool) -> None:
        try:
            self._platter.tick(self._platter.life, "remove")
        except DiskFault as fault:
            raise _as_sqlite(fault) from fault
        self._platter.remove(name)
        if sync:
            self._platter.sync_folder(str(Path(name).parent))

    def xAccess(self, name: str, flags: int) -> bool:
        return name in self._platter.names

    def xFullPathname(self, name: str) -> str:
        return name

    def xRandomness(self, count: int) -> bytes:
        return cast(bytes, self._random(count))


class _Appended:
    def __init__(self, port: SimDisk, name: str) -> None:
        self._port, self._node = port, port.platter.make(name)

    @property
    def size(self) -> int:
        return len(self._node.live)

    def write(self, text: bytes) -> None:
        try:
            self._port.tick("write")
        except OSError:
            self._node.write(text[: len(text) // 2], len(self._node.live))  # as much as there was room for
            raise
        self._node.write(text, len(self._node.live))

    def sync(self) -> None:
        self._port.tick("sync")
        self._port.platter.sync(self._node)

    def cut(self, size: int) -> None:
        self._port.tick("truncate")
        self._node.cut(size)

    def close(self) -> None:
        pass


@contextlib.contextmanager
def power_can_go() -> Iterator[None]:
    """Where SQLite takes no error, apsw tells it to these hooks; our connection tells it as well."""
    hook, unraisable = sys.excepthook, sys.unraisablehook
    sys.excepthook = lambda kind, error, trace: None if issubclass(kind, PowerCut) else hook(kind, error, trace)
    sys.unraisablehook = lambda told: None if told.exc_type is PowerCut else unraisable(told)
    try:
        yield
    finally:
        sys.excepthook, sys.unraisablehook = hook, unraisable


class Drive:
    """A platter with its VFS; `plug` it into each life of a process. `close` it in the end."""

    def __init__(self, platter: Platter, dice_bytes: Any) -> None:
        self.platter = platter
        self._vfs = _Vfs(platter, dice_bytes)
        self._open: list[SimConnection] = []

    def plug(self) -> SimDisk:
        """The disk for the life that begins now; what an older one has open is closed."""
        for connection in self._open:
            connection.abandon()
        self._open.clear()
        return SimDisk(self.platter, self)

    def beside(self) -> SimDisk:
        """For one who looks at the disk of the life that goes on."""
        return SimDisk(self.platter, self)

    def connect(self, path: Path) -> SimConnection:
        connection = SimConnection(str(path), self._vfs.name, self.platter)
        self._open.append(connection)
        return connection

    def close(self) -> None:
        self.platter.kill()
        self.plug()
        self._vfs.unregister()


class SimDisk:
    """`edge_agent.store.disk.Disk` over a platter, for one life of a process."""

    def __init__(self, platter: Platter, drive: Drive) -> None:
        self.platter = platter
        self._drive = drive
        self._life = platter.life

    def tick(self, what: str) -> None:
        try:
            self.platter.tick(self._life, what)
        except DiskFault as fault:
            raise OSError(fault.number, str(fault)) from fault

    def connect(self, path: Path) -> sqlite3.Connection:
        self.platter.alive(self._life)
        if str(path) not in self.platter.names:
            self.tick("create")
            self.platter.make(str(path))
        return cast(sqlite3.Connection, self._drive.connect(path))

    def look(self, path: Path) -> sqlite3.Connection:
        self.platter.alive(self._life)
        return cast(sqlite3.Connection, self._drive.connect(path))

    def exists(self, path: Path) -> bool:
        self.platter.alive(self._life)
        name = str(path)
        return name in self.platter.names or any(each.startswith(name + "/") for each in self.platter.names)

    def read(self, path: Path) -> bytes:
        self.platter.alive(self._life)
        node = self.platter.names.get(str(path))
        try:
            return bytes(self.platter.read(node)) if node else b""
        except DiskFault as fault:
            raise OSError(fault.number, str(fault)) from fault

    def part(self, path: Path, start: int, size: int) -> bytes:
        return self.read(path)[start : start + size]

    def write(self, path: Path, content: bytes) -> None:
        self.tick("create")
        node = self.platter.make(str(path))
        node.cut(0)
        self.tick("write")
        node.write(content, 0)

    def names(self, folder: Path, pattern: str) -> Sequence[Path]:
        self.platter.alive(self._life)
        inside = (Path(name) for name in self.platter.names if Path(name).parent == folder)
        return sorted(path for path in inside if fnmatch.fnmatch(path.name, pattern))

    def make_folder(self, path: Path) -> None:
        self.platter.alive(self._life)  # a folder is there when a file is in it

    def rename(self, path: Path, to: Path) -> None:
        self.tick("rename")
        self.platter.rename(str(path), str(to))

    def remove(self, path: Path) -> None:
        if str(path) in self.platter.names:
            self.tick("remove")
            self.platter.remove(str(path))

    def sync_folder(self, folder: Path) -> None:
        self.tick("sync")
        self.platter.sync_folder(str(folder))

    def cut(self, path: Path, size: int) -> None:
        self.tick("truncate")
        self.platter.names[str(path)].cut(size)

    def append(self, path: Path) -> _Appended:
        if str(path) not in self.platter.names:
            self.tick("create")
        return _Appended(self, str(path))

    def changed(self, path: Path) -> float:
        return 1_763_000_000.0

    def taken(self, path: Path) -> int:
        node = self.platter.names.get(str(path))
        return RESERVED if node else 0

    def free(self, folder: Path) -> int:
        return 10 * RESERVED

    def allocate(self, path: Path, size: int) -> None:
        self.tick("create")
        self.platter.make(str(path))  # of nothing: only its name is worth anything here


RESERVED = 64 * 2**20
