"""All that the store asks of a disk: one port, so that a disk that fails can be put in its place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

Connection = sqlite3.Connection


class Appended(Protocol):
    """A file that only grows. Raises OSError."""

    @property
    def size(self) -> int:
        """Its bytes."""
        ...

    def write(self, text: bytes) -> None:
        """Put it behind what is there; safe against a power cut after `sync`."""
        ...

    def sync(self) -> None:
        """Return when all that was written is on the disk."""
        ...

    def cut(self, size: int) -> None:
        """Take away what is behind so many bytes."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


class Disk(Protocol):
    """Folders, files and databases. Raises OSError, databases sqlite3.Error."""

    def connect(self, path: Path) -> Connection:
        """Open or make a database that nobody else may read; no transaction of its own."""
        ...

    def look(self, path: Path) -> Connection:
        """The same, to read what is there."""
        ...

    def exists(self, path: Path) -> bool:
        """Whether a file or a folder is there."""
        ...

    def read(self, path: Path) -> bytes:
        """All of a file; nothing when there is none."""
        ...

    def part(self, path: Path, start: int, size: int) -> bytes:
        """So many bytes of a file from there on, as far as it goes; nothing when there is none."""
        ...

    def write(self, path: Path, content: bytes) -> None:
        """A file of this content."""
        ...

    def names(self, folder: Path, pattern: str) -> Sequence[Path]:
        """The files of a folder whose names match, in their order."""
        ...

    def make_folder(self, path: Path) -> None:
        """Have the folder and those above it; nobody else may look into it."""
        ...

    def rename(self, path: Path, to: Path) -> None:
        """Give a file or a folder another place."""
        ...

    def remove(self, path: Path) -> None:
        """Have no file there."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in it survive a power cut."""
        ...

    def cut(self, path: Path, size: int) -> None:
        """Take away what is behind so many bytes of a file."""
        ...

    def append(self, path: Path) -> Appended:
        """Open or make a file to write behind its end."""
        ...

    def changed(self, path: Path) -> float:
        """When the file was last written, in seconds since 1970."""
        ...

    def taken(self, path: Path) -> int:
        """The bytes of the disk that a file really takes; 0 when there is none."""
        ...

    def free(self, folder: Path) -> int:
        """The bytes that are free for us on the disk of a folder."""
        ...

    def allocate(self, path: Path, size: int) -> None:
        """A file of nothing that takes so many bytes."""
        ...


class _File:
    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    @property
    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def write(self, text: bytes) -> None:
        rest = memoryview(text)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def cut(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)

    def close(self) -> None:
        os.close(self._descriptor)


def replace(disk: Disk, path: Path, content: bytes) -> None:
    """A file of this content, or as it was before: also after a power cut. Nobody else may read it."""
    fresh = path.with_name(f"{path.name}.new")
    disk.remove(fresh)
    file = disk.append(fresh)
    try:
        file.write(content)
        file.sync()
    finally:
        file.close()
    disk.rename(fresh, path)
    disk.sync_folder(path.parent)


class SystemDisk:
    """The disk of this PC."""

    def connect(self, path: Path) -> Connection:
        # SQLite gives its side files the rights of the database: nobody else may read what people did.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        return sqlite3.connect(path, isolation_level=None)

    def look(self, path: Path) -> Connection:
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def exists(self, path: Path) -> bool:
        return path.exists()

    def read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return b""

    def part(self, path: Path, start: int, size: int) -> bytes:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        try:
            return os.pread(descriptor, size, start)
        finally:
            os.close(descriptor)

    def write(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)

    def names(self, folder: Path, pattern: str) -> Sequence[Path]:
        return sorted(folder.glob(pattern))

    def make_folder(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def rename(self, path: Path, to: Path) -> None:
        path.rename(to)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def cut(self, path: Path, size: int) -> None:
        os.truncate(path, size)

    def append(self, path: Path) -> Appended:
        return _File(path)

    def changed(self, path: Path) -> float:
        return path.stat().st_mtime

    def taken(self, path: Path) -> int:
        try:
            return path.stat().st_blocks * 512
        except FileNotFoundError:
            return 0

    def free(self, folder: Path) -> int:
        disk = os.statvfs(folder)
        return disk.f_bavail * disk.f_frsize

    def allocate(self, path: Path, size: int) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
        finally:
            os.close(descriptor)


DISK = SystemDisk()
